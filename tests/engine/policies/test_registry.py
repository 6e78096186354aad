"""Every policy says the exact chance of what it does, replays, and refuses what it cannot do."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import Option
from vettle.engine.policies.registry import POLICIES, choose

OPTIONS = [
    Option("a", weight=1, score=2.0, n=6, mean=0.5, m2=1.5),
    Option("b", weight=3, score=None, n=9, mean=0.6, m2=2.2),
    Option("c", weight=0, score=2.0, n=3, mean=0.7, m2=0.6),
    Option("d", weight=0.5, score=-1.0, n=5, mean=0.4, m2=1.2, prior_mean=0.6, prior_strength=4),
]
FEW_DRAWS = {"thompson": {"draws": 40}, "top_two": {"draws": 40}}


@pytest.mark.parametrize("policy", POLICIES)
def test_propensities_match_frequencies(policy: str) -> None:
    """Probabilities sum to 1, the chosen one is the propensity, and over 2,000 choices they are the frequencies."""
    generator = np.random.default_rng(11)
    chosen, expected, variance = np.zeros(4), np.zeros(4), np.zeros(4)
    for _ in range(2000):
        choice = choose(policy, OPTIONS, generator, **FEW_DRAWS.get(policy, {}))
        probabilities = np.array(choice.probabilities)
        assert probabilities.sum() == pytest.approx(1, abs=1e-12)
        assert choice.propensity == probabilities[choice.index] > 0
        assert choice.id == OPTIONS[choice.index].id
        chosen[choice.index] += 1
        expected += probabilities
        variance += probabilities * (1 - probabilities)
    assert np.abs(chosen - expected).max() <= 4 * np.sqrt(variance.max()) + 1e-6


@pytest.mark.parametrize("policy", POLICIES)
def test_equal_seeds_give_equal_choices(policy: str) -> None:
    """The same options and seed give the same choice, with the same reason, to the bit."""
    first, again = (choose(policy, OPTIONS, np.random.default_rng(3)) for _ in range(2))
    assert first == again
    assert first.policy == policy
    assert first.reason


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_to_choose_from_is_refused(policy: str) -> None:
    """No options are refused by every policy, never answered with nothing."""
    with pytest.raises(InvalidArgument, match="options: there are none"):
        choose(policy, [], np.random.default_rng(0))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_single_option_is_chosen_for_certain(policy: str) -> None:
    """One option has propensity 1 under every policy, tried or not."""
    for option in (Option("a", score=-3.0), Option("a", score=0.0, n=1, mean=1.0)):
        assert choose(policy, [option], np.random.default_rng(0)).probabilities == (1.0,)


@pytest.mark.parametrize("policy", sorted(set(POLICIES) - {"score", "weighted"}))
def test_extreme_numbers_stay_numbers(policy: str) -> None:
    """The weakest prior, the longest record and the least spread give probabilities, never NaN."""
    options = [
        Option("long", n=1e9, mean=1.0),
        Option("faint", n=1e-6, mean=0.0, prior_mean=1e-6, prior_strength=1e-6),
        Option("stubborn", prior_mean=1 - 1e-6, prior_strength=1e9),
    ]
    choice = choose(policy, options, np.random.default_rng(5))
    assert all(0 <= probability <= 1 for probability in choice.probabilities)
    assert sum(choice.probabilities) == pytest.approx(1)


def test_an_unknown_policy_names_the_valid_ones() -> None:
    """A wrong name is refused with all the right ones."""
    with pytest.raises(InvalidArgument, match=r"'softmax'. Valid: best_so_far, epsilon_greedy, .*, weighted"):
        choose("softmax", OPTIONS, np.random.default_rng(0))


def test_an_unknown_setting_names_the_valid_ones() -> None:
    """A setting that a policy does not have is refused, not dropped."""
    with pytest.raises(InvalidArgument, match=r"epsilon: thompson has no such setting. Valid: draws"):
        choose("thompson", OPTIONS, np.random.default_rng(0), epsilon=0.1)
    with pytest.raises(InvalidArgument, match=r"epsilon: uniform has no such setting. Valid: none"):
        choose("uniform", OPTIONS, np.random.default_rng(0), epsilon=0.1)


@pytest.mark.parametrize(
    ("policy", "setting", "value"),
    [
        ("epsilon_greedy", "epsilon", math.nan),
        ("epsilon_greedy", "epsilon", -0.1),
        ("epsilon_greedy", "epsilon", 1.1),
        ("ucb", "exploration", math.nan),
        ("ucb", "exploration", -1),
        ("ucb", "exploration", math.inf),
        ("thompson", "draws", 0),
        ("thompson", "draws", 10.5),
        ("thompson", "draws", math.nan),
        ("top_two", "draws", 1e9),
        ("top_two", "floor", math.nan),
        ("top_two", "floor", 2),
    ],
)
def test_a_setting_out_of_range_is_refused(policy: str, setting: str, value: float) -> None:
    """NaN and everything outside the documented range is refused by the setting's name."""
    with pytest.raises(InvalidArgument, match=setting):
        choose(policy, OPTIONS, np.random.default_rng(0), **{setting: value})


def test_an_id_given_twice_is_refused() -> None:
    """Options of equal id are refused: a peer merged their results."""
    with pytest.raises(InvalidArgument, match="'a' is given 2 times"):
        choose("uniform", [Option("b"), Option("a"), Option("a")], np.random.default_rng(0))


@pytest.mark.parametrize("policy", ["best_so_far", "epsilon_greedy", "thompson", "top_two"])
def test_results_that_are_no_utilities_are_refused(policy: str) -> None:
    """Policies with a Beta posterior refuse means outside [0, 1] and name the one that takes them."""
    options = [Option("a", n=3, mean=78.0, low=60, high=90), Option("b")]
    with pytest.raises(InvalidArgument, match="or use ucb"):
        choose(policy, options, np.random.default_rng(0))


def test_policies_do_not_load_numpy() -> None:
    """Importing the registry, the blocks or the demotion leaves numpy to whoever makes the generator."""
    code = (
        "import vettle.engine.policies.registry, vettle.engine.policies.blocks, vettle.engine.policies.demotion;"
        "import sys; sys.exit('numpy' in sys.modules)"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": path})
