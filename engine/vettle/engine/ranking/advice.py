"""What to do about a value in a context: demote it, look why it got worse, try a cheaper one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vettle.engine.judging.degradation import BETS, Degradation
from vettle.engine.policies.demotion import Levels, Standing, standing
from vettle.engine.policies.options import Option
from vettle.engine.ranking.outcomes import Outcome

REFERENCE = 50
"""Results that a value's later ones are compared with, to tell whether it got worse."""

OVER = 3
"""Ratings "over" before a cheaper value is advised, if they are also more than half of all."""


class Demotion(NamedTuple):
    """Where a value stands after all of its outcomes, and how often it was demoted on the way."""

    now: Standing
    times: int


def demotion(rows: Sequence[Outcome], levels: Levels | None = None) -> Demotion:
    """Check after every outcome of one value in one context whether its success rate demotes it, by two levels."""
    levels = levels if levels is not None else Levels()
    n, total, demoted, times = 0, 0.0, False, 0
    for row in rows:
        n += row.weight
        total += row.weight * row.success
        # With the prior Beta(1, 1), P(rate < threshold) is at most 1/2 here: nothing can change.
        if not demoted and levels.threshold <= 0.5 and 2 * total >= n:
            continue
        before, demoted = demoted, _standing(n, total, demoted, levels).demoted
        times += demoted and not before
    return Demotion(_standing(n, total, demoted, levels), times)


def _standing(n: int, total: float, demoted: bool, levels: Levels) -> Standing:
    mean = min(total / n, 1.0) if n else 0.0
    return standing(Option("value", n=n, mean=mean), demoted=demoted, levels=levels)


def degraded(rows: Sequence[Outcome]) -> bool:
    """Tell whether the alarm rings now that one value got worse than it was in its first results.

    The reference is the mean of the first `REFERENCE`, less a standard error (Agresti & Coull 1998), for it
    is not known exactly; too few results never ring.
    """
    first, later = rows[:REFERENCE], rows[REFERENCE:]
    if not later:
        return False
    mean = (sum(row.reward for row in first) + 2) / (REFERENCE + 4)
    reference = Degradation(max(mean - math.sqrt(mean * (1 - mean) / (REFERENCE + 4)), 0.0)).reference
    stakes = np.maximum((reference - np.array([row.reward for row in later])) / (1 - reference), -1.0)
    # What `Degradation.add` leaves after all of them: the largest sum over the last results, however many.
    logs = [float(np.cumsum(np.log1p(bet * stakes)[::-1]).max()) for bet in BETS]
    return Degradation(reference, logs).ringing


def words(
    value: str, rows: Sequence[Outcome], demoted: Standing, costs: Mapping[str, float | None]
) -> list[str]:
    """Say what to do about a value and why; `costs` are mean costs of a run of the values that are not demoted."""
    levels, said = Levels(), []
    if demoted.demoted:
        said.append(
            f"Demote it here: {demoted.reason}. It comes back when that is at most {levels.promote:g}, "
            "by better results or when the failures leave the period."
        )
    elif rows and sum(row.weight for row in rows) < levels.minimum:
        said.append(
            f"Too early to tell from {len(rows)}: {levels.minimum:g} results are the least to demote."
        )
    if degraded(rows):
        said.append(
            f"It got worse than in its first {REFERENCE} results here: see what changed before relying on it."
        )
    return said + _cheaper(value, rows, costs)


def _cheaper(value: str, rows: Sequence[Outcome], costs: Mapping[str, float | None]) -> list[str]:
    """Advise a cheaper value when people mostly say that this one is more than is needed."""
    ratings = Counter(row.rating for row in rows if row.rating)
    if ratings["over"] < OVER or 2 * ratings["over"] <= ratings.total():
        return []
    said = f"{ratings['over']} of {ratings.total()} ratings say that it is more than is needed: a cheaper one may do"
    own = costs.get(value)
    cheaper = [(cost, name) for name, cost in costs.items() if cost is not None and own and cost < own]
    if not cheaper or not own:
        return [f"{said}."]
    cost, name = min(cheaper)
    return [f"{said}, such as {name} at {cost:.3g} a run instead of {own:.3g}."]
