"""What is read from the log and from the tables as they are."""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from vettle.engine.records.base import Record


class LoggedEvent(Record):
    """One event. `time` is when it was recorded; `shortened` tells that texts or lists of `data` are cut."""

    id: int
    uid: str
    time: datetime
    kind: str
    session: str
    subject: str
    choice: str
    metrics: dict[str, float]
    data: dict[str, JsonValue]
    shortened: bool = False


class QueryColumn(Record):
    """A column of a query's answer; `type` is "" where it is computed."""

    name: str
    type: str


class QueryRows(Record):
    """What a SELECT found: rows as lists, blobs as hexadecimal text, and whether there are more rows."""

    columns: list[QueryColumn]
    rows: list[list[JsonValue]]
    more: bool


class EventsPage(Record):
    """The answer to `events_query`: events, or `table`, which is null unless SQL was given."""

    events: list[LoggedEvent] = []
    next_cursor: str = ""
    table: QueryRows | None = None
    note: str = ""
