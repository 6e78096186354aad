"""Claude Code: a block in CLAUDE.md, and `.claude/rules/` for rules about some paths."""

from __future__ import annotations

from vettle.renderers.documents import Document, managed_block, whole_file
from vettle.renderers.sheet import Group, Sheet

BLOCK_PATH = "CLAUDE.md"


def documents(sheet: Sheet) -> list[Document]:
    """Write the sheet for Claude Code, which reads only `paths` and ignores every other key."""
    return [*managed_block(BLOCK_PATH, "claude", sheet.always), *map(_scoped, sheet.scoped)]


def _scoped(group: Group) -> Document:
    frontmatter = ["paths:", *(f'  - "{glob}"' for glob in group.globs)]
    return whole_file(f".claude/rules/vettle-{group.slug}.md", "claude", frontmatter, group.lines, group.slug)
