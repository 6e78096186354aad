"""Taking a session that was decided ahead: each goes to one session of an assistant, and stays with it."""

from __future__ import annotations

import os
import time

from vettle.server.hooks import spool

_SILENCE = 3_600
"""Seconds after which the process that records wants to hear that a session goes on."""

_HOLDS_RULES = ("resume", "compact")
"""How a session began whose conversation may hold rules already."""


def claim(folder: str, key: str, source: str) -> str:
    """Return what a session of an assistant shall be told, "" for nothing; `source` is how it began.

    A session that is resumed, or told again after its context was compacted, is told the same again, and nothing
    new if nothing is known of it. A fork holds the rules of a session that is not named: it cannot be measured.
    """
    own = spool.session_file(folder, key)
    if not os.path.exists(own):
        if source == "fork":
            spool.write(own, b'{"session_id": ""}')
        elif source not in _HOLDS_RULES:
            _take(os.path.join(folder, "prepared"), own)
    return told(folder, key)


def told(folder: str, key: str) -> str:
    """Return what a session was told when it began, "" for nothing; its subagents are told it, too."""
    text = spool.read(spool.session_file(folder, key)).get("text", "")
    return text if isinstance(text, str) else ""


def goes_on(folder: str, key: str) -> bool:
    """Tell whether a prompt says nothing new: its session is recorded, and was heard of a short time ago."""
    own = spool.session_file(folder, key)
    return spool.read(own).get("session_id") is not None and time.time() - os.stat(own).st_mtime < _SILENCE


def _take(prepared: str, own: str) -> None:
    """Move the first prepared session that may still start to the file of an assistant's session."""
    for name in sorted(os.listdir(prepared)):
        if not name.endswith(".json"):
            continue
        path = os.path.join(prepared, name)
        taken = f"{own}.{os.getpid()}.taken"
        try:
            if int(name.partition("-")[0]) < time.time_ns():
                os.unlink(path)
                continue
            # Whoever renames it has it.
            os.rename(path, taken)
        except (OSError, ValueError):
            continue
        _keep(taken, own, back=path)
        return


def _keep(taken: str, own: str, *, back: str) -> None:
    """Give a file its name, unless another hook of the same session was first: then it goes back."""
    try:
        os.link(taken, own)
    except FileExistsError:
        os.rename(taken, back)
    except OSError:
        # A file system without links.
        os.replace(taken, own)
    else:
        os.unlink(taken)
