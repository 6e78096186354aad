"""Long histories read whole, page by page, so that their length costs no memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vettle.engine.store.database import Row
from vettle.engine.store.events import COLUMNS, Event, Kind, Transaction, of_row
from vettle.engine.store.history import Recorded
from vettle.engine.store.parsing import parsed
from vettle.engine.store.runs import Run

_PAGE = 5_000
_OLDEST = -(2**62)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of a run, with the id and the time (microseconds) of its event."""

    event: int
    ts: int
    run: Recorded


@dataclass(frozen=True, slots=True)
class Placed:
    """A run of an experiment as it stands, with the context, stratum, item and block of its assignment, if it has one."""

    run: Run
    assignment: tuple[str, str, str, int] | None


def _pages(read: Callable[[Any], list[Row]], after: Any, key: Callable[[Row], Any]) -> Iterator[Row]:
    """Yield the rows of one page after the other; `read` gives those beyond the key of the last one."""
    while True:
        rows = read(after)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = key(rows[-1])


def recordings(transaction: Transaction, *, since: int) -> Iterator[Recording]:
    """Yield everything that was recorded about runs since the given time, also what was replaced, oldest first."""

    def read(after: tuple[int, int]) -> list[Row]:
        return transaction.execute(
            "SELECT e.id, e.ts, e.subject, e.choice, e.data, a.context FROM event e"
            " LEFT JOIN run r ON r.project=e.project AND r.experiment=e.subject AND r.event=e.id"
            " LEFT JOIN assignment a ON a.project=e.project AND a.experiment=e.subject AND a.unit=r.unit"
            " WHERE e.project=? AND e.kind='run_recorded' AND e.ts>=? AND (e.ts>? OR e.id>?)"
            " ORDER BY e.ts, e.id LIMIT ?",
            (transaction.project, after[0], *after, _PAGE),
        )

    for number, ts, experiment, variant, text, context in _pages(
        read, (since, 0), lambda row: (row[1], row[0])
    ):
        data = parsed(text)
        happened = int(data.get("happened") or ts)
        run = Recorded(experiment, variant, data["unit"], context or "", data, happened)
        yield Recording(number, ts, run)


def events_of(transaction: Transaction, kinds: Sequence[Kind], *, since: int = _OLDEST) -> Iterator[Event]:
    """Yield the events of these kinds that were stored since the given time, kind by kind, oldest first."""
    for kind in kinds:

        def read(after: tuple[int, int], kind: Kind = kind) -> list[Row]:
            return transaction.execute(
                f"SELECT {COLUMNS} FROM event WHERE project=? AND kind=? AND ts>=? AND (ts>? OR id>?)"  # noqa: S608 - constants
                " ORDER BY ts, id LIMIT ?",
                (transaction.project, kind, after[0], *after, _PAGE),
            )

        yield from map(of_row, _pages(read, (since, 0), lambda row: (row[2], row[0])))


def runs_of(transaction: Transaction, experiment: str, epoch: int) -> Iterator[Placed]:
    """Yield the runs that were first recorded after the event `epoch`, as they stand, in no order that means anything."""

    def read(after: str) -> list[Row]:
        return transaction.execute(
            "SELECT r.unit, r.event, r.first, r.variant, r.status, r.metrics, r.data, r.ts,"
            " a.event, a.context, a.stratum, a.item, a.block FROM run r"
            " LEFT JOIN assignment a ON a.project=r.project AND a.experiment=r.experiment AND a.unit=r.unit"
            " WHERE r.project=? AND r.experiment=? AND r.unit>? ORDER BY r.unit LIMIT ?",
            (transaction.project, experiment, after, _PAGE),
        )

    for row in _pages(read, "", lambda row: row[0]):
        unit, event, first, variant, status, metrics, data, ts, assigned, *place = row
        if first > epoch:
            run = Run(unit, event, first, variant, status, parsed(metrics), parsed(data), ts)
            context, stratum, item, block = place
            known = assigned is not None and assigned > epoch
            yield Placed(run, (context, stratum, item, block) if known else None)
