"""Gemini CLI: a block in GEMINI.md, and nothing for some paths only."""

from __future__ import annotations

from vettle.renderers.documents import Document, managed_block
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import Sheet

BLOCK_PATH = "GEMINI.md"


def always(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write the always-on rules."""
    return managed_block(BLOCK_PATH, "gemini", sheet.always)
