"""The alarm that rings when the variant in use gets worse than it was."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vettle.engine.judging.betting import log_mean

ALARM = 1000.0
"""The evidence that rings the alarm: without a change, 1,000 runs pass on average before it does."""

BETS = (0.1, 0.25, 0.5)
"""The fractions that are bet at once on "it got worse"."""

_HIGHEST_REFERENCE = 0.98


class Degradation:
    """Watch the utilities in [0, 1] of one incumbent against its mean when it was chosen.

    M_c <- max(1, M_c) (1 + c max((mu0 - x)/(1 - mu0), -1)), mean over c of `BETS`: an e-detector of the
    CUSUM kind (Shin, Ramdas & Rinaldo 2024, section 3), so the average run length to a false alarm is
    at least 1,000 runs if `reference` is the true mean; it is capped at 0.98.

    Attributes:
        logs: The log of M_c for each bet; all there is to keep.
    """

    __slots__ = ("logs", "reference")

    def __init__(self, reference: float, logs: Sequence[float] = (0.0,) * len(BETS)) -> None:
        if not 0 <= reference <= 1:
            raise ValueError(f"a reference is a mean utility in [0, 1], not {reference!r}")
        self.reference = min(reference, _HIGHEST_REFERENCE)
        self.logs = list(logs)

    def add(self, utility: float) -> bool:
        """Fold one run and return whether the alarm rings now; ValueError outside [0, 1]."""
        if not 0 <= utility <= 1:
            raise ValueError(f"a utility lies in [0, 1]; {utility!r} does not")
        stake = max((self.reference - utility) / (1 - self.reference), -1.0)
        self.logs = [
            max(log, 0.0) + math.log1p(bet * stake) for log, bet in zip(self.logs, BETS, strict=True)
        ]
        return self.ringing

    @property
    def log_evidence(self) -> float:
        """The log of the mean M_c; it falls again when runs get better."""
        return float(log_mean(np.array(self.logs)))

    @property
    def ringing(self) -> bool:
        """Whether the evidence is at least 1,000 now."""
        return self.log_evidence >= math.log(ALARM)
