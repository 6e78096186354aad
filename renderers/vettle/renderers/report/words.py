"""Numbers, dates and outcomes in words, for people; what is not known is said to be so, NaN included."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise

from pydantic import JsonValue

from vettle.engine import wording
from vettle.engine.effects import CLAIM
from vettle.engine.records.base import ExperimentState
from vettle.engine.records.experiments import ExperimentResults, ExperimentVerdict

UNKNOWN = "–"  # noqa: RUF001
MINUS = "\N{MINUS SIGN}"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LARGEST = 1e15

_OUTCOMES = {
    "better": "A winner",
    "worse": "The control stays",
    "equivalent": "Equivalent: too alike to matter",
    "no_difference": "No difference that the budget can find",
    "insufficient": "Too early to tell",
    "invalid": "No verdict: the data cannot be trusted",
}

_STATES: dict[ExperimentState, str] = {
    "proposed": "proposed",
    "accepted": "accepted, not started",
    "running": "running",
    "paused": "paused",
    "stopped": "stopped",
    "concluded": "concluded",
    "applied": "concluded and applied",
    "abandoned": "abandoned",
}


def known(value: float | None) -> bool:
    """Tell whether there is a number that can be shown or drawn."""
    return value is not None and math.isfinite(value)


def decimal(value: float | None, digits: int = 2) -> str:
    """Return a number with a fixed number of digits, "0.71"."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= _LARGEST:
        return f"{value:.1e}".replace("-", MINUS)
    return f"{value:,.{digits}f}".replace("-", MINUS)


def short(value: float | None) -> str:
    """Return a number with about three digits that count: "0.061", "4.1", "1,240"."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    digits = min(max(2 - math.floor(math.log10(abs(value))), 0), 6)
    said = decimal(value, digits)
    if "." not in said or "e" in said:
        return said
    return said.rstrip("0").rstrip(".") if round(value, digits) else "about 0"


def signed(value: float | None, digits: int = 2) -> str:
    """Return a change with its sign, "+0.14"."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return ("+" if round(value, digits) > 0 else "") + decimal(round(value, digits) + 0.0, digits)


def limits(low: float | None, high: float | None, digits: int = 2) -> str:
    """Return both ends of an interval of a change, "+0.09 to +0.19"."""
    return f"{signed(low, digits)} to {signed(high, digits)}"


def percent(share: float | None) -> str:
    """Return a share of 1, "18 %"."""
    return UNKNOWN if share is None or not math.isfinite(100 * share) else f"{decimal(100 * share, 0)} %"


def chance(probability: float | None) -> str:
    """Return a probability, which is never rounded to certainty."""
    if probability is None or not math.isfinite(probability):
        return UNKNOWN
    if probability > 0.99:
        return "over 99 %"
    return "under 1 %" if probability < 0.01 else percent(probability)


def count(number: float | None) -> str:
    """Return a whole number, "48,900"."""
    return decimal(number, 0)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, "1 rule" or "1,200 rules"."""
    return wording.counted(number, noun)


def brief(verdict: str) -> str:
    """Return the word that begins a verdict, such as "promising", without the numbers behind it."""
    word = verdict.split(" (")[0]
    return "too early to tell" if word == "early" else word


def day(moment: date | datetime) -> str:
    """Return a day, "21 Nov 2026"; every time is UTC."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def axis_day(moment: date | datetime, span: int) -> str:
    """Return a day as short as an axis needs it, with the year if the axis spans more than 300 days."""
    last = str(moment.year) if span > 300 else ""
    return f"{'' if last else moment.day} {_MONTHS[moment.month - 1]} {last}".strip()


def evidence(e_value: float) -> str:
    """Return an e-value as a record has it, "23", "4.1" or "0.40"; an unknown one is said to be."""
    if not math.isfinite(e_value) or e_value < 0:
        return UNKNOWN
    return wording.evidence(e_value)


def pace(per_day: float | None) -> str:
    """Return sessions per day, or per week where they are rare, as `vettle status` says them."""
    return wording.pace(per_day) if per_day is not None and 0 <= per_day < _LARGEST else UNKNOWN


def fluke(e_value: float) -> str:
    """Say what an e-value means: by Ville's inequality E is reached at any time with chance at most 1/E."""
    if not math.isfinite(e_value) or e_value < 2:
        return "That is no evidence yet."
    odds = f"1 in {count(min(math.floor(e_value), 10_000))}"
    return (
        f"If the rule did not help, evidence would ever get to {evidence(e_value)} with a chance of at most {odds}, "
        "however often anybody looks."
    )


