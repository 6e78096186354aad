"""Words that errors, answers and commands share."""

from __future__ import annotations

from collections.abc import Sequence


def some(values: Sequence[str], limit: int = 5) -> str:
    """Name the first few values, and how many more there are."""
    shown = ", ".join(values[:limit])
    return shown + (f" and {len(values) - limit} more" if len(values) > limit else "")
