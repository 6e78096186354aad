"""Which rules a session is given: Thompson sampling on net value, and coins that withhold some.

Everything random comes from one generator per session, drawn in a fixed order, so that a decision
replays bit for bit from its seed and the posterior it saw:

1. one uniform for the whole-session holdout,
2. one standard normal per offered candidate, in the order given,
3. one uniform per slate entry, in slate order.

All of them are drawn whether or not they matter.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vettle.engine.posterior import POLICY, Array, Posterior
from vettle.engine.records import Decision, SlateEntry


@dataclass(frozen=True)
class Preferences:
    """Hold what a project may choose about selection.

    Attributes:
        minimum_effect: Effect on the session score below which a rule is not worth showing.
        price: Score that one token of rule text costs, subtracted from a rule's effect.
        holdout: Share of sessions that show no rule at all; each 5 % costs 5 % of the benefit.
    """

    minimum_effect: float = 0.02
    price: float = 0.0
    holdout: float = 0.0


@dataclass(frozen=True)
class Candidates:
    """List the rules that could be given to a session, most relevant first.

    Ids are distinct. `tokens` is what showing a rule costs a reader (missing: 0). Every pinned rule in
    the list is put on the slate, on top of the k, up to `MOST_PINNED`; the others of them compete.
    """

    rules: Sequence[str]
    tokens: Mapping[str, int] = field(default_factory=dict)
    proven: Collection[str] = frozenset()
    pinned: Collection[str] = frozenset()


WITHHELD_ON_TRIAL = 0.2
"""Chance that the coin withholds a promising rule that is not proven yet."""

WITHHELD_WHEN_PROVEN = 0.02
"""The same once it is proven, or a person insists: enough to notice if it stops working."""

MOST_PINNED = 10
"""Pinned rules that are put on a slate without competing."""

EXPLORATION = 0.5
"""Standard deviations of belief per standard deviation of draw: less noise than Thompson 1933, less regret."""


def generator(seed: int, session_id: str) -> np.random.Generator:
    """Return the random generator of one session: equal seed and session, equal draws on any machine.

    numpy may change its streams in a new release (NEP 19); a test pins them.
    """
    digest = hashlib.sha256(f"{seed}|{session_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def widening(sessions: int) -> int:
    """Return how many candidates are offered after `sessions` sessions: max(100, ceil(8 sqrt(t + 1))).

    Progressive widening (Coulom 2007): a big pool cannot be explored faster than evidence arrives.
    """
    return max(100, math.ceil(8 * math.sqrt(sessions + 1)))


def choose(
    posterior: Posterior,
    candidates: Candidates,
    context: str,
    *,
    k: int,
    seed: int,
    session_id: str,
    folded: int = 0,
    preferences: Preferences | None = None,
) -> Decision:
    """Decide which rules a session in `context` is given, and flip their coins.

    At most `k` rules of positive drawn net value, best first, after the pinned ones; fewer when the
    rest are not believed to help. Each is shown with its recorded propensity, independently: 0.98 when
    proven or pinned, 0.8 when promising (mean at least one standard deviation above zero), else 1. A
    holdout shows nothing; its propensities are those of the coins, and it must not count as evidence.

    Raises ValueError for a negative k or a rule listed twice.
    """
    if k < 0:
        raise ValueError(f"k: {k} is negative")
    if len(set(candidates.rules)) != len(candidates.rules):
        raise ValueError("candidates: a rule is listed twice")
    preferences = preferences if preferences is not None else Preferences()
    draws = generator(seed, session_id)
    holdout = bool(draws.random() < preferences.holdout)
    offered = list(candidates.rules[: widening(posterior.observations)])
    forced = _forced(candidates)
    means, deviations = posterior.effects(offered, context)
    value = means + EXPLORATION * deviations * draws.standard_normal(len(offered))
    chosen = forced + _best(offered, value - _cost(offered, candidates, preferences), k, forced)
    propensities = 1.0 - _withheld(posterior, chosen, context, candidates)
    lands = draws.random(len(chosen)) < propensities
    return Decision(
        policy=POLICY,
        seed=seed,
        folded=folded,
        k=k,
        pool=len(candidates.rules),
        offered=len(offered),
        holdout=holdout,
        slate=tuple(
            SlateEntry(rule=rule, propensity=propensity, shown=shown and not holdout)
            for rule, propensity, shown in zip(chosen, propensities.tolist(), lands.tolist(), strict=True)
        ),
    )


def _forced(candidates: Candidates) -> list[str]:
    """Return the pinned candidates that need not compete, most relevant first."""
    if not candidates.pinned:
        return []
    return [rule for rule in candidates.rules if rule in candidates.pinned][:MOST_PINNED]


def _cost(offered: Sequence[str], candidates: Candidates, preferences: Preferences) -> Array | float:
    """Return what showing each rule has to earn back, in units of the score."""
    if not preferences.price or not candidates.tokens:
        return preferences.minimum_effect
    tokens = np.array([candidates.tokens.get(rule, 0) for rule in offered], np.float64)
    return preferences.minimum_effect + preferences.price * tokens


def _best(offered: Sequence[str], net: Array, k: int, forced: Collection[str]) -> list[str]:
    """Return the k offered rules of largest positive net value; ties go to the more relevant one."""
    best: list[str] = []
    for index in np.argsort(-net, kind="stable").tolist():
        if len(best) == k or net[index] <= 0:
            break
        if offered[index] not in forced:
            best.append(offered[index])
    return best


def _withheld(posterior: Posterior, chosen: Sequence[str], context: str, candidates: Candidates) -> Array:
    """Return the chance that each chosen rule is withheld."""
    means, deviations = posterior.effects(chosen, context)
    chances = np.where(means >= deviations, WITHHELD_ON_TRIAL, 0.0)
    for index, rule in enumerate(chosen):
        if rule in candidates.proven or rule in candidates.pinned:
            chances[index] = WITHHELD_WHEN_PROVEN
    return chances
