"""What hooks leave is recorded once, at its time, as what it is; what cannot be recorded is put aside."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.places import Place, stored
from tests.server.hooks.assistants import (
    Assistant,
    claude,
    claude_batch,
    claude_failure,
    claude_prompt,
    claude_success,
    codex,
    codex_command,
    cursor,
    cursor_command,
    sessions,
    surroundings,
)

from vettle.engine import overall, rewards, rules, standings
from vettle.engine import sessions as engine_sessions
from vettle.engine.project import Project
from vettle.engine.records import Decision
from vettle.engine.store import events
from vettle.engine.store.events import Event
from vettle.engine.store.sessions import Session
from vettle.server import surroundings as project_surroundings
from vettle.server.hooks import claiming, payloads, preparing, recording, spool
from vettle.server.hooks.sessions import TESTS_WEIGHT

FAILED_TESTS = (
    "Exit code 1\nFAILED tests/test_a.py::test_x - assert 1 == 2\n==== 1 failed, 4 passed in 0.1s ===="
)


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("VETTLE_PROJECT", "CLAUDE_PROJECT_DIR", "VETTLE_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".vettle").mkdir()
    return tmp_path


def _score_at_once(root: Path) -> None:
    """Let the tests reward sessions without waiting for anybody."""
    (root / ".vettle" / "config.toml").write_text("[hooks]\ntests_wait_hours = 0\n")


def _judge_another(root: Path) -> None:
    """Let a person judge a session, so that more than tests is to be expected here."""
    project = Project(root)
    begun = engine_sessions.start(project, task="an earlier one")
    engine_sessions.end(project, session_id=begun.session_id, outcome="accepted")
    project.close()


def _of_hooks(root: Path) -> list[Session]:
    return [session for session in sessions(root) if session.agent]


@pytest.fixture(name="agent")
def _agent(root: Path) -> Assistant:
    return Assistant(root)


def _events(root: Path, kind: str) -> list[Event]:
    project = Project(root)
    with project.read() as transaction:
        found = [event for event in events.every(transaction) if event.kind == kind]
    project.close()
    return found


def _only(root: Path) -> Session:
    [session] = sessions(root)
    return session


def test_a_session_from_start_to_end(agent: Assistant, root: Path) -> None:
    """It begins and ends when it did, with its failure as a mistake and its last test run as a reward of half weight."""
    _score_at_once(root)
    began = agent.now
    agent.happen(
        claude(root, "SessionStart", source="startup", model="claude-x"),
        claude_prompt(root),
        claude_failure(root, "pytest -q", FAILED_TESTS),
        claude_success(root, "pytest -q", "5 passed in 0.1s"),
        claude(root, "SessionEnd", reason="other"),
    )
    session = _only(root)
    assert (session.agent, session.model, session.state, session.mistakes) == (
        "claude-code",
        "claude-x",
        "scored",
        1,
    )
    assert (session.outcome, session.reward_weight) == (1.0, TESTS_WEIGHT)
    minute = 60_000_000
    assert session.started == began // 1_000 + 2 * minute
    assert session.ended == session.started + 3 * minute
    [mistake] = _events(root, "mistake_logged")
    assert mistake.subject == "test-failure"
    assert mistake.data["description"] == "pytest: tests/test_a.py::test_x - assert 1 == 2"
    assert mistake.data["file"] == "tests/test_a.py"
    [reward] = _events(root, "reward_logged")
    assert (reward.subject, reward.choice) == ("accepted", "ci")


def test_hooks_work_over_either_store(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session is handed its rules and ends; where others share the database, what is prepared is soon too old."""
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    place.configure("[hooks]\ntests_wait_hours = 0\n")
    agent = Assistant(place.root)
    project = place.open()
    rules.add(project, text="Sort the imports.", prior=0.3)
    preparing.prepare_ahead(project)
    project.close()
    hours = [
        int(path.name.partition("-")[0]) - time.time_ns() for path in (agent.folder / "prepared").iterdir()
    ]
    valid = preparing.SHARED_VALID_HOURS if place.shared else preparing.VALID_HOURS
    assert len(hours) == preparing.KEPT and all(valid - 0.1 < hour / 3_600e9 <= valid for hour in hours)
    known = _claimed(agent, "claude-code-d04388d8-8190-4f79-9fc8-6d6be5f2966a")
    agent.happen(
        claude(place.root, "SessionStart"),
        claude_failure(place.root, "pytest", FAILED_TESTS),
        claude(place.root, "SessionEnd"),
    )
    [session] = sessions(place.root)
    assert (session.state, session.mistakes) == ("scored", 1)
    assert session.decision == Decision.model_validate(known["prepared"]["decision"])


