"""`vettle init`: make a folder a project, and take in the rules that it already has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from vettle.engine.errors import ProjectNotFound
from vettle.engine.project import Project, prepare_state_folder
from vettle.engine.records import RulesImported
from vettle.engine.root import find_root
from vettle.server import rule_files
from vettle.server.commands.common import emit, json_option
from vettle.server.commands.rule_files import imported


@click.command()
@click.option("--dry-run", is_flag=True, help="Only tell what would be imported; make nothing.")
@click.option("--verbose", "-v", is_flag=True, help="Also list every line that is not taken.")
@json_option
def init(dry_run: bool, verbose: bool, as_json: bool) -> None:
    """Example: vettle init.

    Make this repository (or the folder of --project, or this folder) a vettle project: its state goes to .vettle/,
    and the rules that its CLAUDE.md, AGENTS.md, Cursor, Copilot, Windsurf and Continue files already hold become
    candidates. Those files stay as they are. Running it again imports what is new.
    """
    root = _root(click.get_current_context().find_root().obj or "")
    if not dry_run:
        prepare_state_folder(root)
    project = Project(root)
    try:
        record = rule_files.rules_imported(project, paths=(), apply=not dry_run)
    finally:
        project.close()
    emit(record, as_json, lambda: _report(root, record, verbose))


def _root(named: str) -> Path:
    """Return the folder to begin in: the project that is here already, else the working directory."""
    try:
        return find_root(named)
    except ProjectNotFound:
        if named:
            raise
        return find_root(str(Path.cwd()))


def _report(root: Path, record: RulesImported, verbose: bool) -> Iterator[str]:
    yield f"Project: {root}"
    yield from imported(record, verbose)
    yield "To connect an agent: put the entry of mcp.json.example into your client's MCP configuration."
