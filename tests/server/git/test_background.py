"""Snapshots of sessions that agents start and end over MCP."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.git.repositories import Repository
from tests.server.wire import Wire

from vettle.server.git.background import LATEST_SECONDS, Background


@pytest.fixture(name="background")
def _background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()
    _wait()


def _wait() -> None:
    """Wait until nothing more is taken."""
    for thread in threading.enumerate():
        if thread.name == "vettle-snapshots":
            thread.join(timeout=30)
            assert not thread.is_alive()


def _taken(repository: Repository) -> set[str]:
    return {file.stem for file in (repository.state / "snapshots").glob("*.json")}


def _rewarded(root: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "vettle", "--project", str(root), "reward", "--from-git", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_session_over_mcp_is_judged_by_what_became_of_its_work(
    repository: Repository, tmp_path: Path
) -> None:
    """Session start, work, session end and leaving at once, commit: the distance is found, and stdout is clean."""
    wire = Wire(repository.root, tmp_path / "log")
    session = wire.call("session_start", {"task": "work"})["result"]["structuredContent"]["session_id"]
    _until(lambda: session in _taken(repository))
    repository.write("b.py", *range(10))
    wire.call("session_end", {"session_id": session})
    assert wire.close() == 0
    assert (tmp_path / "log").read_text() == ""
    repository.write("b.py", *range(8), "eight", "nine")
    repository.commit()
    found = _rewarded(repository.root)
    assert (found["session_id"], found["outcome"], found["revision_distance"]) == (session, "revision", 0.2)


def _until(happened: Any) -> None:
    end = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_flood_costs_next_to_nothing(repository: Repository, background: Background) -> None:
    """Of a thousand sessions at once two get their snapshot, a second apart, and no call waits."""
    began = time.monotonic()
    for number in range(1_000):
        background.take("start", repository.root, repository.state, f"s-{number}")
        background.take("end", repository.root, repository.state, f"s-{number}")
    assert time.monotonic() - began < 1
    _wait()
    assert 1 <= len(_taken(repository)) <= 1 + LATEST_SECONDS
    assert time.monotonic() - began < LATEST_SECONDS + 5


def test_an_end_without_a_start_makes_nobody_wait(repository: Repository, background: Background) -> None:
    """Only what git is asked for counts as a snapshot."""
    for number in range(20):
        background.take("end", repository.root, repository.state, f"s-{number}")
    background.take("start", repository.root, repository.state, "s-real")
    _until(lambda: "s-real" in _taken(repository))
    assert _taken(repository) == {"s-real"}


def test_what_comes_too_late_is_not_taken(repository: Repository, background: Background) -> None:
    """A beginning that is recorded when the agent is at work already would be a false one."""
    background.take("start", repository.root, repository.state, "s-first")
    _until(lambda: "s-first" in _taken(repository))
    background._not_before = time.monotonic() + LATEST_SECONDS + 0.2
    background.take("start", repository.root, repository.state, "s-late")
    _wait()
    assert _taken(repository) == {"s-first"}


def test_the_end_of_the_process_does_not_pause(repository: Repository, background: Background) -> None:
    """What waits is taken when the client leaves, so a short session has its end too, and nobody waits a second."""
    background._not_before = time.monotonic() + LATEST_SECONDS
    background.take("start", repository.root, repository.state, "s-1")
    repository.write("b.py", "b = 1")
    background.take("end", repository.root, repository.state, "s-1")
    began = time.monotonic()
    background.close()
    _wait()
    assert time.monotonic() - began < LATEST_SECONDS - 0.3
    kept = json.loads((repository.state / "snapshots" / "s-1.json").read_text())
    assert kept["end"] is not None


def test_outside_of_a_repository_there_is_no_thread(tmp_path: Path, background: Background) -> None:
    """Without `.git` at or above the project nothing is begun."""
    before = threading.active_count()
    background.take("start", tmp_path, tmp_path / ".vettle", "s-1")
    assert threading.active_count() == before
    assert not (tmp_path / ".vettle").exists()


def test_what_goes_wrong_is_logged_and_the_next_one_is_taken(
    repository: Repository, background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody foresaw neither ends the thread nor reaches the caller."""
    background.take("start", repository.root, repository.state, None)  # type: ignore[arg-type]
    background.take("start", repository.root, repository.state, "s-1")
    _wait()
    assert _taken(repository) == {"s-1"}
    assert "could not be taken" in caplog.text
