"""Estimates of a difference from runs that were not collected in blocks.

Every one is the mean of `a` minus the mean of `b`, with an asymptotic confidence sequence: it may be
read at any time, but it is trustworthy only in large samples and if runs were assigned at random. Arms
without any spread get an exact argument instead, and a note that says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vettle.engine.judging.betting import BETS, LARGEST_LOG, Floats, log_growth, log_mean
from vettle.engine.judging.intervals import Interval
from vettle.engine.judging.proportions import same_proportion_e
from vettle.engine.judging.sequences import asymptotic_sequence

Method = Literal["welch", "proportion", "paired", "paired_proportion", "stratified", "covariate_adjusted"]

MINIMUM_CONSTANT = 8
"""Runs per arm below which two equal constants are not said to be equal."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The difference a - b, its time-uniform limits and the evidence that it is not zero.

    Attributes:
        method: How it was estimated.
        interval: The difference and its limits; infinite while the data do not bound it.
        n_a: Observations of a (pairs in a paired method).
        n_b: Observations of b.
        standard_error: Of the difference; 0 if no arm has any spread, infinite if none is known.
        e_value: Against "no difference", two-sided; 1 is no evidence.
        asymptotic: Whether the guarantee needs large samples; False for an exact argument.
        note: A sentence about anything unusual, or "".
    """

    method: Method
    interval: Interval
    n_a: int
    n_b: int
    standard_error: float
    e_value: float
    asymptotic: bool = True
    note: str = ""

    @property
    def p_value(self) -> float:
        """The always-valid p-value, min(1, 1/e) (Vovk & Wang 2021)."""
        return min(1.0, 1 / self.e_value) if self.e_value > 0 else 1.0

    @property
    def runs(self) -> int:
        """The smaller number of observations of the two arms."""
        return min(self.n_a, self.n_b)


# --- two samples --------------------------------------------------------------------------------


def welch(a: Sequence[float], b: Sequence[float], alpha: float = 0.05) -> Estimate:
    """Compare the means of two independent samples with variances of their own (Welch 1947).

    Constant arms with different values are a "deterministic difference", proven by the exact e-value
    of `proportions.same_proportion_e` for "the value is that of a"; equal constants are no difference.
    """
    x, y = _values("a", a), _values("b", b)
    difference = _mean(x) - _mean(y)
    if len(x) and len(y) and _constant(x) and _constant(y):
        return _constants("welch", difference, len(x), len(y), alpha)
    return _normal("welch", difference, _squared_error(x) + _squared_error(y), (len(x), len(y)), alpha)


def proportion(successes_a: int, n_a: int, successes_b: int, n_b: int, alpha: float = 0.05) -> Estimate:
    """Compare two independent proportions; never without spread, so 0 of 20 against 20 of 20 is decisive.

    The variance is p(1 - p)/n at p = (s + 1)/(n + 2) (the pseudo-observations of Agresti & Caffo 2000,
    with n for n + 2, which is never smaller).
    """
    for successes, n in ((successes_a, n_a), (successes_b, n_b)):
        if not 0 <= successes <= n:
            raise ValueError(f"{successes} successes are impossible in {n} runs")
    if min(n_a, n_b) == 0:
        return _normal("proportion", 0.0, math.inf, (n_a, n_b), alpha)
    smoothed = [(s + 1) / (n + 2) for s, n in ((successes_a, n_a), (successes_b, n_b))]
    error = sum(p * (1 - p) / n for p, n in zip(smoothed, (n_a, n_b), strict=True))
    return _normal("proportion", successes_a / n_a - successes_b / n_b, error, (n_a, n_b), alpha)


def stratified(
    strata: Mapping[str, tuple[Sequence[float], Sequence[float]]], alpha: float = 0.05
) -> Estimate:
    """Compare two arms within strata and weigh each by its share of the runs (Cochran 1977, eq. 5.1 and 5.7).

    A stratum takes part with two runs per arm or more; the note names those left out.
    """
    used, left_out = {}, []
    for name, (a, b) in strata.items():
        x, y = _values(f"a in {name!r}", a), _values(f"b in {name!r}", b)
        if min(len(x), len(y)) >= 2:
            used[name] = (x, y)
        else:
            left_out.append(name)
    note = f"strata with fewer than two runs per arm were left out: {left_out!r}" if left_out else ""
    n_a, n_b = sum(len(x) for x, _ in used.values()), sum(len(y) for _, y in used.values())
    if not used:
        return _normal("stratified", 0.0, math.inf, (0, 0), alpha, note)
    weights = [(len(x) + len(y)) / (n_a + n_b) for x, y in used.values()]
    pairs = list(zip(weights, used.values(), strict=True))
    difference = sum(weight * (_mean(x) - _mean(y)) for weight, (x, y) in pairs)
    error = sum(weight**2 * (_squared_error(x) + _squared_error(y)) for weight, (x, y) in pairs)
    if error == 0:
        return _constants("stratified", difference, n_a, n_b, alpha, note)
    return _normal("stratified", difference, error, (n_a, n_b), alpha, note)


def covariate_adjusted(
    a: Sequence[float],
    covariate_a: Sequence[float],
    b: Sequence[float],
    covariate_b: Sequence[float],
    alpha: float = 0.05,
) -> Estimate:
    """Compare two means after removing what a covariate known before the run explains (CUPED).

    theta = cov(y, x)/var(x) pooled within arms, y - theta (x - mean x) is compared (Deng, Xu, Kohavi &
    Walker 2013, eq. 4 and 5). A covariate without spread leaves the values as they are, and is noted.
    """
    y_a, y_b = _values("a", a), _values("b", b)
    x_a, x_b = _values("the covariate of a", covariate_a), _values("the covariate of b", covariate_b)
    if len(y_a) != len(x_a) or len(y_b) != len(x_b):
        raise ValueError("every run needs exactly one covariate")
    if min(len(y_a), len(y_b)) == 0:
        return _normal("covariate_adjusted", 0.0, math.inf, (len(y_a), len(y_b)), alpha)
    spread = sum(float(((x - x.mean()) ** 2).sum()) for x in (x_a, x_b))
    together = sum(float(((x - x.mean()) * (y - y.mean())).sum()) for x, y in ((x_a, y_a), (x_b, y_b)))
    theta = together / spread if spread > 0 else 0.0
    note = "" if spread > 0 else "the covariate has no spread within the arms; nothing was adjusted"
    adjusted_a, adjusted_b = y_a - theta * x_a, y_b - theta * x_b
    difference = _mean(adjusted_a) - _mean(adjusted_b)
    error = _squared_error(adjusted_a) + _squared_error(adjusted_b)
    scale = max(float(np.abs(y_a).max()), float(np.abs(y_b).max()), 1e-300)
    if error <= (1e-12 * scale) ** 2:
        return _constants("covariate_adjusted", difference, len(y_a), len(y_b), alpha, note)
    return _normal("covariate_adjusted", difference, error, (len(y_a), len(y_b)), alpha, note)


# --- pairs --------------------------------------------------------------------------------------


def paired(a: Sequence[float], b: Sequence[float], alpha: float = 0.05) -> Estimate:
    """Compare two arms on the same items: the mean of the within-item differences.

    Identical differences other than zero are a "deterministic difference", proven by betting on their
    signs (exact if each sign is equally likely under "no difference").
    """
    differences = _values("a", a) - _values("b", b) if len(a) == len(b) else None
    if differences is None:
        raise ValueError(f"{len(a)} values of a cannot be paired with {len(b)} of b")
    n = len(differences)
    if n and _constant(differences):
        value = float(differences[0])
        wealth = math.exp(min(float(log_mean(n * log_growth(np.array(1.0)))), LARGEST_LOG))
        lost = sum((1 - bet) ** n for bet in BETS) / len(BETS)
        return _deterministic("paired", value, (n, n), (wealth + lost) / 2 if value else 1.0, alpha)
    return _normal("paired", _mean(differences), _squared_error(differences), (n, n), alpha)


def paired_proportion(a: Sequence[bool], b: Sequence[bool], alpha: float = 0.05) -> Estimate:
    """Compare two proportions on the same items, by the items on which they disagree.

    The variance has half a pseudo-item in each cell, so two more in all (Agresti & Min 2005), divided
    by n: it is never zero.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values of a cannot be paired with {len(b)} of b")
    n = len(a)
    if n == 0:
        return _normal("paired_proportion", 0.0, math.inf, (0, 0), alpha)
    only_a = sum(bool(x) and not y for x, y in zip(a, b, strict=True))
    only_b = sum(bool(y) and not x for x, y in zip(a, b, strict=True))
    up, down = (only_a + 0.5) / (n + 2), (only_b + 0.5) / (n + 2)
    error = (up + down - (up - down) ** 2) / n
    return _normal("paired_proportion", (only_a - only_b) / n, error, (n, n), alpha)


