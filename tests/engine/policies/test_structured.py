"""Arms that share parts are learned together: exactly the Gaussian posterior, and better than one by one."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.structured import (
    Arm,
    Parameters,
    StructuredPosterior,
    Term,
    combination,
    in_context,
)

Array = npt.NDArray[np.float64]

SHAPE = (5, 4, 4)
CELLS = list(product(*map(range, SHAPE)))
GRID = {str(cell): combination({f"d{d}": str(level) for d, level in enumerate(cell)}) for cell in CELLS}


def kernel(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the prior covariance of two combinations as statistics.md 4.7 states it."""
    equal = sum(a == b for a, b in zip(one, other, strict=True))
    return 0.2**2 + 0.06**2 * equal + 0.02**2 * math.comb(equal, 2) + 0.02**2 * (one == other)


def grid_world(generator: np.random.Generator) -> Array:
    """Draw the success rates of the 80 combinations: effects of sd .06 per level, .02 per pair and on its own."""
    rates = 0.5 + generator.normal(0, 0.02, SHAPE)
    for axis, size in enumerate(SHAPE):
        rates += np.expand_dims(generator.normal(0, 0.06, size), [a for a in range(3) if a != axis])
        pair = [size for a, size in enumerate(SHAPE) if a != axis]
        rates += np.expand_dims(generator.normal(0, 0.02, pair), axis)
    return np.clip(rates, 0.02, 0.98).ravel()


def structured_grid(rates: Array, generator: np.random.Generator, runs: int) -> tuple[float, float]:
    """Return the regret of the combination recommended after `runs`, and the cumulative regret of the runs."""
    posterior, lost = StructuredPosterior(), 0.0
    arms = list(GRID.values())
    for _ in range(runs):
        index = posterior.choose(GRID, generator, draws=1).index
        posterior.observe(arms[index], float(generator.random() < rates[index]))
        lost += rates.max() - rates[index]
    means = [belief.mean for belief in posterior.beliefs(arms)]
    return float(rates.max() - rates[int(np.argmax(means))]), lost


def separate_grid(rates: Array, generator: np.random.Generator, runs: int) -> tuple[float, float]:
    """Return the same for Thompson sampling with one Beta posterior per combination."""
    won, failed, lost = np.ones(len(rates)), np.ones(len(rates)), 0.0
    for _ in range(runs):
        index = int(generator.beta(won, failed).argmax())
        success = generator.random() < rates[index]
        won[index] += success
        failed[index] += not success
        lost += rates.max() - rates[index]
    return float(rates.max() - rates[int((won / (won + failed)).argmax())]), lost


def test_one_reward_moves_every_arm_by_its_covariance() -> None:
    """After one success each combination has moved by the stated prior covariance over the total variance."""
    posterior = StructuredPosterior()
    posterior.observe(GRID["(0, 0, 0)"], 1.0)
    variance = kernel((0, 0, 0), (0, 0, 0)) + 0.25
    for belief, cell in zip(posterior.beliefs(list(GRID.values())), CELLS, strict=True):
        covariance = kernel((0, 0, 0), cell)
        assert belief.mean == pytest.approx(0.5 + covariance / variance * 0.5, abs=1e-12)
        assert belief.sd**2 == pytest.approx(kernel(cell, cell) - covariance**2 / variance, abs=1e-12)


def test_it_is_the_filter_on_the_whole_covariance() -> None:
    """Folding 300 rewards coordinate by coordinate equals conditioning the joint Gaussian of all 80 arms."""
    generator = np.random.default_rng(0)
    posterior = StructuredPosterior()
    covariance = np.array([[kernel(one, other) for other in CELLS] for one in CELLS])
    mean, dispersion = np.full(len(CELLS), 0.5), 1.0
    for step in range(300):
        index, reward = int(generator.integers(len(CELLS))), float(generator.random() < 0.6)
        posterior.observe(GRID[str(CELLS[index])], reward)
        covariance += 0.005**2 * (step > 0)
        q = min(max(mean[index], 0.02), 0.98)
        error, variance = reward - mean[index], dispersion * q * (1 - q) + covariance[index, index]
        mean += covariance[index] * error / variance
        covariance -= np.outer(covariance[index], covariance[index]) / variance
        dispersion = min(max(dispersion * (1 + (error**2 / variance - 1) / (50 + step)), 0.05), 1.5)
    beliefs = posterior.beliefs(list(GRID.values()))
    assert [belief.mean for belief in beliefs] == pytest.approx(mean.tolist(), abs=1e-10)
    assert [belief.sd for belief in beliefs] == pytest.approx(
        np.sqrt(np.diag(covariance)).tolist(), abs=1e-10
    )


