"""Which of K variants has lost: the mean e-value against each, and who drops out.

The evidence against b is the mean over a of the e-values for "a beats b". While b is at least as good
as every other variant, each of them has an expectation of at most one, and so has their mean, under
any dependence between them (Vovk & Wang 2021). So the best variant is ever eliminated at 2/alpha with
probability at most alpha/2, and a winner is declared among K equal ones with probability at most
alpha K / (2 (K - 1)) (Markov's inequality on the number eliminated).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vettle.engine.judging.betting import Floats

MINIMUM_BLOCKS = 8
"""Blocks (or runs per arm) below which nobody is eliminated and no verdict is given."""


def log_evidence_against(log_e: NDArray[Any]) -> Floats:
    """Return the log of the mean e-value against each variant: shape (..., K) for (..., K, K).

    `log_e[..., a, b]` is the log e-value for "a beats b"; minus infinity is no evidence at all and
    the diagonal is ignored.
    """
    count = log_e.shape[-1]
    against = np.where(np.eye(count, dtype=bool), -np.inf, log_e)
    summed: Floats = np.logaddexp.reduce(against, axis=-2)
    return summed - math.log(count - 1)


def dropouts(against: Floats, alive: NDArray[np.bool_], ready: NDArray[np.bool_], alpha: float) -> list[int]:
    """Return who drops out now: alive, ready, and with evidence of at least 2/alpha against.

    Never everybody: of the alive, the one with the least evidence against it stays.
    """
    lost = alive & ready & (against >= math.log(2 / alpha))
    if lost.any() and not (alive & ~lost).any():
        lost[int(np.argmin(np.where(alive, against, np.inf)))] = False
    return [int(index) for index in np.flatnonzero(lost)]
