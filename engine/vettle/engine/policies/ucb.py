"""Upper confidence bounds: what is untried first, then the best that an option can still plausibly be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import (
    LARGEST,
    Choice,
    Option,
    Ranked,
    draw,
    evenly,
    highest,
    ranked,
    tie_in_words,
    tied,
)

if TYPE_CHECKING:
    import numpy as np


def ucb(
    options: Sequence[Option], generator: np.random.Generator, *, exploration: float = math.sqrt(2)
) -> Choice:
    """Choose the option of the highest mean + exploration * range * sqrt(ln N / n) (Auer et al. 2002: UCB1).

    N is the results of all options and n those of one; the range is that of everything observed, so
    the choice is the same on any scale, also outside [0, 1]. What is untried comes first. Chance
    decides among equals. The prior is not used. Raises InvalidArgument for an exploration that is negative
    or no number.
    """
    if not 0 <= exploration <= LARGEST:
        raise InvalidArgument("exploration", f"{exploration}", "Pass a finite number, at least 0")
    bounds = _bounds(options, exploration)
    untried = [index for index, bound in enumerate(bounds) if bound is None]
    best = untried or highest(bounds)
    probabilities = evenly(best, len(options))
    index = draw(probabilities, generator)
    means = [option.mean if option.tried else -math.inf for option in options]
    return Choice(
        policy="ucb",
        index=index,
        id=options[index].id,
        probabilities=probabilities,
        explored=bool(untried) or index not in highest(means),
        reason=("not tried yet" if untried else f"highest upper bound, {bounds[index]:.4g}")
        + tie_in_words(best),
        ties=tied(options, best),
        ranking=(*(Ranked(options[row].id, None) for row in untried), *ranked(options, bounds)),
    )


def _bounds(options: Sequence[Option], exploration: float) -> list[float | None]:
    """Return the upper bound of every option, None for one that is untried."""
    tried = [option for option in options if option.tried]
    if not tried:
        return [None] * len(options)
    width = max(option.high for option in tried) - min(option.low for option in tried)
    # Discounted counts can add up to less than one, whose logarithm would be a negative bonus.
    log_total = math.log(max(sum(option.n for option in tried), 1.0))
    return [
        option.mean + exploration * width * math.sqrt(log_total / option.n) if option.tried else None
        for option in options
    ]
