"""Reading files of other systems: strictly, so that a damaged one is refused by name and line and never guessed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vettle.engine.clock import SECOND
from vettle.engine.errors import SourceDamaged, StoreDamaged

MOST_BYTES = 1_000_000_000
"""The largest file that is read."""

_LATEST = 10**11
"""No time is later, in seconds since 1970: what is larger counts milliseconds, or is no time."""


def text(path: Path, name: str) -> str:
    """Return a file's text, without a byte order mark; `name` is what messages call it (SourceDamaged)."""
    try:
        if not path.is_file():
            # A pipe in an imported folder would be waited for.
            raise SourceDamaged(name, 0, "cannot be read (no regular file)")
        if path.stat().st_size > MOST_BYTES:
            raise SourceDamaged(name, 0, f"more than {MOST_BYTES:,} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise SourceDamaged(name, 0, f"cannot be read ({error.strerror})") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceDamaged(name, data.count(b"\n", 0, error.start) + 1, "not UTF-8") from error


def json_document(path: Path, name: str) -> Any:
    """Return the one JSON value of a file (SourceDamaged)."""
    try:
        return json.loads(text(path, name))
    except json.JSONDecodeError as error:
        raise SourceDamaged(name, error.lineno, f"not JSON ({error.msg})") from error
    except ValueError as error:
        # Python refuses whole numbers of thousands of digits.
        raise SourceDamaged(name, 0, f"not JSON ({error})") from error
    except RecursionError as error:
        raise SourceDamaged(name, 0, "nested too deeply") from error


def json_lines(path: Path, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the object of every line that is not blank (SourceDamaged)."""
    for number, line in enumerate(text(path, name).split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceDamaged(name, number, f"not JSON ({error})") from error
        if not isinstance(value, dict):
            raise SourceDamaged(name, number, "not a JSON object")
        yield number, value


def tables(path: Path, name: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row of a SQLite file by table, without touching the file (SourceDamaged)."""
    # Imported here so that reading JSON loads no database driver.
    from vettle.engine.store.sqlite.foreign import foreign_tables

    try:
        return foreign_tables(path)
    except (StoreDamaged, UnicodeDecodeError) as error:
        raise SourceDamaged(name, 0, "not a SQLite database, or a damaged one") from error


def microseconds(value: object) -> int:
    """Return an ISO 8601 time, or seconds or milliseconds since 1970, in microseconds; 0 for anything else.

    A time without a zone is taken for UTC.
    """
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, (int, float)):
        if not 0 < value < _LATEST * 1_000:
            return 0
        seconds = value / 1_000 if value > _LATEST else value
        return round(seconds * SECOND)
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = aware.timestamp()
    return round(seconds * SECOND) if 0 < seconds < _LATEST else 0