def share_of_claim(e_value: float) -> float:
    """Return how far the evidence has come to a claim, in [0, 1], on a log scale from 1 to 20."""
    if not math.isfinite(e_value) or e_value <= 1:
        return 0.0
    return min(math.log(e_value) / math.log(CLAIM), 1.0)


def outcome(verdict: ExperimentVerdict | None) -> str:
    """Return the verdict of an experiment in a few words; only `better` and `worse` name somebody."""
    if verdict is None:
        return "Not judged: which direction is better was never declared"
    if verdict.outcome == "invalid" and verdict.blocked_by:
        return "No verdict: the win is withheld, because a guardrail is breached"
    return _OUTCOMES[verdict.outcome]


def standing_verdict(results: ExperimentResults) -> ExperimentVerdict | None:
    """Return the verdict that counts: the frozen one of an experiment that was closed."""
    return results.frozen or results.verdict


def state(of: ExperimentState) -> str:
    """Return the state of an experiment in words."""
    return _STATES[of]


def ticks(marks: Sequence[float], *, percent: bool = False) -> list[str]:
    """Return the numbers of an axis with as many digits as tell neighbours apart, in thousands or millions if large."""
    factor, suffix = (100.0, " %") if percent else _unit(max(map(abs, marks), default=0.0))
    shown = [mark * factor for mark in marks]
    step = min((abs(after - before) for before, after in pairwise(shown)), default=0.0)
    if step <= 0:
        return [short(mark) + suffix for mark in shown]
    # A step of 0.25 takes two digits although its size takes one.
    digits = next((n for n in range(9) if abs(round(step, n) - step) < step * 1e-6), 9)
    return ["0" if mark == 0 and not percent else decimal(mark, digits) + suffix for mark in shown]


def _unit(largest: float) -> tuple[float, str]:
    return next(((factor, suffix) for above, factor, suffix in _UNITS if largest >= above), (1e9, "e-9"))


_UNITS = (
    (1e12, 1e-12, "T"), (1e9, 1e-9, "G"), (1e6, 1e-6, "M"), (1e4, 1e-3, "k"), (1e-4, 1.0, ""), (1e-7, 1e6, "e-6"),
)  # fmt: skip
"""From which number on an axis counts in which unit."""


def change(value: float | None) -> str:
    """Return a difference in a metric's own unit with its sign and three digits that count, "+0.096"."""
    return ("+" if value is not None and math.isfinite(value) and value > 0 else "") + short(value)


def period(spoken: str) -> str:
    """Return a period such as "90d" in words; anything else is said as it is."""
    days = spoken.removesuffix("d")
    if spoken.endswith("d") and days.isascii() and days.isdigit() and len(days) < 6:
        return f"the last {counted(int(days), 'day')}"
    return "all time" if spoken == "all" else spoken


def clock(moment: datetime) -> str:
    """Return a moment to the minute, UTC."""
    return f"{day(moment)}, {moment.hour:02}:{moment.minute:02} UTC"


def iso(moment: date | datetime) -> str:
    """Return a day for the datetime attribute of an element."""
    return f"{moment.year:04}-{moment.month:02}-{moment.day:02}"


def value(of: object) -> str:
    """Return a value of a dimension, or a number that was recorded as evidence, as text."""
    if isinstance(of, bool):
        return "yes" if of else "no"
    if isinstance(of, float):
        return short(of)
    return of if isinstance(of, str) else json.dumps(of, ensure_ascii=False, sort_keys=True, default=str)


def recorded(evidence: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
    """Return the numbers that a decision was taken on, with their names in words, in the order they are read in."""
    told = [name for name in _EVIDENCE if name in evidence]
    rest = [name for name in evidence if name not in _EVIDENCE]
    return [
        *((_EVIDENCE[name][0], _number(evidence[name], _EVIDENCE[name][1])) for name in told),
        *((name, value(evidence[name])) for name in rest),
    ]


def _number(of: JsonValue, said: Callable[[float], str]) -> str:
    return said(of) if isinstance(of, int | float) and not isinstance(of, bool) else value(of)


_EVIDENCE: dict[str, tuple[str, Callable[[float], str]]] = {
    "effect": ("effect", signed),
    "low": ("from", signed),
    "high": ("to", signed),
    "chance_helps": ("chance that it helps", chance),
    "e_works": ("evidence that it works", evidence),
    "e_hurts": ("evidence that it hurts", evidence),
    "shown": ("shown", count),
    "withheld": ("withheld", count),
    "estimate": ("difference", change),
    "e_value": ("evidence", evidence),
    "blocks": ("blocks", count),
}
"""What the evidence of a decision is called."""
