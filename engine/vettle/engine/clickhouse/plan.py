"""What is asked of ClickHouse: one table of exported rows, and constant statements over it.

No statement ever holds a value or a name of a user: those are in the rows, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from pydantic_core import to_json

from vettle.engine.errors import ClickHouseUnavailable
from vettle.engine.store import Transaction

TABLE = "recorded"
FORMAT = "JSONCompactEachRow"
SETTINGS: Mapping[str, int] = {
    "precise_float_parsing": 1,
    "output_format_json_quote_64bit_integers": 0,
    "max_result_rows": 5_000_000,
}
"""What every statement runs with: numbers arrive as they were written, and leave as numbers."""

SECONDS = 300
"""How long embedded ClickHouse may take in all, and a server with each statement."""

MEMORY = 2_000_000_000
"""How many bytes one statement may use."""

_BATCH = 2_000
_COUNT = "arrived"

Found = dict[str, list[list[Any]]]
"""The rows that each question found, by its name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One analysis: the columns of its table, the rows that fill it, and its questions by name."""

    columns: Mapping[str, str]
    rows: Callable[[Transaction], Iterator[Sequence[Any]]]
    questions: Mapping[str, str]

    @property
    def structure(self) -> str:
        """The columns as ClickHouse declares them."""
        return ", ".join(f"{name} {kind}" for name, kind in self.columns.items())


class Engine(Protocol):
    """A ClickHouse, wherever it is."""

    def ask(self, transaction: Transaction, plan: Plan) -> Found:
        """Fill the plan's table from the store, and answer its questions (ClickHouseUnavailable)."""
        ...


class Lines:
    """The rows of a plan as lines of JSON, many at a time; `count` says how many there were."""

    def __init__(self, transaction: Transaction, plan: Plan) -> None:
        self.count = 0
        self._rows = plan.rows(transaction)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines, once."""
        while batch := [to_json(row) for row in islice(self._rows, _BATCH)]:
            self.count += len(batch)
            yield b"\n".join(batch) + b"\n"


def with_count(plan: Plan) -> dict[str, str]:
    """Return the plan's questions, and how many rows arrived."""
    return {**plan.questions, _COUNT: f"SELECT count() FROM {TABLE}"}  # noqa: S608 - constants


def complete(found: Found, lines: Lines) -> Found:
    """Return what was found, if all rows had arrived (ClickHouseUnavailable)."""
    arrived = found.pop(_COUNT)[0][0]
    if arrived != lines.count:
        raise ClickHouseUnavailable(
            f"Of {lines.count:,} rows {arrived:,} arrived at ClickHouse. Try again, or use --engine default."
        )
    return found
