"""Thompson sampling: each option as often as it is believed to be the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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


def thompson(options: Sequence[Option], generator: np.random.Generator, *, draws: int = 1000) -> Choice:
    """Choose each option with the probability that its mean utility is the greatest (Thompson 1933).

    The posterior is Beta(strength * prior + sum u, strength * (1 - prior) + sum (1 - u)). Its draws, and
    then one uniform, come from the generator: `draws` times a winner is found, and one of these winners
    is taken. That is distributed exactly as a single Thompson draw, whatever `draws` is, and the
    propensity, the share of draws that an option won (equal ones share a win), is exact given the draws,
    not an estimate of something else. More draws make it steadier: its standard error around the
    chance under the posterior is at most .5/sqrt(draws).
    """
    draws = whole_draws(draws)
    means = posterior_means(options)
    alphas, betas = zip(*(option.pseudo_counts for option in options), strict=True)
    drawn = generator.beta(alphas, betas, size=(draws, len(options)))
    wins = drawn == drawn.max(axis=1, keepdims=True)
    probabilities = tuple((wins / wins.sum(axis=1, keepdims=True)).mean(axis=0).tolist())
    index = draw(probabilities, generator)
    return Choice(
        policy="thompson",
        index=index,
        id=options[index].id,
        probabilities=probabilities,
        explored=index not in highest(means),
        reason=f"best in {probabilities[index]:.1%} of {draws} draws from the posterior; "
        f"its mean is {means[index]:.3f} after {options[index].n:g} results",
        ranking=ranked(options, means),
        draws=draws,
    )
