"""Cursor: `.cursor/rules/*.mdc`, whose frontmatter looks like YAML and is not."""

from __future__ import annotations

from vettle.renderers.documents import Document, always_file, whole_file
from vettle.renderers.globs import witness
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import Group, Sheet

ALWAYS_PATH = ".cursor/rules/vettle.mdc"


def always(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write the always-on rules."""
    frontmatter = ["description: Rules learned by vettle", "alwaysApply: true"]
    return always_file(ALWAYS_PATH, "cursor", frontmatter, sheet.always)


def scoped(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write one file per set of paths."""
    return [_scoped(group) for group in sheet.scoped]


def _scoped(group: Group) -> Document:
    """Write the globs bare and comma-joined: the only form that every generation of Cursor reads.

    Canonical patterns start with `*`, which is no valid start of a bare YAML value, so a witness leads.
    """
    frontmatter = [
        f"description: Rules learned by vettle for {group.slug} files",
        f"globs: {','.join((witness(group.globs[0]), *group.globs))}",
        "alwaysApply: false",
    ]
    return whole_file(f".cursor/rules/vettle-{group.slug}.mdc", "cursor", frontmatter, group)
