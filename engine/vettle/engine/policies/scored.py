"""Choosing by what a scorer said: the best score, and what could not be scored said apart."""

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
    ranked,
    tie_in_words,
    tied,
)

if TYPE_CHECKING:
    import numpy as np


def score(options: Sequence[Option], generator: np.random.Generator) -> Choice:
    """Choose the option of the highest score; any finite score may win, negative ones too.

    What has no score cannot win and is listed apart. Among equal best scores chance decides, with
    propensity 1/ties. `ranking` holds all scored options. Raises InvalidArgument when nothing is scored.
    """
    values = [option.score if option.scored else None for option in options]
    unscored = tuple(option.id for option in options if not option.scored)
    if len(unscored) == len(options):
        raise InvalidArgument(
            "options.score", "no option has one", "Score at least one, or choose by uniform"
        )
    best = highest(values)
    probabilities = evenly(best, len(options))
    index = draw(probabilities, generator)
    left_out = f"; {len(unscored)} not scored" if unscored else ""
    return Choice(
        policy="score",
        index=index,
        id=options[index].id,
        probabilities=probabilities,
        explored=False,
        reason=f"highest score, {values[index]:g}{tie_in_words(best)}{left_out}",
        ties=tied(options, best),
        unscored=unscored,
        ranking=ranked(options, values),
    )
