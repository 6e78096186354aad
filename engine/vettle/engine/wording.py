"""Words that errors, answers and commands share."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BEYOND_DOUBT = 10_000

_FAR = 1_000
"""What is estimated is told as a power of ten from here on: nobody knows it better."""

LONG = 2 * 365.0
"""Days beyond which nobody should be told a number."""

NO_COIN = "no coin yet, because a rule is shown whenever it is chosen until it looks promising"
"""Why a rule that sessions were shown was never withheld."""


def shortened(text: str, characters: int) -> str:
    """Return a text that is cut, and says so, beyond this many characters."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def one_line(name: str) -> str:
    """Return a name as one line of at most 60 characters."""
    return shortened(" ".join(name.split()), 60)


def some(values: Sequence[str], limit: int = 5) -> str:
    """Name the first few values, and how many more there are."""
    shown = ", ".join(values[:limit])
    return shown + (f" and {len(values) - limit} more" if len(values) > limit else "")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, "1 rule" or "1,200 rules"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def evidence(e_value: float) -> str:
    """Return an e-value that is finite, or very large: "0.40", "4.1", "23" or "over 10,000".

    It is rounded down, so that no more is claimed than there is: 19.9 is no proof where 20 is.
    """
    if e_value >= _BEYOND_DOUBT:
        return f"over {_BEYOND_DOUBT:,}"
    digits = 0 if e_value >= 10 else 1 if e_value >= 1 else 2
    return f"{math.floor(e_value * 10**digits) / 10**digits:,.{digits}f}"


def equation(e_value: float) -> str:
    """Return an e-value as the field writes it, "E=23", as coarse as `evidence` is."""
    return f"E={evidence(e_value)}" if e_value < _BEYOND_DOUBT else f"E>{_BEYOND_DOUBT:,}"


def estimated(number: int) -> str:
    """Return a number that is believed and not known, as coarsely as it is: "about 710", or "more than 10,000"."""
    if number < _FAR:
        return f"about {round(number, -max(len(str(number)) - 2, 0)):,}"
    return f"more than {10 ** (len(str(number)) - 1):,}"


def until_proof(sessions: int | None, days: float | None) -> str:
    """Say how long it takes until a rule on trial is proven.

    `sessions` are those that are still needed, None where no provable effect is believed; `days` is the time they
    take at the present pace, None where no coin decided about the rule lately.
    """
    if sessions is None:
        return "No date yet: it is not believed to help by an amount that could be proven."
    many = estimated(sessions)
    more = (
        f"{many[0].upper()}{many[1:]} more session{'' if sessions == 1 else 's'} with it "
        f"prove{'s' if sessions == 1 else ''} it, if what is believed now is right"
    )
    if days is None:
        return f"{more}; no date yet, because no coin decided about it lately."
    return f"{more}: {duration(days)} at the present pace."


def duration(days: float) -> str:
    """Return days in the unit a person would use: "about 3 weeks"."""
    if days > LONG:
        return "more than 2 years"
    for unit, length in (("month", 30.4), ("week", 7.0), ("day", 1.0)):
        if days >= 2 * length or unit == "day":
            return f"about {counted(max(round(days / length), 1), unit)}"
    raise AssertionError(days)


def pace(per_day: float) -> str:
    """Return sessions per day, or per week where they are rare."""
    return f"{per_day:.1f} a day" if per_day >= 1 else f"{per_day * 7:.1f} a week"


def fallen(then: float | None, since: str, now: float) -> str:
    """Say what the evidence of a proven rule was when it was proven (None if nobody wrote that down), and is now."""
    was = "enough" if then is None else evidence(then)
    return f"Its evidence was {was} when it was proven on {since}, and is {evidence(now)} now."