def test_sessions_of_all_three_assistants_become_mistakes(root: Path) -> None:
    """Each says in its own way that a command failed."""
    for client, start, failure in (
        (
            "claude-code",
            claude(root, "SessionStart"),
            claude_failure(root, "nope", "Exit code 127\nnope: command not found"),
        ),
        (
            "codex",
            codex(root, "SessionStart"),
            codex_command(root, "nope", "/bin/bash: line 1: nope: command not found\n"),
        ),
        (
            "cursor",
            cursor(root, "sessionStart"),
            cursor_command(root, "nope", "zsh: command not found: nope", 127),
        ),
    ):
        Assistant(root, client).happen(start, failure)
    assert [mistake.subject for mistake in _events(root, "mistake_logged")] == ["command-not-found"] * 3
    assert {session.agent for session in sessions(root)} == {"claude-code", "codex", "cursor"}


def test_the_same_mistake_counts_once_in_a_session(agent: Assistant, root: Path) -> None:
    """Again with other numbers it is the same; in another session it is a repeat; another class is another mistake."""
    agent.happen(
        claude(root, "SessionStart"),
        claude_failure(root, "make all", "Exit code 2\nerror: line 3 is bad"),
        claude_failure(root, "make all", "Exit code 2\nerror: line 77 is bad"),
        claude_failure(root, "mypy .", "Exit code 1\nmake all: error: line 3 is bad"),
    )
    assert [event.subject for event in _events(root, "mistake_logged")] == ["build-failure", "type-error"]
    agent.happen(claude_failure(root, "make all", "Exit code 2\nerror: line 5 is bad", session_id="another"))
    assert [event.metrics["repeat"] for event in _events(root, "mistake_logged")] == [0.0, 0.0, 1.0]


def test_a_secret_reaches_neither_the_store_nor_what_is_put_aside(agent: Assistant, root: Path) -> None:
    """It is redacted when it is recorded, and the file it lay in, for its owner's eyes only, is gone."""
    secret = "sk-live-" + "a1b2c3d4e5f6a7b8c9d0"
    file = agent.leave(claude_failure(root, f"curl -H {secret}", f"Exit code 1\nerror: denied for {secret}"))
    assert file is not None and secret.encode() in file.read_bytes()
    assert os.name == "nt" or file.stat().st_mode & 0o077 == 0
    bad = agent.leave(claude_failure(root, "x", f"Exit code 1\n{secret}"))
    assert bad is not None
    bad.write_text(bad.read_text().replace('"session"', '"sesion"'))
    recording.record(str(root))
    [mistake] = _events(root, "mistake_logged")
    assert "[redacted]" in mistake.data["description"]
    project = Project(root)
    assert secret.encode() not in stored(project)
    project.close()
    assert all(secret.encode() not in path.read_bytes() for path in agent.folder.rglob("*") if path.is_file())


