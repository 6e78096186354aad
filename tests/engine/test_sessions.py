"""Sessions: what they are given, what they give back, and when their evidence counts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from tests.conftest import ManualClock
from tests.places import Place

from vettle.engine import mistakes, reports, rewards, rules, sessions, standings
from vettle.engine.clock import HOUR
from vettle.engine.errors import AmbiguousSession, InvalidArgument, StatusRefused, UnknownRule, UnknownSession
from vettle.engine.lifecycle import score
from vettle.engine.project import Project
from vettle.engine.settings import ScoreSettings
from vettle.engine.store import sessions as table


def _session(project: Project, session_id: str) -> table.Session:
    with project.read() as transaction:
        session = table.get(transaction, session_id)
    assert session is not None
    return session


def _add_rules(project: Project, number: int, prior: float = 0.1) -> list[str]:
    return [rules.add(project, text=f"Rule number {index}.", prior=prior).rule_id for index in range(number)]


@pytest.mark.parametrize(
    ("outcome", "mistakes_made", "expected"),
    [
        (1.0, 0, 1.0),
        (1.0, 1, 0.75),
        (1.0, 2, 0.5),
        (1.0, 9, 0.5),
        (0.0, 0, 0.5),
        (0.0, 2, 0.0),
        (0.5, 1, 0.5),
    ],
)
def test_the_score_is_half_outcome_and_half_freedom_from_mistakes(
    outcome: float, mistakes_made: int, expected: float
) -> None:
    """W * outcome + (1 - w) * (1 - min(mistakes, M) / M), with w = 0.5 and M = 2."""
    assert score(ScoreSettings(), outcome, mistakes_made, 0) == expected


def test_a_repeated_mistake_may_count_more() -> None:
    """With repeat_counts = 2, one repeated mistake weighs like two."""
    assert score(ScoreSettings(repeat_counts=2), 1.0, 1, 1) == 0.5


def test_a_session_gets_rules_and_never_the_withheld_texts(project: Project) -> None:
    """What is withheld is a number in the answer, and its text appears nowhere in it."""
    _add_rules(project, 5, prior=0.3)
    for seed in range(30):
        started = sessions.start(project, task="x", seed=seed)
        decision = _session(project, started.session_id).decision
        hidden = [entry.rule for entry in decision.slate if not entry.shown]
        assert len(hidden) == started.withheld
        assert not any(rule_id in started.model_dump_json() for rule_id in hidden)


def test_the_same_seed_and_reference_give_the_same_session(project: Project) -> None:
    """A retried start is the same session, with the same rules."""
    _add_rules(project, 20)
    first = sessions.start(project, task="x", seed=4, client_ref="a")
    assert sessions.start(project, task="x", seed=4, client_ref="a") == first


def test_every_decision_can_be_recomputed_from_the_log(project: Project) -> None:
    """Decisions made while rules came and went and evidence grew replay identically."""
    ids = _add_rules(project, 12, prior=0.05)
    started = []
    for index in range(40):
        started.append(sessions.start(project, task="the rule number", tags=["general"], paths=["a.py"], k=4))
        sessions.end(
            project, session_id=started[-1].session_id, outcome="accepted" if index % 3 else "rejected"
        )
        if index == 10:
            rules.decide(project, rule_id=ids[0], action="pin", reason="x")
            rules.decide(project, rule_id=ids[1], action="retire", reason="x")
        if index == 20:
            rules.decide(project, rule_id=ids[2], action="reword", reason="x", text="Another text.")
            rules.add(project, text="A late rule.", globs=["*.py"])
    for session in started:
        assert sessions.replay(project, session.session_id).identical


def test_a_decision_replays_after_the_settings_changed(place: Place, project: Project) -> None:
    """What a project prefers today does not change what was decided before."""
    _add_rules(project, 5, prior=0.05)
    before = [sessions.start(project, task="x", seed=seed).session_id for seed in range(5)]
    project.close()
    place.configure("[selection]\nmin_effect = 0.5\nholdout = 1.0\n")
    changed = place.open(clock=project.clock)
    assert all(sessions.replay(changed, session_id).identical for session_id in before)
    after = sessions.start(changed, task="x")
    assert after.rules == []
    assert sessions.replay(changed, after.session_id).identical
    changed.close()


def test_two_processes_learn_the_same_bytes(project: Project) -> None:
    """A process that folded the events itself and one that restored a snapshot hold equal learners."""
    _add_rules(project, 6)
    other = Project(project.root, clock=project.clock, store=project.open_again())
    for index in range(130):
        by = (project, other)[index % 2]
        started = sessions.start(by, task="x")
        sessions.end(by, session_id=started.session_id, outcome="accepted" if index % 2 else "rejected")
    newcomer = Project(project.root, clock=project.clock, store=project.open_again())
    learned = set()
    for each in (project, other, newcomer):
        with each.read() as transaction:
            learned.add(each.learning(transaction).learner.to_bytes())
    assert len(learned) == 1
    other.close()
    newcomer.close()


def test_a_damaged_snapshot_is_only_a_cache(project: Project) -> None:
    """Without a usable snapshot a new process learns everything again from the log."""
    _add_rules(project, 3)
    for _ in range(110):
        started = sessions.start(project, task="x")
        sessions.end(project, session_id=started.session_id, outcome="accepted")
    with project.write() as transaction:
        learned = project.learning(transaction).learner.to_bytes()
        transaction.execute("UPDATE snapshot SET state=substr(state, 1, 100)")
    newcomer = Project(project.root, clock=project.clock, store=project.open_again())
    with newcomer.read() as transaction:
        assert newcomer.learning(transaction).learner.to_bytes() == learned
    newcomer.close()


def test_a_session_that_had_the_old_text_says_nothing_about_the_new(project: Project) -> None:
    """A rule reworded while a session was open is not judged by that session."""
    rule_id = rules.add(project, text="Sort imports.", prior=0.2).rule_id
    old = sessions.start(project, task="x", k=1).session_id
    rules.decide(project, rule_id=rule_id, action="reword", reason="clearer", text="Sort all imports.")
    new = sessions.start(project, task="x", k=1).session_id
    sessions.end(project, session_id=old, outcome="accepted")
    estimate = standings.explain(project, rule_id).estimate
    assert estimate.shown + estimate.withheld == 0
    sessions.end(project, session_id=new, outcome="accepted")
    estimate = standings.explain(project, rule_id).estimate
    assert estimate.shown + estimate.withheld == 1


def test_a_rule_for_other_work_is_not_a_candidate(project: Project) -> None:
    """Context and globs decide whether a rule applies; without paths, globs do not exclude."""
    rules.add(project, text="Only for docs.", context="docs")
    rules.add(project, text="Only for Python.", globs=["**/*.py"])
    assert sessions.start(project, task="x", context="docs", paths=["a.md"]).pool == 1
    assert sessions.start(project, task="x", context="code", paths=["a.py"]).pool == 1
    assert sessions.start(project, task="x", context="code", paths=["a.md"]).pool == 0
    assert sessions.start(project, task="x", context="docs").pool == 2


def test_candidates_restrict_the_pool(project: Project) -> None:
    """Only the named rules are drawn from; an unknown or unusable one is refused."""
    ids = _add_rules(project, 5)
    assert sessions.start(project, task="x", candidates=ids[:2]).pool == 2
    with pytest.raises(UnknownRule):
        sessions.start(project, task="x", candidates=["nothing-000000"])
    rules.decide(project, rule_id=ids[0], action="retire", reason="x")
    with pytest.raises(InvalidArgument, match="is retired"):
        sessions.start(project, task="x", candidates=ids[:1])


def test_evidence_enters_once_when_a_session_has_ended_and_has_a_reward(project: Project) -> None:
    """Reward then end, or end then reward: the session is scored at the second of the two, once."""
    _add_rules(project, 3)
    first = sessions.start(project, task="x").session_id
    assert rewards.log(project, outcome="accepted", session_id=first).session_score == 1.0
    assert _session(project, first).state == "open"
    assert sessions.end(project, session_id=first).state == "scored"
    second = sessions.start(project, task="x").session_id
    assert sessions.end(project, session_id=second).score is None
    late = rewards.log(project, outcome="rejected", session_id=second)
    assert (late.counted, late.session_score) == (True, 0.5)
    again = rewards.log(project, outcome="accepted", session_id=second)
    assert (again.counted, again.session_score) == (False, 0.5)
    assert "too late" in again.note
    with project.read() as transaction:
        assert project.learning(transaction).learner.sessions == 2


def test_rewards_are_weighted(project: Project) -> None:
    """Several rewards of one session count by their weights."""
    session_id = sessions.start(project, task="x").session_id
    rewards.log(project, outcome="accepted", session_id=session_id, weight=3)
    rewards.log(project, outcome="revision", session_id=session_id, revision_distance=1.0)
    assert sessions.end(project, session_id=session_id).score == pytest.approx(0.5 * 0.75 + 0.5)


def test_forgotten_sessions_are_abandoned_counted_and_prove_nothing(
    project: Project, clock: ManualClock
) -> None:
    """A session silent for a day is closed; its evidence never enters, and a reward that comes later says so."""
    _add_rules(project, 3)
    forgotten = sessions.start(project, task="x").session_id
    clock.forward(hours=23)
    sessions.start(project, task="y")
    assert _session(project, forgotten).state == "open"
    clock.forward(hours=2)
    sessions.start(project, task="z")
    assert _session(project, forgotten).state == "abandoned"
    with project.read() as transaction:
        learner = project.learning(transaction).learner
    assert (learner.sessions, learner.unscored) == (0, 1)
    assert reports.status(project).sessions["abandoned"] == 1
    late = rewards.log(project, outcome="accepted", session_id=forgotten)
    assert not late.counted and late.session_score is None
    assert "nobody ended it within 24 hours" in late.note and "call session_end" in late.note


def test_a_rewarded_session_that_is_forgotten_ends_with_its_outcome(
    project: Project, clock: ManualClock
) -> None:
    """Only the call that ends it is missing: after a day of silence it is scored, as of when it was last heard of."""
    _add_rules(project, 3)
    forgotten = sessions.start(project, task="x").session_id
    clock.forward(hours=1)
    mistakes.log(project, error_class="a", description="b", session_id=forgotten)
    rewards.log(project, outcome="accepted", session_id=forgotten)
    clock.forward(hours=25)
    assert reports.status(project).warnings == []
    sessions.start(project, task="y")
    session = _session(project, forgotten)
    assert (session.state, session.score) == ("scored", 0.75)
    assert session.ended - session.started == HOUR
    with project.read() as transaction:
        learner = project.learning(transaction).learner
    assert (learner.sessions, learner.unscored) == (1, 0)


def test_rewarded_and_unrewarded_sessions_are_forgotten_together(
    project: Project, clock: ManualClock
) -> None:
    """Each ends as it should, and every process learns the same of them."""
    _add_rules(project, 3)
    ids = [sessions.start(project, task="x").session_id for _ in range(6)]
    for session_id in ids[::2]:
        rewards.log(project, outcome="rejected", session_id=session_id)
    clock.forward(hours=25)
    sessions.start(project, task="y")
    assert [_session(project, one).state for one in ids] == ["scored", "abandoned"] * 3
    other = Project(project.root, clock=project.clock, store=project.open_again())
    learned = set()
    for each in (project, other):
        with each.read() as transaction:
            learned.add(each.learning(transaction).learner.to_bytes())
    assert len(learned) == 1
    other.close()


def test_the_status_says_how_a_silent_session_is_saved(project: Project, clock: ManualClock) -> None:
    """It names one with the command that ends it, and that command counts."""
    silent = sessions.start(project, task="x").session_id
    clock.forward(hours=25)
    [warning] = reports.status(project).warnings
    assert warning.startswith("1 open session without a reward")
    assert f"vettle session end --session {silent} --outcome accepted" in warning
    assert sessions.end(project, session_id=silent, outcome="accepted").state == "scored"


def test_a_closed_session_has_no_score_in_any_list(project: Project, clock: ManualClock) -> None:
    """What it was rewarded with before earlier versions abandoned it is no score."""
    session_id = sessions.start(project, task="x").session_id
    rewards.log(project, outcome="accepted", session_id=session_id)
    with project.write() as transaction:
        transaction.execute("UPDATE session SET state='abandoned' WHERE project=?", (transaction.project,))
    report = reports.report(project, kind="sessions", period="all").sessions
    assert report is not None and [one.score for one in report.sessions] == [None]


def test_a_verdict_that_comes_after_the_tests_says_why_and_what_changes(project: Project) -> None:
    """It names the newest session, which its tests have scored, and the next one waits, if the settings let it."""
    session_id = sessions.start(project, task="x").session_id
    sessions.end(project, session_id=session_id)
    rewards.log(project, outcome="accepted", session_id=session_id, source="ci", weight=0.5)
    assert rewards.tests_wait_hours(project) == rewards.FIRST_VERDICT_HOURS
    for named in ("", session_id):
        late = rewards.log(project, outcome="rejected", source="human", session_id=named)
        assert not late.counted
        assert session_id in late.note and "scored by its tests already" in late.note
        assert "wait 24 hours for a verdict" in late.note and "a report of CI does not" in late.note
    assert rewards.tests_wait_hours(project) == 24


def test_tests_that_never_wait_are_told_from_those_that_do(place: Place, clock: ManualClock) -> None:
    """Where the settings let tests count at once, the answer names the setting."""
    place.configure("[hooks]\ntests_wait_hours = 0\n")
    project = place.open(clock=clock)
    session_id = sessions.start(project, task="x").session_id
    rewards.log(project, outcome="accepted", source="ci")
    sessions.end(project, session_id=session_id)
    late = rewards.log(project, outcome="rejected", source="human")
    assert "tests_wait_hours" in late.note
    assert rewards.tests_wait_hours(project) == 0
    project.close()


def test_a_second_verdict_says_that_the_first_one_counted(project: Project) -> None:
    """Nothing is promised that will not happen: no setting makes a session count twice."""
    session_id = sessions.start(project, task="x").session_id
    sessions.end(project, session_id=session_id, outcome="accepted")
    late = rewards.log(project, outcome="rejected")
    assert session_id in late.note and "scored already" in late.note and "tests" not in late.note


def test_the_distance_of_a_revision_goes_with_nothing_else(project: Project) -> None:
    """A distance beside another outcome is refused, not dropped; nothing is recorded."""
    session_id = sessions.start(project, task="x").session_id
    outcomes: tuple[tuple[Literal["accepted", "rejected"], float], ...] = (
        ("accepted", 0.2),
        ("rejected", 0.0),
    )
    for outcome, distance in outcomes:
        with pytest.raises(InvalidArgument, match="pass the outcome revision"):
            rewards.log(project, outcome=outcome, session_id=session_id, revision_distance=distance)
    assert _session(project, session_id).reward_weight == 0
    rewards.log(project, outcome="accepted", session_id=session_id, revision_distance=0.0)
    assert _session(project, session_id).reward_weight == 1


def test_an_ended_session_without_a_reward_closes_after_a_week(project: Project, clock: ManualClock) -> None:
    """Nobody's judgement means no evidence, and the session is counted as unrewarded."""
    session_id = sessions.start(project, task="x").session_id
    sessions.end(project, session_id=session_id)
    clock.forward(days=6)
    sessions.start(project, task="y")
    assert _session(project, session_id).state == "ended"
    clock.forward(days=2)
    sessions.start(project, task="z")
    assert _session(project, session_id).state == "unrewarded"


