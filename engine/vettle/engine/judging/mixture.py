"""The t-mixture: an e-value and an interval for unbounded or low-noise metrics, free of their scale.

Use it for latency, tokens and cost, and for scores whose spread is below a tenth of their range. It is
exact for normal differences only; it was measured to be fine on binary, Beta and log-normal data, not
on heavier tails: clip latencies or take their logarithm first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vettle.engine.judging.betting import Floats
from vettle.engine.judging.intervals import Interval
from vettle.engine.judging.race import Race

EFFECT_SCALE = 0.3
"""The prior standard deviation (tau) of the difference in standard deviations of one observation."""

MINIMUM_DIFFERENCES = 3
"""Differences below which there is no evidence."""


def log_e_two_sided(
    n: NDArray[Any] | float,
    freedom: NDArray[Any] | float,
    mean: NDArray[Any] | float,
    variance: NDArray[Any] | float,
) -> Floats:
    """Return the log e-value against "the mean is zero", elementwise.

    With g = 1 + n tau^2 and t2 = n mean^2 / variance:
    ln E = -1/2 ln g + (nu + 1)/2 [ln(1 + t2/nu) - ln(1 + t2/(nu g))] (Lindon, Ham, Tingley & Bojinov
    2022; the right-Haar mixture of Rouder et al. 2009 with a normal prior). `freedom` is nu: n - 1 for
    n differences. A variance of zero gives the limit, g^(nu/2), or no evidence if the mean is zero too.
    """
    n, freedom, mean, variance = (np.asarray(value, dtype=float) for value in (n, freedom, mean, variance))
    g = 1 + n * EFFECT_SCALE**2
    noise = freedom * variance
    signal = n * mean**2
    total = noise + signal
    rest = np.where(total > 0, noise / np.where(total > 0, total, 1.0), 1.0)
    logs: Floats = -0.5 * np.log(g) - (freedom + 1) / 2 * np.log(rest + (1 - rest) / g)
    return logs


def log_e_positive(
    n: NDArray[Any] | float,
    freedom: NDArray[Any] | float,
    mean: NDArray[Any] | float,
    variance: NDArray[Any] | float,
) -> Floats:
    """Return the log e-value for "the mean is above zero": minus infinity unless mean > 0 and nu >= 2."""
    logs = log_e_two_sided(n, np.maximum(freedom, 1), mean, variance)
    return np.where((np.asarray(mean) > 0) & (np.asarray(freedom) >= MINIMUM_DIFFERENCES - 1), logs, -np.inf)


def half_width(n: float, freedom: float, variance: float, alpha: float = 0.05) -> float:
    """Return the half-width of the interval that holds the mean at all looks; infinite while n is small.

    With A = exp(-2/(nu + 1) (ln(1/alpha) + 1/2 ln g)): s/sqrt(n) sqrt(nu (1 - A)/(A - 1/g)), and
    infinite while A <= 1/g: it inverts `log_e_two_sided` at 1/alpha (Lindon et al. 2022).
    """
    if freedom < MINIMUM_DIFFERENCES - 1:
        return math.inf
    g = 1 + n * EFFECT_SCALE**2
    shrink = math.exp(-2 / (freedom + 1) * (math.log(1 / alpha) + 0.5 * math.log(g)))
    if shrink <= 1 / g:
        return math.inf
    return math.sqrt(variance / n) * math.sqrt(freedom * (1 - shrink) / (shrink - 1 / g))


def paired_interval(n: int, mean: float, variance: float, alpha: float = 0.05) -> Interval:
    """Return the mean of n differences with its time-uniform limits, infinite while n is small."""
    half = half_width(n, n - 1, variance, alpha)
    return Interval(mean, mean - half, mean + half, alpha)


def two_sample(n_a: int, n_b: int, pooled_variance: float) -> tuple[float, float, float]:
    """Return (n, nu, variance) of the two-sample form, for the functions above.

    n = n_a n_b / (n_a + n_b), nu = n_a + n_b - 2, and the pooled variance of one observation.
    """
    return n_a * n_b / (n_a + n_b), n_a + n_b - 2, pooled_variance


class MixtureRace(Race):
    """A race on any finite scores, higher is better, by the t-mixture of within-block differences.

    Scores of a metric where lower is better are entered with the opposite sign. `margin` is in the
    units of the score. Guarantees hold for normal differences, and approximately for others.
    """

    asymptotic = True

    def log_e(self) -> Floats:
        """Return the matrix (K, K) of log e-values for "a beats b"; minus infinity unless a leads b."""
        freedom = self.shared - 1
        return log_e_positive(self.shared, freedom, self.means, self.squares / np.maximum(freedom, 1))

    def level(self, a: str, b: str) -> bool:
        """Return whether the interval of u_a - u_b lies within the margin."""
        return self.margin is not None and self.interval(a, b).within(self.margin)

    def interval(self, a: str, b: str, alpha: float | None = None) -> Interval:
        """Return the mean of u_a - u_b with its limits in the units of the score, infinite at first."""
        a_, b_ = self.index(a), self.index(b)
        n = int(self.shared[a_, b_])
        variance = float(self.squares[a_, b_]) / max(n - 1, 1)
        return paired_interval(n, float(self.means[a_, b_]), variance, self.alpha if alpha is None else alpha)

    def _checked(self, name: str, score: float) -> float:
        if not math.isfinite(score):
            raise ValueError(f"the score of {name!r} is {score!r}; it has to be a finite number")
        return float(score)

    def _fold(self, differences: Floats, both: NDArray[np.bool_]) -> None:
        """Keep nothing beyond the sums that every race keeps."""
