"""What is found wrong with an installation, and how a project and its rules stand, for a person who is in a hurry."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from vettle.engine.records.base import Record, SessionState
from vettle.engine.records.experiments import ExperimentResults
from vettle.engine.records.reports import Explanation, Status

FindingLevel = Literal["ok", "warning", "problem"]

FindingGroup = Literal["environment", "project", "database", "rule files", "clients", "handshake", "hooks"]

FindingName = Literal[
    "all-well",
    "another-on-path",
    "check-crashed",
    "client-command-missing",
    "client-not-executable",
    "client-not-started",
    "client-other-project",
    "client-other-version",
    "client-twice",
    "client-unreadable",
    "clock-behind",
    "config-invalid",
    "config-unknown-key",
    "database-committed",
    "database-damaged",
    "database-misconfigured",
    "database-not-prepared",
    "database-unavailable",
    "disk-full",
    "extra-missing",
    "folder-network",
    "folder-synced",
    "hooks-refused",
    "hooks-unrecorded",
    "log-large",
    "no-client",
    "no-session-lately",
    "not-committed",
    "not-initialised",
    "not-writable",
    "project-not-found",
    "rule-delivered-twice",
    "rule-file-edited",
    "rule-file-hidden",
    "rule-file-refused",
    "rule-files-stale",
    "rule-list-damaged",
    "rules-left-out",
    "rules-not-testable",
    "rules-waiting",
    "server-failed",
    "server-garbage",
    "server-hung",
    "server-tool-failed",
    "sessions-left-open",
    "variable-unknown",
]
"""Every name a finding can have; docs/troubleshooting.md has a section for each but `all-well`."""


class DoctorFinding(Record):
    """One thing that was looked at: `what` was found, in one line, and the `fix` to paste, "" where all is well."""

    group: FindingGroup
    name: FindingName
    level: FindingLevel
    what: str
    fix: str = ""


class Diagnosis(Record):
    """Everything that was looked at, group by group. `project` is "" when none was found."""

    project: str
    version: str
    findings: list[DoctorFinding]
    problems: int
    warnings: int
    next_step: str


class Forecast(Record):
    """When a rule on trial can be told to work, if what is believed of it now is right.

    `sessions` more sessions with it are needed on average, and `per_day` of those there were lately; either is null
    where it cannot be said, and then `days` is. `said` is all of that in one sentence.
    """

    rule_id: str
    sessions: int | None
    per_day: float | None
    days: float | None
    said: str


class ProvenRule(Record):
    """A proven rule and since when it is."""

    rule_id: str
    since: datetime


class StatusInDetail(Status):
    """The tool's answer with what a person wants to know first.

    `headline` is the one most important thing. `proven` are the newest proven rules, at most ten, and `proven_this_week`
    and `retired_this_week` count what the evidence or a person settled in the last seven days. `strongest_effect` is
    the largest change of the session score that a proven rule is believed to cause. `sessions_per_day` is the number
    of sessions begun per day of the last 30, or since the first. `coins` counts the coins that decided about a rule in
    the scored sessions of those days that were given rules, null without such a session: only coins prove anything.
    `closest` is the rule on trial that will be told first.
    """

    headline: str
    proven: list[ProvenRule] = []
    proven_this_week: int = 0
    retired_this_week: int = 0
    strongest_effect: float | None = None
    sessions_per_day: float | None = None
    coins: int | None = None
    closest: Forecast | None = None


class SessionWithRule(Record):
    """A session that had the rule on its slate, and whether it was shown (never in a holdout)."""

    session_id: str
    started: datetime
    state: SessionState
    shown: bool
    score: float | None


class RuleExplained(Explanation):
    """Why a rule stands where it stands, with what surrounds it.

    `why` is the one sentence to read. `files` are the rule files that hold it now, `sessions` the newest few that had
    it on their slate. `would_change` says what would change the verdict.
    """

    why: str
    files: list[str] = []
    sessions: list[SessionWithRule] = []
    forecast: Forecast | None = None
    would_change: str


class ExperimentExplained(Record):
    """Why an experiment stands where it stands, with its results and its history."""

    why: str
    results: ExperimentResults
    history: list[str]
    next_step: str
