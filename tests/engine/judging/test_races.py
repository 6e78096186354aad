"""A race folds blocks exactly as defined, refuses what it cannot fold, and survives being stored."""

from __future__ import annotations

import json
import math
from itertools import permutations
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats  # type: ignore[import-untyped]

from vettle.engine.judging.betting import (
    BETS,
    count_differences,
    empty_histogram,
    mean_interval,
    running_log_e,
)
from vettle.engine.judging.blocks import BettingRace
from vettle.engine.judging.elimination import dropouts, log_evidence_against
from vettle.engine.judging.mixture import (
    EFFECT_SCALE,
    MixtureRace,
    half_width,
    log_e_positive,
    log_e_two_sided,
    paired_interval,
    two_sample,
)
from vettle.engine.judging.race import Race

unit = st.floats(0, 1, allow_nan=False)


AnyRace = TypeVar("AnyRace", bound=Race)


def raced(race: AnyRace, blocks: list[dict[str, float]]) -> AnyRace:
    """Fold the blocks."""
    for block in blocks:
        race.add(block)
    return race


def wealth(differences: list[float]) -> float:
    """Return the e-value by its definition."""
    return sum(math.prod(1 + bet * d for d in differences) for bet in BETS) / len(BETS)


def test_binary_evidence_is_the_closed_form() -> None:
    """For binary scores E_ab is the mean over bets of (1 + c)^n10 (1 - c)^n01."""
    a, b = [1, 1, 0, 1, 0, 1, 1], [0, 1, 1, 0, 0, 0, 0]
    race = raced(BettingRace(["a", "b"]), [{"a": x, "b": y} for x, y in zip(a, b, strict=True)])
    assert race.e("a", "b") == pytest.approx(sum((1 + c) ** 4 * (1 - c) for c in BETS) / 6)
    assert race.e("b", "a") == pytest.approx(sum((1 - c) ** 4 * (1 + c) for c in BETS) / 6)


@settings(deadline=None)
@given(st.lists(st.tuples(unit, unit, unit), min_size=1, max_size=7))
def test_every_pair_is_the_product_over_its_blocks(rows: list[tuple[float, float, float]]) -> None:
    """All six e-values, mean differences and variances are those of the definition."""
    race = raced(BettingRace(["a", "b", "c"]), [dict(zip("abc", row, strict=True)) for row in rows])
    for a, b in permutations(range(3), 2):
        d = [row[a] - row[b] for row in rows]
        assert race.e("abc"[a], "abc"[b]) == pytest.approx(wealth(d))
        assert race.means[a, b] == pytest.approx(np.mean(d), abs=1e-12)
        if len(d) > 1:
            assert race.variance("abc"[a], "abc"[b]) == pytest.approx(np.var(d, ddof=1), abs=1e-12)


def test_a_pair_counts_only_blocks_with_both() -> None:
    """A block without a variant leaves all of its pairs as they were."""
    full = [{"a": 1.0, "b": 0.0, "c": 0.5}] * 3
    race = raced(BettingRace(["a", "b", "c"], margin=0.1), full)
    before = race.e("a", "b"), race.e("b", "c"), float(race.log_below()[0, 1])
    race.add({"a": 0.0, "c": 1.0})
    assert (race.e("a", "b"), race.e("b", "c"), float(race.log_below()[0, 1])) == before
    assert race.e("c", "a") == pytest.approx(wealth([-0.5] * 3 + [1.0]))
    assert (race.together("a", "b"), race.together("a", "c"), race.runs("b"), race.blocks) == (3, 4, 3, 4)


def test_the_mean_evidence_against_eliminates() -> None:
    """A variant drops out when the mean e-value of the others against it reaches 2/alpha, after 8 blocks."""
    race = BettingRace(["a", "b", "c"])
    for block in range(1, 12):
        lost = race.add({"a": 1.0, "b": 1.0, "c": 0.0})
        evidence = wealth([1.0] * block)
        assert math.exp(race.log_against("c")) == pytest.approx(evidence)
        assert lost == (("c",) if evidence >= 40 and block >= 8 else ())
        if lost:
            break
    assert race.eliminated == ["c"]
    assert race.survivors == ("a", "b")
    assert race.winner is None
    assert race.leaders == ("a", "b")


