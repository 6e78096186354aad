"""The posterior is exact Bayesian linear regression, however it is fed, saved or squeezed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vettle.engine.posterior import BASE, Array, Coordinate, Parameters, Posterior

Session = tuple[list[str], str, float]

STILL = Parameters(base_walk_sd=0.0, half_life=1e300, alarm_level=1e300)
"""No walk, no decay, no alarm: what is left is textbook regression."""


def sessions(count: int, rules: int, contexts: int, seed: int) -> list[Session]:
    """Draw sessions that show up to three rules at random."""
    draws = np.random.default_rng(seed)
    return [
        (
            [f"r{i}" for i in draws.choice(rules, size=draws.integers(4), replace=False)],
            f"c{draws.integers(contexts)}",
            float(draws.random()),
        )
        for _ in range(count)
    ]


def coordinates_of(shown: list[str], context: str) -> list[Coordinate]:
    """Name the coordinates that add up to the expected score."""
    pairs: list[Coordinate] = [c for rule in shown for c in ((rule, ""), (rule, context))]
    return [BASE, ("", context), *pairs]


def batch(
    keys: list[Coordinate], data: list[Session], noises: list[float], priors: dict[str, float]
) -> tuple[Array, Array]:
    """Solve the normal equations at once: posterior mean and covariance of `keys`."""
    p = STILL
    sds = [(p.rule_sd, p.pair_sd)[bool(c)] if r else (p.base_sd, p.context_sd)[bool(c)] for r, c in keys]
    mean = np.array([priors.get(r, 0.0) * (c == "") if r else p.base_mean * (c == "") for r, c in keys])
    precision = np.diag(1 / np.square(sds))
    weighted = precision @ mean
    for (shown, context, score), noise in zip(data, noises, strict=True):
        unit = np.isin(np.arange(len(keys)), [keys.index(c) for c in coordinates_of(shown, context)])
        precision += np.outer(unit, unit) / noise
        weighted += unit * score / noise
    covariance = np.linalg.inv(precision).astype(np.float64)
    return covariance @ weighted, covariance


def fold(posterior: Posterior, data: list[Session]) -> list[float]:
    """Observe every session; return the noise variances that were assumed."""
    return [posterior.observe(*session).noise for session in data]


@pytest.mark.parametrize(("rules", "contexts"), [(4, 1), (12, 3)])
def test_equals_batch_regression(rules: int, contexts: int) -> None:
    """Folding session by session gives the batch posterior to 1e-9, mean and covariance."""
    posterior = Posterior(STILL)
    posterior.set_prior("r1", 0.08)
    data = sessions(300, rules, contexts, seed=1)
    noises = fold(posterior, data)
    keys, mean, covariance = posterior.joint()
    expected_mean, expected_covariance = batch(keys, data, noises, {"r1": 0.08})
    assert np.abs(mean - expected_mean).max() < 1e-9
    assert np.abs(covariance - expected_covariance).max() < 1e-9


def test_effects_are_sums_of_coordinates() -> None:
    """An effect in a context is rule plus rule-in-context, with their covariance; untouched rules have the prior."""
    posterior = Posterior(STILL)
    fold(posterior, sessions(200, 5, 2, seed=2))
    keys, mean, covariance = posterior.joint()
    unit = np.isin(np.arange(len(keys)), [keys.index(("r3", "")), keys.index(("r3", "c1"))])
    means, deviations = posterior.effects(["r3", "new"], "c1")
    assert means[0] == pytest.approx(mean @ unit)
    assert deviations[0] == pytest.approx(np.sqrt(unit @ covariance @ unit))
    assert (means[1], deviations[1]) == (0.0, pytest.approx(np.hypot(0.05, 0.025)))
    shared, shared_deviation = posterior.effects(["r3"])
    row = keys.index(("r3", ""))
    assert shared[0] == mean[row]
    assert shared_deviation[0] == pytest.approx(np.sqrt(covariance[row, row]))


def test_baseline_is_base_plus_context() -> None:
    """A session without rules is predicted from base and context; an unknown context adds nothing."""
    posterior = Posterior()
    for _ in range(200):
        posterior.observe([], "hard", 0.2)
        posterior.observe([], "easy", 0.9)
    assert posterior.baseline("hard") == pytest.approx(0.2, abs=0.03)
    assert posterior.baseline("easy") == pytest.approx(0.9, abs=0.03)
    assert posterior.baseline("never seen") == posterior.baseline()


def test_a_late_prior_is_worth_as_much_as_an_early_one() -> None:
    """Setting a rule's prior after its sessions gives what the batch solution with that prior gives."""
    posterior = Posterior(STILL)
    data = sessions(150, 4, 2, seed=3)
    noises = fold(posterior, data)
    posterior.set_prior("r2", -0.1)
    keys, mean, _ = posterior.joint()
    assert np.abs(mean - batch(keys, data, noises, {"r2": -0.1})[0]).max() < 1e-9
    assert posterior.prior("r2") == -0.1


