"""The `vettle db` group: what a person does to the store itself, and not to what is in it. See also `upkeep`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from vettle.engine.errors import InvalidArgument
from vettle.engine.records.copying import DatabaseCopied
from vettle.server.commands import upkeep
from vettle.server.commands.common import counted, emit, json_option, open_project
from vettle.server.commands.groups import Group
from vettle.server.commands.wording import worded
from vettle.server.commands.working import working


@click.group(cls=Group)
def db() -> None:
    """Example: vettle db check.

    Copy the database, and look after it.
    """


for _command in (upkeep.check, upkeep.backup, upkeep.restore, upkeep.prune):
    db.add_command(_command)


@db.command()
@click.option("--to", default="", metavar="FILE|URL", help="Copy this project there.")
@click.option("--from", "origin", default="", metavar="FILE|URL", help="Copy the project there to here.")
@click.option(
    "--as", "name", default="", metavar="NAME", help="What the project is called in a shared database."
)
@json_option
def copy(to: str, origin: str, name: str, *, as_json: bool) -> None:
    """Example: vettle db copy --to postgresql://me@host/vettle --as my-project.

    Copy a project between its SQLite file and PostgreSQL, and verify the copy; --from instead of --to brings it back.

    The target must not hold the project yet. Afterwards counts and checksums of events, aggregates and what was
    learned are compared; unless they are the same on both sides, nothing is copied. Stop the agents first: what they
    record meanwhile stays behind. A password belongs into ~/.pgpass, not on the command line.
    """
    from vettle.engine.exchange import copying

    if bool(to) == bool(origin):
        raise InvalidArgument("to", "pass either --to or --from", "Example: vettle db copy --to FILE")
    with open_project() as project, working("copying the project"):
        if to:
            record = copying.copy_to(project, to, name=name)
        else:
            record = copying.copy_from(project, origin, name=name)
    emit(record, as_json, lambda: _lines(worded(record)))


def _lines(record: DatabaseCopied) -> Iterator[str]:
    yield f"Copied {counted(record.events, 'event')} and {counted(record.replies, 'kept answer')}."
    yield f"  from       {record.origin}"
    yield f"  to         {record.target}"
    yield f"  events     sha256 {record.events_sha256}"
    yield f"  aggregates sha256 {record.tables_sha256}"
    yield f"  posterior  sha256 {record.posterior_sha256}"
    yield "Both sides are the same." + ("" if record.ids_kept else " Events have other ids there.")
    yield record.next_step
