"""Races are rarely wrong although somebody looks after every block, and end about when planned.

The simulations run many races at once with numpy; one test says that they are the races of the engine.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from vettle.engine.judging.betting import BETS, log_growth, log_mean, running_log_e
from vettle.engine.judging.blocks import BettingRace
from vettle.engine.judging.elimination import MINIMUM_BLOCKS, log_evidence_against
from vettle.engine.judging.mixture import MixtureRace, log_e_positive
from vettle.engine.judging.planning import binary_variance, blocks_needed, tie_blocks

ALPHA = 0.05
Floats = NDArray[np.float64]


class Ends(NamedTuple):
    """How many races ended: the winner's index (-1 without one), blocks until then and runs in all."""

    winner: NDArray[np.intp]
    blocks: Floats
    runs: Floats


def betting_races(scores: Floats) -> Ends:
    """Run many races at once by block betting: scores of shape (races, blocks, variants)."""
    races, _, count = scores.shape
    wealth = np.zeros((races, count, count, len(BETS)))

    def fold(block: Floats, both: NDArray[np.bool_]) -> Floats:
        nonlocal wealth
        wealth += log_growth(np.where(both, block[:, :, None] - block[:, None, :], 0.0))
        return log_mean(wealth)

    return _races(scores, fold)


def mixture_races(scores: Floats) -> Ends:
    """Run many races at once by the t-mixture: scores of shape (races, blocks, variants)."""
    races, _, count = scores.shape
    n, total, squares = (np.zeros((races, count, count)) for _ in range(3))

    def fold(block: Floats, both: NDArray[np.bool_]) -> Floats:
        nonlocal n, total, squares
        d = np.where(both, block[:, :, None] - block[:, None, :], 0.0)
        n, total, squares = n + both, total + d, squares + d * d
        mean = total / np.maximum(n, 1)
        return log_e_positive(n, n - 1, mean, (squares - n * mean**2) / np.maximum(n - 1, 1))

    return _races(scores, fold)


def _races(scores: Floats, fold: Any) -> Ends:
    races, length, count = scores.shape
    alive = np.ones((races, count), dtype=bool)
    blocks, runs = np.full(races, float(length)), np.zeros(races)
    for t in range(length):
        running = alive.sum(axis=1) > 1
        runs += np.where(running, alive.sum(axis=1), 0)
        both = alive[:, :, None] & alive[:, None, :] & ~np.eye(count, dtype=bool) & running[:, None, None]
        against = log_evidence_against(fold(scores[:, t], both))
        if t + 1 < MINIMUM_BLOCKS:
            continue
        lost = alive & (against >= math.log(2 / ALPHA)) & running[:, None]
        everybody = lost.sum(axis=1) == alive.sum(axis=1)
        keep = np.where(alive, against, np.inf).argmin(axis=1)
        lost[everybody, keep[everybody]] = False
        alive &= ~lost
        blocks[running & (alive.sum(axis=1) == 1)] = t + 1
    winner = np.where(alive.sum(axis=1) == 1, alive.argmax(axis=1), -1)
    return Ends(winner, blocks, runs)


def binary(seed: int, races: int, blocks: int, *means: float) -> Floats:
    """Draw scores of 0 or 1, of shape (races, blocks, variants)."""
    return (np.random.default_rng(seed).random((races, blocks, len(means))) < np.array(means)).astype(float)


def beta(seed: int, races: int, blocks: int, *means: float, sd: float = 0.15) -> Floats:
    """Draw scores in [0, 1] with these means and one standard deviation."""
    mean = np.array(means)
    size = mean * (1 - mean) / sd**2 - 1
    return np.random.default_rng(seed).beta(mean * size, (1 - mean) * size, (races, blocks, len(means)))


@pytest.mark.parametrize(("engine", "batch"), [(BettingRace, betting_races), (MixtureRace, mixture_races)])
def test_the_simulations_run_the_races_of_the_engine(engine: Any, batch: Any) -> None:
    """Folded one block at a time, a race names the same winner after as many blocks as in the simulation."""
    scores = beta(1, 6, 150, 0.5, 0.6, 0.65)
    ends = batch(scores)
    for number, blocks in enumerate(scores):
        race = engine(["a", "b", "c"])
        for block in blocks:
            if race.winner is None:
                race.add({name: float(block[race.index(name)]) for name in race.survivors})
        assert race.blocks == ends.blocks[number]
        winner = -1 if race.winner is None else race.index(race.winner)
        assert winner == ends.winner[number]


@pytest.mark.parametrize(
    ("kind", "races", "blocks", "means"),
    [
        (binary, 400, 800, (0.6, 0.6)),
        (binary, 400, 800, (0.95, 0.95)),
        (beta, 300, 600, (0.6, 0.6)),
        (binary, 100, 400, (0.6,) * 5),
        (binary, 100, 500, (0.7, 0.7, 0.5, 0.5, 0.5)),
        (binary, 20, 200, (0.6,) * 20),
    ],
)
def test_equal_variants_rarely_have_a_winner(
    kind: Any, races: int, blocks: int, means: tuple[float, ...]
) -> None:
    """Of races whose best variants are equal at most 5 % name a winner, looked at after every block."""
    assert (betting_races(kind(2, races, blocks, *means)).winner >= 0).mean() <= ALPHA


