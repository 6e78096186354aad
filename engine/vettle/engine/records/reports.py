"""Summaries of what happened, and where the project stands."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import WithJsonSchema

from vettle.engine.records.base import Record, ReportKind, RunStatus, Severity
from vettle.engine.records.evidence import Evidence
from vettle.engine.records.ranking import VariantsRanked
from vettle.engine.records.rules import Confidence, Estimate, Rule, RuleDetails, RuleSummary
from vettle.engine.records.sessions import Decision, PastMistake, SessionSummary

_PLAIN = WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "null"}]})
"""Published as a plain object: every client loads the schemas of all answers, and few ever ask for this part."""


class Mean(Record):
    """A count and the mean of what was counted (None where nothing was)."""

    n: int
    mean: float | None


class SessionsReport(Record):
    """Sessions of a period: how many, how they ended, and how well."""

    by_state: dict[str, int]
    score: Mean
    by_context: dict[str, Mean]
    mistakes_per_session: float | None
    sessions: list[SessionSummary]
    next_cursor: str = ""


class MistakeClass(Record):
    """One error class: how often it happened, and the share that repeated an earlier session's mistake."""

    error_class: str
    count: int
    repeats: int
    repeat_rate: float


class MistakePeriod(Record):
    """The mistakes of one day or week that begins on `start`, UTC; weeks begin on Monday."""

    start: date
    count: int
    repeats: int
    rate: float | None


class MistakeTrend(Record):
    """Whether the share of repeated mistakes falls, over consecutive days or weeks, the empty ones included.

    `change` is that of the fitted rate from the first to the last day with a mistake, in shares of 1, with
    limits of 95 % for one look; null where nearly all mistakes are repeats. The rate grows by itself while there
    are kinds of mistakes to meet for the first time: `rising` is said only, with `change` and its limits, of the
    share of mistakes that were known before the period. It is an observation: what changed it, only withheld
    rules can tell.
    """

    interval: Literal["day", "week"]
    periods: list[MistakePeriod]
    direction: Literal["falling", "rising", "unclear", "too_early"]
    change: float | None = None
    low: float | None = None
    high: float | None = None
    said: str


class FailureMode(Record):
    """Runs that failed in one way, over all experiments.

    `share` is of all runs of the period. The most affected variants ("experiment / variant") and contexts come
    with their counts. `example` is the newest logged error of the kind, without secrets and shortened.
    """

    status: RunStatus
    failure_mode: str
    count: int
    share: float
    variants: dict[str, int]
    contexts: dict[str, int]
    last: datetime
    example: str


class FailuresReport(Record):
    """How runs of a period failed, the most frequent way first."""

    period: str
    context: str
    runs: int
    failed: int
    modes: list[FailureMode]
    notes: list[str] = []


class MistakesReport(Record):
    """Mistakes of a period by class and severity, with the ones that keep coming back (of all time).

    `failures` are the ways in which the newest 2,000 runs of experiments failed.
    """

    total: int
    repeats: int
    repeat_rate: float | None
    by_class: list[MistakeClass]
    recurring: list[PastMistake]
    severities: dict[Severity, int] = {}
    trend: MistakeTrend | None = None
    failures: list[FailureMode] = []


class Spending(Record):
    """What a group of runs has cost. A duration, token count or cost of 0 was not measured, so no mean counts it.

    `failed` counts runs that were not completed, and `wasted` is what they cost. Durations are milliseconds.
    """

    name: str
    runs: int
    failed: int
    tokens_in: int
    tokens_out: int
    tokens_median: float | None
    cost: float
    cost_mean: float | None
    cost_median: float | None
    wasted: float
    duration_ms: float
    duration_mean: float | None
    duration_median: float | None
    duration_fastest: float | None
    duration_slowest: float | None


class DaySpending(Record):
    """What one day, UTC, has cost."""

    day: date
    runs: int
    tokens: int
    cost: float


class RuleSpending(Record):
    """What showing rules costs: tokens are estimated, one for four characters of a rule's text.

    `trial_tokens` are those of rules on trial at present, of all that were shown; both are means per session.
    """

    sessions: int
    tokens: float | None
    trial_tokens: float | None


class CostsReport(Record):
    """What the runs of a period have cost: in all, by experiment, variant and context (dearest first), and by day.

    Every recording counts that was not replaced by a later one of the same unit, also of experiments that were
    restarted since. `wasted_share` is the share of the cost that went into runs which were not completed.
    """

    total: Spending
    wasted_share: float | None
    experiments: list[Spending]
    variants: list[Spending]
    contexts: list[Spending]
    days: list[DaySpending]
    rules: RuleSpending
    notes: list[str] = []


class RewardsReport(Record):
    """Rewards of a period by outcome and by source."""

    total: int
    mean: float | None
    by_outcome: dict[str, int]
    by_source: dict[str, Mean]


class RulesReport(Record):
    """The pool of rules: how many stand where, what is discovered, and the strongest of each kind."""

    by_status: dict[str, int]
    discoveries: list[str]
    rules: list[RuleDetails | RuleSummary]
    next_cursor: str = ""


class Report(Record):
    """The answer to `report_get`: exactly one of the parts is filled, the one named by `kind`."""

    kind: ReportKind
    period: str
    context: str
    sessions: SessionsReport | None = None
    mistakes: MistakesReport | None = None
    rewards: RewardsReport | None = None
    rules: RulesReport | None = None
    models: Annotated[VariantsRanked | None, _PLAIN] = None
    costs: Annotated[CostsReport | None, _PLAIN] = None
    evidence: Annotated[Evidence | None, _PLAIN] = None
    note: str = ""


class Status(Record):
    """What is going on in a project, and what to do next.

    `judged_by_tests` are ended sessions that their own tests will reward, if nobody does before. `proven_experiment` says
    what an experiment has proven that waits for a decision, "" if none does.
    """

    project: str
    store: str
    version: str
    schema_version: int
    rules: dict[str, int]
    sessions: dict[str, int]
    judged_by_tests: int = 0
    experiments: dict[str, int]
    proven_experiment: str = ""
    mistakes: int
    rewards: int
    open_sessions: list[SessionSummary]
    needs_person: list[str]
    warnings: list[str]
    next_step: str


class Replay(Record):
    """A session's decision beside the same decision recomputed from the log."""

    session_id: str
    recorded: Decision
    recomputed: Decision
    identical: bool


class Explanation(Record):
    """Why a rule stands where it stands."""

    rule: Rule
    verdict: str
    confidence: Confidence
    found_again: int
    estimate: Estimate
    history: list[str]
    next_step: str
