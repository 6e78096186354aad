"""Rules, and what is known about each."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from vettle.engine.records.base import Record, RuleSource, RuleStatus

Confidence = Literal["speculative", "provisional", "stable", "entrenched"]


class Rule(Record):
    """One instruction for an agent.

    `text` is stored exactly as it was given; renderers neutralise it, once, when they write a file.
    `context` is "" for a rule about any kind of work, and `globs` is empty for a rule about any path.
    """

    id: str
    text: str
    category: str = "general"
    context: str = ""
    globs: tuple[str, ...] = ()
    source: RuleSource = "agent"
    status: RuleStatus = "trial"
    reason: str = ""
    rationale: str = ""
    prior: float = 0.0
    created: datetime


class Estimate(Record):
    """What is known about one rule's effect on the session score.

    `effect`, `low` and `high` are the posterior mean and its 90 % credible interval; they steer and
    are not proof. `causal_*` come from recorded coin flips only and hold at every look (90 %,
    time-uniform); they are None before five withheld sessions. Only the e-values may claim:
    `e_works` >= 20 means "works", `e_hurts` >= 20 means "hurts", each with error at most 5 % per rule
    however often anyone looks.
    """

    effect: float
    low: float
    high: float
    chance_helps: float
    shown: int
    withheld: int
    e_works: float
    e_hurts: float
    causal_effect: float | None = None
    causal_low: float | None = None
    causal_high: float | None = None
    missing_suspected: bool = False
    sessions_needed: int | None = None


class RuleSummary(Record):
    """A rule in a list: what it says, where it stands, and the verdict in words.

    `confidence` is one word for how well founded it is (see `vettle.engine.confidence`), `found_again` how
    often reviews and journals came to it after it was added, which is no evidence that it helps.
    """

    id: str
    text: str
    status: RuleStatus
    verdict: str
    confidence: Confidence
    effect: float
    low: float
    high: float
    chance_helps: float
    shown: int
    withheld: int
    found_again: int = 0


class RuleDetails(RuleSummary):
    """A rule in a detailed list: the summary with its origin and its e-values."""

    category: str
    context: str
    globs: tuple[str, ...]
    source: RuleSource
    reason: str
    rationale: str
    created: datetime
    e_works: float
    e_hurts: float
    causal_effect: float | None
    causal_low: float | None
    causal_high: float | None
    missing_suspected: bool


class RulesPage(Record):
    """One page of rules, strongest evidence first.

    `discoveries` lists the rules that pass e-BH over the whole pool (false discovery rate 5 %), which is
    the list to quote when many rules are tested at once.
    """

    rules: list[RuleDetails | RuleSummary]
    total: int
    discoveries: list[str]
    next_cursor: str = ""
    note: str = ""


class RuleAdded(Record):
    """The answer to `rule_add`."""

    rule_id: str
    status: Literal["trial", "quarantined", "duplicate"]
    duplicate_of: str = ""
    reasons: list[str] = []
    next_step: str


class StatusChange(Record):
    """A rule's status before and after, with the reason that is logged."""

    rule_id: str
    old: RuleStatus
    new: RuleStatus
    reason: str


class RuleDecided(StatusChange):
    """The answer to `rule_decide`."""

    text: str