def test_nobody_drops_out_before_eight_blocks() -> None:
    """Seven perfect blocks of five variants prove nothing yet, however large the evidence."""
    race = raced(BettingRace(["a", "b"], alpha=0.5), [{"a": 1.0, "b": 0.0}] * 7)
    assert race.log_against("b") > math.log(2 / 0.5)
    assert race.survivors == ("a", "b")
    assert race.add({"a": 1.0, "b": 0.0}) == ("b",)
    assert race.winner == "a"


def test_somebody_always_survives() -> None:
    """If the evidence is against all, the one with the least against it stays."""
    against = np.array([5.0, 4.5, 6.0])
    everybody = np.ones(3, dtype=bool)
    assert dropouts(against, everybody, everybody, 0.05) == [0, 2]
    assert dropouts(against, np.array([True, False, False]), everybody, 0.05) == []


def test_the_mean_evidence_by_hand() -> None:
    """The evidence against a column is the mean over the other rows, also where there is none."""
    e = np.array([[9.0, 3.0, 0.0], [2.0, 9.0, 0.0], [6.0, 1.0, 9.0]])
    with np.errstate(divide="ignore"):
        against = log_evidence_against(np.log(e))
    assert np.exp(against) == pytest.approx([4.0, 2.0, 0.0])


def test_closeness_by_hand() -> None:
    """A tie needs 1/alpha for both "less than the margin" e-values of every pair of survivors."""
    race = BettingRace(["a", "b"], margin=0.4)
    blocks = 0
    while not race.tie:
        race.add({"a": 0.5, "b": 0.5})
        blocks += 1
    assert wealth([0.4 / 1.4] * blocks) >= 20 > wealth([0.4 / 1.4] * (blocks - 1))
    assert math.exp(race.log_below()[0, 1]) == pytest.approx(wealth([0.4 / 1.4] * blocks))


def test_no_tie_without_a_margin() -> None:
    """Without a declared margin nothing is ever equivalent."""
    assert not raced(BettingRace(["a", "b"]), [{"a": 0.5, "b": 0.5}] * 200).tie
    assert not raced(MixtureRace(["a", "b"]), [{"a": 0.5, "b": 0.5}] * 200).tie


def exact_low(d: np.ndarray[Any, Any], alpha: float = 0.05) -> float:
    """Return the lower limit by inverting the bets on the differences themselves."""
    low, high = -1.0, float(d.mean())
    for _ in range(50):
        middle = (low + high) / 2
        if middle <= -1:
            break
        inside = float(running_log_e((d - middle) / (1 + middle))[-1]) < math.log(2 / alpha)
        low, high = (low, middle) if inside else (middle, high)
    return low


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 120), st.booleans(), st.integers(0, 999))
def test_the_interval_inverts_the_bets(n: int, binary: bool, seed: int) -> None:
    """The limits are those of the exact inversion, never narrower, and wider by at most 0.002."""
    draws = np.random.default_rng(seed)
    d = draws.integers(-1, 2, n).astype(float) if binary else draws.beta(4, 2, n) - draws.beta(2, 2, n)
    histogram = empty_histogram(n, n)[0, :1]
    for value in d:
        count_differences(histogram, np.array([value]), np.array([True]))
    interval = mean_interval(histogram[0])
    assert interval.estimate == pytest.approx(d.mean(), abs=1e-9)
    assert exact_low(d) - 0.002 <= interval.low <= exact_low(d) + 1e-6
    assert -exact_low(-d) - 1e-6 <= interval.high <= -exact_low(-d) + 0.002


def test_the_interval_agrees_with_the_claim() -> None:
    """The limits exclude zero exactly if the evidence has reached 2/alpha; before any block they are -1 and 1."""
    race = BettingRace(["a", "b"])
    assert (race.interval("a", "b").low, race.interval("a", "b").high) == (-1, 1)
    draws = np.random.default_rng(2)
    for _ in range(150):
        race.add({"a": float(draws.random()), "b": float(draws.random() * 0.8)})
        interval = race.interval("a", "b")
        assert (interval.low >= 0) == (race.e("a", "b") >= 40)
        assert race.interval("b", "a").high == pytest.approx(-interval.low, abs=1e-9)


