"""What an experiment's runs say, before anybody judges: utilities, complete blocks, and what does not count."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
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

INDEPENDENT = ("uniform", "weighted")
"""The policies that draw every assignment by the same chances, so that their split can be checked."""

PATIENCE = 2
"""How many times the longest wait for a result so far, in events, an assignment may take before it is lost."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One run with its utility, None where it has none.

    `blocked` says that a randomised block assigned it; `context` is that of its assignment, or its own.
    """

    run: Run
    variant: str
    utility: float | None
    blocked: bool
    key: tuple[str, str, int]
    context: str = ""


@dataclass(slots=True)
class Evidence:
    """Everything that a judge needs. Variants are called by their names.

    `blocks` hold the mean utility of each variant in a block, in the order in which the blocks had their first
    result; `guards` hold the same of each guardrail's metric, and `unblocked_guards` those of all runs, the
    i-th of each variant together. `samples` are all utilities by variant, None for a lost one; `started` counts
    runs and the assignments that never came back. `at_worst` counts completed runs that lack a metric, which counts as
    its worst. `drawn` counts, for each policy that draws independently, the runs that came back.
    """

    scored: list[Scored] = field(default_factory=list)
    blocks: list[dict[str, float]] = field(default_factory=list)
    guards: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    unblocked_guards: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    samples: dict[str, list[float | None]] = field(default_factory=dict)
    started: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    clipped: int = 0
    at_worst: int = 0
    adaptive: int = 0
    blocked: int = 0
    lost: int = 0
    drawn: dict[str, Counter[str]] = field(default_factory=dict)


def gather(
    transaction: Transaction,
    experiment: str,
    epoch: int,
    design: Design,
    *,
    final: bool = False,
    read: Callable[[Run], Run] = lambda run: run,
) -> Evidence:
    """Read all runs of the experiment since it began to count; `final` means that no more will come.

    `read` is applied to every run first.
    """
    assigned = {one.unit: one for one in assignments.since(transaction, experiment, epoch)}
    found = Evidence(samples={name: [] for name in design.names.values()})
    for run in map(read, runs.since(transaction, experiment, epoch)):
        _score(found, design, run, assigned.get(run.unit))
    _count(found, design, assigned, final=final)
    found.blocks = _in_blocks(found.scored, {one.run.unit: one.utility for one in found.scored})
    for guard in design.guards:
        values = {
            one.run.unit: utility_of(guard, one.run) for one in found.scored if one.run.status == "completed"
        }
        found.guards[guard.name] = _in_blocks(found.scored, values)
        found.unblocked_guards[guard.name] = _in_turn(found.scored, values)
    return found


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
    # Who recorded a unit before asking for its variant has chosen the variant.
    drawn = assignment is not None and assignment.event < run.first and assignment.variant == run.variant
    blocked = drawn and assignment is not None and assignment.block != NO_BLOCK
    context = assignment.context if assignment is not None else str(run.data.get("context", ""))
    key = (assignment.stratum, assignment.item, assignment.block) if assignment else ("", "", NO_BLOCK)
    found.scored.append(Scored(run, name, utility, blocked, key, context))
    found.samples[name].append(utility)
    found.statuses.setdefault(name, Counter())[run.status] += 1
    found.clipped += clipped
    found.at_worst += utility is not None and _lacks_a_metric(design, run)
    found.adaptive += assignment is not None and not blocked
    found.blocked += blocked
    if drawn and assignment is not None and assignment.policy in INDEPENDENT and utility is not None:
        found.drawn.setdefault(assignment.policy, Counter())[name] += 1
    if note:
        found.notes[note] += 1


def _lacks_a_metric(design: Design, run: Run) -> bool:
    """Tell whether a run that was completed has a result only because what it lacks counts as the worst."""
    declared = design.metric.missing == "worst" and run.status not in WORST
    return declared and any(run.metrics.get(metric.name) is None for metric in design.metrics)


def _count(found: Evidence, design: Design, assigned: Mapping[str, Assignment], *, final: bool) -> None:
    """Count what was started and what never came back.

    An assignment without a result is work in progress, unless a later one of the same variant has its result,
    or it has waited far longer than any result so far took (in events, so that nights do not count), or no
    more results will come. Without a result of its variant the others' speed says when it is late.
    """
    newest: dict[str, int] = {}
    patience = 0
    for one in found.scored:
        found.started[one.variant] += 1
        found.missing[one.variant] += one.utility is None
        assignment = assigned.get(one.run.unit)
        if assignment is not None:
            newest[one.variant] = max(newest.get(one.variant, 0), assignment.event)
            patience = max(patience, PATIENCE * (one.run.first - assignment.event))
    now = max((one.run.first for one in found.scored), default=0)
    recorded = {one.run.unit for one in found.scored}
    for assignment in assigned.values():
        name = design.names[assignment.variant]
        if assignment.unit in recorded:
            continue
        if final or assignment.event < newest.get(name, 0) or now - assignment.event > patience:
            found.started[name] += 1
            found.missing[name] += 1
            found.lost += 1
            found.samples[name].append(None)


def _in_blocks(scored: list[Scored], values: Mapping[str, float | None]) -> list[dict[str, float]]:
    """Return the mean value of each variant in every block that has at least two of them."""
    found: dict[tuple[str, str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in scored:
        value = values.get(one.run.unit)
        if one.blocked and value is not None:
            found[one.key][one.variant].append(value)
    means = [{name: sum(column) / len(column) for name, column in block.items()} for block in found.values()]
    return [block for block in means if len(block) > 1]


def _in_turn(scored: list[Scored], values: Mapping[str, float | None]) -> list[dict[str, float]]:
    """Return the i-th value of every variant together, for each i that at least two of them have."""
    columns: dict[str, list[float]] = defaultdict(list)
    for one in scored:
        value = values.get(one.run.unit)
        if value is not None:
            columns[one.variant].append(value)
    longest = max(map(len, columns.values()), default=0)
    rows = [
        {name: column[row] for name, column in columns.items() if row < len(column)} for row in range(longest)
    ]
    return [row for row in rows if len(row) > 1]
