"""What a check yields."""

from __future__ import annotations

from typing import NamedTuple

from vettle.engine.records.diagnosis import FindingLevel, FindingName


class Said(NamedTuple):
    """One thing that a check found; the group it belongs to is added by whoever runs the check."""

    level: FindingLevel
    name: FindingName
    what: str
    fix: str = ""


def ok(what: str) -> Said:
    """Say what was looked at and is as it should be."""
    return Said("ok", "all-well", what)


def warning(name: FindingName, what: str, fix: str) -> Said:
    """Say what works, but not as somebody would want it to."""
    return Said("warning", name, what, fix)


def problem(name: FindingName, what: str, fix: str) -> Said:
    """Say what does not work."""
    return Said("problem", name, what, fix)