# --- parts --------------------------------------------------------------------------------------


def _values(name: str, values: Sequence[float]) -> Floats:
    array: NDArray[np.float64] = np.asarray(values, dtype=float)
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise ValueError(f"{name}: row {int(bad[0])} is {array[bad[0]]!r}; leave it out and say so first")
    return array


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0


def _constant(values: Floats) -> bool:
    return bool(values.min() == values.max())


def _squared_error(values: Floats) -> float:
    """Return the squared standard error of a mean; infinite below two values, 0 only for a constant."""
    if len(values) < 2:
        return math.inf
    return 0.0 if _constant(values) else float(values.var(ddof=1)) / len(values)


def _normal(
    method: Method, difference: float, error: float, n: tuple[int, int], alpha: float, note: str = ""
) -> Estimate:
    """Return the estimate with its asymptotic limits, or without limits while no spread is known."""
    if not math.isfinite(error):
        few = "an arm has no run yet" if min(n) == 0 else "an arm has a single run: its spread is unknown"
        unbounded = Interval(difference, -math.inf, math.inf, alpha)
        return Estimate(method, unbounded, *n, math.inf, 1.0, note="; ".join(filter(None, (few, note))))
    observations = n[0] if method.startswith("paired") else sum(n)
    sequence = asymptotic_sequence(difference, math.sqrt(error), observations, alpha)
    limits = sequence.interval
    if method.endswith("proportion"):
        limits = Interval(difference, max(limits.low, -1.0), min(limits.high, 1.0), alpha)
    return Estimate(method, limits, *n, math.sqrt(error), sequence.e_value, note=note)


