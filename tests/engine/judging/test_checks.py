"""Data that cannot be trusted are noticed, in words, and rarely without reason."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special  # type: ignore[import-untyped]

from vettle.engine.judging.betting import log_mean
from vettle.engine.judging.checks import (
    missing_outcomes,
    not_finite,
    outliers,
    sample_ratio,
    split_e,
    spread,
    ties,
)
from vettle.engine.judging.degradation import ALARM, BETS, Degradation
from vettle.engine.judging.guardrails import Guardrail, breaches, sentences
from vettle.engine.judging.proportions import same_proportion_e

Floats = NDArray[np.float64]


@pytest.mark.parametrize(
    ("counts", "shares", "e"),
    [
        ((330, 240), (0.5, 0.5), 167.17152381943097),
        ((60, 40, 20), (0.4, 0.4, 0.2), 1.7952272817049755),
        ((500, 500), (0.5, 0.5), 0.3008268821524747),
    ],
)
def test_the_split_equals_savvi(counts: tuple[int, ...], shares: tuple[float, ...], e: float) -> None:
    """The e-value is that of savvi 0.3.1, Multinomial with k = 100, to nine digits."""
    assert split_e(counts, shares) == pytest.approx(e, rel=1e-9)
    assert split_e(counts, [7 * share for share in shares]) == pytest.approx(e, rel=1e-9)


def split_paths(seed: int, races: int, runs: int, share: float) -> Floats:
    """Return log e-values after every run of two arms planned as equal, of shape (races, runs)."""
    first = np.cumsum(np.random.default_rng(seed).random((races, runs)) < share, axis=1)
    n = np.arange(1, runs + 1)
    logs: Floats = special.betaln(50 + first, 50 + n - first) - special.betaln(50, 50) + n * math.log(2)
    return logs


def test_a_wrong_split_is_found_and_a_right_one_is_left_alone() -> None:
    """60/40 is found by 600 runs in most experiments, 50/50 is alarmed in at most .005 of 3,000 looks."""
    found = split_paths(1, 400, 1500, 0.6) >= math.log(1000)
    assert np.median(found.argmax(axis=1)) == pytest.approx(426, rel=0.15)
    assert found[:, :600].any(axis=1).mean() > 0.7
    assert (split_paths(2, 1000, 3000, 0.5).max(axis=1) >= math.log(1000)).mean() <= 0.005
    assert math.log(split_e((7, 3), (1, 1))) == pytest.approx(
        special.betaln(57, 53) - special.betaln(50, 50) + 10 * math.log(2)
    )


def test_the_split_is_said_in_words() -> None:
    """A right split is said to be right; a wrong one is fatal and names the counts and the plan."""
    assert sample_ratio({"a": 50, "b": 52}).ok
    wrong = sample_ratio({"a": 900, "b": 600, "c": 20}, {"a": 2, "b": 1, "c": 1})
    assert not wrong.ok
    assert wrong.fatal
    assert "'a' got 900 (planned 760)" in wrong.detail
    assert sample_ratio({"a": 0, "b": 0}).ok
    with pytest.raises(ValueError, match="shares"):
        split_e((1, 2), (1.0, 0.0))


def test_lost_runs_of_one_arm_are_noticed() -> None:
    """25 of 30 lost in one arm is fatal; a few, or as many in both, are said and not fatal."""
    lost = missing_outcomes({"a": 25}, {"a": 30, "b": 30})
    assert (lost.ok, lost.fatal) == (False, True)
    assert "'a' 25 of 30, 'b' 0 of 30" in lost.detail
    assert missing_outcomes({"a": 3, "b": 1}, {"a": 30, "b": 30}).ok
    assert missing_outcomes({"a": 25, "b": 25}, {"a": 30, "b": 30}).ok
    assert missing_outcomes({}, {"a": 30, "b": 30}).detail == "no outcome is missing"
    assert missing_outcomes({}, {"a": 0, "b": 0}).ok


def missing_paths(
    seed: int, first: NDArray[np.float64], second: NDArray[np.float64], races: int
) -> list[float]:
    """Return the largest e-value of each experiment in which outcomes get lost with these chances."""
    draws = np.random.default_rng(seed)
    a = np.cumsum(draws.random((races, len(first))) < first, axis=1)
    b = np.cumsum(draws.random((races, len(first))) < second, axis=1)
    looks = range(20, len(first) + 1, 20)
    return [
        max(same_proportion_e((int(x[n - 1]), int(y[n - 1])), (n, n)) for n in looks)
        for x, y in zip(a, b, strict=True)
    ]


def test_missing_outcomes_are_rarely_suspected_without_reason() -> None:
    """Equal losses, constant or drifting, alarm in at most 1 % of experiments; 10 % against 30 % in most."""
    level = np.full(500, 0.15)
    drift = 0.15 + 0.15 * np.sin(np.arange(500) / 60)
    assert np.mean(np.array(missing_paths(3, level, level, 300)) >= 100) <= 0.01
    assert np.mean(np.array(missing_paths(4, drift, drift, 300)) >= 100) <= 0.01
    assert np.mean(np.array(missing_paths(5, level * 2 / 3, level * 2, 100)) >= 100) >= 0.9


def test_values_that_are_no_numbers_are_named() -> None:
    """The first five are named by arm and row and the others counted; None is a missing outcome."""
    check = not_finite({"a": [1.0, math.nan, None], "b": [math.inf] * 6})
    assert not check.ok
    assert "7 values" in check.detail
    assert "'a' row 1 is nan" in check.detail
    assert "and 2 more" in check.detail
    assert not_finite({"a": [1.0, None]}).ok


def test_outliers_are_counted_and_kept() -> None:
    """A value 8 median deviations away is counted for its arm; constant and empty arms have none."""
    values = {"a": [*map(float, range(20)), 500.0], "b": [1.0] * 20 + [9.0], "c": []}
    check = outliers(values)
    assert not check.ok
    assert "'a' 1)" in check.detail
    assert "kept" in check.detail
    assert outliers({"a": [1.0, 2.0, 3.0]}).ok


def test_arms_without_spread_are_named() -> None:
    """A constant arm is named with its value."""
    assert "'a' is always 3" in spread({"a": [3.0, 3.0], "b": [1.0, 2.0], "c": []}).detail
    assert spread({"b": [1.0, 2.0]}).ok


def test_a_tie_of_averages_is_said() -> None:
    """Three equal averages are a tie of three, and nobody is picked."""
    tied = ties({"a": 5.0, "b": 5.0, "c": 5.0})
    assert not tied.ok
    assert "3 arms" in tied.detail
    assert ties({"a": 5.0, "b": 4.0}).ok
    assert ties({}).ok


# --- degradation --------------------------------------------------------------------------------


def alarms(seed: int, races: int, runs: int, reference: float, mean: float) -> NDArray[np.bool_]:
    """Return whether the alarm rings after each run, of shape (races, runs)."""
    scores = (np.random.default_rng(seed).random((runs, races)) < mean).astype(float)
    logs, rings = np.zeros((races, len(BETS))), np.zeros((runs, races), dtype=bool)
    for t, score in enumerate(scores):
        stake = np.maximum((reference - score) / (1 - reference), -1)
        logs = np.maximum(logs, 0) + np.log1p(np.multiply.outer(stake, BETS))
        rings[t] = log_mean(logs) >= math.log(ALARM)
    return rings.T


@pytest.mark.parametrize(
    ("reference", "mean", "runs"), [(0.8, 0.7, 191), (0.8, 0.6, 55), (0.8, 0.5, 27), (0.6, 0.4, 76)]
)
def test_degradation_is_noticed(reference: float, mean: float, runs: int) -> None:
    """The median delay of the alarm is that of the simulations it was chosen by, within 15 %."""
    rings = alarms(6, 500, 1500, reference, mean)
    assert rings.any(axis=1).all()
    assert np.median(rings.argmax(axis=1) + 1) == pytest.approx(runs, rel=0.15)


def test_degradation_is_rarely_false() -> None:
    """Without a change at most a quarter of incumbents are alarmed in 3,000 runs."""
    assert alarms(7, 200, 3000, 0.8, 0.8).any(axis=1).mean() <= 0.25


def test_one_incumbent_is_watched_like_many() -> None:
    """The fold rings at the same runs as the simulation, also when its logs were stored in between."""
    scores = (np.random.default_rng(6).random((150, 5)) < 0.6).astype(float)[:, 0]
    expected = alarms(6, 5, 150, 0.8, 0.6)[0]
    watch = Degradation(0.8)
    for score, ring in zip(scores, expected, strict=True):
        watch = Degradation(0.8, json.loads(json.dumps(watch.logs)))
        assert watch.add(float(score)) == ring
    assert Degradation(1.0).reference == 0.98
    assert not Degradation(0.0).add(0.0)
    with pytest.raises(ValueError, match="utility"):
        watch.add(math.nan)
    with pytest.raises(ValueError, match="reference"):
        Degradation(1.2)


# --- guardrails ---------------------------------------------------------------------------------


def test_a_guardrail_bets_on_harm_beyond_its_margin() -> None:
    """E is the mean over bets of the products of 1 + c (harm - margin)/(1 + margin), at its largest."""
    guardrail = Guardrail("tokens", "b", 0.1)
    harms = [0.5, 0.5, -1.0]
    best = 1.0
    for n, harm in enumerate(harms, 1):
        guardrail.add(harm)
        wealth = [
            math.prod(1 + c * (h - 0.1) / 1.1 for h in harms[:n]) for c in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
        ]
        best = max(best, sum(wealth) / 6)
    assert guardrail.e_value == pytest.approx(best)
    again = Guardrail.from_json(json.loads(json.dumps(guardrail.to_json())))
    assert again.to_json() == guardrail.to_json()


def test_a_breach_takes_more_evidence_among_many_guardrails() -> None:
    """One of G guardrails is breached at G/alpha, is named, and does not recover."""
    one, other = Guardrail("tokens", "b", 0.05), Guardrail("time", "b", 0.05)
    while not breaches([one]):
        one.add(0.6)
    assert not breaches([one, other])
    while not breaches([one, other]):
        one.add(0.6)
    one.add(-1.0)
    assert breaches([one, other]) == [one]
    assert "'tokens': 'b' does more harm than the accepted 0.05" in sentences([one])[0]
    for harm in (math.nan, 1.5):
        with pytest.raises(ValueError, match="harm"):
            one.add(harm)
    with pytest.raises(ValueError, match="margin"):
        Guardrail("x", "b", 1.0)


def test_accepted_harm_is_rarely_a_breach() -> None:
    """Harm of exactly the margin breaches a guardrail in at most 5 % of experiments."""
    draws = np.random.default_rng(8).random((100, 300)) < 0.1
    breached = 0
    for harms in draws:
        guardrail = Guardrail("tests broken", "b", 0.1)
        for harm in harms:
            guardrail.add(float(harm))
        breached += bool(breaches([guardrail]))
    assert breached <= 5
