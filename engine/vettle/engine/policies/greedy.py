"""Choosing what did best so far, and sometimes, by a coin, anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import (
    Choice,
    Option,
    draw,
    evenly,
    highest,
    posterior_means,
    ranked,
    tie_in_words,
    tied,
)

if TYPE_CHECKING:
    import numpy as np


def best_so_far(options: Sequence[Option], generator: np.random.Generator) -> Choice:
    """Choose the option of the highest posterior mean utility; chance decides among equals.

    An untried option has its prior mean, so one lucky result does not beat a long record. It never
    learns about the others: a leader by bad luck stays one.
    """
    means = posterior_means(options)
    best = highest(means)
    probabilities = evenly(best, len(options))
    index = draw(probabilities, generator)
    return Choice(
        policy="best_so_far",
        index=index,
        id=options[index].id,
        probabilities=probabilities,
        explored=False,
        reason=_why(means[index], options[index], best),
        ties=tied(options, best),
        ranking=ranked(options, means),
    )


def epsilon_greedy(
    options: Sequence[Option], generator: np.random.Generator, *, epsilon: float = 0.1
) -> Choice:
    """Choose anything with probability `epsilon` in [0, 1], else the best so far (Watkins 1989).

    "Anything" is uniform and includes the best. Draws two uniforms, the coin first, whether or not they
    matter. Raises InvalidArgument for any other epsilon, NaN too.
    """
    if not 0 <= epsilon <= 1:
        raise InvalidArgument("epsilon", f"{epsilon}", "Pass a number from 0 to 1")
    means = posterior_means(options)
    best = highest(means)
    size = len(options)
    exploit, explore = evenly(best, size), evenly(range(size), size)
    explored = bool(generator.random() < epsilon)
    index = draw(explore if explored else exploit, generator)
    return Choice(
        policy="epsilon_greedy",
        index=index,
        id=options[index].id,
        probabilities=tuple(
            epsilon * share + (1 - epsilon) * greedy for share, greedy in zip(explore, exploit, strict=True)
        ),
        explored=explored,
        reason=(
            f"explored: 1 of {size} at random, as {epsilon:.1%} of choices are"
            if explored
            else _why(means[index], options[index], best)
        ),
        ties=() if explored else tied(options, best),
        ranking=ranked(options, means),
    )


def _why(mean: float, option: Option, best: Sequence[int]) -> str:
    """Say what made an option the best so far."""
    return f"highest posterior mean, {mean:.3f} after {option.n:g} results{tie_in_words(best)}"
