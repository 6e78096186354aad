"""Calls of the server's tools, as any client makes them."""

from __future__ import annotations

from typing import Any

import click
from mcp import Client


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool and return its record; a failing tool ends the demo with its own words."""
    result = await client.call_tool(tool, arguments)
    if result.is_error or not isinstance(result.structured_content, dict):
        raise click.ClickException(f"{tool}: {result.content[0].text if result.content else 'no answer'}")  # type: ignore[union-attr]
    return result.structured_content
