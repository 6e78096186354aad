"""The tables of experiments: where each stands, which variable it holds, and the registry of variables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vettle.engine.identifiers import canonical_json
from vettle.engine.records import ExperimentState
from vettle.engine.store.database import Row
from vettle.engine.store.events import Event, Transaction

HOLDING: tuple[ExperimentState, ...] = ("running", "paused", "stopped")
"""The states in which an experiment holds its variable: no other one may change it meanwhile."""


@dataclass(frozen=True)
class Experiment:
    """One experiment as it stands. Times are microseconds, 0 for what has not happened.

    `design` and `verdict` are JSON as they were logged; runs logged before the event `epoch` do not count.
    """

    id: str
    event: int
    name: str
    state: ExperimentState
    context: str
    domain: str
    variable: str
    tier: int
    design: dict[str, Any]
    reason: str
    verdict: dict[str, Any]
    epoch: int
    created: int
    started: int
    ended: int


@dataclass(frozen=True)
class Variable:
    """One name of a variable: `canonical` is the name it is kept under."""

    domain: str
    name: str
    canonical: str
    description: str
    execution: str


_COLUMNS = "id, event, name, state, context, domain, variable, tier, design, reason, verdict, epoch, created, started, ended"


def _experiment(row: Row) -> Experiment:
    values: dict[str, Any] = dict(zip(_COLUMNS.replace(" ", "").split(","), row, strict=True))
    decoded = {name: json.loads(values[name]) for name in ("design", "verdict")}
    return Experiment(**values | decoded)


def create(transaction: Transaction, event: Event) -> None:
    """Fold an `experiment_created` event."""
    data = event.data
    transaction.execute(
        f"INSERT INTO experiment(project, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - constant columns
        (
            transaction.project,
            event.subject,
            event.id,
            data["name"],
            "proposed",
            data["context"],
            data["domain"],
            data["variable"],
            data["tier"],
            canonical_json(data["design"]),
            "",
            "{}",
            event.id,
            event.happened,
            0,
            0,
        ),
    )


def decide(transaction: Transaction, event: Event) -> None:
    """Fold an `experiment_decided` event: the new state, what it holds, and when runs begin to count."""
    new, action = event.data["new"], event.choice
    key = (transaction.project, event.subject)
    transaction.execute(
        "UPDATE experiment SET state=?, reason=? WHERE project=? AND id=?", (new, event.data["reason"], *key)
    )
    if action == "restart" or (action == "start" and new == "running"):
        transaction.execute(
            "UPDATE experiment SET started=?, epoch=?, ended=0, verdict='{}' WHERE project=? AND id=?",
            (event.happened if new == "running" else 0, event.id, *key),
        )
    if action == "restart":
        for name in ("block", "assignment", "run"):
            transaction.execute(f"DELETE FROM {name} WHERE project=? AND experiment=?", key)  # noqa: S608 - constant names
    if "verdict" in event.data:
        transaction.execute(
            "UPDATE experiment SET verdict=? WHERE project=? AND id=?",
            (canonical_json(event.data["verdict"]), *key),
        )
    if new in ("concluded", "abandoned"):
        transaction.execute("UPDATE experiment SET ended=? WHERE project=? AND id=?", (event.happened, *key))
    _hold(transaction, event.subject, new)


def _hold(transaction: Transaction, experiment: str, state: str) -> None:
    """Let the experiment hold its variable, or let it go. A second holder breaks the table's key."""
    found = get(transaction, experiment)
    if found is None or not found.variable:
        return
    holder = holder_of(transaction, found.domain, found.variable)
    if state in HOLDING and holder is None:
        transaction.execute(
            "INSERT INTO open_variable(project, domain, variable, experiment) VALUES (?,?,?,?)",
            (transaction.project, found.domain, found.variable, experiment),
        )
    elif state not in HOLDING and holder == experiment:
        transaction.execute(
            "DELETE FROM open_variable WHERE project=? AND domain=? AND variable=?",
            (transaction.project, found.domain, found.variable),
        )


