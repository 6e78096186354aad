"""What is believed of variants that share parts: grids, and variants across contexts, in one Gaussian.

The expected reward of an arm is a sum of coordinates that it shares with others: the base of all arms,
the levels of its dimensions, their pairs, something of its own. Each has an independent Gaussian prior,
and every reward is folded into their joint posterior: Bayesian linear regression (Lindley & Smith 1972)
as a Kalman filter (Kalman 1960), as in `vettle.engine.posterior`, which has a coordinate for every rule.

It steers and recommends; it never declares a winner. The best two or three belong into a block test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import Choice, Ranked, draw, whole_draws

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

NORMAL_95 = 1.6448536269514722
"""The 95 % quantile of the standard normal: half-widths of 90 % intervals in standard deviations."""


class Term(NamedTuple):
    """A part of an arm's expected reward: equal keys are the same part, `sd` is its prior deviation."""

    key: tuple[str, ...]
    sd: float


Arm = tuple[Term, ...]
"""The terms that add up to one arm, the most widely shared first; keys are distinct."""

BASE = ("base",)

_AT_A_TIME = 512
"""Arms, or draws, whose numbers are in memory at once."""


def combination(levels: Mapping[str, str]) -> Arm:
    """Return the terms of one combination of a grid: base, one level per dimension, pairs of levels, itself.

    Two combinations then have the prior covariance .2^2 + .06^2 (equal levels) + .02^2 (equal pairs), and
    .02^2 more with themselves. Raises InvalidArgument for no dimension.
    """
    if not levels:
        raise InvalidArgument("levels", "there is none", "Name a level for at least one dimension")
    chosen = sorted(levels.items())
    return (
        Term(BASE, 0.2),
        *(Term(("level", *level), 0.06) for level in chosen),
        *(Term(("pair", *one, *other), 0.02) for one, other in combinations(chosen, 2)),
        Term(("itself", *(part for level in chosen for part in level)), 0.02),
    )


def in_context(variant: str, context: str) -> Arm:
    """Return the terms of a variant in a context (a model on a task type): base, context, variant, both."""
    return (
        Term(BASE, 0.25),
        Term(("context", context), 0.2),
        Term(("variant", variant), 0.1),
        Term(("variant in context", variant, context), 0.05),
    )


@dataclass(frozen=True)
class Parameters:
    """Hold the constants of the filter; rewards are utilities in [0, 1].

    Attributes:
        base_mean: Prior mean of the base: no utility is likelier than its mirror image.
        base_walk_sd: Standard deviation by which the base moves between two rewards (West & Harrison
            1997: a local-level model).
        dispersion: First value of the noise variance divided by q(1-q), the quasi-binomial dispersion
            (Wedderburn 1974); 1 is exact for rewards of 0 and 1 and the most that any in [0, 1] can have.
        dispersion_range: Least and greatest dispersion.
        score_range: Least and greatest prediction q that the noise variance is computed from.
        exploration: Standard deviations of belief per standard deviation of draw: Thompson 1933 has 1.
        cap: Coordinates that are held jointly; the matrix grows with its square. Past it what is
            peculiar to a new arm counts as noise.
    """

    base_mean: float = 0.5
    base_walk_sd: float = 0.005
    dispersion: float = 1.0
    dispersion_range: tuple[float, float] = (0.05, 1.5)
    score_range: tuple[float, float] = (0.02, 0.98)
    exploration: float = 0.7
    cap: int = 1000


class Belief(NamedTuple):
    """What is believed of one arm: expected reward, its standard deviation, and a 90 % credible interval.

    All may lie slightly outside [0, 1]. The interval does not survive peeking: it informs, it proves nothing.
    """

    mean: float
    sd: float
    low: float
    high: float