def test_one_open_session_need_not_be_named_and_two_must(project: Project) -> None:
    """Without an id the only open session is meant; with two, the error lists both."""
    first = sessions.start(project, task="x").session_id
    assert mistakes.log(project, error_class="a", description="b").session_id == first
    second = sessions.start(project, task="y").session_id
    with pytest.raises(AmbiguousSession) as error:
        mistakes.log(project, error_class="a", description="b")
    assert first in str(error.value) and second in str(error.value)


def test_ending_needs_an_open_session(project: Project) -> None:
    """No session, an unknown one, and one that has ended are three different errors."""
    with pytest.raises(AmbiguousSession, match="no session is open"):
        sessions.end(project)
    with pytest.raises(UnknownSession, match="session_start"):
        sessions.end(project, session_id="s-000000000000")
    session_id = sessions.start(project, task="x").session_id
    sessions.end(project, session_id=session_id)
    with pytest.raises(StatusRefused, match="reward_log"):
        sessions.end(project, session_id=session_id)
    rewards.log(project, outcome="accepted", session_id=session_id)
    with pytest.raises(StatusRefused, match="Possible now: session_start"):
        sessions.end(project, session_id=session_id)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x"])
def test_paths_stay_inside_the_project(project: Project, path: str) -> None:
    """A path out of the project is refused by name, wherever one is taken."""
    session_id = sessions.start(project, task="x").session_id
    for call in (
        lambda: sessions.start(project, task="x", paths=[path]),
        lambda: sessions.end(project, session_id=session_id, entry_file=path),
        lambda: mistakes.log(project, error_class="a", description="b", file=path),
    ):
        with pytest.raises(InvalidArgument, match="outside the project"):
            call()
    assert _session(project, session_id).state == "open"


