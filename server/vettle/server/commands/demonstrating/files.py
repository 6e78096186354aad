"""The proven rules in the files of five assistants."""

from __future__ import annotations

from pathlib import Path

import click
from mcp import Client

from vettle.engine.root import STATE_FOLDER
from vettle.server.commands.demonstrating.calling import call

_TARGETS = ("claude", "cursor", "copilot", "windsurf", "continue")


async def render(client: Client, root: Path) -> None:
    """Let the server write the files, and print their names and what CLAUDE.md holds (ClickException if refused)."""
    before = _files(root)
    rendering = await call(client, "rules_render", targets=list(_TARGETS), write=True)
    refused = [file for file in rendering["files"] if file["action"] == "refused"]
    if refused:
        raise click.ClickException(f"rules_render refused {refused[0]['path']}: {refused[0]['reason']}")
    click.echo("\n5. The proven rules in the files of five assistants:")
    for path in sorted(_files(root)):
        mark = "" if path in before else "  new"
        written = [
            file for file in rendering["files"] if file["path"] == path and file["action"] != "unchanged"
        ]
        click.echo(f"   {path}{mark or ('  changed' if written else '')}")
    click.echo("\n6. CLAUDE.md as Claude Code reads it now:")
    for line in (root / "CLAUDE.md").read_text(encoding="utf-8").splitlines():
        click.echo(f"   | {line}".rstrip())


def _files(root: Path) -> list[str]:
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return [path.as_posix() for path in found if path.parts[0] not in (".git", STATE_FOLDER)]
