"""A verdict from the exit code of the command that judged the work."""

from __future__ import annotations

from vettle.engine.errors import InvalidArgument
from vettle.engine.outcomes.verdicts import Verdict

_NO_VERDICT = {
    124: "the command was stopped by a time limit",
    125: "the command could not be started",
    126: "the command could not be run",
    127: "the command was not found",
    129: "the command was ended with its terminal (SIGHUP)",
    130: "the command was interrupted (SIGINT)",
    131: "the command was interrupted (SIGQUIT)",
    137: "the command was killed (SIGKILL), perhaps for want of memory",
    143: "the command was told to end (SIGTERM)",
    0xC000013A: "the command was interrupted (Ctrl+C on Windows)",
}
"""Exit codes of the shell, of timeout(1) and of container runners that say how the run went, not how the work is."""


def verdict(code: int) -> Verdict:
    """Return accepted for 0 and rejected for any other code, but none for those that do not judge the work.

    A program that crashed by itself (134, 136, 139) did judge it. A negative code -N is Python's way to say that
    signal N ended the command, which a shell reports as 128 + N.

    Raises:
        InvalidArgument: No system has such an exit code.
    """
    if not -64 <= code < 2**32:
        raise InvalidArgument(
            "--from-exit-code", f"{code} is no exit code", "Pass 0 to 255 (more on Windows), such as $?"
        )
    code = code if code >= 0 else 128 - code
    if code in _NO_VERDICT:
        return Verdict("ci", f"exit code {code}: {_NO_VERDICT[code]}, which says nothing about the work")
    return Verdict("ci", f"exit code {code}", "rejected" if code else "accepted")