def test_what_is_no_event_is_put_aside_with_the_reason(agent: Assistant, root: Path) -> None:
    """The others are recorded, and of those that are refused the newest hundred are kept."""
    for number in range(120):
        (agent.folder / "spool" / f"{agent.now + number:020d}-1.json").write_text(
            '{"kind": 5' + "}" * (number % 2)
        )
    (agent.folder / "spool" / "name.json").write_text("{}")
    agent.happen(claude_prompt(root))
    refused = sorted((agent.folder / "spool" / "refused").iterdir())
    assert len(refused) == recording.MOST_REFUSED
    assert "KeyError" in json.loads(refused[-2].read_text())["reason"]
    assert spool.waiting(str(agent.folder)) == []
    assert len(sessions(root)) == 1


def test_a_spool_that_came_with_a_repository_writes_nothing_elsewhere(agent: Assistant, root: Path) -> None:
    """The name of a session becomes the name of a file, so one that is no name is put aside."""
    for number, name in enumerate(("../../../planted-elsewhere", "codex-/x", "", "codex-x\n")):
        event = {"client": "codex", "kind": "start", "session": name, "folder": "", "model": ""}
        spool.write(
            str(agent.folder / "spool" / f"{agent.now + number:020d}-1.json"), json.dumps(event).encode()
        )
    recording.record(str(root))
    assert sessions(root) == []
    assert len(list((agent.folder / "spool" / "refused").iterdir())) == 4
    assert not list(root.parent.glob("planted-elsewhere*"))


def test_events_wait_while_the_database_cannot_be_written(agent: Assistant, root: Path) -> None:
    """Nothing is lost, and a line in the log, which stays small, says why."""
    agent.happen(claude_prompt(root))
    good = {path: path.read_bytes() for path in (root / ".vettle").glob("vettle.db*")}
    for path in good:
        path.unlink()
    (root / ".vettle" / "vettle.db").write_bytes(b"no database" * 500)
    for _ in range(3):
        agent.happen(claude_failure(root, "make", "Exit code 2\nerror: no rule"))
    assert len(spool.waiting(str(agent.folder))) == 3
    assert "StoreDamaged" in (agent.folder / "worker.log").read_text()
    for path, content in good.items():
        path.write_bytes(content)
    recording.record(str(root))
    assert spool.waiting(str(agent.folder)) == []
    assert len(_events(root, "mistake_logged")) == 1


def test_killing_the_recorder_anywhere_records_everything_once(agent: Assistant, root: Path) -> None:
    """Killed ten times within its work and then left alone, it has recorded each event exactly once."""
    draws = random.Random(3)
    _score_at_once(root)
    agent.leave(claude(root, "SessionStart"))
    words = (
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
    )
    for word in words:
        for other in words[:6]:
            agent.leave(claude_failure(root, "make", f"Exit code 2\nerror {word} of {other}"))
    agent.leave(claude_success(root, "pytest", "1 passed"))
    agent.leave(claude(root, "SessionEnd"))
    waiting = []
    for _ in range(10):
        command = [sys.executable, "-m", "vettle", "hook", "record", str(root)]
        process = subprocess.Popen(command, env=surroundings(), cwd=root)
        time.sleep(draws.uniform(0.25, 0.7))
        process.send_signal(signal.SIGKILL)
        process.wait()
        waiting.append(len(spool.waiting(str(agent.folder))))
    recording.record(str(root))
    assert spool.waiting(str(agent.folder)) == []
    session = _only(root)
    assert (session.state, session.mistakes, session.reward_weight) == ("scored", 72, TESTS_WEIGHT)
    assert len(_events(root, "mistake_logged")) == 72
    assert len(_events(root, "session_ended")) == len(_events(root, "reward_logged")) == 1


