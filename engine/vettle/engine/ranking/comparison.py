"""Two values of a variable side by side."""

from __future__ import annotations

from collections.abc import Collection

from vettle.engine.errors import InvalidArgument
from vettle.engine.project import Project
from vettle.engine.ranking.beliefs import difference
from vettle.engine.ranking.learned import EVER, learn
from vettle.engine.ranking.outcomes import MODEL
from vettle.engine.ranking.summaries import compared
from vettle.engine.records.ranking import ComparedContext, VariantsCompared


def compare(
    project: Project,
    *,
    first: str,
    second: str,
    variable: str = MODEL,
    context: str = "",
    period: str = EVER,
) -> VariantsCompared:
    """Compare two values: trials, wins, tokens and cost, and the chance that the first is better.

    Contexts in which neither was tried are left out.

    Raises:
        InvalidArgument: Nothing is known of a value, or the two are the same.
    """
    learned = learn(project, variable, period)
    _check(variable, learned.outcomes.configs, first, second)
    cells = {
        name: (cell.get(first, []), cell.get(second, []))
        for name, cell in sorted(learned.cells.items())
        if context in ("", name) and (first in cell or second in cell)
    }
    whole = difference(learned.posterior, first, second, context or None)
    return VariantsCompared(
        variable=variable,
        period=period,
        first=compared(first, [row for rows, _ in cells.values() for row in rows]),
        second=compared(second, [row for _, rows in cells.values() for row in rows]),
        chance_first_better=round(whole.chance_positive, 4),
        contexts=[
            ComparedContext(
                context=name,
                first=compared(first, ours),
                second=compared(second, theirs),
                chance_first_better=round(
                    difference(learned.posterior, first, second, name).chance_positive, 4
                ),
            )
            for name, (ours, theirs) in cells.items()
        ],
        next_step="This describes. To prove which is better: experiment_create with the two as variants.",
    )


def _check(variable: str, known: Collection[str], first: str, second: str) -> None:
    for value in (first, second):
        if value not in known:
            names = ", ".join(list(known)[:10]) or "none yet"
            raise InvalidArgument("compare", f"no {variable[:80]} {value[:80]!r}", f"Known: {names}")
    if first == second:
        raise InvalidArgument("compare", f"both are {first[:80]!r}", "Name two different ones")
