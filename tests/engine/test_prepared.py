"""Sessions decided ahead are recorded as they were drawn, replay bit for bit, and prove what others prove."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.conftest import ManualClock
from tests.places import Place

from vettle.engine import prepared, prepared_files, rules, sessions, standings
from vettle.engine.errors import InvalidArgument, StatusRefused
from vettle.engine.project import Project
from vettle.engine.records.sessions import PreparedSession
from vettle.engine.store import events
from vettle.engine.store import sessions as table


def _add(project: Project, number: int, prior: float = 0.2) -> list[str]:
    return [rules.add(project, text=f"Rule number {n}.", prior=prior).rule_id for n in range(number)]


def _session(project: Project, session_id: str) -> table.Session:
    with project.read() as transaction:
        found = table.get(transaction, session_id)
    assert found is not None
    return found


def _count(project: Project) -> int:
    with project.read() as transaction:
        return events.count(transaction)


def test_nothing_is_recorded_before_the_start(project: Project) -> None:
    """Preparing changes nothing, and starting appends the very decision that was drawn."""
    _add(project, 6)
    before = _count(project)
    ahead = prepared.prepare(project, k=3)
    assert _count(project) == before
    started = prepared.start(project, ahead, agent="claude-code", model="m")
    assert started.session_id == ahead.session_id
    assert [rule.id for rule in started.rules] == [e.rule for e in ahead.decision.slate if e.shown]
    session = _session(project, ahead.session_id)
    assert (session.decision, session.agent, session.model) == (ahead.decision, "claude-code", "m")


def test_prepared_sessions_replay_although_more_was_learned_before_they_started(project: Project) -> None:
    """The decision is that of the moment it was drawn at, so it is recomputed from what was known then."""
    _add(project, 6)
    ahead = [prepared.prepare(project) for _ in range(4)]
    for _ in range(3):
        other = sessions.start(project, task="another", seed=1)
        sessions.end(project, session_id=other.session_id, outcome="accepted")
    for each in ahead:
        prepared.start(project, each)
        assert sessions.replay(project, each.session_id).identical


def test_each_is_started_once_and_a_retry_gets_the_first_answer(project: Project) -> None:
    """With its client_ref a call is repeated, without one it is refused, and nothing is recorded twice."""
    _add(project, 3)
    ahead = prepared.prepare(project)
    first = prepared.start(project, ahead, client_ref="once")
    after = _count(project)
    assert prepared.start(project, ahead, client_ref="once") == first
    with pytest.raises(StatusRefused):
        prepared.start(project, ahead)
    assert _count(project) == after


def test_what_another_project_prepared_is_refused(
    project: Project, tmp_path: Path, clock: ManualClock
) -> None:
    """A decision about rules that are not here, or with an id that is not its own, starts nothing."""
    other = Project(tmp_path / "other", clock=clock, environment={})
    (tmp_path / "other").mkdir()
    rules.add(other, text="Only there.", prior=0.5)
    foreign = prepared.prepare(other)
    other.close()
    assert foreign.decision.slate
    _add(project, 1)
    before = _count(project)
    own = prepared.prepare(project)
    for wrong in (foreign, own.model_copy(update={"session_id": "s-000000000000"})):
        with pytest.raises(InvalidArgument):
            prepared.start(project, wrong)
    assert _count(project) == before


@contextmanager
def _file(project: Project) -> Iterator[Path]:
    folder = prepared_files.folder(project.root)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "1-s-1.json"
    file.write_text("{}")
    yield file


def test_deciding_about_a_rule_discards_what_was_prepared(project: Project) -> None:
    """Retiring, restoring, rewording and pinning do; adding does not, and neither does a decision that is refused."""
    [rule_id] = _add(project, 1)
    with _file(project) as file:
        rules.add(project, text="Another.")
        with pytest.raises(StatusRefused):
            rules.decide(project, rule_id=rule_id, action="restore", reason="x")
        assert file.exists()
        for action, text in (("retire", ""), ("restore", ""), ("reword", "New words."), ("pin", "")):
            file.write_text("{}")
            rules.decide(project, rule_id=rule_id, action=action, reason="x", text=text)  # type: ignore[arg-type]
            assert not file.exists(), action


def test_evidence_that_settles_a_rule_discards_what_was_prepared(project: Project) -> None:
    """A rule that is proven by the end of a session is handed out as before, but by new decisions."""
    [rule_id] = _add(project, 1, prior=0.5)
    changed = False
    with _file(project) as file:
        for number in range(60):
            started = sessions.start(project, task="t", seed=number)
            file.write_text("{}")
            shown = any(rule.id == rule_id for rule in started.rules)
            ended = sessions.end(
                project, session_id=started.session_id, outcome="accepted" if shown else "rejected"
            )
            assert file.exists() == (not ended.status_changes)
            changed = changed or bool(ended.status_changes)
    assert changed


def test_a_prepared_session_is_fresh_until_its_rules_change(project: Project) -> None:
    """One whose rule was retired, or reworded, is not fresh any more."""
    ids = _add(project, 2, prior=0.8)
    ahead = prepared.prepare(project)
    assert {entry.rule for entry in ahead.decision.slate} == set(ids)
    assert prepared.fresh(project, ahead)
    rules.decide(project, rule_id=ids[0], action="reword", reason="x", text="Something else.")
    assert not prepared.fresh(project, ahead)


def test_evidence_about_a_rule_that_began_anew_is_left_out(project: Project) -> None:
    """A session that starts with the old text of a rule says nothing about the new one."""
    ids = _add(project, 2, prior=0.8)
    ahead = prepared.prepare(project)
    rules.decide(project, rule_id=ids[0], action="reword", reason="x", text="Something else.")
    prepared.start(project, ahead)
    sessions.end(project, session_id=ahead.session_id, outcome="accepted")
    known = {rule.id: rule for rule in standings.page(project).rules}
    assert known[ids[0]].shown + known[ids[0]].withheld == 0
    assert known[ids[1]].shown + known[ids[1]].withheld == 1


def test_a_session_without_rules_is_a_holdout(project: Project) -> None:
    """Not even a pinned rule counts as shown; the session replays, and proves nothing about any rule."""
    [rule_id] = _add(project, 1)
    rules.decide(project, rule_id=rule_id, action="pin", reason="x")
    started = prepared.start_without_rules(project, agent="codex", client_ref="a")
    assert prepared.start_without_rules(project, agent="codex", client_ref="a") == started
    decision = _session(project, started.session_id).decision
    assert decision.holdout and not any(entry.shown for entry in decision.slate)
    assert sessions.replay(project, started.session_id).identical
    sessions.end(project, session_id=started.session_id, outcome="accepted")
    [rule] = standings.page(project).rules
    assert (rule.shown, rule.withheld) == (0, 0)


def test_sessions_prepared_ahead_prove_a_rule_and_only_that(tmp_path: Path, clock: ManualClock) -> None:
    """With four always ready, so that feedback is late, the rule that works is proven and one that does not is not."""
    place = Place(tmp_path)
    place.configure("[selection]\nmin_effect = 0.0\n")
    project = place.open(clock=clock)
    good = rules.add(project, text="This one works.", prior=0.3).rule_id
    idle = rules.add(project, text="This one does nothing.", prior=0.3).rule_id
    draws = random.Random(7)
    ready: list[PreparedSession] = []
    for _ in range(160):
        while len(ready) < 4:
            ready.append(prepared.prepare(project))
        ahead = ready.pop(0)
        prepared.start(project, ahead)
        clock.forward(hours=1)
        shown = {rule.id for rule in ahead.rules}
        outcome = "accepted" if draws.random() < (0.95 if good in shown else 0.15) else "rejected"
        ended = sessions.end(project, session_id=ahead.session_id, outcome=outcome)  # type: ignore[arg-type]
        if ended.status_changes:
            ready.clear()
    by_id = {rule.id: rule.status for rule in standings.page(project).rules}
    project.close()
    assert by_id[good] == "proven"
    assert by_id[idle] != "proven"
