"""Recording what hooks left in the spool: a process of its own, that nobody waits for, with the whole engine.

Every event is recorded once, however often this is killed: its file is deleted after the commit, and each call
carries a `client_ref` that is the same when the file is met again. Each takes place at the time at which it
happened. What cannot be recorded now stays; what can never be is put aside with the reason.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from vettle.engine.clock import DAY, system_clock
from vettle.engine.errors import ConfigurationInvalid, StoreDamaged, StoreUnavailable, VettleError
from vettle.engine.project import Project
from vettle.engine.store.lock import FileLock
from vettle.server.hooks import spool
from vettle.server.hooks.sessions import AssistantSessions

MOST_REFUSED = 100
_LONGEST_LOG = 64_000
_LEFTOVERS = 3_600
_SESSIONS_KEPT = 30 * DAY


class _Then:
    """A clock that shows the time of the event that is being recorded, and never a later one than it is."""

    def __init__(self) -> None:
        self.nanoseconds = 0

    def __call__(self) -> int:
        """Return the time of the event in microseconds, or the present between events."""
        now = system_clock()
        return min(self.nanoseconds // 1_000, now) if self.nanoseconds else now


def record(root: str) -> None:
    """Record everything in the spool of a project, prepare sessions, and end; what goes wrong stands in worker.log.

    Nothing is done while another process does it: it looks at the spool again before it ends.
    """
    folder = spool.hooks_folder(root)
    try:
        drain(Path(root), wait=0.2)
    except StoreUnavailable as error:
        if not spool.being_drained(folder):
            _log(Path(folder), str(error))
    except Exception as error:  # noqa: BLE001 - nobody reads what this process says
        _log(Path(folder), f"{type(error).__name__}: {error}")


def drain(root: Path, *, wait: float = 10.0, within: float = math.inf) -> int:
    """Record all events that wait, then prepare sessions; return how many events were recorded or put aside.

    Waits so many seconds for another process that does it. Whoever has to be done `within` so many seconds is in a
    hurry: no event is begun after them, and nothing is prepared. The process that the next hook starts has the time.

    Raises:
        StoreUnavailable, StoreDamaged, ConfigurationInvalid: The events stay, for another time.
    """
    folder = Path(spool.hooks_folder(str(root)))
    lock = FileLock(folder / spool.LOCK, timeout=wait)
    deadline = time.monotonic() + within
    met: set[str] = set()
    more = True
    try:
        while more:
            with lock:
                met |= _drained(root, folder, deadline)
            # A hook that saw the lock held has left its event to us; what could not be read is not tried for ever.
            more = bool(set(spool.waiting(str(folder))) - met) and time.monotonic() < deadline
    finally:
        lock.close()
    return len(met)


def _drained(root: Path, folder: Path, deadline: float) -> set[str]:
    """Record the events that wait now, then prepare sessions; return the names of the events that were met."""
    clock, met = _Then(), set()
    with contextlib.closing(Project(root, actor="hook", clock=clock)) as project:
        assistants = AssistantSessions(project, folder)
        # First, because a session that begins closes those that nobody rewarded, or ended, for too long.
        assistants.reward_by_tests()
        waiting = spool.waiting(str(folder))
        _end_silent(assistants, clock, waiting)
        for name in waiting:
            if time.monotonic() >= deadline:
                break
            _record_one(assistants, clock, folder / "spool" / name)
            met.add(name)
        clock.nanoseconds = 0
        if math.isinf(deadline):
            assistants.end_idle()
            # Imported here because it needs numpy, and what waited is safe by now.
            from vettle.server.hooks.preparing import prepare_ahead

            prepare_ahead(project)
    _tidy(folder)
    return met


def _end_silent(assistants: AssistantSessions, clock: _Then, waiting: Sequence[str]) -> None:
    """End the sessions that had been silent for long when the first event that waits happened: it is none of theirs."""
    try:
        clock.nanoseconds = spool.happened(waiting[0])
    except (IndexError, ValueError):
        # Nothing waits, or nothing of ours, which is put aside in its turn.
        return
    assistants.end_idle()


def _record_one(assistants: AssistantSessions, clock: _Then, path: Path) -> None:
    """Record an event and delete its file, or put the file aside."""
    try:
        text = path.read_bytes()
    except OSError:
        return
    try:
        clock.nanoseconds = spool.happened(path.name)
        assistants.record(json.loads(text), clock.nanoseconds, ref=f"hook {path.stem}")
    except (StoreUnavailable, StoreDamaged, ConfigurationInvalid):
        raise
    except (VettleError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _refuse(path, f"{type(error).__name__}: {error}")
        return
    path.unlink(missing_ok=True)


def _refuse(path: Path, reason: str) -> None:
    """Put an event that cannot be recorded aside, with the reason; of its text nothing is kept, for it may be secret."""
    refused = path.parent / "refused"
    refused.mkdir(mode=0o700, exist_ok=True)
    event = spool.read(str(path))
    kept = {
        name: event[name]
        for name in ("client", "kind", "tool", "session")
        if isinstance(event.get(name), str)
    }
    spool.write(str(refused / path.name), json.dumps({"reason": reason[:500], **kept}).encode())
    path.unlink(missing_ok=True)


def _log(folder: Path, line: str) -> None:
    """Add a line to worker.log, of which the newest part is kept."""
    path = folder / "worker.log"
    with contextlib.suppress(OSError):
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        text = f"{text[-_LONGEST_LOG:]}{stamp} {' '.join(line.split())[:1_000]}\n"
        spool.write(str(path), text.encode())


def _tidy(folder: Path) -> None:
    """Delete what killed processes left, events put aside long ago, and what is known of sessions nobody resumes."""
    for path in sorted(folder.glob("spool/refused/*.json"))[:-MOST_REFUSED]:
        path.unlink(missing_ok=True)
    now = time.time()
    for path, oldest in _deletable(folder):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < now - oldest:
                path.unlink()


def _deletable(folder: Path) -> Iterator[tuple[Path, float]]:
    for pattern in ("*.tmp", "*/*.tmp", "*/*.taken"):
        yield from ((path, _LEFTOVERS) for path in folder.glob(pattern))
    yield from ((path, _SESSIONS_KEPT / 1_000_000) for path in folder.glob("sessions/*.json"))
