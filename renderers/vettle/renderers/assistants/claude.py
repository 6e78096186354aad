"""Claude Code: a block in CLAUDE.md (or a rule file beside AGENTS.md), and `.claude/rules/` for rules about some paths."""

from __future__ import annotations

from vettle.renderers.documents import Document, always_file, managed_block, whole_file
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import Group, Sheet

BLOCK_PATHS = ("CLAUDE.md", ".claude/CLAUDE.md")
RULES_PATH = ".claude/rules/vettle.md"


def place(repository: Repository) -> str:
    """Return the file for the always-on rules: the CLAUDE.md that is there, or a new one.

    Where there is none but an AGENTS.md, a new CLAUDE.md would switch that off, and importing it there would
    give it to Copilot twice; a file in `.claude/rules/` does neither.
    """
    there = next((path for path in BLOCK_PATHS if path in repository.present), "")
    return there or (RULES_PATH if "AGENTS.md" in repository.present else BLOCK_PATHS[0])


def always(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write the always-on rules."""
    path = place(repository)
    if path == RULES_PATH:
        return always_file(path, "claude", [], sheet.always)
    return managed_block(path, "claude", sheet.always)


def scoped(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write one file per set of paths; Claude Code reads only `paths` and ignores every other key."""
    return [_scoped(group) for group in sheet.scoped]


def _scoped(group: Group) -> Document:
    frontmatter = ["paths:", *(f'  - "{glob}"' for glob in group.globs)]
    return whole_file(f".claude/rules/vettle-{group.slug}.md", "claude", frontmatter, group)
