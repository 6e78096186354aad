"""What an experiment costs is known before it starts, and a winner's luck is taken off afterwards."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from vettle.engine.judging.planning import (
    binary_variance,
    blocks_left,
    blocks_needed,
    futile,
    minimum_detectable_effect,
    tie_blocks,
)
from vettle.engine.judging.shrinkage import LABEL, Belief, chances, shrink_together, shrunk

TABLE = {
    (0.6, 0.05): (1786, 3262),
    (0.6, 0.10): (431, 786),
    (0.6, 0.15): (190, 339),
    (0.6, 0.20): (102, 184),
    (0.6, 0.30): (44, 75),
    (0.3, 0.05): (1676, 3176),
    (0.3, 0.10): (429, 788),
    (0.3, 0.15): (202, 399),
    (0.3, 0.20): (118, 212),
    (0.3, 0.30): (58, 104),
    (0.3, 0.40): (35, 58),
}
"""Mean and 90th percentile of simulated blocks of the block-betting test by (base, effect)."""


@pytest.mark.parametrize(("question", "blocks"), TABLE.items())
def test_the_formula_fits_the_simulations(question: tuple[float, float], blocks: tuple[int, int]) -> None:
    """Mean and 90th percentile are within 12 % of every row of the planning table."""
    base, effect = question
    needed = blocks_needed(effect, binary_variance(base, effect))
    assert needed.mean == pytest.approx(blocks[0], rel=0.12)
    assert needed.ninetieth == pytest.approx(blocks[1], rel=0.12)


@pytest.mark.parametrize(("margin", "blocks"), [(0.05, 2309), (0.10, 577), (0.15, 265), (0.20, 148)])
def test_ties_fit_the_simulations(margin: float, blocks: int) -> None:
    """The blocks until a tie are within 4 % of the simulated ones."""
    assert tie_blocks(margin, binary_variance(0.6)) == pytest.approx(blocks, rel=0.04)


def test_more_variants_cost_more() -> None:
    """Five variants take 1.9 times as many blocks, twenty 2.8 times, ten something between."""
    one = blocks_needed(0.1, 0.48)
    assert blocks_needed(0.1, 0.48, 5).mean == pytest.approx(1.9 * one.mean)
    assert blocks_needed(0.1, 0.48, 20).ninetieth == pytest.approx(2.8 * one.ninetieth)
    assert 1.9 < blocks_needed(0.1, 0.48, 10).mean / one.mean < 2.8
    assert blocks_needed(0.1, 0.48, 40).mean > 2.8 * one.mean


def test_binary_variances() -> None:
    """The variance of a difference adds both arms', and is 2 p (1 - p) without an effect."""
    assert binary_variance(0.6) == pytest.approx(0.48)
    assert binary_variance(0.6, 0.1) == pytest.approx(0.24 + 0.21)
    assert binary_variance(0.9, 0.5) == pytest.approx(0.09)


def test_planning_has_ends() -> None:
    """No effect takes for ever, a huge one takes the minimum of 8 blocks, a smaller alpha takes longer."""
    assert blocks_needed(0.0, 0.48).mean == math.inf
    assert blocks_needed(5.0, 0.01).mean >= 8
    assert blocks_needed(0.1, 0.48, alpha=0.005).mean == pytest.approx(456 * math.log(400) / math.log(40))


@pytest.mark.parametrize("budget", [20, 100, 1000])
def test_the_detectable_effect_inverts_the_plan(budget: int) -> None:
    """An experiment planned for the detectable effect takes the budget, in the mean or in nine of ten."""
    effect = minimum_detectable_effect(budget, 0.48)
    assert blocks_needed(effect * 1.001, 0.48).mean <= budget
    surely = minimum_detectable_effect(budget, 0.48, chance=0.9)
    assert surely > effect
    assert minimum_detectable_effect(7, 0.48) == math.inf


def test_a_hundred_runs_cannot_tell_three_points_apart() -> None:
    """With 100 blocks of binary outcomes the detectable effect is above 20 points."""
    assert minimum_detectable_effect(100, 0.48) > 0.2


