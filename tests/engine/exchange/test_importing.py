"""Recording what a reader found: once, all of it or nothing, as history that proves nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import ManualClock

from vettle.engine import reports, rules, sessions
from vettle.engine.clock import DAY, HOUR, SECOND
from vettle.engine.errors import InvalidArgument
from vettle.engine.exchange.facts import (
    AssignmentFact,
    ExperimentFact,
    Fact,
    Keys,
    MistakeFact,
    Place,
    Reading,
    RewardFact,
    RuleFact,
    RunFact,
    SessionFact,
    VariableFact,
    for_project,
)
from vettle.engine.exchange.importing import MOST_NOTES, import_reading
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.records import Rule
from vettle.engine.store import events
from vettle.engine.store import experiments as experiments_table
from vettle.engine.store import rules as rules_table
from vettle.engine.store import runs as runs_table
from vettle.engine.store import sessions as sessions_table
from vettle.engine.store.maintenance import check, rebuild, tables

LONG_AGO = 1_700_000_000 * SECOND
METRIC = MetricInput(name="score", direction="higher", range=(0.0, 1.0))
SECRET = "ghp_" + "a1B2" * 9
"""Text in the form of an access token, which opens nothing."""


def place(line: int, file: str = "log.jsonl") -> Place:
    """Return a line of the source."""
    return Place(file, line)


def a_session(number: int = 1) -> SessionFact:
    """Return a session of the source."""
    return SessionFact(
        key=f"s{number}",
        place=place(number, "sessions.jsonl"),
        task=f"task {number}",
        context="type-errors",
        started=LONG_AGO + number * DAY,
        ended=LONG_AGO + number * DAY + HOUR,
    )


def a_reward(number: int = 1, session: str = "s1", value: float = 1.0) -> RewardFact:
    """Return a reward of the source."""
    return RewardFact(
        key=f"r{number}",
        place=place(number, "rewards.jsonl"),
        outcome="revision",
        value=value,
        session=session,
        happened=LONG_AGO + number * DAY,
    )


def a_mistake(number: int = 1, session: str = "s1", text: str = "forgot to close the file") -> MistakeFact:
    """Return a mistake of the source."""
    return MistakeFact(
        key=f"m{number}",
        place=place(number, "mistakes.jsonl"),
        error_class="resources",
        description=text,
        session=session,
        happened=LONG_AGO + number * DAY,
    )


def a_rule(key: str = "rule", text: str = "Close what you open", **fields: object) -> RuleFact:
    """Return a rule of the source."""
    return replace(RuleFact(key=key, place=place(0, "rules.json"), text=text), **fields)  # type: ignore[arg-type]


def an_experiment(*variants: str, **fields: object) -> ExperimentFact:
    """Return an experiment of the source."""
    fact = ExperimentFact(
        key="e",
        place=place(1, "ledger.jsonl"),
        name="hooks",
        variants=tuple(VariantInput(name=name, config={"hook": name}) for name in variants),
        metric=METRIC,
        variable="hook",
        created=LONG_AGO,
    )
    return replace(fact, **fields)  # type: ignore[arg-type]


def a_run(number: int, variant: str, score: float = 0.5) -> RunFact:
    """Return a result of that experiment."""
    run = RunInput(unit=f"u{number}", variant=variant, metrics={"score": score})
    return RunFact(
        key=f"run{number}",
        place=place(number, "ledger.jsonl"),
        experiment="e",
        run=run,
        happened=LONG_AGO + number * DAY,
    )


def read(*facts: Fact, system: str = "peer", identity: str = "") -> Reading:
    """Return a reading of these facts."""
    rows = Counter(file for file, _ in dict.fromkeys((fact.place.file, fact.place.line) for fact in facts))
    return Reading(system, identity, dict(rows), list(facts))


def everything() -> Reading:
    """Return a reading with every kind of fact."""
    return read(
        VariableFact(key="v", place=place(1, "variables.json"), name="hook", aliases=("opening",)),
        a_rule(found_again=2),
        a_session(),
        a_mistake(),
        a_reward(),
        an_experiment("question", "number"),
        AssignmentFact(
            key="a",
            place=place(1, "ledger.jsonl"),
            experiment="e",
            unit="u1",
            variant="question",
            happened=LONG_AGO,
        ),
        a_run(1, "question"),
        a_run(2, "number"),
    )


def state(project: Project) -> dict[str, list[object]]:
    """Return every folded table, and how many events there are."""
    with project.read() as transaction:
        found: dict[str, list[object]] = {name: list(rows) for name, rows in tables(transaction).items()}
        return {**found, "events": [events.count(transaction)]}


def rule(project: Project, text: str = "Close what you open") -> Rule:
    """Return the rule with the text."""
    with project.read() as transaction:
        return next(one for one in rules_table.every(transaction) if one.text == text)


def test_every_kind_of_fact_is_recorded_once(project: Project) -> None:
    """A second import of the same source finds everything known and records nothing."""
    first = import_reading(project, everything())
    assert first.new == {
        "variables": 1,
        "rules": 1,
        "reinforcements": 1,
        "mistakes": 1,
        "sessions": 1,
        "rewards": 1,
        "experiments": 1,
        "assignments": 1,
        "runs": 2,
    }
    before = state(project)
    second = import_reading(project, everything())
    assert (second.new, second.known) == ({}, 7)
    assert all(file.taken == 0 and file.known == file.rows for file in second.files)
    assert state(project) == before


def test_tables_are_what_the_imported_events_say(project: Project) -> None:
    """Recounting and rebuilding after an import changes nothing."""
    import_reading(project, everything())
    assert check(project._opened()) == []
    before = state(project)
    rebuild(project._opened())
    assert state(project) == before


def test_all_or_nothing(project: Project) -> None:
    """One fact that cannot be recorded takes everything back: here two variants of one name."""
    before = state(project)
    bad = an_experiment("question", "question")
    with pytest.raises(InvalidArgument):
        import_reading(project, read(a_session(), a_mistake(), a_rule(), bad))
    assert state(project) == before
    assert import_reading(project, read(a_session())).new == {"sessions": 1}


def test_a_dry_run_leaves_no_trace(tmp_path: Path, clock: ManualClock) -> None:
    """Looking first tells what would be taken, and makes no folder in the project."""
    project = Project(tmp_path, clock=clock)
    try:
        seen = import_reading(project, everything(), apply=False)
        assert (seen.applied, seen.new["runs"]) == (False, 2)
        assert list(tmp_path.iterdir()) == []
    finally:
        project.close()


def test_a_dry_run_leaves_no_trace_in_what_is_learned(tmp_path: Path, clock: ManualClock) -> None:
    """A process that only looked, as a server does for its agent, knows of every rule that is added then."""
    project = Project(tmp_path, clock=clock)
    try:
        import_reading(project, read(a_rule(retired="rejected there")), apply=False)
        rules.add(project, text="Name units")
        assert sessions.start(project, task="x", seed=1).pool == 1
    finally:
        project.close()


def test_few_of_many_notes_are_shown(project: Project) -> None:
    """An agent reads every character of the answer, so the notes are counted where there are more."""
    reading = read(a_session())
    reading.notes += [f"note {number}" for number in range(400)]
    notes = import_reading(project, reading).notes
    assert (len(notes), notes[-1]) == (MOST_NOTES + 1, f"The first {MOST_NOTES} of 400 notes.")


def test_a_dry_run_in_a_project_with_a_store_records_nothing(project: Project) -> None:
    """What a dry run says is what the import then does, and only the import does it."""
    import_reading(project, read(a_session(2)))
    before = state(project)
    seen = import_reading(project, everything(), apply=False)
    assert state(project) == before
    assert import_reading(project, everything()).new == seen.new


def test_a_source_that_grew_gives_only_what_is_new(project: Project) -> None:
    """Rows that came since the last import are taken, also those of a session that was known."""
    import_reading(project, everything())
    grown = everything()
    grown.facts += [a_session(2), a_mistake(2, "s2"), a_reward(2, "s2", 0.25), a_run(3, "question")]
    assert import_reading(project, grown).new == {"mistakes": 1, "sessions": 1, "rewards": 1, "runs": 1}
    assert check(project._opened()) == []


def test_new_variants_get_an_experiment_of_their_own(project: Project) -> None:
    """A design never changes, so what a new variant did stands in a second experiment, and the rest stays."""
    import_reading(project, read(an_experiment("question", "number"), a_run(1, "question")))
    grown = read(an_experiment("question", "number", "story"), a_run(1, "question"), a_run(2, "story"))
    assert import_reading(project, grown).new == {"experiments": 1, "runs": 1}
    assert import_reading(project, grown).new == {}
    with project.read() as transaction:
        found = experiments_table.in_states(transaction, ("concluded",))
        units = {one.name: [run.unit for run in runs_table.since(transaction, one.id, 0)] for one in found}
    assert units == {"hooks": ["u1"], "hooks (2)": ["u2"]}


def test_a_sessions_score_is_ours(project: Project) -> None:
    """It is computed from rewards and mistakes as for our own sessions, and without a reward there is none."""
    import_reading(
        project,
        read(a_session(1), a_session(2), a_mistake(1, "s1"), a_reward(1, "s1", 1.0), a_reward(2, "s1", 0.5)),
    )
    with project.read() as transaction:
        (scored,) = sessions_table.in_state(transaction, "scored")
        (unrewarded,) = sessions_table.in_state(transaction, "unrewarded")
    assert scored.mistakes == 1
    assert scored.score is not None and 0 < scored.score < 0.75
    assert unrewarded.score is None


def test_imported_sessions_are_no_evidence_about_rules(project: Project) -> None:
    """Nobody's coin flip showed rules there, so no rule has been shown or withheld after an import."""
    import_reading(project, everything())
    identity = rule(project).id
    with project.read() as transaction:
        learner = project.learning(transaction).learner
        assert learner.standing(identity, "trial") == ("trial", "")
    assert not [row for row in state(project)["stat"] if "rule" in row]  # type: ignore[operator]


