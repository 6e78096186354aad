"""Proposals through the real server and the command line: a model that answers, one that fails, and none."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from tests.engine.proposals.loopback import EXPERIMENT, GOOD, KEY, RULE, said, serving

from vettle.engine.errors import InvalidArgument
from vettle.server.app import create_server
from vettle.server.cli import cli

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.asyncio


def _stdio(root: Path, environment: dict[str, str]) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "vettle", "serve", "--project", str(root), "--toolsets", "core,lab"],
        cwd=root,
        env=environment,
    )


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def _mistakes(client: Client) -> None:
    """Make the same mistake in three sessions."""
    for _ in range(3):
        session = await _call(client, "session_start", task="tidy up")
        await _call(
            client,
            "mistake_log",
            error_class="style",
            description="lines too long",
            correction="run the formatter",
            session_id=session["session_id"],
        )
        await _call(client, "session_end", session_id=session["session_id"], outcome="accepted")


async def test_an_agent_gets_proposals_reviews_and_takes_them(tmp_path: Path) -> None:
    """Mistakes and a model propose, the agent passes on what it likes, and the next session tries the rules."""
    with serving(said(GOOD)) as server:
        async with Client(_stdio(tmp_path, server.environment())) as client:
            await _mistakes(client)
            made = await _call(client, "proposals_make")
            assert (made["source"], made["model"]) == ("model", "small")
            assert [one["source"] for one in made["proposals"]] == ["mistake", "model", "model"]
            chosen = [one["proposal"] for one in made["proposals"]]
            dry = await _call(client, "proposals_review", proposals=chosen)
            assert dry["by_status"] == {"new": 3} and dry["accepted"] == 0
            taken = await _call(client, "proposals_review", proposals=chosen, accept=True, proposer="small")
            assert taken["accepted"] == 3
            started = await _call(client, "session_start", task="tidy up")
            assert started["pool"] == 2
            experiment = taken["proposals"][2]["accepted_as"]
            await _call(client, "experiment_decide", experiment=experiment, action="start", reason="go")
            assert (await _call(client, "variant_select", experiment=experiment))["variant"] in (
                "short",
                "long",
            )
            again = await _call(client, "proposals_review", proposals=chosen, accept=True)
            assert again["by_status"] == {"known": 3} and again["accepted"] == 0


async def test_a_model_that_hangs_does_not_hold_the_session_up(tmp_path: Path) -> None:
    """While the model is silent other calls are answered; then the evidence comes back, and the session goes on."""
    (tmp_path / ".vettle").mkdir()
    (tmp_path / ".vettle" / "config.toml").write_text("[proposals]\nseconds = 2\n")
    with serving(dataclasses.replace(said(GOOD), delay=60)) as server:
        async with Client(_stdio(tmp_path, server.environment()), mode="legacy") as client:
            await _mistakes(client)
            answers: list[dict[str, Any]] = []

            async def make() -> None:
                answers.append(await _call(client, "proposals_make"))

            began = time.monotonic()
            async with anyio.create_task_group() as group:
                group.start_soon(make)
                await anyio.sleep(0.3)
                await _call(client, "status")
                assert not answers and time.monotonic() - began < 2
            assert time.monotonic() - began < 6
            [made] = answers
            assert made["source"] == "evidence" and "did not answer in time" in made["note"]
            assert made["proposals"][0]["review"]["title"] == "Run the formatter."
            assert (await _call(client, "session_start", task="go on"))["session_id"]
    assert KEY not in json.dumps(made)
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(("arguments", "words"), [
    ({"proposals": []}, "proposals: "),
    ({"proposals": [{"kind": "poem"}]}, "kind"),
    ({"proposals": [{**RULE, "text": "two\nlines"}]}, "proposals.0.rule.text: must be one line"),
    ({"proposals": [{**EXPERIMENT, "variants": []}]}, "proposals.0.experiment.variants"),
    ({"proposals": [RULE], "acept": True}, "acept"),
])  # fmt: skip
async def test_a_proposal_out_of_shape_is_refused_with_its_place(
    tmp_path: Path, arguments: dict[str, Any], words: str
) -> None:
    """An agent reads which field of which proposal is wrong, and nothing is recorded."""
    async with Client(create_server(str(tmp_path), "lab")) as client:
        result = await client.call_tool("proposals_review", arguments)
        assert result.is_error and words in str(result.content[0].text)  # type: ignore[union-attr]
    assert not list(tmp_path.rglob("*.db"))


def _run(root: Path, *arguments: str, stdin: str = "", environment: dict[str, str] | None = None) -> str:
    nothing = dict.fromkeys(("OPENAI_API_KEY", "OPENAI_BASE_URL", "VETTLE_OPENAI_MODEL"), "")
    runner = CliRunner(env=nothing | (environment or {}))
    done = runner.invoke(cli, ["--project", str(root), *arguments], input=stdin, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


async def test_the_command_line_proposes_and_takes(tmp_path: Path) -> None:
    """Without a model `vettle propose` shows candidates and why nobody was asked; --accept takes them once."""
    async with Client(create_server(str(tmp_path))) as client:
        await _mistakes(client)
    shown = _run(tmp_path, "propose")
    assert "No model is configured" in shown and "1. new rule (from mistakes): Run the formatter." in shown
    taken = json.loads(_run(tmp_path, "propose", "--no-ask", "--accept", "--json"))
    assert (taken["accepted"], taken["by_status"]) == (1, {"new": 1})
    assert json.loads(_run(tmp_path, "propose", "--no-ask", "--json"))["proposals"] == []
    assert taken["proposals"][0]["accepted_as"] in _run(tmp_path, "rules")


async def test_the_step_of_a_proposal_can_be_pasted(tmp_path: Path) -> None:
    """What a person is shown beside a candidate is a command that a shell takes as it stands."""
    async with Client(create_server(str(tmp_path))) as client:
        await _mistakes(client)
    lines = _run(tmp_path, "propose", "--no-ask").splitlines()
    [step] = [line for line in lines if line.startswith("    vettle rule add")]
    program, *arguments = shlex.split(step)
    assert program == "vettle"
    added = json.loads(_run(tmp_path, *arguments, "--json"))
    assert added["status"] == "trial"


async def test_the_command_line_asks_a_model_and_reviews_a_file(tmp_path: Path) -> None:
    """What a model answers can be shown, or kept in a file, changed, and reviewed and taken from there."""
    with serving(said(GOOD)) as server:
        shown = _run(tmp_path, "propose", environment=server.environment())
        printed = _run(tmp_path, "propose", "--json", environment=server.environment())
    assert "new experiment (from small): prompt length" in shown and KEY not in shown
    file = tmp_path / "ideas.json"
    file.write_text(printed)
    assert "1. new rule: Run the type checker" in _run(tmp_path, "propose", "--review", str(file))
    arguments = ("propose", "--review", "-", "--accept", "--proposer", "me", "--client-ref", "a", "--json")
    first = _run(tmp_path, *arguments, stdin=GOOD)
    assert json.loads(first)["accepted"] == 2 and _run(tmp_path, *arguments, stdin=GOOD) == first
    assert "known" in _run(tmp_path, "propose", "--review", str(file))


@pytest.mark.parametrize(("stdin", "words"), [
    ("not json", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ('{"ideas": []}', "proposals: "),
    ("[]", "proposals: "),
])  # fmt: skip
async def test_a_file_without_proposals_is_refused(tmp_path: Path, stdin: str, words: str) -> None:
    """What is wrong with the file is said, and nothing is recorded."""
    with pytest.raises(InvalidArgument, match=words):
        _run(tmp_path, "propose", "--review", "-", stdin=stdin)
    with pytest.raises(InvalidArgument, match="No such file"):
        _run(tmp_path, "propose", "--review", "missing.json")
    assert list(tmp_path.iterdir()) == []


async def test_the_documented_proposals_can_be_reviewed(tmp_path: Path) -> None:
    """The example of docs/proposals.md is one that the review takes as new."""
    async with Client(create_server(str(tmp_path))) as client:
        await _mistakes(client)
    page = (ROOT / "docs" / "proposals.md").read_text(encoding="utf-8")
    example = page.partition("```json\n")[2].partition("```")[0]
    reviewed = json.loads(_run(tmp_path, "propose", "--review", "-", "--json", stdin=example))
    assert reviewed["by_status"] == {"new": 2}