def test_what_is_left_falls_with_the_evidence() -> None:
    """Half of the log evidence leaves half of the blocks; evidence below one leaves more than all."""
    assert blocks_left(400, math.log(40) / 2) == pytest.approx(200)
    assert blocks_left(400, -1.0) > 400
    assert blocks_left(400, -100.0) == 800
    assert blocks_left(400, 50.0) == 1


def test_futility() -> None:
    """It is futile if the expected rest exceeds what is left of the budget."""
    assert futile(400, 0.0, budget=300, blocks=10)
    assert not futile(400, math.log(40) * 0.9, budget=300, blocks=200)


def test_a_shrunk_difference_is_the_normal_posterior() -> None:
    """Prior N(0, .1^2) and error .1 leave half of the difference; without data the prior is left."""
    assert shrunk(0.2, 0.1) == pytest.approx((0.1, 0.1 / math.sqrt(2)))
    assert shrunk(0.2, math.inf) == (0.0, 0.1)
    assert shrunk(0.2, 0.0) == (0.2, 0.0)


def test_the_best_of_twenty_equal_configurations_is_near_the_truth() -> None:
    """The luckiest of 20 configurations of true .60 shows .79 after 20 runs; shrunk together, about .60."""
    draws = np.random.default_rng(1)
    raw, corrected = [], []
    for _ in range(300):
        means = draws.binomial(20, 0.6, 20) / 20
        pooled = float(means.mean())
        error = math.sqrt(pooled * (1 - pooled) / 20)
        names = {str(index): float(mean) for index, mean in enumerate(means)}
        beliefs = shrink_together(names, dict.fromkeys(names, error))
        raw.append(max(names.values()))
        corrected.append(max(belief.mean for belief in beliefs.values()))
    assert np.mean(raw) > 0.77
    assert np.mean(corrected) == pytest.approx(0.60, abs=0.04)


def test_truly_different_arms_are_hardly_shrunk() -> None:
    """Arms that differ by many standard errors keep nine tenths of their distance or more, and their order."""
    means = {"a": 0.2, "b": 0.5, "c": 0.8}
    beliefs = shrink_together(means, dict.fromkeys(means, 0.03))
    assert beliefs["c"].mean - beliefs["a"].mean > 0.9 * 0.6
    assert beliefs["a"].mean < beliefs["b"].mean < beliefs["c"].mean


def test_shrunk_estimates_are_closer_to_the_truth() -> None:
    """Over worlds drawn from the prior, the mean squared error of the shrunk difference is the smaller one."""
    draws = np.random.default_rng(2)
    truth = draws.normal(0, 0.1, 2000)
    seen = truth + draws.normal(0, 0.15, 2000)
    pulled = np.array([shrunk(float(value), 0.15).mean for value in seen])
    assert ((pulled - truth) ** 2).mean() < 0.5 * ((seen - truth) ** 2).mean()


def test_chances_are_those_of_normal_beliefs() -> None:
    """For two arms the chance to be best and the expected loss are the closed forms of the normal."""
    found = chances({"a": Belief(0.5, 0.03), "b": Belief(0.55, 0.04)}, seed=3, draws=200_000)
    assert found["b"].best == pytest.approx(stats.norm.cdf(0.05 / 0.05), abs=0.005)
    loss = 0.05 * stats.norm.pdf(1) - 0.05 * stats.norm.sf(1)
    assert found["b"].loss == pytest.approx(loss, abs=5e-4)
    assert found["a"].best + found["b"].best == pytest.approx(1)


def test_chances_repeat_with_the_seed() -> None:
    """The same seed gives the same numbers, which are labelled as no stopping rule."""
    beliefs = {"a": Belief(0.5, 0.1), "b": Belief(0.5, 0.1)}
    assert chances(beliefs, seed=7) == chances(beliefs, seed=7)
    assert chances(beliefs, seed=7) != chances(beliefs, seed=8)
    assert LABEL == "not a stopping rule"