def test_drift_makes_no_winner() -> None:
    """If all variants get better and worse together, at most 5 % of races name a winner."""
    races, blocks = 300, 600
    base = 0.5 + 0.2 * np.sin(np.arange(blocks) / 80)
    draws = np.random.default_rng(3).random((races, blocks, 2))
    assert (betting_races((draws < base[:, None]).astype(float)).winner >= 0).mean() <= ALPHA


def test_equal_latencies_rarely_have_a_winner() -> None:
    """Log-normal values of 2, 5 and 20 equal variants: at most 5 % of t-mixture races name a winner."""
    for count, races, blocks in ((2, 400, 600), (5, 100, 300), (20, 20, 150)):
        scores = np.random.default_rng(4).lognormal(0, 1, (races, blocks, count))
        assert (mixture_races(scores).winner >= 0).mean() <= ALPHA


def test_the_highest_average_is_no_verdict() -> None:
    """After ten blocks the higher of the averages of .6 and .7 is the wrong one in a third of experiments or more."""
    scores = binary(5, 2000, 10, 0.6, 0.7).mean(axis=1)
    assert (scores[:, 0] >= scores[:, 1]).mean() > 0.33


@pytest.mark.parametrize(("means", "races", "limit"), [((0.6, 0.7), 150, 480), ((0.6, 0.8), 300, 120)])
def test_a_better_variant_is_found_in_time(means: tuple[float, float], races: int, limit: float) -> None:
    """.6 against .7 takes at most 480 runs per arm on average, .6 against .8 at most 120, and is right."""
    ends = betting_races(binary(6, races, 2000, *means))
    assert (ends.winner == 1).mean() >= 0.99
    assert ends.blocks.mean() <= limit
    needed = blocks_needed(means[1] - means[0], binary_variance(means[0], means[1] - means[0]))
    assert ends.blocks.mean() == pytest.approx(needed.mean, rel=0.15)
    assert float(np.quantile(ends.blocks, 0.9)) == pytest.approx(needed.ninetieth, rel=0.2)


def test_a_better_score_is_found_in_time() -> None:
    """Beta scores of .6 and .65 take at most 230 runs per arm by bets, and fewer by the t-mixture."""
    scores = beta(7, 200, 1200, 0.6, 0.65)
    bets, mixture = betting_races(scores), mixture_races(scores)
    assert (bets.winner == 1).mean() >= 0.99
    assert (mixture.winner == 1).mean() >= 0.99
    assert bets.blocks.mean() <= 230
    assert mixture.blocks.mean() < bets.blocks.mean()


def test_elimination_saves_runs() -> None:
    """Five spread variants take at most 1,900 runs until the best is found, and it is the best."""
    ends = betting_races(binary(8, 100, 1500, 0.4, 0.5, 0.55, 0.6, 0.7))
    assert (ends.winner == 4).mean() >= 0.98
    assert ends.runs.mean() <= 1900


def test_ties_are_declared() -> None:
    """Equal variants are proven to differ by less than .15 in 95 % of races within 600 blocks, 300 on average."""
    d = np.diff(binary(9, 200, 600, 0.6, 0.6), axis=2)[..., 0]
    below = [running_log_e((0.15 + sign * d) / 1.15) for sign in (-1, 1)]
    tied = np.minimum(*below) >= math.log(1 / ALPHA)
    blocks = np.where(tied.any(axis=1), tied.argmax(axis=1) + 1, 600)
    assert tied.any(axis=1).mean() >= 0.95
    assert blocks.mean() <= 300
    assert blocks.mean() == pytest.approx(tie_blocks(0.15, 0.48), rel=0.12)


def test_unequal_variants_are_rarely_tied() -> None:
    """Variants that differ by exactly the margin are called equivalent in at most 5 % of races."""
    d = np.diff(binary(10, 300, 800, 0.5, 0.65), axis=2)[..., 0]
    below = [running_log_e((0.15 + sign * d) / 1.15) for sign in (-1, 1)]
    assert (np.minimum(*below).max(axis=1) >= math.log(1 / ALPHA)).mean() <= ALPHA


def test_the_same_item_halves_the_blocks() -> None:
    """With a correlation of one half within items, at most 0.6 times as many blocks are needed."""
    draws = np.random.default_rng(11)
    item, own = draws.standard_normal((200, 1500, 1)), draws.standard_normal((200, 1500, 2))
    quantiles = np.array([0.2533, -0.2533])  # normal quantiles of 0.6 and 0.4: means .4 and .6
    latent = math.sqrt(0.72) * item + math.sqrt(0.28) * own
    same = (latent > quantiles).astype(float)
    apart = binary(12, 200, 1500, 0.4, 0.6)
    correlation = float(np.corrcoef(same[..., 0].ravel(), same[..., 1].ravel())[0, 1])
    assert correlation == pytest.approx(0.5, abs=0.03)
    assert betting_races(same).blocks.mean() <= 0.6 * betting_races(apart).blocks.mean()


def test_the_interval_holds_at_all_looks() -> None:
    """The true difference is outside the limits at any of the looks in at most 5 % of races, for bets of the test.

    The limits exclude a mean m exactly if the bets on (d - m)/(1 + m) or its mirror image reach 2/alpha.
    """
    d = np.diff(binary(13, 400, 600, 0.5, 0.7), axis=2)[..., 0]
    below = running_log_e((d - 0.2) / 1.2).max(axis=1)
    above = running_log_e((0.2 - d) / 0.8).max(axis=1)
    assert (np.maximum(below, above) >= math.log(2 / ALPHA)).mean() <= ALPHA
