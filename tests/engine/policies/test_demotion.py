"""A good model is hardly ever demoted by bad luck, a bad one soon is, and neither flickers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.demotion import Levels, beta_distribution, standing
from vettle.engine.policies.options import Option


def ever_demoted(rate: float, tasks: int) -> float:
    """Return the exact chance that a model of this success rate is demoted within so many tasks."""
    chances, demoted = {0: 1.0}, 0.0
    for n in range(1, tasks + 1):
        after: dict[int, float] = {}
        for successes, chance in chances.items():
            after[successes + 1] = after.get(successes + 1, 0.0) + chance * rate
            after[successes] = after.get(successes, 0.0) + chance * (1 - rate)
        chances = {}
        for successes, chance in after.items():
            if standing(Option("m", n=n, mean=successes / n)).demoted:
                demoted += chance
            else:
                chances[successes] = chance
    return demoted


def changes(rate: float, seed: int, levels: Levels) -> int:
    """Return how often the status changes in 200 tasks whose record fades with a half-life of 20."""
    generator = np.random.default_rng(seed)
    n, total, demoted, count = 0.0, 0.0, False, 0
    for _ in range(200):
        n, total = n * 0.5 ** (1 / 20) + 1, total * 0.5 ** (1 / 20) + (generator.random() < rate)
        now = standing(Option("m", n=n, mean=total / n), demoted=demoted, levels=levels).demoted
        count += now != demoted
        demoted = now
    return count


@pytest.mark.parametrize(("rate", "at_most"), [(0.9, 0.001), (0.8, 0.02), (0.7, 0.02), (0.6, 0.05)])
def test_good_models_are_not_demoted_by_bad_luck(rate: float, at_most: float) -> None:
    """Checked after each of 30 tasks, a model of rate .8 is demoted with chance under 2 % (a peer: 13 %)."""
    assert ever_demoted(rate, 30) < at_most


@pytest.mark.parametrize(
    ("rate", "exact"), [(0.8, 0.001), (0.7, 0.007), (0.6, 0.041), (0.3, 0.847), (0.2, 0.988)]
)
def test_the_chances_are_those_documented(rate: float, exact: float) -> None:
    """The exact chances of demotion within 30 tasks are the ones that `Levels` states."""
    assert ever_demoted(rate, 30) == pytest.approx(exact, abs=0.0006)


def test_looking_longer_does_not_undo_it() -> None:
    """Also within 100 tasks a model of rate .8 is demoted with chance under 2 %, of .7 under 2 %."""
    assert ever_demoted(0.8, 100) < 0.02
    assert ever_demoted(0.7, 100) < 0.02


def test_between_the_levels_nothing_changes() -> None:
    """With a doubtful record a model stays what it was, in either state, and the reason says so."""
    doubtful = Option("m", n=20, mean=0.4)
    for demoted in (False, True):
        now = standing(doubtful, demoted=demoted)
        assert 0.6 < now.probability < 0.95
        assert now.demoted is demoted
        assert "between the levels" in now.reason


def test_two_levels_flicker_less_than_one() -> None:
    """A model at .4 with a fading record changes status much less often than with a single level."""
    two = np.mean([changes(0.4, seed, Levels()) for seed in range(20)])
    one = np.mean([changes(0.4, seed, Levels(promote=0.9499)) for seed in range(20)])
    assert two < 0.5 * one


def test_a_few_results_are_too_early() -> None:
    """Four failures of four are suspicious but too early to tell; the fifth demotes."""
    four, five = (standing(Option("m", n=n, mean=0.0)) for n in (4, 5))
    assert four.probability > 0.95
    assert not four.demoted
    assert "too early to tell, 5 are needed" in four.reason
    assert five.demoted


def test_good_results_bring_it_back() -> None:
    """A demoted model that does well on its trials is promoted."""
    assert not standing(Option("m", n=20, mean=0.55), demoted=True).demoted


def test_a_faded_record_is_another_trial() -> None:
    """When failures have been discounted away, a demoted model is tried again, and a new one never demoted."""
    assert standing(Option("m", n=5, mean=0.0), demoted=True).demoted
    assert not standing(Option("m", n=0.3, mean=0.0), demoted=True).demoted
    assert not standing(Option("m"), demoted=True).demoted


def test_a_prior_counts() -> None:
    """A model believed good before is demoted later than an unknown one."""
    unknown = Option("m", n=6, mean=0.0)
    trusted = Option("m", n=6, mean=0.0, prior_mean=0.8, prior_strength=10)
    assert standing(unknown).demoted
    assert not standing(trusted).demoted


@pytest.mark.parametrize(
    "levels",
    [
        {"threshold": 0.0},
        {"threshold": math.nan},
        {"demote": 0.5},
        {"demote": 1.5},
        {"promote": -0.1},
        {"minimum": math.nan},
    ],
)
def test_levels_that_cannot_be_are_refused(levels: dict[str, float]) -> None:
    """A threshold that is no rate, levels in the wrong order, and NaN are refused."""
    with pytest.raises(InvalidArgument):
        Levels(**levels)


def test_the_beta_distribution_is_the_binomial_tail() -> None:
    """For whole parameters it equals the sum of binomial probabilities (DLMF 8.17.5)."""
    for alpha, beta, x in (
        (1, 1, 0.3),
        (1, 6, 0.5),
        (8, 3, 0.7),
        (30, 40, 0.45),
        (60, 2, 0.99),
        (2, 90, 0.001),
    ):
        n = alpha + beta - 1
        tail = sum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(alpha, n + 1))
        assert beta_distribution(x, alpha, beta) == pytest.approx(tail, rel=1e-11)


def test_the_beta_distribution_equals_another_implementation() -> None:
    """For fractional and large parameters it equals the values of scipy 1.17.1."""
    for x, alpha, beta, expected in FROM_SCIPY:
        assert beta_distribution(x, alpha, beta) == pytest.approx(expected, rel=1e-8)
    assert beta_distribution(0.0, 2, 3) == 0
    assert beta_distribution(1.0, 2, 3) == 1


FROM_SCIPY = [
    (0.5, 0.5, 0.5, 0.5000000000000001),
    (0.2, 0.001, 0.003, 0.74896397895373),
    (0.9, 7.25, 0.4, 0.1752137901112993),
    (0.51, 5000.5, 4999.5, 0.9767127536958014),
    (0.3, 300000.0, 701000.0, 0.7436631090610295),
    (0.0001, 1.5, 9000.0, 0.3850955308216384),
]
