"""What leaves the project: the best configuration of an experiment, and the text it was written as."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from vettle.engine.records.base import ExperimentOutcome, ExperimentState, Record, RunStatus
from vettle.engine.records.experiments import ExperimentVerdict, VariantResult

ExportFormat = Literal["json", "env", "yaml", "markdown", "chain"]


class Distribution(Record):
    """How one recorded metric spreads over the completed runs that have it; a single one has no deviation."""

    metric: str
    count: int
    minimum: float
    maximum: float
    mean: float
    deviation: float | None


class Tokens(Record):
    """Tokens of all runs together, whatever came of them."""

    tokens_in: int
    tokens_out: int
    total: int


class Cost(Record):
    """What all runs cost together, and a run that says what it cost on average (null if none does)."""

    total: float
    per_run: float | None
    runs: int


class Timing(Record):
    """Milliseconds over the completed runs that say how long they took; null if none does."""

    fastest: float | None
    slowest: float | None
    average: float | None
    total: float
    runs: int


class BestConfiguration(Record):
    """The best variant of an experiment, and what is known about it.

    `variant` is "" where there is none to name, with the reason in `answer`. It is only `proven` where the
    verdict says so; else it leads so far. `mean`, `low`, `high` and `shrunk` are in the metric's own unit, and
    `shrunk` has the winner's luck taken off. `exploratory` says that the metric does not decide the experiment.
    `config_hash` is the SHA-256 of the canonical config. `scores` are the means of this variant's completed
    runs by metric; `distributions`, `tokens`, `cost` and `timing` are over all variants. `space` holds the values
    of every key that the variants' configs have. `alternatives` are the variants at the top of the leaderboard,
    each with all of its runs.
    """

    experiment_id: str
    experiment_name: str
    description: str
    state: ExperimentState
    exported_at: str
    metric: str
    direction: Literal["higher", "lower", "unknown"]
    metric_unit: str
    exploratory: bool
    variant: str
    proven: bool
    answer: str
    config: dict[str, JsonValue]
    config_hash: str
    n: int
    mean: float | None
    low: float | None
    high: float | None
    shrunk: float | None
    scores: dict[str, float]
    verdict: ExperimentVerdict | None
    alternatives: list[VariantResult]
    space: dict[str, list[JsonValue]]
    runs: int
    scored: int
    statuses: dict[RunStatus, int]
    failure_modes: dict[str, int]
    distributions: list[Distribution]
    tokens: Tokens
    cost: Cost
    timing: Timing
    notes: list[str] = []


class BestExported(Record):
    """The answer to `best_export`.

    `text` is "" where it would be too long for a reply: then it is in the file, or `notes` say how to get it.
    `path` is the file that was written, "" if none was. `outcome` is the verdict's, "" where there is none.
    """

    format: ExportFormat
    text: str
    characters: int
    path: str
    variant: str
    proven: bool
    outcome: ExperimentOutcome | Literal[""]
    answer: str
    notes: list[str] = []
