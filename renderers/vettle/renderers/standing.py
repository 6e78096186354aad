"""What stands against rendering, told without knowing which rules should be rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vettle.engine.records import RenderedFile, Target
from vettle.renderers import lock as lockfile
from vettle.renderers.plan import make
from vettle.renderers.repository import find_file
from vettle.renderers.survey import Request


@dataclass(frozen=True, slots=True)
class Standing:
    """The files that vettle wrote, as they stand.

    `foreign` are those with rules that the database does not know, `refused` the others that rendering would not
    touch. `has_place` says whether anything shows which assistant the rules are for.
    """

    foreign: list[str]
    refused: list[RenderedFile]
    has_place: bool


def standing(root: Path, known: Mapping[str, str]) -> Standing:
    """Look at the files of a project whose database knows these rules, texts by id; raises FilesRefused."""
    request = Request(root.resolve(), (), ("auto",), known=known, check=True)
    plan = make(request)
    foreign = [path for path, entry in plan.written.items() if any(rule not in known for rule in entry.rules)]
    refused = [
        change.file
        for change in plan.changes
        if change.file.action == "refused" and change.file.path not in foreign
    ]
    return Standing(foreign, refused, plan.has_place)


def named(root: Path) -> list[Target]:
    """Return the targets that somebody rendered by name, and whose files are therefore kept; raises FilesRefused."""
    _, data = find_file(root.resolve(), lockfile.PATH, own=True)
    return lockfile.parse(data).named