def test_times_land_on_their_day(project: Project, clock: ManualClock) -> None:
    """What happened two years ago counts there and not today."""
    import_reading(project, everything())
    clock.forward(seconds=1)
    recent = reports.report(project, kind="sessions", period="30d")
    ever = reports.report(project, kind="sessions", period="all")
    assert recent.sessions is not None and ever.sessions is not None
    assert (recent.sessions.by_state["started"], ever.sessions.by_state["started"]) == (0, 1)


def test_mistakes_without_a_session_are_kept(project: Project) -> None:
    """They count among the mistakes and for nobody's session."""
    import_reading(project, read(a_session(), a_mistake(1, "")))
    with project.read() as transaction:
        logged = next(one for one in events.every(transaction) if one.kind == "mistake_logged")
    assert logged.session == ""


def test_a_mistake_made_again_in_another_session_is_a_repeat(project: Project) -> None:
    """Repeats are told by our rule, in the order in which they happened, whatever the order of the rows."""
    import_reading(
        project,
        read(a_session(1), a_session(2), a_mistake(2, "s2"), a_mistake(1, "s1"), a_mistake(3, "s2")),
    )
    with project.read() as transaction:
        logged = [one for one in events.every(transaction) if one.kind == "mistake_logged"]
    assert [one.metrics["repeat"] for one in sorted(logged, key=lambda one: one.happened)] == [0.0, 1.0, 1.0]


