"""The list of experiments, newest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from vettle.engine import paging
from vettle.engine.clock import moment
from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments import verdicts
from vettle.engine.experiments.design import Design
from vettle.engine.project import Project
from vettle.engine.records import (
    ExperimentsPage,
    ExperimentState,
    ExperimentSummary,
)
from vettle.engine.store import Transaction, runs
from vettle.engine.store import experiments as table
from vettle.engine.store.experiments import Experiment
from vettle.engine.wording import counted

_STATES: tuple[ExperimentState, ...] = (
    "proposed", "accepted", "running", "paused", "stopped", "concluded", "applied", "abandoned",
)  # fmt: skip


def listed(
    project: Project,
    *,
    state: ExperimentState | Literal[""] = "",
    context: str = "",
    limit: int = 20,
    cursor: str = "",
) -> ExperimentsPage:
    """List the experiments, newest first, with what is known about each by now.

    Raises:
        InvalidArgument: The cursor is not one that a page gave, or the state does not exist.
    """
    before = paging.number(cursor)
    if state and state not in _STATES:
        raise InvalidArgument("state", f"{state[:40]!r} is no state", f"States: {', '.join(_STATES)}")
    with project.read() as transaction:
        there = table.in_states(transaction, _STATES, limit=1_000_000)
        every = [one for one in reversed(there) if context in ("", one.context)]
        wanted = [one for one in every if state in ("", one.state)]
        rest = [one for one in wanted if not before or one.event < before]
        rows = paging.fit([_summary(transaction, one) for one in rest[:limit]])
    more = len(rest) - len(rows)
    silent = sum(row.outcome == "no_runs" for row in rows)
    note = f"{silent} of these {'has' if silent == 1 else 'have'} no runs yet." if silent else ""
    if more:
        note = f"{note} {more} more: pass cursor, or narrow with state or context.".strip()
    if there and not wanted:
        note = f"None of {counted(len(there), 'experiment')} has this state and context: ask for less."
    return ExperimentsPage(
        experiments=rows,
        total=len(wanted),
        by_state=dict(Counter(one.state for one in every)),
        next_cursor=str(rest[len(rows) - 1].event) if more else "",
        note=note,
    )


def _summary(transaction: Transaction, found: Experiment) -> ExperimentSummary:
    design = Design.model_validate(found.design)
    count = len(runs.since(transaction, found.id, found.epoch))
    said: Mapping[str, Any] = found.verdict
    if not said and count:
        said = verdicts.of(transaction, found).judgement.to_json()
    return ExperimentSummary(
        id=found.id,
        name=found.name,
        state=found.state,
        context=found.context,
        variable=found.variable,
        tier=found.tier,
        variants=len(design.variants),
        runs=count,
        outcome=said["outcome"] if count else "no_runs",
        leader=said["leader"] if count else None,
        created=moment(found.created),
        started=moment(found.started) if found.started else None,
    )
