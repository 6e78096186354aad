"""Bets on the mean of a bounded difference: e-values and an interval that survive peeking.

The wealth of a gambler who stakes the fractions `BETS` against "the mean is at most zero" has an
expectation of at most one while that is true, whatever the distribution, the dependence on the past
or the drift, so by Ville's inequality it ever reaches 1/alpha with probability at most alpha
(Waudby-Smith & Ramdas 2024, section 4).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vettle.engine.judging.intervals import Interval

Floats = NDArray[np.float64]

BETS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""The fixed fractions that are bet at once; their mean wealth is the e-value."""

LARGEST_LOG = 700.0
"""E-values are reported as at most e^700, so that they stay finite."""

POINTS = np.linspace(-1.0, 1.0, 41)
"""Where the histogram of differences has its points, 0.05 apart."""

_BETS = np.array(BETS)
_BISECTIONS = 30


def log_growth(stakes: NDArray[Any]) -> Floats:
    """Return the log growth of each bet: shape (..., 6) for stakes of shape (...), each at least -1."""
    growth: Floats = np.log1p(np.multiply.outer(stakes, _BETS))
    return growth


def log_mean(logs: Floats) -> Floats:
    """Return the log of the mean wealth over the bets: shape (...) for log wealths of shape (..., 6)."""
    summed: Floats = np.logaddexp.reduce(logs, axis=-1)
    return summed - math.log(logs.shape[-1])


def running_log_e(stakes: NDArray[Any]) -> Floats:
    """Return the log e-value after every stake: shape (..., n) for stakes of shape (..., n).

    E_n = mean_c prod_{t <= n} (1 + c x_t) for c in `BETS` (Waudby-Smith & Ramdas 2024, section 4: a
    mixture of fixed bets).
    """
    return log_mean(np.cumsum(log_growth(stakes), axis=-2))


def e_value(log_e: float) -> float:
    """Return the e-value of a logarithm: nonnegative and finite."""
    return math.exp(min(log_e, LARGEST_LOG))


def empty_histogram(*shape: int) -> Floats:
    """Return `shape` empty histograms of differences in [-1, 1]: shape (..., 41)."""
    return np.zeros((*shape, len(POINTS)))


def count_differences(histogram: Floats, differences: NDArray[Any], present: NDArray[np.bool_]) -> None:
    """Add one difference in [-1, 1] to each histogram where `present`, split between two neighbouring points.

    The split keeps the sum. As ln(1 + c x) is concave, the log wealth of the two parts is at most that
    of the difference (Jensen), so what is read off the histogram is a lower bound of every log wealth,
    too small by at most (c h)^2/8 per difference in the middle, h = 0.05; exact for binary metrics.
    """
    position = (np.asarray(differences) + 1) * (len(POINTS) - 1) / 2
    lower = np.minimum(np.floor(position + 1e-9), len(POINTS) - 2).astype(np.intp)
    upper_share = np.clip(position - lower, 0.0, 1.0)
    rows = np.nonzero(present)
    histogram[(*rows, lower[rows])] += 1 - upper_share[rows]
    histogram[(*rows, lower[rows] + 1)] += upper_share[rows]


def mean_interval(histogram: Floats, alpha: float = 0.05) -> Interval:
    """Return the mean of the differences in a histogram (41,) with its time-uniform limits in [-1, 1].

    The limits invert the bets of the test itself (Waudby-Smith & Ramdas 2024, section 4): `low` is the
    largest mean m for which betting on x = (d - m)/(1 + m) >= -1 has reached 2/alpha, `high` its mirror
    image. Guarantee: if the differences have the same mean given the past in every block, the limits
    cover it at all looks together with probability at least 1 - alpha, for any n, any distribution.
    Under drift `low` is below the largest and `high` above the smallest mean of a block.
    """
    count = float(histogram.sum())
    if count == 0:
        return Interval(0.0, -1.0, 1.0, alpha)
    low = _lower_limit(histogram, alpha)
    high = -_lower_limit(histogram[::-1], alpha)
    return Interval(float(histogram @ POINTS) / count, low, high, alpha)


def _lower_limit(histogram: Floats, alpha: float) -> float:
    """Bisect for the largest rejected mean: the wealth falls in m, as (d - m)/(1 + m) does for every d."""
    held = histogram > 0
    counts, points = histogram[held], POINTS[held]
    low, high = -1.0, float(counts @ points / counts.sum())
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if middle <= -1 or middle in (low, high):
            break
        log_e = log_mean(counts @ log_growth((points - middle) / (1 + middle)))
        low, high = (middle, high) if log_e >= math.log(2 / alpha) else (low, middle)
    return low
