"""Experiments through the real server and the command line, as agents and people use them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from vettle.engine.errors import InvalidArgument
from vettle.server.app import create_server
from vettle.server.toolsets import TOOLSETS, offered, wanted

ERAS = ("auto", "legacy")
METRIC = {"name": "passed", "direction": "higher", "kind": "binary", "minimum_effect": 0.2}
VARIANTS = [
    {"name": "short", "config": {"prompt": "Fix it."}},
    {"name": "long", "config": {"prompt": "Think."}},
]

pytestmark = pytest.mark.asyncio


def _stdio(root: Path, *arguments: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "vettle", "serve", "--project", str(root), *arguments],
        cwd=root,
    )


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def _error(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return str(result.content[0].text)  # type: ignore[union-attr]


@pytest.mark.parametrize("era", ERAS)
async def test_an_agent_gets_a_verdict_it_can_trust(tmp_path: Path, era: Any) -> None:
    """Create, select, record, look after every pair, close: the better variant wins, and looking changes nothing."""
    generator = random.Random(3)
    async with Client(_stdio(tmp_path), mode=era) as client:
        created = await _call(client, "experiment_create", name="wording", variants=VARIANTS, metric=METRIC)
        assert created["state"] == "running" and created["runs_per_variant"] > 50
        early = await _call(client, "experiment_results", experiment="wording")
        assert early["verdict"]["outcome"] == "insufficient" and early["verdict"]["leader"] is None
        outcome, looks = "", 0
        for number in range(300):
            unit = f"task-{number}"
            given = await _call(client, "variant_select", experiment="wording", unit=unit)
            again = await _call(client, "variant_select", experiment="wording", unit=unit)
            assert again["repeated"] and again["variant"] == given["variant"]
            passed = generator.random() < (0.9 if given["variant"] == "long" else 0.3)
            row = {"assignment_id": given["assignment_id"], "metrics": {"passed": float(passed)}}
            assert (await _call(client, "run_record", experiment="wording", runs=[row]))["accepted"] == 1
            if number % 10 == 9:
                looks += 1
                verdict = (await _call(client, "experiment_results", experiment="wording"))["verdict"]
                outcome = verdict["outcome"]
                if outcome == "better":
                    break
        assert outcome == "better" and verdict["leader"] == "long" and looks < 15
        closed = await _call(client, "experiment_decide", experiment="wording", action="close", reason="done")
        assert closed["new"] == "concluded" and closed["verdict"]["leader"] == "long"
        served = await _call(client, "variant_select", experiment="wording")
        assert (served["variant"], served["recorded"]) == ("long", False)


async def test_a_bad_row_keeps_the_batch_out_and_is_named(tmp_path: Path) -> None:
    """All rows or none: the answer gives each bad row's number and reason, and the good one is not recorded."""
    async with Client(create_server(str(tmp_path))) as client:
        await _call(client, "experiment_create", name="wording", variants=VARIANTS, metric=METRIC)
        given = await _call(client, "variant_select", experiment="wording", unit="a")
        rows = [
            {"assignment_id": given["assignment_id"], "metrics": {"passed": 1}},
            {"unit": "b", "variant": "medium", "metrics": {"passed": 1}},
            {"unit": "c", "variant": "long", "metrics": {"passed": 0.5}},
        ]
        refused = await _call(client, "run_record", experiment="wording", runs=rows)
        assert (refused["accepted"], [one["row"] for one in refused["refused"]]) == (0, [1, 2])
        assert (
            "medium" in refused["refused"][0]["reason"] and "short, long" in refused["refused"][0]["reason"]
        )
        results = await _call(client, "experiment_results", experiment="wording")
        assert results["verdict"]["blocks"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"variants": VARIANTS[:1], "metric": METRIC}, "variants: 1 given"),
        ({"variants": VARIANTS}, "metric.direction: it is missing"),
        ({"variants": VARIANTS, "metric": {"direction": "up"}}, "metric.direction"),
        ({"variants": [{"nme": "x"}, {"name": "y"}], "metric": METRIC}, "variants.0.nme"),
        ({"variants": VARIANTS, "space": {"a": [1, 2]}, "metric": METRIC}, "space: it comes instead"),
        ({"space": {"a": list(range(1000)), "b": [1, 2]}, "metric": METRIC}, "space_sample"),
    ],
)
async def test_a_bad_design_is_refused_with_the_field_and_the_remedy(
    tmp_path: Path, arguments: dict[str, Any], words: str
) -> None:
    """An agent reads what is wrong and what to do, and nothing is recorded."""
    async with Client(create_server(str(tmp_path))) as client:
        assert words in await _error(client, "experiment_create", name="x", **arguments)
    assert not (tmp_path / ".vettle").exists() or not list((tmp_path / ".vettle").glob("*.db"))


