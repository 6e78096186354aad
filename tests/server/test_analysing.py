"""`vettle analyse`: one record from either engine, as lines and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.engine.clickhouse.conftest import Loopback, _interpreter, _loopback  # noqa: F401 - fixtures
from tests.engine.experiments.world import create, record

from vettle.engine import mistakes, sessions
from vettle.engine.errors import ClickHouseUnavailable, InvalidArgument
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.server.cli import cli

KINDS = [
    ["costs"],
    ["failures"],
    ["mistakes"],
    ["sessions"],
    ["experiment", "prompt", "--by", "model", "--by", "variant", "--interval", "day"],
]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A project with a little of everything."""
    project = Project(tmp_path, environment={})
    create(project)
    rows = [
        RunInput(
            unit=f"{at}", variant="ab"[at % 2], metrics={"passed": at % 2}, cost=at, dimensions={"model": "x"}
        )
        for at in range(4)
    ]
    record(project, *rows, RunInput(unit="9", variant="a", status="failed", error="boom"))
    started = sessions.start(project, task="work", context="ci")
    mistakes.log(project, error_class="lint", description="unused import", session_id=started.session_id)
    sessions.end(project, session_id=started.session_id, outcome="accepted")
    project.close()
    return tmp_path


def _vettle(folder: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, ["--project", str(folder), "analyse", *arguments], env=environment)


@pytest.mark.parametrize("arguments", KINDS, ids=lambda given: given[0])
def test_both_engines_print_the_same(folder: Path, loopback: Loopback, arguments: list[str]) -> None:
    """The record and the lines are the same, but for the engine's name."""
    server = {"VETTLE_CLICKHOUSE_URL": loopback.url}
    counted = _vettle(folder, *arguments, "--engine", "clickhouse", "--json", **server)
    default = _vettle(folder, *arguments, "--json")
    assert (counted.exit_code, default.exit_code) == (0, 0), counted.output
    told = json.loads(counted.output)
    assert told.pop("engine") == "clickhouse"
    expected = json.loads(default.output)
    assert expected.pop("engine") == "default"
    assert told == expected and told[told["kind"]] is not None
    lines = _vettle(folder, *arguments, "--engine", "clickhouse", **server).output
    assert lines == _vettle(folder, *arguments).output and len(lines.splitlines()) > 1


def test_wrong_use_is_refused_with_what_is_valid(folder: Path) -> None:
    """An engine, a period or an interval that does not exist is named, with those that do."""
    for arguments, named in (
        (("costs", "--engine", "duckdb"), "engine"),
        (("costs", "--period", "yesterday"), "period"),
        (("experiment", "prompt", "--interval", "year"), "interval"),
        (("costs", "prompt"), "experiment"),
    ):
        found = _vettle(folder, *arguments).exception
        assert isinstance(found, InvalidArgument) and named in str(found)
    assert _vettle(folder, "weather").exit_code == 2


def test_a_server_that_is_not_there_is_one_line(folder: Path) -> None:
    """It names the place and the way out."""
    url = "http://me:pass-word@127.0.0.1:1/x"
    found = _vettle(folder, "costs", "--engine", "clickhouse", VETTLE_CLICKHOUSE_URL=url).exception
    assert isinstance(found, ClickHouseUnavailable)
    assert "127.0.0.1:1" in str(found) and "--engine default" in str(found) and "pass-word" not in str(found)
