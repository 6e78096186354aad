"""What is believed about every rule: one joint Gaussian, updated once per session.

A session in context c that showed the rules S scored `base + c + sum over i in S of (i + (i, c)) + noise`:
Bayesian linear regression (Lindley & Smith 1972) on 0/1 coordinates, folded one session at a time as a
Kalman filter (Kalman 1960). Modelling them jointly is the point: a rule is not blamed for a hard
context or for the rules that happened to be shown beside it.

Everything here steers; nothing here proves. See `effects` for what may claim.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

POLICY = "1"
"""The version of everything that turns a log into beliefs and decisions; a change means a replay."""

Coordinate = tuple[str, str]
"""(rule, context): ("", "") the base, ("", c) a context, (r, "") a rule, (r, c) a rule in a context."""

BASE: Coordinate = ("", "")

_BLOCK = 64
"""Rows of the covariance that are updated at a time, so that the outer product stays in the cache."""


@dataclass(frozen=True)
class Parameters:
    """Hold the constants of the posterior.

    Standard deviations, effects and the noise are in units of the session score (0 to 1); times are in
    observed sessions. The priors say: sessions score around 0.6, contexts differ by 0.2, a rule moves
    the score by about 0.05. Values without a source below were tuned on simulated worlds, where
    halving or doubling one costs at most about a third of the benefit.

    Attributes:
        base_mean: Prior mean of the base score.
        base_sd: Prior standard deviation of the base score.
        context_sd: Prior standard deviation of a context's difference from the base.
        rule_sd: Prior standard deviation of a rule's effect, averaged over contexts.
        pair_sd: Prior standard deviation of what one context adds to a rule's effect.
        base_walk_sd: Standard deviation by which the base moves between two sessions (West & Harrison
            1997: a local-level model).
        dispersion: First value of the noise variance divided by q(1-q), the quasi-binomial dispersion
            (Wedderburn 1974).
        dispersion_range: Least and greatest dispersion.
        score_range: Least and greatest prediction q that the noise variance is computed from.
        decay_every: Sessions between two decays of rule effects towards their prior.
        half_life: Sessions after which half of a rule's difference from its prior is left.
        cap: Rows of the joint covariance; above it the least promising rules are parked.
        parked_share: Share of `cap` that leaves at once.
        context_limit: Contexts that stay in the joint covariance when it is full, latest first.
        alarm_bets: Bets of the change detector (Shin, Ramdas & Rinaldo 2024: e-CUSUM).
        alarm_level: Evidence at which the detector reports a change.
        alarm_rule_weight: Share of a rule's difference from its prior that survives a change.
        alarm_base_weight: The same for the uncertainty of base and contexts, whose means stay.
        hint_effect: Effect that a hint suggests of a rule which was not shown (0 of one that was).
        hint_sd: Standard deviation of the noise of a hint.
        hint_limit: Hints that count, per context and rule.
    """

    base_mean: float = 0.6
    base_sd: float = 0.25
    context_sd: float = 0.2
    rule_sd: float = 0.05
    pair_sd: float = 0.025
    base_walk_sd: float = 0.005
    dispersion: float = 0.35
    dispersion_range: tuple[float, float] = (0.05, 1.5)
    score_range: tuple[float, float] = (0.02, 0.98)
    decay_every: int = 20
    half_life: float = 10_000.0
    cap: int = 600
    parked_share: float = 0.25
    context_limit: int = 50
    alarm_bets: tuple[float, ...] = (0.1, 0.25, 0.5)
    alarm_level: float = 1000.0
    alarm_rule_weight: float = 0.3
    alarm_base_weight: float = 0.7
    hint_effect: float = 0.10
    hint_sd: float = 0.15
    hint_limit: int = 5


class Observation(NamedTuple):
    """Tell what one session taught: `error` is score minus `prediction`, `noise` the variance assumed.

    `alarm` is true when this session made the change detector fire, and rule effects were forgotten.
    """

    prediction: float
    error: float
    noise: float
    alarm: bool


class _Parked(NamedTuple):
    """A coordinate outside the joint covariance, as it was when it left.

    `covariance` is with its own rule and counts only while `ticket` equals that rule's: both left
    together and neither has been used since. `kept` is the log of all forgetting until then.
    """

    mean: float
    variance: float
    covariance: float
    kept: float
    ticket: int


class Posterior:
    """Believe something about every rule, in every context.

    Coordinates exist from their first use; an untouched rule has exactly its prior. The object is a
    deterministic fold: equal calls in equal order leave equal bits (no BLAS, no randomness).
    """

    def __init__(self, parameters: Parameters | None = None) -> None:
        self.parameters = parameters if parameters is not None else Parameters()
        self.observations = 0
        self.dispersion = self.parameters.dispersion
        self._alarm_wealth = [1.0] * len(self.parameters.alarm_bets)
        self._priors: dict[str, float] = {}
        self._hints: dict[Coordinate, int] = {}
        self._recent: dict[str, None] = {}
        self._contexts: dict[str, set[str]] = {}
        self._parked: dict[Coordinate, _Parked] = {}
        self._tickets = 0
        self._kept_rules = 0.0
        self._kept_contexts = 0.0
        self._row: dict[Coordinate, int] = {}
        self._keys: list[Coordinate] = []
        self._mean: Array = np.zeros(0)
        self._prior_mean: Array = np.zeros(0)
        self._prior_variance: Array = np.zeros(0)
        self._is_rule: npt.NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._covariance: Array = np.zeros((0, 0))
        self._rows([BASE])

    # --- reading -----------------------------------------------------------------------------

    def baseline(self, context: str = "") -> float:
        """Predict the score of a session that shows no rule; may lie slightly outside [0, 1]."""
        base = float(self._mean[0])
        return base + self._at(("", context))[0] if context else base

    def noise(self, prediction: float) -> float:
        """Return the variance of a score around `prediction`: dispersion * q * (1 - q), quasi-binomial."""
        q = min(max(prediction, self.parameters.score_range[0]), self.parameters.score_range[1])
        return self.dispersion * q * (1 - q)

    def effects(self, rules: Sequence[str], context: str = "") -> tuple[Array, Array]:
        """Return the means and standard deviations of the effects of `rules` in `context`.

        Both arrays have one entry per rule, in the order given, in units of the score. The context ""
        means the effect shared by all contexts.
        """
        mean, variance, rows = self._marginals([(rule, "") for rule in rules])
        if context:
            pair_mean, pair_variance, pair_rows = self._marginals([(rule, context) for rule in rules])
            mean += pair_mean
            variance += pair_variance
            live = (rows >= 0) & (pair_rows >= 0)
            variance[live] += 2 * self._covariance[rows[live], pair_rows[live]]
            if self._parked:
                for index in np.flatnonzero(~live).tolist():
                    variance[index] += 2 * self._parked_covariance(rules[index], context)
        return mean, np.sqrt(np.maximum(variance, 0.0))

    def contexts(self, rule: str) -> list[str]:
        """Return the contexts in which something about `rule` has been observed or hinted, sorted."""
        return sorted(self._contexts.get(rule, ()))

    def prior(self, rule: str) -> float:
        """Return the effect that was believed of `rule` before any session."""
        return self._priors.get(rule, 0.0)

    @property
    def rows(self) -> int:
        """Number of coordinates in the joint covariance."""
        return len(self._keys)

    def joint(self) -> tuple[list[Coordinate], Array, Array]:
        """Return the coordinates of the joint covariance with copies of their mean and covariance.

        The mean has shape (n,), the covariance (n, n), both in the order of the coordinates.
        """
        n = len(self._keys)
        return list(self._keys), self._mean[:n].copy(), self._covariance[:n, :n].copy()

    # --- learning ----------------------------------------------------------------------------

    def observe(self, shown: Sequence[str], context: str, score: float) -> Observation:
        """Fold one session: it showed the distinct rules `shown` in `context` and scored `score`.

        Raises ValueError, with nothing folded, unless the score is in [0, 1].
        """
        if not 0.0 <= score <= 1.0:
            raise ValueError(f"score: {score!r} is not in [0, 1]")
        coordinates = [BASE, ("", context)] if context else [BASE]
        for rule in shown:
            coordinates.extend(self._effect(rule, context))
        rows = self._rows(coordinates)
        self._covariance[0, 0] += self.parameters.base_walk_sd**2
        prediction = float(self._mean[rows].sum())
        noise = self.noise(prediction)
        error = score - prediction
        variance = self._update(rows, error, noise)
        self._learn_dispersion(error * error / variance)
        alarm = self._bet_on_change(prediction, error)
        self.observations += 1
        if self.observations % self.parameters.decay_every == 0:
            self._forget(0.5 ** (self.parameters.decay_every / self.parameters.half_life), 1.0)
        return Observation(prediction, error, noise, alarm)

    def hint(self, rule: str, context: str, shown: bool) -> bool:
        """Take a person's or agent's word that `rule` would have prevented a mistake in `context`.

        A pseudo-observation of its effect: +0.10 when the rule was not shown, 0 when it was and did not
        prevent it. Returns whether it counted: only the first five per context and rule do.
        """
        given = self._hints.get((rule, context), 0)
        if given >= self.parameters.hint_limit:
            return False
        self._hints[rule, context] = given + 1
        rows = self._rows(self._effect(rule, context))
        value = 0.0 if shown else self.parameters.hint_effect
        self._update(rows, value - float(self._mean[rows].sum()), self.parameters.hint_sd**2)
        return True

    def set_prior(self, rule: str, prior: float) -> None:
        """Say what effect `rule` is believed to have, in [-1, 1], before any session is counted.

        May come late: a posterior mean is linear in the prior mean, so what was learned is kept.
        """
        if not -1.0 <= prior <= 1.0:
            raise ValueError(f"prior: {prior!r} is not in [-1, 1]")
        if not rule:
            raise ValueError("rule: the id is empty")
        shift = (prior - self.prior(rule)) / self.parameters.rule_sd**2
        self._priors[rule] = prior
        row = self._row.get((rule, ""))
        if row is not None:
            n = len(self._keys)
            self._prior_mean[row] = prior
            self._mean[:n] += self._covariance[:n, row] * shift
        elif (rule, "") in self._parked:
            parked = self._parked[rule, ""]
            self._parked[rule, ""] = parked._replace(mean=parked.mean + parked.variance * shift)

    def reset(self, rule: str) -> None:
        """Forget everything about `rule`, hints included, and return it to its prior (it was reworded)."""
        self._keep_rows([row for row, key in enumerate(self._keys) if key[0] != rule or not rule])
        family = [(rule, context) for context in ("", *self._contexts.pop(rule, ()))]
        for coordinate in family:
            self._parked.pop(coordinate, None)
            self._hints.pop(coordinate, None)

    def forget(self) -> None:
        """Forget most of what rules do, because the world changed (a new model, a large refactor).

        What the detector does by itself when it fires. Means of base and contexts stay.
        """
        self._alarm_wealth = [1.0] * len(self._alarm_wealth)
        self._forget(self.parameters.alarm_rule_weight, self.parameters.alarm_base_weight)

    def _update(self, rows: Rows, error: float, noise: float) -> float:
        """Condition on one observation of the sum of `rows` (Kalman 1960); return its predictive variance."""
        n = len(self._keys)
        gain = self._covariance[rows, :n].sum(axis=0)
        variance = noise + float(gain[rows].sum())
        self._mean[:n] += gain * (error / variance)
        gain /= math.sqrt(variance)
        for start in range(0, n, _BLOCK):
            block = slice(start, min(start + _BLOCK, n))
            self._covariance[block, :n] -= gain[block, None] * gain
        return variance

    def _learn_dispersion(self, ratio: float) -> None:
        """Move the dispersion towards what the squared standardised error `ratio` (expected 1) says."""
        rate = 1.0 / (50 + min(self.observations, 2000))
        low, high = self.parameters.dispersion_range
        self.dispersion = min(max(self.dispersion * (1 + (ratio - 1) * rate), low), high)

    def _bet_on_change(self, prediction: float, error: float) -> bool:
        """Bet that scores fall short of predictions (e-CUSUM, Shin, Ramdas & Rinaldo 2024); forget on alarm."""
        low, high = self.parameters.score_range
        shortfall = max(-error / (1.05 - min(max(prediction, low), high)), -1.0)
        self._alarm_wealth = [
            max(1.0, wealth) * (1 + bet * shortfall)
            for wealth, bet in zip(self._alarm_wealth, self.parameters.alarm_bets, strict=True)
        ]
        alarm = sum(self._alarm_wealth) >= self.parameters.alarm_level * len(self._alarm_wealth)
        if alarm:
            self.forget()
        return alarm

    def _forget(self, rule_weight: float, base_weight: float) -> None:
        """Shrink every deviation by its weight and refill the variance from the prior (W S W + (1-w^2) P)."""
        n = len(self._keys)
        weight = np.where(self._is_rule[:n], rule_weight, base_weight)
        pull = np.where(self._is_rule[:n], 1 - rule_weight, 0.0)
        self._mean[:n] += pull * (self._prior_mean[:n] - self._mean[:n])
        self._covariance[:n, :n] *= np.multiply.outer(weight, weight)
        self._covariance[np.arange(n), np.arange(n)] += (1 - weight**2) * self._prior_variance[:n]
        self._kept_rules += math.log(rule_weight)
        self._kept_contexts += math.log(base_weight)

    # --- coordinates -------------------------------------------------------------------------

    def _effect(self, rule: str, context: str) -> list[Coordinate]:
        if not rule:
            raise ValueError("rule: the id is empty")
        return [(rule, ""), (rule, context)] if context else [(rule, "")]

    def _prior_of(self, coordinate: Coordinate) -> tuple[float, float]:
        """Return the prior mean and variance of a coordinate."""
        rule, context = coordinate
        p = self.parameters
        if not rule:
            return (0.0, p.context_sd**2) if context else (p.base_mean, p.base_sd**2)
        return (0.0, p.pair_sd**2) if context else (self._priors.get(rule, 0.0), p.rule_sd**2)

    def _at(self, coordinate: Coordinate) -> tuple[float, float]:
        """Return the present mean and variance of any coordinate, without creating it."""
        row = self._row.get(coordinate)
        if row is not None:
            return float(self._mean[row]), float(self._covariance[row, row])
        mean, variance = self._prior_of(coordinate)
        parked = self._parked.get(coordinate)
        if parked is None:
            return mean, variance
        weight = self._weight(coordinate, parked)
        pull = weight if coordinate[0] else 1.0
        return mean + pull * (parked.mean - mean), variance + weight**2 * (parked.variance - variance)

    def _weight(self, coordinate: Coordinate, parked: _Parked) -> float:
        """Return the share of a parked deviation that all forgetting since then has left."""
        return math.exp((self._kept_rules if coordinate[0] else self._kept_contexts) - parked.kept)

    def _parked_covariance(self, rule: str, context: str) -> float:
        """Return the covariance of a parked rule with its parked context, 0 unless they left together."""
        pair, alone = self._parked.get((rule, context)), self._parked.get((rule, ""))
        if pair is None or alone is None or pair.ticket != alone.ticket:
            return 0.0
        return pair.covariance * self._weight((rule, context), pair) ** 2

    def _marginals(self, coordinates: Sequence[Coordinate]) -> tuple[Array, Array, Rows]:
        """Return mean, variance and row (-1: outside the joint covariance) of rules in one context, or alone."""
        known = self._row.get
        rows = np.fromiter((known(c, -1) for c in coordinates), np.intp, len(coordinates))
        mean = self._mean[rows]
        variance = self._covariance[rows, rows]
        absent = np.flatnonzero(rows < 0)
        if len(absent):
            context = coordinates[0][1]
            mean[absent] = 0.0
            variance[absent] = (self.parameters.pair_sd if context else self.parameters.rule_sd) ** 2
            if self._parked or self._priors:
                for index in absent.tolist():
                    coordinate = coordinates[index]
                    if coordinate in self._parked or (not context and coordinate[0] in self._priors):
                        mean[index], variance[index] = self._at(coordinate)
        return mean, variance, rows

    def _rows(self, coordinates: Sequence[Coordinate]) -> Rows:
        """Return the rows of coordinates, creating or recalling those that have none, a rule before its pairs."""
        absent = [coordinate for coordinate in coordinates if coordinate not in self._row]
        if len(self._keys) + len(absent) > self.parameters.cap:
            self._park(coordinates)
        tickets: dict[str, int] = {}
        for coordinate in absent:
            self._recall(coordinate, tickets)
        context = coordinates[-1][1]
        if context:
            self._recent.pop(context, None)
            self._recent[context] = None
        return np.array([self._row[coordinate] for coordinate in coordinates], np.intp)

    def _recall(self, coordinate: Coordinate, tickets: dict[str, int]) -> None:
        """Give a coordinate a row; `tickets` remembers the rules recalled together with it."""
        rule, context = coordinate
        row = len(self._keys)
        if row == len(self._mean):
            self._grow()
        self._prior_mean[row], self._prior_variance[row] = self._prior_of(coordinate)
        self._mean[row], variance = self._at(coordinate)
        self._covariance[row, :row] = 0.0
        self._covariance[:row, row] = 0.0
        self._covariance[row, row] = variance
        self._is_rule[row] = bool(rule)
        parked = self._parked.pop(coordinate, None)
        if parked is not None and rule and context and tickets.get(rule) == parked.ticket:
            covariance = parked.covariance * self._weight(coordinate, parked) ** 2
            self._covariance[row, self._row[rule, ""]] = covariance
            self._covariance[self._row[rule, ""], row] = covariance
        elif parked is not None and rule:
            tickets[rule] = parked.ticket
        self._row[coordinate] = row
        self._keys.append(coordinate)
        if rule:
            self._contexts.setdefault(rule, set()).update([context] if context else [])

    def _park(self, needed: Collection[Coordinate]) -> None:
        """Take the least promising rules, and contexts long unused, out of the joint covariance.

        Each keeps mean and variance, and the covariance between a rule and its own contexts, and
        goes on decaying; its covariances with the rest are lost.
        """
        leaving = self._least_promising(needed)
        self._tickets += 1
        for row in leaving:
            rule, context = self._keys[row]
            own = self._row[rule, ""] if rule else row
            self._parked[rule, context] = _Parked(
                mean=float(self._mean[row]),
                variance=float(self._covariance[row, row]),
                covariance=float(self._covariance[row, own]) if own in leaving else 0.0,
                kept=self._kept_rules if rule else self._kept_contexts,
                ticket=self._tickets,
            )
        self._keep_rows([row for row in range(len(self._keys)) if row not in leaving])

    def _least_promising(self, needed: Collection[Coordinate]) -> set[int]:
        """Choose the rows to park: old contexts first, then rules by the upper end of their effect."""
        recent = [*self._recent][-self.parameters.context_limit :]
        kept_contexts = {"", *recent, *(context for _, context in needed)}
        leaving = {row for row, (_, context) in enumerate(self._keys) if context not in kept_contexts}
        families: dict[str, list[int]] = {}
        for row, (rule, _) in enumerate(self._keys):
            if rule and row not in leaving:
                families.setdefault(rule, []).append(row)
        for rule, _ in needed:
            families.pop(rule, None)
        quota = self.parameters.parked_share * self.parameters.cap
        for rule in sorted(families, key=lambda rule: self._promise(families[rule])):
            if len(leaving) >= quota:
                break
            leaving.update(families[rule])
        return leaving

    def _promise(self, family: Sequence[int]) -> float:
        """Return one standard deviation above the mean effect of a rule, in its most promising context."""
        alone, *pairs = family
        mean, variance = self._mean, self._covariance
        bounds = [mean[alone] + math.sqrt(max(variance[alone, alone], 0.0))]
        for pair in pairs:
            spread = variance[alone, alone] + variance[pair, pair] + 2 * variance[alone, pair]
            bounds.append(mean[alone] + mean[pair] + math.sqrt(max(spread, 0.0)))
        return float(max(bounds))

    def _keep_rows(self, rows: Sequence[int]) -> None:
        """Drop every row that is not listed: its coordinate is marginalised out."""
        n = len(rows)
        if n == len(self._keys):
            return
        keep = np.array(rows, np.intp)
        for column in (self._mean, self._prior_mean, self._prior_variance):
            column[:n] = column[keep]
        self._is_rule[:n] = self._is_rule[keep]
        self._covariance[:n, :n] = self._covariance[np.ix_(keep, keep)]
        self._keys = [self._keys[row] for row in rows]
        self._row = {coordinate: row for row, coordinate in enumerate(self._keys)}

    def _grow(self) -> None:
        """Double the room for rows, up to the cap and past it only if that is full."""
        n = len(self._keys)
        capacity = max(_BLOCK, 2 * n)
        if n < self.parameters.cap < capacity:
            capacity = self.parameters.cap
        more = capacity - n
        self._mean = np.pad(self._mean, (0, more))
        self._prior_mean = np.pad(self._prior_mean, (0, more))
        self._prior_variance = np.pad(self._prior_variance, (0, more))
        self._is_rule = np.pad(self._is_rule, (0, more))
        self._covariance = np.pad(self._covariance, (0, more))

    # --- saving ------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Any], list[Array]]:
        """Return everything as a JSON-ready dictionary and the arrays that belong to it.

        The arrays are the mean (n), the lower triangle of the covariance by rows (n(n+1)/2), and one
        row of five numbers per parked coordinate.
        """
        n = len(self._keys)
        header = {
            "observations": self.observations,
            "dispersion": self.dispersion,
            "alarm": self._alarm_wealth,
            "priors": list(self._priors.items()),
            "hints": [[rule, context, count] for (rule, context), count in self._hints.items()],
            "recent": list(self._recent),
            "kept": [self._kept_rules, self._kept_contexts],
            "tickets": self._tickets,
            "keys": self._keys,
            "parked": list(self._parked),
        }
        parked = np.array(list(self._parked.values()), np.float64).reshape(len(self._parked), 5)
        return header, [self._mean[:n].copy(), self._covariance[:n, :n][np.tril_indices(n)], parked]

    @classmethod
    def restore(cls, parameters: Parameters, header: Mapping[str, Any], arrays: Iterable[Array]) -> Posterior:
        """Rebuild a posterior from `state`; KeyError, TypeError or ValueError when that is not one."""
        posterior = cls(parameters)
        mean, triangle, parked = arrays
        posterior.observations = int(header["observations"])
        posterior.dispersion = float(header["dispersion"])
        posterior._alarm_wealth = [float(wealth) for wealth in header["alarm"]]
        posterior._priors = {str(rule): float(prior) for rule, prior in header["priors"]}
        posterior._hints = {(str(rule), str(context)): int(n) for rule, context, n in header["hints"]}
        posterior._kept_rules, posterior._kept_contexts = (float(kept) for kept in header["kept"])
        posterior._rows([(str(rule), str(context)) for rule, context in header["keys"]])
        posterior._recent = {str(context): None for context in header["recent"]}
        posterior._tickets = int(header["tickets"])
        posterior._fill(mean, triangle)
        for (rule, context), values in zip(header["parked"], parked.reshape(-1, 5), strict=True):
            mean_then, variance, covariance, kept, ticket = (float(value) for value in values)
            posterior._parked[rule, context] = _Parked(mean_then, variance, covariance, kept, int(ticket))
            if rule:
                posterior._contexts.setdefault(rule, set()).update([context] if context else [])
        return posterior

    def _fill(self, mean: Array, triangle: Array) -> None:
        """Overwrite mean and covariance of the present rows."""
        n = len(self._keys)
        self._mean[:n] = mean.reshape(n)
        lower = np.tril_indices(n)
        self._covariance[lower] = triangle.reshape(len(lower[0]))
        self._covariance[lower[::-1]] = self._covariance[lower]
