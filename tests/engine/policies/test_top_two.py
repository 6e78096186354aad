"""Top-two sampling spends its runs on the leader and what is hardest to tell from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from vettle.engine.policies.options import Option
from vettle.engine.policies.registry import choose

CLEAR = [
    Option("leader", n=400, mean=0.8, m2=64),
    Option("close", n=400, mean=0.6, m2=96),
    Option("far", n=400, mean=0.3, m2=84),
    Option("farther", n=400, mean=0.2, m2=64),
]


def log_e(n: float, difference: float, spread: float, freedom: float) -> float:
    """Return the log of the scale-free Gaussian mixture e-value (statistics.md 4.1), tau = .3."""
    g = 1 + 0.09 * n
    t2 = n * difference**2 / spread
    ratio = math.log1p(t2 / freedom) - math.log1p(t2 / (freedom * g))
    return -0.5 * math.log(g) + (freedom + 1) / 2 * ratio


def separated(options: list[Option], leader: int) -> bool:
    """Tell whether the leader's e-value against every other reaches 40, which is 2/alpha."""
    best = options[leader]
    for other in options[:leader] + options[leader + 1 :]:
        freedom = best.n + other.n - 2
        if min(best.n, other.n) < 3 or best.m2 + other.m2 == 0 or best.mean <= other.mean:
            return False
        spread, pairs = (best.m2 + other.m2) / freedom, best.n * other.n / (best.n + other.n)
        if log_e(pairs, best.mean - other.mean, spread, freedom) < math.log(40):
            return False
    return True


def runs_to_a_decision(means: Sequence[float], seed: int, *, adaptive: bool) -> tuple[int, int]:
    """Return how many runs it takes until one of these arms is separated, and which."""
    generator = np.random.default_rng(seed)
    options = [Option(str(arm)) for arm in range(len(means))]
    for run in range(20_000):
        arm = choose("top_two", options, generator, draws=20).index if adaptive else run % len(means)
        old = options[arm]
        result = float(generator.random() < means[arm])
        mean = old.mean + (result - old.mean) / (old.n + 1)
        m2 = old.m2 + (result - old.mean) * (result - mean)
        options[arm] = Option(old.id, n=old.n + 1, mean=mean, m2=m2)
        leader = max(range(len(means)), key=lambda index: options[index].mean)
        if separated(options, leader):
            return run + 1, leader
    return 20_000, -1


def test_leader_and_challenger_share_what_the_floor_leaves() -> None:
    """A sure leader and its closest challenger have .45 + .025 each, the others .025 of the floor of .1."""
    choice = choose("top_two", CLEAR, np.random.default_rng(0))
    assert choice.probabilities == pytest.approx((0.475, 0.475, 0.025, 0.025))
    assert choice.draws == 1000
    unfloored = choose("top_two", CLEAR, np.random.default_rng(0), floor=0)
    assert unfloored.probabilities == pytest.approx((0.5, 0.5, 0, 0))


def test_the_challenger_is_the_hardest_to_tell_apart() -> None:
    """A worse arm with few runs challenges before a better one that is known well: cost, not rank, decides."""
    unsure = [*CLEAR[:2], Option("unsure", n=4, mean=0.5, m2=1)]
    choice = choose("top_two", unsure, np.random.default_rng(0), floor=0)
    assert choice.probabilities[2] > 0.4
    assert choice.probabilities[1] < 0.1


def test_nothing_known_is_nearly_uniform() -> None:
    """Without results no arm is favoured beyond the noise of the draws, whatever its position."""
    choice = choose("top_two", [Option(name) for name in "abcde"], np.random.default_rng(1), draws=10_000)
    assert choice.probabilities == pytest.approx((0.2,) * 5, abs=0.01)


def test_steady_results_settle_sooner() -> None:
    """Of equal means and counts, results that vary less leave a third-best arm fewer runs."""
    chances = []
    for m2 in (7.3, 0.1):
        options = [
            Option(name, n=30, mean=mean, m2=m2) for name, mean in (("a", 0.6), ("b", 0.55), ("c", 0.5))
        ]
        chances.append(choose("top_two", options, np.random.default_rng(2), floor=0).probabilities[2])
    assert chances[0] > 0.05
    assert chances[1] < 0.01


def test_it_needs_far_fewer_runs_than_taking_turns() -> None:
    """To separate .7 from .4, .5, .55 and .6 it needs about 1,200 runs, half of what taking turns does."""
    means = (0.4, 0.5, 0.55, 0.6, 0.7)
    ours = [runs_to_a_decision(means, seed, adaptive=True) for seed in range(16)]
    turns = [runs_to_a_decision(means, seed, adaptive=False) for seed in range(16)]
    assert {winner for _, winner in ours} == {4}
    spent, spent_in_turns = (float(np.mean([count for count, _ in runs])) for runs in (ours, turns))
    assert spent < 1800
    assert spent < 0.75 * spent_in_turns