def test_extreme_differences_have_limits() -> None:
    """A variant that always wins by everything has an estimate of 1 and limits that end there."""
    race = raced(BettingRace(["a", "b"]), [{"a": 1.0, "b": 0.0}] * 40)
    interval = race.interval("a", "b")
    assert interval.estimate == interval.high == 1
    assert 0.6 < interval.low < 1
    assert race.interval("b", "a").low == -1


def test_evidence_never_overflows() -> None:
    """Two thousand perfect blocks give a finite e-value."""
    race = raced(BettingRace(["a", "b"]), [{"a": 1.0, "b": 0.0}] * 2000)
    assert 1e300 < race.e("a", "b") < math.inf
    assert race.e("b", "a") >= 0


# --- the t-mixture ------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [[1.0, 2.0, 4.0, 1.5], [0.1, -0.3, 0.2, 0.5, 0.4, 0.1, 0.2], [5.0, 5.1, 4.9]])
def test_the_mixture_is_a_ratio_of_t_densities(d: list[float]) -> None:
    """The e-value is the noncentral t density averaged over effects N(0, .3^2), over the central one."""
    n, mean, variance = len(d), float(np.mean(d)), float(np.var(d, ddof=1))
    t = mean / math.sqrt(variance / n)

    def weighted(effect: float) -> float:
        density = stats.nct.pdf(t, n - 1, effect * math.sqrt(n))
        return float(density * stats.norm.pdf(effect, 0, EFFECT_SCALE))

    ratio = integrate.quad(weighted, -2.5, 2.5, limit=200)[0] / stats.t.pdf(t, n - 1)
    assert math.exp(float(log_e_two_sided(n, n - 1, mean, variance))) == pytest.approx(ratio, rel=1e-4)


def test_the_mixture_by_hand() -> None:
    """The log e-value is -1/2 ln g + n/2 [ln(1 + t2/(n-1)) - ln(1 + t2/((n-1) g))] of the definition."""
    n, mean, variance = 10, 0.7, 0.4
    t2, g = n * mean**2 / variance, 1 + n * 0.09
    expected = -0.5 * math.log(g) + n / 2 * (math.log1p(t2 / (n - 1)) - math.log1p(t2 / ((n - 1) * g)))
    assert float(log_e_positive(n, n - 1, mean, variance)) == pytest.approx(expected)
    assert float(log_e_positive(n, n - 1, -mean, variance)) == -math.inf
    assert float(log_e_positive(2, 1, mean, variance)) == -math.inf


def test_the_mixture_interval_inverts_the_mixture() -> None:
    """At its limits the e-value is exactly 1/alpha, and there are no limits while n is small."""
    for n, variance in ((30, 2.0), (200, 0.01)):
        half = half_width(n, n - 1, variance)
        assert float(log_e_two_sided(n, n - 1, half, variance)) == pytest.approx(math.log(20))
    assert half_width(2, 1, 1.0) == math.inf
    assert half_width(5, 4, 1.0) == math.inf
    assert paired_interval(5, 1.0, 1.0).low == -math.inf


def test_the_two_sample_form() -> None:
    """Equal arms count as n/2 pairs with 2n - 2 degrees of freedom and the variance of one value."""
    assert two_sample(20, 20, 3.0) == (10, 38, 3.0)


def test_constant_differences_are_no_accident_of_division() -> None:
    """Differences without spread give finite evidence that grows, and none if they are zero."""
    same = raced(MixtureRace(["a", "b"]), [{"a": 7.0, "b": 7.0}] * 30)
    assert same.survivors == ("a", "b")
    assert same.interval("a", "b").estimate == 0
    race = MixtureRace(["a", "b"])
    race.add({"a": 100.0, "b": 0.0})
    assert race.interval("a", "b").high == math.inf
    raced(race, [{"a": 100.0, "b": 0.0}] * 19)
    assert race.winner == "a"
    assert race.interval("a", "b").low == 100


