"""Races on bounded scores: pairwise betting on differences within blocks, exact at every look.

Use it for binary and bounded metrics whose spread is at least a tenth of their range; otherwise the
t-mixture of `mixture` is faster.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vettle.engine.judging.betting import (
    BETS,
    Floats,
    count_differences,
    empty_histogram,
    log_growth,
    log_mean,
    mean_interval,
)
from vettle.engine.judging.intervals import Interval
from vettle.engine.judging.race import Race


class BettingRace(Race):
    """A race on utilities in [0, 1] by block betting (Waudby-Smith & Ramdas 2024, section 4).

    E_ab = mean_c prod_t (1 + c (u_a - u_b)) over the blocks that hold both, c in `betting.BETS`. It is
    exact under any distribution, any dependence on the past and any drift. `margin` is in (0, 1).
    """

    asymptotic = False

    def __init__(self, variants: Sequence[str], *, alpha: float = 0.05, margin: float | None = None) -> None:
        if margin is not None and not 0 < margin < 1:
            raise ValueError(f"a margin for utilities lies between 0 and 1, not {margin!r}")
        super().__init__(variants, alpha=alpha, margin=margin)
        shape = (len(self.variants), len(self.variants), len(BETS))
        self._wealth = np.zeros(shape)
        self._closeness = np.zeros(shape)
        self._histogram = empty_histogram(len(self.variants), len(self.variants))

    def log_e(self) -> Floats:
        """Return the matrix (K, K) of log e-values for "a beats b in some block"; 0 before any."""
        return log_mean(self._wealth)

    def log_below(self) -> Floats:
        """Return the matrix (K, K) of log e-values for "u_a - u_b is less than the margin".

        E = mean_c prod_t (1 + c (m - d_t)/(1 + m)); zeros without a margin.
        """
        return log_mean(self._closeness)

    def level(self, a: str, b: str) -> bool:
        """Return whether both "u_a - u_b < margin" and "u_b - u_a < margin" have reached 1/alpha."""
        below = self.log_below()
        a_, b_ = self.index(a), self.index(b)
        return bool(min(below[a_, b_], below[b_, a_]) >= math.log(1 / self.alpha))

    def interval(self, a: str, b: str, alpha: float | None = None) -> Interval:
        """Return the mean of u_a - u_b with limits in [-1, 1] that agree with the e-values.

        `betting.mean_interval`, except that no limit is on the wrong side of zero once an e-value has
        reached 2/alpha: that is the same test of the mean zero, without the histogram.
        """
        alpha = self.alpha if alpha is None else alpha
        a_, b_ = self.index(a), self.index(b)
        interval = mean_interval(self._histogram[a_, b_], alpha)
        log_e, claim = self.log_e(), math.log(2 / alpha)
        low = max(interval.low, 0.0) if log_e[a_, b_] >= claim else interval.low
        high = min(interval.high, 0.0) if log_e[b_, a_] >= claim else interval.high
        return Interval(float(self.means[a_, b_]), low, high, alpha)

    def _checked(self, name: str, score: float) -> float:
        if not 0 <= score <= 1:
            raise ValueError(f"the utility of {name!r} is {score!r}; it has to lie in [0, 1]")
        return float(score)

    def _fold(self, differences: Floats, both: NDArray[np.bool_]) -> None:
        self._wealth += log_growth(differences)
        count_differences(self._histogram, differences, both)
        if self.margin is not None:
            closeness = (self.margin - differences) / (1 + self.margin)
            self._closeness += log_growth(np.where(both, closeness, 0.0))

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain numbers, lists and strings that `from_json` takes back without loss."""
        wealth = {"wealth": self._wealth.tolist(), "closeness": self._closeness.tolist()}
        return super().to_json() | wealth | {"histogram": self._histogram.tolist()}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a race from `to_json`."""
        race = super().from_json(state)
        race._wealth = np.array(state["wealth"], dtype=float)
        race._closeness = np.array(state["closeness"], dtype=float)
        race._histogram = np.array(state["histogram"], dtype=float)
        return race
