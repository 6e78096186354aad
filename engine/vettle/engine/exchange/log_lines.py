"""The lines of a log file: what each may say, how they are spelled and read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.exchange.payloads import Time
from vettle.engine.store.baseline import Part
from vettle.engine.store.caches import Reply
from vettle.engine.store.database import Contradiction
from vettle.engine.store.events import Event, Kind

FORMAT = "vettle log"
VERSION = 2
"""Version 2 has lines of kept tables, which only a pruned log needs; without any a log is of version 1."""
_LONGEST_LINE = 50_000_000

BAD = (
    Contradiction,
    InvalidArgument,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    IndexError,
    RecursionError,
)
"""What a line can raise that no call of ours could have written."""

_Uid = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Word = Annotated[str, Field(max_length=4_000)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class _Line(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)


class EventLine(_Line):
    """A line that holds an event."""

    type: Literal["event"]
    id: Annotated[int, Field(ge=1, lt=2**63)]
    uid: _Uid
    ts: Time
    kind: Kind
    session: _Word
    subject: _Word
    choice: _Word
    metrics: dict[str, _Number]
    data: dict[str, JsonValue]


class ReplyLine(_Line):
    """A line that holds an answer kept for retries."""

    type: Literal["reply"]
    uid: _Uid
    arguments: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    answer: str
    ts: Time


class BaselineLine(_Line):
    """A line that holds rows of a table as of the event `through`, which the events do not tell any more."""

    type: Literal["baseline"]
    through: Annotated[int, Field(ge=1, lt=2**63)]
    table: Literal["stat", "session", "mistake", "term"]
    columns: list[_Word]
    rows: list[list[JsonValue]]


def baseline_line(part: Part, through: int) -> dict[str, Any]:
    """Return what a line says of rows that were kept when the log was pruned."""
    return {
        "type": "baseline",
        "through": through,
        "table": part.table,
        "columns": part.columns,
        "rows": part.rows,
    }


def event_line(event: Event) -> dict[str, Any]:
    """Return what a line says of an event."""
    return {
        "type": "event",
        "id": event.id,
        "uid": event.uid.hex(),
        "ts": event.ts,
        "kind": event.kind,
        "session": event.session,
        "subject": event.subject,
        "choice": event.choice,
        "metrics": event.metrics,
        "data": event.data,
    }


def reply_line(kept: Reply) -> dict[str, Any]:
    """Return what a line says of a kept answer."""
    return {
        "type": "reply",
        "uid": kept.uid.hex(),
        "arguments": kept.arguments.hex(),
        "answer": kept.answer,
        "ts": kept.ts,
    }


def spell(values: dict[str, Any]) -> bytes:
    """Return a line, with its end."""
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def raw_lines(path: Path, name: str) -> Iterator[bytes]:
    """Yield the lines of a file with their ends; one that is too long comes in parts (SourceDamaged)."""
    try:
        with path.open("rb") as stream:
            while line := stream.readline(_LONGEST_LINE):
                yield line
    except OSError as error:
        raise SourceDamaged(name, 0, f"cannot be read ({error.strerror})") from error


def parsed(raw: bytes) -> dict[str, Any]:
    """Return what a line says (ValueError)."""
    try:
        values = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the value of a file, not of a caller
    return values


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def check_header(values: dict[str, Any]) -> None:
    """Raise ValueError unless this is the first line of a log that this version can read."""
    if values.get("format") != FORMAT:
        raise ValueError(f"not the header of a {FORMAT}")
    written = values.get("version")
    if not isinstance(written, int) or written > VERSION:
        raise ValueError(
            f"format version {str(written)[:20]} is newer than {VERSION}, so this needs a newer vettle"
        )


def said(error: BaseException) -> str:
    """Return what is wrong with a line, in words for people."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON ({error.msg}), so the line is torn or changed"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, (ValueError, InvalidArgument)) and str(error):
        return str(error).rstrip(".")
    return f"an event that contradicts the log before it ({type(error).__name__}: {str(error)[:200]})"