def test_secrets_are_not_stored(project: Project) -> None:
    """A rule that holds one is left out with the reason; in other texts it is replaced."""
    answer = import_reading(
        project,
        read(
            a_rule(text=f"Use {SECRET} to log in"),
            replace(a_session(), task=f"log in with {SECRET}"),
            a_mistake(text=f"sent {SECRET} to the log"),
            replace(a_reward(), notes=SECRET),
        ),
    )
    assert "secret" in answer.files[0].skipped[0].reason
    assert SECRET not in repr(state(project))
    with project.read() as transaction:
        assert SECRET not in repr(list(events.every(transaction)))


def test_a_rejected_rule_is_retired(project: Project) -> None:
    """Also when it was rejected after the first import; whoever restores it here has the last word."""
    import_reading(project, read(a_rule()))
    assert rule(project).status == "trial"
    later = import_reading(project, read(a_rule(retired="rejected there")))
    assert later.new == {"retirements": 1}
    assert (rule(project).status, rule(project).reason) == ("retired", "rejected there")
    rules.decide(project, rule_id=rule(project).id, action="restore", reason="it is needed here")
    assert import_reading(project, read(a_rule(retired="rejected there"))).new == {}
    assert rule(project).status == "trial"


def test_a_rule_of_ours_is_not_retired_by_an_import(project: Project) -> None:
    """A rejection elsewhere says nothing about a rule that somebody wrote here."""
    rules.add(project, text="Close what you open", source="human")
    import_reading(project, read(a_rule(retired="rejected there")))
    assert rule(project).status == "trial"


