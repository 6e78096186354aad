"""How the judge does on the user's own data: false winners, power, and a replay under other settings.

Nothing here writes, and nothing here is evidence about the variants.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments import verdicts
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.lifecycle import require
from vettle.engine.experiments.results import verdict_of
from vettle.engine.experiments.verdicts import Verdict
from vettle.engine.judging.betting import BETS, Floats, log_growth, log_mean
from vettle.engine.judging.elimination import MINIMUM_BLOCKS, log_evidence_against
from vettle.engine.judging.judgement import Plan
from vettle.engine.judging.mixture import log_e_positive
from vettle.engine.judging.verdict_samples import judge_samples
from vettle.engine.progress import report
from vettle.engine.project import Project
from vettle.engine.records import Calibration

MOST_VARIANTS = 8
"""Variants that are simulated at once; of more, a random selection for every simulated experiment."""

_STEPS = 4_000_000
"""Comparisons of two variants within a block that one rate may cost; about a second."""

_JUDGEMENTS = 3_200
"""Comparisons of two samples that one rate may cost; about half a second."""

_LOOKS = 8
_FEWEST = 20

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Raced:
    """What became of simulated experiments: the winner's column, -1 for none, and when it was named."""

    winners: Indices
    moments: Indices

    def rate(self, winner: int, within: int) -> float:
        """Return the share in which this column won within that many blocks."""
        return float(np.mean((self.winners == winner) & (self.moments <= within)))


@dataclass(frozen=True, slots=True)
class _Data:
    """What is sampled from: `rows` are complete blocks (n, K), or one column of pooled samples (n, 1).

    `size` is blocks, or runs of the smaller arm; `arms` how many variants take part.
    """

    rows: Floats
    size: int
    arms: int
    blocked: bool
    bounded: bool
    binary: bool


def calibrate(
    project: Project,
    *,
    experiment: str,
    simulations: int = 200,
    effect: float = 0.0,
    alpha: float = 0.05,
    minimum_effect: float = 0.0,
    seed: int = 0,
) -> Calibration:
    """Let the judge decide experiments made of this one's own results, with and without a difference.

    Without one: complete blocks drawn with replacement, their variants shuffled within each block, judged after
    every block. With one: the same and `effect` (in utilities, or the metric's unit where it has no range; 0:
    the declared minimum effect) on one variant. Without blocks, samples are drawn from all runs together.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: A setting is out of its range.
    """
    _require_settings(simulations, effect, alpha, minimum_effect)
    with project.read() as transaction:
        found = require(transaction, experiment)
        current = verdicts.of(transaction, found)
    replay = verdicts.judge(current.design, current.evidence, alpha=alpha, minimum_effect=minimum_effect)
    data = _data(current)
    notes = _notes(current, data)
    answer = Calibration(
        experiment_id=found.id,
        enough=data.size >= MINIMUM_BLOCKS,
        unit="blocks" if data.blocked else "runs per arm",
        blocks=data.size,
        simulations=0,
        seed=seed,
        alpha=alpha,
        verdict=verdict_of(current.judgement),
        replay=verdict_of(replay.judgement),
        notes=notes,
        next_step="Believe the verdict as far as these rates go; they say nothing about which variant is best.",
    )
    if not answer.enough:
        few = f"Too little data: {data.size} of at least {MINIMUM_BLOCKS} complete {answer.unit}."
        step = f"Record at least {MINIMUM_BLOCKS - data.size} more complete {answer.unit}, then ask again."
        return answer.model_copy(update={"notes": [few, *notes], "next_step": step})
    asked = effect or minimum_effect or current.design.minimum_difference
    return answer.model_copy(update=_simulated(current.design, data, simulations, asked, alpha, seed, notes))


def _require_settings(simulations: int, effect: float, alpha: float, minimum_effect: float) -> None:
    if not _FEWEST <= simulations <= 2_000:
        raise InvalidArgument("simulations", f"{simulations} is out of range", f"Pass {_FEWEST} to 2000")
    if not 0 < alpha < 0.5:
        raise InvalidArgument("alpha", f"{alpha!r} is out of range", "Pass a number above 0 and below 0.5")
    for name, value in (("effect", effect), ("minimum_effect", minimum_effect)):
        if not 0 <= value < math.inf:
            raise InvalidArgument(name, f"{value!r} is out of range", "Pass 0 or a positive number")


# --- the data ------------------------------------------------------------------------------------


