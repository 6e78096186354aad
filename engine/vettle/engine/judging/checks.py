"""Whether the data of an experiment can be trusted, each check as one sentence for a tired person.

A check that fails and is `fatal` withholds the verdict; the others are said beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from vettle.engine.judging.betting import e_value
from vettle.engine.judging.proportions import same_proportion_e
from vettle.engine.wording import equation

SPLIT_ALARM = 1000.0
"""The e-value at which the split of runs over arms is called wrong."""

SPLIT_CONCENTRATION = 100.0
"""How closely the alternative to the planned split is concentrated around it, in runs (k)."""

MISSING_ALARM = 100.0
"""The e-value at which missing outcomes are said to depend on the arm."""

OUTLIER_DISTANCE = 8.0
"""Median absolute deviations from the median beyond which a value is counted as an outlier."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: A word for programs.
        ok: Whether nothing is wrong.
        detail: A sentence for people, also when nothing is wrong.
        fatal: Whether a verdict has to be withheld while this is not ok.
    """

    name: str
    ok: bool
    detail: str
    fatal: bool = False


def split_e(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the e-value against "each run goes to an arm with the planned probability".

    E = B(k p + counts) / B(k p) / prod p^counts with k = 100, a Dirichlet-multinomial alternative
    (Lindon & Malek 2022, eq. 6). It depends on the counts only and may be read after every run;
    shares are scaled to one. ValueError unless all are positive and there is one per count.
    """
    if len(counts) != len(shares) or len(counts) < 2 or min(shares) <= 0 or min(counts) < 0:
        raise ValueError(f"counts {list(counts)!r} do not fit the planned shares {list(shares)!r}")
    total = sum(shares)
    log_e = math.lgamma(SPLIT_CONCENTRATION) - math.lgamma(SPLIT_CONCENTRATION + sum(counts))
    for count, share in zip(counts, shares, strict=True):
        weight = SPLIT_CONCENTRATION * share / total
        log_e += math.lgamma(weight + count) - math.lgamma(weight) - count * math.log(share / total)
    return e_value(log_e)


def sample_ratio(counts: Mapping[str, int], shares: Mapping[str, float] | None = None) -> Check:
    """Check that runs are split over arms as planned (equally if no shares are given).

    False alarms: at most 1 in 1,000 experiments, at all looks together. It is for runs assigned by
    independent draws; blocks are balanced by construction and need no such check.
    """
    planned = [1.0 if shares is None else shares[name] for name in counts]
    e = split_e(list(counts.values()), planned)
    total = sum(counts.values())
    got = ", ".join(
        f"{name!r} got {count} (planned {total * share / sum(planned):.0f})"
        for (name, count), share in zip(counts.items(), planned, strict=True)
    )
    if e < SPLIT_ALARM:
        return Check("sample_ratio", True, f"the {total} runs are split as planned: {got}", fatal=True)
    words = f"the {total} runs are not split as planned: {got}; {equation(e)}. Find out what loses runs"
    return Check("sample_ratio", False, f"{words} before you believe any result", fatal=True)


def missing_outcomes(missing: Mapping[str, int], started: Mapping[str, int]) -> Check:
    """Check that runs without an outcome do not depend on the arm; what is left would be a biased sample.

    `proportions.same_proportion_e` at 100: false alarms in at most 1 of 100 experiments, at all looks.
    """
    names = list(started)
    lost, total = [missing.get(name, 0) for name in names], [started[name] for name in names]
    counts = ", ".join(f"{name!r} {a} of {b}" for name, a, b in zip(names, lost, total, strict=True))
    e = same_proportion_e(lost, total)
    if not any(lost):
        return Check("missing_outcomes", True, "no outcome is missing", fatal=True)
    if e < MISSING_ALARM:
        words = f"outcomes are missing, with no sign that it depends on the arm: {counts}"
        return Check("missing_outcomes", True, words, fatal=True)
    words = f"whether an outcome is missing depends on the arm: {counts} ({equation(e)}). Find the lost runs"
    return Check("missing_outcomes", False, f"{words}, or count them as failed", fatal=True)


def not_finite(values: Mapping[str, Sequence[float | None]]) -> Check:
    """Check that every value is a finite number, and name up to five of those that are not, by arm and row.

    None is a missing outcome, not a wrong one; rows count from 0.
    """
    bad = [
        f"{name!r} row {row} is {value!r}"
        for name, column in values.items()
        for row, value in enumerate(column)
        if value is not None and not math.isfinite(value)
    ]
    if not bad:
        return Check("not_finite", True, "every value is a finite number")
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    words = f"{len(bad)} values are not finite numbers and count as missing: {'; '.join(bad[:5])}{more}"
    return Check("not_finite", False, words)


def outliers(values: Mapping[str, Sequence[float]]) -> Check:
    """Count the values further than 8 median absolute deviations from the median of their arm; none is dropped.

    The median absolute deviation is the robust scale of Hampel (1974). An arm of which more than half
    is one and the same value has none, and is not looked at.
    """
    found = {name: _outliers(column) for name, column in values.items()}
    if not any(found.values()):
        return Check("outliers", True, "no value is further than 8 median deviations from its median")
    counts = ", ".join(f"{name!r} {count}" for name, count in found.items() if count)
    words = f"values far from the rest ({counts}) were kept; they widen every interval. Look at these runs,"
    return Check(
        "outliers", False, f"{words} and declare a range or take logarithms before the next experiment"
    )


def _outliers(values: Sequence[float]) -> int:
    if not values:
        return 0
    middle = median(values)
    deviation = median(abs(value - middle) for value in values)
    if deviation == 0:
        return 0
    return sum(abs(value - middle) > OUTLIER_DISTANCE * deviation for value in values)


def spread(values: Mapping[str, Sequence[float]]) -> Check:
    """Check that the arms vary, and say which never do; constant arms get an exact argument instead."""
    constant = [
        f"{name!r} is always {column[0]:g}" for name, column in values.items() if column and _same(column)
    ]
    if not constant:
        return Check("spread", True, "every arm varies")
    return Check("spread", False, f"no spread: {', '.join(constant)}; is the metric what you think it is?")


def _same(values: Sequence[float]) -> bool:
    return min(values) == max(values)


def ties(averages: Mapping[str, float]) -> Check:
    """Check that one average is the highest, and name those that share it; nobody is picked among them."""
    best = max(averages.values(), default=math.nan)
    level = [name for name, average in averages.items() if average == best]
    if len(level) < 2:
        return Check("ties", True, "no two arms share the highest average")
    return Check("ties", False, f"{len(level)} arms share the highest average {best:g}: {level!r}")
