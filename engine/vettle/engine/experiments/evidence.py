"""What an experiment's runs say, before anybody judges: utilities, complete blocks, and what does not count."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from vettle.engine.experiments.design import Design
from vettle.engine.judging.utility import Metric, combine
from vettle.engine.records import RunStatus
from vettle.engine.store import Transaction, assignments, runs
from vettle.engine.store.assignments import NO_BLOCK, Assignment
from vettle.engine.store.runs import Run

WORST: tuple[RunStatus, ...] = ("failed", "timeout")
"""Statuses that count as the worst result: the variant was asked, and it did not deliver."""

LOST: tuple[RunStatus, ...] = ("infrastructure", "cancelled")
"""Statuses that count as no result: it was not the variant's fault."""

BLOCKS = "blocks"
"""The policy whose assignments may be compared within blocks."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One run with its utility, None where it has none. `blocked` says that a randomised block assigned it."""

    run: Run
    variant: str
    utility: float | None
    blocked: bool
    key: tuple[str, str, int]


@dataclass(slots=True)
class Evidence:
    """Everything that a judge needs. Variants are called by their names.

    `blocks` hold the mean utility of each variant in a block, in the order in which the blocks were opened;
    `samples` are all utilities by variant, None for a lost one; `started` counts assignments and runs.
    """

    scored: list[Scored] = field(default_factory=list)
    blocks: list[dict[str, float]] = field(default_factory=list)
    guards: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    samples: dict[str, list[float | None]] = field(default_factory=dict)
    started: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    clipped: int = 0
    adaptive: int = 0


def gather(transaction: Transaction, experiment: str, epoch: int, design: Design) -> Evidence:
    """Read all runs of the experiment since it began to count."""
    assigned = {one.unit: one for one in assignments.since(transaction, experiment, epoch)}
    found = Evidence(samples={name: [] for name in design.names.values()})
    for run in runs.since(transaction, experiment, epoch):
        _score(found, design, run, assigned.get(run.unit))
    _count(found, design, assigned)
    found.blocks = _in_blocks(found.scored, {one.unit: one.utility for one in map(_unit, found.scored)})
    for guard in design.guards:
        values = {
            one.run.unit: utility_of(guard, one.run) for one in found.scored if one.run.status == "completed"
        }
        found.guards[guard.name] = _in_blocks(found.scored, values)
    return found


@dataclass(frozen=True, slots=True)
class _Value:
    unit: str
    utility: float | None


def _unit(one: Scored) -> _Value:
    return _Value(one.run.unit, one.utility)


def utility_of(metric: Metric, run: Run) -> float | None:
    """Return one metric of a run as a utility, None if it is missing."""
    value = run.metrics.get(metric.name)
    return None if value is None or not metric.bounded else metric.utility(value).value


def score_of(design: Design, run: Run) -> tuple[float | None, int, str]:
    """Return a run's result (higher is better), how many metrics were clipped, and what was done about gaps.

    It is a utility in [0, 1] where ranges are declared, else the metric with its sign turned if lower is
    better; a failed run without a range has no worst value, so it counts as missing and is watched.
    """
    failed = run.status in WORST
    if run.status in LOST:
        return None, 0, "infrastructure failures and cancelled runs do not count"
    [first, *_] = design.metrics
    if not first.bounded:
        value = run.metrics.get(first.name)
        if failed or value is None:
            return None, 0, "a run without a result has no worst value, because the metric has no range"
        return first.score(value), 0, ""
    combined = combine(design.metrics, run.metrics, missing=design.metric.missing, failed=failed)
    return combined.value, combined.clipped, combined.note


def _score(found: Evidence, design: Design, run: Run, assignment: Assignment | None) -> None:
    name = design.names[run.variant]
    utility, clipped, note = score_of(design, run)
    blocked = assignment is not None and assignment.policy == BLOCKS and assignment.block != NO_BLOCK
    key = (assignment.stratum, assignment.item, assignment.block) if assignment else ("", "", NO_BLOCK)
    found.scored.append(Scored(run, name, utility, blocked, key))
    found.samples[name].append(utility)
    found.statuses.setdefault(name, Counter())[run.status] += 1
    found.clipped += clipped
    found.adaptive += assignment is not None and not blocked
    if note:
        found.notes[note] += 1


def _count(found: Evidence, design: Design, assigned: Mapping[str, Assignment]) -> None:
    """Count what was started and what never came back; the newest runs of an open block are still out."""
    recorded = {one.run.unit for one in found.scored}
    for one in found.scored:
        found.started[one.variant] += 1
        found.missing[one.variant] += one.utility is None
    waiting = [one for one in assigned.values() if one.unit not in recorded]
    newest = max((one.event for one in assigned.values() if one.unit in recorded), default=0)
    for assignment in waiting:
        if assignment.event < newest:
            name = design.names[assignment.variant]
            found.started[name] += 1
            found.missing[name] += 1


def _in_blocks(scored: list[Scored], values: Mapping[str, float | None]) -> list[dict[str, float]]:
    """Return the mean value of each variant in every block that has at least two of them."""
    found: dict[tuple[str, str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in scored:
        value = values.get(one.run.unit)
        if one.blocked and value is not None:
            found[one.key][one.variant].append(value)
    means = [{name: sum(column) / len(column) for name, column in block.items()} for block in found.values()]
    return [block for block in means if len(block) > 1]