async def test_an_unknown_experiment_is_answered_with_those_near_it(tmp_path: Path) -> None:
    """A misspelt name leads to the right one."""
    async with Client(create_server(str(tmp_path))) as client:
        await _call(client, "experiment_create", name="wording", variants=VARIANTS, metric=METRIC)
        assert "wording" in await _error(client, "variant_select", experiment="wordng")


async def test_the_lab_is_offered_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rarer tools come with --toolsets core,lab or VETTLE_TOOLSETS; the default list has 15 tools."""
    core = {tool.name for tool in offered(("core",))}
    lab = {tool.name for tool in TOOLSETS["lab"]()}
    assert len(core) == 15
    async with Client(create_server(str(tmp_path))) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == core
    async with Client(_stdio(tmp_path, "--toolsets", "core,lab")) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == core | lab
        sample = await _call(
            client,
            "space_sample",
            space={f"d{number}": list(range(8)) for number in range(20)},
            n=5,
            seed=1,
        )
        assert sample["total"] == str(8**20) and len(sample["configurations"]) == 5
        options = [{"id": "a", "score": 1}, {"id": "b", "score": None}, {"id": "c", "score": 5}]
        picked = await _call(client, "choose", options=options)
        assert (picked["id"], picked["unscored"]) == ("c", ["b"])
        merged = await _call(client, "variable_register", name="system prompt", aliases=["prompt"])
        assert merged["aliases"] == ["prompt"]
        await _call(
            client, "experiment_create", name="w", variants=VARIANTS, metric=METRIC, variable="prompt"
        )
        listed = await _call(client, "experiments_list")
        assert listed["experiments"][0]["variable"] == "system prompt"
        calibration = await _call(client, "judge_calibrate", experiment="w")
        assert "too little" in json.dumps(calibration).lower()
    monkeypatch.setenv("VETTLE_TOOLSETS", "lab")
    assert {tool.name for tool in offered(wanted())} == lab
    with pytest.raises(InvalidArgument, match=r"no toolset 'laboratory'\. Valid: core, lab"):
        wanted("laboratory")


async def test_the_command_line_does_the_same(tmp_path: Path) -> None:
    """Each tool has a command with the same record: JSON in, JSON out, and errors of one line."""

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "vettle", "--project", str(tmp_path), *arguments],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert len(done.stderr.splitlines()) == (0 if code == 0 else 1)
        return done.stdout or done.stderr

    variants, metric = json.dumps(VARIANTS), json.dumps(METRIC)
    created = json.loads(
        run("experiment", "create", "wording", "--variants", variants, "--metric", metric, "--json")
    )
    assert created["state"] == "running"
    given = json.loads(run("experiment", "select", "wording", "--unit", "t1", "--json"))
    rows = json.dumps([{"assignment_id": given["assignment_id"], "metrics": {"passed": 1}}])
    assert json.loads(run("experiment", "record", "wording", rows, "--json"))["accepted"] == 1
    assert "Too early to tell" in run("experiment", "results", "wording")
    assert "not JSON" in run("experiment", "record", "wording", "[", code=2)
    assert "wording" in run("experiments")
    assert json.loads(run("choose", '[{"id": "a", "score": 2}]', "--json"))["id"] == "a"
    assert json.loads(run("space", '{"a": [1, 2]}', "--n", "2", "--json"))["total"] == "2"