def test_the_scale_does_not_matter() -> None:
    """Milliseconds and seconds, or a constant added to all, give the same evidence."""
    draws = np.random.default_rng(3).normal(5, 1, (40, 2))
    plain = raced(MixtureRace(["a", "b"]), [{"a": a, "b": b} for a, b in draws.tolist()])
    scaled = raced(
        MixtureRace(["a", "b"]), [{"a": 9 + 1000 * a, "b": 9 + 1000 * b} for a, b in draws.tolist()]
    )
    assert scaled.log_e() == pytest.approx(plain.log_e())


def test_a_tie_of_latencies() -> None:
    """Interval within the margin, in the units of the metric: a tie."""
    draws = np.random.default_rng(4).normal(100, 3, (400, 2))
    race = raced(MixtureRace(["a", "b"], margin=2.0), [{"a": a, "b": b} for a, b in draws.tolist()])
    assert race.tie
    assert race.winner is None


# --- both ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [BettingRace, MixtureRace])
def test_a_stored_race_goes_on_as_if_never_stored(kind: type[Race]) -> None:
    """State goes through JSON after any block and back without changing anything later."""
    draws = np.random.default_rng(5)
    blocks = [dict(zip("abc", row, strict=True)) for row in draws.beta(3, 2, (60, 3)).tolist()]
    straight, stored = kind("abc", margin=0.3), kind("abc", margin=0.3)
    for block in blocks:
        straight.add(block)
        stored.add(block)
        stored = kind.from_json(json.loads(json.dumps(stored.to_json(), allow_nan=False)))
    assert stored.to_json() == straight.to_json()


@pytest.mark.parametrize("kind", [BettingRace, MixtureRace])
@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_scores_that_are_no_numbers_are_refused(kind: type[Race], score: float) -> None:
    """The error names the variant, and nothing of the block is folded."""
    race = kind(["a", "b"])
    with pytest.raises(ValueError, match="'b'"):
        race.add({"a": 0.5, "b": score})
    assert race.blocks == 0
    assert race.together("a", "b") == 0


def test_what_makes_no_sense_is_refused() -> None:
    """Scores outside [0, 1] for bets, unknown or repeated variants, single ones, silly alphas and margins."""
    with pytest.raises(ValueError, match=r"1\.5"):
        BettingRace(["a", "b"]).add({"a": 1.5, "b": 0.0})
    with pytest.raises(ValueError, match="'x'"):
        BettingRace(["a", "b"]).add({"x": 1.0})
    for block in ({}, {"a": 1.0}):
        with pytest.raises(ValueError, match="at least two"):
            BettingRace(["a", "b"]).add(block)
    for names in ([], ["a"], ["a", "a"]):
        with pytest.raises(ValueError, match="two different"):
            BettingRace(names)
    with pytest.raises(ValueError, match="alpha"):
        BettingRace(["a", "b"], alpha=1.0)
    for margin in (0.0, -1.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="margin"):
            BettingRace(["a", "b"], margin=margin)
    with pytest.raises(ValueError, match="margin"):
        MixtureRace(["a", "b"], margin=math.inf)


def test_names_are_kept_as_they_are() -> None:
    """Any text is a name: empty, with quotes, line breaks, or ten thousand characters long."""
    names = ["", "a'; DROP TABLE x", 'b"\n\\', "\N{FIRE}" * 10_000]
    race = raced(BettingRace(names), [dict.fromkeys(names, 0.5) | {"": 1.0}] * 30)
    assert race.winner == ""
    assert BettingRace.from_json(json.loads(json.dumps(race.to_json()))).variants == tuple(names)


def test_against_one_control() -> None:
    """Many comparisons with a control need an e-value of 2 (K - 1)/alpha each."""
    race = BettingRace(["a", "b"])
    while not race.beats("a", "b", comparisons=5):
        race.add({"a": 1.0, "b": 0.0})
    assert wealth([1.0] * race.blocks) >= 200 > wealth([1.0] * (race.blocks - 1))
