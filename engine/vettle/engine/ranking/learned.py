"""What is known of a variable, ready to be asked about: its outcomes, sorted, and the belief they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vettle.engine.clock import DAY
from vettle.engine.policies.structured import StructuredPosterior
from vettle.engine.project import Project
from vettle.engine.ranking.beliefs import fold
from vettle.engine.ranking.outcomes import Outcome, Outcomes, gather
from vettle.engine.ranking.summaries import grouped

EVER = "all"
"""The period that leaves nothing out."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A variable with everything that happened to its values in a period; `cells` by context and value."""

    variable: str
    period: str
    outcomes: Outcomes
    posterior: StructuredPosterior
    cells: Mapping[str, Mapping[str, list[Outcome]]]

    @property
    def values(self) -> list[str]:
        """Every known value, tried or not."""
        return list(self.outcomes.configs)

    @property
    def tried(self) -> set[str]:
        """The values that have an outcome in any context."""
        return {value for cell in self.cells.values() for value in cell}

    @property
    def contexts(self) -> list[str]:
        """The contexts that have outcomes, those with most first."""
        return sorted(self.cells, key=lambda name: (-sum(map(len, self.cells[name].values())), name))


def learn(project: Project, variable: str, period: str) -> Learned:
    """Read the outcomes of a period ("30d", or "all"), and fold them in the order in which they happened."""
    with project.read() as transaction:
        since = 0 if period == EVER else transaction.now - int(period[:-1]) * DAY
        outcomes = gather(transaction, variable, since)
    cells = {
        context: grouped(rows, lambda row: row.value)
        for context, rows in grouped(outcomes.rows, lambda row: row.context).items()
    }
    return Learned(variable, period, outcomes, fold(outcomes.rows), cells)