def _data(verdict: Verdict) -> _Data:
    design, evidence = verdict.design, verdict.evidence
    bounded = all(metric.bounded for metric in design.metrics)
    names = [one.name for one in design.served]
    if verdict.race is not None:
        complete = [[block[name] for name in names] for block in evidence.blocks if set(names) <= set(block)]
        rows = np.array(complete, dtype=float).reshape(len(complete), len(names))
        return _Data(rows, len(complete), min(len(names), MOST_VARIANTS), True, bounded, design.is_binary)
    columns = [[value for value in evidence.samples[name] if value is not None] for name in names]
    pooled = np.array([value for column in columns for value in column], dtype=float).reshape(-1, 1)
    size = min(len(column) for column in columns)
    return _Data(pooled, size, min(len(names), MOST_VARIANTS), False, bounded, design.is_binary)


def _notes(verdict: Verdict, data: _Data) -> list[str]:
    notes = []
    variants = len(verdict.design.served)
    incomplete = len(verdict.evidence.blocks) - data.size if data.blocked else 0
    if incomplete:
        notes.append(
            f"{incomplete} blocks without every variant (lost runs, or variants eliminated before) were left out."
        )
    if variants > data.arms:
        notes.append(
            f"{data.arms} of the {variants} variants, drawn anew each time, take part in a simulation."
        )
    if not data.blocked:
        notes.append(
            f"There are no randomised blocks: samples are drawn from all runs together and looked at {_LOOKS} times."
        )
    if verdict.race is not None and verdict.race.eliminated:
        notes.append("The replay has only the runs that were made: eliminated variants got no more of them.")
    return notes


# --- the simulations -----------------------------------------------------------------------------


def _simulated(
    design: Design, data: _Data, simulations: int, effect: float, alpha: float, seed: int, notes: list[str]
) -> dict[str, Any]:
    """Return the fields of the answer that simulations give."""
    generator = np.random.default_rng(seed)
    number = _affordable(data, simulations)
    if number < simulations:
        notes.append(f"{number} instead of {simulations} simulations, to answer within seconds.")
    judge: Callable[[Floats], Raced] = _judge(data, alpha)
    report("simulating without a difference", 0, number)
    null = judge(_draw(data, number, data.size, generator))
    wrong = int((null.winners >= 0).sum())
    low, high = wilson(wrong, number)
    found: dict[str, Any] = {
        "simulations": number,
        "false_winner_rate": wrong / number,
        "false_winner_low": low,
        "false_winner_high": high,
        "notes": notes,
    }
    if not effect:
        notes.append("No minimum effect is declared: pass effect to be told how often it would be found.")
        return found
    report("simulating with a difference", number, 2 * number)
    scores = _draw(data, number, 2 * data.size, generator)
    before = float(scores[:, :, 0].mean())
    scores[:, :, 0] = _raised(data, scores[:, :, 0], effect, generator)
    applied = float(scores[:, :, 0].mean()) - before
    if applied < 0.95 * effect:
        notes.append(
            f"Of the effect of {effect:g} only {applied:.3g} fits into the range; the rest was clipped."
        )
    raced = judge(scores)
    return found | _power(raced, data.size, effect, applied)


