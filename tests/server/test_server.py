"""The MCP server as clients see it: contract, errors, concurrency, clean stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import ElicitResult

from vettle.engine.project import Project
from vettle.engine.store import events
from vettle.server.app import create_server, instructions

pytestmark = pytest.mark.asyncio

ERAS = ("auto", "legacy")  # 2026-07-28 without a handshake, and 2025-11-25 with one
GOLDEN = Path(__file__).parent / "golden" / "tools.json"


def _stdio(root: Path) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable, args=["-m", "vettle", "serve", "--project", str(root)], cwd=root
    )


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def _error(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return str(result.content[0].text)  # type: ignore[union-attr]


def _events(root: Path) -> int:
    project = Project(root)
    try:
        with project.read() as transaction:
            return events.count(transaction)
    finally:
        project.close()


@pytest.mark.parametrize("era", ERAS)
async def test_two_server_processes_do_not_mix_two_interleaved_sessions(tmp_path: Path, era: Any) -> None:
    """Two agents, two processes, one project: mistakes, rewards and scores stay with their session."""
    async with Client(_stdio(tmp_path), mode=era) as one, Client(_stdio(tmp_path), mode=era) as two:
        for index in range(4):
            await _call(one, "rule_add", text=f"Rule number {index}.")
        first = await _call(one, "session_start", task="first", agent="one")
        second = await _call(two, "session_start", task="second", agent="two")
        assert first["session_id"] != second["session_id"]
        assert second["pool"] == 4
        await _call(
            one, "mistake_log", error_class="a", description="only mine", session_id=first["session_id"]
        )
        other = await _call(
            two, "mistake_log", error_class="a", description="only mine", session_id=second["session_id"]
        )
        assert other["repeat"] is True
        assert "Pass the one you mean" in await _error(two, "session_end", {"outcome": "accepted"})
        ended = await _call(two, "session_end", session_id=second["session_id"], outcome="accepted")
        assert (ended["mistakes"], ended["repeats"], ended["score"]) == (1, 1, 0.75)
        ended = await _call(one, "session_end", session_id=first["session_id"], outcome="rejected")
        assert (ended["mistakes"], ended["repeats"], ended["score"]) == (1, 0, 0.25)
        report = await _call(one, "report_get", kind="sessions")
        scores = {row["agent"]: row["score"] for row in report["sessions"]["sessions"]}
        assert scores == {"one": 0.25, "two": 0.75}


@pytest.mark.parametrize("era", ERAS)
async def test_both_channels_carry_the_same_record(tmp_path: Path, era: Any) -> None:
    """Clients that read the text and clients that read the structured content learn the same facts."""
    async with Client(create_server(str(tmp_path)), mode=era) as client:
        result = await client.call_tool("status", {})
        assert json.loads(result.content[0].text) == result.structured_content  # type: ignore[union-attr]


async def test_every_tool_has_a_title_all_hints_and_refuses_unknown_arguments(tmp_path: Path) -> None:
    """What a client needs to ask for permission is declared, and schemas are closed."""
    async with Client(create_server(str(tmp_path))) as client:
        tools = (await client.list_tools()).tools
    assert len(tools) <= 15
    for tool in tools:
        assert tool.title and tool.description and tool.output_schema
        assert tool.input_schema["additionalProperties"] is False
        assert tool.annotations is not None
        hints = tool.annotations.model_dump(
            include={"read_only_hint", "destructive_hint", "idempotent_hint", "open_world_hint"}
        )
        assert None not in hints.values()
        assert "null" not in json.dumps(tool.input_schema)


async def test_the_tool_list_is_what_was_reviewed_and_fits_its_budget(tmp_path: Path) -> None:
    """A changed name, description or schema is a change to the golden file; the list stays small.

    Tokens are estimated as characters / 4.29: counted with o200k, this list has 4.30 characters to a token.
    """
    async with Client(create_server(str(tmp_path))) as client:
        tools = (await client.list_tools()).tools
    shown = [{"name": t.name, "description": t.description, "inputSchema": t.input_schema} for t in tools]
    if not GOLDEN.exists():
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(shown, indent=1) + "\n", encoding="utf-8")
        pytest.fail(f"{GOLDEN} was missing and has been written: review it")
    assert shown == json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert len(json.dumps(shown, separators=(",", ":"))) / 4.29 <= 2_500
    assert len(instructions(str(tmp_path)).encode()) < 2_048
    assert str(tmp_path) in instructions(str(tmp_path))


ENDLESS = "x" * 10_000_000
BAD_CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("session_start", {}, "task"),
    ("session_start", {"task": ""}, "task"),
    ("session_start", {"task": "  "}, "task"),
    ("session_start", {"task": ENDLESS}, "task"),
    ("session_start", {"task": "a\x00b"}, "task"),
    ("session_start", {"task": "x", "k": -1}, "k"),
    ("session_start", {"task": "x", "k": 11}, "k"),
    ("session_start", {"task": "x", "k": "many"}, "k"),
    ("session_start", {"task": "x", "paths": ["../../etc/passwd"]}, "paths"),
    ("session_start", {"task": "x", "paths": ["/etc/passwd"]}, "paths"),
    ("session_start", {"task": "x", "paths": ["C:\\x"]}, "paths"),
    ("session_start", {"task": "x", "candidates": ["nothing-000000"]}, "candidates|rules_list"),
    ("session_start", {"task": "x", "context": "a\nb"}, "context"),
    ("session_start", {"task": "x", "zzz": 1}, "zzz"),
    ("session_start", {"task": "x", "seed": 1.5}, "seed"),
    ("mistake_log", {"error_class": "", "description": "x"}, "error_class"),
    ("mistake_log", {"error_class": "a"}, "description"),
    ("mistake_log", {"error_class": "a", "description": ENDLESS}, "description"),
    ("mistake_log", {"error_class": "a", "description": "x", "severity": "fatal"}, "severity"),
    (
        "mistake_log",
        {"error_class": "a", "description": "x", "session_id": "s-000000000000"},
        "session_start",
    ),
    ("mistake_log", {"error_class": "a", "description": "x", "file": "../x"}, "file"),
    (
        "mistake_log",
        {"error_class": "a", "description": "x", "corrected_by_rule": "none"},
        "corrected_by_rule|rules_list",
    ),
    ("mistake_log", {"error_class": "a", "description": "x\ud800"}, "description"),
    ("reward_log", {"outcome": "great"}, "outcome"),
    ("reward_log", {"outcome": "revision", "revision_distance": "NaN"}, "revision_distance"),
    ("reward_log", {"outcome": "revision", "revision_distance": float("nan")}, "revision_distance"),
    ("reward_log", {"outcome": "revision", "revision_distance": -0.5}, "revision_distance"),
    ("reward_log", {"outcome": "accepted", "weight": float("inf")}, "weight"),
    ("reward_log", {"outcome": "accepted", "weight": 0}, "weight"),
    ("reward_log", {"outcome": "accepted", "rules_active": ["none"]}, "rules_active|rules_list"),
    ("reward_log", {"outcome": "accepted", "session_id": "unknown"}, "session_id|session_start"),
    ("session_end", {}, "session_id"),
    ("session_end", {"session_id": "s-000000000000"}, "session_id|session_start"),
    ("session_end", {"outcome": "fine"}, "outcome"),
    ("session_end", {"entry_file": "../../x"}, "entry_file"),
    ("rule_add", {"text": ""}, "text"),
    ("rule_add", {"text": "a\nb"}, "text"),
    ("rule_add", {"text": "x" * 401}, "text"),
    ("rule_add", {"text": ENDLESS}, "text"),
    ("rule_add", {"text": "ok", "prior": 2}, "prior"),
    ("rule_add", {"text": "ok", "globs": ["../*.py"]}, "globs"),
    ("rule_add", {"text": "ok", "source": "oracle"}, "source"),
    ("rule_add", {"text": "use ghp_abcdefghijklmnopqrstuvwxyz012345"}, "secret"),
    ("rule_decide", {"rule_id": "none", "action": "pin", "reason": "x"}, "rule_id|rules_list"),
    ("rule_decide", {"rule_id": "none", "action": "explode", "reason": "x"}, "action"),
    ("rule_decide", {"rule_id": "none", "action": "pin", "reason": ""}, "reason"),
    ("rule_decide", {"rule_id": "none", "action": "pin", "reason": "x", "text": "y"}, "text"),
    ("rules_list", {"status": "famous"}, "status"),
    ("rules_list", {"limit": 0}, "limit"),
    ("rules_list", {"limit": 1000}, "limit"),
    ("rules_list", {"cursor": "../x"}, "cursor"),
    ("rules_render", {"targets": []}, "targets"),
    ("rules_render", {"targets": ["../CLAUDE.md"]}, "targets"),
    ("rules_render", {"write": "perhaps"}, "write"),
    ("report_get", {}, "kind"),
    ("report_get", {"kind": "weather"}, "kind"),
    ("report_get", {"kind": "sessions", "period": "-3d"}, "period"),
    ("report_get", {"kind": "sessions", "cursor": "\u0661:x"}, "cursor"),
    ("report_get", {"kind": "sessions", "session_id": "s-000000000000"}, "session_id|session_start"),
    ("report_get", {"kind": "rules", "session_id": "s-000000000000"}, "session_id"),
    ("status", {"verbose": True}, "verbose"),
]


async def test_bad_input_names_the_field_and_records_nothing(tmp_path: Path) -> None:
    """Every bad call is an error that names the field or the next call, repeats no input, records nothing."""
    async with Client(create_server(str(tmp_path))) as client:
        for tool, arguments, named in BAD_CALLS:
            message = await _error(client, tool, arguments)
            assert all(word in message for word in named.split("|")), (tool, message)
            assert len(message) < 2_000, tool
            assert "Error executing tool" not in message, message
    assert _events(tmp_path) == 0


async def test_an_unknown_tool_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    """Calling what is not offered tells where it may be, and leaves the connection usable."""
    async with Client(create_server(str(tmp_path))) as client:
        assert "--toolsets core,lab" in await _error(client, "choose", {})
        assert (await _call(client, "status"))["project"] == str(tmp_path)


async def test_a_retried_call_records_nothing_twice(tmp_path: Path) -> None:
    """The same client_ref gives the same answer, also from another process."""
    async with Client(_stdio(tmp_path)) as one, Client(_stdio(tmp_path)) as two:
        first = await _call(one, "session_start", task="x", client_ref="a")
        assert await _call(two, "session_start", task="x", client_ref="a") == first
        assert "new client_ref" in await _error(two, "session_start", {"task": "y", "client_ref": "a"})
    assert _events(tmp_path) == 1


async def test_parallel_calls_of_one_client_all_count(tmp_path: Path) -> None:
    """Forty calls at once on one connection are forty mistakes."""
    import anyio

    async with Client(_stdio(tmp_path)) as client:
        session = await _call(client, "session_start", task="x")

        async def log(index: int) -> None:
            await _call(
                client,
                "mistake_log",
                error_class="a",
                description=f"word{index} went wrong",
                session_id=session["session_id"],
            )

        async with anyio.create_task_group() as group:
            for index in range(40):
                group.start_soon(log, index)
        assert (await _call(client, "status"))["mistakes"] == 40


async def test_without_a_project_the_server_starts_and_every_tool_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server started nowhere in particular answers, and creates nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("VETTLE_PROJECT", "CLAUDE_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    async with Client(create_server()) as client:
        message = await _error(client, "status", {})
    assert "--project" in message and "VETTLE_PROJECT" in message
    assert list(tmp_path.iterdir()) == []


async def _yes(context: Any, params: Any) -> ElicitResult:
    """Answer as a person who agrees."""
    return ElicitResult(action="accept", content={"agree": True})


async def test_resources_prompts_and_completions(tmp_path: Path) -> None:
    """Rendered rules and session reports can be read; prompts exist; targets complete."""
    async with Client(create_server(str(tmp_path)), elicitation_callback=_yes) as client:
        rule = await _call(client, "rule_add", text="Sort imports.")
        await _call(client, "rule_decide", rule_id=rule["rule_id"], action="pin", reason="team decision")
        session = await _call(client, "session_start", task="x")
        rules = await client.read_resource("vettle://rules/cursor")
        assert "- Sort imports." in rules.contents[0].text  # type: ignore[union-attr]
        report = await client.read_resource(f"vettle://report/{session['session_id']}")
        assert session["session_id"] in report.contents[0].text  # type: ignore[union-attr]
        assert {prompt.name for prompt in (await client.list_prompts()).prompts} == {
            "start_work",
            "review_rules",
        }


def _conversation(root: Path, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Send raw JSON-RPC lines to a server and return every line it wrote to stdout, parsed."""
    hello = {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    lines = [hello, {"jsonrpc": "2.0", "method": "notifications/initialized"}, *requests]
    server = subprocess.Popen(
        [sys.executable, "-m", "vettle", "serve", "--project", str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write("not json\n" + "".join(json.dumps(line) + "\n" for line in lines))
    server.stdin.flush()
    waiting, messages = {0, *(request["id"] for request in requests)}, []
    while waiting:
        messages.append(json.loads(server.stdout.readline()))
        waiting.discard(messages[-1].get("id"))
    server.stdin.close()
    messages += [json.loads(line) for line in server.stdout]
    server.stdout.close()
    assert server.wait(timeout=30) == 0
    return messages


async def test_stdout_carries_nothing_but_json_rpc(tmp_path: Path) -> None:
    """Every line on stdout is a JSON-RPC message, also after errors and lines that are no JSON."""
    calls = [
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "status", "arguments": {}}},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "session_end", "arguments": {}},
        },
        {"jsonrpc": "2.0", "id": 3, "method": "tools/list"},
    ]
    messages = _conversation(tmp_path, *calls)
    assert all(message["jsonrpc"] == "2.0" for message in messages)
    assert {message["id"] for message in messages if "id" in message} == {0, 1, 2, 3}
    (hello,) = [message for message in messages if message.get("id") == 0]
    assert hello["result"]["serverInfo"]["name"] == "vettle"
    assert hello["result"]["serverInfo"]["version"]


_SLOW_TO_WARM_UP = """
import sys, time
from vettle.server import app

def warm_up(tools):
    print("begun", file=sys.stderr, flush=True)
    time.sleep(0.5)
    print("done", file=sys.stderr, flush=True)

app._WARM_UP_SECONDS, app._warm_up = 0, warm_up
app.serve(sys.argv[1])
"""


def _left_while_warming_up(root: Path) -> tuple[int, str]:
    """Close a server's stdin in the middle of its warming up; return its exit code and the rest of its stderr."""
    server = subprocess.Popen(
        [sys.executable, "-c", _SLOW_TO_WARM_UP, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None and server.stderr is not None
    assert server.stderr.readline() == "begun\n"
    server.stdin.close()
    rest = server.stderr.read()
    server.stderr.close()
    return server.wait(timeout=30), rest


async def test_a_client_that_leaves_at_once_finds_no_crash(tmp_path: Path) -> None:
    """The import of numpy in the background is waited for: cut off in its middle, it aborts the process."""
    assert _left_while_warming_up(tmp_path) == (0, "done\n")
