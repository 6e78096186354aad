"""Drive the installed vettle over stdio from a directory whose folders have the names of its parts."""

import sys
from pathlib import Path

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import ElicitResult


async def agree(context: object, params: object) -> ElicitResult:
    """Answer the server's question as a person who agrees."""
    return ElicitResult(action="accept", content={"agree": True})


async def main() -> None:
    """Start a session, log a mistake, end it, and render, through `python -m vettle serve`."""
    here = Path.cwd()
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "vettle", "serve", "--project", str(here)], cwd=here
    )
    async with Client(server, elicitation_callback=agree) as client:

        async def call(tool: str, **arguments: object) -> dict[str, object]:
            result = await client.call_tool(tool, dict(arguments))
            assert not result.is_error, result.content
            assert isinstance(result.structured_content, dict)
            return result.structured_content

        rule = await call("rule_add", text="Sort imports.")
        await call("rule_decide", rule_id=rule["rule_id"], action="pin", reason="smoke test")
        session = await call("session_start", task="smoke test")
        await call(
            "mistake_log", error_class="smoke", description="none really", session_id=session["session_id"]
        )
        ended = await call("session_end", session_id=session["session_id"], outcome="accepted")
        assert ended["state"] == "scored", ended
        rendering = await call("rules_render", targets=["claude"], write=True)
        assert rendering["written"], rendering
    assert "- Sort imports." in (here / "CLAUDE.md").read_text(encoding="utf-8")


anyio.run(main)
sys.stdout.write("the installed wheel works\n")
