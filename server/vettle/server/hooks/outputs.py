"""What the output of a failed tool says: its exit code, the program that is not there, the line that tells most."""

from __future__ import annotations

import os
import re
from pathlib import Path

_CODE = re.compile(
    r"^(?:error: )?exit code:? (\d+)|exited with (?:exit )?(?:code|status) (\d+)",
    re.IGNORECASE | re.MULTILINE,
)
_MISSING = (
    re.compile(r"command not found: (?P<name>\S+)"),  # zsh
    re.compile(r"(?P<name>[^\s:]+): (?:command )?not found\s*$", re.MULTILINE),  # bash, dash
    re.compile(r"'(?P<name>[^']+)' is not recognized as"),  # cmd and PowerShell
    re.compile(r"Unknown command: (?P<name>\S+)"),  # fish
)

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f]")
_EXCEPTION = re.compile(r"^[\w.]+(?:Error|Exception|Exit|Interrupt|Warning)\b.*")
_TELLS = re.compile(
    r"error|fail|fatal|panic|exception|not found|no such|denied|cannot|can't|could not|unable|invalid|refused"
    r"|expected|undefined|unknown|missing|timed out|✖|✗",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\S+:\d+(?::\d+)?\S* |\S+\(\d+,\d+\): |[A-Z]{1,4}\d{2,4} ")
_SAYS_NOTHING = re.compile(
    r"^(?:error: )?exit code:? \d+$|^\[\.\.\.\]$|^[-=_*~ ]*$|^traceback ", re.IGNORECASE
)


def plain(output: str) -> str:
    """Return an output without colours and other characters that only move a terminal."""
    return _ESCAPES.sub("", output)


def exit_code(output: str) -> int | None:
    """Return the exit code that an assistant wrote into the output, or None."""
    found = _CODE.search(output)
    return int(found[1] or found[2]) if found else None


def missing_program(output: str) -> str:
    """Return the program that a shell did not find, in whichever words it says so; "" where none says it."""
    for pattern in _MISSING:
        found = pattern.search(output)
        if found:
            return found["name"].rstrip(":")
    return ""


def telling_line(output: str, *, located: bool = False) -> str:
    """Return the line of an output that says most about what went wrong, "" of an empty one.

    With `located`, one that begins with a place or with the code of a check goes first.
    """
    lines = [line.strip() for line in output.splitlines() if not _SAYS_NOTHING.match(line.strip())]
    places = [line for line in lines if _PLACE.match(line)] if located else []
    if places:
        return places[0]
    if "Traceback (most recent" in output:
        raised = [line for line in lines if _EXCEPTION.match(line)]
        if raised:
            return raised[-1]
    telling = [line for line in lines if _TELLS.search(line)]
    return (telling or lines[-1:] or [""])[0]


def relative(text: str, root: Path) -> str:
    """Return a text of one line with the project's own paths relative to its root, and those at home below ~."""
    home = os.path.expanduser("~")  # noqa: PTH111 - a text
    for prefix, instead in (
        (f"{root}{os.sep}", ""),
        (f"{root.resolve()}{os.sep}", ""),
        (home + os.sep, "~/"),
    ):
        if len(prefix) > 2:
            text = text.replace(prefix, instead)
    return " ".join(text.encode("utf-8", "replace").decode().split())
