"""Upper confidence bounds try everything first and mean the same on every scale."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vettle.engine.policies.options import Choice, Option, Ranked
from vettle.engine.policies.registry import choose


def ucb(*options: Option, seed: int = 0, **settings: float) -> Choice:
    """Choose by upper confidence bound."""
    return choose("ucb", options, np.random.default_rng(seed), **settings)


@pytest.mark.parametrize("mean", [0.5, 3.0, 80.0])
def test_the_untried_comes_first(mean: float) -> None:
    """An untried arm is tried also when the means of the others exceed 1, where a peer never tries it."""
    tried = [Option(name, n=20, mean=mean, low=0, high=100) for name in "ab"]
    choice = ucb(*tried, Option("new"))
    assert (choice.id, choice.propensity, choice.explored) == ("new", 1.0, True)
    assert choice.reason == "not tried yet"
    assert choice.ranking[0] == Ranked("new", None)


def test_several_untried_ones_are_drawn_from() -> None:
    """With two arms untried each has propensity 1/2."""
    choices = [ucb(Option("a", n=1, mean=1.0), Option("b"), Option("c"), seed=seed) for seed in range(40)]
    assert {choice.id for choice in choices} == {"b", "c"}
    assert choices[0].probabilities == (0.0, 0.5, 0.5)
    assert choices[0].ties == ("b", "c")


@pytest.mark.parametrize("n", [1.0, 0.4, 2e-6])
def test_hardly_any_results_are_no_trouble(n: float) -> None:
    """With one result in all, or less after discounting, the bonus is 0, not negative and not NaN."""
    choice = ucb(Option("a", n=n / 2, mean=0.2), Option("b", n=n / 2, mean=0.4))
    assert choice.id == "b"
    assert choice.ranking == (Ranked("b", 0.4), Ranked("a", 0.2))


def test_what_was_discounted_away_is_untried() -> None:
    """A record worth less than a millionth of a result is tried again."""
    assert ucb(Option("a", n=9, mean=0.9), Option("b", n=1e-9, mean=0.1)).id == "b"


def test_the_bound_is_the_formula() -> None:
    """The bounds are mean + sqrt(2 ln N / n) for results that range over [0, 1]."""
    choice = ucb(Option("a", n=30, mean=0.7), Option("b", n=10, mean=0.6))
    bounds = dict(choice.ranking)
    assert bounds["a"] == pytest.approx(0.7 + math.sqrt(2 * math.log(40) / 30))
    assert bounds["b"] == pytest.approx(0.6 + math.sqrt(2 * math.log(40) / 10))
    assert (choice.id, choice.explored) == ("b", True)


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 100.0), (-50.0, 1000.0), (2.0, 1e-6)])
def test_the_scale_does_not_matter(offset: float, scale: float) -> None:
    """Results of 0 to 100, or negative ones, are routed exactly as the same results on [0, 1] are."""
    generator = np.random.default_rng(7)
    counts, totals = np.zeros(2), np.zeros(2)
    for _ in range(300):
        plain = [Option("a"), Option("b")]
        scaled = [Option("a"), Option("b")]
        for arm in np.flatnonzero(counts).tolist():
            n, mean = float(counts[arm]), float(totals[arm] / counts[arm])
            plain[arm] = Option("ab"[arm], n=n, mean=mean)
            low, high = offset, offset + scale
            scaled[arm] = Option("ab"[arm], n=n, mean=offset + scale * mean, low=low, high=high)
        arm = ucb(*plain).index
        assert arm == ucb(*scaled).index
        counts[arm] += 1
        totals[arm] += generator.random() < (0.7, 0.9)[arm]
    assert counts[1] > 200


def test_constant_results_need_no_bonus() -> None:
    """When everything observed was the same, no arm has a bonus and chance decides among all."""
    choice = ucb(*(Option(name, n=n, mean=3.0, low=3.0, high=3.0) for name, n in (("a", 2), ("b", 50))))
    assert choice.ties == ("a", "b")
