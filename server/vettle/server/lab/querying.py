"""The tool that reads what was recorded as it was recorded."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vettle.engine.arguments import Cursor, Label, Limit
from vettle.engine.project import Project
from vettle.engine.records.querying import EventsPage
from vettle.server.tool import Tool


def events_query(
    project: Project,
    kinds: Annotated[tuple[Label, ...], Field(max_length=20, description='Such as "run_recorded".')] = (),
    session_id: Label = "",
    subject: Annotated[Label, Field(description="Rule, experiment id, error class or context.")] = "",
    choice: Annotated[Label, Field(description="Variant id or decision.")] = "",
    since: Annotated[Label, Field(description="ISO time, UTC.")] = "",
    until: Label = "",
    newest_first: bool = True,
    limit: Limit = 20,
    cursor: Cursor = "",
    sql: Annotated[
        str,
        Field(max_length=20_000, description="Instead: one SELECT over event, rule, session, run, stat..."),
    ] = "",
    rows: Annotated[int, Field(ge=1, le=1_000, description="Most rows of sql.")] = 200,
) -> EventsPage:
    """Read recorded events by filter, or any table with read-only SQL (5 seconds at most)."""
    from vettle.engine import querying

    return querying.events_query(
        project,
        kinds=kinds,
        session=session_id,
        subject=subject,
        choice=choice,
        since=since,
        until=until,
        newest_first=newest_first,
        limit=limit,
        cursor=cursor,
        statement=sql,
        rows=rows,
    )


TOOLS: tuple[Tool, ...] = (Tool(events_query, "Query events", reads_only=True, idempotent=True),)
