"""The assistants' hooks: is everything recorded that they noticed, and are sessions measured at all?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from vettle.engine.clock import DAY, moment
from vettle.engine.locating import hooks_folder
from vettle.engine.store import sessions
from vettle.server.doctor.case import Case
from vettle.server.doctor.findings import Said, ok, warning

_PATIENCE = 60.0
_LONG_AGO = 14 * DAY
_LOG_BYTES = 4_000
_EXCERPT = 200


def spool(case: Case) -> Iterator[Said]:
    """Find what hooks noticed and nobody recorded."""
    if case.folder is None:
        return
    folder = Path(hooks_folder(str(case.folder.parent), case.environment))
    waiting = [path for path in (folder / "spool").glob("*.json") if time.time() - _written(path) > _PATIENCE]
    refused = list((folder / "spool" / "refused").glob("*.json"))
    said = _last_line(folder / "worker.log")
    last = f"; the recorder said: {said}" if said else ""
    if waiting:
        yield warning(
            "hooks-unrecorded",
            f"{len(waiting)} event{'s' if len(waiting) > 1 else ''} of hooks not recorded yet{last}",
            "vettle hook record",
        )
    if refused:
        yield warning(
            "hooks-refused",
            f"{len(refused)} event{'s' if len(refused) > 1 else ''} of hooks could not be recorded{last}",
            f"ls {folder / 'spool' / 'refused'}",
        )
    if folder.exists() and not waiting and not refused:
        yield ok("everything that hooks noticed is recorded")


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        # It was recorded just now.
        return time.time()


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(stream.tell() - _LOG_BYTES, 0))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:_EXCERPT]


def measured(case: Case) -> Iterator[Said]:
    """Find a project whose sessions are not measured any more."""
    if case.store is None:
        return
    with case.store.read() as transaction:
        newest = sessions.newest_first(transaction, context="", since=0, before=None, limit=1)
    if not newest:
        yield ok("no session was measured yet")
    elif case.clock() - newest[0].started > _LONG_AGO:
        yield warning(
            "no-session-lately",
            f"no session since {moment(newest[0].started):%Y-%m-%d}: agents work here without being measured, or not at all",
            "vettle init",
        )
    else:
        yield ok(f"the newest session began at {moment(newest[0].started):%Y-%m-%d %H:%M} UTC")
