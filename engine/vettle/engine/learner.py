"""Everything that is learned from sessions, as one deterministic fold over what happened.

The posterior steers and the evidence proves; this module feeds both in the right order (evidence sees
the beliefs from before the session), answers what is known about a rule, and saves itself to bytes.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from vettle.engine import effects
from vettle.engine.effects import Evidence
from vettle.engine.posterior import POLICY, Array, Observation, Parameters, Posterior
from vettle.engine.records import Estimate, RuleStatus, SlateEntry
from vettle.engine.selection import WITHHELD_ON_TRIAL
from vettle.engine.wording import equation

RETIRE_CHANCE = 0.05
"""A rule is retired when P(effect > effects.MINIMUM_EFFECT) falls below this, wherever it was tried."""

RETIRE_SHOWINGS = 10
"""Showings before a rule can be retired for not reaching the minimum effect."""

_MAGIC = b"vettle learner\n"


class Folded(NamedTuple):
    """Tell what one session taught.

    `prediction` is the score expected of what was shown and `error` the score minus that. `alarm` says
    that scores fell so far short of predictions that most of what rules do was forgotten.
    """

    prediction: float
    error: float
    alarm: bool


class Learner:
    """Know what sessions have taught: beliefs about rules, proof about rules, and counts.

    Equal calls in equal order leave equal bytes, also across saving and restoring. A call that raises
    ValueError has folded nothing.

    Attributes:
        posterior: The beliefs, for selection. Learn through the learner, never through it.
        sessions: Scored sessions folded, holdouts included.
        unscored: Sessions folded that closed without an outcome.
        holdouts: Sessions among both that showed nothing on purpose.
        alarms: Changes detected.
    """

    def __init__(self, parameters: Parameters | None = None) -> None:
        self.posterior = Posterior(parameters)
        self.unscored = 0
        self.holdouts = 0
        self.alarms = 0
        self._evidence: dict[str, Evidence] = {}

    @property
    def sessions(self) -> int:
        """Scored sessions folded so far."""
        return self.posterior.observations

    # --- learning ----------------------------------------------------------------------------

    def observe(
        self, context: str, score: float, slate: Sequence[SlateEntry], holdout: bool = False
    ) -> Folded:
        """Fold a session that has a score in [0, 1].

        A holdout teaches what sessions score without rules, and proves nothing about any of them.
        """
        _check(slate, holdout)
        if not 0.0 <= score <= 1.0:
            raise ValueError(f"score: {score!r} is not in [0, 1]")
        if holdout:
            self.holdouts += 1
        else:
            self._gather(context, score, slate)
        shown = [entry.rule for entry in slate if entry.shown]
        observation: Observation = self.posterior.observe(shown, context, score)
        self.alarms += observation.alarm
        return Folded(observation.prediction, observation.error, observation.alarm)

    def _gather(self, context: str, score: float, slate: Sequence[SlateEntry]) -> None:
        """Bet on every coin of a session, against what was believed before its outcome."""
        believed, _ = self.posterior.effects([entry.rule for entry in slate], context)
        of_rule = believed.tolist()
        predicted = self.posterior.baseline(context)
        predicted += sum(effect for entry, effect in zip(slate, of_rule, strict=True) if entry.shown)
        for entry, effect in zip(slate, of_rule, strict=True):
            expected = predicted + (entry.propensity - entry.shown) * effect
            self._about(entry.rule).observe(entry.shown, entry.propensity, score, expected)

    def observe_missing(self, context: str, slate: Sequence[SlateEntry], holdout: bool = False) -> None:
        """Fold a session that closed without an outcome.

        Teaches nothing about effects in any context; only the check whether outcomes go missing depending
        on what was shown learns from it.
        """
        _check(slate, holdout)
        self.unscored += 1
        if holdout:
            self.holdouts += 1
            return
        for entry in slate:
            self._about(entry.rule).observe_missing(entry.shown, entry.propensity)

    def hint(self, rule: str, context: str, shown: bool) -> bool:
        """Fold the word that `rule` should have prevented a mistake; see `Posterior.hint`.

        Call it after the outcome of the mistake's own session: a hint knows how that session's coin landed,
        and the bets on the coin must not.
        """
        return self.posterior.hint(rule, context, shown)

    def set_prior(self, rule: str, prior: float) -> None:
        """Set the effect, in [-1, 1], that is believed of `rule` before any session."""
        self.posterior.set_prior(rule, prior)

    def reset(self, rule: str) -> None:
        """Forget beliefs and proof about `rule` (its text changed); its prior stays."""
        self.posterior.reset(rule)
        self._evidence.pop(rule, None)

    def forget(self) -> None:
        """Forget most of what rules do, because somebody said that the world changed."""
        self.posterior.forget()

    def _about(self, rule: str) -> Evidence:
        return self._evidence.setdefault(rule, Evidence())

    # --- reading -----------------------------------------------------------------------------

    def knows(self, rule: str) -> bool:
        """Tell whether `rule` was ever on the slate of a closed session."""
        return rule in self._evidence

    def evidence(self, rule: str) -> Evidence:
        """Return what was proven about `rule`; fresh evidence for one that was never on a slate."""
        return self._evidence.get(rule) or Evidence()

    def estimate(self, rule: str, context: str = "") -> Estimate:
        """Return what is known about `rule`: beliefs in `context` ("" averages them), proof over all contexts."""
        evidence = self.evidence(rule)
        means, deviations = self.posterior.effects([rule], context)
        mean, sd = float(means[0]), float(deviations[0])
        causal = evidence.interval()
        return Estimate(
            effect=mean,
            low=mean - effects.NORMAL_95 * sd,
            high=mean + effects.NORMAL_95 * sd,
            chance_helps=effects.chance_above(0.0, mean, sd),
            shown=evidence.shown,
            withheld=evidence.withheld,
            e_works=evidence.e_works,
            e_hurts=evidence.e_hurts,
            causal_effect=causal.effect if causal else None,
            causal_low=causal.low if causal else None,
            causal_high=causal.high if causal else None,
            missing_suspected=evidence.e_missing >= effects.CLAIM,
            sessions_needed=self._sessions_needed(evidence, mean, context),
        )

    def _sessions_needed(self, evidence: Evidence, effect: float, context: str) -> int | None:
        """Return the sessions until "works" is claimed if the belief is right; None if it never will be."""
        noise = self.posterior.noise(self.posterior.baseline(context))
        needed = effects.sessions_needed(effect, noise, WITHHELD_ON_TRIAL)
        return effects.sessions_left(needed, evidence.works.log_e)

    def standing(self, rule: str, status: RuleStatus) -> tuple[RuleStatus, str]:
        """Return the status that the evidence gives a rule, and why.

        A rule on trial is proven, or retired, or stays; a proven one is retired only when it is proven to
        hurt. Every other status was given by a person or is final, and stays, with an empty reason.
        """
        if status not in ("trial", "proven"):
            return status, ""
        evidence = self.evidence(rule)
        if evidence.e_hurts >= effects.CLAIM:
            return "retired", f"hurts: {equation(evidence.e_hurts)} against it"
        if status == "proven":
            return status, ""
        if evidence.e_works >= effects.CLAIM:
            return (
                "proven",
                f"works: {equation(evidence.e_works)} (of rules that do nothing, at most 5 % ever reach 20)",
            )
        if evidence.shown >= RETIRE_SHOWINGS and self._hopeless(rule):
            return "retired", (
                f"P(effect > {effects.MINIMUM_EFFECT}) < {RETIRE_CHANCE} wherever it was tried, "
                f"after {evidence.shown} showings"
            )
        return status, ""

    def _hopeless(self, rule: str) -> bool:
        """Tell whether a rule is believed to miss the minimum effect overall and in each context it was tried in."""
        for context in ("", *self.posterior.contexts(rule)):
            means, deviations = self.posterior.effects([rule], context)
            chance = effects.chance_above(effects.MINIMUM_EFFECT, float(means[0]), float(deviations[0]))
            if chance >= RETIRE_CHANCE:
                return False
        return True

    # --- saving ------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """Return everything as bytes: equal learners give equal bytes.

        A magic line, the lengths of the parts, a JSON header, the arrays as little-endian doubles, and a
        CRC-32 of all that.
        """
        header, arrays = self.posterior.state()
        proof = np.array([evidence.numbers() for evidence in self._evidence.values()], np.float64)
        arrays = [*arrays, proof.reshape(len(self._evidence), effects.WIDTH)]
        about = {
            "policy": POLICY,
            "parameters": asdict(self.posterior.parameters),
            "posterior": header,
            "evidence": list(self._evidence),
            "unscored": self.unscored,
            "holdouts": self.holdouts,
            "alarms": self.alarms,
            "shapes": [array.shape for array in arrays],
        }
        text = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
        parts = [_MAGIC, len(text).to_bytes(8, "little"), text]
        body = b"".join([*parts, *(array.astype("<f8").tobytes() for array in arrays)])
        return body + zlib.crc32(body).to_bytes(4, "little")

    @classmethod
    def from_bytes(cls, data: bytes) -> Learner:
        """Rebuild a learner, with the parameters it was saved with.

        Raises ValueError when the bytes are truncated, damaged or not a learner, or when another policy
        version wrote them: then the log has to be folded again.
        """
        about, arrays = _parse(data)
        try:
            *of_posterior, proof = arrays
            learner = cls(_parameters(about["parameters"]))
            parameters = learner.posterior.parameters
            learner.posterior = Posterior.restore(parameters, about["posterior"], of_posterior)
            learner.unscored = int(about["unscored"])
            learner.holdouts = int(about["holdouts"])
            learner.alarms = int(about["alarms"])
            for rule, numbers in zip(about["evidence"], proof.tolist(), strict=True):
                learner._evidence[rule] = Evidence.from_numbers(numbers)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"learner: the header is not one of this version ({error})") from error
        return learner


def _check(slate: Sequence[SlateEntry], holdout: bool) -> None:
    """Refuse a slate that no decision can have made."""
    rules = {entry.rule for entry in slate}
    if len(rules) != len(slate) or "" in rules:
        raise ValueError("slate: a rule is empty or listed twice")
    for entry in slate:
        if not 0.0 < entry.propensity <= 1.0:
            raise ValueError(f"slate: the propensity {entry.propensity!r} of {entry.rule!r} is not in (0, 1]")
        if holdout and entry.shown:
            raise ValueError(f"slate: {entry.rule!r} is shown in a holdout")
        if not (holdout or entry.shown) and entry.propensity == 1.0:
            raise ValueError(f"slate: {entry.rule!r} is withheld although it is always shown")


def _parse(data: bytes) -> tuple[dict[str, Any], list[Array]]:
    """Split saved bytes into header and arrays; ValueError unless they are whole and of this policy."""
    start = len(_MAGIC) + 8
    if not data.startswith(_MAGIC) or len(data) < start + 4:
        raise ValueError("learner: these bytes are not a saved learner")
    body, checksum = data[:-4], int.from_bytes(data[-4:], "little")
    if zlib.crc32(body) != checksum:
        raise ValueError("learner: the bytes are truncated or damaged")
    end = start + int.from_bytes(body[len(_MAGIC) : start], "little")
    about: dict[str, Any] = json.loads(body[start:end])
    if about.get("policy") != POLICY:
        raise ValueError(f"learner: saved by policy {about.get('policy')!r}, this is policy {POLICY!r}")
    arrays: list[Array] = []
    for shape in about["shapes"]:
        size = math.prod(shape)
        arrays.append(np.frombuffer(body, "<f8", size, end).astype(np.float64).reshape(shape))
        end += 8 * size
    if end != len(body):
        raise ValueError("learner: the arrays have another length than the header says")
    return about, arrays


def _parameters(values: dict[str, Any]) -> Parameters:
    """Rebuild the parameters; JSON has turned their tuples into lists."""
    restored: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return Parameters(**restored)
