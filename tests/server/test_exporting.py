"""Exports through the real server and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from dotenv import dotenv_values
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments import lifecycle, runs
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.server.cli import cli
from vettle.server.lab.exporting import best_export
from vettle.server.signatures import signature
from vettle.server.toolsets import find

CONFIG: dict[str, Any] = {"model": "m", "prompt": "l1\nl2 'q' \"q\" $HOME", "n": [1, None]}


def _ask(root: Path) -> None:
    """Leave an experiment of two variants with five runs each."""
    (root / ".vettle").mkdir()
    project = Project(root)
    try:
        variants = [
            VariantInput(name="long", config=CONFIG),
            VariantInput(name="short", config={"model": "m"}),
        ]
        metric = MetricInput(name="passed", direction="higher", kind="binary")
        lifecycle.create(project, name="wording", variants=variants, space={}, metric=metric)
        rows = [
            RunInput(unit=f"{name}{index}", variant=name, metrics={"passed": value}, duration_ms=9.0)
            for name, value in (("long", 1.0), ("short", 0.0))
            for index in range(5)
        ]
        assert runs.record(project, experiment="wording", runs=rows).accepted == 10
    finally:
        project.close()


def _run(root: Path, *arguments: str) -> str:
    """Run a command that succeeds, and return exactly what it prints."""
    done = CliRunner().invoke(
        cli, ["--project", str(root), "export", "best", *arguments], catch_exceptions=False
    )
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def _refusal(root: Path, *arguments: str, code: int) -> str:
    """Run a command that fails, in a process of its own, and return its one line."""
    done = subprocess.run(
        [sys.executable, "-m", "vettle", "--project", str(root), "export", "best", *arguments],
        capture_output=True, text=True, timeout=60, check=False, cwd=root,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (code, "")
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


@pytest.mark.asyncio
async def test_an_agent_exports_the_best_and_is_told_what_it_is_worth(tmp_path: Path) -> None:
    """The tool gives the text, or writes it, and says whether the best is proven; refusals are errors."""
    _ask(tmp_path)
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "vettle", "serve", "--project", str(tmp_path), "--toolsets", "core,lab"],
        cwd=tmp_path,
    )
    async with Client(server) as client:
        done = await client.call_tool("best_export", {"experiment": "wording"})
        assert not done.is_error, done.content
        answer = done.structured_content
        assert isinstance(answer, dict)
        assert (answer["variant"], answer["proven"], answer["outcome"], answer["path"]) == (
            "long", False, "insufficient", "",
        )  # fmt: skip
        assert "Not proven" in answer["answer"]
        assert json.loads(answer["text"])["config"] == CONFIG
        done = await client.call_tool(
            "best_export", {"experiment": "wording", "format": "env", "path": "config/best.env"}
        )
        assert isinstance(done.structured_content, dict)
        assert done.structured_content["path"] == "config/best.env"
        assert dotenv_values(tmp_path / "config" / "best.env")["PROMPT"] == CONFIG["prompt"]
        for arguments in (
            {"experiment": "wordng"},
            {"experiment": "wording", "format": "toml"},
            {"experiment": "wording", "metric": "size"},
            {"experiment": "wording", "path": ".vettle/vettle.db"},
        ):
            assert (await client.call_tool("best_export", arguments)).is_error
    assert (tmp_path / ".vettle" / "vettle.db").read_bytes()[:6] == b"SQLite"


def test_the_command_prints_exactly_the_text(tmp_path: Path) -> None:
    """Every format goes to stdout as it is, ready for a file; --output writes it, and --json prints the record."""
    _ask(tmp_path)
    assert json.loads(_run(tmp_path, "wording"))["config"] == CONFIG
    assert yaml.safe_load(_run(tmp_path, "wording", "--format", "yaml"))["config"] == CONFIG
    assert _run(tmp_path, "wording", "--format", "markdown").startswith("# Best Configuration\n")
    text = _run(tmp_path, "wording", "--format", "env", "--prefix", "APP_")
    assert "APP_MODEL='m'" in text
    assert "Wrote best.env. Not proven" in _run(
        tmp_path, "wording", "--format", "env", "--prefix", "APP_", "--output", str(tmp_path / "best.env")
    )
    written = (tmp_path / "best.env").read_text()
    assert [line for line in written.splitlines() if not line.startswith("#")] == [
        line for line in text.splitlines() if not line.startswith("#")
    ]
    record = json.loads(_run(tmp_path, "wording", "--metric", "success", "--minimum-runs", "5", "--json"))
    assert (record["format"], record["proven"]) == ("json", False)
    assert "contexts" in json.loads(_run(tmp_path, "--format", "chain"))
    assert json.loads(_run(tmp_path, "wording", "--output", "-"))["config"] == CONFIG


def test_the_command_refuses_in_one_line(tmp_path: Path) -> None:
    """An unknown experiment, a missing one, and a file of somebody else's."""
    _ask(tmp_path)
    assert "wording" in _refusal(tmp_path, "wordin", code=1)
    assert "experiment: it is missing" in _refusal(tmp_path, code=2)
    assert "top" in _refusal(tmp_path, "wording", "--top", "0", code=2)
    (tmp_path / "README.md").write_text("mine\n")
    refused = _refusal(tmp_path, "wording", "--format", "markdown", "--output", "README.md", code=3)
    assert "stays" in refused
    assert (tmp_path / "README.md").read_text() == "mine\n"


def test_bad_arguments_are_refused_before_anything_is_read() -> None:
    """The tool's own limits hold for both faces."""
    of = signature(find(best_export))
    for arguments in (
        {"top": 51},
        {"minimum_runs": 0},
        {"format": "xml"},
        {"experiment": "a\nb"},
        {"unknown": 1},
    ):
        with pytest.raises(InvalidArgument):
            of.validate(arguments)
