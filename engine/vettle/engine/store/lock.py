"""A lock between processes: one writer of the database at a time, and one renderer of rule files.

SQLite's own busy handler is correct but unfair: with sixteen writers some wait for seconds. A lock on a
file of its own wakes the next writer at once. It is never the database file itself, because closing any
descriptor of a file drops all of the process's POSIX locks on it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from vettle.engine.errors import StoreUnavailable

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


_FIRST_PAUSE = 0.001
_SHORTEST_PAUSE = 0.0001
"""Seconds between two attempts, of who has just come and of who has waited for half a second."""

_IMPATIENCE = 0.002
"""Seconds by which the pause shrinks for each second of waiting."""


class FileLock:
    """An exclusive lock between processes; the kernel drops it when its holder dies.

    It is not reentrant and does not exclude threads of one process that share it.
    """

    def __init__(self, path: Path, timeout: float = 30.0) -> None:
        self._path = path
        self._timeout = timeout
        self._descriptor: int | None = None

    def __enter__(self) -> None:
        """Take the lock, waiting at most `timeout` seconds (StoreUnavailable)."""
        if self._descriptor is None:
            try:
                # A link, which a repository could bring, must not make a file where it leads.
                flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
                self._descriptor = os.open(self._path, flags, 0o644)
            except OSError as error:
                raise StoreUnavailable(
                    f"{self._path}: cannot be opened for writing ({error.strerror}). Nothing was changed. "
                    "Make the folder writable, or name another project with --project DIR."
                ) from error
        begun = time.monotonic()
        while not _try_lock(self._descriptor):
            waited = time.monotonic() - begun
            if waited > self._timeout:
                raise StoreUnavailable(
                    f"{self._path}: another process has held the lock for {self._timeout:.0f} s. "
                    "Nothing was changed. Retry, or end the process that hangs."
                )
            # Who has waited longer asks more often, so that newcomers do not pass them for ever.
            time.sleep(max(_FIRST_PAUSE - waited * _IMPATIENCE, _SHORTEST_PAUSE))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            _unlock(self._descriptor)

    def close(self) -> None:
        """Close the lock file; the lock can be taken again later."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
