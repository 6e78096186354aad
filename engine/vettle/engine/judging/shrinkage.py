"""What a difference is likely to be once the winner's luck is taken off: for reading, never for stopping.

Every number here assumes its prior, and none of them holds under peeking; `LABEL` says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

LABEL = "not a stopping rule"
"""What has to stand beside every number of this module."""

PRIOR_SD = 0.1
"""The declared prior of a difference in utility: two of three variants differ by less than this."""


class Belief(NamedTuple):
    """A normal belief: mean and standard deviation."""

    mean: float
    sd: float


class Chances(NamedTuple):
    """What a reader of one arm wants to know.

    `best` is the chance that it is the best, in [0, 1]; `loss` the utility given up on average by
    choosing it, at least 0.
    """

    best: float
    loss: float


def shrunk(estimate: float, standard_error: float, prior_sd: float = PRIOR_SD) -> Belief:
    """Return the posterior of a difference under the prior N(0, prior_sd^2) (Gelman et al. 2013, eq. 2.10).

    mean = estimate prior^2 / (prior^2 + se^2): closer to zero than the raw difference, which is too
    large on average whenever it is the reason for looking. An infinite error
    gives the prior, an error of zero the estimate.
    """
    if standard_error == 0:
        return Belief(estimate, 0.0)
    if not math.isfinite(standard_error):
        return Belief(0.0, prior_sd)
    weight = prior_sd**2 / (prior_sd**2 + standard_error**2)
    return Belief(weight * estimate, math.sqrt(weight) * standard_error)


def shrink_together(estimates: Mapping[str, float], errors: Mapping[str, float]) -> dict[str, Belief]:
    """Return the arms' means pulled towards their common mean by as much as their spread is noise.

    Empirical Bayes with normal arms: the variance between arms is the moment estimate of DerSimonian &
    Laird (1986, eq. 8), at least 0, so the best of equal arms ends near their common mean. The errors
    are positive; those of a binary arm should be pooled, or lucky arms seem precise.
    """
    names = list(estimates)
    means = np.array([estimates[name] for name in names])
    variances = np.array([errors[name] ** 2 for name in names])
    weights = 1 / variances
    common = float(weights @ means / weights.sum())
    excess = float(weights @ (means - common) ** 2) - (len(names) - 1)
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    between = max(excess / scale, 0.0) if scale > 0 else 0.0
    if between > 0:
        inverse = 1 / (variances + between)
        common = float(inverse @ means / inverse.sum())
    share = between / (between + variances)
    # A share of zero is certainty only within the model: the common mean has an error of its own.
    sds = np.sqrt(share * variances + (1 - share) ** 2 / (1 / (variances + between)).sum())
    pulled = common + share * (means - common)
    return {name: Belief(float(mean), float(sd)) for name, mean, sd in zip(names, pulled, sds, strict=True)}


def chances(beliefs: Mapping[str, Belief], seed: int = 0, draws: int = 20_000) -> dict[str, Chances]:
    """Return each arm's chance to be best and expected loss by Monte Carlo with a recorded seed.

    The arms' beliefs are drawn independently. Stopping when a chance exceeds 0.95 picks a false winner
    in three of four experiments without a difference; hence `LABEL`.
    """
    means = np.array([belief.mean for belief in beliefs.values()])
    sds = np.array([belief.sd for belief in beliefs.values()])
    values = np.random.default_rng(seed).normal(means, sds, size=(draws, len(means)))
    best = np.bincount(values.argmax(axis=1), minlength=len(means)) / draws
    loss = (values.max(axis=1, keepdims=True) - values).mean(axis=0)
    return {
        name: Chances(float(chance), float(cost))
        for name, chance, cost in zip(beliefs, best, loss, strict=True)
    }
