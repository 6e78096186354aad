"""What is said about the database itself: whether it is sound, copied, restored or pruned."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vettle.engine.records.base import Record


class Finding(Record):
    """One thing that is wrong: where, what, and what to do about it."""

    area: str
    problem: str
    remedy: str


class DatabaseChecked(Record):
    """The answer to a check; without findings, all of the project's data is what its log says.

    `pruned_through` is the last event that was folded into kept tables when the log was pruned, 0 if it never was.
    """

    location: str
    events: int = 0
    replies: int = 0
    pruned_through: int = 0
    rebuilt: bool = False
    findings: list[Finding] = Field(default_factory=list)
    next_step: str


class DatabaseSaved(Record):
    """The answer to a backup, which was opened and checked after it was written. `format` is sqlite or log."""

    path: str
    format: str
    size: int
    events: int
    replies: int


class DatabaseRestored(Record):
    """The answer to a restore. `kept` is where the database that was here before is now, "" if there was none."""

    path: str
    location: str
    kept: str
    events: int
    replies: int
    next_step: str


class LogPruned(Record):
    """The answer to a prune: how many events were (or would be) removed, and how many stay."""

    before: datetime
    through: int
    removed: int
    kept: int
    applied: bool
    next_step: str
