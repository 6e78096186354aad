"""How many runs a question takes, said before it is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from vettle.engine.experiments.design import Design
from vettle.engine.judging.planning import binary_variance, blocks_needed

ASSUMED_SPREAD = 0.25
"""The standard deviation assumed of one result, as a share of its range, where nothing is known."""

ASSUMED_BASE = 0.6
"""The success rate assumed of a binary metric."""

MANY_RUNS = 2_000
"""Runs per variant beyond which nobody will wait for the answer."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Runs per variant until a difference of the minimum effect is found: on average, and in nine cases of ten.

    Both are 0 where it cannot be said, with the reason in `notes`.
    """

    runs: int = 0
    runs_90: int = 0
    notes: list[str] = field(default_factory=list)


def before(design: Design) -> Needed:
    """Plan an experiment from its design alone."""
    effect = design.minimum_utility
    if effect is None:
        return Needed(
            notes=[
                "How many runs it takes cannot be said: declare minimum_effect and a range to be told before you start."
            ]
        )
    if effect >= 1:
        return Needed(notes=["The minimum effect is larger than the whole range, so it cannot be found."])
    variance = binary_variance(ASSUMED_BASE, effect) if design.is_binary else 2 * ASSUMED_SPREAD**2
    blocks = blocks_needed(effect, variance, len(design.variants))
    runs, runs_90 = math.ceil(blocks.mean), math.ceil(blocks.ninetieth)
    notes = []
    if runs > MANY_RUNS:
        notes.append(
            f"About {runs:,} runs per variant are needed to find a difference this small: ask for a larger "
            "minimum_effect, fewer variants, or pair the runs by item."
        )
    return Needed(runs, runs_90, notes)
