"""What is said about a log that was written to a file."""

from __future__ import annotations

from vettle.engine.records.base import Record


class LogExported(Record):
    """The answer to an export of the log: how much was written, and the SHA-256 that its last line carries."""

    path: str
    events: int
    replies: int
    sha256: str
