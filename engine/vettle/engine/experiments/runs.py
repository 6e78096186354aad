"""Recording what came of a variant: whole batches or nothing, once per unit, and only what can count."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from vettle.engine.arguments import Configuration, Label, Notes, RequiredLabel
from vettle.engine.clock import SECOND
from vettle.engine.experiments.design import Design, Finite, Variant
from vettle.engine.experiments.lifecycle import design_of, require
from vettle.engine.identifiers import canonical_json, new_uid
from vettle.engine.judging.utility import Metric
from vettle.engine.paging import fit
from vettle.engine.policies.options import LARGEST
from vettle.engine.progress import tracked
from vettle.engine.project import Project
from vettle.engine.quarantine import redact
from vettle.engine.records import Record, RunRefused, RunsRecorded, RunStatus
from vettle.engine.store import Transaction, assignments
from vettle.engine.store import runs as table
from vettle.engine.store.events import Event
from vettle.engine.store.experiments import Experiment
from vettle.engine.suggesting import hint

MOST_RUNS = 1_000
STAGES_CHARACTERS = 20_000
_OPEN = ("running", "paused", "stopped")

_Count = Annotated[int, Field(ge=0, le=10**12)]
_Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class RunInput(Record):
    """One result. With an `assignment_id` the variant is known; without, name `unit` and `variant`.

    A metric that is null was not measured. `produced_at` is ISO 8601 with a time zone, and "" means now.
    `rating` is a person's judgement of the variant for this task, "over" when it was more than was needed: it
    counts twice when variants are ranked, and in no verdict.
    """

    assignment_id: Label = ""
    unit: Label = ""
    variant: Label = ""
    status: RunStatus = "completed"
    metrics: Annotated[dict[RequiredLabel, float | None], Field(max_length=50)] = Field(default_factory=dict)
    failure_mode: Label = ""
    error: Notes = ""
    retries: _Count = 0
    duration_ms: _Amount = 0.0
    tokens_in: _Count = 0
    tokens_out: _Count = 0
    cost: _Amount = 0.0
    source: Literal["machine", "judge", "human"] = "machine"
    rating: Literal["", "over", "ok", "under"] = ""
    stages: Annotated[Configuration, Field(max_length=50)] = Field(default_factory=dict)
    dimensions: Annotated[dict[RequiredLabel, Label | Finite], Field(max_length=20)] = Field(
        default_factory=dict
    )
    context: Label = ""
    pair_id: Label = ""
    stratum: Label = ""
    covariate: Finite | None = None
    produced_at: Label = ""


def record(
    project: Project, *, experiment: str, runs: Sequence[RunInput], client_ref: str = ""
) -> RunsRecorded:
    """Record a batch of results: all of it, or nothing and the reason for each bad row.

    A unit that is recorded again replaces what was there. Nothing counts from before the start or from the
    future, and no unit under a variant it was not given. A refusal is not kept: the same `client_ref` may
    bring the batch again, mended or when its time has come.

    Raises:
        UnknownExperiment: No experiment has this id or name.
    """

    def work(transaction: Transaction, uid: bytes) -> RunsRecorded:
        found = require(transaction, experiment)
        design = design_of(found)
        refused, rows = _check(transaction, found, design, runs)
        if refused:
            raise _BatchRefused(refused)
        told = tracked(rows, "recording runs", len(rows))
        updated = sum(append(transaction, found, unit, variant, run) for unit, variant, run in told)
        return RunsRecorded(
            accepted=len(rows),
            updated=updated,
            notes=_notes(design, [run for _, _, run in rows]),
            next_step=f"experiment_results {found.id} tells what is known by now.",
        )

    arguments: dict[str, object] = {
        "experiment": experiment,
        # Not canonical_json, which has no spelling for the NaN that a bad row may hold.
        "runs": [json.dumps(run.model_dump(mode="json"), sort_keys=True) for run in runs],
    }
    try:
        return project.once(RunsRecorded, "run_record", client_ref, arguments, work)
    except _BatchRefused as error:
        shown = fit(error.rows)
        left = len(error.rows) - len(shown)
        return RunsRecorded(
            accepted=0,
            updated=0,
            refused=shown,
            notes=[f"{left} more rows are refused."] if left else [],
            next_step="Nothing was recorded. Mend or take out the refused rows, and send the batch again.",
        )


class _BatchRefused(Exception):
    """Raised to take the whole transaction back, with the reply that would be kept for retries."""

    def __init__(self, rows: list[RunRefused]) -> None:
        super().__init__()
        self.rows = rows


def _notes(design: Design, runs: Sequence[RunInput]) -> list[str]:
    """Say which metrics some completed runs lack: a misspelt name would count as missing."""
    completed = [run for run in runs if run.status == "completed"]
    found = []
    for metric in (*design.metrics, *design.guards):
        lacking = sum(metric.name not in run.metrics for run in completed)
        if lacking:
            found.append(
                f"{lacking} of {len(completed)} completed runs do not name the metric {metric.name[:80]!r}: "
                f"{_without(design, metric)} there. null says that it was not measured, and counts the same."
            )
    return found


def _without(design: Design, metric: Metric) -> str:
    """Say what becomes of a completed run that lacks a metric, as `evidence.score_of` has it."""
    if metric not in design.metrics:
        return "nothing is known of this guardrail"
    if not design.metrics[0].bounded:
        return "the run has no result, because the metric has no range,"
    return {
        "worst": "it counts as its worst",
        "skip_run": "the run is left out, which is no result,",
        "renormalise": "the other metrics decide alone",
    }[design.metric.missing]


def _check(
    transaction: Transaction, found: Experiment, design: Design, runs: Sequence[RunInput]
) -> tuple[list[RunRefused], list[tuple[str, str, RunInput]]]:
    refused: list[RunRefused] = []
    rows: list[tuple[str, str, RunInput]] = []
    seen: set[str] = set()
    for number, run in enumerate(runs):
        unit = run.assignment_id or run.unit
        variant, reason = _variant(transaction, found, design, unit, run)
        reason = reason or _objection(transaction, found, design, run)
        if not reason and unit in seen:
            reason = f"unit {unit[:80]!r} stands in the batch twice"
        seen.add(unit)
        if reason:
            refused.append(RunRefused(row=number, reason=reason))
        else:
            rows.append((unit, variant, run))
    return refused, rows


def _variant(
    transaction: Transaction, found: Experiment, design: Design, unit: str, run: RunInput
) -> tuple[str, str]:
    """Return the id of the run's variant, or why it cannot be told."""
    if not unit:
        return "", "it names no unit: pass the assignment_id that came with the variant, or unit and variant"
    if run.assignment_id and run.unit and run.assignment_id != run.unit:
        return "", "assignment_id and unit differ: pass one of them"
    assigned = assignments.get(transaction, found.id, unit)
    given = next((one for one in design.variants if run.variant in (one.name, one.id, one.id[:12])), None)
    if run.variant and given is None:
        names = ", ".join(one.name for one in design.variants[:10])
        meant = hint(run.variant, [one.name for one in design.variants])
        said = (f"no variant {run.variant[:80]!r}.", meant, f"Variants: {names}")
        return "", " ".join(part for part in said if part)
    if assigned is None:
        return _unassigned(transaction, found, design, unit, given, run)
    if given is not None and given.id != assigned.variant:
        return "", f"the unit was given variant {design.names[assigned.variant]!r}, not {given.name!r}"
    return assigned.variant, ""


