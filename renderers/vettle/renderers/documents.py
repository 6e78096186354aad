"""What a writer answers: the text of a file vettle owns, or of its block in a file the user owns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vettle.engine.records import Target
from vettle.renderers.budget import Line
from vettle.renderers.naming import Globs
from vettle.renderers.sheet import Group, Sheet

Kind = Literal["file", "block"]

TITLE = "# Learned rules"
BLOCK_TITLE = "## Learned rules"


@dataclass(frozen=True, slots=True)
class Document:
    """Text for one path, relative to the project root: a whole `file`, or the body of a `block`.

    `globs` are the paths that all its rules are about, empty for always-on rules.
    """

    path: str
    target: Target
    kind: Kind
    text: str
    lines: tuple[Line, ...]
    globs: Globs = ()


def managed_block(path: str, target: Target, lines: tuple[Line, ...]) -> list[Document]:
    """Return the block with the always-on rules, or nothing when there are none."""
    if not lines:
        return []
    return [Document(path, target, "block", f"{BLOCK_TITLE}\n\n{_bullets(lines)}", lines)]


def always_file(
    path: str, target: Target, frontmatter: Sequence[str], lines: tuple[Line, ...]
) -> list[Document]:
    """Return a file of vettle's own with the always-on rules, or nothing when there are none."""
    if not lines:
        return []
    header = f"{_header(frontmatter)}\n" if frontmatter else ""
    return [Document(path, target, "file", f"{header}{TITLE}\n\n{_bullets(lines)}", lines)]


def whole_file(path: str, target: Target, frontmatter: Sequence[str], group: Group) -> Document:
    """Return a file of vettle's own with the rules about some paths."""
    text = f"{_header(frontmatter)}\n{TITLE}: {group.slug}\n\n{_bullets(group.lines)}"
    return Document(path, target, "file", text, group.lines, group.globs)


def skill_file(path: str, target: Target, frontmatter: Sequence[str], sheet: Sheet) -> list[Document]:
    """Return one file with every rule of the sheet, or nothing when there are none."""
    lines = (*sheet.always, *(line for group in sheet.scoped for line in group.lines))
    if not lines:
        return []
    parts = [f"{TITLE}\n"]
    if sheet.always:
        parts.append(_bullets(sheet.always))
    for group in sheet.scoped:
        matched = ", ".join(f"`{glob}`" for glob in group.globs)
        parts.append(
            f"## Rules about {group.slug} files\n\nFor files that match {matched}:\n\n{_bullets(group.lines)}"
        )
    text = "\n".join((_header(frontmatter), *parts))
    return [Document(path, target, "file", text, lines)]


def _header(frontmatter: Sequence[str]) -> str:
    return "\n".join(("---", *frontmatter, "---\n"))


def _bullets(lines: Sequence[Line]) -> str:
    return "".join(line.bullet for line in lines)
