"""Bringing data in, whoever wrote it: our own log, or one of the systems whose files are known."""

from __future__ import annotations

from pathlib import Path
from stat import S_ISDIR, S_ISREG

from vettle.engine.errors import Conflict, InvalidArgument
from vettle.engine.exchange import importing, log, systems
from vettle.engine.project import DATABASE, PERSON, Project
from vettle.engine.records.exchange import DataImported
from vettle.engine.root import STATE_FOLDER

NAMES = (log.SYSTEM, *systems.NAMES)
"""The systems whose data can be named."""


def is_known(path: Path) -> bool:
    """Tell whether a path is a log of ours or belongs to one of the systems; never raise."""
    try:
        if not (path.is_file() or path.is_dir()):
            return False
        return log.recognises(path) or systems.recognise(path) is not None
    except OSError:
        return False


def bring(project: Project, path: Path, *, system: str = "", apply: bool = False) -> DataImported:
    """Import a file or folder; `system` says whose it is, "" lets it be recognised.

    Everything in it is imported or nothing, and importing it again changes nothing. Without `apply` only tell
    what would happen. Logs are for people: they bring decisions and evidence that nobody here can vouch for.

    Raises:
        InvalidArgument: There is nothing there that may be read, or nobody knows what it is.
        SourceDamaged: It is damaged.
        Conflict: An agent would import a log.
    """
    if system and system not in NAMES:
        raise InvalidArgument("system", f"no system {system[:40]!r}", f"Valid: {', '.join(NAMES)}")
    _refuse_database(path)
    _require(path)
    if system == log.SYSTEM or (not system and log.recognises(path)):
        if not log.recognises(path):
            raise InvalidArgument(
                "path",
                f"{path.name[:100]!r} is no log of vettle's",
                "vettle export log --output FILE writes one",
            )
        if apply and project.actor != PERSON:
            raise Conflict(
                f"{path.name}: only a person may import a log, because it decides which rules are proven and pinned. "
                f"Nothing was changed. Look at it with apply false, or ask them to run: vettle import {path.name}"
            )
        return log.import_log(project, path, apply=apply)
    return importing.import_reading(project, systems.read(path, system), apply=apply)


def _require(path: Path) -> None:
    """Refuse what is no file and no folder: a pipe can be read only once, and a device has no end."""
    given = repr(str(path)[:200])
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise InvalidArgument(
            "path", f"there is nothing at {given}", "Give a file or folder that exists"
        ) from error
    except OSError as error:
        raise InvalidArgument(
            "path", f"{given} cannot be read ({error.strerror})", "Give a file or folder that can be"
        ) from error
    if not (S_ISREG(mode) or S_ISDIR(mode)):
        raise InvalidArgument("path", f"{given} is neither a file nor a folder", "Write it to a file first")


def _refuse_database(path: Path) -> None:
    """Refuse to read a database of ours as if it were a file to import."""
    real = path.resolve()
    if real.parent.name == STATE_FOLDER and real.name.startswith(DATABASE):
        raise InvalidArgument(
            "path",
            f"{real.name} is the database of a vettle project",
            "To move a project, run vettle export log --output FILE there and import that file",
        )
