"""What is read from the log itself because no aggregate holds it: the newest events of a kind, at most so many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vettle.engine.store.events import Transaction
from vettle.engine.store.parsing import parsed


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording of a run: `variant` is an id, `happened` microseconds, `context` that of its assignment or ""."""

    experiment: str
    variant: str
    unit: str
    context: str
    data: dict[str, Any]
    happened: int

    @property
    def status(self) -> str:
        """How the run ended."""
        return str(self.data["status"])


def runs_recorded(transaction: Transaction, *, since: int, limit: int) -> tuple[list[Recorded], bool]:
    """Return what was recorded about runs since the given time, newest first, from at most `limit` events.

    Of a unit that was recorded again, only the last recording is returned. The second value tells whether
    there are more events than that.
    """
    rows = transaction.execute(
        "SELECT e.subject, e.choice, e.data, e.ts, a.context FROM event e"
        " LEFT JOIN run r ON r.project=e.project AND r.experiment=e.subject AND r.event=e.id"
        " LEFT JOIN assignment a ON a.project=e.project AND a.experiment=e.subject AND a.unit=r.unit"
        " WHERE e.project=? AND e.kind='run_recorded' AND e.ts>=? ORDER BY e.ts DESC, e.id DESC LIMIT ?",
        (transaction.project, since, limit + 1),
    )
    found: dict[tuple[str, str], Recorded] = {}
    for experiment, variant, text, ts, context in rows[:limit]:
        data = parsed(text)
        one = Recorded(
            experiment, variant, data["unit"], context or "", data, int(data.get("happened") or ts)
        )
        found.setdefault((experiment, one.unit), one)
    return [one for one in found.values() if one.happened >= since], len(rows) > limit


def variable_domains(transaction: Transaction) -> list[str]:
    """Return every domain in which a variable was registered or an experiment created, in order."""
    rows = transaction.execute(
        "SELECT domain FROM variable WHERE project=? UNION SELECT domain FROM experiment WHERE project=?"
        " ORDER BY 1",
        (transaction.project, transaction.project),
    )
    return [str(row[0]) for row in rows]
