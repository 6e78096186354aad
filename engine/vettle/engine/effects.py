"""What recorded coin flips prove about a rule: e-values, an interval that survives peeking, and words.

Only sessions in which a coin decided whether the rule is shown count here, whatever else the policy
does. An e-value is the wealth of a gambler who bets against "this rule does not help": by Ville's
inequality the chance that it *ever* reaches 20 is at most 5 % if the rule never helps, so anybody may
look after every session (Waudby-Smith & Ramdas 2024).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, fields
from typing import NamedTuple

from vettle.engine.records import Estimate, RuleStatus
from vettle.engine.wording import counted, equation, estimated

CLAIM = 20.0
"""The e-value that makes a claim: error at most 1/20 = 5 % per rule, at any time."""

MINIMUM_EFFECT = 0.05
"""The effect on the session score that makes a rule worth keeping; below it a rule may be retired."""

INTERVAL_ALPHA = 0.10
"""One minus the coverage of the interval for the causal effect, over all times together."""

WITHHELD_FOR_INTERVAL = 5
"""Withheld sessions before the interval is reported: it is asymptotic."""

EARLY_SHOWINGS = 30
"""Showings below which a verdict says "early": the top of a ranking of untried rules flatters."""

PROMISING = 0.8
"""The chance that a rule helps from which its verdict says "promising" and its confidence "stable"."""

NORMAL_95 = 1.6448536269514722
"""The 95 % quantile of the standard normal: half-widths of 90 % intervals in standard deviations."""

_BETS = (0.05, 0.1, 0.2, 0.4, 0.7)
_LOG_LARGEST = 700.0


def log_mean_exp(logarithms: Sequence[float]) -> float:
    """Return the log of the mean of the exponentials, without overflow."""
    largest = max(logarithms)
    return largest + math.log(sum(math.exp(x - largest) for x in logarithms) / len(logarithms))


class Wealth:
    """Bet on a mean above zero with five fixed fractions at once, in logarithms.

    The mean of the five wealths is a nonnegative martingale bounded by expectation one while every
    stake has a conditional mean of at most zero (Waudby-Smith & Ramdas 2024, section 4: mixtures of
    fixed bets need no tuning). There is no time at which to stop.
    """

    __slots__ = ("logs",)

    def __init__(self, logs: Sequence[float] = (0.0,) * len(_BETS)) -> None:
        self.logs = list(logs)

    def bet(self, stake: float) -> None:
        """Fold one outcome: `stake` is at least -1 and was scaled by something known before it."""
        self.logs = [log + math.log1p(bet * stake) for log, bet in zip(self.logs, _BETS, strict=True)]

    @property
    def log_e(self) -> float:
        """The natural logarithm of the e-value."""
        return log_mean_exp(self.logs)

    @property
    def e(self) -> float:
        """The e-value: nonnegative and finite (at most e^700)."""
        return math.exp(min(self.log_e, _LOG_LARGEST))


class Interval(NamedTuple):
    """An effect on the session score with limits that hold at all times together (90 %)."""

    effect: float
    low: float
    high: float


@dataclass
class Sums:
    """Sum what the closed-form interval needs, over coin flips.

    With x = (shown - p)(score - m) and a = shown - p: the five sums are of x, x^2, a^2, a^4 and x a^2.
    """

    x: float = 0.0
    xx: float = 0.0
    aa: float = 0.0
    aaaa: float = 0.0
    xaa: float = 0.0

    def add(self, x: float, a: float) -> None:
        """Add one coin flip."""
        aa = a * a
        self.x += x
        self.xx += x * x
        self.aa += aa
        self.aaaa += aa * aa
        self.xaa += x * aa

    def interval(self, alpha: float = INTERVAL_ALPHA) -> Interval:
        """Return the overlap-weighted effect and its asymptotic confidence sequence.

        The estimate weighs each coin by p(1 - p), so it never divides by a small probability (Li,
        Morgan & Zaslavsky 2018); the limits are Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024,
        theorem 2.2, tuned to an accumulated variance of 10. They may reach beyond [-1, 1].
        """
        effect = self.x / self.aa
        variance = max(self.xx - 2 * effect * self.xaa + effect * effect * self.aaaa, 0.0)
        rho2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / 10
        spread = variance * rho2 + 1
        half_width = math.sqrt(2 * spread / rho2 * math.log(math.sqrt(spread) / alpha)) / self.aa
        return Interval(effect, effect - half_width, effect + half_width)


@dataclass
class Evidence:
    """Keep what the sessions of one rule have proven about it so far.

    Attributes:
        shown: Scored sessions that showed the rule, coin or not.
        withheld: Scored sessions in which the coin withheld it.
        flips: Scored sessions in which a coin decided (part of `shown`, and all of `withheld`).
        ended: Closed sessions in which a coin decided, with or without an outcome.
        missing: Those of them without an outcome.
        works: Wealth against "showing it helps in no session".
        hurts: Wealth against "showing it harms in no session".
        missing_more: Wealth against "outcomes are not more often missing when it is shown".
        missing_less: Wealth against "outcomes are not less often missing when it is shown".
    """

    shown: int = 0
    withheld: int = 0
    flips: int = 0
    ended: int = 0
    missing: int = 0
    sums: Sums = field(default_factory=Sums)
    works: Wealth = field(default_factory=Wealth)
    hurts: Wealth = field(default_factory=Wealth)
    missing_more: Wealth = field(default_factory=Wealth)
    missing_less: Wealth = field(default_factory=Wealth)

    def observe(self, shown: bool, propensity: float, score: float, expected: float) -> None:
        """Fold one scored session of a rule that was on the slate.

        `expected` is the score predicted before the coin landed and before the score was known: any
        such number keeps the e-values valid, a good one makes them grow. It is clipped to [0, 1]. A
        propensity of 1 is no coin: the session counts as a showing only.
        """
        self.shown += shown
        self.withheld += not shown
        if propensity >= 1.0:
            return
        self.flips += 1
        expected = min(max(expected, 0.0), 1.0)
        a = shown - propensity
        x = a * (score - expected)
        down = max(propensity * (1 - expected), (1 - propensity) * expected) + 0.001
        up = max(propensity * expected, (1 - propensity) * (1 - expected)) + 0.001
        self.works.bet(x / down)
        self.hurts.bet(-x / up)
        self.sums.add(x, a)
        self._close(a, propensity, missing=0.0)

    def observe_missing(self, shown: bool, propensity: float) -> None:
        """Fold one session that closed without an outcome; says nothing about the rule's effect."""
        if propensity < 1.0:
            self._close(shown - propensity, propensity, missing=1.0)

    def _close(self, a: float, propensity: float, missing: float) -> None:
        """Bet that "the outcome is missing" depends on the coin, against the rate seen before."""
        rate = (self.missing + 0.5) / (self.ended + 1)
        x = a * (missing - rate)
        down = max(propensity * (1 - rate), (1 - propensity) * rate) + 0.001
        up = max(propensity * rate, (1 - propensity) * (1 - rate)) + 0.001
        self.missing_more.bet(x / down)
        self.missing_less.bet(-x / up)
        self.ended += 1
        self.missing += int(missing)

    @property
    def e_works(self) -> float:
        """The e-value for "it helps": 20 or more is a claim."""
        return self.works.e

    @property
    def e_hurts(self) -> float:
        """The e-value for "it harms": 20 or more is a claim."""
        return self.hurts.e

    @property
    def e_missing(self) -> float:
        """The e-value for "whether an outcome is logged depends on the coin", both directions together."""
        both = log_mean_exp((self.missing_more.log_e, self.missing_less.log_e))
        return math.exp(min(both, _LOG_LARGEST))

    def interval(self) -> Interval | None:
        """Return the causal effect with its time-uniform 90 % limits; None before five withheld sessions."""
        if self.flips == 0 or self.withheld < WITHHELD_FOR_INTERVAL:
            return None
        return self.sums.interval()

    def numbers(self) -> list[float]:
        """Return everything as `WIDTH` numbers that `from_numbers` takes back without loss."""
        wealths = (self.works, self.hurts, self.missing_more, self.missing_less)
        counts = (self.shown, self.withheld, self.flips, self.ended, self.missing)
        return [*map(float, counts), *astuple(self.sums), *(log for wealth in wealths for log in wealth.logs)]

    @classmethod
    def from_numbers(cls, numbers: Sequence[float]) -> Evidence:
        """Rebuild evidence from `numbers`; ValueError when there are not `WIDTH` of them."""
        if len(numbers) != WIDTH:
            raise ValueError(f"evidence: {len(numbers)} numbers instead of {WIDTH}")
        shown, withheld, flips, ended, missing = map(int, numbers[:_COUNTS])
        logs = numbers[_COUNTS + _SUMS :]
        works, hurts, more, less = (
            Wealth(logs[start : start + len(_BETS)]) for start in range(0, len(logs), len(_BETS))
        )
        sums = Sums(*numbers[_COUNTS : _COUNTS + _SUMS])
        return cls(shown, withheld, flips, ended, missing, sums, works, hurts, more, less)


