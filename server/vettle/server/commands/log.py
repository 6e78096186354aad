"""Taking the whole log out (`vettle import` brings it back)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import click

from vettle.engine.records.log import LogExported
from vettle.server.commands.common import counted, emit, json_option, open_project
from vettle.server.commands.working import working


@click.command()
@click.option("--output", type=click.Path(), default="-", show_default=True, help="The file; - is stdout.")
@json_option
def log(output: str, as_json: bool) -> None:
    """Example: vettle export log --output vettle.jsonl.

    Write everything that was recorded as JSON lines: to move a project, to keep a copy, or to join it with another.
    vettle import FILE reads it: into a project without events everything is as it was, to the last bit. Only an
    earlier log is replaced.
    """
    from vettle.engine.exchange import log as engine_log

    if output == "-" and as_json:
        raise click.UsageError("--json goes with --output: without it the log itself is printed.")
    # The log on a terminal shows by itself how far it is.
    shown = output != "-" or not sys.stdout.isatty()
    with open_project() as project, working("exporting the log") if shown else nullcontext():
        if output == "-":
            engine_log.export_log(project, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        record = engine_log.save(project, Path(output))
    emit(record, as_json, lambda: _written(record))


def _written(record: LogExported) -> Iterator[str]:
    replies = f"{record.replies} repl{'y' if record.replies == 1 else 'ies'}"
    yield f"Wrote {record.path}: {counted(record.events, 'event')}, {replies} kept for retries."
