"""How the values of a variable, such as models, stand in each context, and what to do about it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from vettle.engine.records.base import Record

Rating = Literal["over", "ok", "under"]


class TrendDay(Record):
    """The results of one UTC day; a day without any is left out."""

    day: str
    n: int
    mean: float


class RankedVariant(Record):
    """One value of the variable in one context. Every mean and limit is a utility in [0, 1], higher is better.

    `mean`, its 90 % limits and `chance_best` (among all values, here) are what is believed, with strength
    shared between contexts; they inform and prove nothing. `rate` is the plain mean of the results. `n` is
    `successes` (results of at least one half, and completed runs that a utility grades) plus `failures`, of
    which `timeouts` are some. Duration
    (milliseconds), tokens and cost are means of completed runs, `retries` the mean of all runs; null means
    that none was recorded. `demoted` is advice: nothing is taken out of use.
    """

    value: str
    tried: bool
    n: int
    mean: float
    low: float
    high: float
    chance_best: float
    rate: float | None
    successes: int
    failures: int
    timeouts: int
    duration_ms: float | None
    tokens: float | None
    cost: float | None
    retries: float | None
    escalations: int | None
    ratings: dict[Rating, int]
    last_used: datetime | None
    demoted: bool
    advice: list[str]
    trend: list[TrendDay] = []


class Challenger(Record):
    """The value that is hardest to tell from the best known one, to be tried beside it.

    `transportation_cost` is (mean difference)^2 / its variance, 0 if the challenger is believed better.
    `call` holds the arguments of `experiment_create`, empty when an experiment of the two is already open.
    """

    value: str
    incumbent: str
    share: float
    transportation_cost: float
    chance_better: float
    experiment: str
    call: dict[str, JsonValue]
    next_step: str


class ContextRanking(Record):
    """The values in one context, best believed first and untried ones last.

    `chain` is the order in which to fall back: demoted values come last in it, and values that were never
    tried anywhere are not in it. `no_challenger` says why there is none.
    """

    context: str
    results: int
    low_risk: bool
    variants: list[RankedVariant]
    more: int = 0
    chain: list[str]
    challenger: Challenger | None
    no_challenger: str = ""


class DefaultRank(Record):
    """What is believed of the mean of a value over contexts; `contexts` counts those it was tried in.

    One context may lie outside the limits, because contexts differ.
    """

    value: str
    mean: float
    low: float
    high: float
    n: int
    contexts: int


class VariantsRanked(Record):
    """The answer to `variants_rank`: contexts with most results first.

    `default` ranks the values for any other context, and `default_chain` is the order to fall back in.
    `not_counted` are runs that were cancelled, lost to infrastructure, or without a result. `chance_best`
    comes from `draws` draws of a generator with this `seed`.
    """

    variable: str
    period: str
    results: int
    not_counted: int
    contexts: list[ContextRanking]
    more_contexts: int = 0
    default: list[DefaultRank]
    default_chain: list[str]
    seed: int
    draws: int
    notes: list[str] = []
    next_step: str


class ComparedVariant(Record):
    """One side of a comparison: plain counts and means; null means that none was recorded."""

    value: str
    trials: int
    wins: int
    timeouts: int
    rate: float | None
    tokens: float | None
    cost: float | None
    duration_ms: float | None


class ComparedContext(Record):
    """Two values in one context; `chance_first_better` is believed, with strength shared between contexts."""

    context: str
    first: ComparedVariant
    second: ComparedVariant
    chance_first_better: float


class VariantsCompared(Record):
    """Two values side by side, over all contexts and in each. It describes: only an experiment can prove."""

    variable: str
    period: str
    first: ComparedVariant
    second: ComparedVariant
    chance_first_better: float
    contexts: list[ComparedContext]
    next_step: str
