"""Experiments: what they are made of, what came of them, and what may be said."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from vettle.engine.records.base import ExperimentOutcome, ExperimentState, Record, RunStatus, SeriesInterval


class VariantSummary(Record):
    """A variant in an answer; the id is the first 12 characters of the hash of its config."""

    id: str
    name: str
    weight: float


class ExperimentCreated(Record):
    """The answer to `experiment_create`.

    The runs are per variant: how many it takes to find a difference of the minimum effect, on average and in
    nine cases of ten; 0 where that cannot be said, with the reason in `notes`.
    """

    experiment_id: str
    state: ExperimentState
    variants: list[VariantSummary]
    runs_per_variant: int
    runs_per_variant_90: int
    notes: list[str] = []
    next_step: str


class ExperimentDecided(Record):
    """The answer to `experiment_decide`; `verdict` is the one that was frozen when it closed."""

    experiment_id: str
    old: ExperimentState
    new: ExperimentState
    reason: str
    verdict: dict[str, JsonValue] = {}
    next_step: str


class VariableRegistered(Record):
    """The answer to `variable_register`: every other name of the variable, and those merged into it now."""

    name: str
    domain: str
    aliases: list[str]
    merged: list[str]


class VariantSelected(Record):
    """The answer to `variant_select`.

    `assignment_id` names the unit in `run_record`. `propensity` is the chance that this variant had; with
    `repeated` the unit had its variant already. `recorded` is false when nothing could be recorded, so that
    the result cannot count.
    """

    experiment_id: str
    assignment_id: str
    variant: str
    variant_id: str
    config: dict[str, JsonValue]
    hint: str = ""
    propensity: float
    policy: str
    why: str
    repeated: bool = False
    recorded: bool = True
    next_step: str


class RunRefused(Record):
    """Why one row of a batch keeps the whole batch from being recorded."""

    row: int
    reason: str


class RunsRecorded(Record):
    """The answer to `run_record`: all rows, or none and the reason for each bad one."""

    accepted: int
    updated: int
    refused: list[RunRefused] = []
    notes: list[str] = []
    next_step: str


class ExperimentVerdict(Record):
    """What may be said about an experiment, however often anyone has looked before.

    `estimate`, `low` and `high` are the difference of the two `compared`, first minus second, higher is
    better: in utilities (shares of the declared range), or in the metric's own unit where it has no range.
    A limit is null while the data set none. `shrunk` is the same difference with the winner's luck taken
    off. `more_mean` and `more_ninetieth` count further `unit`s until a decision, on average and in nine of
    ten experiments. `asymptotic` says that the guarantee needs large samples.
    """

    outcome: ExperimentOutcome
    leader: str | None
    losers: list[str]
    compared: list[str] | None
    estimate: float | None
    low: float | None
    high: float | None
    alpha: float | None
    shrunk: float | None
    shrunk_sd: float | None
    e_value: float
    blocks: int
    more_mean: int | None
    more_ninetieth: int | None
    reasons: list[str]
    next_step: str
    blocked_by: list[str]
    asymptotic: bool
    unit: str


class ChallengerVerdict(Record):
    """How one challenger stands against the control: challenger minus control, as in the verdict."""

    variant: str
    outcome: ExperimentOutcome
    estimate: float | None
    low: float | None
    high: float | None
    shrunk: float | None
    e_value: float
    blocks: int
    reason: str


class VariantResult(Record):
    """One variant of a leaderboard: all of its runs together, whatever their number.

    `n` counts the runs that `mean` is made of, `missing` those that have no result. `mean`, its limits,
    `shrunk` and `expected_loss` are in the metric's own unit (a utility where several metrics decide). The
    limits are asymptotic, hold at any time, and for one variant at a time. `shrunk` is the mean pulled
    towards all variants' common mean by as much as their spread is noise. `chance_best` and `expected_loss`
    are no stopping rules. Duration (milliseconds), tokens and cost are means of completed runs.
    """

    id: str
    name: str
    control: bool
    n: int
    missing: int
    statuses: dict[RunStatus, int]
    mean: float | None
    low: float | None
    high: float | None
    shrunk: float | None
    chance_best: float | None
    expected_loss: float | None
    eliminated: bool
    duration_ms: float | None
    tokens: float | None
    cost: float | None
    failure_modes: dict[str, int]


class ExperimentCheck(Record):
    """One thing that was looked at. A fatal one that is not ok withholds the verdict."""

    name: str
    ok: bool
    detail: str
    fatal: bool


class GuardrailResult(Record):
    """Whether a variant does more harm to a guarded metric than its margin, which is in the metric's unit."""

    metric: str
    variant: str
    e_value: float
    margin: float
    runs: int
    breached: bool