def _unassigned(
    transaction: Transaction,
    found: Experiment,
    design: Design,
    unit: str,
    given: Variant | None,
    run: RunInput,
) -> tuple[str, str]:
    """Return the variant that the row of a unit without an assignment names, or why it cannot be that one."""
    if run.assignment_id:
        return "", f"no assignment {unit[:80]!r} in this experiment since it started"
    if given is None:
        return "", "the unit was not assigned, so the row has to name its variant"
    before = table.get(transaction, found.id, unit)
    if before is not None and before.variant != given.id:
        return "", f"the unit is recorded under variant {design.names[before.variant]!r}, not {given.name!r}"
    return given.id, ""


def _objection(transaction: Transaction, found: Experiment, design: Design, run: RunInput) -> str:
    """Return why a row cannot count, or ""."""
    if found.state not in _OPEN:
        return f"the experiment is {found.state}: results count from its start until it is closed"
    names = [metric.name for metric in (*design.metrics, *design.guards)]
    if run.status == "completed" and run.metrics and not set(names) & set(run.metrics):
        meant = next((said for name in run.metrics if (said := hint(name, names))), "")
        said = f"it names none of the experiment's metrics. {meant}".rstrip()
        return f"{said} Metrics: {', '.join(names[:10])}; null says that one was not measured"
    for name, value in run.metrics.items():
        if value is not None and not math.isfinite(value):
            return f"metric {name[:80]!r} is {value!r}; pass a finite number, or null if it was not measured"
        if value is not None and abs(value) > LARGEST:
            return f"metric {name[:80]!r} is {value!r}; pass a number within {LARGEST:g}"
    try:
        size = len(canonical_json(run.stages))
    except ValueError:
        return "stages hold a number that is not finite; write it as text"
    if size > STAGES_CHARACTERS:
        return f"stages have {size:,} characters; keep them within {STAGES_CHARACTERS:,}"
    for metric in (*design.metrics, *design.guards):
        value = run.metrics.get(metric.name)
        try:
            if value is not None:
                metric.score(value)
        except ValueError as error:
            return str(error)
    return _time_objection(transaction, found, run.produced_at) if run.produced_at else ""


def _time_objection(transaction: Transaction, found: Experiment, produced_at: str) -> str:
    try:
        moment = datetime.fromisoformat(produced_at)
    except ValueError:
        return f"produced_at {produced_at[:40]!r} is no ISO 8601 time"
    if moment.tzinfo is None:
        return f"produced_at {produced_at[:40]!r} has no time zone: add Z or an offset"
    when = int(moment.timestamp() * SECOND)
    if when > transaction.now + 60 * SECOND:
        return f"produced_at {produced_at[:40]!r} is in the future"
    started = found.started if moment.microsecond else found.started // SECOND * SECOND
    return f"produced_at {produced_at[:40]!r} is before the experiment started" if when < started else ""


def append(
    transaction: Transaction,
    found: Experiment,
    unit: str,
    variant: str,
    run: RunInput,
    *,
    uid: bytes = b"",
    happened: int = 0,
) -> bool:
    """Log one run, which somebody has checked; True if the unit had one before.

    `variant` is an id, and `happened` when another system recorded it, 0 for now.
    """
    before = table.get(transaction, found.id, unit)
    data: dict[str, Any] = run.model_dump(
        mode="json", exclude={"assignment_id", "unit", "variant", "metrics"}
    )
    data |= {
        "unit": unit,
        "error": redact(run.error),
        "failure_mode": redact(run.failure_mode),
        "missing": sorted(name for name, value in run.metrics.items() if value is None),
    }
    if happened:
        data["happened"] = happened
    transaction.append(
        Event(
            kind="run_recorded",
            uid=uid or new_uid(transaction.now),
            subject=found.id,
            choice=variant,
            metrics={name: float(value) for name, value in run.metrics.items() if value is not None},
            data=data,
        )
    )
    return before is not None
