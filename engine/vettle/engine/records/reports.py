"""Summaries of what happened, and where the project stands."""

from __future__ import annotations

from vettle.engine.records.base import Record, ReportKind
from vettle.engine.records.rules import Estimate, Rule, RuleDetails, RuleSummary
from vettle.engine.records.sessions import Decision, PastMistake, SessionSummary


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


class MistakesReport(Record):
    """Mistakes of a period by class, with the ones that keep coming back (of all time)."""

    total: int
    repeats: int
    repeat_rate: float | None
    by_class: list[MistakeClass]
    recurring: list[PastMistake]


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
    """The answer to `report_get`: exactly one of the four parts is filled, the one named by `kind`."""

    kind: ReportKind
    period: str
    context: str
    sessions: SessionsReport | None = None
    mistakes: MistakesReport | None = None
    rewards: RewardsReport | None = None
    rules: RulesReport | None = None
    note: str = ""


class Status(Record):
    """What is going on in a project, and what to do next."""

    project: str
    store: str
    version: str
    schema_version: int
    rules: dict[str, int]
    sessions: dict[str, int]
    experiments: dict[str, int]
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
    estimate: Estimate
    history: list[str]
    next_step: str
