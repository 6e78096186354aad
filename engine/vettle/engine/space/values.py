"""JSON values and how they are compared, shown and limited."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import JsonValue

Json: TypeAlias = JsonValue
Configuration: TypeAlias = dict[str, Json]
Method = Literal["unique", "replacement", "latin"]

MOST_DIMENSIONS = 50
MOST_VALUES = 1_000
MOST_CONSTRAINTS = 100
MOST_SAMPLED = 10_000
NAME_CHARACTERS = 120

MOST_TIED = 1_000_000
"""Combinations of the dimensions that constraints tie together, admissible or not: they are listed in memory."""

DEEPEST = 20
"""How deep a value may be nested; text and numbers are 1 deep."""

LATIN_MOVES = 100_000
"""Moves that the search for a Latin hypercube may make in one group of tied dimensions, over all its starts."""

LATIN_MOVES_PER_ROW = 50
"""Moves from one start, for each row; the first start is always given all of them."""

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def plain(value: object, depth: int = 1) -> Json:
    """Copy a JSON value, whole floats as integers; ValueError says what JSON cannot say in it.

    `depth` is 1 for a value, and 0 for an object or a list of values.
    """
    if depth > DEEPEST:
        raise ValueError(f"is nested more than {DEEPEST} deep")
    match value:
        case None:
            return None
        case str():
            if _HALF_PAIR.search(value):
                raise ValueError("has half a surrogate pair, which UTF-8 cannot say")
            return value
        case int() if value.bit_length() <= 1_024:
            return value
        case float() if math.isfinite(value):
            return int(value) if value.is_integer() else value
        case int() | float():
            raise ValueError('is NaN, infinite or beyond 1.8e308; write it as text, such as "NaN"')
        case list() | tuple():
            return [plain(item, depth + 1) for item in value]
        case Mapping() if all(isinstance(key, str) for key in value):
            return {str(plain(key)): plain(item, depth + 1) for key, item in value.items()}
    raise ValueError(f"is not JSON but a {type(value).__name__}, or an object with keys that are not text")


def shown(name: object) -> str:
    """Return a name as a message may show it: quoted, escaped and short."""
    return repr(name[:40] if isinstance(name, str) else type(name).__name__)
