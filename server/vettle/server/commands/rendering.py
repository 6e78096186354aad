"""The command that writes rule files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from vettle.engine.records import Rendering
from vettle.renderers.render import raise_if_refused
from vettle.server import tools
from vettle.server.commands.common import counted, emit, json_option, open_project
from vettle.server.signatures import signature


@click.command()
@click.argument("targets", nargs=-1)
@click.option("--write", is_flag=True, help="Write the files (default: only show what would change).")
@click.option("--check", is_flag=True, help="Exit with 1 if a file is not up to date; write nothing.")
@click.option("--remove", is_flag=True, help="Take our text out again, leaving everything else as it was.")
@click.option("--force", is_flag=True, help="Overwrite hand edits inside our text.")
@json_option
def render(targets: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Example: vettle render --write.

    Bring the rule files of claude, cursor, copilot, windsurf and continue (default: those that the repository
    uses) up to date with the proven and pinned rules. Text that is not ours is never touched.
    Exit codes: 1 not up to date (--check), 3 a file was refused, 4 a file was edited by hand.
    """
    arguments = signature(tools.find(tools.rules_render)).validate(
        {**given, **({"targets": targets} if targets else {})}
    )
    with open_project() as project:
        record = tools.rendered(project, **arguments)
    emit(record, as_json, lambda: _rendering(record))
    raise_if_refused(record)
    if given["check"] and not record.in_sync:
        click.get_current_context().exit(1)


def _rendering(record: Rendering) -> Iterator[str]:
    for file in record.files:
        if file.diff:
            yield file.diff.rstrip("\n")
    for file in record.files:
        cost = f", about {file.tokens} tokens" if file.tokens else ""
        reason = f": {file.reason}" if file.reason else ""
        yield f"{file.action:9}  {file.path} ({file.target}, {counted(len(file.rules), 'rule')}{cost}){reason}"
    for rule in record.left_out:
        yield f"left out   {rule.rule_id}: {rule.reason}"
    for note in record.notes:
        yield f"note       {note}"
    refused = any(file.action == "refused" for file in record.files)
    if not (record.written or record.in_sync or refused):
        yield "Nothing was written. To write: vettle render --write."
