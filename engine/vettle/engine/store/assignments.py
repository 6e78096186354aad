"""The tables of assignments: which variant each unit got, and the open block it came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from vettle.engine.identifiers import canonical_json
from vettle.engine.policies.blocks import Block
from vettle.engine.store.database import Row
from vettle.engine.store.events import Event, Transaction

NO_BLOCK = -1
"""The block of an assignment that a policy other than blocks made."""


@dataclass(frozen=True)
class Assignment:
    """One recorded choice. `event` is the one that logged it, and `ts` its time in microseconds."""

    unit: str
    event: int
    variant: str
    context: str
    stratum: str
    item: str
    block: int
    policy: str
    propensity: float
    ts: int


_COLUMNS = "unit, event, variant, context, stratum, item, block, policy, propensity, ts"


def _assignment(row: Row) -> Assignment:
    values: dict[str, Any] = dict(zip(_COLUMNS.replace(" ", "").split(","), row, strict=True))
    return Assignment(**values)


def assign(transaction: Transaction, event: Event) -> None:
    """Fold a `variant_assigned` event, and keep the block that it leaves open."""
    data = event.data
    transaction.execute(
        f"INSERT INTO assignment(project, experiment, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - constant columns
        (
            transaction.project,
            event.subject,
            data["unit"],
            event.id,
            event.choice,
            data["context"],
            data["stratum"],
            data["item"],
            data["block"]["number"] if data["block"] else NO_BLOCK,
            data["policy"],
            event.metrics["propensity"],
            event.ts,
        ),
    )
    if data["block"]:
        _keep(transaction, event.subject, data["stratum"], data["item"], data["block"])


def _keep(transaction: Transaction, experiment: str, stratum: str, item: str, block: dict[str, Any]) -> None:
    transaction.execute(
        "INSERT INTO block(project, experiment, stratum, item, number, served, variants) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT(project, experiment, stratum, item) DO UPDATE SET"
        " number=excluded.number, served=excluded.served, variants=excluded.variants",
        (
            transaction.project,
            experiment,
            stratum,
            item,
            block["number"],
            block["served"],
            canonical_json(block["order"]),
        ),
    )


def open_block(transaction: Transaction, experiment: str, stratum: str, item: str) -> Block | None:
    """Return the block of the stratum and item that was served from last, if there is one."""
    rows = transaction.execute(
        "SELECT number, served, variants FROM block WHERE project=? AND experiment=? AND stratum=? AND item=?",
        (transaction.project, experiment, stratum, item),
    )
    if not rows:
        return None
    number, served, variants = rows[0]
    return Block(int(number), tuple(json.loads(variants)), int(served), item)


def get(transaction: Transaction, experiment: str, unit: str) -> Assignment | None:
    """Return the unit's assignment, if it has one."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM assignment WHERE project=? AND experiment=? AND unit=?",  # noqa: S608 - constant columns
        (transaction.project, experiment, unit),
    )
    return _assignment(rows[0]) if rows else None


def since(transaction: Transaction, experiment: str, epoch: int) -> list[Assignment]:
    """Return the assignments made after the event `epoch`, in order."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM assignment WHERE project=? AND experiment=? AND event>? ORDER BY event",  # noqa: S608 - constant columns
        (transaction.project, experiment, epoch),
    )
    return list(map(_assignment, rows))
