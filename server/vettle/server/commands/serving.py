"""The command that agents start."""

from __future__ import annotations

import gc

import click


@click.command()
@click.option(
    "--project", metavar="DIR", default="", help="The project's root (default: found from here upwards)."
)
@click.option(
    "--toolsets", metavar="NAMES", default="", help="core, or core,lab for the rarer tools (VETTLE_TOOLSETS)."
)
@click.pass_context
def serve(context: click.Context, project: str, toolsets: str) -> None:
    """Example: vettle serve --project /path/to/repository.

    Run the MCP server on stdin and stdout until stdin closes. Put it into your client's configuration; see
    mcp.json.example.
    """
    # Importing the SDK and declaring the tools builds some six hundred models; collecting garbage meanwhile
    # finds none of it.
    gc.disable()
    from vettle.server.app import serve as run

    run(project or context.find_root().obj or "", toolsets)
