"""Calls every tool of a real server through a real client, in a project made for it, and keeps what came back.

The project's clock moves a minute between calls, and every call has its client_ref or its seed, so the same calls get the
same answers. The only thing changed in an answer is the folder of the project.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.types import ElicitResult, TextContent, Tool

from docs.generator import examples
from docs.generator.hosting import ClockedHost, serving
from vettle.engine.clock import SECOND

_BEGIN = 1_795_000_000 * SECOND
_SHOWN_AS = "/home/you/shop"


@dataclass(frozen=True)
class Told:
    """What the server lists, and by tool the answer to its example and the errors of its mistakes."""

    tools: tuple[Tool, ...]
    beside: dict[str, dict[str, str]]
    answers: dict[str, dict[str, Any]]
    errors: dict[str, list[str]]


class _Host(ClockedHost):
    """A host whose clock stands still until somebody moves it."""

    def __init__(self, root: Path) -> None:
        self._now = _BEGIN
        super().__init__(root, lambda: self._now)

    def forward(self) -> None:
        """Let a minute pass."""
        self._now += 60 * SECOND


def tell() -> Told:
    """Run the whole story in a temporary project."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "shop"
        root.mkdir()
        for name, text in examples.FILES.items():
            (root / name).write_text(text, encoding="utf-8")
        return anyio.run(_tell, root)


async def _tell(root: Path) -> Told:
    host = _Host(root)
    answers: dict[str, dict[str, Any]] = {}
    errors: dict[str, list[str]] = {}
    try:
        async with Client(serving(host), elicitation_callback=_agree) as client:
            listed = (await client.list_tools()).tools
            beside = await _beside(client)
            for tool, arguments in examples.SEED:
                host.forward()
                await _answer(client, root, tool, arguments)
            for listing in listed:
                host.forward()
                example = examples.EXAMPLES.get(listing.name)
                if example is None:
                    continue
                answers[listing.name] = await _answer(client, root, listing.name, example.arguments)
                errors[listing.name] = [
                    await _error(client, root, listing.name, bad) for bad in example.mistakes
                ]
    finally:
        host.close()
    return Told(tuple(listed), beside, answers, errors)


async def _beside(client: Client) -> dict[str, dict[str, str]]:
    """Return what else the server offers, each by name with its description."""
    resources = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resource_templates
    prompts = (await client.list_prompts()).prompts
    return {
        "resource": {str(each.uri): each.description or "" for each in resources}
        | {each.uri_template: each.description or "" for each in templates},
        "prompt": {
            f"{each.name}({', '.join(argument.name for argument in each.arguments or ())})": each.description
            or ""
            for each in prompts
        },
    }


async def _agree(context: Any, params: Any) -> ElicitResult:
    """Answer the server's question as a person who agrees."""
    return ElicitResult(action="accept", content={"agree": True})


async def _answer(client: Client, root: Path, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, f"{tool}: {result.content}"
    shown: dict[str, Any] = json.loads(_as_shown(json.dumps(result.structured_content), root))
    return shown


async def _error(client: Client, root: Path, tool: str, arguments: dict[str, Any]) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, f"{tool} took {arguments}"
    assert isinstance(result.content[0], TextContent)
    return _as_shown(result.content[0].text, root)


def _as_shown(text: str, root: Path) -> str:
    return text.replace(str(root), _SHOWN_AS)
