"""GitHub Copilot: a block in copilot-instructions.md, and `.github/instructions/` for rules about some paths."""

from __future__ import annotations

from vettle.renderers.documents import Document, managed_block, whole_file
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import Group, Sheet

BLOCK_PATH = ".github/copilot-instructions.md"


def always(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write the always-on rules."""
    return managed_block(BLOCK_PATH, "copilot", sheet.always)


def scoped(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write one file per set of paths."""
    return [_scoped(group) for group in sheet.scoped]


def _scoped(group: Group) -> Document:
    """Write `applyTo` as one string: VS Code never applies a file whose `applyTo` is a list."""
    frontmatter = [
        f"description: Rules learned by vettle for {group.slug} files",
        f'applyTo: "{",".join(group.globs)}"',
    ]
    path = f".github/instructions/vettle-{group.slug}.instructions.md"
    return whole_file(path, "copilot", frontmatter, group)
