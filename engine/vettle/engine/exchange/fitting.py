"""Making names, settings and numbers of other systems fit ours: bounded, valid JSON, and without secrets.

`checking` has the types of columns with free text; here is what names and values without a fixed shape become.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue

from vettle.engine.clock import moment
from vettle.engine.exchange.checking import CUT
from vettle.engine.exchange.facts import Place, Reading
from vettle.engine.experiments.design import CONFIG_CHARACTERS
from vettle.engine.identifiers import canonical_json, digest
from vettle.engine.policies.options import LARGEST
from vettle.engine.quarantine import redact, redact_named

LABEL_CHARACTERS = 120
TEXT_CHARACTERS = 4_000
SAID_CHARACTERS = 400
MOST_METRICS = 50
MOST_DIMENSIONS = 20
_DEEPEST = 15
_MOST_BITS = 1_024


def label(value: object, limit: int = LABEL_CHARACTERS) -> str:
    """Return anything as one line; what is too long ends in a hash, so that two names stay two."""
    text = " ".join(_visible("" if value is None else str(value), "").split())
    if len(text) <= limit:
        return text
    return f"{text[: limit - 13].rstrip()} {digest(text).hex()[:12]}"


def paragraphs(value: object, limit: int = TEXT_CHARACTERS) -> str:
    """Return anything as text of several lines; what is too long is cut, with a mark."""
    text = _visible("" if value is None else str(value), "\n\t").strip()
    return text if len(text) <= limit else text[: limit - len(CUT)] + CUT


def _visible(text: str, kept: str) -> str:
    plain = "".join(
        " " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in kept else c for c in text
    )
    return redact(plain)


def number(value: object) -> float | None:
    """Return a finite number, None for anything else: text, true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # A comparison first: Python has no float for whole numbers of hundreds of digits.
    return float(value) if -LARGEST <= value <= LARGEST else None


def amount(value: object, largest: float = 1e12) -> float:
    """Return a number from 0 to the largest, 0 for anything else."""
    found = number(value)
    return found if found is not None and 0 <= found <= largest else 0.0


def metrics(reading: Reading, place: Place, values: Mapping[str, object]) -> dict[str, float | None]:
    """Return the metrics that can be taken, None where nothing was measured; the others are left out with why."""
    found: dict[str, float | None] = {}
    for name, value in values.items():
        known, fitted = number(value), label(name)
        if value is not None and known is None:
            reading.skip(place, f"metric {fitted!r} is {label(value, 40)!r}, which is not a finite number")
        elif not fitted:
            reading.skip(place, "a metric has no name")
        elif fitted not in found and len(found) == MOST_METRICS:
            reading.skip(place, f"metric {fitted!r} is one more than the {MOST_METRICS} that a run can have")
        else:
            found[fitted] = known
    return found


def dimensions(values: Mapping[str, object]) -> dict[str, str | float]:
    """Return what results can be broken down by: numbers and short text; other values as JSON."""
    found: dict[str, str | float] = {}
    for name, value in list(values.items())[:MOST_DIMENSIONS]:
        known = number(value)
        if fitted := label(name):
            plain = value if isinstance(value, str) else canonical_json(json_value(value))
            found[fitted] = label(plain) if known is None else known
    return found


def settings(values: Mapping[str, object]) -> dict[str, JsonValue]:
    """Return a configuration as it can be kept; one that is too large is represented by its hash."""
    found = {_visible(name, "\n\t"): _named(name, json_value(value)) for name, value in values.items()}
    spelled = canonical_json(found)
    return found if len(spelled) <= CONFIG_CHARACTERS else {"sha256": digest(spelled).hex()}


def json_value(value: object, depth: int = 1) -> JsonValue:
    """Return a value as JSON can say it: NaN, infinity, huge whole numbers and what is nested deeply become text."""
    match value:
        case None | bool():
            return value
        case str():
            return _visible(value, "\n\r\t")
        case int() if value.bit_length() < _MOST_BITS:
            return value
        case int():
            return hex(value)
        case float():
            return value if math.isfinite(value) else repr(value)
        case list() | dict() if depth > _DEEPEST:
            return f"nested more than {_DEEPEST} deep"
        case list():
            return [json_value(one, depth + 1) for one in value]
        case dict():
            return {
                _visible(str(name), "\n\t"): _named(str(name), json_value(one, depth + 1))
                for name, one in value.items()
            }
    return str(value)


def _named(name: str, value: JsonValue) -> JsonValue:
    """Replace a value, or the texts of a list, whose name says that it is a secret."""
    if isinstance(value, list):
        return [_named(name, one) for one in value]
    return redact_named(name, value) if isinstance(value, str) else value


def iso(when: int) -> str:
    """Return microseconds since 1970 as ISO 8601 in UTC, "" for none."""
    return moment(when).isoformat() if when else ""


def _label(value: object) -> object:
    return label(value) if value is None or isinstance(value, (str, int, float)) else value


def _mapping(value: object) -> object:
    return {} if value is None else value


Name = Annotated[str, BeforeValidator(_label)]
"""A column that holds a name, fitted by `label`; null is none."""

RequiredName = Annotated[str, BeforeValidator(_label), Field(min_length=1)]

Values = Annotated[dict[str, Any], BeforeValidator(_mapping)]
"""A column that holds an object; null is an empty one."""
