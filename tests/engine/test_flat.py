"""History costs nothing: what a call does in the database does not grow with the number of past events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import ManualClock

from vettle.engine import (
    explaining,
    mistakes,
    outlook,
    overall,
    prepared,
    reports,
    rewards,
    rules,
    sessions,
    standings,
)
from vettle.engine.analysis import recurrence
from vettle.engine.project import Project
from vettle.engine.store import open_store
from vettle.engine.store.sqlite.driver import SqliteDatabase

_STEPS = 20


def _word(number: int) -> str:
    """Return one of many made-up words."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return letters[number % 26] + "o" + letters[number * 7 % 26] + "u" + letters[number * 11 % 26]


class _Counted:
    """A project whose database counts the steps of its virtual machine."""

    def __init__(self, root: Path, history: int) -> None:
        self.clock = ManualClock()
        store = open_store(root / "vettle.db", clock=self.clock)
        self.project = Project(root, clock=self.clock, store=store)
        assert isinstance(store.database, SqliteDatabase)
        self.connection = store.database._connection
        for index in range(10):
            rules.add(self.project, text=f"Rule number {index}.")
        for index in range(history):
            self.session(index)

    def session(self, index: int) -> None:
        """Do one whole session."""
        self.clock.forward(seconds=60)
        context = "rare" if index == 3 else "common"
        started = sessions.start(self.project, task="fix the parser", context=context, k=2, seed=index)
        mistakes.log(
            self.project,
            error_class="test",
            description=f"assertion failed in {_word(index)} {_word(index // 26)} of the {_word(index % 7)} module",
            session_id=started.session_id,
        )
        rewards.log(self.project, outcome="accepted", session_id=started.session_id)
        sessions.end(self.project, session_id=started.session_id)

    def steps(self, call: Callable[[], object]) -> int:
        """Return how many times twenty virtual machine steps the call took."""
        count = 0

        def tick() -> bool:
            nonlocal count
            count += 1
            return False

        self.connection.set_progress_handler(tick, _STEPS)
        call()
        self.connection.set_progress_handler(None)
        return count


def test_no_call_walks_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session, the lists and the reports take as many steps after 1,200 sessions as after 300."""
    # The pace reads the newest 500 sessions, the trend 1,000 mistakes; both histories have to be longer than that.
    monkeypatch.setattr(outlook, "MOST_SESSIONS", 100)
    monkeypatch.setattr(recurrence, "MOST_MISTAKES", 50)
    counts = []
    for history in (300, 1200):
        folder = tmp_path / str(history)
        folder.mkdir()
        counted = _Counted(folder, history)
        project = counted.project
        counts.append(
            {
                "session": counted.steps(lambda c=counted: c.session(7)),  # type: ignore[misc]
                "rules": counted.steps(lambda p=project: standings.page(p)),  # type: ignore[misc]
                "status": counted.steps(lambda p=project: reports.status(p)),  # type: ignore[misc]
                "overall": counted.steps(lambda p=project: overall.status(p)),  # type: ignore[misc]
                "explain": counted.steps(lambda p=project: explaining.rule(p, standings.page(p).rules[0].id)),  # type: ignore[misc]
                "prepared": counted.steps(lambda p=project: prepared.start(p, prepared.prepare(p))),  # type: ignore[misc]
                "sessions": counted.steps(lambda p=project: reports.report(p, kind="sessions", limit=5)),  # type: ignore[misc]
                "rare": counted.steps(lambda p=project: reports.report(p, kind="sessions", context="rare")),  # type: ignore[misc]
                "add": counted.steps(lambda p=project: rules.add(p, text="Another rule.")),  # type: ignore[misc]
                "mistakes": counted.steps(lambda p=project: reports.report(p, kind="mistakes")),  # type: ignore[misc]
            }
        )
        project.close()
    few, many = counts
    for name, steps in many.items():
        assert steps <= 1.5 * few[name] + 10, (name, few, many)