def _constants(
    method: Method, difference: float, n_a: int, n_b: int, alpha: float, note: str = ""
) -> Estimate:
    """Judge two constant arms: all of n_a runs show one value, none of n_b does."""
    e = same_proportion_e((n_a, 0), (n_a, n_b)) if difference else 1.0
    return _deterministic(method, difference, (n_a, n_b), e, alpha, note)


def _deterministic(
    method: Method, difference: float, n: tuple[int, int], e: float, alpha: float, note: str = ""
) -> Estimate:
    """Return a difference without spread; its limits are the difference itself once that is proven."""
    proven = e >= 1 / alpha if difference else min(n) >= MINIMUM_CONSTANT
    limits = (difference, difference) if proven else (-math.inf, math.inf)
    kind = f"deterministic difference: always {difference:g}" if difference else "no difference in any run"
    words = f"{kind}; neither arm has any spread"
    if not proven:
        words += ", and there are too few runs to rely on it"
    notes = "; ".join(filter(None, (words, note)))
    return Estimate(method, Interval(difference, *limits, alpha), *n, 0.0, e, asymptotic=False, note=notes)


def by_name(
    method: Literal["welch", "proportion"], a: Sequence[float], b: Sequence[float], alpha: float
) -> Estimate:
    """Compare two samples by the named method; a proportion takes values of 0 and 1 only."""
    if method == "welch":
        return welch(a, b, alpha)
    for name, values in (("a", a), ("b", b)):
        odd = next((value for value in values if value not in (0, 1)), None)
        if odd is not None:
            raise ValueError(f"{name} holds {odd!r}; a proportion takes 0 and 1")
    return proportion(int(sum(a)), len(a), int(sum(b)), len(b), alpha)