def test_effects_decay_to_their_prior() -> None:
    """Without news, half of a rule's difference from its prior is left after one half-life, and its doubt returns."""
    posterior = Posterior(replace(STILL, half_life=1000))
    posterior.set_prior("r", 0.1)
    for _ in range(5):
        posterior.hint("r", "", shown=True)
    (before,), (sure,) = posterior.effects(["r"])
    for _ in range(1000):
        posterior.observe([], "", 0.5)
    (mean,), (sd,) = posterior.effects(["r"])
    assert mean - 0.1 == pytest.approx((before - 0.1) / 2)
    assert sd**2 == pytest.approx(0.75 * 0.05**2 + 0.25 * sure**2)


def test_hints_are_pseudo_observations_and_five_count() -> None:
    """A hint moves rule and rule-in-context like an observation of 0.10 with noise 0.15; the sixth is ignored."""
    posterior = Posterior()
    assert posterior.hint("r", "c", shown=False)
    means, deviations = posterior.effects(["r"], "c")
    variance = 0.05**2 + 0.025**2
    assert means[0] == pytest.approx(0.10 * variance / (variance + 0.15**2))
    assert deviations[0] ** 2 == pytest.approx(variance * 0.15**2 / (variance + 0.15**2))
    assert [posterior.hint("r", "c", shown=True) for _ in range(5)] == [True] * 4 + [False]
    assert posterior.hint("r", "other", shown=True)
    assert posterior.observations == 0


def test_reset_returns_one_rule_to_its_prior() -> None:
    """After a reset a rule has its prior again, hints count anew, and what is known of others stays."""
    posterior = Posterior()
    posterior.set_prior("r1", 0.03)
    fold(posterior, sessions(200, 4, 2, seed=4))
    for _ in range(5):
        posterior.hint("r1", "c0", shown=False)
    others = posterior.effects(["r0", "r2", "r3"], "c1")
    posterior.reset("r1")
    posterior.reset("never heard of")
    means, deviations = posterior.effects(["r1"], "c0")
    assert (means[0], deviations[0]) == (0.03, pytest.approx(np.hypot(0.05, 0.025)))
    assert posterior.contexts("r1") == []
    assert posterior.hint("r1", "c0", shown=False)
    for before, after in zip(others, posterior.effects(["r0", "r2", "r3"], "c1"), strict=True):
        assert (before == after).all()


def test_parking_keeps_marginals() -> None:
    """A rule that leaves the full covariance keeps mean and sd in every context, and can come back."""
    posterior = Posterior(replace(STILL, cap=40))
    fold(posterior, sessions(400, 12, 1, seed=5))
    rules = [f"r{i}" for i in range(12)]
    while posterior.rows < 40:
        posterior.hint(f"new{posterior.rows}", "", shown=True)
    means, deviations = posterior.effects(rules, "c0")
    posterior.hint("one more", "", shown=True)
    assert posterior.rows <= 31
    after_means, after_deviations = posterior.effects(rules, "c0")
    assert after_means == pytest.approx(means)
    assert after_deviations == pytest.approx(deviations)
    parked = [rule for rule in rules if (rule, "") not in posterior.joint()[0]]
    assert parked == sorted(parked, key=lambda rule: int(rule[1:]))
    assert parked
    posterior.hint(parked[0], "c0", shown=False)
    (mean,), (sd,) = posterior.effects(parked[:1], "c0")
    assert mean > means[int(parked[0][1:])]
    assert sd < deviations[int(parked[0][1:])]


