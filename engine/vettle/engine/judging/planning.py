"""How many blocks a question costs, before the first run and after every block.

The constants were fitted to simulations of the block-betting test at alpha = 0.05, looked at after
every block; they reproduce its planning table within 12 % (and the t-mixture's, roughly).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from vettle.engine.judging.elimination import MINIMUM_BLOCKS

_MEAN = 9.5
_NINETIETH = 17.5
_TIE = 12.1
_LARGE_EFFECT = 0.3
_EXTRA_BLOCKS = 10
_VARIANTS = ((2, 1.0), (5, 1.9), (20, 2.8))


class Blocks(NamedTuple):
    """How many blocks it takes: on average, and in nine of ten experiments."""

    mean: float
    ninetieth: float


def binary_variance(base: float, effect: float = 0.0) -> float:
    """Return Var(d) of the difference of two binary outcomes: p (1 - p) + q (1 - q) with q = p + effect.

    q is kept in [0, 1]; without an effect it is 2 p (1 - p).
    """
    other = min(max(base + effect, 0.0), 1.0)
    return base * (1 - base) + other * (1 - other)


def blocks_needed(effect: float, variance: float, variants: int = 2, alpha: float = 0.05) -> Blocks:
    """Return the blocks until the better of `variants` is found, for a difference of `effect`.

    n = 9.5 Var(d)/effect^2 on average and 17.5 Var(d)/effect^2 in nine of ten, plus 10 for effects of
    0.3 or more, times 1.9 for 5 variants and 2.8 for 20 (one better than equal others), interpolated
    in ln K; other levels scale with ln(2/alpha). Effect and variance are those of the within-block
    difference, effects of 0.3 and more in utilities. Never below 8; infinite without an effect.
    """
    if effect == 0:
        return Blocks(math.inf, math.inf)
    unit = variance / effect**2 * math.log(2 / alpha) / math.log(40)
    extra = _EXTRA_BLOCKS if abs(effect) >= _LARGE_EFFECT else 0
    factor = _factor(variants)
    mean, ninetieth = ((constant * unit + extra) * factor for constant in (_MEAN, _NINETIETH))
    return Blocks(max(mean, MINIMUM_BLOCKS), max(ninetieth, MINIMUM_BLOCKS))


def _factor(variants: int) -> float:
    """Interpolate the price of more variants in ln K, and extrapolate the last slope."""
    if variants <= 2:
        return 1.0
    (left, low), (right, high) = _VARIANTS[:2] if variants <= 5 else _VARIANTS[1:]
    return low + (high - low) * math.log(variants / left) / math.log(right / left)


def tie_blocks(margin: float, variance: float) -> float:
    """Return the mean blocks until two equal variants are proven to differ by less than the margin.

    12.1 Var(d)/margin^2, fitted to simulated margins of 0.05 to 0.20 (2,309, 577, 265 and 148 blocks at
    Var(d) = 0.48).
    """
    return max(_TIE * variance / margin**2, MINIMUM_BLOCKS)


def minimum_detectable_effect(
    budget: float, variance: float, variants: int = 2, alpha: float = 0.05, chance: float = 0.5
) -> float:
    """Return the smallest effect that `budget` blocks find: on average, or with chance 0.9 in nine of ten.

    Bisection of `blocks_needed`; it may exceed 1, then the budget finds nothing. Infinite below 8 blocks.
    """
    if budget < MINIMUM_BLOCKS:
        return math.inf
    low, high = 1e-9, 1.0
    while _blocks(high, variance, variants, alpha, chance) > budget:
        high *= 2
        if high > 1e12:
            return math.inf
    for _ in range(80):
        middle = (low + high) / 2
        if _blocks(middle, variance, variants, alpha, chance) > budget:
            low = middle
        else:
            high = middle
    return high


def _blocks(effect: float, variance: float, variants: int, alpha: float, chance: float) -> float:
    needed = blocks_needed(effect, variance, variants, alpha)
    return needed.ninetieth if chance >= 0.9 else needed.mean


def blocks_left(needed: float, log_e: float, alpha: float = 0.05) -> float:
    """Return what is left of `needed` blocks at the evidence so far.

    The evidence grows linearly in its logarithm, up to ln(2/alpha) (Kelly 1956); below zero there is
    more to go, at most as much again. At least 1.
    """
    share = 1 - max(log_e, -math.log(2 / alpha)) / math.log(2 / alpha)
    return max(needed * share, 1.0)


def futile(needed: float, log_e: float, budget: float, blocks: float, alpha: float = 0.05) -> bool:
    """Return whether the blocks expected to be left, at the declared minimum effect, exceed the budget left."""
    return blocks_left(needed, log_e, alpha) > budget - blocks
