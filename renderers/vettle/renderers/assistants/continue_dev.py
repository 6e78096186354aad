"""Continue: `.continue/rules/`, where frontmatter that does not parse makes a rule always-on."""

from __future__ import annotations

from vettle.renderers.documents import Document, always_file, whole_file
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import Group, Sheet

ALWAYS_PATH = ".continue/rules/vettle.md"


def always(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write the always-on rules."""
    return always_file(ALWAYS_PATH, "continue", ['name: "vettle"', "alwaysApply: true"], sheet.always)


def scoped(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write one file per set of paths."""
    return [_scoped(group) for group in sheet.scoped]


def _scoped(group: Group) -> Document:
    """Write the globs as a list, because a comma-joined string is one pattern that never matches."""
    frontmatter = [
        f'name: "vettle-{group.slug}"',
        f'description: "Rules learned by vettle for {group.slug} files"',
        "globs:",
        *(f'  - "{glob}"' for glob in group.globs),
    ]
    return whole_file(f".continue/rules/vettle-{group.slug}.md", "continue", frontmatter, group)
