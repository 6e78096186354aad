"""Snapshots of the sessions that agents start and end over MCP, taken after their calls were answered."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from vettle.server.git import snapshots
from vettle.server.git.snapshots import Moment

SECONDS_BETWEEN = 1.0
"""How far apart snapshots begin at least, so that a flood of calls costs next to nothing."""

LATEST_SECONDS = 2.0
"""How late a snapshot may begin: after that the agent, or somebody else, has changed more than it is about."""

_MOST_WAITING = 100


@dataclass(frozen=True)
class _Wanted:
    """A snapshot that was asked for at a time of the monotonic clock, in seconds."""

    moment: Moment
    root: Path
    state_folder: Path
    session_id: str
    asked: float


class Background:
    """Takes snapshots one after another, in a thread that ends when there is nothing more to take.

    A session whose snapshot cannot begin in time has none, and `vettle reward --from-git` says so.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Wanted] = deque()
        self._works = False
        self._not_before = 0.0
        self._closing = threading.Event()

    def take(self, moment: Moment, root: Path, state_folder: Path, session_id: str) -> None:
        """Have a snapshot taken soon if the project is in a git repository; return at once, and never fail."""
        if not snapshots.in_repository(root):
            return
        with self._lock:
            if len(self._waiting) == _MOST_WAITING:
                return
            self._waiting.append(_Wanted(moment, root, state_folder, session_id, time.monotonic()))
            if self._works:
                return
            try:
                # No daemon: a process that ends meanwhile waits for the snapshot, which has a time limit.
                threading.Thread(target=self._work, name="vettle-snapshots", daemon=False).start()
                self._works = True
            except RuntimeError:
                # The system has no thread to give, or the process is ending.
                self._waiting.clear()

    def close(self) -> None:
        """Let what still waits be taken without a pause, because the process is about to end."""
        self._closing.set()

    def _work(self) -> None:
        while (wanted := self._next()) is not None:
            try:
                self._take(wanted)
            except Exception:
                # The next one may be luckier, and nobody waits for an answer.
                logging.getLogger(__name__).exception("A snapshot could not be taken.")

    def _next(self) -> _Wanted | None:
        """Return what was asked for first; None ends the thread."""
        with self._lock:
            self._works = bool(self._waiting)
            return self._waiting.popleft() if self._works else None

    def _take(self, wanted: _Wanted) -> None:
        if not snapshots.is_due(wanted.moment, wanted.state_folder, wanted.session_id):
            return
        self._closing.wait(self._not_before - time.monotonic())
        now = time.monotonic()
        if now - wanted.asked <= LATEST_SECONDS:
            self._not_before = now + SECONDS_BETWEEN
            snapshots.take(wanted.moment, wanted.root, wanted.state_folder, wanted.session_id)