@pytest.mark.parametrize(
    ("events_", "expected"),
    [
        ([("pytest", "Exit code 1\n1 failed")], 0.0),
        ([("pytest", "Exit code 1\n1 failed"), ("pytest", "3 passed")], 1.0),
        ([("pytest", "3 passed"), ("pytest", "Exit code 1\n1 failed")], 0.0),
        ([("pytest", "Exit code 5\nno tests ran in 0.01s")], None),
        ([("ls nowhere", "Exit code 2\nls: cannot access")], None),
        ([], None),
    ],
)
def test_the_last_test_run_is_the_outcome(
    events_: list[tuple[str, str]], expected: float | None, agent: Assistant, root: Path
) -> None:
    """Without one the session has ended and waits for a reward."""
    _score_at_once(root)
    agent.leave(claude_prompt(root))
    for command, output in events_:
        failed = output.startswith("Exit")
        agent.leave((claude_failure if failed else claude_success)(root, command, output))
    agent.happen(claude(root, "SessionEnd"))
    session = _only(root)
    assert (session.outcome, session.state) == (expected, "ended" if expected is None else "scored")


def test_what_the_agent_logged_itself_is_not_logged_again(agent: Assistant, root: Path) -> None:
    """Neither a reward beside its own, nor a second end; and no error."""
    agent.happen(claude_prompt(root), claude_success(root, "pytest", "1 passed"))
    project = Project(root)
    rewards.log(project, outcome="rejected", session_id=_only(root).id)
    engine_sessions.end(project, session_id=_only(root).id)
    project.close()
    agent.happen(claude(root, "SessionEnd"), claude(root, "SessionEnd"))
    assert (_only(root).outcome, _only(root).state) == (0.0, "scored")
    assert len(_events(root, "reward_logged")) == len(_events(root, "session_ended")) == 1
    assert not (agent.folder / "spool" / "refused").exists()


def test_an_end_by_the_agent_without_a_reward_still_gets_the_tests(agent: Assistant, root: Path) -> None:
    """The session waits for a reward, and the last test run is one."""
    _score_at_once(root)
    agent.happen(claude_prompt(root), claude_success(root, "pytest", "1 passed"))
    project = Project(root)
    engine_sessions.end(project, session_id=_only(root).id)
    project.close()
    agent.happen(claude(root, "SessionEnd"))
    assert (_only(root).outcome, _only(root).state) == (1.0, "scored")


def test_a_session_that_its_tests_will_judge_asks_nobody_for_a_reward(agent: Assistant, root: Path) -> None:
    """Status does not call it lost while its tests wait; without tests, it names the session in a call that works."""
    agent.happen(claude_prompt(root), claude_success(root, "pytest", "1 passed"), claude(root, "SessionEnd"))
    with contextlib.closing(Project(root)) as project:
        rules.add(project, text="Sort the imports.")
        waiting = overall.status(project, around=project_surroundings.of(project))
        assert (waiting.sessions["ended"], waiting.judged_by_tests) == (1, 1)
        assert "without a reward" not in waiting.headline and "reward" not in waiting.next_step
        unseen = overall.status(project)
        assert "1 ended session without a reward" in unseen.headline
        assert f"vettle reward accepted --session {_only(root).id};" in unseen.next_step


def test_a_session_that_nobody_ends_is_ended_after_half_a_day(agent: Assistant, root: Path) -> None:
    """A terminal that was closed leaves no event; what its tests said counts all the same."""
    _score_at_once(root)
    agent.now -= 13 * 3_600 * 10**9
    agent.happen(claude(root, "SessionStart"), claude_failure(root, "pytest", FAILED_TESTS))
    assert (_only(root).outcome, _only(root).state) == (0.0, "scored")


def test_an_event_without_a_start_begins_a_session_without_rules(agent: Assistant, root: Path) -> None:
    """Hooks that were installed in the middle of a session measure the rest of it, as one without rules."""
    agent.happen(claude_failure(root, "make", "Exit code 2\nerror: x"))
    session = _only(root)
    assert session.decision.holdout and session.mistakes == 1


def test_a_session_that_was_only_opened_is_none(agent: Assistant, root: Path) -> None:
    """Opened by mistake and closed again, or the one behind /clear: nothing is recorded, and nobody is asked about it."""
    agent.happen(claude(root, "SessionStart"), claude(root, "SessionEnd"))
    assert sessions(root) == []
    agent.happen(
        claude(root, "SessionStart", source="resume"), claude_prompt(root), claude(root, "SessionEnd")
    )
    assert _only(root).state == "ended"