class MarginalMean(Record):
    """The runs of one value, or one combination of values, of what was asked by, all variants together.

    `values` stand in the order of `by`; "(none)" marks a dimension that is named in `absent`.
    """

    values: list[str | float]
    absent: list[str] = []
    n: int
    missing: int
    mean: float | None


class VariantSeries(Record):
    """One variant over time: runs and their mean in each period; an empty period has 0 and null."""

    variant: str
    n: list[int]
    mean: list[float | None]


class TimeSeries(Record):
    """Results by period. `starts` are the first moments of consecutive periods, UTC; weeks begin on Monday."""

    interval: SeriesInterval
    starts: list[datetime]
    variants: list[VariantSeries]


class ExperimentResults(Record):
    """The answer to `experiment_results`.

    `exploratory` says that another metric than the deciding one is meant: then the verdict is about that metric,
    and null where which direction is better was never declared.
    `frozen` is the verdict that the experiment was closed with.
    """

    experiment_id: str
    name: str
    state: ExperimentState
    metric: str
    direction: Literal["higher", "lower", "unknown"]
    metric_unit: str
    exploratory: bool
    runs: int
    verdict: ExperimentVerdict | None
    frozen: ExperimentVerdict | None = None
    challengers: list[ChallengerVerdict] = []
    leaderboard: list[VariantResult]
    checks: list[ExperimentCheck] = []
    guardrails: list[GuardrailResult] = []
    by: list[str] = []
    marginals: list[MarginalMean] = []
    series: TimeSeries | None = None
    notes: list[str] = []


class ExperimentSummary(Record):
    """One experiment in a list. `outcome` is the frozen one, else that of this moment, or "no_runs"."""

    id: str
    name: str
    state: ExperimentState
    context: str
    variable: str
    tier: int
    variants: int
    runs: int
    outcome: ExperimentOutcome | Literal["no_runs"]
    leader: str | None
    created: datetime
    started: datetime | None


class ExperimentsPage(Record):
    """The answer to `experiments_list`: newest first. `by_state` counts all of the context, `total` those asked for."""

    experiments: list[ExperimentSummary]
    total: int
    by_state: dict[ExperimentState, int]
    next_cursor: str = ""
    note: str = ""


class Calibration(Record):
    """The answer to `judge_calibrate`: how the judge does on the user's own data.

    `false_winner_rate` is the share of simulated experiments without any difference in which it names a
    winner, with the 95 % limits of the simulation. `power` and `power_twice` are the shares in which it finds
    a variant that is better by `effect`, within as many `unit`s as there are now and within twice as many;
    `applied` is what was left of the effect inside the range, and `median` the units until half have found
    it, null if fewer than half do. Differences are as in the verdict. `enough` is false when there is too
    little data to say any of it. `replay` is the verdict under the `alpha` and minimum effect asked for.
    """

    experiment_id: str
    enough: bool
    unit: str
    blocks: int
    simulations: int
    seed: int
    alpha: float
    false_winner_rate: float | None = None
    false_winner_low: float | None = None
    false_winner_high: float | None = None
    effect: float | None = None
    applied: float | None = None
    power: float | None = None
    power_twice: float | None = None
    median: int | None = None
    verdict: ExperimentVerdict
    replay: ExperimentVerdict
    notes: list[str] = []
    next_step: str
