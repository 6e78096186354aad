"""Telling a client how far a call is, if it asked: the engine's progress as `notifications/progress`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio
import anyio.from_thread

from vettle.engine.progress import Progress

_SECONDS = 0.5  # between two notifications


def to_client(context: Any) -> Progress:
    """Return what tells the client of a call, from the thread in which the call works.

    The protocol wants numbers that only grow, while the engine counts each step of its work from 0: so the steps
    are added up, and the total is that of the steps so far. Without a progress token nothing is sent.
    """
    return _Telling(context.report_progress)


class _Telling:
    def __init__(self, send: Callable[..., Any]) -> None:
        self._send = send
        self._step, self._before, self._done = "", 0, 0
        self._told, self._when = -1, -_SECONDS

    def __call__(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self._step, self._before = step, self._before + self._done
        self._done = done
        number, now = self._before + done, time.monotonic()
        if number > self._told and now >= self._when + _SECONDS:
            self._told, self._when = number, now
            # A client that is gone does not stop what it asked for: what it recorded counts.
            with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
                anyio.from_thread.run(self._send, number, self._before + total if total else None, step)
