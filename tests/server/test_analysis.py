"""Analysis through the real server and the command line, as agents and people use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from vettle.engine.paging import REPLY_CHARACTERS
from vettle.server.app import create_server
from vettle.server.cli import cli

METRIC = {"name": "passed", "direction": "higher", "kind": "binary", "minimum_effect": 0.2}
HOSTILE = (
    "max-tokens",
    "x'); DROP TABLE run; --",
    'a "quoted" \\ name',
    "$.a.b[0]",
    "🎉 日本",
    "%s {0} ${HOME}",
    "| <script> |",
)
"""Names of dimensions that were SQL errors, or SQL, in a system before this one."""

pytestmark = pytest.mark.asyncio


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    assert len(json.dumps(result.structured_content, ensure_ascii=False)) <= 1.2 * REPLY_CHARACTERS
    return result.structured_content


def _run(root: Path, *arguments: str, code: int = 0) -> str:
    """Return what a command prints; one that fails runs as its own program, for its one line of error."""
    if code == 0:
        result = CliRunner().invoke(cli, ["--project", str(root), *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout
    done = subprocess.run(
        [sys.executable, "-m", "vettle", "--project", str(root), *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


async def _fill(client: Client) -> None:
    """Record twelve runs with hostile dimensions, half of them failed, two recurring mistakes, and a session."""
    variants = [{"name": f"v{level}", "config": {HOSTILE[0]: level}} for level in (64, 128)]
    await _call(client, "experiment_create", name="sizes", variants=variants, metric=METRIC, variable="size")
    rows = [
        {
            "unit": f"u{i}",
            "variant": f"v{64 * (1 + i % 2)}",
            "status": "completed" if i % 2 else "timeout",
            "failure_mode": "" if i % 2 else "slow",
            "error": "" if i % 2 else "took too long, password=hunter2hunter2",
            "metrics": {"passed": i % 2},
            "cost": 0.5,
            "tokens_out": 100,
            "context": "ci",
            "dimensions": dict.fromkeys(HOSTILE[1:], "x" if i % 2 else i),
        }
        for i in range(12)
    ]
    assert (await _call(client, "run_record", experiment="sizes", runs=rows))["accepted"] == 12
    await _call(client, "session_start", task="a task")
    for _ in range(2):
        await _call(client, "mistake_log", error_class="import", description="NameError in a.py")


async def test_hostile_dimension_names_break_no_question(tmp_path: Path) -> None:
    """Marginals by one and by all of them, numbers and texts apart, over stdio; and the data are still there."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "vettle", "serve", "--project", str(tmp_path)], cwd=tmp_path
    )
    async with Client(server) as client:
        await _fill(client)
        for name in HOSTILE:
            found = await _call(client, "experiment_results", experiment="sizes", by=[name])
            assert sum(row["n"] + row["missing"] for row in found["marginals"]) == 12
            if name == HOSTILE[0]:
                assert [row["values"] for row in found["marginals"]] == [[64.0], [128.0]]
            else:
                assert found["marginals"][-1]["values"] == ["x"]
        grid = await _call(client, "experiment_results", experiment="sizes", by=list(HOSTILE[:5]))
        assert len(grid["marginals"]) == 7
        refused = await client.call_tool("experiment_results", {"experiment": "sizes", "by": ["'; --"]})
        assert refused.is_error and "Recorded:" in str(refused.content)
        series = await _call(client, "experiment_results", experiment="sizes", interval="day")
        assert sum(sum(row["n"]) for row in series["series"]["variants"]) == 12


