"""Experiments on the page: what each has shown, over time and over pairs of dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from vettle.engine.clock import DAY, moment
from vettle.engine.experiments import results
from vettle.engine.experiments.another_metric import ask
from vettle.engine.experiments.breakdowns import marginals, time_of
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.evidence import Scored
from vettle.engine.experiments.measures import Measure
from vettle.engine.judging.shrinkage import LABEL
from vettle.engine.project import Project
from vettle.engine.records import ExperimentState, MarginalMean, SeriesInterval
from vettle.engine.records.overview import ExperimentStanding, Grid, GridCell
from vettle.engine.store import Transaction, runs
from vettle.engine.store import experiments as table
from vettle.engine.store.experiments import Experiment
from vettle.engine.wording import one_line, some

MOST_EXPERIMENTS = 12
MOST_VARIANTS = 12
MOST_GRIDS = 3
MOST_VALUES = 12
"""Experiments on the page; variants, grids, and values of a grid's dimension of each."""

MOST_RUNS = 20_000
"""Runs that are read for the page, whose time is bounded so; an experiment with more is read whole if it is the first."""

_ORDER: tuple[ExperimentState, ...] = (
    "running",
    "paused",
    "stopped",
    "concluded",
    "applied",
    "accepted",
    "proposed",
    "abandoned",
)
_MOST_READ = 1_000


@dataclass(frozen=True)
class ExperimentStandings:
    """The experiments of the page, those under way first and then the newest, and how many are left out.

    `notes` say which would make the page read too many runs.
    """

    shown: list[ExperimentStanding]
    more: int
    notes: list[str]


def standings(project: Project) -> ExperimentStandings:
    """Return what the experiments have shown."""
    with project.read() as transaction:
        every = table.in_states(transaction, _ORDER, limit=_MOST_READ)
        every.sort(key=lambda one: (_ORDER.index(one.state), -one.event))
        first = every[:MOST_EXPERIMENTS]
        read = _within_reach(transaction, first)
    long = [one.name for one in first if one not in read]
    shown = [_standing(project, one) for one in read]
    return ExperimentStandings(shown, len(every) - len(shown), [_told_alone(long)] if long else [])


def _within_reach(transaction: Transaction, experiments: Sequence[Experiment]) -> list[Experiment]:
    """Return the first experiment, and of the others those whose runs can be read besides."""
    found: list[Experiment] = []
    room = MOST_RUNS
    for one in experiments:
        number = runs.count(transaction, one.id)
        if number <= room or not found:
            found.append(one)
            room -= number
    return found


def _told_alone(names: Sequence[str]) -> str:
    named = some([one_line(name) for name in names])
    return (
        f"Left out, because this page reads {MOST_RUNS:,} runs in all: {named}. "
        "vettle experiment results NAME tells each."
    )


def _standing(project: Project, found: Experiment) -> ExperimentStanding:
    with project.read() as transaction:
        asked = ask(transaction, found)
    design, measure = asked.main.design, asked.measure
    told = results.told(found, asked, interval=_interval(measure), limit=MOST_VARIANTS)
    # What a note says of chances has nothing to stand beside here: the page shows none.
    notes = [note for note in told.notes if LABEL not in note]
    return ExperimentStanding(
        results=told.model_copy(update={"notes": notes}),
        context=found.context,
        variable=found.variable,
        description=design.description,
        started=moment(found.started) if found.started else None,
        grids=_grids(design, measure),
    )


def _interval(measure: Measure) -> SeriesInterval:
    """Return the interval that shows the results in some ten to fifty points."""
    times = [time_of(one.scored.run) for one in measure.values]
    span = max(times) - min(times) if times else 0
    if span <= 2 * DAY:
        return "hour"
    return "day" if span <= 60 * DAY else "week"


def _grids(design: Design, measure: Measure) -> list[Grid]:
    """Return the metric over the first pairs of dimensions that take a few values each."""
    pairs = list(combinations(_dimensions(design, [one.scored for one in measure.values]), 2))
    return [grid(pair, marginals(design, measure, pair)) for pair in pairs[:MOST_GRIDS]]


def _dimensions(design: Design, scored: Sequence[Scored]) -> list[str]:
    """Return what the variants differ in, what their runs recorded, and the context, if it takes 2 to 12 values."""
    parameters = dict.fromkeys(name for one in design.variants for name in one.config)
    recorded = dict.fromkeys(str(name) for one in scored for name in one.run.data.get("dimensions") or {})
    values = {name: {repr(one.config.get(name)) for one in design.variants} for name in parameters}
    values |= {
        name: {repr((one.run.data.get("dimensions") or {}).get(name)) for one in scored} for name in recorded
    }
    values["context"] = {one.context or str(one.run.data.get("context") or "") for one in scored}
    names = [name for name, found in values.items() if 2 <= len(found) <= MOST_VALUES]
    if len(names) == 1 and len(design.variants) <= MOST_VALUES and names[0] not in parameters:
        names.append("variant")
    return names


def grid(pair: Sequence[str], means: Iterable[MarginalMean]) -> Grid:
    """Arrange the means of every combination that occurs in rows and columns, in their order."""
    row, column = pair
    cells = {(_key(one.values[0]), _key(one.values[1])): one for one in means}
    rows = {_key(one.values[0]): one.values[0] for one in cells.values()}
    columns = {
        _key(value): value
        for value in sorted((one.values[1] for one in cells.values()), key=lambda own: _key(own))
    }
    return Grid(
        row=row,
        column=column,
        row_values=list(rows.values()),
        column_values=list(columns.values()),
        cells=[[_cell(cells.get((first, second))) for second in columns] for first in rows],
    )


def _key(value: str | float) -> tuple[int, float, str]:
    """Return a key that sorts numbers before texts and keeps 1 apart from "1"."""
    return (1, 0.0, value) if isinstance(value, str) else (0, float(value), "")


def _cell(found: MarginalMean | None) -> GridCell:
    return GridCell(n=found.n, mean=found.mean) if found else GridCell(n=0, mean=None)