@pytest.mark.parametrize(
    "path", ["src/a.py", "./src/a.py", "src\\a.py", "{root}/src/a.py", "src/../src/a.py"]
)
def test_a_path_inside_the_project_may_be_written_in_any_way(project: Project, path: str) -> None:
    """Absolute, with a dot or with backslashes: the same file is meant, and globs match it."""
    rules.add(project, text="Only for sources.", globs=["src/*.py"])
    given = path.format(root=project.root)
    assert project.relative("paths", given) == "src/a.py"
    assert sessions.start(project, task="x", paths=[given]).pool == 1


def test_a_link_out_of_the_project_is_outside(project: Project, tmp_path: Path) -> None:
    """A symbolic link inside the project does not lead a path out of it."""
    (project.root / "link").symlink_to(tmp_path.parent)
    with pytest.raises(InvalidArgument, match="outside the project"):
        sessions.start(project, task="x", paths=["link/other"])


def test_selection_fails_open_when_nothing_can_be_written(project: Project, tmp_path: Path) -> None:
    """When the store cannot be made, the agent gets an answer, no session id, and the reason."""
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / ".vettle").write_text("in the way")
    started = sessions.start(Project(blocked), task="x")
    assert (started.session_id, started.rules) == ("", [])
    assert "Not recorded" in started.note


def test_a_good_rule_is_proven_by_coins_and_a_bad_one_is_dropped(project: Project) -> None:
    """A rule that decides success is proven and rendered; one that ruins it is soon not shown any more."""
    good, bad = _add_rules(project, 2, prior=0.15)
    changes, shown_late = [], 0
    for index in range(300):
        started = sessions.start(project, task="x", k=2, seed=index, client_ref=f"s{index}")
        shown = {rule.id for rule in started.rules}
        shown_late += index >= 200 and bad in shown
        outcome: Literal["accepted", "rejected"] = "accepted" if shown == {good} else "rejected"
        ended = sessions.end(project, session_id=started.session_id, outcome=outcome)
        changes += [(change.rule_id, change.new) for change in ended.status_changes]
    assert changes == [(good, "proven")]
    assert shown_late == 0
    assert [rule.id for rule in standings.to_render(project).rules] == [good]
    assert standings.page(project, detailed=True).discoveries == [good]
