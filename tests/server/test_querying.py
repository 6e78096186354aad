"""Reading, exporting and importing through the real server and the command line."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner
from mcp import Client

from vettle.engine import rules, sessions
from vettle.engine.errors import VettleError
from vettle.engine.exchange import sources
from vettle.engine.paging import REPLY_CHARACTERS
from vettle.engine.project import Project
from vettle.engine.records.exchange import DataImported, ImportedSource, SkippedRow
from vettle.server.app import create_server
from vettle.server.cli import cli
from vettle.server.lab import importing, querying

LEDGER = [
    {
        "experiment_id": f"e{index}",
        "variable": "hook",
        "variant": name,
        "metric_values": {"views": 10.0 + index},
        "scored_at": "2026-03-01T00:00:00+00:00",
        "winner": False,
    }
    for index, name in enumerate(("question", "claim"))
]


def _run(root: Path, *arguments: str, code: int = 0) -> str:
    """Run a command in the folder and return what it printed; of a failure, what it said."""
    with contextlib.chdir(root):
        result = CliRunner().invoke(cli, ["--project", str(root), *arguments])
    failed = isinstance(result.exception, VettleError)
    assert (result.exception.exit_code if failed else result.exit_code) == code, result.output  # type: ignore[union-attr]
    return str(result.exception) if failed else result.output


def _start(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the installed program as users do."""
    command = [sys.executable, "-m", "vettle", "--project", str(root), *arguments]
    return subprocess.run(command, capture_output=True, cwd=root, timeout=60, check=False)


