"""Tables of names: of programs, words and tools."""

from __future__ import annotations


def names(text: str) -> frozenset[str]:
    """Return the names in a text, which reads better than a column of them."""
    return frozenset(text.split())