def test_replay_is_exact() -> None:
    """The same rewards in the same order leave the same beliefs and choices, to the bit."""
    posteriors = StructuredPosterior(), StructuredPosterior()
    arms = list(GRID.values())
    for posterior in posteriors:
        generator = np.random.default_rng(8)
        for _ in range(60):
            choice = posterior.choose(GRID, generator, draws=20)
            posterior.observe(arms[choice.index], generator.random())
    first, again = posteriors
    assert first.beliefs(arms) == again.beliefs(arms)
    assert first.choose(GRID, np.random.default_rng(1)) == again.choose(GRID, np.random.default_rng(1))


def test_untouched_arms_have_their_prior() -> None:
    """Before any reward every combination has mean .5 and its prior deviation, with a 90 % interval around it."""
    belief = StructuredPosterior().beliefs([GRID["(1, 2, 3)"]])[0]
    assert belief.mean == 0.5
    assert belief.sd == pytest.approx(math.sqrt(kernel((1, 2, 3), (1, 2, 3))))
    assert (belief.high - belief.mean) / belief.sd == pytest.approx(1.645, abs=1e-3)
    assert belief.high - belief.mean == pytest.approx(belief.mean - belief.low)


def test_a_variant_is_not_blamed_for_a_hard_context() -> None:
    """A model tried only on hard tasks still leads on easy ones over one that did as badly there and worse here."""
    posterior = StructuredPosterior()
    for _ in range(40):
        for step, easy in enumerate((1.0, 1.0, 1.0, 0.0)):
            posterior.observe(in_context("average", "easy"), easy)
            posterior.observe(in_context("average", "hard"), float(step == 0) * 0.4)
            posterior.observe(in_context("strong", "hard"), float(step < 2) * 0.8)
    average, strong = posterior.beliefs([in_context(model, "easy") for model in ("average", "strong")])
    assert strong.mean > average.mean
    assert strong.sd > average.sd


def test_past_the_cap_it_goes_on_with_what_is_shared() -> None:
    """When there is room for no more coordinates, new arms still teach about the levels that they share."""
    small = StructuredPosterior(Parameters(cap=14))
    generator = np.random.default_rng(3)
    for _ in range(400):
        cell = CELLS[int(generator.integers(len(CELLS)))]
        small.observe(GRID[str(cell)], float(generator.random() < (0.8 if cell[0] == 0 else 0.4)))
    good, bad = small.beliefs([GRID["(0, 1, 1)"], GRID["(1, 1, 1)"]])
    assert good.mean > bad.mean + 0.1
    assert small.observations == 400


def test_propensities_match_frequencies() -> None:
    """Over 2,000 choices each arm is taken as often as its probabilities add up to; they sum to 1."""
    arms = {name: in_context(name, "c") for name in "abc"}
    posterior = StructuredPosterior()
    for reward, name in ((1.0, "a"), (1.0, "b"), (0.0, "c")):
        posterior.observe(arms[name], reward)
    generator = np.random.default_rng(2)
    choices = [posterior.choose(arms, generator, draws=50) for _ in range(2000)]
    probabilities = np.array([choice.probabilities for choice in choices])
    assert probabilities.sum(axis=1) == pytest.approx(1.0)
    taken = np.bincount([choice.index for choice in choices], minlength=3)
    assert np.abs(taken - probabilities.sum(axis=0)).max() <= 4 * math.sqrt(2000 * 0.25)
    assert {choice.explored for choice in choices if choice.id == "c"} == {True}
    assert choices[0].draws == 50


