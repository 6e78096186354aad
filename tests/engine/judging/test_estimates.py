"""Estimates of runs without blocks agree with the textbooks and other programs, and say what they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats  # type: ignore[import-untyped]

from vettle.engine.judging.estimates import (
    by_name,
    covariate_adjusted,
    paired,
    paired_proportion,
    proportion,
    stratified,
    welch,
)
from vettle.engine.judging.multiplicity import (
    against_control,
    compare_all,
    discoveries,
    split_alpha,
    survivors,
)
from vettle.engine.judging.proportions import same_proportion_e
from vettle.engine.judging.sequences import TUNED_AT, asymptotic_sequence

A = [2.0, 3.5, 4.0, 1.0, 5.5, 2.5, 3.0, 6.0, 4.5, 2.0, 3.0, 4.0]
B = [4.0, 5.5, 3.0, 6.5, 7.0, 5.0, 4.5, 6.0, 8.0, 5.5, 4.0]


def test_welch_equals_growthbook() -> None:
    """Limits and p-value are those of gbstats 0.8.0, SequentialTwoSidedTTest tuned at 500, to ten digits."""
    estimate = welch(B, A)
    assert estimate.interval.low == pytest.approx(-1.033993760834913, rel=1e-10)
    assert estimate.interval.high == pytest.approx(4.927933154774307, rel=1e-10)
    assert estimate.p_value == pytest.approx(0.3046141642861042, rel=1e-10)
    assert estimate.standard_error == pytest.approx(
        math.sqrt(np.var(A, ddof=1) / 12 + np.var(B, ddof=1) / 11)
    )
    assert (estimate.n_a, estimate.n_b, estimate.runs, estimate.asymptotic) == (11, 12, 11, True)


def test_the_limits_exclude_zero_exactly_if_e_is_large() -> None:
    """The limits and the e-value are one test at 1/alpha, at every level."""
    for alpha in (0.01, 0.05, 0.2):
        for n in (10, 100, TUNED_AT, 20_000):
            half = asymptotic_sequence(0.0, 1.0, n, alpha).interval.high
            assert asymptotic_sequence(half, 1.0, n, alpha).e_value == pytest.approx(1 / alpha)


def test_swapping_the_arms_flips_the_estimate() -> None:
    """Comparing b with a is the opposite of comparing a with b, with the same evidence."""
    for one, other in ((welch(A, B), welch(B, A)), (proportion(3, 20, 9, 22), proportion(9, 22, 3, 20))):
        flipped = other.interval.flipped()
        assert one.interval.low == pytest.approx(flipped.low)
        assert one.interval.high == pytest.approx(flipped.high)
        assert one.e_value == pytest.approx(other.e_value)


def test_a_proportion_is_never_without_spread() -> None:
    """0 of 20 against 20 of 20 is decisive, 0 of 2 against 2 of 2 is not, and limits stay in [-1, 1]."""
    decisive, early = proportion(20, 20, 0, 20), proportion(2, 2, 0, 2)
    assert decisive.e_value > 1000
    assert 0.5 < decisive.interval.low < decisive.interval.high == 1
    assert early.e_value < 20
    assert early.interval.low < 0
    large = proportion(600, 1000, 700, 1000)
    assert large.standard_error == pytest.approx(math.sqrt(0.24 / 1000 + 0.21 / 1000), rel=1e-3)


def test_constant_numbers_differ_deterministically() -> None:
    """Two constants: the difference itself, said so, with an exact e-value; equal ones are no difference."""
    different = welch([5.0] * 20, [3.0] * 20)
    assert (different.interval.low, different.interval.high, different.asymptotic) == (2, 2, False)
    assert "deterministic difference: always 2" in different.note
    assert different.e_value == pytest.approx(2**40 / 21**2)
    equal = welch([5.0] * 20, [5.0] * 20)
    assert (equal.interval.low, equal.interval.high, equal.e_value) == (0, 0, 1)
    assert "no difference in any run" in equal.note
    few = welch([5.0] * 3, [3.0] * 3)
    assert not few.interval.bounded
    assert "too few" in few.note
    half_constant = welch([5.0] * 20, [3.0, 4.0] * 10)
    assert half_constant.asymptotic
    assert half_constant.interval.low > 0


def test_one_run_per_arm_bounds_nothing() -> None:
    """With 0 against 100, once each, the limits are infinite and the evidence is 1."""
    for estimate in (welch([0.0], [100.0]), welch([], [1.0]), proportion(0, 0, 1, 1), paired([1.0], [0.0])):
        assert not estimate.interval.bounded
        assert estimate.e_value == pytest.approx(1, abs=1e-9)
        assert estimate.p_value == pytest.approx(1, abs=1e-9)


def test_pairs_are_one_sample_of_differences() -> None:
    """The standard error is that of the differences, and n the number of pairs."""
    a, b = np.array(A[:11]), np.array(B)
    estimate = paired(a.tolist(), b.tolist())
    assert estimate.interval.estimate == pytest.approx((a - b).mean())
    assert estimate.standard_error == pytest.approx(stats.sem(a - b))
    assert estimate.e_value == pytest.approx(
        asymptotic_sequence((a - b).mean(), stats.sem(a - b), 11).e_value
    )
    constant = paired([1.0, 2.0, 3.0] * 5, [0.5, 1.5, 2.5] * 5)
    assert (constant.interval.low, constant.interval.high, constant.asymptotic) == (0.5, 0.5, False)
    assert "deterministic" in constant.note


def test_paired_proportions_count_disagreements() -> None:
    """Agreeing items only dilute: the estimate is (n10 - n01)/n, with a variance that is never zero."""
    a = [True] * 30 + [False] * 10 + [True] * 60
    b = [False] * 30 + [True] * 10 + [True] * 60
    estimate = paired_proportion(a, b)
    assert estimate.interval.estimate == pytest.approx(0.2)
    assert estimate.standard_error == pytest.approx(math.sqrt((0.4 - 0.04) / 100), rel=0.02)
    assert paired_proportion([True] * 20, [True] * 20).standard_error > 0
    assert paired_proportion([True] * 30, [False] * 30).e_value > 1000


def test_strata_are_weighted_by_size() -> None:
    """The difference is the weighted mean of those in the strata, unharmed by unequal splits (Simpson)."""
    draws = np.random.default_rng(1)
    easy = (draws.normal(10, 1, 90).tolist(), draws.normal(9, 1, 30).tolist())
    hard = (draws.normal(2, 1, 30).tolist(), draws.normal(1, 1, 90).tolist())
    estimate = stratified({"easy": easy, "hard": hard, "tiny": ([1.0], [2.0, 3.0])})
    by_hand = (np.mean(easy[0]) - np.mean(easy[1]) + np.mean(hard[0]) - np.mean(hard[1])) / 2
    error = sum(np.var(arm, ddof=1) / len(arm) for stratum in (easy, hard) for arm in stratum) / 4
    assert estimate.interval.estimate == pytest.approx(by_hand)
    assert estimate.standard_error == pytest.approx(math.sqrt(error))
    assert "'tiny'" in estimate.note
    assert not stratified({"tiny": ([1.0], [2.0])}).interval.bounded


def test_a_covariate_takes_its_share_of_the_variance() -> None:
    """With correlation r the variance falls to about 1 - r^2 of itself, and the difference stays right."""
    draws = np.random.default_rng(2)
    x = draws.normal(0, 1, 800)
    y = 0.8 * x + 0.6 * draws.normal(0, 1, 800)
    y[:400] += 0.5
    plain = welch(y[:400].tolist(), y[400:].tolist())
    adjusted = covariate_adjusted(*(part.tolist() for part in (y[:400], x[:400], y[400:], x[400:])))
    assert adjusted.standard_error**2 / plain.standard_error**2 == pytest.approx(0.36, abs=0.05)
    assert adjusted.interval.low < 0.5 < adjusted.interval.high
    useless = covariate_adjusted(A, [1.0] * 12, B, [1.0] * 11)
    assert useless.interval == welch(A, B).interval
    assert "no spread" in useless.note


def test_rows_that_are_no_numbers_are_named() -> None:
    """An estimate refuses NaN and says in which arm and row; impossible counts and lengths are refused too."""
    with pytest.raises(ValueError, match="b: row 1"):
        welch([1.0, 2.0], [1.0, math.nan])
    with pytest.raises(ValueError, match="paired"):
        paired([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="paired"):
        paired_proportion([True], [])
    with pytest.raises(ValueError, match="covariate"):
        covariate_adjusted([1.0], [], [1.0], [1.0])
    with pytest.raises(ValueError, match="impossible"):
        proportion(3, 2, 0, 2)
    with pytest.raises(ValueError, match=r"0\.5"):
        by_name("proportion", [0.5], [1.0], 0.05)


def _looks(draw: Any, races: int, looks: NDArray[np.intp]) -> float:
    """Return the share of A/A tests in which any look finds a difference."""
    false = 0
    for _ in range(races):
        a, b = draw(int(looks[-1])), draw(int(looks[-1]))
        false += any(welch(a[:n].tolist(), b[:n].tolist()).e_value >= 20 for n in looks)
    return false / races


def test_fifty_looks_rarely_find_a_difference() -> None:
    """In A/A tests of binary and of log-normal values at most 5 % ever claim anything in 50 looks."""
    draws = np.random.default_rng(3)
    looks = np.unique(np.geomspace(10, 1000, 50).astype(int))
    assert _looks(lambda n: np.asarray(draws.binomial(1, 0.6, n), dtype=float), 150, looks) <= 0.05
    assert _looks(lambda n: draws.lognormal(0, 1, n), 150, looks) <= 0.05


# --- exact proportions --------------------------------------------------------------------------


def test_the_exact_proportion_e_value_by_hand() -> None:
    """The marginal likelihoods under uniform priors over the best common likelihood."""
    e = same_proportion_e((3, 9), (10, 12))
    pooled = (12 / 22) ** 12 * (10 / 22) ** 10
    assert e == pytest.approx(special.beta(4, 8) * special.beta(10, 4) / pooled)
    assert same_proportion_e((0, 0), (0, 0)) == 1
    with pytest.raises(ValueError, match="impossible"):
        same_proportion_e((3,), (2,))


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5, 0.9])
def test_the_exact_proportion_e_value_has_mean_at_most_one(p: float) -> None:
    """Summed over all outcomes of 12 and 7 runs with one proportion it is at most 1 on average."""
    total = sum(
        stats.binom.pmf(s, 12, p) * stats.binom.pmf(t, 7, p) * same_proportion_e((s, t), (12, 7))
        for s in range(13)
        for t in range(8)
    )
    assert total <= 1


# --- many arms ----------------------------------------------------------------------------------


def test_limits_of_many_pairs_hold_together() -> None:
    """Ten pairs of five arms are estimated at a tenth of alpha each, four challengers at a quarter."""
    draws = np.random.default_rng(4)
    arms = {name: draws.normal(0, 1, 20).tolist() for name in "abcde"}
    pairs = compare_all(arms)
    assert len(pairs) == 10
    assert {estimate.interval.alpha for estimate in pairs.values()} == {0.005}
    assert pairs["a", "c"].interval == welch(arms["a"], arms["c"], 0.005).interval
    controlled = against_control(arms, "c")
    assert list(controlled) == ["a", "b", "d", "e"]
    assert {estimate.interval.alpha for estimate in controlled.values()} == {0.0125}
    assert split_alpha(0.05, 0) == 0.05


def test_the_best_arm_survives() -> None:
    """One arm far above the others is the only survivor; equal ones all survive; few runs eliminate nobody."""
    draws = np.random.default_rng(5)
    arms = {name: draws.normal(3.0 * (name == "c"), 1, 60).tolist() for name in "abc"}
    assert survivors(compare_all(arms)) == ("c",)
    assert survivors(compare_all(dict.fromkeys("xyz", arms["a"]))) == ("x", "y", "z")
    assert survivors(compare_all({name: values[:7] for name, values in arms.items()})) == ("a", "b", "c")
    assert survivors(compare_all(arms | {"c": arms["c"][:7]})) == ("a", "b", "c")


def test_discoveries_are_those_of_e_bh() -> None:
    """The names come strongest first, and one large e-value among many is not enough."""
    assert discoveries({"a": 70.0, "b": 1.0, "c": 90.0}) == ["c", "a"]
    assert discoveries({"a": 30.0, "b": 1.0, "c": 1.0}) == []
