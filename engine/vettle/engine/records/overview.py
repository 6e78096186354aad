"""Everything a person wants to see of a project on one page."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import JsonValue

from vettle.engine.records.base import Record
from vettle.engine.records.diagnosis import StatusInDetail
from vettle.engine.records.experiments import ExperimentResults
from vettle.engine.records.ranking import VariantsRanked
from vettle.engine.records.reports import CostsReport, MistakesReport, RewardsReport
from vettle.engine.records.rules import RuleDetails


class RuleStanding(Record):
    """A rule with what a page says beside its numbers.

    `since` is when it got its present status. `tokens` is what one reader pays to read it, estimated.
    `sessions_needed` counts further sessions until its coin flips can tell, and `days_needed` the days that
    takes at the present pace; null where nothing says (no effect is believed, or no session lately). `flips` counts
    the scored sessions in which a coin decided about it. `proven_with` is the evidence with which a proven rule was
    proven, null for others and where nobody wrote it down.
    """

    rule: RuleDetails
    since: datetime
    tokens: int
    sessions_needed: int | None = None
    days_needed: float | None = None
    flips: int = 0
    proven_with: float | None = None


class WorkPeriod(Record):
    """The sessions of one day or week that begins on `start`, UTC; means are null without a session to count.

    `score` is the mean session score in [0, 1] of the `scored` ones, `mistakes` the mean number of mistakes of
    those that ended.
    """

    start: date
    started: int
    scored: int
    score: float | None
    mistakes: float | None


class Work(Record):
    """Sessions over consecutive days or weeks, the empty ones included; `pace` is that of `vettle status`, sessions started per day lately."""

    interval: Literal["day", "week"]
    periods: list[WorkPeriod]
    started: int
    scored: int
    pace: float | None


class GridCell(Record):
    """One cell of a grid: the mean of the metric over `n` runs, null without any."""

    n: int
    mean: float | None


class Grid(Record):
    """The deciding metric over two dimensions of an experiment: `cells[i][j]` is `row_values[i]` by `column_values[j]`."""

    row: str
    column: str
    row_values: list[str | float]
    column_values: list[str | float]
    cells: list[list[GridCell]]


class ExperimentStanding(Record):
    """An experiment on a page: its results with a time series, and how they spread over pairs of dimensions."""

    results: ExperimentResults
    context: str
    variable: str
    description: str
    started: datetime | None
    grids: list[Grid] = []


class RuleTokens(Record):
    """What rules cost their readers, in estimated tokens (one for four characters of text).

    `rendered` is what every session reads because it is proven or pinned, `trial` the mean of what sessions were
    shown of the rules that are on trial now. `retired` is what the `retired_rules` would add to every session in a
    file that it reads, and `saved` that, times the sessions since each was retired. `candidates` is what all rules
    together would cost.
    """

    rendered: int
    rendered_rules: int
    trial: float | None
    retired: int
    retired_rules: int
    saved: int
    candidates: int


class DecisionTaken(Record):
    """A change of status that was recorded: what, from and to what, by whom and why.

    `evidence` holds the numbers it was taken on, or that were known when somebody took it, as far as they were recorded.
    """

    when: datetime
    kind: Literal["rule", "experiment"]
    subject: str
    title: str
    old: str
    new: str
    by: str
    reason: str
    evidence: dict[str, JsonValue] = {}


class Overview(Record):
    """What is proven, what is on trial, what went wrong, and what it cost: the whole project on one page.

    Lists are cut: `more_trial`, `more_retired` and `more_experiments` count what is left out. `quarantined` rules
    wait for a person, and their text is not shown. `models` is null while no session or run named one.
    `answers` are the most important things in plain sentences: the headline of the status first, the next step last.
    """

    title: str
    made: datetime
    version: str
    period: str
    answers: list[str]
    status: StatusInDetail
    work: Work
    proven: list[RuleStanding]
    trial: list[RuleStanding]
    more_trial: int = 0
    retired: list[RuleStanding]
    more_retired: int = 0
    quarantined: list[str] = []
    discoveries: list[str] = []
    mistakes: MistakesReport
    rewards: RewardsReport
    experiments: list[ExperimentStanding]
    more_experiments: int = 0
    models: VariantsRanked | None = None
    costs: CostsReport
    tokens: RuleTokens
    decisions: list[DecisionTaken]
    notes: list[str] = []
