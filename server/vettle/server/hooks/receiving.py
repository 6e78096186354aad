"""Reading an event from stdin, whatever the assistant does with it: never for long, and never too much."""

from __future__ import annotations

import json
import os
import sys
import time

TYPE_CHECKING = False  # type checkers know the name; importing typing would take a fifth of a hook's time
if TYPE_CHECKING:
    from typing import Any

PATIENCE = 3.0
"""Seconds after which an event that is not there is given up."""

MOST_BYTES = 4_000_000
"""An event larger than this is not looked at: no assistant sends one."""

_PAUSE = 0.05
_CHUNK = 1 << 16
_STDIN = 0


def event() -> dict[str, Any]:
    """Return the JSON object on stdin, or {} for anything else, and for what does not arrive in time."""
    if os.isatty(_STDIN):
        return {}
    return _parsed(_received()) or {}


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


if sys.platform == "win32":

    def _received() -> bytes:
        """Read to the end in a thread, because a pipe cannot be waited for here."""
        import threading

        chunks: list[bytes] = []

        def read() -> None:
            while chunk := os.read(_STDIN, _CHUNK):
                if sum(map(len, chunks)) <= MOST_BYTES:
                    chunks.append(chunk)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(PATIENCE)
        text = b"".join(chunks)
        return text if len(text) <= MOST_BYTES else b""

else:

    def _received() -> bytes:
        """Read to the end, or until a whole object is there: some leave stdin open."""
        import select

        chunks: list[bytes] = []
        size, deadline = 0, time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            whole = bool(chunks) and chunks[-1].rstrip().endswith(b"}")
            if not select.select([_STDIN], [], [], min(left, _PAUSE) if whole else left)[0]:
                if whole and _parsed(b"".join(chunks)) is not None:
                    break
                continue
            chunk = os.read(_STDIN, _CHUNK)
            if not chunk:
                break
            size += len(chunk)
            # Too much is still read, to the deadline: an assistant must not meet a closed pipe.
            if size <= MOST_BYTES:
                chunks.append(chunk)
        return b"".join(chunks) if size <= MOST_BYTES else b""
