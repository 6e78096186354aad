"""Rows of other systems, checked one by one: what cannot be taken is left out, with the reason.

The names, identifiers and rules of a row have to be what our own calls take. Free text is fitted instead: what is
secret is replaced, control characters become spaces, and what is longer than ours may be is cut, with a mark.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from vettle.engine import quarantine
from vettle.engine.arguments import Label
from vettle.engine.exchange import reading as files
from vettle.engine.exchange.facts import Place, Reading

CUT = " [...]"
"""What stands at the end of a text that was cut."""


class Row(BaseModel):
    """A row of another system; columns that we have no use for are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


AnyRow = TypeVar("AnyRow", bound=Row)


def checked(
    reading: Reading, model: type[AnyRow], place: Place, row: dict[str, Any], label: str = ""
) -> AnyRow | None:
    """Return the row as a model of it, or None, and leave it out of the reading with the reason.

    `label` tells the row from others of the same place.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        parts = (label, ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, "))
        reading.skip(place, ": ".join(part for part in parts if part))
        return None


def nothing(value: object) -> object:
    """Return "" for null, and anything else as it is."""
    return "" if value is None else value


def _time(value: object) -> int:
    when = files.microseconds(value)
    if not when:
        raise ValueError("it is no time after 1970")
    return when


def _fitted(limit: int) -> BeforeValidator:
    def fit(value: object) -> object:
        if not isinstance(value, str):
            return nothing(value)
        plain = "".join(
            " " if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" else c for c in value
        )
        text = quarantine.redact(plain).strip()
        return text if len(text) <= limit else text[: limit - len(CUT)] + CUT

    return BeforeValidator(fit)


OptionalLabel = Annotated[Label, BeforeValidator(nothing)]
"""A short name on one line; null is none."""

Time = Annotated[int, BeforeValidator(_time)]
"""A time as microseconds since 1970, which has to be there."""

FreeTask = Annotated[str, _fitted(2_000)]
FreeText = Annotated[str, _fitted(4_000)]
RequiredFreeText = Annotated[str, Field(min_length=1), _fitted(4_000)]

Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
"""A number in [0, 1]; text that looks like one is none."""
