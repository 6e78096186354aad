"""The asymptotic confidence sequence that every estimate of runs without blocks gets."""

from __future__ import annotations

import math
from typing import NamedTuple

from vettle.engine.judging.betting import LARGEST_LOG
from vettle.engine.judging.intervals import Interval

TUNED_AT = 500
"""The number of observations at which the interval is narrowest (GrowthBook's default is 5,000)."""


class Limits(NamedTuple):
    """Limits that hold at all looks together in large samples, and the e-value against "no difference"."""

    interval: Interval
    e_value: float


def asymptotic_sequence(estimate: float, standard_error: float, n: int, alpha: float = 0.05) -> Limits:
    """Return the time-uniform limits and the two-sided e-value of an asymptotically normal estimate.

    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, theorem 2.2, in GrowthBook's form: with
    rho^2 = (-2 ln alpha + ln(1 - 2 ln alpha)) / `TUNED_AT`,
    half-width = standard_error sqrt(2 (n rho^2 + 1)/(n rho^2) ln(sqrt(n rho^2 + 1)/alpha)). The e-value is the
    normal mixture behind it, exp(rho^2 n z^2 / (2 (n rho^2 + 1))) / sqrt(n rho^2 + 1) with z = estimate /
    standard_error, so zero is outside the limits exactly if it exceeds 1/alpha. Both are asymptotic:
    few observations prove nothing.
    """
    rho2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / TUNED_AT
    spread = n * rho2 + 1
    half = standard_error * math.sqrt(2 * spread / (n * rho2) * math.log(math.sqrt(spread) / alpha))
    exponent = 0.5 * (spread - 1) / spread * (estimate / standard_error) ** 2 - 0.5 * math.log(spread)
    return Limits(
        Interval(estimate, estimate - half, estimate + half, alpha), math.exp(min(exponent, LARGEST_LOG))
    )
