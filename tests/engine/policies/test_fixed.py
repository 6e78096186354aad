"""Shares are kept exactly: a weight is a proportion, and nothing is never drawn."""

from __future__ import annotations

import numpy as np
import pytest

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import Choice, Option
from vettle.engine.policies.registry import choose


def drawn(weights: list[float], seed: int = 0) -> Choice:
    """Choose among options "0", "1", ... of these weights."""
    options = [Option(str(index), weight=weight) for index, weight in enumerate(weights)]
    return choose("weighted", options, np.random.default_rng(seed))


def test_weights_are_proportions() -> None:
    """Weights 1, 0 and 3 are chances of exactly 1/4, 0 and 3/4, and the reason says so."""
    choice = drawn([1, 0, 3], seed=2)
    assert choice.probabilities == (0.25, 0.0, 0.75)
    assert choice.reason == "drawn with weight 3, a share of 75.0%"


def test_weight_zero_is_never_chosen() -> None:
    """In 3,000 draws an option of weight 0 does not come, first, last or in the middle."""
    assert {drawn([0, 1, 0, 1, 0], seed).id for seed in range(3000)} == {"1", "3"}


def test_all_zero_is_refused() -> None:
    """Weights that leave nothing to draw are refused."""
    with pytest.raises(InvalidArgument, match=r"options\.weight: all are 0"):
        drawn([0, 0])


def test_huge_and_tiny_weights_stay_proportions() -> None:
    """Weights whose sum overflows, or that are subnormal, are proportions all the same."""
    assert drawn([1.5e308, 1.5e308]).probabilities == (0.5, 0.5)
    assert drawn([5e-324, 5e-324]).probabilities == (0.5, 0.5)


def test_uniform_ignores_everything() -> None:
    """A uniform choice gives equal chances whatever weight, score and results say, and counts as exploring."""
    options = [Option("a", weight=0), Option("b", score=9.0), Option("c", n=50, mean=0.9), Option("d")]
    choice = choose("uniform", options, np.random.default_rng(0))
    assert choice.probabilities == (0.25,) * 4
    assert choice.explored
    assert choice.reason == "drawn at random, 1 of 4"
