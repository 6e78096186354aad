"""Pruning removes old events of sessions, and changes nothing that anybody learns from the project."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import ManualClock
from tests.engine.experiments.world import create, record, select, variants, verdict
from tests.engine.test_folds import _OPERATIONS, _STEPS, _Agents

from vettle.engine import mistakes, reports, rewards, rules, sessions, standings
from vettle.engine.errors import InvalidArgument, StatusRefused
from vettle.engine.exchange import copying, log
from vettle.engine.experiments.runs import RunInput
from vettle.engine.pool import Work
from vettle.engine.project import Project
from vettle.engine.store import MEMORY, baseline, events, open_store
from vettle.engine.store.maintenance import check, rebuild, tables
from vettle.engine.store.schema import FOLDED_TABLES
from vettle.engine.upkeep.checking import check as check_all
from vettle.engine.upkeep.pruning import prune


def _seen(project: Project) -> dict[str, Any]:
    """Return all that anybody is told: tables, reports, rules with their history, and the posterior."""
    with project.read() as transaction:
        found: dict[str, Any] = dict(tables(transaction))
        learning = project.learning(transaction)
        found["posterior"] = learning.learner.to_bytes()
        anew = project.learning_as_of(transaction, 2**62)
        found["anew"] = anew.learner.to_bytes()
        ids = sorted(row[1] for row in found["rule"])
    found["status"] = reports.status(project)
    for kind in ("sessions", "mistakes", "rewards", "rules"):
        found[f"report {kind}"] = reports.report(project, kind=kind, limit=20)
    found["explained"] = [standings.explain(project, rule) for rule in ids]
    return found


def _month(project: Project, clock: ManualClock, number: int) -> None:
    """Do sessions of all kinds over some days."""
    for index in range(number):
        clock.forward(hours=5)
        started = sessions.start(
            project, task="fix the parser", context=("general", "docs")[index % 2], seed=index
        )
        mistakes.log(
            project,
            error_class="test",
            description=f"assertion failed in module {index % 5}",
            session_id=started.session_id,
            client_ref=f"m{index}" if index % 3 else "",
        )
        if index % 7:
            rewards.log(
                project, outcome="accepted" if index % 2 else "rejected", session_id=started.session_id
            )
        if index % 11:
            sessions.end(project, session_id=started.session_id)


def _tried(project: Project) -> None:
    """Run an experiment to a verdict."""
    create(project, of=variants("a", "b"))
    for index in range(40):
        unit = select(project, unit=f"t{index}")
        record(project, RunInput(assignment_id=unit.assignment_id, metrics={"passed": unit.variant == "a"}))


def _slate(project: Project) -> list[tuple[str, float]]:
    """Return which rules the next session gets, with which chances, and forget that it was asked."""
    with project.read() as transaction:
        learning = project.learning(transaction)
        work = Work(context="general", task="next", paths=(), tags=(), only=())
        chosen = learning.choose(work, project.settings.selection, session_id="next", k=3, seed=7)
    return [(entry.rule, entry.propensity) for entry in chosen.slate]


def test_a_pruned_log_is_shorter_and_tells_the_same(project: Project, clock: ManualClock) -> None:
    """Reports, rules, counts, the posterior and the check are the same; a second prune finds nothing."""
    for index in range(6):
        rules.add(project, text=f"Rule number {index} about the parser.", prior=0.05)
    _tried(project)
    _month(project, clock, 60)
    clock.forward(days=50)
    _month(project, clock, 10)
    before, judged, slate = _seen(project), verdict(project).judgement, _slate(project)
    assert judged.outcome == "better"
    counted = prune(project, keep_days=40, apply=False)
    assert (counted.applied, _count(project)) == (False, counted.removed + counted.kept)
    pruned = prune(project, keep_days=40)
    assert pruned.removed == counted.removed > 60
    assert _count(project) == pruned.kept
    assert _seen(project) == before
    assert (verdict(project).judgement, _slate(project)) == (judged, slate)
    assert check_all(project).findings == []
    assert rebuild(project._opened()) == pruned.kept
    with project.read() as transaction:
        assert tables(transaction) == {name: before[name] for name in FOLDED_TABLES}
    assert (verdict(project).judgement, _slate(project)) == (judged, slate)
    assert prune(project, keep_days=40).removed == 0


def _count(project: Project) -> int:
    with project.read() as transaction:
        return events.count(transaction)


def test_work_goes_on_after_pruning_and_it_can_be_pruned_again(project: Project, clock: ManualClock) -> None:
    """Counts go on from where they were, twice."""
    rules.add(project, text="Sort the imports.")
    for _ in range(3):
        _month(project, clock, 20)
        clock.forward(days=45)
        sessions.start(project, task="x")
        prune(project, keep_days=30)
        assert check_all(project).findings == []
    with project.read() as transaction:
        assert baseline.through(transaction) > 0
        assert len(tables(transaction)["session"]) == 63


def test_what_is_pruned_cannot_be_replayed_and_says_so(project: Project, clock: ManualClock) -> None:
    """A decision whose session is pruned is not recomputed, and that is said in words; others still are."""
    rules.add(project, text="Sort the imports.")
    old = sessions.start(project, task="x").session_id
    sessions.end(project, session_id=old, outcome="accepted")
    clock.forward(days=60)
    new = sessions.start(project, task="x").session_id
    prune(project, keep_days=30)
    with pytest.raises(StatusRefused, match="pruned"):
        sessions.replay(project, old)
    assert sessions.replay(project, new).identical


def test_a_retry_of_a_pruned_call_counts_once(project: Project, clock: ManualClock) -> None:
    """The answer that was kept for the retry outlives the event."""
    old = sessions.start(project, task="x").session_id
    call: dict[str, Any] = {
        "error_class": "test",
        "description": "it broke",
        "session_id": old,
        "client_ref": "one",
    }
    first = mistakes.log(project, **call)
    sessions.end(project, session_id=old, outcome="accepted")
    clock.forward(days=60)
    sessions.start(project, task="y")
    assert prune(project, keep_days=30).removed == 4
    assert mistakes.log(project, **call) == first
    assert check_all(project).findings == []


def test_the_last_month_is_never_pruned(project: Project) -> None:
    """Fewer than thirty days are refused."""
    with pytest.raises(InvalidArgument, match="30 days"):
        prune(project, keep_days=29)
    with pytest.raises(InvalidArgument):
        prune(project, keep_days=float("nan"))
    assert prune(project, keep_days=float("inf")).removed == 0


def test_a_pruned_log_moves_to_another_project_with_all_its_counts(
    project: Project, clock: ManualClock, tmp_path: Path
) -> None:
    """Exported and imported, it tells the same; the older, whole export changes nothing when it is merged back."""
    rules.add(project, text="Sort the imports.", prior=0.1)
    _month(project, clock, 30)
    whole = tmp_path / "whole.jsonl"
    log.save(project, whole)
    clock.forward(days=60)
    prune(project, keep_days=30)
    before = _seen(project)
    short = tmp_path / "short.jsonl"
    log.save(project, short)
    assert short.stat().st_size < whole.stat().st_size
    copied = copying.copy_to(project, str(tmp_path / "copied.db"))
    assert copied.events == _count(project)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(MEMORY, clock=clock)
        other = Project(Path(folder), clock=clock, store=store)
        log.import_log(other, short)
        there = _seen(other)
        for part in ("stat", "posterior", "anew", "report sessions", "report rewards"):
            assert there[part] == before[part]
        # The first column is the project's number in its database.
        assert [row[1:] for row in there["session"]] == [row[1:] for row in before["session"]]
        assert there["mistake"] == before["mistake"]
        assert check(store) == []
        rebuild(store)
        assert check(store) == []
        log.import_log(other, whole)
        again = _seen(other)
        assert again["stat"] == there["stat"] and again["posterior"] == there["posterior"]
        assert check(store) == []
        store.close()


_LONG = st.lists(st.tuples(st.sampled_from(_OPERATIONS), st.integers(0, 2**16)), min_size=40, max_size=80)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_LONG, _STEPS, st.sampled_from([30, 40, 60]))
def test_nobody_can_tell_that_a_history_was_pruned(
    early: list[tuple[str, int]], late: list[tuple[str, int]], days: int
) -> None:
    """After any history, pruned anywhere, all is as without pruning, and stays so whatever happens next."""
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock()
        store = open_store(MEMORY, clock=clock)
        project = Project(Path(folder), clock=clock, store=store)
        agents = _Agents(project, clock)
        for operation, number in early:
            agents.do(operation, number)
        clock.forward(days=70)
        draw = random.Random(days)
        for operation, number in late:
            agents.do(operation, number)
            if draw.random() < 0.1:
                _prune_unseen(project, days)
        _prune_unseen(project, days)
        assert check(store) == []
        project.close()


def _prune_unseen(project: Project, days: int) -> None:
    before = _seen(project)
    prune(project, keep_days=days)
    assert _seen(project) == before
    rebuild(project._opened())
    assert _seen(project) == before
