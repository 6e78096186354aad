"""Tools know what hooks noticed: one session for both, nothing behind its score, and rules from the first session on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.hooks.assistants import (
    Assistant,
    claude,
    claude_failure,
    claude_prompt,
    sessions,
    surroundings,
)

from vettle.engine import prepared_files, rules
from vettle.engine.project import Project
from vettle.engine.store.lock import FileLock
from vettle.server import tools
from vettle.server.hooks import claiming, joining, payloads, preparing, recording, spool

CONVERSATION = "d04388d8-8190-4f79-9fc8-6d6be5f2966a"


@pytest.fixture(name="project")
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with a rule, in a process that Claude Code started."""
    for name in ("VETTLE_PROJECT", "CLAUDE_PROJECT_DIR", "VETTLE_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", CONVERSATION)
    project = Project(tmp_path)
    for number in range(3):
        rules.add(project, text=f"Rule number {number}.", prior=0.9)
    preparing.prepare_ahead(project)
    yield project
    project.close()


def _begin(project: Project) -> Assistant:
    """Let a hook hand out what was prepared."""
    agent = Assistant(project.root)
    claiming.claim(str(agent.folder), payloads.session_key("claude-code", CONVERSATION), "startup")
    return agent


def test_session_start_answers_with_the_session_that_a_hook_began(project: Project) -> None:
    """The same id and rules as in the text of the hook, again and again, and whether or not it is recorded yet."""
    agent = _begin(project)
    agent.leave(claude(project.root, "SessionStart"))
    first = tools.session_start(project, "a task")
    again = tools.session_start(project, "a task", context="other")
    [session] = sessions(project.root)
    assert first == again and first.session_id == session.id
    text = claiming.told(str(agent.folder), payloads.session_key("claude-code", CONVERSATION))
    assert first.session_id in text
    assert text.count("- Rule number") == len(first.rules) == 3 - first.withheld
    assert "under way" in first.next_step


def test_session_start_waits_for_the_process_that_records(project: Project) -> None:
    """That one holds the lock; a second session beside the one it is recording would be worse than a moment."""
    agent = _begin(project)
    held = FileLock(agent.folder / spool.LOCK)
    begun = threading.Thread(target=tools.session_start, args=(project, "a task"))
    with held:
        begun.start()
        begun.join(2.2)
        assert begun.is_alive()
    begun.join()
    held.close()
    assert [session.id for session in sessions(project.root)] == [_only_id(agent)]


def test_session_start_begins_one_where_no_hook_did(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without hooks, in another assistant, after the session's end, and where a draw of one's own is asked for."""
    ids = {tools.session_start(project, "a task").session_id}
    agent = _begin(project)
    joined = tools.session_start(project, "a task").session_id
    ids |= {joined, tools.session_start(project, "a task", seed=1).session_id}
    with monkeypatch.context() as patch:
        patch.delenv("CLAUDE_CODE_SESSION_ID")
        ids.add(tools.session_start(project, "a task").session_id)
    agent.happen(claude(project.root, "SessionEnd"))
    ids.add(tools.session_start(project, "a task").session_id)
    assert len(ids) == len(sessions(project.root)) == 5


def test_a_failure_does_not_land_behind_the_score(project: Project) -> None:
    """What a hook left a moment before the agent ends its session is recorded first."""
    agent = _begin(project)
    agent.leave(claude_prompt(project.root))
    agent.leave(claude_failure(project.root, "make", "Exit code 2\nerror: x"))
    ended = tools.session_end(project, session_id=_only_id(agent), outcome="accepted")
    assert (ended.mistakes, ended.state) == (1, "scored")
    assert spool.waiting(str(agent.folder)) == []


def test_session_start_joins_a_session_for_which_nothing_was_prepared(project: Project) -> None:
    """The hook only left its event; the session that will come of it is the one that the agent is given."""
    agent = Assistant(project.root)
    agent.leave(claude_prompt(project.root))
    started = tools.session_start(project, "a task")
    recording.drain(project.root)
    assert [session.id for session in sessions(project.root)] == [started.session_id]


def test_a_call_does_not_record_for_longer_than_it_may(project: Project) -> None:
    """When its time is over no event is begun; each of them stays, and is recorded once."""
    agent = _begin(project)
    agent.leave(claude_prompt(project.root))
    for what in ("a comma is missing", "no such file", "unknown name"):
        agent.leave(claude_failure(project.root, "make", f"Exit code 2\nerror: {what}"))
    joining.catch_up(project, seconds=0.0)
    assert len(spool.waiting(str(agent.folder))) == 4
    joining.catch_up(project)
    assert spool.waiting(str(agent.folder)) == []
    assert [session.mistakes for session in sessions(project.root)] == [3]


def _only_id(agent: Assistant) -> str:
    key = payloads.session_key("claude-code", CONVERSATION)
    return str(spool.read(spool.session_file(str(agent.folder), key))["prepared"]["session_id"])


def test_a_call_does_not_fail_for_what_cannot_be_recorded(project: Project) -> None:
    """Whatever is wrong with the spool, the tool answers; a lock that is held delays it by two seconds at most."""
    agent = _begin(project)
    (agent.folder / "spool" / "1.json").mkdir()
    (agent.folder / "worker.lock").mkdir()
    assert tools.mistake_log(project, "x", "something went wrong").mistake_id
    assert tools.session_start(project, "a task").session_id


def test_the_first_rule_is_offered_to_the_next_session(tmp_path: Path) -> None:
    """Where hooks were here before there were rules, what they prepared knew none; where none were, nothing is made."""
    project = Project(tmp_path)
    tools.rule_add(project, "Sort the imports.", prior=0.5)
    assert not prepared_files.folder(tmp_path).exists()
    other = Project(tmp_path / "other")
    (tmp_path / "other").mkdir()
    preparing.prepare_ahead(other)
    before = set(prepared_files.folder(other.root).iterdir())
    tools.rule_add(other, "Sort the imports.", prior=0.5)
    after = set(prepared_files.folder(other.root).iterdir())
    assert len(after) == preparing.KEPT and not before & after
    tools.rule_add(other, "Keep functions short.", prior=0.5)
    assert set(prepared_files.folder(other.root).iterdir()) == after
    project.close()
    other.close()


def test_init_prepares_the_first_session(tmp_path: Path) -> None:
    """A repository with rules of its own hands them to the first session that a hook begins; else the first rule does."""
    for name, text in (
        ("with", "# Rules\n\n- Sort the imports.\n- Keep functions short.\n"),
        ("without", ""),
    ):
        root = tmp_path / name
        root.mkdir()
        (root / "CLAUDE.md").write_text(text)
        command = [sys.executable, "-m", "vettle", "--project", str(root), "init", "--import", "--json"]
        done = subprocess.run(command, capture_output=True, env=surroundings(HOME=str(tmp_path)), check=True)
        assert json.loads(done.stdout)["applied"]
        folder = prepared_files.folder(root)
        assert len(list(folder.glob("*.json"))) == (preparing.KEPT if text else 0)
        project = Project(root)
        tools.rule_add(project, "Write tests first.", prior=0.5)
        project.close()
        assert len(list(folder.glob("*.json"))) == preparing.KEPT


def test_a_joined_session_that_was_dropped_is_none(project: Project) -> None:
    """A fork is not measured, so an agent in one gets a session of its own."""
    agent = Assistant(project.root)
    key = payloads.session_key("claude-code", CONVERSATION)
    claiming.claim(str(agent.folder), key, "fork")
    assert joining.begun(project) is None
    assert tools.session_start(project, "a task").session_id
