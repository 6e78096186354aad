"""The `run` table: the latest that was recorded about each unit of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vettle.engine.identifiers import canonical_json
from vettle.engine.store.database import Row
from vettle.engine.store.events import Event, Transaction
from vettle.engine.store.parsing import parsed


@dataclass(frozen=True)
class Run:
    """One unit's result. `first` is the event that recorded it first, `event` the latest one about it.

    `metrics` holds numbers only; a metric that was recorded as missing is in `data` under "missing".
    """

    unit: str
    event: int
    first: int
    variant: str
    status: str
    metrics: dict[str, float]
    data: dict[str, Any]
    ts: int


_COLUMNS = "unit, event, first, variant, status, metrics, data, ts"


def _run(row: Row) -> Run:
    unit, event, first, variant, status, metrics, data, ts = row
    return Run(unit, event, first, variant, status, parsed(metrics), parsed(data), ts)


def record(transaction: Transaction, event: Event) -> None:
    """Fold a `run_recorded` event: the latest about a unit replaces what was there."""
    data = event.data
    transaction.execute(
        f"INSERT INTO run(project, experiment, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)"  # noqa: S608 - constant columns
        " ON CONFLICT(project, experiment, unit) DO UPDATE SET event=excluded.event, variant=excluded.variant,"
        " status=excluded.status, metrics=excluded.metrics, data=excluded.data, ts=excluded.ts",
        (
            transaction.project,
            event.subject,
            data["unit"],
            event.id,
            event.id,
            event.choice,
            data["status"],
            canonical_json(event.metrics),
            canonical_json(data),
            event.happened,
        ),
    )


def get(transaction: Transaction, experiment: str, unit: str) -> Run | None:
    """Return what is recorded about a unit, if anything."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM run WHERE project=? AND experiment=? AND unit=?",  # noqa: S608 - constant columns
        (transaction.project, experiment, unit),
    )
    return _run(rows[0]) if rows else None


def newer(transaction: Transaction, experiment: str, event: int) -> list[Run]:
    """Return the runs about which anything was recorded after `event`, in the order in which they were first recorded."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM run WHERE project=? AND experiment=? AND event>? ORDER BY first",  # noqa: S608 - constant columns
        (transaction.project, experiment, event),
    )
    return list(map(_run, rows))


def since(transaction: Transaction, experiment: str, epoch: int) -> list[Run]:
    """Return the runs first recorded after the event `epoch`, in the order in which they were."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM run WHERE project=? AND experiment=? AND first>? ORDER BY first",  # noqa: S608 - constant columns
        (transaction.project, experiment, epoch),
    )
    return list(map(_run, rows))


def count(transaction: Transaction, experiment: str) -> int:
    """Return how many units of the experiment have a result."""
    rows = transaction.execute(
        "SELECT count(*) FROM run WHERE project=? AND experiment=?", (transaction.project, experiment)
    )
    return int(rows[0][0])