def _made(root: Path, texts: Sequence[str] = ("Sort imports.", "Write tests.")) -> None:
    root.mkdir(exist_ok=True)
    project = Project(root)
    for text in texts:
        rules.add(project, text=text)
    session_id = sessions.start(project, task="x").session_id
    sessions.end(project, session_id=session_id, outcome="accepted")
    project.close()


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def _error(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return str(result.content[0].text)  # type: ignore[union-attr]


@pytest.mark.asyncio
async def test_an_agent_reads_events_and_tables(tmp_path: Path) -> None:
    """One tool answers with events by filter, or with the rows of a SELECT, and refuses everything else."""
    _made(tmp_path)
    async with Client(create_server(str(tmp_path), "lab")) as client:
        page = await _call(client, "events_query", kinds=["rule_added"], limit=1)
        assert [event["data"]["text"] for event in page["events"]] == ["Write tests."]
        page = await _call(client, "events_query", kinds=["rule_added"], limit=1, cursor=page["next_cursor"])
        assert [event["data"]["text"] for event in page["events"]] == ["Sort imports."]
        found = await _call(client, "events_query", sql="SELECT count(*) AS n FROM rule")
        assert found["table"] == {"columns": [{"name": "n", "type": ""}], "rows": [[2]], "more": False}
        assert "Valid: rule_added" in await _error(client, "events_query", kinds=["x"])
        assert "SELECT" in await _error(client, "events_query", sql="DELETE FROM rule")
        assert "session_id" in await _error(client, "events_query", sql="SELECT 1", session_id="s")


@pytest.mark.asyncio
async def test_an_agent_imports_from_inside_the_project_only(tmp_path: Path) -> None:
    """A path outside is refused, a log is only looked at, and another system's data is recorded once."""
    _made(tmp_path / "old")
    _run(tmp_path / "old", "export", "log", "--output", str(tmp_path / "new.jsonl"))
    root = tmp_path / "root"
    root.mkdir()
    (root / "log.jsonl").write_bytes((tmp_path / "new.jsonl").read_bytes())
    (root / "ledger.json").write_text(json.dumps(LEDGER))
    (root / "link.jsonl").symlink_to(tmp_path / "new.jsonl")
    async with Client(create_server(str(root), "lab")) as client:
        for path in ("../new.jsonl", str(tmp_path / "new.jsonl"), "link.jsonl"):
            assert "outside the project" in await _error(client, "data_import", path=path)
        assert "nothing at" in await _error(client, "data_import", path="missing")
        seen = await _call(client, "data_import", path="log.jsonl")
        assert (seen["system"], seen["applied"], seen["files"][0]["path"]) == ("vettle", False, "log.jsonl")
        assert "only a person" in await _error(client, "data_import", path="log.jsonl", apply=True)
        assert not (root / ".vettle").exists()
        first = await _call(client, "data_import", path="ledger.json", apply=True)
        assert first["system"] == "adaptive-iteration" and first["new"]["runs"] == 2
        assert (await _call(client, "data_import", path="ledger.json", apply=True))["new"] == {}


def test_every_system_can_be_named() -> None:
    """The names that the tool takes are those that the engine knows."""
    assert set(get_args(importing.SourceSystem)) == {"", *sources.NAMES}


def test_an_import_of_many_files_is_still_a_short_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many files and left-out rows there are, an agent gets an answer that fits, and is told."""
    skipped = [SkippedRow(line=number, reason="r" * 100) for number in range(20)]
    files = [
        ImportedSource(path=f"{number}.json", rows=9, taken=0, known=0, skipped_rows=20, skipped=skipped)
        for number in range(50)
    ]
    whole = DataImported(system="ordal", files=files, new={}, known=0, applied=False, next_step="")
    monkeypatch.setattr(sources, "bring", lambda *_, **__: whole)
    record = importing.data_import(Project(tmp_path), "x")
    assert len(record.model_dump_json()) < REPLY_CHARACTERS and "vettle import shows all" in record.notes[0]


def test_wide_rows_make_a_short_answer(tmp_path: Path) -> None:
    """A SELECT of a thousand long rows stays readable."""
    project = Project(tmp_path)
    endless = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n) SELECT"
    page = querying.events_query(project, sql=f"{endless} printf('%.*c', 3000, 'x') FROM n", rows=1_000)
    assert len(page.model_dump_json()) < REPLY_CHARACTERS and "more than these" in page.note


def test_a_project_moves_through_a_file(tmp_path: Path) -> None:
    """Export on one machine, import on another: the same rules, and every decision explained from the log."""
    _made(tmp_path / "old")
    new = tmp_path / "new"
    (new / ".git").mkdir(parents=True)
    assert "6 events" in _run(tmp_path / "old", "export", "log", "--output", str(new / "log.jsonl"))
    assert "to import" in _run(new, "import", "log.jsonl", "--dry-run")
    assert not (new / ".vettle").exists()
    assert "restored as it was" in _run(new, "import", "log.jsonl")
    assert "here already" in _run(new, "import", "log.jsonl")
    assert json.loads(_run(new, "rules", "--json"))["total"] == 2
    session = json.loads(_run(new, "events", "--kind", "session_started", "--json"))["events"][0]["session"]
    assert "the same decision" in _run(new, "explain", session)
    printed = _start(new, "export", "log")
    assert printed.stdout == (new / "log.jsonl").read_bytes() and printed.stderr == b""


def test_a_damaged_log_is_refused_with_exit_code_3(tmp_path: Path) -> None:
    """One line names the file and the line, and no database is made of half of it."""
    _made(tmp_path / "old")
    new = tmp_path / "new"
    new.mkdir()
    lines = _run(tmp_path / "old", "export", "log").splitlines()
    (new / "log.jsonl").write_text("\n".join(lines[:3]))
    done = _start(new, "import", "log.jsonl")
    assert done.returncode == 3 and done.stderr.startswith(b"vettle: log.jsonl:3: ")
    assert len(done.stderr.splitlines()) == 1 and done.stdout == b""
    events = json.loads(_run(new, "events", "--json"))["events"]
    assert events == []


def test_the_commands_read_events_and_tables(tmp_path: Path) -> None:
    """Filters and SQL for people: a table, the record with --json, and errors of one line."""
    _made(tmp_path)
    shown = _run(tmp_path, "events", "--kind", "rule_added", "--limit", "1")
    assert "Write tests." in shown and "More: --cursor " in shown
    oldest = _run(tmp_path, "events", "--oldest-first", "--limit", "1")
    assert "Sort imports." in oldest
    assert _run(tmp_path, "events", "--sql", "SELECT count(*) AS n FROM rule").split() == ["n", "2"]
    assert "No row." in _run(tmp_path, "events", "--sql", "SELECT 1 WHERE 0")
    assert "<U+001B>[2J" in _run(tmp_path, "events", "--sql", "SELECT char(27) || '[2J'")
    record = json.loads(_run(tmp_path, "events", "--sql", "SELECT text FROM rule", "--json"))
    assert len(record["table"]["rows"]) == 2
    assert "is not allowed" in _run(tmp_path, "events", "--sql", "PRAGMA user_version", code=2)
    assert "Valid: rule_added" in _run(tmp_path, "events", "--kind", "x", code=2)
    assert "limit" in _run(tmp_path, "events", "--limit", "0", code=2)
    assert "--output" in _run(tmp_path, "export", "log", "--json", code=2)


def test_import_tells_rule_files_from_data(tmp_path: Path) -> None:
    """A rule file is read for rules, data is brought whole, both in one call, and --from names a system."""
    (tmp_path / "CLAUDE.md").write_text("- Always run the type checker before committing.\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ledger.json").write_text(json.dumps(LEDGER))
    (tmp_path / "one.json").write_text(json.dumps(LEDGER[:1]))
    assert "1 experiment, 1 run to import." in _run(tmp_path, "import", "one.json", "--dry-run")
    both = _run(tmp_path, "import", "CLAUDE.md", "data")
    assert "1 new rule on trial" in both
    assert "ledger.json: 2 rows, " in both and "2 experiments, 2 runs imported." in both
    assert "imported before" in _run(tmp_path, "import", "--from", "adaptive-iteration", "data")
    assert "no system 'x'" in _run(tmp_path, "import", "--from", "x", "data", code=2)
    assert "--from goes with" in _run(tmp_path, "import", "--from", "ordal", code=2)
    assert "export log" in _run(tmp_path, "import", "--from", "vettle", ".vettle/vettle.db", code=2)


def test_a_folder_with_rule_files_is_read_for_those(tmp_path: Path) -> None:
    """A repository that also holds another system's data is no data, unless --from says so."""
    (tmp_path / "AGENTS.md").write_text("- Always write a test first.\n")
    (tmp_path / "ledger.json").write_text(json.dumps(LEDGER))
    assert "1 new rule on trial" in _run(tmp_path, "import", ".", "--dry-run")
    record = json.loads(_run(tmp_path, "import", "--from", "adaptive-iteration", ".", "--dry-run", "--json"))
    assert record["system"] == "adaptive-iteration" and not record["applied"]
