"""What is known by now, for whoever decides what to try next."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from vettle.engine.records.base import ExperimentOutcome, ExperimentState, Record

VariableStanding = Literal[
    "untested", "open", "concluded", "equivalent", "no_difference", "undecided", "abandoned"
]


class Performer(Record):
    """One run at the top or the bottom: its value, and what it was made of."""

    unit: str
    variant: str
    value: float
    config: dict[str, JsonValue]
    dimensions: dict[str, JsonValue]


class Dispersion(Record):
    """How one recorded metric spreads.

    `relative` is the standard deviation over the mean, so that metrics of different units can be compared;
    null where that says nothing (a mean near 0).
    """

    metric: str
    n: int
    missing: int
    mean: float | None
    deviation: float | None
    relative: float | None


class Pattern(Record):
    """A value of a dimension that the top runs share more than the bottom ones do.

    `top` and `bottom` are shares in [0, 1] of those runs that have it, `n` counts all runs that do. It is a
    hint of what to test and no finding.
    """

    dimension: str
    value: str | float
    top: float
    bottom: float
    n: int


class Performers(Record):
    """The best and the worst runs of an experiment, how its metrics spread, and what the best have in common.

    No run is in both lists: with few runs both are shorter.
    """

    experiment_id: str
    metric: str
    top: list[Performer]
    bottom: list[Performer]
    dispersion: list[Dispersion]
    patterns: list[Pattern]
    notes: list[str] = []


class VariableEvidence(Record):
    """What is known about one variable, over all experiments that changed it.

    Experiments without a variable are grouped by their name. The standing, the outcome and the effect are those
    of the newest experiment that has a verdict; `open` says that one is under way. `best` is the variant that the latest verdict proves best, "" if none does. The effect is the verdict's,
    leader minus runner-up. `needed` counts further runs until a decision, null where nothing says. `runs`
    and `cost` are what knowing this has cost.
    """

    variable: str
    domain: str
    standing: VariableStanding
    experiments: list[str]
    best: str
    outcome: ExperimentOutcome | Literal["no_runs"]
    effect: float | None
    low: float | None
    high: float | None
    needed: int | None
    runs: int
    missing: int
    cost: float
    next_step: str


class OpenExperiment(Record):
    """An experiment that is not over: while it is running, paused or stopped, no other may change its variable."""

    experiment_id: str
    name: str
    state: ExperimentState
    variable: str
    context: str
    runs: int
    outcome: ExperimentOutcome | Literal["no_runs"]


class RecurringMistake(Record):
    """A mistake that keeps coming back, and the rule against it, if there is one."""

    mistake_id: str
    error_class: str
    description: str
    correction: str
    occurrences: int
    sessions: int


class ProposerRecord(Record):
    """How earlier proposals did, and the mean of realised over expected effect of those that are over.

    `won` counts those whose variant was proven better than the control (any, where there is no control), `lost`
    those that were proven worse; effects are in the metric's unit, what was proposed minus the control. What was
    abandoned, or closed too early to tell, is in `proposed` alone.
    """

    proposer: str
    proposed: int
    won: int
    lost: int
    no_difference: int
    open: int
    realised: float | None


class Evidence(Record):
    """What is known, in one page: for a person, or for a model that proposes what to try next."""

    context: str
    variables: list[VariableEvidence]
    open: list[OpenExperiment]
    mistakes: list[RecurringMistake]
    rules: dict[str, int]
    performers: list[Performers]
    proposers: list[ProposerRecord]
    notes: list[str] = []
