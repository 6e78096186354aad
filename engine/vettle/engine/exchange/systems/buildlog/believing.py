"""What buildlog's bandit believed about a rule, as a believed effect on the score that steers and proves nothing.

Its credit was not causal: every selected rule got the same reward, and none was known to be shown. So little
is made of it. With n_c observations of the rule in context c, their rewards r and the context's mean m_c over all
rules, the believed effect is sum_c sum(r - m_c) / (sum_c n_c + 20): the mean difference from the other rules of
the same contexts, shrunken as if 20 more observations had shown no difference, and cut at 0.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Annotated, Any

from pydantic import Field

from vettle.engine.exchange.checking import Row, checked
from vettle.engine.exchange.facts import Place, Reading

STRENGTH = 20
MOST = 0.1

_Count = Annotated[float, Field(strict=True, gt=0, le=1e12, allow_inf_nan=False)]


class _Arm(Row):
    context: str
    rule_id: str
    alpha: _Count
    beta: _Count
    is_seed: bool = False
    updated_at: str | None = ""


def effects(
    reading: Reading,
    rows: list[tuple[Place, dict[str, Any]]],
    known: Collection[str],
    tail: Callable[[str], str],
) -> dict[str, float]:
    """Return the believed effects of the known rules by the end of their ids, from the newest row of each arm.

    `tail` gives the end of an id. A row that is no posterior is left out of the reading.
    """
    newest: dict[tuple[str, str], _Arm] = {}
    for place, row in rows:
        arm = checked(reading, _Arm, place, row)
        if arm is None:
            continue
        before = newest.get((arm.context, arm.rule_id))
        if before is None or (arm.updated_at or "") >= (before.updated_at or ""):
            newest[arm.context, arm.rule_id] = arm
    if not newest:
        return {}
    found = {rule: effect for rule, effect in _effects(newest.values(), tail).items() if rule in known}
    reading.notes.append(
        f"The bandit's posteriors ({len(newest)}, the newest row of each) became believed effects of rules "
        f"({len(found)}), within {MOST}: they steer what is tried first and prove nothing, because their credit "
        "was not causal."
    )
    return found


def _effects(arms: Collection[_Arm], tail: Callable[[str], str]) -> dict[str, float]:
    contexts: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for arm in arms:
        successes, number = _observed(arm)
        contexts[arm.context][0] += successes
        contexts[arm.context][1] += number
    differences: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for arm in arms:
        successes, number = _observed(arm)
        total, size = contexts[arm.context]
        if number:
            differences[tail(arm.rule_id)][0] += successes - number * total / size
            differences[tail(arm.rule_id)][1] += number
    return {
        rule: max(-MOST, min(MOST, difference / (number + STRENGTH)))
        for rule, (difference, number) in differences.items()
    }


def _observed(arm: _Arm) -> tuple[float, float]:
    """Return the rewards and the number of observations in a posterior, without its prior (a seed's was 3, 1)."""
    successes = max(arm.alpha - (3.0 if arm.is_seed else 1.0), 0.0)
    return successes, successes + max(arm.beta - 1.0, 0.0)
