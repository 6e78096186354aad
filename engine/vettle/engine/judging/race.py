"""The fold that every race of variants shares: blocks in, pairwise differences, eliminations out.

A block runs every live variant once, in random order, on the same item if there are items; only
differences within a block are ever compared, so drift of the task, the model or the repository cancels.
What a pairwise e-value is, is said by the two kinds of race: `blocks.BettingRace` and
`mixture.MixtureRace`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vettle.engine.judging.betting import Floats, e_value
from vettle.engine.judging.elimination import MINIMUM_BLOCKS, dropouts, log_evidence_against
from vettle.engine.judging.intervals import Interval


class Race(ABC):
    """Fold blocks one at a time and eliminate variants that have lost; O(K^2) time and memory.

    Attributes:
        variants: The names, in the order of every matrix below.
        alpha: The chance of a false winner, at all looks together.
        margin: Differences below it are practically nothing; None if no tie can be declared.
        blocks: How many blocks were folded.
        eliminated: The names that have lost, in the order of losing; nobody returns.
        shared: Matrix (K, K) of counts of blocks that held both variants.
        means: Matrix (K, K) of mean differences u_a - u_b within those blocks.
        squares: Matrix (K, K) of summed squared deviations from those means.
        peak: The largest log evidence so far against each variant (K,).
        asymptotic: Whether the guarantees need normal differences or large samples.
    """

    asymptotic: ClassVar[bool]

    def __init__(self, variants: Sequence[str], *, alpha: float = 0.05, margin: float | None = None) -> None:
        if len(variants) < 2 or len(set(variants)) < len(variants):
            raise ValueError(f"a race takes at least two different variants, not {list(variants)!r}")
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is a probability between 0 and 1, not {alpha!r}")
        if margin is not None and not 0 < margin < math.inf:
            raise ValueError(f"a margin is a positive number, not {margin!r}")
        self.variants = tuple(variants)
        self.alpha = alpha
        self.margin = margin
        self.blocks = 0
        self.eliminated: list[str] = []
        count = len(variants)
        self.shared = np.zeros((count, count))
        self.means = np.zeros((count, count))
        self.squares = np.zeros((count, count))
        self.peak = np.full(count, -np.inf)
        self._runs = np.zeros(count)
        self._index = {name: index for index, name in enumerate(self.variants)}

    # --- folding ---------------------------------------------------------------------------------

    def add(self, block: Mapping[str, float]) -> tuple[str, ...]:
        """Fold one block, a score for each variant in it, and return who drops out because of it.

        Higher is better. A variant may be absent once it was eliminated; a *failed* run is never
        absent: it counts as the worst score, or the whole block is run again. ValueError names the
        variant that is unknown or whose score is not finite or out of range, and refuses a block of
        fewer than two; nothing is folded then.
        """
        scores = np.full(len(self.variants), np.nan)
        for name, score in block.items():
            scores[self.index(name)] = self._checked(name, score)
        here = np.isfinite(scores)
        if here.sum() < 2:
            raise ValueError(f"a block compares at least two variants, not {list(block)!r}")
        both = np.logical_and.outer(here, here)
        np.fill_diagonal(both, False)
        scores[~here] = 0.0
        differences = np.where(both, np.subtract.outer(scores, scores), 0.0)
        self.blocks += 1
        self._runs += here
        self.shared += both
        steps = np.where(both, differences - self.means, 0.0)
        self.means += steps / np.maximum(self.shared, 1)
        self.squares += steps * np.where(both, differences - self.means, 0.0)
        self._fold(differences, both)
        return self._eliminate()

    def _eliminate(self) -> tuple[str, ...]:
        against = log_evidence_against(self.log_e())
        self.peak = np.maximum(self.peak, against)
        alive = np.array([name not in self.eliminated for name in self.variants])
        lost = dropouts(against, alive, self._runs >= MINIMUM_BLOCKS, self.alpha)
        names = tuple(self.variants[index] for index in lost)
        self.eliminated.extend(names)
        return names

    @abstractmethod
    def log_e(self) -> Floats:
        """Return the matrix (K, K) of log e-values for "a beats b"; no evidence is minus infinity or 0."""

    @abstractmethod
    def interval(self, a: str, b: str, alpha: float | None = None) -> Interval:
        """Return the mean of u_a - u_b within blocks with its time-uniform limits."""

    @abstractmethod
    def level(self, a: str, b: str) -> bool:
        """Return whether a and b are proven to differ by less than the margin."""

    @abstractmethod
    def _checked(self, name: str, score: float) -> float:
        """Return the score; ValueError names the variant if the race cannot take it."""

    @abstractmethod
    def _fold(self, differences: Floats, both: NDArray[np.bool_]) -> None:
        """Fold the differences (K, K) of one block, zero except where `both` variants were present."""

    # --- reading ---------------------------------------------------------------------------------

    def index(self, name: str) -> int:
        """Return the row of a variant; ValueError if there is none of that name."""
        if name not in self._index:
            raise ValueError(f"there is no variant {name!r} in this race; there are {list(self.variants)!r}")
        return self._index[name]

    @property
    def survivors(self) -> tuple[str, ...]:
        """The variants that have not lost, at least one."""
        return tuple(name for name in self.variants if name not in self.eliminated)

    @property
    def winner(self) -> str | None:
        """The last survivor; None while there are several. It is never simply the highest average."""
        return self.survivors[0] if len(self.survivors) == 1 else None

    @property
    def leaders(self) -> tuple[str, ...]:
        """The survivors with the highest mean difference to the other survivors; several if level."""
        rows = [self.index(name) for name in self.survivors]
        lead = self.means[np.ix_(rows, rows)].sum(axis=1)
        best = lead.max()
        return tuple(name for name, value in zip(self.survivors, lead, strict=True) if best - value < 1e-12)

    @property
    def tie(self) -> bool:
        """Whether all pairs of survivors are proven to differ by less than the margin.

        An intersection of tests at level alpha each, so wrong with probability at most alpha (Berger
        1982). False without a margin, with one survivor, and before the minimum of blocks.
        """
        alive = self.survivors
        if self.margin is None or len(alive) < 2 or self.blocks < MINIMUM_BLOCKS:
            return False
        return all(self.level(a, b) for a in alive for b in alive if a < b)

    def runs(self, name: str) -> int:
        """Return how many blocks held the variant."""
        return int(self._runs[self.index(name)])

    def together(self, a: str, b: str) -> int:
        """Return how many blocks held both variants."""
        return int(self.shared[self.index(a), self.index(b)])

    def variance(self, a: str, b: str) -> float | None:
        """Return the variance of u_a - u_b within blocks; None before two of them."""
        a_, b_ = self.index(a), self.index(b)
        return float(self.squares[a_, b_] / (self.shared[a_, b_] - 1)) if self.shared[a_, b_] > 1 else None

    def e(self, a: str, b: str) -> float:
        """Return the e-value for "a beats b": nonnegative and finite."""
        return e_value(float(self.log_e()[self.index(a), self.index(b)]))

    def log_against(self, name: str) -> float:
        """Return the log of the largest evidence so far that some other variant is better."""
        return float(self.peak[self.index(name)])

    def beats(self, a: str, b: str, comparisons: int = 1) -> bool:
        """Return whether a is proven better than b, now, among that many two-sided comparisons.

        The e-value reaches 2 comparisons / alpha: over all of them, in both directions together, the
        chance of any false claim at this or any look is at most alpha (Bonferroni). For a one-sided
        family of K - 1 challengers against a control the constant would be (K - 1)/alpha.
        """
        enough = self.together(a, b) >= MINIMUM_BLOCKS
        return enough and float(self.log_e()[self.index(a), self.index(b)]) >= math.log(
            2 * comparisons / self.alpha
        )

    # --- keeping ---------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain numbers, lists and strings that `from_json` takes back without loss."""
        return {
            "variants": list(self.variants),
            "alpha": self.alpha,
            "margin": self.margin,
            "blocks": self.blocks,
            "eliminated": list(self.eliminated),
            "shared": self.shared.tolist(),
            "means": self.means.tolist(),
            "squares": self.squares.tolist(),
            "peak": [None if value == -math.inf else value for value in self.peak.tolist()],
            "runs": self._runs.tolist(),
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a race from `to_json`."""
        race = cls(state["variants"], alpha=state["alpha"], margin=state["margin"])
        race.blocks = int(state["blocks"])
        race.eliminated = list(state["eliminated"])
        race.shared = np.array(state["shared"], dtype=float)
        race.means = np.array(state["means"], dtype=float)
        race.squares = np.array(state["squares"], dtype=float)
        race.peak = np.array([-np.inf if value is None else value for value in state["peak"]])
        race._runs = np.array(state["runs"], dtype=float)
        return race
