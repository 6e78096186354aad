"""Windsurf, now Devin Desktop: `.devin/rules/` where that folder is in use, else `.windsurf/rules/`."""

from __future__ import annotations

from vettle.renderers.documents import Document, whole_file
from vettle.renderers.sheet import Group, Sheet


def documents(sheet: Sheet, *, devin: bool = False) -> list[Document]:
    """Write the sheet for Windsurf; `devin` says that the repository has a `.devin/` folder."""
    folder = ".devin/rules" if devin else ".windsurf/rules"
    scoped = [_scoped(folder, group) for group in sheet.scoped]
    return [_always(folder, sheet), *scoped] if sheet.always else scoped


def _always(folder: str, sheet: Sheet) -> Document:
    return whole_file(f"{folder}/vettle.md", "windsurf", ["trigger: always_on"], sheet.always)


def _scoped(folder: str, group: Group) -> Document:
    """Write the globs as a list: the one form that both hosts read."""
    frontmatter = ["trigger: glob", "globs:", *(f'  - "{glob}"' for glob in group.globs)]
    return whole_file(f"{folder}/vettle-{group.slug}.md", "windsurf", frontmatter, group.lines, group.slug)
