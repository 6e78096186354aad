"""What was learned from journals, reviews and packs: candidate rules, and where they come from."""

from __future__ import annotations

from typing import Literal

from vettle.engine.records.base import Record
from vettle.engine.records.rendering import NotTaken

ReviewAction = Literal["fix_blockers", "fix_warnings", "weigh_suggestions", "clean"]


class LearnedRule(Record):
    """A rule that a journal, a review or a pack led to.

    `reinforced` is one that was there and has been found again, `known` one that this source has said
    before. `times` counts how often it was found in all. `reason` says why it needs a person. Before
    anything is recorded a new rule has no id yet.
    """

    outcome: Literal["new", "quarantined", "reinforced", "known"]
    rule_id: str
    text: str
    category: str
    times: int
    origin: str
    reason: str = ""


class Learned(Record):
    """What every source answers: its rules, and what became no rule and why.

    `counts` has the number of rules by outcome. `applied` is false when this only shows what would happen.
    """

    rules: list[LearnedRule]
    counts: dict[str, int]
    applied: bool
    next_step: str


class JournalEntry(Record):
    """One journal entry. `date` is that of its file name, "" if it has none; `taken` counts its rules."""

    path: str
    date: str
    taken: int
    not_taken: list[NotTaken] = []


class JournalLearned(Learned):
    """The answer to learning from journal entries."""

    entries: list[JournalEntry]


class ReviewLearned(Learned):
    """The answer to learning from a review.

    `by_severity` counts all its findings, `known` those that were learned from this file before, or stand in it
    twice. `mistakes` were logged now (of no session, so they lower no score), `repeats` of them say what an
    earlier mistake says. `action` is clean only for a review without findings. `ignored` names fields of the findings that
    mean nothing here.
    """

    path: str
    findings: int
    known: int
    by_severity: dict[str, int]
    action: ReviewAction
    mistakes: int
    repeats: int
    not_taken: list[NotTaken] = []
    ignored: list[str] = []


class PackLearned(Learned):
    """The answer to taking the rules of a starter pack."""

    pack: str
    description: str
    not_taken: list[NotTaken] = []


class PackSummary(Record):
    """A starter pack in a list."""

    name: str
    description: str
    rules: int


class PacksListed(Record):
    """The starter packs that come with vettle."""

    packs: list[PackSummary]
    next_step: str