def test_parked_effects_go_on_decaying() -> None:
    """Of a parked effect as much is left at any time as if it had stayed and nothing had been learned of it."""
    small, large = (Posterior(replace(STILL, cap=cap, half_life=200)) for cap in (8, 600))
    for posterior in (small, large):
        for _ in range(100):
            posterior.observe([], "", 0.5)
        posterior.set_prior("bad", -0.2)
        for _ in range(5):
            posterior.hint("bad", "c", shown=True)
            posterior.hint("bad", "d", shown=False)
        for index in range(210):
            posterior.hint(f"new{index}", "", shown=False)
            posterior.observe([], "", 0.5)
        posterior.forget()
    assert ("bad", "") not in small.joint()[0]
    assert ("bad", "") in large.joint()[0]
    for context in ("c", "d", ""):
        assert np.array(small.effects(["bad"], context)) == pytest.approx(
            np.array(large.effects(["bad"], context))
        )
    small.observe(["bad"], "c", 0.5)
    assert ("bad", "c") in small.joint()[0]


def test_many_contexts_do_not_grow_the_covariance() -> None:
    """A new context label in every session, as an agent may send, leaves the covariance within its cap."""
    posterior = Posterior(replace(Parameters(), cap=60, context_limit=5))
    for index in range(300):
        posterior.observe(["a", "b", f"r{index % 7}"], f"task {index}", 0.5)
    assert posterior.rows <= 60
    assert len(posterior.contexts("a")) == 300
    assert np.isfinite(posterior.effects(["a"], "task 1")[1]).all()


def test_alarm_catches_a_change_and_is_quiet_without() -> None:
    """The detector fires soon after scores collapse, forgets rule effects, and stays quiet on steady scores."""
    draws = np.random.default_rng(6)
    posterior = Posterior()

    def observe(mean: float) -> bool:
        shown = ["r"] if draws.random() < 0.5 else []
        return posterior.observe(shown, "c", float(draws.binomial(3, mean) / 3)).alarm

    assert sum(observe(0.8) for _ in range(2000)) == 0
    sure = posterior.effects(["r"], "c")[1][0]
    loud = [observe(0.4) for _ in range(100)]
    assert loud.index(True) < 40
    assert posterior.effects(["r"], "c")[1][0] > sure


def test_forgetting_keeps_three_tenths_of_an_effect() -> None:
    """A declared change keeps 30 % of every effect, most of the doubt of the prior, and the mean of the base."""
    posterior = Posterior()
    fold(posterior, sessions(300, 3, 1, seed=7))
    before, base = posterior.effects(["r0", "r1", "r2"])[0], posterior.baseline("c0")
    posterior.forget()
    means, deviations = posterior.effects(["r0", "r1", "r2"])
    assert means == pytest.approx(0.3 * before)
    assert (deviations > 0.047).all()
    assert posterior.baseline("c0") == base


def test_noise_is_quasi_binomial() -> None:
    """The noise variance is dispersion * q(1-q): least for scores near 0 and 1, where q stays within .02 and .98."""
    posterior = Posterior()
    assert posterior.noise(0.5) == pytest.approx(0.35 * 0.25)
    assert posterior.noise(0.9) == pytest.approx(0.35 * 0.09)
    assert posterior.noise(1.3) == pytest.approx(0.35 * 0.02 * 0.98)
    assert posterior.noise(-0.3) == pytest.approx(0.35 * 0.02 * 0.98)
    assert posterior.observe([], "", 1.0).noise == pytest.approx(0.35 * 0.6 * 0.4)


def test_dispersion_follows_the_scores() -> None:
    """The noise shrinks for scores that scatter less than accepted / rejected would, within its limits."""
    calm, wild = Posterior(), Posterior()
    draws = np.random.default_rng(8)
    for _ in range(600):
        calm.observe([], "", 0.5 + 0.02 * float(draws.random()))
        wild.observe([], "", float(draws.random() < 0.5))
    assert calm.dispersion == pytest.approx(0.05)
    assert wild.dispersion == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.01, 1.01])
def test_unusable_scores_are_refused(score: float) -> None:
    """A score outside [0, 1] is refused and leaves no trace."""
    posterior = Posterior()
    with pytest.raises(ValueError, match="score"):
        posterior.observe(["r"], "c", score)
    assert (posterior.observations, posterior.rows) == (0, 1)


def test_unusable_rules_and_priors_are_refused() -> None:
    """An empty rule id and a prior outside [-1, 1] are refused."""
    posterior = Posterior()
    with pytest.raises(ValueError, match="rule"):
        posterior.observe([""], "c", 0.5)
    with pytest.raises(ValueError, match="rule"):
        posterior.set_prior("", 0.1)
    with pytest.raises(ValueError, match="prior"):
        posterior.set_prior("r", float("nan"))