_COUNTS = 5
_SUMS = len(fields(Sums))
WIDTH = _COUNTS + _SUMS + 4 * len(_BETS)
"""How many numbers hold the evidence of one rule."""


def e_bh(e_values: Sequence[float], alpha: float = 0.05) -> list[int]:
    """Return the indices of the discoveries among many e-values, strongest first.

    At most a share `alpha` of them is false in expectation, under any dependence and at any time (Wang
    & Ramdas 2022): the j largest, for the largest j whose j-th e-value is at least n / (alpha j).
    """
    order = sorted(range(len(e_values)), key=lambda index: (-e_values[index], index))
    n = len(order)
    passed = [rank for rank, index in enumerate(order, 1) if e_values[index] >= n / (alpha * rank)]
    return order[: passed[-1]] if passed else []


def sessions_needed(effect: float, noise: float, withheld_share: float = 0.2) -> float:
    """Return how many sessions it takes on average until "works" is claimed, with the rule on the slate.

    `noise` is the variance of the score given everything else (p(1 - p) for accepted or rejected); the
    rule is withheld in `withheld_share` of the sessions. The growth of a bet near zero is
    (effect / sd)^2 rho(1 - rho) / 2 (Kelly 1956); the constant 8.5 instead of 2 ln 20 is what the
    mixture of fixed bets costs, by simulation. Infinite unless the effect is positive.
    """
    if effect <= 0:
        return math.inf
    return 8.5 * noise / (withheld_share * (1 - withheld_share)) / effect / effect


