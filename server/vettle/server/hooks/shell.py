"""What a line of shell runs: its simple commands, without what only wraps them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath

from vettle.server.hooks.names import names

_WRAPPERS = names("env time sudo nice exec npx bunx uvx nohup stdbuf xvfb-run timeout")
_RUNNERS = names("uv poetry pipenv pdm hatch rye pnpm npm bundle")
_ASSIGNMENT = re.compile(r"\w+=.*")
_PYTHON = re.compile(r"python[\d.]*|py")
_DURATION = re.compile(r"[\d.]+[smhd]?")


@dataclass(frozen=True)
class Command:
    """One simple command: its words, and the operator after it ("" at the end)."""

    words: tuple[str, ...]
    then: str

    @property
    def program(self) -> str:
        """The name of what runs."""
        return self.words[0]


def commands(line: str) -> list[Command]:
    """Return the simple commands of a line of shell in order; of one that cannot be read, its words as one command."""
    lexer = shlex.shlex(line.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:
        # A quote that does not end, for instance because the line was cut.
        words = line.split()
    found: list[Command] = []
    command: list[str] = []
    for word in [*words, ""]:
        if word and not set(word) <= set("&|;()"):
            command.append(word)
            continue
        plain = _unwrapped(command)
        if plain:
            found.append(Command(tuple(plain), word))
        command = []
    return found


def _unwrapped(words: list[str]) -> list[str]:
    """Return a simple command without assignments, wrappers such as `uv run` and `python -m`, and its folder."""
    words = list(words)
    while words:
        name = PurePosixPath(words[0]).name
        if _ASSIGNMENT.fullmatch(words[0]):
            words = words[1:]
        elif name in _WRAPPERS:
            words = _without_options(words[1:])
            if name == "timeout" and words and _DURATION.fullmatch(words[0]):
                words = words[1:]
        elif name in _RUNNERS and words[1:2] and words[1] in ("run", "exec", "dlx") and not _is_script(words):
            words = _without_options(words[2:])
        elif _PYTHON.fullmatch(name) and "-m" in words[1:3]:
            words = words[words.index("-m") + 1 :]
        else:
            return [name, *words[1:]]
    return words


def _is_script(words: list[str]) -> bool:
    """Tell whether a package manager of JavaScript runs a script of the package, which is no program."""
    return words[0] in ("npm", "pnpm") and words[1] == "run"


def _without_options(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        words = words[1:]
    return words
