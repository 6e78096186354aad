"""The best so far is taken by its posterior mean; a coin of known chance explores."""

from __future__ import annotations

import numpy as np
import pytest

from vettle.engine.policies.options import Option
from vettle.engine.policies.registry import choose

RECORD = [Option("lucky", n=1, mean=1.0), Option("proven", n=50, mean=0.8), Option("new")]


def test_one_lucky_result_does_not_beat_a_long_record() -> None:
    """One success of one ranks below forty of fifty, and what is untried has its prior mean."""
    choice = choose("best_so_far", RECORD, np.random.default_rng(0))
    assert choice.id == "proven"
    assert [id_ for id_, _ in choice.ranking] == ["proven", "lucky", "new"]
    assert choice.reason == "highest posterior mean, 0.788 after 50 results"
    assert not choice.explored


def test_a_prior_counts_as_much_as_its_strength() -> None:
    """A prior mean of .9 worth 20 results leads until results say otherwise."""
    hopeful = Option("new", prior_mean=0.9, prior_strength=20)
    assert choose("best_so_far", [*RECORD[:2], hopeful], np.random.default_rng(0)).id == "new"
    sobered = Option("new", n=20, mean=0.3, prior_mean=0.9, prior_strength=20)
    assert choose("best_so_far", [*RECORD[:2], sobered], np.random.default_rng(0)).id == "proven"


def test_equals_are_decided_by_chance() -> None:
    """Options without results are tied: each may be chosen, with propensity 1/3, and the tie is said."""
    options = [Option(name) for name in "abc"]
    choices = [choose("best_so_far", options, np.random.default_rng(seed)) for seed in range(50)]
    assert {choice.id for choice in choices} == {"a", "b", "c"}
    assert {choice.propensity for choice in choices} == {1 / 3}
    assert {choice.ties for choice in choices} == {("a", "b", "c")}


@pytest.mark.parametrize(("epsilon", "share"), [(0.0, 0.0), (0.3, 0.1), (1.0, 1 / 3)])
def test_the_coin_is_exact(epsilon: float, share: float) -> None:
    """Everything has epsilon/3, the best the rest too; the coin says when it explored, also onto the best."""
    choices = [
        choose("epsilon_greedy", RECORD, np.random.default_rng(seed), epsilon=epsilon) for seed in range(600)
    ]
    for choice in choices:
        assert choice.probabilities == pytest.approx((share, 1 - 2 * share, share))
        assert choice.explored == choice.reason.startswith("explored")
        assert choice.explored or choice.id == "proven"
    explored = sum(choice.explored for choice in choices)
    assert abs(explored - 600 * epsilon) <= 4 * (600 * epsilon * (1 - epsilon)) ** 0.5
    assert epsilon == 0 or any(choice.explored and choice.id == "proven" for choice in choices)


def test_a_tie_is_shared_before_the_coin_is() -> None:
    """With two equally best of three and epsilon .3, each of the two has .1 + .35."""
    options = [Option("a", n=4, mean=0.75), Option("b", n=4, mean=0.75), Option("c", n=4, mean=0.25)]
    choice = choose("epsilon_greedy", options, np.random.default_rng(0), epsilon=0.3)
    assert choice.probabilities == pytest.approx((0.45, 0.45, 0.1))
    assert choice.explored or choice.ties == ("a", "b")
