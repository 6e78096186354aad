"""What is said about a project that was copied from one database to another."""

from __future__ import annotations

from vettle.engine.records.base import Record


class DatabaseCopied(Record):
    """The answer to a copy: how much was copied, and the checksums that both sides were found to have.

    `origin` and `target` name the databases without passwords. `ids_kept` is false where the target holds other
    projects, whose events have ids already; checksums count an event by its place in the log then. `events_sha256`
    is over all events, `tables_sha256` over every aggregate, `posterior_sha256` over what was learned.
    """

    origin: str
    target: str
    events: int
    replies: int
    ids_kept: bool
    events_sha256: str
    tables_sha256: str
    posterior_sha256: str
    next_step: str
