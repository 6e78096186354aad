"""`vettle report`, the resource behind it, and the link to it, as people and agents meet them."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from tests import histories
from tests.conftest import ManualClock

from vettle.engine.clock import DAY, system_clock
from vettle.engine.project import Project
from vettle.engine.records.overview import Overview


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("worked")
    clock = ManualClock()
    clock.now = system_clock() - 82 * DAY
    project = Project(root, clock=clock)
    histories.worked(project, clock.forward)
    project.close()
    yield root


def _vettle(
    root: Path, *arguments: str, timeout: float | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vettle", "--project", str(root), *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        check=False,
        timeout=timeout,
    )


def test_one_offline_file(root: Path) -> None:
    """The command writes one small HTML file that names what is proven and loads nothing from anywhere."""
    done = _vettle(root, "report")
    assert done.returncode == 0, done.stderr
    assert "Wrote report.html" in done.stdout
    text = (root / "report.html").read_text(encoding="utf-8")
    assert histories.HELPS in text
    assert len(text.encode()) < 500_000
    for forbidden in ("<script", "http-equiv=refresh", "<link", "src=", "@import", "url("):
        assert forbidden not in text, forbidden


def test_an_earlier_report_is_replaced_and_nothing_else(root: Path, tmp_path: Path) -> None:
    """A second report goes over the first one; a file that is no report survives, and the exit code says so."""
    target = tmp_path / "page.html"
    assert _vettle(root, "report", "--output", str(target)).returncode == 0
    assert _vettle(root, "report", "--output", str(target)).returncode == 0
    target.write_text("<p>mine</p>", encoding="utf-8")
    refused = _vettle(root, "report", "--output", str(target))
    assert refused.returncode == 3
    assert refused.stderr.count("\n") == 1 and "--output" in refused.stderr
    assert target.read_text(encoding="utf-8") == "<p>mine</p>"


def test_a_folder_or_a_missing_folder_is_one_line(root: Path, tmp_path: Path) -> None:
    """Where no file can be, one line says which path and what to do."""
    for target in (tmp_path, tmp_path / "missing" / "page.html"):
        refused = _vettle(root, "report", "--output", str(target))
        assert refused.returncode == 3, refused
        assert refused.stderr.count("\n") == 1 and str(target) in refused.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_not_waited_for(root: Path, tmp_path: Path) -> None:
    """What is no ordinary file is refused at once: opening a pipe that nobody writes to would take forever."""
    target = tmp_path / "page.html"
    os.mkfifo(target)
    refused = _vettle(root, "report", "--output", str(target), timeout=30)
    assert refused.returncode == 3
    assert refused.stderr.count("\n") == 1 and "--output -" in refused.stderr


def test_the_demo_says_at_once_that_its_report_has_no_place(root: Path, tmp_path: Path) -> None:
    """Nobody waits for five hundred sessions to be told that a folder is missing."""
    refused = _vettle(root, "demo", "--report", str(tmp_path / "missing" / "page.html"), timeout=30)
    assert refused.returncode == 3 and refused.stdout == ""


def test_json_is_the_record(root: Path) -> None:
    """`--json` prints the record that every form of the report is made of, and writes no file."""
    done = _vettle(root, "report", "--json", "--period", "all")
    page = Overview.model_validate_json(done.stdout)
    assert [one.rule.text for one in page.proven] == [histories.HELPS]


def test_the_same_page_in_the_terminal(root: Path) -> None:
    """Piped, the terminal's version has no escape codes and says the same; in ASCII where that is all there is."""
    done = _vettle(root, "report", "--terminal")
    assert done.returncode == 0, done.stderr
    assert histories.HELPS in " ".join(done.stdout.split())
    assert "\x1b" not in done.stdout
    plain = _vettle(root, "report", "--terminal", PYTHONIOENCODING="ascii")
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout.isascii()


def test_a_wrong_period_says_what_is_right(root: Path) -> None:
    """A period that is none is wrong usage, in one line, before anything is written."""
    done = _vettle(root, "report", "--period", "soon", "--output", "never.html")
    assert done.returncode == 2
    assert "period" in done.stderr and done.stderr.count("\n") == 1
    assert not (root / "never.html").exists()


def _stdio(root: Path) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable, args=["-m", "vettle", "serve", "--project", str(root)], cwd=root
    )


@pytest.mark.asyncio
@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_tool_result_links_to_the_report(root: Path, era: Any) -> None:
    """report_get links to a resource, and reading it gives the page that the command writes."""
    async with Client(_stdio(root), mode=era) as client:
        result = await client.call_tool("report_get", {"kind": "rules"})
        [text, link] = result.content
        assert text.type == "text" and json.loads(text.text) == result.structured_content
        assert link.type == "resource_link"
        listed = await client.list_resources()
        assert str(link.uri) in {str(resource.uri) for resource in listed.resources}
        read = await client.read_resource(link.uri)
    [page] = read.contents
    assert page.mime_type == "text/html"
    assert histories.HELPS in page.text  # type: ignore[union-attr]


def test_on_a_terminal_no_escape_is_written_out(root: Path) -> None:
    """What a person sees of an experiment has no code of a colour in it, neither acting nor spelled."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "vettle", "--project", str(root), "experiment", "results", "which model"]
    with subprocess.Popen(command, cwd=root, stdout=theirs, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(theirs)
        shown = b""
        # The other side is gone once the process is: reading then fails, and nothing is lost.
        with contextlib.suppress(OSError):
            while read := os.read(ours, 65_536):
                shown += read
    os.close(ours)
    assert process.returncode == 0
    assert "A winner: large-3" in shown.decode()
    assert "U+001B" not in shown.decode() and b"\x1b" not in shown


def test_what_is_piped_is_utf8_whatever_the_terminal_speaks(tmp_path: Path) -> None:
    """JSON and HTML say that they are UTF-8, so a terminal of another encoding changes nothing in them."""
    assert _vettle(tmp_path, "rule", "add", "Grüße an 日本 senden.").returncode == 0
    for arguments in (("--json",), ("--output", "-")):
        done = _vettle(tmp_path, "report", *arguments, PYTHONIOENCODING="ascii")
        assert done.returncode == 0, done.stderr
        assert "Grüße an 日本 senden." in done.stdout
