"""Choosing by fixed shares, whatever the results: by weight, or all alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import Choice, Option, draw, evenly, ranked

if TYPE_CHECKING:
    import numpy as np


def weighted(options: Sequence[Option], generator: np.random.Generator) -> Choice:
    """Choose each option with probability weight / total; one of weight 0 is never chosen.

    Raises InvalidArgument when all weights are 0 (`Option` refuses negative ones and NaN).
    """
    weights = [option.weight for option in options]
    largest = max(weights)
    if largest == 0:
        raise InvalidArgument("options.weight", "all are 0", "Give at least one option a weight above 0")
    # Relative to the largest, because the sum of two huge weights need not be finite.
    relative = [weight / largest for weight in weights]
    total = sum(relative)
    probabilities = tuple(weight / total for weight in relative)
    index = draw(probabilities, generator)
    return Choice(
        policy="weighted",
        index=index,
        id=options[index].id,
        probabilities=probabilities,
        explored=False,
        reason=f"drawn with weight {weights[index]:g}, a share of {probabilities[index]:.1%}",
        ranking=ranked(options, list(weights)),
    )


def uniform(options: Sequence[Option], generator: np.random.Generator) -> Choice:
    """Choose each option with the same probability."""
    probabilities = evenly(range(len(options)), len(options))
    index = draw(probabilities, generator)
    return Choice(
        policy="uniform",
        index=index,
        id=options[index].id,
        probabilities=probabilities,
        explored=True,
        reason=f"drawn at random, 1 of {len(options)}",
    )
