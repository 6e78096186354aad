"""Thompson sampling takes each option as often as it is believed best, and loses less than a coin."""

from __future__ import annotations

import numpy as np
import pytest

from vettle.engine.policies.options import Option
from vettle.engine.policies.registry import choose

MEANS = (0.60, 0.65, 0.80)


def regret(policy: str, seed: int, **settings: float) -> tuple[float, bool]:
    """Return what 300 pulls of three arms cost against the best, and whether the best was pulled most."""
    generator = np.random.default_rng(seed)
    counts, totals, lost = [0] * 3, [0.0] * 3, 0.0
    for _ in range(300):
        options = [
            Option(str(arm), n=counts[arm], mean=totals[arm] / max(counts[arm], 1)) for arm in range(3)
        ]
        arm = choose(policy, options, generator, **settings).index
        counts[arm] += 1
        totals[arm] += generator.random() < MEANS[arm]
        lost += max(MEANS) - MEANS[arm]
    return lost, counts[2] == max(counts)


def test_propensity_is_the_chance_of_being_best() -> None:
    """The chance that Beta(2, 1) exceeds Beta(1, 1) is 2/3, and 20,000 draws find it."""
    options = [Option("won once", n=1, mean=1.0), Option("new")]
    choice = choose("thompson", options, np.random.default_rng(1), draws=20_000)
    assert choice.probabilities[0] == pytest.approx(2 / 3, abs=0.015)
    assert choice.draws == 20_000


def test_the_number_of_draws_changes_no_frequency() -> None:
    """One draw a choice is plain Thompson sampling: the same frequencies, with less to say about each."""
    options = [Option("won once", n=1, mean=1.0), Option("new")]
    generator = np.random.default_rng(2)
    plain = [choose("thompson", options, generator, draws=1) for _ in range(4000)]
    assert {choice.propensity for choice in plain} == {1.0}
    assert np.mean([choice.index == 0 for choice in plain]) == pytest.approx(2 / 3, abs=0.03)


def test_results_between_0_and_1_count_in_parts() -> None:
    """Ten results of mean .5 and ten of which half succeeded are the same belief."""
    generators = (np.random.default_rng(4) for _ in range(2))
    whole, parts = ([Option("a", n=10, mean=0.5, m2=m2), Option("b")] for m2 in (2.5, 0.0))
    assert choose("thompson", whole, next(generators)) == choose("thompson", parts, next(generators))


def test_draws_that_round_to_the_same_share_the_win() -> None:
    """Priors so weak that most draws are exactly 0 or 1 favour no position."""
    options = [Option(name, prior_strength=1e-6) for name in "abcd"]
    probabilities = choose("thompson", options, np.random.default_rng(3), draws=4000).probabilities
    assert probabilities == pytest.approx((0.25,) * 4, abs=0.03)


def test_a_discounted_record_explores_again() -> None:
    """Discounting two clear records to a twentieth makes the worse one worth another try."""
    fresh = [Option("a", n=100, mean=0.8), Option("b", n=100, mean=0.5)]
    stale = [Option("a", n=5, mean=0.8), Option("b", n=5, mean=0.5)]
    chances = [
        choose("thompson", options, np.random.default_rng(5)).probabilities[1] for options in (fresh, stale)
    ]
    assert chances[0] < 0.01
    assert chances[1] > 0.1


def test_what_is_not_the_best_so_far_is_explored() -> None:
    """Exploring means taking anything but the highest posterior mean."""
    options = [Option("a", n=10, mean=0.7), Option("b", n=10, mean=0.6)]
    choices = [choose("thompson", options, np.random.default_rng(seed)) for seed in range(40)]
    assert {(choice.id, choice.explored) for choice in choices} == {("a", False), ("b", True)}


def test_it_loses_less_than_epsilon_greedy() -> None:
    """On .60/.65/.80 300 pulls cost about 9.5, less than with epsilon .1, and nearly always find the best."""
    ours = [regret("thompson", seed, draws=5) for seed in range(60)]
    coin = [regret("epsilon_greedy", seed) for seed in range(60)]
    lost, coin_lost = (float(np.mean([run[0] for run in runs])) for runs in (ours, coin))
    assert lost < 11.5
    assert lost < 0.9 * coin_lost
    assert np.mean([found for _, found in ours]) >= 0.95
    assert np.mean([found for _, found in ours]) > np.mean([found for _, found in coin])
