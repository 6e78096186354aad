"""A best configuration as JSON, in ASCII.

JSON has no NaN and no infinities. They are spelled {"$number": "NaN"}, "Infinity" or "-Infinity"; an object that
looks like such a spelling has one more "$" in front of its key.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from vettle.engine.exchange.formats import payload
from vettle.engine.records.exports import BestConfiguration

_KEY = "$number"
_LOOKS_LIKE_IT = re.compile(r"\$+number")


def render(best: BestConfiguration) -> str:
    """Return the whole record as JSON; the configuration is under "config"."""
    return dumps(payload(best), indent=2) + "\n"


def parse(text: str) -> dict[str, Any]:
    """Return the configuration of a rendered text, exactly as it was."""
    return dict(loads(text)["config"])


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Return one value as standard JSON in ASCII, numbers that JSON does not have in their spelling."""
    return json.dumps(_spelled(value), indent=indent, allow_nan=False)


def loads(text: str) -> Any:
    """Return the value that `dumps` wrote."""
    return json.loads(text, object_hook=_read)


def spelled_number(value: float) -> str:
    """Return how a number that is not finite is called."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _spelled(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {_KEY: spelled_number(value)}
    if isinstance(value, dict):
        return {_shifted(value, name): _spelled(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_spelled(item) for item in value]
    return value


def _shifted(value: dict[str, Any], name: str) -> str:
    return f"${name}" if len(value) == 1 and _LOOKS_LIKE_IT.fullmatch(name) else name


def _read(value: dict[str, Any]) -> Any:
    if len(value) != 1:
        return value
    [(name, item)] = value.items()
    if name == _KEY:
        try:
            return float(item)
        except (TypeError, ValueError):
            return value
    return {name[1:]: item} if _LOOKS_LIKE_IT.fullmatch(name) else value