def test_the_number_of_draws_at_a_time_changes_nothing() -> None:
    """More draws begin with the same draws, so a choice does not depend on how many fit into memory."""
    arms = {name: in_context(name, "c") for name in "abc"}
    few = StructuredPosterior().choose(arms, np.random.default_rng(2), draws=3000)
    noise = np.random.default_rng(2).standard_normal((3000, 3)).argmax(axis=1)
    assert few.probabilities == tuple((np.bincount(noise) / 3000).tolist())


def test_an_arm_that_finds_no_room_is_noise() -> None:
    """An arm that shares nothing with a full posterior teaches nothing, and keeps its prior."""
    posterior = StructuredPosterior(Parameters(cap=1))
    stranger: Arm = (Term(("alone",), 0.3),)
    posterior.observe((Term(("first",), 0.2),), 1.0)
    before = posterior.beliefs([(Term(("first",), 0.2),)])
    posterior.observe(stranger, 1.0)
    assert posterior.beliefs([(Term(("first",), 0.2),)]) == before
    assert posterior.beliefs([stranger])[0].sd == pytest.approx(0.3)


def test_what_is_no_utility_is_refused() -> None:
    """A NaN or a reward outside [0, 1], no arms and no dimension are refused."""
    posterior = StructuredPosterior()
    for reward in (math.nan, -0.1, 1.1):
        with pytest.raises(InvalidArgument, match="reward"):
            posterior.observe(in_context("a", "b"), reward)
    assert posterior.observations == 0
    with pytest.raises(InvalidArgument, match="arms: there are none"):
        posterior.choose({}, np.random.default_rng(0))
    with pytest.raises(InvalidArgument, match="levels: there is none"):
        combination({})


def test_grids_are_searched_faster_together() -> None:
    """Of 80 combinations after 1,000 runs the pick loses at most .035, both regrets at most .7 of Beta-TS."""
    ours, theirs = [], []
    for seed in range(12):
        rates = grid_world(np.random.default_rng(seed))
        ours.append(structured_grid(rates, np.random.default_rng(100 + seed), 1000))
        theirs.append(separate_grid(rates, np.random.default_rng(200 + seed), 1000))
    (picked, lost), (their_pick, their_loss) = np.mean(ours, axis=0), np.mean(theirs, axis=0)
    assert picked <= 0.035
    assert picked <= 0.7 * their_pick
    assert lost <= 0.7 * their_loss


def test_models_are_ranked_better_together() -> None:
    """6 models on 8 task types after 300 sessions: error at most .7 of the cells' own, intervals that hold."""
    errors, own_errors, covered = [], [], []
    arms: list[Arm] = [in_context(f"model {m}", f"type {t}") for m, t in product(range(6), range(8))]
    for seed in range(30):
        generator = np.random.default_rng(seed)
        model, task = generator.normal(0, 0.1, (6, 1)), generator.normal(0, 0.2, (1, 8))
        rates = np.clip(0.6 + model + task + generator.normal(0, 0.05, (6, 8)), 0.02, 0.98).ravel()
        posterior, won, tried = StructuredPosterior(), np.zeros(48), np.zeros(48)
        for cell in generator.integers(48, size=300).tolist():
            success = float(generator.random() < rates[cell])
            posterior.observe(arms[cell], success)
            won[cell] += success
            tried[cell] += 1
        beliefs = posterior.beliefs(arms)
        errors.append(np.mean((np.array([belief.mean for belief in beliefs]) - rates) ** 2))
        own_errors.append(np.mean(((won + 1) / (tried + 2) - rates) ** 2))
        covered += [b.low <= rate <= b.high for b, rate in zip(beliefs, rates.tolist(), strict=True)]
    assert math.sqrt(np.mean(errors)) <= 0.70 * math.sqrt(np.mean(own_errors))
    assert 0.87 <= np.mean(covered) <= 0.97
