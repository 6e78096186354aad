"""What is known of a variable, ready to be asked about: its outcomes, sorted, and the belief they lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vettle.engine.analysis.spans import first_moment
from vettle.engine.policies.structured import StructuredPosterior
from vettle.engine.project import Project
from vettle.engine.ranking.beliefs import fold
from vettle.engine.ranking.outcomes import Outcome, Outcomes, gather
from vettle.engine.ranking.summaries import grouped

EVER = "all"
"""The period that leaves nothing out."""

MOST_VALUES = 100
"""Values that are ranked, those with most outcomes: the time of a ranking grows with their cube."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A variable with everything that happened to its values in a period; `cells` by context and value.

    `values` are those that are ranked, tried or not: all, or the 100 with most outcomes.
    """

    variable: str
    period: str
    outcomes: Outcomes
    posterior: StructuredPosterior
    values: Sequence[str]
    cells: Mapping[str, Mapping[str, list[Outcome]]]

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
        outcomes = gather(transaction, variable, first_moment(transaction, period))
    results = Counter(row.value for row in outcomes.rows)
    values = sorted(outcomes.configs, key=lambda value: -results[value])[:MOST_VALUES]
    cells = {
        context: grouped(rows, lambda row: row.value)
        for context, rows in grouped(outcomes.rows, lambda row: row.context).items()
    }
    return Learned(variable, period, outcomes, fold(outcomes.rows), values, cells)
