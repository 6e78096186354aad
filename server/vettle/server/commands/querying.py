"""The command that reads what was recorded as it was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from vettle.engine.quarantine import visible
from vettle.engine.records.querying import EventsPage, LoggedEvent, QueryRows
from vettle.server.commands.checking import checked
from vettle.server.commands.common import emit, json_option, open_project, table
from vettle.server.commands.completing import known
from vettle.server.commands.options import CURSOR
from vettle.server.lab.querying import events_query
from vettle.server.toolsets import find

_MOST_CHARACTERS = 1_000_000


@click.command()
@click.option("--kind", "kinds", multiple=True, help="Only events of this kind (repeatable).")
@click.option(
    "--session",
    "session_id",
    default="",
    help="Only events of this session.",
    shell_complete=known("session"),
)
@click.option(
    "--subject",
    default="",
    help="Only events about this rule, experiment, error class or context.",
    shell_complete=known("rule", "experiment", "context"),
)
@click.option("--choice", default="", help="Only events with this variant or decision.")
@click.option("--since", default="", help="Not before this time (ISO 8601; UTC unless it says otherwise).")
@click.option("--until", default="", help="Before this time.")
@click.option("--oldest-first", is_flag=True, help="Begin with the oldest.")
@click.option("--limit", default=20, show_default=True, help="Most events to show.")
@CURSOR
@click.option("--sql", default="", help="Instead of filters: one SELECT over the tables, which only reads.")
@click.option("--rows", default=200, show_default=True, help="Most rows of --sql.")
@json_option
def events(as_json: bool, oldest_first: bool, **given: Any) -> None:
    """Example: vettle events --kind run_recorded --limit 5.

    What was recorded, newest first. Or any table: vettle events --sql 'SELECT kind, count(*) FROM event GROUP BY kind'.
    Tables: event, rule, session, mistake, experiment, assignment, run, variable, stat. To get all events whole:
    vettle export log.
    """
    arguments = checked(find(events_query), {**given, "newest_first": not oldest_first})
    from vettle.engine import querying

    session, statement = arguments.pop("session_id"), arguments.pop("sql")
    with open_project() as project:
        # A person may read more of a query's answer than a model should.
        record = querying.events_query(
            project, session=session, statement=statement, characters=_MOST_CHARACTERS, **arguments
        )
    emit(record, as_json, lambda: _page(record))


def _page(page: EventsPage) -> Iterator[str]:
    if page.table is not None:
        yield from _rows(page.table)
    yield from table(
        ["id", "time", "kind", "session", "subject", "choice", "metrics", "data"],
        [_event(event) for event in page.events],
    )
    if page.note:
        yield page.note
    if page.next_cursor:
        yield f"More: --cursor {page.next_cursor}"


def _event(event: LoggedEvent) -> list[str]:
    return [
        str(event.id),
        event.time.strftime("%Y-%m-%d %H:%M:%S"),
        event.kind,
        *map(visible, (event.session, event.subject, event.choice)),
        visible(json.dumps(event.metrics, ensure_ascii=False)) if event.metrics else "",
        visible(json.dumps(event.data, ensure_ascii=False)) if event.data else "",
    ]


def _rows(found: QueryRows) -> Iterator[str]:
    names = [visible(" ".join(column.name.split())) for column in found.columns]
    rows = [
        ["" if cell is None else visible(" ".join(str(cell).split())) for cell in row] for row in found.rows
    ]
    yield from table(names, rows)
    if not rows:
        yield "No row."
