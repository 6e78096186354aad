"""Top-two sampling: runs go to the leader and to the option hardest to tell from it.

For finding the best of five or more with few runs (T3C, Shang et al. 2020). It compares results across
time, so what it finds is only approximately valid while the world drifts; blocks are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import (
    Choice,
    Option,
    draw,
    highest,
    posterior_means,
    ranked,
    whole_draws,
)

if TYPE_CHECKING:
    import numpy as np


class _Moments(NamedTuple):
    """The mean and variance of what is believed of an option's mean utility."""

    mean: float
    variance: float


def top_two(
    options: Sequence[Option], generator: np.random.Generator, *, draws: int = 1000, floor: float = 0.1
) -> Choice:
    """Choose the leader or its challenger, with probability 1/2 each, or anything with probability `floor`.

    The leader a is the best of a draw from the Gaussian posterior; its challenger b has the least
    transportation cost (m_a - m_b)^2_+ / (v_a + v_b) (T3C, Shang et al. 2020); equal ones share. Draws
    `draws` leaders, then one uniform: the propensities are exact given the leaders drawn. Raises
    InvalidArgument for a floor outside [0, 1].
    """
    draws = whole_draws(draws)
    if not 0 <= floor <= 1:
        raise InvalidArgument("floor", f"{floor}", "Pass a number from 0 to 1")
    means = posterior_means(options)
    believed = [_moments(option) for option in options]
    leading = _leading(believed, generator, draws)
    probabilities = _probabilities(believed, leading, floor)
    index = draw(probabilities, generator)
    return Choice(
        policy="top_two",
        index=index,
        id=options[index].id,
        probabilities=probabilities,
        explored=index not in highest(means),
        reason=f"leader in {leading[index]:.1%} of {draws} draws, {probabilities[index]:.1%} with its share "
        f"as challenger and of the floor; its mean is {means[index]:.3f} after {options[index].n:g} results",
        ranking=ranked(options, means),
        draws=draws,
    )


def _moments(option: Option) -> _Moments:
    """Return posterior mean and variance, the variance of the results estimated together with the prior.

    As if `prior_strength` results of 0 and 1 with the prior's mean had come first; their sums are merged
    with the stored ones after Chan, Golub & LeVeque 1983. For results of 0 and 1 it is the variance of
    the Beta posterior but for a factor (n + 1)/n; steadier results earn a smaller one.
    """
    strength, prior = option.prior_strength, option.prior_mean
    n = option.n if option.tried else 0.0
    between = (option.mean - prior) ** 2 * n * strength / (n + strength) if n else 0.0
    within = strength * prior * (1 - prior) + (option.m2 if n else 0.0) + between
    return _Moments(option.posterior_mean, within / (n + strength) ** 2)


def _leading(believed: Sequence[_Moments], generator: np.random.Generator, draws: int) -> list[float]:
    """Return the share of draws from the posterior in which each option is the best."""
    means, variances = zip(*believed, strict=True)
    deviations = [variance**0.5 for variance in variances]
    winners = generator.normal(means, deviations, size=(draws, len(believed))).argmax(axis=1).tolist()
    return [winners.count(index) / draws for index in range(len(believed))]


def _probabilities(believed: Sequence[_Moments], leading: Sequence[float], floor: float) -> tuple[float, ...]:
    """Return the probability of every option, from those of being the leader."""
    size = len(believed)
    shares = [floor / size] * size
    for leader, chance in enumerate(leading):
        if not chance:
            continue
        challengers = _challengers(believed, leader)
        shares[leader] += (1 - floor) * chance / 2
        for challenger in challengers:
            shares[challenger] += (1 - floor) * chance / 2 / len(challengers)
    return tuple(shares)


def _challengers(believed: Sequence[_Moments], leader: int) -> list[int]:
    """Return the options of least transportation cost from `leader`, itself if it is alone."""
    mean, variance = believed[leader]
    costs = {
        index: max(mean - other.mean, 0.0) ** 2 / (variance + other.variance)
        for index, other in enumerate(believed)
        if index != leader
    }
    least = min(costs.values(), default=None)
    return [index for index, cost in costs.items() if cost == least] or [leader]
