"""What a client's configuration means on this machine: variables replaced, the command found, the project told."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vettle.server.clients.connections import Connection
from vettle.server.clients.entries import installed
from vettle.server.doctor.case import Case

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_HARMLESS = frozenset({"VETTLE_PROJECT", "VETTLE_TOOLSETS"})
_PROGRAMS = frozenset({"vettle", "vettle.exe"})


@dataclass(frozen=True)
class Launch:
    """One command that starts a server, with what is added to the environment, and the clients that use it.

    `shown` is how a person would type it; what the environment says is left out of it, because it may be secret.
    """

    command: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    titles: tuple[str, ...]
    shown: str

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two commands the same."""
        return self.command, self.arguments, self.environment


def own(root: Path) -> Launch:
    """Return the command of this installation, for a project that no client is connected to."""
    command, *arguments = installed()
    given = (*arguments, "serve", "--project", str(root))
    return Launch(command, given, (), ("this installation",), shlex.join([command, *given]))


def launch(connection: Connection, case: Case, root: Path) -> Launch:
    """Return what the client would start in this project."""
    folders = _folders(case, root)
    named = {**case.environment, **folders}
    typed = [connection.command, *connection.args]
    return Launch(
        program(connection, case, root) or expanded(connection.command, named),
        tuple(expanded(argument, named) for argument in connection.args),
        tuple(sorted((name, expanded(value, named)) for name, value in connection.env.items())),
        (connection.title,),
        shlex.join(expanded(word, folders) for word in typed),
    )


def program(connection: Connection, case: Case, root: Path) -> str:
    """Return the path of the command as the client finds it, "" if there is none."""
    command = expanded(connection.command, {**case.environment, **_folders(case, root)})
    if os.path.dirname(command):  # noqa: PTH120 - a bare name is looked up on the PATH, also one with dots
        found = root / command
        return str(found) if found.is_file() else ""
    return shutil.which(command, path=case.environment.get("PATH", "")) or ""


def project_of(found: Launch, root: Path) -> Path:
    """Return the project that a server started so serves: what its arguments or its environment name."""
    arguments = found.arguments
    for index, argument in enumerate(arguments):
        if argument == "--project" and index + 1 < len(arguments):
            return (root / arguments[index + 1]).resolve()
        if argument.startswith("--project="):
            return (root / argument.partition("=")[2]).resolve()
    named = dict(found.environment).get("VETTLE_PROJECT", "")
    return (root / named).resolve()


def is_ours(found: Launch) -> bool:
    """Tell whether it starts this very installation."""
    ours = installed()
    return os.path.realpath(found.command) == os.path.realpath(ours[0]) and (
        len(ours) == 1 or found.arguments[: len(ours) - 1] == ours[1:]
    )


def may_start(connection: Connection, found: Launch, case: Case, root: Path) -> bool:
    """Tell whether starting it runs nothing that only the repository wants.

    A person's own configuration is theirs. A file of the repository came with it, perhaps from a stranger, and so did
    one that a folder of it links to: what it names is started only if it is `vettle serve`, from outside the
    repository or from this installation, and told nothing that changes what runs.
    """
    repository = _repository(case, root)
    if not any(file.is_relative_to(repository) for file in (connection.file, connection.file.resolve())):
        return True
    if not {name for name, _ in found.environment} <= _HARMLESS:
        return False
    ours = is_ours(found)
    own_arguments = found.arguments[len(installed()) - 1 :] if ours else found.arguments
    if own_arguments[:1] != ("serve",):
        return False
    real = Path(os.path.realpath(found.command))
    is_vettle = Path(found.command).name.lower() in _PROGRAMS
    return ours or (is_vettle and not real.is_relative_to(repository))


def _repository(case: Case, root: Path) -> Path:
    """Return the outermost repository that the project is part of, as all of it came along.

    One that holds the whole home folder does not count.
    """
    here, home = root.resolve(), case.home.resolve()
    around = [folder for folder in (here, *here.parents) if not home.is_relative_to(folder)]
    return next((folder for folder in reversed(around) if (folder / ".git").exists()), here)


def expanded(text: str, named: Mapping[str, str]) -> str:
    """Return the text with ${NAME}, ${NAME:-default} and ${env:NAME} replaced; unknown ones without default stay."""

    def value(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(":-")
        found = named.get(name.removeprefix("env:"), "")
        return found or default or match[0]

    return _VARIABLE.sub(value, text)


def _folders(case: Case, root: Path) -> dict[str, str]:
    """Return what clients themselves put in the place of their variables."""
    return {
        "CLAUDE_PROJECT_DIR": str(root),
        "workspaceFolder": str(root),
        "workspaceFolderBasename": root.name,
        "userHome": str(case.home),
        "pathSeparator": "\\" if sys.platform == "win32" else "/",
    }
