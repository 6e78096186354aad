"""What is summarised of an experiment's runs: the deciding metric in its own unit, or any other recorded one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal

from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.evidence import Scored
from vettle.engine.experiments.verdicts import Verdict
from vettle.engine.store.runs import Run

RESOURCES = ("duration_ms", "tokens_in", "tokens_out", "cost")
"""What every run can say of its price; lower is better."""

SUCCESS = "success"
"""What every run says of its end: 1 if it was completed, 0 if it failed or ran out of time."""


@dataclass(frozen=True, slots=True)
class Value:
    """One run with its number in the metric's own unit, None if it has none."""

    scored: Scored
    value: float | None


@dataclass(slots=True)
class Measure:
    """A metric that is summarised: `scale` units are one utility, and all values lie in `low` to `high`.

    `bounds` are in the metric's unit, and `None` where there is no range.
    """

    name: str
    direction: Literal["higher", "lower", "unknown"]
    unit: str
    bounds: tuple[float, float] | None
    binary: bool
    exploratory: bool
    values: list[Value] = field(default_factory=list)

    @property
    def sign(self) -> int:
        """1 where higher is better or nothing is known, else -1."""
        return -1 if self.direction == "lower" else 1


def measured(verdict: Verdict, name: str) -> Measure:
    """Return the deciding metric, or another recorded one; raises InvalidArgument naming those that were."""
    if name in ("", verdict.design.metric.name):
        return deciding(verdict)
    require_recorded(recorded_of(one.run for one in verdict.evidence.scored), name)
    measure = as_recorded(verdict.design, name)
    measure.values = [Value(one, raw(one.run, name)) for one in verdict.evidence.scored]
    return measure


def as_recorded(design: Design, name: str) -> Measure:
    """Return any metric as it was recorded, exploratory and without values."""
    declared = next((one for one in (*design.metrics, *design.guards) if one.name == name), None)
    known = declared.direction if declared else "lower" if name in RESOURCES else "unknown"
    return Measure(
        name=name,
        direction=known,
        unit=declared.unit if declared else "",
        bounds=None,
        binary=declared is not None and declared.kind == "binary",
        exploratory=True,
    )


def recorded_of(runs: Iterable[Run]) -> set[str]:
    """Return the names of all metrics that the runs recorded, with what they said of their price."""
    found: set[str] = set()
    for run in runs:
        found.update(run.metrics)
        found.update(key for key in RESOURCES if run.data.get(key))
    return found


def require_recorded(recorded: AbstractSet[str], name: str) -> None:
    """Raise InvalidArgument if this metric is not among the recorded ones, naming those."""
    if name not in recorded:
        names = ", ".join([repr(one[:80]) for one in sorted(recorded)][:20]) or "none yet"
        raise InvalidArgument("metric", f"no run has recorded {name[:80]!r}", f"Recorded: {names}")


def raw(run: Run, name: str) -> float | None:
    """Return a metric as it was recorded, of a completed run; a duration, token or cost of 0 is not known."""
    if run.status != "completed":
        return None
    if name in run.metrics:
        return run.metrics[name]
    return (float(run.data.get(name, 0)) or None) if name in RESOURCES else None


def deciding(verdict: Verdict) -> Measure:
    """Return what decides, as the verdict counts it (failures as the worst), in the metric's own unit."""
    measure = as_judged(verdict.design)
    measure.values = [Value(one, in_unit(measure, one.utility)) for one in verdict.evidence.scored]
    return measure


def as_judged(design: Design) -> Measure:
    """Return what decides in a design, without values."""
    composed = bool(design.metric.components)
    first = design.metrics[0]
    bounds: tuple[float, float] | None = (0.0, 1.0) if composed else None
    if not composed and first.low is not None and first.high is not None:
        bounds = (first.low, first.high)
    return Measure(
        name=design.metric.name,
        direction="higher" if composed else first.direction,
        unit="utility" if composed else first.unit,
        bounds=bounds,
        binary=design.is_binary,
        exploratory=False,
    )


def in_unit(measure: Measure, utility: float | None) -> float | None:
    """Return a utility in the metric's own unit."""
    if utility is None:
        return None
    if measure.bounds is None:
        return measure.sign * utility
    low, high = measure.bounds
    return low + utility * (high - low) if measure.sign > 0 else high - utility * (high - low)


def mean_of(values: Sequence[float]) -> float | None:
    """Return the mean of what was measured; 0 means that it was not."""
    known = [value for value in values if value > 0]
    return rounded(sum(known) / len(known)) if known else None


def rounded(value: float) -> float:
    """Keep six significant digits, which is more than any run is worth."""
    return float(f"{value:.6g}")
