"""An estimate of a difference together with the limits that may be read at any time."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference with limits that hold at all looks together with probability at least 1 - alpha.

    `low` may be -infinity and `high` infinity: then the data do not bound the difference yet.
    """

    estimate: float
    low: float
    high: float
    alpha: float = 0.05

    @property
    def bounded(self) -> bool:
        """Whether both limits are finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def within(self, margin: float) -> bool:
        """Return whether the whole interval lies strictly between -margin and +margin."""
        return -margin < self.low and self.high < margin

    def flipped(self) -> Interval:
        """Return the interval of the opposite difference."""
        return Interval(-self.estimate, -self.high, -self.low, self.alpha)