def test_finding_a_rule_again_is_counted_as_often_as_it_was(project: Project) -> None:
    """Two, then five times makes five, and not seven."""
    import_reading(project, read(a_rule(found_again=2)))
    import_reading(project, read(a_rule(found_again=5)))
    import_reading(project, read(a_rule(found_again=5)))
    with project.read() as transaction:
        times = [one.metrics["n"] for one in events.every(transaction) if one.kind == "rule_reinforced"]
    assert times == [2.0, 3.0]


def test_equal_keys_of_two_stores_are_two_facts(project: Project) -> None:
    """`identity` and the system keep apart what is numbered alike in two places."""
    assert import_reading(project, read(a_session(), identity="one")).new == {"sessions": 1}
    assert import_reading(project, read(a_session(), identity="two")).new == {"sessions": 1}
    assert import_reading(project, read(a_session(), system="other")).new == {"sessions": 1}


def test_an_open_experiment_is_concluded_where_its_variable_is_taken(project: Project) -> None:
    """Two open experiments on one variable would spoil each other, so the imported one is ended, with a note."""
    first = read(an_experiment("question", "number", ending="running"), identity="one")
    second = read(an_experiment("question", "number", ending="running"), identity="two")
    assert import_reading(project, first).notes == []
    assert "holds the variable" in import_reading(project, second).notes[0]
    with project.read() as transaction:
        assert len(experiments_table.in_states(transaction, ("running",))) == 1


def test_only_this_projects_facts_are_taken_from_a_store_of_several(project: Project) -> None:
    """A project is known by its folder or by its name, and the facts of the others are left out by name."""
    mine = replace(a_session(1), owner=f"/elsewhere/{project.root.name}")
    other = replace(a_session(2), owner="/elsewhere/other")
    answer = import_reading(project, read(mine, other))
    assert answer.new == {"sessions": 1}
    assert answer.files[0].skipped[0].reason == "it belongs to another project: /elsewhere/other"


def test_a_store_that_does_not_know_this_project_is_taken_whole() -> None:
    """Then nothing tells whose the facts are, and a note says which projects were mixed."""
    reading = read(replace(a_session(1), owner="/a/one"), replace(a_session(2), owner="/a/two"))
    found = for_project(reading, Path("/b/three"))
    assert len(found.facts) == 2
    assert "/a/one, /a/two" in found.notes[0]


def test_keys_tell_equal_rows_apart() -> None:
    """The same rows in the same order have the same keys, and two equal rows have two."""
    one, two = Keys(), Keys()
    rows = [{"a": 1}, {"a": 1}, {"a": float("nan")}, {"b": [1.5, "x"]}]
    first = [one.of(row) for row in rows]
    assert first == [two.of(row) for row in rows]
    assert len(set(first)) == 4
