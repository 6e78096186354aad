"""When a model or variant is taken out of the rotation, and when it comes back.

Demotion is advice from the posterior of the success rate, with two levels so that it does not flicker. It
is checked after every task, so the levels are strict enough to be paid for: see `Levels`. The alarm for
an incumbent that got worse than it was is elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import Option, posterior_means

MOST_STEPS = 10_000
"""Steps of the continued fraction; it needs about sqrt(max(alpha, beta)) of them."""


@dataclass(frozen=True)
class Levels:
    """Hold what demotes and what promotes.

    With these values and the prior Beta(1, 1), a model of true success rate .8/.7/.6 is demoted at least
    once in 30 tasks, checked after each, with probability .001/.007/.041, where "over 50 % failures of
    at least 3" has .13/.31/.56; one of .3/.2/.1 with probability .85/.988/.99998 (computed exactly).

    Attributes:
        threshold: Success rate that a model is expected to reach.
        demote: Probability of being below the threshold at which it is demoted.
        promote: Probability at or under which a demoted one comes back, less than `demote`. Above .5, so
            that one whose failures have decayed away gets another trial without having to earn it.
        minimum: Results needed to demote.
    """

    threshold: float = 0.5
    demote: float = 0.95
    promote: float = 0.6
    minimum: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise InvalidArgument("threshold", f"{self.threshold}", "Pass a number strictly between 0 and 1")
        if not 0 <= self.promote < self.demote <= 1:
            raise InvalidArgument(
                "demote", f"{self.demote} with promote {self.promote}", "Pass 0 <= promote < demote <= 1"
            )
        if not 0 <= self.minimum < math.inf:
            raise InvalidArgument("minimum", f"{self.minimum}", "Pass a finite number, at least 0")


class Standing(NamedTuple):
    """Whether a model is demoted now, the probability that its true rate is below the threshold, and why."""

    demoted: bool
    probability: float
    reason: str


def standing(option: Option, *, demoted: bool = False, levels: Levels | None = None) -> Standing:
    """Decide whether an option is demoted, given whether it was; results are utilities in [0, 1].

    The probability is that of the Beta posterior below the threshold. With too few results to demote, or
    between the two levels, it stays what it was.
    """
    levels = levels if levels is not None else Levels()
    posterior_means([option])
    probability = beta_distribution(levels.threshold, *option.pseudo_counts)
    known = f"P(success rate < {levels.threshold:g}) = {probability:.3f} after {option.n:g} results"
    if probability <= levels.promote:
        return Standing(False, probability, f"{known}, at most {levels.promote:g}")
    if probability < levels.demote:
        state = "demoted" if demoted else "not demoted"
        return Standing(demoted, probability, f"{known}, between the levels: still {state}")
    if option.n < levels.minimum:
        return Standing(demoted, probability, f"{known}: too early to tell, {levels.minimum:g} are needed")
    return Standing(True, probability, f"{known}, at least {levels.demote:g}")


def beta_distribution(x: float, alpha: float, beta: float) -> float:
    """Return P(B <= x) of B ~ Beta(alpha, beta), the regularised incomplete beta function (DLMF 8.17).

    Error at most 1e-8 for x in [0, 1] and positive alpha and beta up to a million.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    # DLMF 8.17.4: the fraction converges fast on the side of the mean where little probability is.
    if x > (alpha + 1) / (alpha + beta + 2):
        return max(1.0 - _lower_tail(1 - x, beta, alpha), 0.0)
    return min(_lower_tail(x, alpha, beta), 1.0)


def _lower_tail(x: float, alpha: float, beta: float) -> float:
    """Return P(B <= x) for 0 < x < 1, by DLMF 8.17.22."""
    log_front = (
        alpha * math.log(x)
        + beta * math.log1p(-x)
        + math.lgamma(alpha + beta)
        - math.lgamma(alpha)
        - math.lgamma(beta)
    )
    return math.exp(log_front) / alpha * _continued_fraction(x, alpha, beta)


def _continued_fraction(x: float, alpha: float, beta: float) -> float:
    """Evaluate 1/(1 + d1/(1 + d2/(1 + ...))), DLMF 8.17.22, by Lentz (Thompson & Barnett 1986)."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, MOST_STEPS):
        d = 1 / (1 + _coefficient(step, x, alpha, beta) * d)
        c = 1 + _coefficient(step, x, alpha, beta) / c
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return 1 / value


def _coefficient(step: int, x: float, alpha: float, beta: float) -> float:
    """Return the coefficient d1, d2, ... of DLMF 8.17.23."""
    m = step // 2
    if step % 2:
        return -(alpha + m) * (alpha + beta + m) * x / ((alpha + 2 * m) * (alpha + 2 * m + 1))
    return m * (beta - m) * x / ((alpha + 2 * m - 1) * (alpha + 2 * m))
