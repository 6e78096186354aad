"""The commands that take something out of the project; `export` is the group that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from vettle.engine.records.exports import BestExported
from vettle.server.commands.checking import checked
from vettle.server.commands.common import Choice, emit, json_option, open_project, say
from vettle.server.commands.completing import known
from vettle.server.commands.groups import Group
from vettle.server.commands.log import log
from vettle.server.lab.exporting import best_export
from vettle.server.toolsets import find


@click.group(cls=Group)
def export() -> None:
    """Example: vettle export best wording --format env > best.env.

    Take something out of the project.
    """


export.add_command(log)


@export.command(short_help="An experiment's best configuration, or the fallback chains.")
@click.argument("experiment", required=False, default="", shell_complete=known("experiment"))
@click.option(
    "--format",
    "format_",
    type=Choice(["json", "env", "yaml", "markdown", "chain"]),
    default="json",
    show_default=True,
    help="chain: the order in which to fall back from one model to the next.",
)
@click.option("--metric", default="", help="Another metric: success, duration_ms, cost, or a recorded one.")
@click.option(
    "--minimum-runs", type=int, default=1, show_default=True, help="Results that the best has to have."
)
@click.option("--top", type=int, default=5, show_default=True, help="How many alternatives to list.")
@click.option("--context", default="", help="One context of a chain.", shell_complete=known("context"))
@click.option("--prefix", default="", help="What the names in env begin with, such as APP_.")
@click.option(
    "--output", type=click.Path(), default="", help="Write this file of the project instead; - is stdout."
)
@json_option
def best(format_: str, output: str, as_json: bool, **given: Any) -> None:
    """Example: vettle export best wording --format env --output config/best.env.

    Print an experiment's best configuration: proven best, or only ahead so far, which it says. A file that is no
    earlier export is never replaced.
    """
    output = "" if output == "-" else output
    path = str(Path.cwd() / output) if output else ""
    arguments = checked(find(best_export), {**given, "format": format_, "path": path})
    from vettle.engine.exchange import exporting

    with open_project() as project:
        record = exporting.export(project, **arguments)
    if as_json or output:
        emit(record, as_json, lambda: _written(record))
    else:
        say(record.text, end=False)


def _written(record: BestExported) -> Iterator[str]:
    yield f"Wrote {record.path}. {record.answer}" if record.path else f"Wrote nothing. {record.answer}"
