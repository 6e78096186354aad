"""An option, a choice, and what all policies share: checks, ties, and one honest draw.

A policy is a function of options, at least one and with distinct ids (`registry.choose` checks that), and
of a generator. Equal options and an equally seeded generator give equal choices.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from vettle.engine.errors import InvalidArgument

if TYPE_CHECKING:
    import numpy as np

UNTRIED = 1e-6
"""Effective results below which an option counts as untried: decay never quite reaches zero."""

MOST_RESULTS = 1e9
"""Results beyond which the arithmetic of the posteriors is no longer exact."""

LARGEST = 1e100
"""Greatest result or setting: no policy can overflow below it, and no NaN can arise from finite numbers."""

SLACK = 1e-9
"""Rounding that a running mean may have accumulated, relative to the range of its results."""

MOST_DRAWS = 100_000


@dataclass(frozen=True)
class Option:
    """Describe one variant by what is stored about it.

    Raises InvalidArgument for a value that means nothing: an empty id, a NaN, a negative weight or count,
    a prior that is no distribution. Decay or a rolling window is applied by whoever computes n, mean and m2.

    Attributes:
        id: Its name, distinct among the options of one choice.
        weight: Share it is to be given by `weighted`, at least 0.
        score: What a scorer said of it, higher is better; None or NaN (or infinite): not scored.
        n: Results, at least 0; not whole when older ones are discounted.
        mean: Mean of its results, within [low, high]; ignored when n is 0. Utilities are in [0, 1].
        m2: Sum of squared deviations from the mean (Welford 1962), at least 0.
        low: Least result observed.
        high: Greatest result observed.
        prior_mean: Mean expected before any result, above 0 and below 1.
        prior_strength: Results that the prior is worth, above 0; mean .5 and strength 2 is Beta(1, 1), which
            says nothing. Strength 0 would be Beta(0, 0), which is no distribution, and is refused.
    """

    id: str
    weight: float = 1.0
    score: float | None = None
    n: float = 0.0
    mean: float = 0.0
    m2: float = 0.0
    low: float = 0.0
    high: float = 1.0
    prior_mean: float = 0.5
    prior_strength: float = 2.0

    def __post_init__(self) -> None:
        if not self.id:
            raise InvalidArgument("options.id", "it is empty", "Name every option")
        self._require("weight", 0 <= self.weight < math.inf, "Pass a finite number, at least 0")
        self._require("n", 0 <= self.n <= MOST_RESULTS, f"Pass a number from 0 to {MOST_RESULTS:g}")
        self._require("m2", 0 <= self.m2 < math.inf, "Pass a finite number, at least 0")
        near = "Pass a number above 0 and below 1"
        self._require("prior_mean", UNTRIED <= self.prior_mean <= 1 - UNTRIED, near)
        strength = f"Pass a number above 0, at most {MOST_RESULTS:g}"
        self._require("prior_strength", UNTRIED <= self.prior_strength <= MOST_RESULTS, strength)
        if self.tried:
            slack = SLACK * max(self.high - self.low, 0.0)
            limits = f"Pass low <= mean <= high, within {LARGEST:g}"
            self._require("low", -LARGEST <= self.low <= self.high <= LARGEST, limits)
            self._require("mean", self.low - slack <= self.mean <= self.high + slack, limits)

    def _require(self, name: str, valid: bool, remedy: str) -> None:
        """Refuse the value of `name` unless it is valid."""
        if not valid:
            raise InvalidArgument(f"options.{name}", f"{getattr(self, name)} of {self.id[:80]!r}", remedy)

    @property
    def tried(self) -> bool:
        """Whether it has any result."""
        return self.n >= UNTRIED

    @property
    def scored(self) -> bool:
        """Whether it has a finite score."""
        return self.score is not None and math.isfinite(self.score)

    @property
    def pseudo_counts(self) -> tuple[float, float]:
        """The alpha and beta of the Beta posterior of the mean utility, both above 0.

        Each result u adds u to alpha and 1-u to beta: conjugate for 0 and 1, and for anything else in
        [0, 1] the posterior of its randomly rounded value (Agrawal & Goyal 2012).
        """
        total = self.n * min(max(self.mean, 0.0), 1.0) if self.tried else 0.0
        lost = self.n - total if self.tried else 0.0
        return (
            self.prior_strength * self.prior_mean + total,
            self.prior_strength * (1 - self.prior_mean) + lost,
        )

    @property
    def posterior_mean(self) -> float:
        """The mean utility after prior and results, in (0, 1)."""
        alpha, beta = self.pseudo_counts
        return alpha / (alpha + beta)


class Ranked(NamedTuple):
    """An option and what its policy ranks it by; None: nothing known, so it comes first where that counts."""

    id: str
    value: float | None


@dataclass(frozen=True)
class Choice:
    """Say which option was chosen, with what chance, and why.

    Attributes:
        policy: Name of the policy.
        index: Position of the chosen option in the order given.
        id: Its id.
        probabilities: Chance of every option under the policy, in the order given; they sum to 1.
        explored: Whether it was taken to learn about it, not for being the best known.
        reason: The same in words.
        ties: Ids among which chance decided because they were equally good; empty if there was one best.
        unscored: Ids that could not compete for want of a score.
        ranking: All competing options, best first; empty for a policy that does not rank.
        draws: Monte Carlo draws that `probabilities` were computed from; 0: they are closed form.
    """

    policy: str
    index: int
    id: str
    probabilities: tuple[float, ...]
    explored: bool
    reason: str
    ties: tuple[str, ...] = ()
    unscored: tuple[str, ...] = ()
    ranking: tuple[Ranked, ...] = ()
    draws: int = 0

    @property
    def propensity(self) -> float:
        """The chance that the chosen option had, above 0: exact given the inputs (and the draws, if any)."""
        return self.probabilities[self.index]


def draw(probabilities: Sequence[float], generator: np.random.Generator) -> int:
    """Return an index with the given probabilities, from one uniform; never one of probability 0."""
    bounds = list(accumulate(probabilities))
    # Rounding can put u * total on the total itself, behind which only impossible options are left.
    return min(bisect_right(bounds, generator.random() * bounds[-1]), bisect_left(bounds, bounds[-1]))


def highest(values: Sequence[float | None]) -> list[int]:
    """Return the positions of the greatest value, ignoring None; at least one value is a number."""
    top = max(value for value in values if value is not None)
    return [index for index, value in enumerate(values) if value == top]


def evenly(positions: Sequence[int], size: int) -> tuple[float, ...]:
    """Return `size` probabilities that give each of the distinct `positions` the same share."""
    share = 1 / len(positions)
    chosen = set(positions)
    return tuple(share if index in chosen else 0.0 for index in range(size))


def tied(options: Sequence[Option], best: Sequence[int]) -> tuple[str, ...]:
    """Return the ids at `best` if there are several."""
    return tuple(options[index].id for index in best) if len(best) > 1 else ()


def tie_in_words(best: Sequence[int]) -> str:
    """Say how many are equally good and that chance decided, or nothing for a single best."""
    return f", a tie of {len(best)}, drawn at random" if len(best) > 1 else ""


def ranked(options: Sequence[Option], values: Sequence[float | None]) -> tuple[Ranked, ...]:
    """Return the options that have a value, greatest first; equal ones stay in the order given."""
    known = [(value, option.id) for option, value in zip(options, values, strict=True) if value is not None]
    known.sort(key=itemgetter(0), reverse=True)
    return tuple(Ranked(id_, value) for value, id_ in known)


def posterior_means(options: Sequence[Option]) -> list[float]:
    """Return the posterior mean of every option; raises InvalidArgument for a mean outside [0, 1]."""
    for option in options:
        if option.tried and not -SLACK <= option.mean <= 1 + SLACK:
            raise InvalidArgument(
                "options.mean",
                f"{option.mean} of {option.id[:80]!r} is no utility",
                "Scale results to [0, 1], or use ucb, which adapts to the observed range",
            )
    return [option.posterior_mean for option in options]


def whole_draws(draws: float) -> int:
    """Return a number of Monte Carlo draws; raises InvalidArgument unless it is whole and sensible."""
    if not (1 <= draws <= MOST_DRAWS and draws == int(draws)):
        raise InvalidArgument("draws", f"{draws}", f"Pass a whole number from 1 to {MOST_DRAWS}")
    return int(draws)
