"""The database: whether it can be read and trusted, how large it is, where it lies, and what waits in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from vettle.engine.clock import DAY, SECOND, moment
from vettle.engine.errors import StoreDamaged, VettleError
from vettle.engine.project import DATABASE
from vettle.engine.store import events, rules, sessions, without_secrets
from vettle.engine.store.looking import NotPrepared, quick_check
from vettle.engine.store.schema import SCHEMA_VERSION
from vettle.engine.wording import some
from vettle.server.doctor.case import Case
from vettle.server.doctor.findings import Said, ok, problem, warning
from vettle.server.doctor.mounts import file_system

_CHECK_SECONDS = 1.5
_MEGABYTE = 2**20
_GIGABYTE = 2**30
_LEAST_FREE = 100 * _MEGABYTE
_LARGE_LOG = 64 * _MEGABYTE
_MOST_NAMED = 5
_FUTURE = 300 * SECOND

_SYNCED = (
    "onedrive", "dropbox", "mobile documents", "icloud drive", "icloud~", "google drive", "googledrive",
    "my drive", "nextcloud", "pcloud",
)  # fmt: skip
"""How folders begin that a program copies to other machines, file by file and not as one."""

_NETWORK = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afpfs",
    "webdav",
    "fuse.sshfs",
    "fuse.rclone",
    "9p",
    "ceph",
)


def opens(case: Case) -> Iterator[Said]:
    """Find a database that cannot be reached, read or trusted."""
    if isinstance(case.opened, VettleError):
        yield _failure(case, case.opened)
    elif case.opened is not None:
        where = without_secrets(case.url) if case.url else case.opened.database.location
        yield ok(f"{where} opens, schema {SCHEMA_VERSION}")
    elif case.folder is not None and not case.url:
        yield ok("nothing was recorded yet; the first call that records makes the database")


def _failure(case: Case, error: VettleError) -> Said:
    if isinstance(error, NotPrepared):
        fix = "vettle status" if not case.url else "vettle session start 'try it'"
        return warning("database-not-prepared", f"{error} The next call that records prepares it.", fix)
    if not isinstance(error, StoreDamaged):
        fix = 'psql "$VETTLE_DATABASE_URL" -c "select 1"' if case.url else "vettle db check"
        return problem("database-unavailable", str(error), fix)
    if "Upgrade vettle" in str(error):
        return problem("database-damaged", str(error), "pip install --upgrade vettle")
    return problem("database-damaged", str(error), "vettle db restore BACKUP --replace")


def sound(case: Case) -> Iterator[Said]:
    """Find damaged pages; a large file is looked at for a second or two, and `vettle db check` looks at all of it."""
    if case.store is None or case.url:
        return
    found = quick_check(case.store, _CHECK_SECONDS)
    if found is None:
        yield ok("its pages look sound so far; all of them: vettle db check")
    elif found:
        yield problem("database-damaged", f"{DATABASE}: {found[0]}", "vettle db restore BACKUP --replace")
    else:
        yield ok("its pages are sound")


def size(case: Case) -> Iterator[Said]:
    """Find a disk that is nearly full, and a log that nobody merges."""
    if case.root is None or case.folder is None:
        return
    file = case.folder / DATABASE
    held, log = (_size(path) for path in (file, file.with_name(f"{DATABASE}-wal")))
    free = shutil.disk_usage(case.root).free
    if free < max(_LEAST_FREE, held + log):
        yield warning(
            "disk-full",
            f"{_amount(free)} free on the disk, and the database has {_amount(held + log)}",
            "vettle db prune --dry-run",
        )
    elif held and not case.url:
        yield ok(f"{_amount(held)}, log {_amount(log)}; {_amount(free)} free")
    if log > _LARGE_LOG:
        yield warning(
            "log-large",
            f"{DATABASE}-wal has {_amount(log)}: some process reads for so long that it cannot be merged",
            f"fuser -v {file}",
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _amount(size: int) -> str:
    return f"{size / _GIGABYTE:,.1f} GB" if size >= _GIGABYTE else f"{size / _MEGABYTE:,.1f} MB"


def place(case: Case) -> Iterator[Said]:
    """Find a folder that is copied while it is written, or whose locks another machine keeps."""
    if case.root is None or case.url:
        return
    parts = [part.casefold() for part in case.root.resolve().parts]
    synced = next((part for part in parts if part.startswith(_SYNCED)), "")
    if synced:
        yield warning(
            "folder-synced",
            f"the project lies in a folder that is synchronised ({synced}): a database that is copied while it is "
            "written gets damaged",
            "git clone . ~/src/" + case.root.name,
        )
    kind = file_system(case.root, case.platform)
    if kind in _NETWORK:
        yield warning(
            "folder-network",
            f"the project lies on a network share ({kind}), where locks cannot be relied on",
            "export VETTLE_DATABASE_URL=postgresql://me@host:5432/vettle VETTLE_DATABASE_PROJECT="
            + case.root.name,
        )


def clock(case: Case) -> Iterator[Said]:
    """Find a log that is ahead of this machine's clock."""
    if case.store is None:
        return
    with case.store.read() as transaction:
        newest = events.newest_time(transaction)
    if newest > case.clock() + _FUTURE:
        yield warning(
            "clock-behind",
            f"the newest event is of {moment(newest):%Y-%m-%d %H:%M} UTC, and this machine's clock says "
            f"{moment(case.clock()):%Y-%m-%d %H:%M}",
            "timedatectl set-ntp true",
        )


def left_open(case: Case) -> Iterator[Said]:
    """Find sessions that have been silent for more than a day, and were neither rewarded nor ended."""
    if case.store is None:
        return
    with case.store.read() as transaction:
        silent = sessions.in_state(transaction, "open", unseen_since=case.clock() - DAY)
    found = [one for one in silent if one.outcome is None]
    if found:
        names = some([one.id for one in found], _MOST_NAMED)
        yield warning(
            "sessions-left-open",
            f"open and silent for more than a day: {names}; without an end they prove nothing",
            f"vettle session end --session {found[0].id} --outcome accepted",
        )


def waiting(case: Case) -> Iterator[Said]:
    """Find rules that wait for a person."""
    if case.store is None:
        return
    with case.store.read() as transaction:
        found = rules.with_status(transaction, ("quarantined",))
    if found:
        several = len(found) > 1
        yield warning(
            "rules-waiting",
            f"{len(found)} rule{'s wait' if several else ' waits'} for a person: {found[0].reason}",
            f"vettle explain {found[0].id}",
        )
