"""The project: how it was found, whether it can be written, what version control knows of it, and its settings."""

from __future__ import annotations

import os
import shlex
import stat
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vettle.engine.errors import GitUnavailable
from vettle.engine.project import CONFIGURATION, DATABASE, RENDERED_FILES
from vettle.engine.root import STATE_FOLDER
from vettle.engine.settings import Settings
from vettle.engine.store import is_url
from vettle.engine.suggesting import hint
from vettle.server.doctor.case import Case
from vettle.server.doctor.findings import Said, ok, problem, warning
from vettle.server.git import running

_GIT_SECONDS = 5.0


def root(case: Case) -> Iterator[Said]:
    """Say which project this is, and how it was found."""
    if case.root is None:
        yield problem("project-not-found", str(case.found), "cd /path/to/your/repository && vettle doctor")
        return
    yield ok(f"{case.root}, found by {_how(case, case.root)}")
    assert case.folder is not None
    if not case.folder.exists():
        yield warning("not-initialised", f"{case.root} is no vettle project yet", "vettle init")


def _how(case: Case, found: Path) -> str:
    if case.explicit:
        return "--project"
    for name in ("VETTLE_PROJECT", "CLAUDE_PROJECT_DIR"):
        if case.environment.get(name):
            return name
    return f"its {STATE_FOLDER}/" if (found / STATE_FOLDER).exists() else "its .git"


def writable(case: Case) -> Iterator[Said]:
    """Find what cannot be written, although every record is."""
    if case.folder is None or not case.folder.exists():
        return
    if not case.folder.is_dir():
        yield problem(
            "not-writable",
            f"{case.folder} is no folder",
            f"mv {_quoted(case.folder)} {_quoted(case.folder)}.old",
        )
        return
    for path in (case.folder, *sorted(case.folder.glob(f"{DATABASE}*"))):
        yield from _unwritable(path, is_folder=path == case.folder)


def _unwritable(path: Path, *, is_folder: bool) -> Iterator[Said]:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        # What lies beside a database goes when its last reader does; a link that leads nowhere stays.
        if path.is_symlink():
            what = f"{path} is a link that leads nowhere ({error.strerror})"
            yield problem("not-writable", what, f"ls -l {_quoted(path)}")
        return
    if stat.S_ISDIR(mode) != is_folder:
        yield problem("not-writable", f"{path} is no file", f"mv {_quoted(path)} {_quoted(path)}.old")
    # Root could write all the same, but somebody meant it.
    elif not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(path, os.R_OK | os.W_OK):
        yield problem("not-writable", f"{path} cannot be written", f"chmod u+rw {_quoted(path)}")


def version_control(case: Case) -> Iterator[Said]:
    """Find what git keeps that is one machine's, and what it does not keep that everybody needs."""
    if case.root is None or case.folder is None or not case.folder.is_dir():
        return
    try:
        listed = running.run(
            case.root, "ls-files", "-z", "--", STATE_FOLDER, deadline=time.monotonic() + _GIT_SECONDS
        )
    except GitUnavailable:
        # It is no repository, or nobody here uses git.
        return
    tracked = set(os.fsdecode(listed).split("\0"))
    if kept := sorted(name for name in tracked if Path(name).name.startswith(DATABASE)):
        names = " ".join(map(shlex.quote, kept))
        yield problem("database-committed", f"git keeps {', '.join(kept)}", f"git rm --cached {names}")
    else:
        yield ok("git leaves the database alone")
    for name in (CONFIGURATION, RENDERED_FILES):
        path = case.folder / name
        if path.exists() and f"{STATE_FOLDER}/{name}" not in tracked:
            what = "others work with other settings" if name == CONFIGURATION else "others cannot render"
            yield warning(
                "not-committed",
                f"{STATE_FOLDER}/{name} is not in git: {what}",
                f"git add --force {STATE_FOLDER}/{name}",
            )


def configuration(case: Case) -> Iterator[Said]:
    """Find every setting that cannot be used, not only the first."""
    if case.folder is None:
        return
    file = case.folder / CONFIGURATION
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        Settings.model_validate(raw)
    except (FileNotFoundError, NotADirectoryError):
        return
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False, include_context=False):
            yield _setting(file, one)
        return
    except (OSError, ValueError) as error:
        yield problem(
            "config-invalid", f"{file} cannot be read as TOML: {error}", f'"${{EDITOR:-vi}}" {_quoted(file)}'
        )
        return
    yield ok(f"{file.name} is valid")


def _setting(file: Path, error: ErrorDetails) -> Said:
    where = ".".join(map(str, error["loc"]))
    edit = f'"${{EDITOR:-vi}}" {_quoted(file)}'
    if error["type"] != "extra_forbidden":
        return problem("config-invalid", f"{file}: {where}: {error['msg']}", edit)
    *section, name = map(str, error["loc"])
    meant = hint(name, _known(section))
    return problem("config-unknown-key", f"{file}: no setting {where[:120]}. {meant}".rstrip(), edit)


def _known(section: list[str]) -> list[str]:
    """Return the settings that a section may have."""
    model: type[BaseModel] = Settings
    for name in section:
        found = model.model_fields.get(name)
        annotation = found.annotation if found else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def shared_database(case: Case) -> Iterator[Said]:
    """Find a shared database that is named by half."""
    if case.url and not is_url(case.url):
        # Not quoted: it may be a connection string with a password.
        yield problem("database-misconfigured", "VETTLE_DATABASE_URL is no URL", "unset VETTLE_DATABASE_URL")
    elif case.url and not case.name and case.root:
        yield problem(
            "database-misconfigured",
            "a shared database is configured, and nothing names this project in it",
            f"export VETTLE_DATABASE_PROJECT={shlex.quote(case.root.name)}",
        )


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
