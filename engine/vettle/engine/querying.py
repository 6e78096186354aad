"""Reading what was recorded, as it was recorded: events by filter, and tables by read-only SQL."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast, get_args

from pydantic import JsonValue

from vettle.engine import paging
from vettle.engine.clock import SECOND, moment
from vettle.engine.errors import InvalidArgument
from vettle.engine.project import PERSON, Project
from vettle.engine.quarantine import shown
from vettle.engine.records.querying import EventsPage, LoggedEvent, QueryColumn, QueryRows
from vettle.engine.store import experiments, listing
from vettle.engine.store.database import QueryRefused, Value
from vettle.engine.store.events import Event, Kind
from vettle.engine.store.listing import Filter
from vettle.engine.store.readable import READABLE

KINDS: tuple[str, ...] = get_args(Kind)

MOST_ROWS = 1_000
SECONDS = 5.0
"""How long a query may take."""

PAGE_CHARACTERS = 15_000
"""What the rows of one answer may cost a model that reads them."""

_TEXT = 300
_LIST = 20
_DATA = 2_000
_CELL = 2_000
_FOREVER = 2**62


def events_query(
    project: Project,
    *,
    kinds: Sequence[str] = (),
    session: str = "",
    subject: str = "",
    choice: str = "",
    since: str = "",
    until: str = "",
    newest_first: bool = True,
    limit: int = 20,
    cursor: str = "",
    statement: str = "",
    rows: int = 200,
    characters: int = PAGE_CHARACTERS,
) -> EventsPage:
    """Return recorded events, newest first, that match every filter that is given, or what a SELECT finds (see `sql`).

    `subject` is what an event is about (a rule, an experiment by id or name, an error class, a context) and
    `choice` what was chosen (a variant, a decision); `since` and `until` (excluded) are times in ISO 8601, UTC
    unless they say otherwise. Long texts and lists in the data of an event are shortened. `rows` and `characters`
    limit what a `statement` finds; no filter goes with it.

    Raises:
        InvalidArgument: A kind, a time or the cursor is none, a filter and a statement, or what `sql` refuses.
    """
    if statement:
        filters = {"kinds": kinds, "session_id": session, "subject": subject, "choice": choice}
        filters |= {"since": since, "until": until, "cursor": cursor}
        if used := next((name for name, value in filters.items() if value), ""):
            raise InvalidArgument(used, "it does not go with sql", "Put the condition into the SELECT")
        return sql(project, statement, limit=rows, characters=characters)
    wanted = Filter(
        kinds=_kinds(kinds),
        session=session,
        subjects=(subject,) if subject else (),
        choice=choice,
        since=_time("since", since, 0),
        until=_time("until", until, _FOREVER),
        beyond=_beyond(cursor),
        newest_first=newest_first,
    )
    return _page(project, wanted, limit)


def _page(project: Project, wanted: Filter, limit: int) -> EventsPage:
    """Return the first events that are wanted; a subject may also be the name of experiments."""
    with project.read() as transaction:
        named = [one.id for name in wanted.subjects for one in experiments.named(transaction, name)]
        wanted = replace(wanted, subjects=(*wanted.subjects, *named))
        found = listing.listed(transaction, wanted, limit + 1)
    rows = paging.fit([_logged(project, event) for event in found[:limit]])
    last = found[len(rows) - 1] if len(rows) < len(found) else None
    return EventsPage(
        events=rows,
        next_cursor=f"{last.ts}:{last.id}" if last else "",
        note="" if found else "No event matches.",
    )


def sql(
    project: Project,
    statement: str,
    *,
    limit: int = 200,
    characters: int = PAGE_CHARACTERS,
    seconds: float = SECONDS,
) -> EventsPage:
    """Run one SELECT over this project's tables and return the first rows, at most `limit` and `characters`.

    The database enforces that nothing else is possible: no writing, no other file, no other project.

    Raises:
        InvalidArgument: It is no SELECT, it is wrong, or it takes too long.
    """
    try:
        found = project.query(statement, limit=min(limit, MOST_ROWS), seconds=seconds)
    except QueryRefused as error:
        raise InvalidArgument(
            "sql", str(error), f"Pass one SELECT over {', '.join(READABLE)}; it may take {seconds:g} s"
        ) from error
    rows: list[list[JsonValue]] = []
    for row in found.rows:
        cells = [_cell(project, value) for value in row]
        characters -= len(json.dumps(cells, ensure_ascii=False)) + 1
        if rows and characters < 0:
            break
        rows.append(cells)
    more = found.more or len(rows) < len(found.rows)
    return EventsPage(
        table=QueryRows(
            columns=[QueryColumn(name=name[:200], type=kind[:80]) for name, kind in found.columns],
            rows=rows,
            more=more,
        ),
        note=f"There are more than these {len(rows)} rows: narrow the query, or use LIMIT and OFFSET."
        if more
        else "",
    )


def _kinds(kinds: Sequence[str]) -> tuple[Kind, ...]:
    for kind in kinds:
        if kind not in KINDS:
            raise InvalidArgument("kinds", f"no kind {kind[:40]!r}", f"Valid: {', '.join(KINDS)}")
    return cast("tuple[Kind, ...]", tuple(dict.fromkeys(kinds)))


def _time(field: str, text: str, default: int) -> int:
    if not text:
        return default
    try:
        given = datetime.fromisoformat(text)
        aware = given if given.tzinfo else given.replace(tzinfo=UTC)
        return (aware - moment(0)) // timedelta(seconds=1) * SECOND + aware.microsecond
    except (ValueError, OverflowError) as error:
        raise InvalidArgument(
            field, f"{text[:40]!r} is no time", "Pass a date or a time such as 2026-05-04T13:00:00Z"
        ) from error


def _beyond(cursor: str) -> tuple[int, int] | None:
    if not cursor:
        return None
    ts, _, number = cursor.partition(":")
    return paging.number(ts), paging.number(number)


def _logged(project: Project, event: Event) -> LoggedEvent:
    data = _short_names(project, event.data)
    shortened = data != event.data
    if len(json.dumps(data, ensure_ascii=False)) > _DATA:
        shortened = True
        data = {name: _brief(value) for name, value in data.items()}
    return LoggedEvent(
        id=event.id,
        uid=event.uid.hex(),
        time=moment(event.ts),
        kind=event.kind,
        session=_words(project, event.session, _TEXT),
        subject=_words(project, event.subject, _TEXT),
        choice=_words(project, event.choice, _TEXT),
        metrics={_words(project, name, _TEXT): value for name, value in list(event.metrics.items())[:_LIST]},
        data=data,
        shortened=shortened or len(event.metrics) > _LIST,
    )


def _short(project: Project, value: JsonValue) -> JsonValue:
    """Return a value with its texts and lists cut, and a mark where something is missing."""
    if isinstance(value, str):
        return _words(project, value, _TEXT)
    if isinstance(value, list):
        rest = [f"… ({len(value)} in all)"] if len(value) > _LIST else []
        return [*(_short(project, one) for one in value[:_LIST]), *rest]
    if isinstance(value, dict):
        return _short_names(project, value)
    return value


def _short_names(project: Project, values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {_words(project, name, _TEXT): _short(project, value) for name, value in values.items()}


def _brief(value: JsonValue) -> JsonValue:
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _TEXT else f"{text[:_TEXT]}… ({len(text)} characters)"


def _words(project: Project, text: str, limit: int) -> str:
    """Return logged text, cut; an agent does not get what would instruct it."""
    said = text if project.actor == PERSON else shown(text, len(text))
    return said if len(said) <= limit else f"{said[:limit]}… ({len(said)} characters)"


def _cell(project: Project, value: Value) -> JsonValue:
    """Return a value as JSON can say it: blobs in hexadecimal, infinite numbers as text."""
    if isinstance(value, bytes):
        return _words(project, value.hex(), _CELL)
    if isinstance(value, str):
        return _words(project, value, _CELL)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
