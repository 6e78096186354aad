"""Reading the JSON that columns hold."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json


def parsed(text: str) -> Any:
    """Return the value of a JSON text, however deeply it is nested.

    `from_json` is several times as fast, and refuses what is nested more than 200 deep, which the stages of a run may be.
    """
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)
