"""Randomised blocks: every live variant once, in random order, before any comes again.

Differences are then taken within a block, so that whatever changes over time hits all variants alike
(Fisher 1935). In paired mode each item has blocks of its own, which takes the item's difficulty out too.
A block is a few words that the caller keeps; these functions only say what the next one is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, isfinite, lcm
from typing import TYPE_CHECKING, NamedTuple

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import Choice

if TYPE_CHECKING:
    import numpy as np

MOST_RUNS = 50
"""Runs in one block; a longer one would hardly ever be finished."""


@dataclass(frozen=True)
class Block:
    """Hold one block of a stratum, or of one item of it.

    Attributes:
        number: Its position in its stratum and item, from 0.
        order: Variant ids in the random order in which they are served.
        served: How many of them have been.
        item: What the block runs on, in paired mode; empty otherwise.
    """

    number: int
    order: tuple[str, ...]
    served: int = 0
    item: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", tuple(self.order))  # JSON gives a list back
        if self.number < 0 or not 0 <= self.served <= len(self.order):
            raise InvalidArgument("block", f"{self}"[:200], "Pass a block as it was returned")

    def waiting(self, live: Sequence[str]) -> tuple[str, ...]:
        """Return the variants still to be served in this block, in order; those no longer live drop out."""
        return tuple(variant for variant in self.order[self.served :] if variant in live)


class Served(NamedTuple):
    """A variant to run, and the block as it is afterwards."""

    choice: Choice
    block: Block


def serve(
    block: Block | None,
    live: Sequence[str],
    generator: np.random.Generator,
    *,
    item: str = "",
    weights: Mapping[str, float] | None = None,
) -> Served:
    """Serve the next variant of the open block of a stratum (and item), opening a new one after its last.

    The order of a new block is drawn at once, uniform over all orders; so whatever was served before, each
    variant that waits has propensity 1/(number waiting). One that joins waits for the next block; one that
    left drops out. With `weights` (missing: 1) a block holds each variant in proportion (3:1 makes blocks
    of four), and the propensity is its share of those waiting. Pass `block=None` the first time; the
    generator is used only when a block opens. Raises InvalidArgument for no live variant, one listed
    twice, weights that fit no block, or a block of another item.
    """
    if not live or len(set(live)) != len(live):
        raise InvalidArgument("live", "none, or one twice", "List every variant that is live once")
    if block is not None and block.item != item:
        raise InvalidArgument(
            "item", f"{item[:80]!r} is not that of the block", "Pass the block of this item"
        )
    if block is None or not block.waiting(live):
        block = _opened(0 if block is None else block.number + 1, live, generator, item, weights)
    waiting = block.waiting(live)
    probabilities = tuple(waiting.count(variant) / len(waiting) for variant in live)
    where = f" on item {item[:80]!r}" if item else ""
    choice = Choice(
        policy="blocks",
        index=live.index(waiting[0]),
        id=waiting[0],
        probabilities=probabilities,
        explored=True,
        reason=f"block {block.number + 1}{where}: run {block.served + 1} of {block.served + len(waiting)}, "
        "in random order",
    )
    order = block.order[: block.served] + waiting
    return Served(choice, Block(block.number, order, block.served + 1, item))


def _opened(
    number: int,
    live: Sequence[str],
    generator: np.random.Generator,
    item: str,
    weights: Mapping[str, float] | None,
) -> Block:
    """Return a new block with its order drawn."""
    copies = proportions({variant: 1.0 if weights is None else weights.get(variant, 1.0) for variant in live})
    runs = [variant for variant, count in copies.items() for _ in range(count)]
    order = tuple(runs[row] for row in generator.permutation(len(runs)).tolist())
    return Block(number, order, 0, item)


def proportions(weights: Mapping[str, float]) -> dict[str, int]:
    """Return how often a block holds each variant: the least whole numbers in the proportion of `weights`.

    A variant of weight 0 is never served. Decimals are taken as they are written: 0.9 and 0.1 make 9 and 1.
    Raises InvalidArgument for a weight that is negative or no number, for all 0, and when a block would
    hold more than `MOST_RUNS` runs.
    """
    for variant, weight in weights.items():
        if not (isfinite(weight) and weight >= 0):
            raise InvalidArgument(
                "weight", f"{weight} of {variant[:80]!r}", "Pass a finite number, at least 0"
            )
    exact = {variant: Fraction(str(weight)) for variant, weight in weights.items()}
    scale = lcm(*(weight.denominator for weight in exact.values()))
    whole = {variant: int(weight * scale) for variant, weight in exact.items()}
    divisor = gcd(*whole.values())
    if divisor == 0:
        raise InvalidArgument("weight", "all are 0", "Give at least one variant a weight above 0")
    copies = {variant: count // divisor for variant, count in whole.items()}
    if sum(copies.values()) > max(MOST_RUNS, len(weights)):
        raise InvalidArgument(
            "weight",
            f"a block in this proportion has {sum(copies.values())} runs",
            f"Use rounder weights (3 and 1): at most {MOST_RUNS}",
        )
    return copies
