"""Answers that fit: agents read every character, so a page ends where it would become too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from vettle.engine.errors import InvalidArgument
from vettle.engine.records import Record

REPLY_CHARACTERS = 20_000
"""What one answer may cost a reader."""

_ROWS_CHARACTERS = 15_000

Row = TypeVar("Row", bound=Record)


def fit(rows: Sequence[Row], characters: int = _ROWS_CHARACTERS) -> list[Row]:
    """Return the first rows whose JSON stays within the given number of characters, at least one."""
    kept: list[Row] = []
    for row in rows:
        characters -= len(row.model_dump_json()) + 1
        if kept and characters < 0:
            break
        kept.append(row)
    return kept


def tokens(text: str) -> int:
    """Estimate what a model pays to read a text: a token for four characters."""
    return len(text) // 4


def number(cursor: str) -> int:
    """Return the number that a cursor stands for, 0 for the first page.

    Raises:
        InvalidArgument: The cursor is not one that a page gave.
    """
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidArgument(
            "cursor", f"{cursor[:40]!r} is not a cursor", "Pass next_cursor of an earlier page"
        )
    return int(cursor or 0)
