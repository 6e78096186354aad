"""What a renderer answers: the text of a file vettle owns, or of its block in a file the user owns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vettle.engine.records import Target
from vettle.renderers.budget import Line

Kind = Literal["file", "block"]


@dataclass(frozen=True, slots=True)
class Document:
    """Text for one path, relative to the project root: a whole `file`, or the body of a `block`."""

    path: str
    target: Target
    kind: Kind
    text: str
    rules: tuple[str, ...]


def managed_block(path: str, target: Target, lines: Sequence[Line]) -> list[Document]:
    """Return the block with the always-on rules, or nothing when there are none."""
    if not lines:
        return []
    return [Document(path, target, "block", f"## Learned rules\n\n{_bullets(lines)}", _ids(lines))]


def whole_file(
    path: str, target: Target, frontmatter: Sequence[str], lines: Sequence[Line], subject: str = ""
) -> Document:
    """Return a file of vettle's own; `subject` says which files the rules are about."""
    header = "\n".join(("---", *frontmatter, "---"))
    title = f"# Learned rules: {subject}" if subject else "# Learned rules"
    return Document(path, target, "file", f"{header}\n\n{title}\n\n{_bullets(lines)}", _ids(lines))


def _bullets(lines: Sequence[Line]) -> str:
    return "".join(f"- {line.text}\n" for line in lines)


def _ids(lines: Sequence[Line]) -> tuple[str, ...]:
    return tuple(line.rule_id for line in lines)