def sessions_left(needed: float, log_e_works: float, limit: float = 100_000) -> int | None:
    """Return what is left of `needed` sessions at the evidence so far; None if proven or beyond `limit`.

    The evidence grows linearly in its logarithm, up to ln 20; below zero there is more to go.
    """
    left = needed * (1 - log_e_works / math.log(CLAIM))
    return math.ceil(left) if 0 < left <= limit else None


def chance_above(threshold: float, mean: float, sd: float) -> float:
    """Return the probability that a normal belief with this mean and standard deviation exceeds `threshold`."""
    if sd <= 0:
        return float(mean > threshold)
    return 0.5 * math.erfc((threshold - mean) / (sd * math.sqrt(2)))


# --- words --------------------------------------------------------------------------------------


def verdict(estimate: Estimate, status: RuleStatus) -> str:
    """Say in one line what is known about a rule.

    Claims ("works", "hurts") are made by e-values alone; everything else is worded as a belief.
    """
    if status == "quarantined":
        return "quarantined: a person has to approve it before it is shown"
    words = _retired(estimate) if status == "retired" else _standing(estimate)
    if status == "pinned":
        words = f"pinned by a person; {words}"
    if estimate.missing_suspected:
        words += "; beware: whether an outcome is logged depends on showing it"
    return words


def _standing(estimate: Estimate) -> str:
    if estimate.e_works >= CLAIM:
        return f"works ({equation(estimate.e_works)}, 5 % per rule, valid at any time)"
    if estimate.e_hurts >= CLAIM:
        return f"hurts ({equation(estimate.e_hurts)}, 5 % per rule, valid at any time)"
    if estimate.shown < EARLY_SHOWINGS:
        return f"early ({_scored(estimate.shown)})"
    numbers = (
        f"{_signed(estimate.effect)}, 90 % {_signed(estimate.low)}..{_signed(estimate.high)}, "
        f"{estimate.shown} shown / {estimate.withheld} withheld"
    )
    if estimate.chance_helps < PROMISING:
        return f"{'unpromising' if estimate.chance_helps < 0.2 else 'undecided'} ({numbers})"
    return f"promising ({numbers}){_needed(estimate)}"


def _needed(estimate: Estimate) -> str:
    if estimate.sessions_needed is None:
        return ""
    sessions = "session" if estimate.sessions_needed == 1 else "sessions"
    return f"; needs {estimated(estimate.sessions_needed)} more {sessions}"


def _retired(estimate: Estimate) -> str:
    if estimate.e_hurts >= CLAIM:
        return f"retired: it hurts ({equation(estimate.e_hurts)}, 5 % per rule, valid at any time)"
    sd = (estimate.high - estimate.low) / (2 * NORMAL_95)
    chance = chance_above(MINIMUM_EFFECT, estimate.effect, sd)
    return f"retired: P(effect > {_decimal(MINIMUM_EFFECT)}) = {_decimal(chance)}"


def _scored(shown: int) -> str:
    return f"shown in {counted(shown, 'scored session')}" if shown else "no score yet"


def _decimal(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1) if value < 1 else f"{value:.2f}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("0.", ".", 1) if abs(value) < 0.995 else f"{value:+.2f}"