def test_tests_count_within_the_hour_where_nobody_else_judges(agent: Assistant, root: Path) -> None:
    """Nobody has to wait long for a judgement that never comes: the next hook after the hour rewards the session."""
    agent.now -= 2 * 3_600 * 10**9
    agent.happen(claude_success(root, "pytest", "1 passed"), claude(root, "SessionEnd"))
    assert _only(root).state == "ended"
    recording.record(str(root))
    assert (_only(root).outcome, _only(root).state) == (1.0, "scored")


def test_the_first_verdict_ever_counts(agent: Assistant, root: Path) -> None:
    """Who begins to judge, soon after a session, is not too late; their verdict counts, and not its tests."""
    agent.happen(claude_success(root, "pytest", "1 passed"), claude(root, "SessionEnd"))
    project = Project(root)
    judged = rewards.log(project, outcome="rejected", source="human")
    project.close()
    assert (judged.counted, judged.session_id, judged.note) == (True, _only(root).id, "")
    recording.record(str(root))
    assert (_only(root).outcome, _only(root).state) == (0.0, "scored")
    assert len(_events(root, "reward_logged")) == 1


def test_a_session_that_nobody_ended_is_not_lost_when_the_next_begins(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An assistant that was killed says nothing more; its tests count all the same, though a day went by."""
    agent = Assistant(root, "cursor")
    monkeypatch.setattr(recording, "system_clock", lambda: agent.now // 1_000)
    begun = {"hook_event_name": "sessionStart", "workspace_roots": [str(root)]}
    tests = {**cursor_command(root, "pytest", "1 passed", 0), "conversation_id": "one"}
    agent.now -= 60 * 3_600 * 10**9
    agent.happen({**begun, "conversation_id": "one"}, tests)
    for conversation in ("two", "three"):
        agent.now += 25 * 3_600 * 10**9
        agent.happen({**begun, "conversation_id": conversation})
    assert sorted(session.state for session in sessions(root)) == ["ended", "open", "scored"]


def test_tests_never_wait_where_the_settings_say_so(agent: Assistant, root: Path) -> None:
    """A session ends with its outcome."""
    _score_at_once(root)
    agent.happen(claude_success(root, "pytest", "1 passed"), claude(root, "SessionEnd"))
    assert (_only(root).outcome, _only(root).state) == (1.0, "scored")


def test_tests_count_a_day_later_unless_somebody_judged(agent: Assistant, root: Path) -> None:
    """Until then a commit, a review or a person can still say what the work was worth, and theirs is what counts."""
    _judge_another(root)
    agent.now -= 30 * 3_600 * 10**9
    for number in range(2):
        agent.leave(claude_success(root, "pytest", "1 passed", session_id=f"s{number}"))
        agent.leave(claude(root, "SessionEnd", session=f"s{number}"))
    recording.record(str(root))
    assert [session.state for session in _of_hooks(root)] == ["ended", "ended"]
    judged, other = (session.id for session in _of_hooks(root))
    project = Project(root)
    rewards.log(project, outcome="rejected", session_id=judged)
    project.close()
    for _ in range(2):
        recording.record(str(root))
    outcomes = {session.id: (session.state, session.outcome) for session in _of_hooks(root)}
    assert outcomes == {judged: ("scored", 0.0), other: ("scored", 1.0)}
    assert len(_events(root, "reward_logged")) == 3


def test_tests_do_not_count_before_their_time(agent: Assistant, root: Path) -> None:
    """A session of an hour ago still waits for a better judgement; one that is resumed waits for its next end."""
    _judge_another(root)
    agent.happen(claude_success(root, "pytest", "1 passed"), claude(root, "SessionEnd"))
    recording.record(str(root))
    assert [session.state for session in _of_hooks(root)] == ["ended"]
    key = spool.session_file(
        str(agent.folder), payloads.session_key("claude-code", claude(root, "x")["session_id"])
    )
    assert "due" in spool.read(key)
    agent.happen(claude_failure(root, "pytest", FAILED_TESTS))
    assert "due" not in spool.read(key)
    assert [session.mistakes for session in _of_hooks(root)] == [1]


def test_an_edit_that_was_refused_is_a_mistake(agent: Assistant, root: Path) -> None:
    """Claude Code tells of it only in the batch; there, too, stands how tests went that passed."""
    _score_at_once(root)
    refused = "<tool_use_error>String to replace not found in file.\nString: x</tool_use_error>"
    agent.happen(
        claude_prompt(root),
        claude_batch(
            root,
            ("Edit", {"file_path": str(root / "a.py"), "old_string": "x"}, refused),
            ("Bash", {"command": "pytest -q"}, "3 passed in 0.1s"),
        ),
        claude(root, "SessionEnd"),
    )
    [mistake] = _events(root, "mistake_logged")
    assert (mistake.subject, mistake.data["file"]) == ("edit-failed", "a.py")
    assert mistake.data["description"] == "Edit: String to replace not found in file."
    assert _only(root).outcome == 1.0


def test_different_tests_and_programs_are_different_mistakes(agent: Assistant, root: Path) -> None:
    """Two of one shape in a session are two, and a third one in another session repeats neither of them."""
    for name in ("x", "y"):
        failed = f"Exit code 1\nFAILED tests/test_a.py::test_{name} - assert 1 == 2\n1 failed"
        agent.happen(claude_failure(root, "pytest", failed))
        agent.happen(claude_failure(root, f"no_{name}", f"Exit code 127\nbash: no_{name}: command not found"))
    assert _only(root).mistakes == 4
    failed = "Exit code 1\nFAILED tests/test_a.py::test_z - assert 1 == 2\n1 failed"
    for number, command in enumerate(("z", "x")):
        agent.happen(
            claude_failure(root, "pytest", failed.replace("_z", f"_{command}"), session_id=f"other{number}")
        )
    assert [event.metrics["repeat"] for event in _events(root, "mistake_logged")] == [0.0] * 5 + [1.0]


def test_settings_decide_what_is_remembered(agent: Assistant, root: Path) -> None:
    """Without remember_failures there is no mistake, without score_by_tests no reward, and context is as it says."""
    (root / ".vettle" / "config.toml").write_text(
        '[hooks]\nremember_failures = false\nscore_by_tests = false\ncontext = "hooked"\nk = 1\n'
    )
    agent.happen(
        claude(root, "SessionStart"), claude_failure(root, "pytest", FAILED_TESTS), claude(root, "SessionEnd")
    )
    session = _only(root)
    assert (session.mistakes, session.reward_weight, session.context, session.state) == (
        0,
        0,
        "hooked",
        "ended",
    )


def _claimed(agent: Assistant, key: str) -> dict[str, Any]:
    """Claim a prepared session as a hook does; return what is known of it."""
    claiming.claim(str(agent.folder), key, "startup")
    return spool.read(spool.session_file(str(agent.folder), key))


def test_a_retired_rule_is_never_handed_out_again(agent: Assistant, root: Path) -> None:
    """From the moment that the decision about it is made, no hook tells it."""
    project = Project(root)
    words = ("one", "two", "three")
    ids = [rules.add(project, text=f"Rule {word}.", prior=0.9).rule_id for word in words]
    for number, rule_id in enumerate(ids):
        preparing.prepare_ahead(project)
        assert rule_id in json.dumps(_claimed(agent, f"before-{number}"))
        rules.decide(project, rule_id=rule_id, action="retire", reason="x")
        for again in range(preparing.KEPT + 1):
            said = json.dumps(_claimed(agent, f"after-{number}-{again}"))
            assert rule_id not in said
        preparing.prepare_ahead(project)
        assert rule_id not in json.dumps(_claimed(agent, f"later-{number}"))
    project.close()


def test_prepared_sessions_are_kept_ready_and_new(agent: Assistant, root: Path) -> None:
    """Four are ready; they stay while nothing is learned, are drawn anew when it is, and none is used after its time."""
    project = Project(root)
    rules.add(project, text="Rule one.", prior=0.9)
    assert preparing.prepare_ahead(project) == preparing.KEPT
    assert preparing.prepare_ahead(project) == 0
    rules.add(project, text="Rule two.", prior=0.9)
    assert preparing.prepare_ahead(project) == preparing.KEPT
    project.close()
    (root / ".vettle" / "config.toml").write_text("[hooks]\nk = 1\n")
    project = Project(root)
    assert preparing.prepare_ahead(project) == preparing.KEPT
    folder = agent.folder / "prepared"
    assert len(list(folder.iterdir())) == preparing.KEPT
    for path in folder.iterdir():
        path.rename(folder / f"{time.time_ns() - 1:020d}-{path.name.partition('-')[2]}")
    assert _claimed(agent, "late") == {}
    assert list(folder.iterdir()) == []
    project.close()


def test_a_session_of_hooks_replays(agent: Assistant, root: Path) -> None:
    """Its decision is recomputed from the log, as that of any session."""
    project = Project(root)
    for number in range(5):
        rules.add(project, text=f"Rule number {number}.", prior=0.5)
    preparing.prepare_ahead(project)
    for number in range(4):
        _claimed(agent, f"claude-code-{number}")
    agent.happen(*(claude_prompt(root, str(number)) for number in range(5)))
    found = sessions(root)
    assert len(found) == 5 and sum(session.decision.holdout for session in found) == 1
    assert all(engine_sessions.replay(project, session.id).identical for session in found)
    project.close()


def test_a_session_that_was_prepared_for_another_database_is_not_measured(
    agent: Assistant, root: Path
) -> None:
    """The assistant follows rules of which nothing is known here, so nothing is recorded of it."""
    project = Project(root)
    rules.add(project, text="Rule one.", prior=0.9)
    preparing.prepare_ahead(project)
    project.close()
    known = _claimed(agent, "claude-code-d04388d8-8190-4f79-9fc8-6d6be5f2966a")
    assert Decision.model_validate(known["prepared"]["decision"]).slate
    for path in (root / ".vettle").glob("vettle.db*"):
        path.unlink()
    agent.happen(
        claude(root, "SessionStart"),
        claude_failure(root, "make", "Exit code 2\nx"),
        claude(root, "SessionEnd"),
    )
    assert sessions(root) == [] and _events(root, "mistake_logged") == []
    assert not (agent.folder / "spool" / "refused").exists()


def test_evidence_of_hooks_proves_a_rule(agent: Assistant, root: Path) -> None:
    """Sessions that were told a rule by hooks, and scored by their tests, prove what works and nothing else."""
    _score_at_once(root)
    project = Project(root)
    good = rules.add(project, text="This one works.", prior=0.3).rule_id
    idle = rules.add(project, text="This one does nothing.", prior=0.3).rule_id
    preparing.prepare_ahead(project)
    draws, agent.now = random.Random(5), agent.now - 20 * 24 * 3_600 * 10**9
    for number in range(140):
        session = f"00000000-{number}"
        text = claiming.claim(str(agent.folder), f"claude-code-{session}", "startup")
        agent.leave(claude(root, "SessionStart", session=session))
        works = draws.random() < (0.95 if "This one works." in text else 0.1)
        if works:
            agent.leave(claude_success(root, "pytest", "3 passed", session_id=session))
        else:
            agent.leave(claude_failure(root, "pytest", FAILED_TESTS, session_id=session))
        agent.leave(claude(root, "SessionEnd", session=session))
        if number % preparing.KEPT == preparing.KEPT - 1:
            recording.record(str(root))
    statuses = {rule.id: rule.status for rule in standings.page(project).rules}
    project.close()
    assert statuses[good] == "proven" and statuses[idle] != "proven"