def register(transaction: Transaction, event: Event) -> None:
    """Fold a `variable_registered` event: the name and its aliases all lead to one canonical name.

    Experiments that were created for one of them are about that variable from now on; none of the aliases is
    held (`variables.register` refuses that), so what is held keeps its name.
    """
    data = event.data
    for name in (event.subject, *data["aliases"]):
        transaction.execute(
            "INSERT INTO variable(project, domain, name, canonical, description, execution, event)"
            " VALUES (?,?,?,?,?,?,?) ON CONFLICT(project, domain, name) DO UPDATE SET"
            " canonical=excluded.canonical, description=excluded.description, execution=excluded.execution",
            (
                transaction.project,
                data["domain"],
                name,
                event.subject,
                data["description"],
                data["execution"],
                event.id,
            ),
        )
        transaction.execute(
            "UPDATE experiment SET variable=? WHERE project=? AND domain=? AND variable=?",
            (event.subject, transaction.project, data["domain"], name),
        )


def get(transaction: Transaction, experiment: str) -> Experiment | None:
    """Return the experiment with this id, if there is one."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM experiment WHERE project=? AND id=?",  # noqa: S608 - constant columns
        (transaction.project, experiment),
    )
    return _experiment(rows[0]) if rows else None


def named(transaction: Transaction, name: str) -> list[Experiment]:
    """Return the experiments with this name, newest first."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM experiment WHERE project=? AND name=? ORDER BY event DESC LIMIT 10",  # noqa: S608 - constant columns
        (transaction.project, name),
    )
    return list(map(_experiment, rows))


def in_states(
    transaction: Transaction, states: Sequence[ExperimentState], *, limit: int = 1_000
) -> list[Experiment]:
    """Return the experiments in any of these states, oldest first."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM experiment WHERE project=?"  # noqa: S608 - constant columns
        f" AND state IN ({','.join('?' * len(states))}) ORDER BY event LIMIT ?",
        (transaction.project, *states, limit),
    )
    return list(map(_experiment, rows))


def ended_since(transaction: Transaction, state: ExperimentState, since: int) -> list[Experiment]:
    """Return the experiments in this state that ended at or after a moment, the last first, at most 100."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM experiment WHERE project=? AND state=? AND ended>=?"  # noqa: S608 - constant columns
        " ORDER BY ended DESC LIMIT 100",
        (transaction.project, state, since),
    )
    return list(map(_experiment, rows))


def has_successor(transaction: Transaction, found: Experiment) -> bool:
    """Tell whether a later experiment, in whatever state, is about the same variable; without one, has the same name."""
    rows = transaction.execute(
        "SELECT 1 FROM experiment WHERE project=? AND domain=? AND variable=? AND event>? AND (variable<>'' OR name=?)"
        " LIMIT 1",
        (transaction.project, found.domain, found.variable, found.event, found.name),
    )
    return bool(rows)


def count_by_state(transaction: Transaction) -> dict[str, int]:
    """Return how many experiments are in each state (states without any are left out)."""
    rows = transaction.execute(
        "SELECT state, count(*) FROM experiment WHERE project=? GROUP BY state ORDER BY state",
        (transaction.project,),
    )
    return {str(state): int(number) for state, number in rows}


def holder_of(transaction: Transaction, domain: str, variable: str) -> str | None:
    """Return the experiment that holds the variable now."""
    rows = transaction.execute(
        "SELECT experiment FROM open_variable WHERE project=? AND domain=? AND variable=?",
        (transaction.project, domain, variable),
    )
    return str(rows[0][0]) if rows else None


def used_variables(transaction: Transaction, domain: str) -> list[str]:
    """Return every variable of the domain that an experiment was created for, the oldest first."""
    rows = transaction.execute(
        "SELECT variable FROM experiment WHERE project=? AND domain=? AND variable<>''"
        " GROUP BY variable ORDER BY min(event)",
        (transaction.project, domain),
    )
    return [str(row[0]) for row in rows]


def variables(transaction: Transaction, domain: str) -> list[Variable]:
    """Return every name of every variable of the domain."""
    rows = transaction.execute(
        "SELECT domain, name, canonical, description, execution FROM variable WHERE project=? AND domain=?"
        " ORDER BY canonical, name",
        (transaction.project, domain),
    )
    return [Variable(*map(str, row)) for row in rows]
