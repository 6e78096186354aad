"""Long work tells how far it is: people on stderr, clients by notifications, and nobody who did not ask."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from vettle.engine import rules
from vettle.engine.exchange import log
from vettle.engine.progress import is_wanted, report, reporting, tracked
from vettle.engine.project import Project
from vettle.server.commands import working as module
from vettle.server.commands.working import working

Report = tuple[str, int, int]


def _project(root: Path, events: int) -> Project:
    project = Project(root)
    for number in range(events):
        rules.add(
            project, text=f"Rule number {number} is about the thing called {number * 7}.", source="human"
        )
    return project


def test_the_engine_tells_only_the_call_that_asked() -> None:
    """A callback hears the work in its block, at the beginning, on the way and at the end, and no other work."""
    heard: list[Report] = []
    assert not is_wanted()
    assert list(tracked(range(3), "before")) == [0, 1, 2]
    with reporting(lambda *said: heard.append(said)):
        assert is_wanted()
        assert list(tracked(range(600), "counting", 600)) == list(range(600))
        report("thinking")
    report("after")
    assert heard == [
        ("counting", 0, 600),
        ("counting", 250, 600),
        ("counting", 500, 600),
        ("counting", 600, 600),
        ("thinking", 0, 0),
    ]


def test_exporting_and_importing_a_log_tell_how_far_they_are(tmp_path: Path) -> None:
    """Both ways name what they do; the export knows how many events there will be."""
    heard: list[Report] = []
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = _project(tmp_path / "one", 3), Project(tmp_path / "two")
    try:
        with reporting(lambda *said: heard.append(said)):
            log.save(one, tmp_path / "log.jsonl")
            log.import_log(two, tmp_path / "log.jsonl")
    finally:
        one.close()
        two.close()
    assert ("reading events", 3, 3) in heard
    assert ("reading lines", 5, 0) in heard


def _on_a_terminal(work: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what the work writes to a stderr that is a terminal of 40 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        work()
        stream.flush()
        written = b""
        while select.select([ours], [], [], 0.05)[0]:
            written += os.read(ours, 10_000)
    os.close(ours)
    return written.decode()


def _screen(written: str) -> str:
    """Return what is left on the line when everything was written: a carriage return goes back to its beginning."""
    line: list[str] = []
    at = 0
    for character in written:
        if character == "\r":
            at = 0
            continue
        line[at : at + 1] = character
        at += 1
    return "".join(line).rstrip()


def test_progress_appears_after_a_while_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says what is done and of how much, fits the terminal, acts on nothing, and leaves no trace."""
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.05)

    def work() -> None:
        with working("counting \x1b[31msheep"):
            time.sleep(0.2)
            report("counting " + "very " * 10 + "many sheep", 1_250, 10_000)
            time.sleep(0.4)

    written = _on_a_terminal(work, monkeypatch)
    assert "vettle: counting <U+001B>[31msheep, 0 s" in written
    assert "very" in written
    assert "\x1b" not in written
    assert all(len(part) <= 40 for part in written.split("\r"))
    assert _screen(written) == ""


def test_quick_work_and_dumb_terminals_see_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written in the first second, and nothing at all where the cursor cannot go back."""
    assert _on_a_terminal(lambda: _work_for(0.0), monkeypatch) == ""
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.0)

    def dumb() -> None:
        os.environ["TERM"] = "dumb"
        _work_for(0.1)

    assert _on_a_terminal(dumb, monkeypatch) == ""


def _work_for(seconds: float) -> None:
    with working("working"):
        time.sleep(seconds)


def test_nothing_is_said_into_a_pipe(tmp_path: Path) -> None:
    """However long it takes, stderr that is no terminal stays empty."""
    code = (
        "import time; from vettle.server.commands import working as m; m.SILENT_SECONDS = 0.0\n"
        "with m.working('working'): time.sleep(0.2)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


@pytest.mark.asyncio
async def test_a_client_that_asks_hears_how_far_an_import_is(tmp_path: Path) -> None:
    """Over real stdio: notifications with numbers that only grow, and the same answer as without them."""
    (tmp_path / "data").mkdir()
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    arguments: dict[str, Any] = {"path": "data/log.jsonl", "apply": False}
    other = _project(tmp_path / "data", 3)
    log.save(other, tmp_path / "data" / "log.jsonl")
    other.close()
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "vettle", "serve", "--project", str(tmp_path), "--toolsets", "core,lab"],
        cwd=tmp_path,
    )
    async with Client(server) as client:
        told = await client.call_tool("data_import", arguments, progress_callback=hear)
        silent = await client.call_tool("data_import", arguments)
    assert not told.is_error, told.content
    assert told.structured_content == silent.structured_content
    assert heard
    assert heard[0] == (0, None, "reading lines")
    numbers = [progress for progress, _, _ in heard]
    assert numbers == sorted(set(numbers))
