"""Sessions, with the mistakes and rewards that belong to them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vettle.engine.records.base import Record, SessionState
from vettle.engine.records.rules import StatusChange


class SlateEntry(Record):
    """One rule chosen for a session: the probability that it is shown, and what the coin said."""

    rule: str
    propensity: float = Field(gt=0, le=1)
    shown: bool


class Decision(Record):
    """Everything needed to recompute which rules a session was given, and why.

    `folded` is the id of the last event the posterior had folded, `offered` how many of the `pool`
    candidates were within the widening limit. `holdout` sessions show nothing and prove nothing.
    """

    policy: str
    seed: int
    folded: int
    k: int
    pool: int
    offered: int
    holdout: bool = False
    slate: tuple[SlateEntry, ...] = ()


class RuleToFollow(Record):
    """A rule as it is handed to an agent."""

    id: str
    text: str


class PastMistake(Record):
    """An earlier mistake worth knowing, with what corrected it."""

    mistake_id: str
    error_class: str
    description: str
    correction: str = ""
    occurrences: int
    similarity: float = 0.0


class SessionStarted(Record):
    """The answer to `session_start`. `withheld` is a number on purpose: texts would end the experiment."""

    session_id: str
    rules: list[RuleToFollow]
    withheld: int
    pool: int
    avoid: list[PastMistake]
    note: str = ""
    next_step: str


class PreparedSession(Record):
    """A session that was decided ahead of its start: everything but who starts it, and when.

    `uid` is hexadecimal, `selection` are the settings that the decision was drawn with. `rules` are those that
    the coins show; nothing of it is recorded before the session starts.
    """

    uid: str = Field(pattern="^[0-9a-f]{32}$")
    session_id: str
    prepared: datetime
    context: str
    task: str
    selection: dict[str, float]
    decision: Decision
    rules: list[RuleToFollow]
    withheld: int
    avoid: list[PastMistake]


class MistakeLogged(Record):
    """The answer to `mistake_log`."""

    mistake_id: str
    session_id: str
    repeat: bool
    occurrences: int
    similar: list[PastMistake]
    suggested_rule: str = ""
    note: str = ""
    next_step: str


class RewardLogged(Record):
    """The answer to `reward_log`. `session_score` is None while the session has no reward."""

    reward_id: str
    session_id: str
    value: float
    counted: bool
    session_score: float | None
    status_changes: list[StatusChange] = []
    note: str = ""


class SessionEnded(Record):
    """The answer to `session_end`. `score` is None while no reward has been logged.

    `rules_found` counts the rules that its journal entry led to: new ones, and known ones found again.
    """

    session_id: str
    state: SessionState
    duration_seconds: float
    mistakes: int
    repeats: int
    score: float | None
    status_changes: list[StatusChange] = []
    rules_found: int = 0
    next_step: str


class SessionSummary(Record):
    """A session in a list."""

    session_id: str
    state: SessionState
    task: str
    context: str
    agent: str
    model: str
    started: datetime
    rules_shown: int
    rules_withheld: int
    mistakes: int
    repeats: int
    score: float | None