def _power(raced: Raced, size: int, effect: float, applied: float) -> dict[str, Any]:
    when = [
        int(at) if winner == 0 else math.inf for winner, at in zip(raced.winners, raced.moments, strict=True)
    ]
    middle = median(when)
    return {
        "effect": effect,
        "applied": round(applied, 6),
        "power": raced.rate(0, size),
        "power_twice": raced.rate(0, 2 * size),
        "median": math.ceil(middle) if math.isfinite(middle) else None,
    }


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % limits of a proportion of n > 0 simulations (Wilson 1927)."""
    z2 = 1.96**2
    share = successes / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _affordable(data: _Data, simulations: int) -> int:
    """Return how many simulations keep the answer within seconds."""
    pairs = data.arms * (data.arms - 1)
    cost = pairs * 2 * data.size if data.blocked else pairs // 2 * 2 * _LOOKS
    budget = _STEPS if data.blocked else _JUDGEMENTS
    return max(min(simulations, budget // cost), _FEWEST)


def _draw(data: _Data, number: int, size: int, generator: np.random.Generator) -> Floats:
    """Draw experiments without any difference: shape (number, size, arms)."""
    if not data.blocked:
        pooled: Floats = generator.choice(data.rows[:, 0], size=(number, size, data.arms))
        return pooled
    drawn = data.rows[generator.integers(len(data.rows), size=(number, size))]
    shuffled: Floats = generator.permuted(drawn, axis=2)
    return shuffled[:, :, : data.arms].copy()


def _raised(data: _Data, scores: Floats, effect: float, generator: np.random.Generator) -> Floats:
    """Raise scores by an effect on average; of a binary metric by turning failures into successes at random."""
    if not data.bounded:
        return scores + effect
    if not data.binary or not np.isin(scores, (0.0, 1.0)).all():
        return np.minimum(scores + effect, 1.0)
    failures = 1 - float(scores.mean())
    chance = min(effect / failures, 1.0) if failures > 0 else 0.0
    lifted: Floats = np.maximum(scores, (generator.random(scores.shape) < chance).astype(float))
    return lifted


# --- the judges ----------------------------------------------------------------------------------


def _judge(data: _Data, alpha: float) -> Callable[[Floats], Raced]:
    if data.blocked:
        return lambda scores: race_many(scores, alpha, bounded=data.bounded)
    return lambda scores: _judge_samples(scores, alpha, data.binary)


def race_many(scores: Floats, alpha: float, *, bounded: bool) -> Raced:
    """Run the races of many experiments at once, scores of shape (experiments, blocks, variants).

    Exactly what `BettingRace` and `MixtureRace` do one by one: bets or t-mixture on the differences, and
    elimination after every block from the eighth on; an eliminated variant runs no more.
    """
    number, size, arms = scores.shape
    winners, moments = np.full(number, -1), np.full(number, size)
    open_ = np.arange(number)
    fold: _Bets | _Moments = _Bets(number, arms) if bounded else _Moments(number, arms)
    alive = np.ones((number, arms), dtype=bool)
    for block in range(size):
        here = scores[open_, block]
        both = alive[:, :, None] & alive[:, None, :] & ~np.eye(arms, dtype=bool)
        fold.add(np.where(both, here[:, :, None] - here[:, None, :], 0.0), both)
        if block + 1 < MINIMUM_BLOCKS:
            continue
        alive = _left(log_evidence_against(fold.log_e()), alive, alpha)
        over = alive.sum(axis=1) == 1
        if over.any():
            winners[open_[over]] = alive[over].argmax(axis=1)
            moments[open_[over]] = block + 1
            open_, alive = open_[~over], alive[~over]
            fold.keep(~over)
        if not len(open_):
            break
    return Raced(winners, moments)


def _left(against: Floats, alive: NDArray[np.bool_], alpha: float) -> NDArray[np.bool_]:
    """Return who is left: `elimination.dropouts`, for many experiments."""
    left = alive & (against < math.log(2 / alpha))
    nobody = ~left.any(axis=1)
    best = np.where(alive, against, np.inf).argmin(axis=1)
    left[nobody, best[nobody]] = True
    return left


class _Bets:
    """The wealth of the bets of many races."""

    def __init__(self, number: int, arms: int) -> None:
        self._wealth = np.zeros((number, arms, arms, len(BETS)))

    def add(self, differences: Floats, both: NDArray[np.bool_]) -> None:
        """Fold one block of every race; differences are zero where not `both`."""
        self._wealth += log_growth(differences)

    def log_e(self) -> Floats:
        """Return the log e-values for "a beats b"."""
        return log_mean(self._wealth)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget the other races."""
        self._wealth = self._wealth[rows]


class _Moments:
    """The counts, means and squared deviations of the differences of many races."""

    def __init__(self, number: int, arms: int) -> None:
        self._counts, self._means, self._squares = np.zeros((3, number, arms, arms))

    def add(self, differences: Floats, both: NDArray[np.bool_]) -> None:
        """Fold one block of every race (Welford 1962)."""
        self._counts = self._counts + both
        steps = np.where(both, differences - self._means, 0.0)
        self._means = self._means + steps / np.maximum(self._counts, 1)
        self._squares = self._squares + steps * np.where(both, differences - self._means, 0.0)

    def log_e(self) -> Floats:
        """Return the log e-values for "a beats b"."""
        freedom = self._counts - 1
        variances = self._squares / np.maximum(freedom, 1)
        return log_e_positive(self._counts, freedom, self._means, variances)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget the other races."""
        self._counts, self._means, self._squares = self._counts[rows], self._means[rows], self._squares[rows]


def _judge_samples(scores: Floats, alpha: float, binary: bool) -> Raced:
    """Judge samples at a few looks, evenly spaced, as far as the first claim."""
    size = scores.shape[1]
    looks = sorted({max(round(size * look / _LOOKS), MINIMUM_BLOCKS) for look in range(1, _LOOKS + 1)})
    found = [_first_claim(one, looks, alpha, binary) for one in scores]
    return Raced(np.array([winner for winner, _ in found]), np.array([at for _, at in found]))


def _first_claim(scores: Floats, looks: Sequence[int], alpha: float, binary: bool) -> tuple[int, int]:
    for look in looks:
        samples = {str(arm): scores[:look, arm].tolist() for arm in range(scores.shape[1])}
        method: Any = "proportion" if binary else "welch"
        judgement = judge_samples(samples, Plan(1.0), method=method, alpha=alpha)
        if judgement.outcome == "better" and judgement.leader is not None:
            return int(judgement.leader), look
    return -1, looks[-1]
