"""Models ranked through the real server and the command line, as agents and people ask for it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

METRIC = {"name": "passed", "direction": "higher", "kind": "binary"}
MODELS = ("small", "large", "new")

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


def _cli(root: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "vettle", "--project", str(root), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


async def _history(client: Client) -> None:
    """Let two of three models work on docs, and one session on tests."""
    variants = [{"name": model, "config": {"model": model}} for model in MODELS]
    await _call(client, "experiment_create", name="m", variants=variants, metric=METRIC, context="docs")
    rows = [
        {
            "unit": f"{model} {index}",
            "variant": model,
            "metrics": {"passed": float(index < wins)},
            "cost": cost,
            "rating": "over" if model == "large" and index < 4 else "",
        }
        for model, wins, cost in (("small", 15, 0.1), ("large", 18, 0.5))
        for index in range(20)
    ]
    assert (await _call(client, "run_record", experiment="m", runs=rows))["accepted"] == 40
    await _call(client, "experiment_decide", experiment="m", action="close", reason="enough")
    started = await _call(client, "session_start", task="x", context="tests", model="small")
    await _call(client, "session_end", session_id=started["session_id"], outcome="accepted")


async def test_an_agent_asks_which_model_to_use_and_follows_the_advice(tmp_path: Path) -> None:
    """The lab tool ranks per context, proposes a challenger where allowed, and its call works as it stands."""
    async with Client(_stdio(tmp_path, "--toolsets", "core,lab")) as client:
        await _history(client)
        ranked = await _call(client, "variants_rank", low_risk=["docs"])
        docs, tests = ranked["contexts"]
        assert (docs["context"], tests["context"]) == ("docs", "tests")
        assert [(one["value"], one["n"], one["tried"]) for one in docs["variants"]] == [
            ("large", 20, True),
            ("small", 20, True),
            ("new", 0, False),
        ]
        assert docs["chain"] == ["large", "small"] == ranked["default_chain"]
        assert "such as small at 0.1" in docs["variants"][0]["advice"][0]
        assert tests["challenger"] is None and "low risk" in tests["no_challenger"]
        created = await _call(client, "experiment_create", **docs["challenger"]["call"])
        assert created["state"] == "running"
        again = await _call(client, "variants_rank", context="docs", low_risk=["docs"], period="7d")
        assert again["contexts"][0]["challenger"]["experiment"] == created["experiment_id"]
        assert again["contexts"][0]["variants"][0]["trend"][0]["n"] == 20
        refused = await client.call_tool("variants_rank", {"period": "a month"})
        assert refused.is_error


async def test_the_command_prints_the_same_and_writes_the_chains(tmp_path: Path) -> None:
    """`vettle models` shows the table, --json the record, --chain a file, --compare two of them."""
    async with Client(_stdio(tmp_path, "--toolsets", "core,lab")) as client:
        await _history(client)
        ranked = await _call(client, "variants_rank")
    assert json.loads(_cli(tmp_path, "models", "--json")) == ranked
    shown = _cli(tmp_path, "models", "--low-risk", "docs", "--chain", "out/models.json", "--period", "30d")
    assert "docs (40 results)" in shown and "untried" in shown and "chain: large > small" in shown
    assert "by day: " in shown and "challenger: " in shown and "any other context: large > small" in shown
    command = next(line for line in shown.splitlines() if "start it: vettle " in line)
    created = _cli(tmp_path, *shlex.split(command.partition("start it: vettle ")[2]), "--json")
    assert json.loads(created)["state"] == "running"
    written = json.loads((tmp_path / "out" / "models.json").read_text(encoding="utf-8"))
    assert written["contexts"] == {"docs": ["large", "small"], "tests": ["large", "small"]}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["models.json"]
    assert "outside the project" in _cli(tmp_path, "models", "--chain", "../x.json", code=2)
    assert "large is better with a chance of" in _cli(tmp_path, "models", "--compare", "large", "small")
    known = json.loads(_cli(tmp_path, "models", "--minimum", "10", "--json"))
    assert [one["context"] for one in known["contexts"]] == ["docs"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--period", "month"), 2, "period"),
        (("--compare", "a", "b"), 2, "no model 'a'"),
        (("--compare", "a", "b", "--chain", "x.json"), 2, "a comparison has no chain"),
        (("--chain", "x.json"), 2, "no value has a result yet"),
    ],
)
async def test_bad_arguments_are_named(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """Each is refused with what is wrong, and nothing is written, inside or outside."""
    root = tmp_path / "project"
    root.mkdir()
    assert words in _cli(root, "models", *arguments, code=code)
    assert list(tmp_path.iterdir()) == [root] and list(root.iterdir()) == []


async def test_declaring_the_tool_costs_no_numpy() -> None:
    """A server with the lab, and the command's help, start without numpy."""
    code = (
        "import vettle.server.lab.ranking, vettle.server.commands.ranking, sys; print('numpy' in sys.modules)"
    )
    assert _python(code) == "False"
