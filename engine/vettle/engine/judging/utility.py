"""From what a run measured to one utility in [0, 1], higher is better: everything is declared before.

A metric says which direction is better and what range counts; several metrics become one utility by
declared weights, and what a missing metric or a failed run counts as is declared too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["higher", "lower"]
Kind = Literal["binary", "continuous", "count", "duration"]
MissingPolicy = Literal["worst", "skip_run", "renormalise"]
FailurePolicy = Literal["worst", "rerun_block"]

LOW_NOISE = 0.1
"""The spread, as a share of the range, below which the t-mixture decides faster than bets."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What one number of a run means; ValueError if the declaration contradicts itself.

    Attributes:
        name: Any text, kept as it is.
        direction: Which direction is better; there is no default.
        kind: Binary values are 0 and 1; counts and durations are at least 0.
        low: The value at one end of the range, None if unbounded (0 for binary metrics).
        high: The value at the other end, above `low`, None if unbounded (1 for binary metrics).
        minimum_effect: The smallest difference worth finding, in the unit of the metric; None if not declared.
        unit: Such as "ms"; for people only.
        weight: The share in a utility of several metrics, at least 0; weights are scaled to one.
    """

    name: str
    direction: Direction
    kind: Kind = "continuous"
    low: float | None = None
    high: float | None = None
    minimum_effect: float | None = None
    unit: str = ""
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.direction not in ("higher", "lower"):
            raise ValueError(
                f"{self.name!r}: say whether 'higher' or 'lower' is better, not {self.direction!r}"
            )
        if self.kind == "binary" and (self.low, self.high) == (None, None):
            object.__setattr__(self, "low", 0.0)
            object.__setattr__(self, "high", 1.0)
        numbers = (self.low, self.high, self.minimum_effect, self.weight)
        if any(number is not None and not math.isfinite(number) for number in numbers):
            raise ValueError(f"{self.name!r}: a range, a minimum effect and a weight are finite numbers")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"{self.name!r}: the range {self.low!r} to {self.high!r} is empty")
        if self.minimum_effect is not None and self.minimum_effect <= 0:
            raise ValueError(f"{self.name!r}: a minimum effect is above 0, not {self.minimum_effect!r}")
        if self.weight < 0:
            raise ValueError(f"{self.name!r}: a weight is at least 0, not {self.weight!r}")

    @property
    def bounded(self) -> bool:
        """Whether a range is declared, without which there is no utility."""
        return self.low is not None and self.high is not None

    def utility(self, value: float) -> Utility:
        """Scale a value to [0, 1], flipped if lower is better: (x - low)/(high - low), clipped and counted.

        ValueError for an unbounded metric, a value that is not finite, and a binary one that is not 0 or 1.
        """
        self._check(value)
        if self.low is None or self.high is None:
            raise ValueError(f"{self.name!r} has no declared range; race it by `score` with the t-mixture")
        share = (value - self.low) / (self.high - self.low)
        inside = min(max(share, 0.0), 1.0)
        return Utility(inside if self.direction == "higher" else 1 - inside, clipped=int(inside != share))

    def score(self, value: float) -> float:
        """Return the value with its sign turned if lower is better, unscaled: for the t-mixture."""
        self._check(value)
        return float(value) if self.direction == "higher" else -float(value)

    def minimum_utility(self) -> float | None:
        """Return the minimum effect as a difference of utilities; None if it or the range is not declared."""
        if self.minimum_effect is None or self.low is None or self.high is None:
            return None
        return self.minimum_effect / (self.high - self.low)

    def _check(self, value: float) -> None:
        if not math.isfinite(value):
            raise ValueError(f"{self.name!r} is {value!r}, which is not a finite number")
        if self.kind == "binary" and value not in (self.low, self.high):
            raise ValueError(f"{self.name!r} is binary, {self.low:g} or {self.high:g}, not {value!r}")
        if self.kind in ("count", "duration") and value < 0:
            raise ValueError(f"{self.name!r} is a {self.kind} and cannot be {value!r}")


@dataclass(frozen=True, slots=True)
class Utility:
    """The utility of one run.

    Attributes:
        value: In [0, 1], higher is better; None if the run is to be skipped or its block run again.
        clipped: How many of its metrics were outside their declared range and counted as its end.
        missing: Names of its metrics without a value.
        note: What was done about them, or "".
    """

    value: float | None
    clipped: int = 0
    missing: tuple[str, ...] = ()
    note: str = ""


def combine(
    metrics: Sequence[Metric],
    values: Mapping[str, float | None],
    *,
    missing: MissingPolicy = "worst",
    failed: bool = False,
    failure: FailurePolicy = "worst",
) -> Utility:
    """Return the weighted mean of the utilities of a run's metrics, sum of w_j u_j over sum of w_j.

    A failed run counts as the worst utility, 0, or asks for its whole block again; it is never dropped
    alone. A missing metric counts as its worst (`worst`), makes the run missing (`skip_run`, which the
    check of missing outcomes watches), or leaves its weight to the others (`renormalise`; without any
    metric of positive weight the run is missing). Values of other names are not looked at.
    """
    if not metrics or sum(metric.weight for metric in metrics) <= 0:
        raise ValueError("a utility takes at least one metric with a weight above 0")
    if len({metric.name for metric in metrics}) < len(metrics):
        raise ValueError("two metrics of a utility have the same name")
    if failed:
        return _failed(failure)
    absent = tuple(metric.name for metric in metrics if values.get(metric.name) is None)
    if absent and missing == "skip_run":
        return Utility(None, missing=absent, note="the run was left out because a metric is missing")
    found = {m.name: m.utility(value) for m in metrics if (value := values.get(m.name)) is not None}
    counted = [metric for metric in metrics if metric.name in found or missing == "worst"]
    weight = sum(metric.weight for metric in counted)
    if weight <= 0:
        return Utility(None, missing=absent, note="the run was left out because no metric is there")
    total = sum(m.weight * (found[m.name].value or 0.0) for m in counted if m.name in found)
    words = {"worst": "a missing metric counts as its worst", "renormalise": "the other metrics decide alone"}
    clipped = sum(utility.clipped for utility in found.values())
    return Utility(total / weight, clipped, absent, words[missing] if absent else "")


def _failed(failure: FailurePolicy) -> Utility:
    if failure == "worst":
        return Utility(0.0, note="a failed run counts as the worst")
    return Utility(None, note="a run failed: run the whole block again")


def method_for(metric: Metric, standard_deviation: float | None = None) -> Literal["betting", "mixture"]:
    """Return which race suits a metric: bets if it is bounded and its spread at least a tenth of its range.

    The spread has to come from before the experiment; without one a bounded metric is bet on, which is
    valid whatever the spread.
    """
    if metric.low is None or metric.high is None:
        return "mixture"
    if standard_deviation is None or standard_deviation >= LOW_NOISE * (metric.high - metric.low):
        return "betting"
    return "mixture"
