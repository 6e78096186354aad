"""The formats that a best configuration is written in: one module each, a function from the record to text.

What a format cannot say by itself has one spelling, which the `parse` of its module reads back exactly.
"""

from __future__ import annotations

from typing import Any

from vettle.engine.records.exports import BestConfiguration

MARK = "Exported by vettle"
"""What every exported file says near its beginning, so that only such a file is ever replaced."""


def payload(best: BestConfiguration) -> dict[str, Any]:
    """Return the record as plain values, with the mark in front."""
    return {"about": f"{MARK}. {best.answer}", **best.model_dump()}
