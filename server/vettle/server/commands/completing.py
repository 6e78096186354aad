"""Completion in the shell: the script that sets it up, and the names that it offers.

click asks the commands; this module knows the names that are in the project. Looking them up creates nothing,
waits for nobody, and is silent whatever is wrong: a shell that complains at every key is worse than none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import click
from click.shell_completion import CompletionItem, get_completion_class

Kind = Literal["rule", "session", "experiment", "context"]
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

COMPLETING = "_VETTLE_COMPLETE"
"""The variable by which a shell asks click for candidates; it is made of the program's name."""

_PLAIN = re.compile(r"[\w.:/@+-]+")
_MOST = 100

_OPTIONS: dict[str, tuple[Kind, ...]] = {
    "--candidate": ("rule",),
    "--context": ("context",),
    "--corrected-by-rule": ("rule",),
    "--experiment": ("experiment",),
    "--rules-active": ("rule",),
    "--session": ("session",),
    "--session-id": ("session",),
}
"""What an option takes, whatever the command."""

_FIRST: dict[tuple[str, ...], tuple[Kind, ...]] = {
    ("experiment", "calibrate"): ("experiment",),
    ("experiment", "decide"): ("experiment",),
    ("experiment", "record"): ("experiment",),
    ("experiment", "results"): ("experiment",),
    ("experiment", "select"): ("experiment",),
    ("explain",): ("rule", "experiment", "session"),
    ("export", "best"): ("experiment",),
    ("rule", "decide"): ("rule",),
}
"""What the first argument of a command is."""


@click.command(short_help="Print the script that makes the shell complete.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="SHELL")
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Example: vettle completion bash.

    Print the script that makes the shell complete commands, options, and the ids and names of the project that you
    are in. Put it into ~/.local/share/bash-completion/completions/vettle (bash), into a file _vettle in a folder of
    $fpath (zsh), or into ~/.config/fish/completions/vettle.fish (fish).
    """
    of_shell = get_completion_class(shell)
    assert of_shell is not None
    made = of_shell(context.find_root().command, {}, "vettle", COMPLETING)
    click.echo((made.source_template % made.source_vars()).encode(), nl=False)


def at_once(program: click.Command) -> str | None:
    """Return the answer to a shell that asks for names of the project; None where the command itself has to be asked.

    Asking a command means importing it, with all types of its arguments, which takes longer than the looking up.
    """
    shell, _, instruction = os.environ.get(COMPLETING, "").partition("_")
    of_shell = get_completion_class(shell)
    if of_shell is None or instruction != "complete":
        return None
    asked = of_shell(program, {}, "vettle", COMPLETING)
    words, incomplete = asked.get_completion_args()
    project, words = _project(words)
    kinds = _FIRST.get(tuple(words)) or (_OPTIONS.get(words[-1]) if len(words) > 1 else None)
    if kinds is None or incomplete[:1] in ("-", "="):
        return None
    found = [name for kind in kinds for name in _names(project, kind, incomplete)]
    return "\n".join(asked.format_completion(CompletionItem(name)) for name in found)


def _project(words: list[str]) -> tuple[str, list[str]]:
    """Return which project is named before the command, and the words without that."""
    if words[:1] == ["--project"]:
        return "".join(words[1:2]), words[2:]
    if words and words[0].startswith("--project="):
        return words[0].partition("=")[2], words[1:]
    return "", words


def known(*kinds: Kind) -> Completer:
    """Return what completes a parameter with names of these kinds that the project holds."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        project = str(context.find_root().params.get("project") or "")
        found = [name for kind in kinds for name in _names(project, kind, incomplete)]
        return [CompletionItem(name) for name in found]

    return complete


def completes_targets(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the assistants that rule files are rendered for."""
    from vettle.engine.records import Target

    return [CompletionItem(name) for name in ("auto", *get_args(Target)) if name.startswith(incomplete)]


def of_argument(name: str) -> Completer | None:
    """Return what completes the argument of a tool that has this name, if it is one of a known kind."""
    kind = _ARGUMENTS.get(name)
    return known(kind) if kind else None


_ARGUMENTS: dict[str, Kind] = {
    "rule_id": "rule",
    "candidates": "rule",
    "corrected_by_rule": "rule",
    "rules_active": "rule",
    "session_id": "session",
    "experiment": "experiment",
    "context": "context",
}


def _names(project: str, kind: Kind, incomplete: str) -> list[str]:
    from vettle.engine.root import STATE_FOLDER, find_root

    try:
        root = find_root(project)
        database = root / STATE_FOLDER / "vettle.db"
        return [name for name in _stored(database, kind, incomplete) if _PLAIN.fullmatch(name)]
    except Exception:  # noqa: BLE001 - whatever it is, the shell must go on
        return []


def _stored(database: Path, kind: Kind, incomplete: str) -> list[str]:
    # A shared database is not asked: the network may take longer than anybody waits for a key.
    if not database.is_file():
        return []
    from vettle.engine.store.sqlite.names import beginning_with

    return beginning_with(database, kind, incomplete, limit=_MOST)
