"""Cursor: `.cursor/rules/*.mdc`, whose frontmatter looks like YAML and is not."""

from __future__ import annotations

from vettle.renderers.documents import Document, whole_file
from vettle.renderers.globs import witness
from vettle.renderers.sheet import Group, Sheet


def documents(sheet: Sheet) -> list[Document]:
    """Write the sheet for Cursor."""
    scoped = [_scoped(group) for group in sheet.scoped]
    return [_always(sheet), *scoped] if sheet.always else scoped


def _always(sheet: Sheet) -> Document:
    frontmatter = ["description: Rules learned by vettle", "alwaysApply: true"]
    return whole_file(".cursor/rules/vettle.mdc", "cursor", frontmatter, sheet.always)


def _scoped(group: Group) -> Document:
    """Write the globs bare and comma-joined: the only form that every generation of Cursor reads.

    Canonical patterns start with `*`, which is no valid start of a bare YAML value, so a witness leads.
    """
    frontmatter = [
        f"description: Rules learned by vettle for {group.slug} files",
        f"globs: {','.join((witness(group.globs[0]), *group.globs))}",
        "alwaysApply: false",
    ]
    return whole_file(
        f".cursor/rules/vettle-{group.slug}.mdc", "cursor", frontmatter, group.lines, group.slug
    )