async def test_an_agent_gets_costs_evidence_and_failures(tmp_path: Path) -> None:
    """Three kinds of report over MCP, each filled in alone, with the secret of an error nowhere."""
    async with Client(create_server(str(tmp_path))) as client:
        await _fill(client)
        costs = await _call(client, "report_get", kind="costs", context="ci", period="7d")
        assert costs["costs"]["total"]["cost"] == 6.0 and costs["costs"]["wasted_share"] == 0.5
        assert costs["evidence"] is None and costs["sessions"] is None
        models = (await _call(client, "report_get", kind="models"))["models"]
        assert (models["variable"], models["period"]) == ("model", "30d")
        evidence = (await _call(client, "report_get", kind="evidence"))["evidence"]
        assert (evidence["variables"][0]["variable"], evidence["variables"][0]["runs"]) == ("size", 12)
        assert [one["name"] for one in evidence["open"]] == ["sizes"]
        assert evidence["performers"][0]["patterns"][0]["top"] == 1.0
        assert evidence["mistakes"][0]["occurrences"] == 2
        mistakes = (await _call(client, "report_get", kind="mistakes"))["mistakes"]
        assert mistakes["trend"]["direction"] == "too_early" and mistakes["severities"] == {"warning": 2}
        [mode] = mistakes["failures"]
        assert (mode["status"], mode["failure_mode"], mode["count"]) == ("timeout", "slow", 6)
        assert "hunter2" not in json.dumps(mistakes) and "took too long" in mode["example"]
        status = await _call(client, "status")
        assert status["sessions"]["imported"] == 0 and status["sessions"]["open"] == 1


async def test_the_lab_looks_into_the_runs(tmp_path: Path) -> None:
    """Performers and failures are tools too, with the same records as the commands."""
    async with Client(create_server(str(tmp_path), "core,lab")) as client:
        await _fill(client)
        found = await _call(client, "performers_list", experiment="sizes", top=2)
        assert [run["value"] for run in found["top"] + found["bottom"]] == [1.0, 1.0, 0.0, 0.0]
        assert found == json.loads(
            _run(tmp_path, "evidence", "--experiment", "sizes", "--top", "2", "--json")
        )
        failures = await _call(client, "failures_list", context="ci")
        assert failures == json.loads(_run(tmp_path, "failures", "--context", "ci", "--json"))


async def test_the_commands_print_the_same(tmp_path: Path) -> None:
    """Each command prints its record with --json, and lines for people without; a wrong use is one line."""
    async with Client(create_server(str(tmp_path))) as client:
        await _fill(client)
    assert json.loads(_run(tmp_path, "costs", "--json"))["costs"]["total"]["runs"] == 12
    text = _run(tmp_path, "costs", "--period", "7d", "--context", "ci")
    assert "wasted    3 (50%)" in text and "sizes / v64" in text
    assert json.loads(_run(tmp_path, "failures", "--json"))["failed"] == 6
    assert "took too long" in _run(tmp_path, "failures", "--limit", "1")
    assert json.loads(_run(tmp_path, "evidence", "--json"))["evidence"]["rules"] == {}
    assert "hint      max-tokens = 128" in _run(tmp_path, "evidence")
    page = _run(tmp_path, "evidence", "--markdown")
    assert page.startswith("# What is known\n") and r"- \$.a.b\[0\] = x: 100% of the better half" in page
    performers = json.loads(
        _run(tmp_path, "evidence", "--experiment", "sizes", "--metric", "cost", "--top", "2", "--json")
    )
    assert performers["metric"] == "cost" and performers["dispersion"][0]["n"] > 0
    assert "--metric goes with --experiment" in _run(tmp_path, "evidence", "--metric", "cost", code=2)
    assert "--markdown does not go with" in _run(
        tmp_path, "evidence", "--experiment", "sizes", "--markdown", code=2
    )
    assert "no experiment 'size'" in _run(tmp_path, "evidence", "--experiment", "size", code=1)
    assert "period" in _run(tmp_path, "costs", "--period", "7 days", code=2)
    assert "Too early to tell" in _run(tmp_path, "mistakes")


async def test_looking_at_an_empty_project_leaves_no_trace(tmp_path: Path) -> None:
    """Nothing recorded is a result, and no file is made by asking."""
    assert "0 runs were" in _run(tmp_path, "failures")
    spent = _run(tmp_path, "costs")
    assert "0 in all" in spent
    assert not [line for line in spent.splitlines() if line.startswith("time") or " - " in line]
    assert "No experiment yet" in _run(tmp_path, "evidence")
    assert "None." in _run(tmp_path, "evidence", "--markdown")
    assert not (tmp_path / ".vettle").exists()
