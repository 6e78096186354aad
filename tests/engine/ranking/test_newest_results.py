"""Only the newest results are read, and they are the ones that a recount of everything finds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from tests.conftest import START, ManualClock
from tests.engine.ranking.models_world import SCORE, ask, ran, worked

from vettle.engine.clock import DAY, SECOND
from vettle.engine.experiments import assignment, runs
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.ranking import outcomes
from vettle.engine.ranking.outcomes import Outcome, Outcomes, gather
from vettle.engine.records import ExperimentState
from vettle.engine.store import Transaction, results
from vettle.engine.store import assignments as assignments_table
from vettle.engine.store import experiments as experiments_table
from vettle.engine.store import runs as runs_table
from vettle.engine.upkeep.pruning import prune

_MODELS = ("a", "b", "c")
_CONTEXTS = ("", "docs", "tests")


def _fill(project: Project, clock: ManualClock, seed: int, days: int = 10) -> None:
    """Let models work for some days: experiments that overlap, units recorded again, and sessions."""
    draw = random.Random(seed)
    ask(project, *_MODELS, name="first")
    ask(project, *_MODELS, name="second", metric=SCORE, context="docs")
    for day in range(days):
        for number in range(6):
            experiment = draw.choice(("first", "second"))
            metric = (
                {"passed": float(draw.random() < 0.6)}
                if experiment == "first"
                else {"score": draw.uniform(0, 10)}
            )
            unit = f"{experiment} {draw.randrange(day * 6 + number + 1)}"
            variant = assignment.select(
                project, experiment=experiment, unit=unit, context=draw.choice(_CONTEXTS)
            ).variant
            status = draw.choices(("completed", "failed", "cancelled"), (8, 1, 1))[0]
            # Some say that they were produced earlier, and two at the same moment.
            late = timedelta(hours=draw.choice((0, 1, 5)) if day else 0)
            produced = draw.choice(("", (_moment(clock) - late).isoformat()))
            row = RunInput(unit=unit, variant=variant, metrics=metric, status=status, produced_at=produced)  # type: ignore[arg-type]
            assert runs.record(project, experiment=experiment, runs=[row]).accepted
            worked(project, draw.choice((*_MODELS, "")), draw.choice(("accepted", "rejected")), "docs")
            clock.forward(seconds=draw.choice((0, 600)))
        clock.forward(days=1)


def _moment(clock: ManualClock) -> datetime:
    return datetime.fromtimestamp(clock() / SECOND, UTC)


def _recount(transaction: Transaction, since: int) -> list[Outcome]:
    """Return the outcomes that a walk over all runs and all sessions finds, in no order."""
    found = Outcomes()
    rows: list[Outcome] = []
    for experiment in experiments_table.in_states(transaction, get_args(ExperimentState)):
        contexts = {
            one.unit: one.context
            for one in assignments_table.since(transaction, experiment.id, experiment.epoch)
        }
        design = Design.model_validate(experiment.design)
        values = {variant.id: variant.name for variant in design.variants}
        for run in runs_table.since(transaction, experiment.id, experiment.epoch):
            reward, basis = outcomes._reward(design, run)
            happened = outcomes._time(run)
            context = run.data.get("context") or contexts.get(run.unit) or experiment.context or "general"
            if reward is None:
                found.not_counted += happened >= since
            elif happened >= since:
                rows.append(outcomes._outcome(run, happened, context, values[run.variant], reward, basis))
    for session in results.scored_sessions(transaction, limit=10_000):
        if session.started >= since:
            rows.append(
                Outcome(session.started, session.context, session.model, session.score, basis="session")
            )
    return rows


def _sorted(rows: Sequence[Outcome]) -> list[str]:
    return sorted(map(repr, rows))


@pytest.mark.parametrize("seed", range(2))
def test_the_results_of_a_period_are_those_of_a_recount(
    project: Project, clock: ManualClock, seed: int
) -> None:
    """Whatever the period: no run is missed that was recorded again, or produced before it was recorded."""
    _fill(project, clock, seed)
    with project.read() as transaction:
        for days in (0.5, 1, 2.5, 7, 30):
            since = clock() - round(days * DAY)
            found = gather(transaction, "model", since)
            assert _sorted(found.rows) == _sorted(_recount(transaction, since))
            assert found.left_out == 0
            assert [row.happened for row in found.rows] == sorted(row.happened for row in found.rows)


@pytest.mark.parametrize("seed", range(2))
def test_the_newest_of_runs_and_sessions_together_are_kept(
    project: Project, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Past the limit it is the newest results that count, whichever experiment or session they come from."""
    _fill(project, clock, seed)
    with project.read() as transaction:
        whole = gather(transaction, "model").rows
        monkeypatch.setattr(outcomes, "MOST_RESULTS", 60)
        found = gather(transaction, "model")
    assert len(found.rows) == 60 and found.left_out >= len(whole) - 60
    assert found.rows[-20:] == whole[-20:]
    assert {repr(row) for row in found.rows} <= {repr(row) for row in whole}


def _read(transaction: Transaction, since: int, limit: int) -> tuple[list[int], int]:
    """Return when each run happened that is read of all experiments, and how many older ones are not."""
    found = experiments_table.in_states(transaction, get_args(ExperimentState))
    recent = results.recent_runs(transaction, [one.id for one in found], since, limit=limit)
    read = [
        run.ts for one in found for run, _ in results.runs_after(transaction, one.id, one.epoch, recent.after)
    ]
    return sorted(read), recent.older


def test_no_more_runs_are_read_than_are_learned_from(project: Project, clock: ManualClock) -> None:
    """Of two long experiments together as many runs are read as the limit says, and they are the newest."""
    for name in ("first", "second"):
        ask(project, "a", "b", name=name)
    for _ in range(10):
        for name in ("first", "second"):
            ran(project, "a", [1], experiment=name)
            clock.forward(seconds=1)
    with project.read() as transaction:
        assert _read(transaction, 0, 7) == ([START + second * SECOND for second in range(13, 20)], 13)
        assert _read(transaction, 0, 20) == ([START + second * SECOND for second in range(20)], 0)


def test_a_period_does_not_reach_back_to_runs_recorded_before_it(
    project: Project, clock: ManualClock
) -> None:
    """A short period of a long history reads what was recorded in it and nothing else."""
    ask(project, "a", "b")
    ran(project, "a", [1] * 20)
    clock.forward(days=3)
    with project.read() as transaction:
        assert _read(transaction, clock() - DAY, 100) == ([], 0)
    ran(project, "a", [0])
    with project.read() as transaction:
        assert _read(transaction, clock() - DAY, 100) == ([START + 3 * DAY], 0)


def test_a_pruned_log_loses_no_result_of_a_period(project: Project, clock: ManualClock) -> None:
    """What was pruned is told by no ranking: the results of a period are the same as before."""
    _fill(project, clock, seed=1)
    since = clock() - 30 * DAY
    with project.read() as transaction:
        before = gather(transaction, "model", since).rows
    clock.forward(days=25)
    assert prune(project, keep_days=30).removed
    with project.read() as transaction:
        assert gather(transaction, "model", since).rows == before
