"""Windsurf, now Devin Desktop: `.devin/rules/` where that folder is in use, else `.windsurf/rules/`."""

from __future__ import annotations

from vettle.renderers.documents import Document, always_file, whole_file
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import Group, Sheet


def folder(repository: Repository) -> str:
    """Return the folder for the rules.

    Devin falls back to `.windsurf/rules/` only where there is no `.devin/rules/`, so the first file there
    would switch off the rules that the user still keeps in the old folder.
    """
    present = repository.present
    would_hide = ".windsurf/rules" in present and ".devin/rules" not in present
    return ".devin/rules" if ".devin" in present and not would_hide else ".windsurf/rules"


def always_path(repository: Repository) -> str:
    """Return the file of the always-on rules."""
    return f"{folder(repository)}/vettle.md"


def always(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write the always-on rules."""
    return always_file(always_path(repository), "windsurf", ["trigger: always_on"], sheet.always)


def scoped(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write one file per set of paths."""
    return [_scoped(folder(repository), group) for group in sheet.scoped]


def _scoped(folder: str, group: Group) -> Document:
    """Write the globs as a list: the one form that both hosts read."""
    frontmatter = ["trigger: glob", "globs:", *(f'  - "{glob}"' for glob in group.globs)]
    return whole_file(f"{folder}/vettle-{group.slug}.md", "windsurf", frontmatter, group)
