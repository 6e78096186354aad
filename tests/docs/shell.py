"""Runs the commands of a page in a temporary repository: vettle in this process where that is possible."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import click
from click.testing import CliRunner

from vettle.server.cli import cli, main

PROGRAMS = ("cat", "cp", "echo", "git", "mkdir", "printf", "rm", "touch")
"""What a page may use besides vettle."""

_APART = ("serve", "hook")
"""Commands that take their process for themselves: a server reads its input to the end, a hook leaves at once."""

_SETTINGS = {"VETTLE_PROJECT", "VETTLE_DATABASE_URL", "VETTLE_DATABASE_PROJECT", "VETTLE_TOOLSETS"}
_SETTINGS |= {
    "APPDATA",
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    "XDG_CONFIG_HOME",
    "CLAUDE_PROJECT_DIR",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "VETTLE_OPENAI_MODEL",
}
_NAMES = {
    "RULE": (("rules", "--limit", "1", "--json"), ("rules",), "id"),
    "SESSION": (("sessions", "--json"), ("sessions", "sessions"), "session_id"),
    "EXPERIMENT": (("experiments", "--json"), ("experiments",), "id"),
}


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed on both streams."""

    code: int
    output: str


def statements(text: str) -> Iterator[str]:
    """Yield the commands of a block, each with the lines that a backslash, a quotation or a here-document adds."""
    lines = iter(text.splitlines())
    for line in lines:
        statement = line
        while statement.endswith("\\"):
            statement = statement[:-1] + next(lines)
        while is_vettle(statement) and not _is_whole(statement):
            statement += f"\n{next(lines)}"
        document = re.search(r"<<\s*'?(\w+)'?$", statement)
        if document:
            for inside in lines:
                statement += f"\n{inside}"
                if inside == document[1]:
                    break
        if statement.strip() and not statement.lstrip().startswith("#"):
            yield statement


def _is_whole(statement: str) -> bool:
    """Tell whether every quotation mark has its other one."""
    try:
        shlex.split(statement, comments=True)
    except ValueError:
        return False
    return True


def _redirected(words: list[str], mark: str) -> tuple[list[str], str]:
    """Take the file behind a redirection out of the words; "" if there is none."""
    if mark not in words:
        return words, ""
    where = words.index(mark)
    return [*words[:where], *words[where + 2 :]], words[where + 1]


def is_vettle(statement: str) -> bool:
    """Tell whether a statement is a command of vettle's."""
    return statement.startswith("vettle ") or statement == "vettle"


def check_usage(statement: str) -> None:
    """Fail if a command, an option or a choice of this statement does not exist (click.UsageError).

    What follows a pipe or a redirection is not looked at.
    """
    words = shlex.split(statement, comments=True)
    end = min((words.index(mark) for mark in ("|", ">", "<") if mark in words), default=len(words))
    command: click.Command = cli
    with click.Context(cli, info_name="vettle") as context:
        arguments = words[1:end]
        while isinstance(command, click.Group) and arguments:
            known = command.get_command(context, arguments[0])
            if known is None:
                raise click.UsageError(f"{statement!r}: no command {arguments[0]!r}")
            command, arguments = known, arguments[1:]
        if "--help" not in arguments:
            command.make_context("vettle", list(arguments), parent=context).close()


@dataclass
class Shell:
    """A repository with a home directory of its own, and whoever types there."""

    folder: Path
    home: Path
    environment: dict[str, str | None]
    last: int = 0

    @classmethod
    def new(cls, place: Path) -> Shell:
        """Make an empty repository."""
        shell = cls.at(place)
        shell.folder.mkdir(parents=True)
        shell.home.mkdir()
        shell.run("git init --quiet")
        return shell

    @classmethod
    def at(cls, place: Path) -> Shell:
        """Return to a repository that was made there; no setting of the real user reaches it."""
        home = place / "home"
        return cls(place / "repository", home, {**dict.fromkeys(_SETTINGS), "HOME": str(home)})

    def run(self, statement: str) -> Ran:
        """Run one statement; AssertionError if no page may use its program."""
        ran = self._vettle(statement) if is_vettle(statement) else self._other(statement)
        self.last = ran.code
        return ran

    def _other(self, statement: str) -> Ran:
        program = statement.split()[0]
        assert program in PROGRAMS, (
            f"{program}: not vettle, and none of {PROGRAMS}; say <!-- not run: WHY -->"
        )
        done = subprocess.run(
            ["bash", "-c", statement],
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    def _vettle(self, statement: str) -> Ran:
        words = [self._named(word) for word in shlex.split(statement, comments=True)[1:]]
        words, target = _redirected(words, ">")
        words, source = _redirected(words, "<")
        given = (self.folder / source).read_bytes() if source else b""
        run = self._apart if words[0] in _APART else self._here
        code, printed, said = run(words, given)
        if target:
            file = self.folder / target.replace("~", str(self.home))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(printed)
        return Ran(code, (printed + said).decode())

    def _here(self, words: list[str], given: bytes) -> tuple[int, bytes, bytes]:
        """Run a command in this process; return how it ended and what it printed on stdout and on stderr."""
        code: object = 0
        with (
            chdir(self.folder),
            CliRunner().isolation(input=given, env=self.environment) as (printed, said, _),
            patch.object(sys, "argv", ["vettle", *words]),
        ):
            try:
                main()
            except SystemExit as ending:
                code = ending.code
            sys.stdout.flush()
            sys.stderr.flush()
            return int(str(code or 0)), printed.getvalue(), said.getvalue()

    def _apart(self, words: list[str], given: bytes) -> tuple[int, bytes, bytes]:
        """Run a command in a process of its own."""
        words = [str(self.folder) if word == "/path/to/repository" else word for word in words]
        environment = {name: value for name, value in self.environment.items() if value is not None}
        done = subprocess.run(
            [sys.executable, "-m", "vettle", *words],
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", **environment},
            input=given,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def _named(self, word: str) -> str:
        """Return the newest id for a word that stands for one, and how the last command ended for `$?`."""
        if word not in _NAMES:
            return str(self.last) if word == "$?" else word
        words, path, key = _NAMES[word]
        with chdir(self.folder):
            found = json.loads(CliRunner().invoke(cli, list(words), env=self.environment).stdout)
        for part in path:
            found = found[part]
        return str(found[0][key])
