"""What is believed of each value in each context: one posterior for all, so that they share strength."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vettle.engine.policies.structured import (
    BASE,
    NORMAL_95,
    Arm,
    StructuredPosterior,
    Term,
    in_context,
)
from vettle.engine.ranking.outcomes import Outcome

SEED = 0
"""The seed of the draws, the same for every context, so that equal records give equal numbers."""

DRAWS = 4_000

LEARNED = 150
"""The most parts (values, contexts, and pairs of them) that are learned; the time of a fold grows with its square."""

_SINGLE = 2
"""The length of the key of a value or a context; that of a pair is longer."""


class Belief(NamedTuple):
    """What is believed of one value: mean utility, 90 % limits, and the chance that it is the best of all."""

    mean: float
    low: float
    high: float
    chance_best: float


class Difference(NamedTuple):
    """What is believed of one value's mean utility minus another's."""

    mean: float
    variance: float

    @property
    def chance_positive(self) -> float:
        """The probability that the first is better."""
        if self.variance <= 0:
            return 0.5 if self.mean == 0 else float(self.mean > 0)
        return 0.5 * (1 + math.erf(self.mean / math.sqrt(2 * self.variance)))

    @property
    def transportation_cost(self) -> float:
        """How far the first is from being the worse of the two: (mean)^2_+ / variance (Shang et al. 2020)."""
        if self.mean <= 0:
            return 0.0
        return self.mean**2 / self.variance if self.variance > 0 else math.inf


def fold(rows: Sequence[Outcome]) -> StructuredPosterior:
    """Learn from the outcomes in order; one of weight 2 is learned twice.

    Past `LEARNED` parts, what is peculiar to the pairs with fewest outcomes is left unlearned, and then to
    the rarest contexts and values: it keeps its prior.
    """
    cells = Counter((row.value, row.context) for row in rows)
    learned = _learned(cells)
    arms = {cell: tuple(term for term in in_context(*cell) if term.key in learned) for cell in cells}
    posterior = StructuredPosterior()
    for row in rows:
        for _ in range(row.weight):
            posterior.observe(arms[row.value, row.context], row.reward)
    return posterior


def _learned(cells: Mapping[tuple[str, str], int]) -> set[tuple[str, ...]]:
    """Return the keys of the parts that are learned: those of most outcomes, and pairs after all others."""
    counts: Counter[tuple[str, ...]] = Counter()
    for cell, number in cells.items():
        for term in in_context(*cell):
            counts[term.key] += number
    return set(sorted(counts, key=lambda key: (len(key) > _SINGLE, -counts[key]))[:LEARNED])


def anywhere(value: str) -> Arm:
    """Return the terms that a value has in every context: the base and its own, for its mean over contexts."""
    return (Term(BASE, 0.25), Term(("variant", value), 0.1))


def arms_of(values: Sequence[str], context: str | None) -> list[Arm]:
    """Return the arms of the values in a context, or those of their means over contexts for None."""
    return [anywhere(value) if context is None else in_context(value, context) for value in values]


def beliefs(posterior: StructuredPosterior, values: Sequence[str], context: str | None) -> dict[str, Belief]:
    """Return what is believed of each value in a context, or over contexts for None; limits stay within [0, 1]."""
    if not values:
        return {}
    means, covariance = posterior.joint(arms_of(values, context))
    generator = np.random.default_rng(SEED)
    drawn = generator.multivariate_normal(means, covariance, DRAWS, check_valid="ignore", method="eigh")
    wins = np.bincount(drawn.argmax(axis=1), minlength=len(values)) / DRAWS
    widths = NORMAL_95 * np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    return {
        value: Belief(_within(mean), _within(mean - width), _within(mean + width), won)
        for value, mean, width, won in zip(
            values, means.tolist(), widths.tolist(), wins.tolist(), strict=True
        )
    }


def difference(posterior: StructuredPosterior, first: str, second: str, context: str | None) -> Difference:
    """Return what is believed of the difference of two values in a context, or over contexts for None."""
    means, covariance = posterior.joint(arms_of([first, second], context))
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return Difference(float(means[0] - means[1]), max(variance, 0.0))


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)