class StructuredPosterior:
    """Believe something about every arm, also about those never tried.

    A deterministic fold: equal rewards in equal order leave equal bits (no BLAS, no randomness).
    """

    def __init__(self, parameters: Parameters | None = None) -> None:
        self.parameters = parameters if parameters is not None else Parameters()
        self.observations = 0
        self.dispersion = self.parameters.dispersion
        self._row: dict[tuple[str, ...], int] = {}
        # Always with room for one more: that last row stays zero and stands for every untouched coordinate.
        self._mean: Array = np.zeros(1)
        self._covariance: Array = np.zeros((1, 1))

    def observe(self, arm: Arm, reward: float) -> None:
        """Fold one reward in [0, 1] of `arm`; raises InvalidArgument for any other."""
        if not 0 <= reward <= 1:
            raise InvalidArgument("reward", f"{reward} is not in [0, 1]", "Scale it to the metric's range")
        self._drift()
        rows, unshared = self._rows(arm)
        prediction = self.parameters.base_mean + float(self._mean[rows].sum())
        error = reward - prediction
        variance = self._update(rows, error, self._noise(prediction) + unshared)
        self._learn_dispersion(error * error / variance)
        self.observations += 1

    def beliefs(self, arms: Sequence[Arm]) -> list[Belief]:
        """Return what is believed of each arm, in the order given."""
        means, deviations = self._moments(arms)
        return [
            Belief(mean, sd, mean - NORMAL_95 * sd, mean + NORMAL_95 * sd)
            for mean, sd in zip(means.tolist(), deviations.tolist(), strict=True)
        ]

    def joint(self, arms: Sequence[Arm]) -> tuple[Array, Array]:
        """Return the means of the expected rewards of `arms`, and their covariance matrix.

        What two arms share leaves their difference, so its variance is less than the sum of theirs.
        """
        means, _ = self._moments(arms)
        rows = np.full((len(arms), max(map(len, arms), default=0)), -1, np.intp)
        untouched: dict[Term, list[int]] = {}
        for index, arm in enumerate(arms):
            for position, term in enumerate(arm):
                row = self._row.get(term.key)
                if row is None:
                    untouched.setdefault(term, []).append(index)
                else:
                    rows[index, position] = row
        covariance = self._covariance[rows].sum(axis=1)[:, rows].sum(axis=2)
        for term, sharing in untouched.items():
            covariance[np.ix_(sharing, sharing)] += term.sd**2
        return means, covariance

    def choose(self, arms: Mapping[str, Arm], generator: np.random.Generator, *, draws: int = 1000) -> Choice:
        """Choose an arm by Thompson sampling (Thompson 1933), with `exploration` standard deviations.

        Draws `draws` times an expected reward of every arm and takes one of the winners at random, so the
        propensity, the share of draws that an arm wins, is exact given those draws. Raises
        InvalidArgument for no arms.
        """
        if not arms:
            raise InvalidArgument("arms", "there are none", "Pass at least one")
        draws = whole_draws(draws)
        means, deviations = self._moments(list(arms.values()))
        wins = _wins(means, self.parameters.exploration * deviations, generator, draws)
        probabilities = [count / draws for count in wins]
        index = draw(probabilities, generator)
        order = np.argsort(-means, kind="stable").tolist()
        ids = list(arms)
        return Choice(
            policy="structured",
            index=index,
            id=ids[index],
            probabilities=tuple(probabilities),
            explored=bool(means[index] < means.max()),
            reason=f"best in {probabilities[index]:.1%} of {draws} draws from the joint posterior",
            ranking=tuple(Ranked(ids[row], float(means[row])) for row in order),
            draws=draws,
        )

    def _noise(self, prediction: float) -> float:
        """Return the variance of a reward around `prediction`: dispersion * q * (1 - q), quasi-binomial."""
        q = min(max(prediction, self.parameters.score_range[0]), self.parameters.score_range[1])
        return self.dispersion * q * (1 - q)

    def _update(self, rows: Rows, error: float, noise: float) -> float:
        """Condition on one observation of the sum of `rows` (Kalman 1960); return its predictive variance."""
        n = len(self._row)
        gain = self._covariance[rows, :n].sum(axis=0)
        variance = noise + float(gain[rows].sum())
        self._mean[:n] += gain * (error / variance)
        self._covariance[:n, :n] -= gain[:, None] * gain / variance
        return variance

    def _learn_dispersion(self, ratio: float) -> None:
        """Move the dispersion towards what the squared standardised error `ratio` (expected 1) says."""
        rate = 1.0 / (50 + min(self.observations, 2000))
        low, high = self.parameters.dispersion_range
        self.dispersion = min(max(self.dispersion * (1 + (ratio - 1) * rate), low), high)

    def _moments(self, arms: Sequence[Arm]) -> tuple[Array, Array]:
        """Return the means and standard deviations of the expected rewards of `arms`."""
        longest = max(map(len, arms), default=0)
        rows = np.full((len(arms), longest), -1, np.intp)
        variances = np.zeros(len(arms))
        for index, arm in enumerate(arms):
            for position, term in enumerate(arm):
                row = self._row.get(term.key)
                if row is None:
                    variances[index] += term.sd**2
                else:
                    rows[index, position] = row
        for start in range(0, len(arms), _AT_A_TIME):
            some = rows[start : start + _AT_A_TIME]
            known = self._covariance[some[:, :, None], some[:, None, :]].sum(axis=(1, 2))
            variances[start : start + _AT_A_TIME] += np.maximum(known, 0.0)
        return self.parameters.base_mean + self._mean[rows].sum(axis=1), np.sqrt(variances)

    def _rows(self, arm: Arm) -> tuple[Rows, float]:
        """Return the rows of an arm, creating those that are absent, and the variance that found no room."""
        unshared = 0.0
        rows: list[int] = []
        for term in arm:
            if term.key in self._row:
                rows.append(self._row[term.key])
            elif len(self._row) < self.parameters.cap:
                rows.append(self._create(term))
            else:
                unshared += term.sd**2
        return np.array(rows, np.intp), unshared

    def _drift(self) -> None:
        """Let the base move since the last reward."""
        if BASE in self._row:
            row = self._row[BASE]
            self._covariance[row, row] += self.parameters.base_walk_sd**2

    def _create(self, term: Term) -> int:
        """Give a term a row with its prior."""
        row = len(self._row)
        if row + 1 >= len(self._mean):
            more = max(64, row)
            self._mean = np.pad(self._mean, (0, more))
            self._covariance = np.pad(self._covariance, (0, more))
        self._covariance[row, row] = term.sd**2
        self._row[term.key] = row
        return row


def _wins(means: Array, deviations: Array, generator: np.random.Generator, draws: int) -> list[int]:
    """Return in how many of `draws` independent normal draws each arm is the best."""
    wins = np.zeros(len(means), np.intp)
    for start in range(0, draws, _AT_A_TIME):
        noise = generator.standard_normal((min(_AT_A_TIME, draws - start), len(means)))
        wins += np.bincount((means + deviations * noise).argmax(axis=1), minlength=len(means))
    return wins.tolist()
