"""Continue: `.continue/rules/`, where frontmatter that does not parse makes a rule always-on."""

from __future__ import annotations

from vettle.renderers.documents import Document, whole_file
from vettle.renderers.sheet import Group, Sheet


def documents(sheet: Sheet) -> list[Document]:
    """Write the sheet for Continue."""
    scoped = [_scoped(group) for group in sheet.scoped]
    return [_always(sheet), *scoped] if sheet.always else scoped


def _always(sheet: Sheet) -> Document:
    frontmatter = ['name: "vettle"', "alwaysApply: true"]
    return whole_file(".continue/rules/vettle.md", "continue", frontmatter, sheet.always)


def _scoped(group: Group) -> Document:
    """Write the globs as a list, because a comma-joined string is one pattern that never matches."""
    frontmatter = [
        f'name: "vettle-{group.slug}"',
        f'description: "Rules learned by vettle for {group.slug} files"',
        "globs:",
        *(f'  - "{glob}"' for glob in group.globs),
    ]
    return whole_file(
        f".continue/rules/vettle-{group.slug}.md", "continue", frontmatter, group.lines, group.slug
    )
