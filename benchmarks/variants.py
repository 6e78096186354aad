"""Measure how well variants are judged and chosen: `python -m benchmarks.variants [--scenario NAME ...] [--scale 1.0]`.

Every scenario prints Markdown tables: vettle beside what others do on the same data, as mean and standard
error over seeds, and the target with a mark. Whoever can be fooled by looking is looked at after every block.
Losing cells are printed like the others. All worlds are simulated but that of `swebench`, which replays
published results.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.rules import ratio, scaled
from vettle.engine.judging.betting import BETS, log_growth, log_mean
from vettle.engine.judging.blocks import BettingRace
from vettle.engine.judging.checks import SPLIT_ALARM, split_e
from vettle.engine.judging.degradation import ALARM, Degradation
from vettle.engine.judging.degradation import BETS as DEGRADATION_BETS
from vettle.engine.judging.elimination import MINIMUM_BLOCKS, log_evidence_against
from vettle.engine.judging.judgement import Plan
from vettle.engine.judging.mixture import MixtureRace, log_e_positive
from vettle.engine.judging.race import Race
from vettle.engine.judging.verdict import judge_race
from vettle.engine.policies.options import Option
from vettle.engine.policies.registry import choose
from vettle.engine.policies.structured import Arm, StructuredPosterior, combination, in_context

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

ALPHA = 0.05
FIRST_LOOK = 10
"""Blocks before those who name the highest average, or the likely best, look for the first time."""

SWEBENCH = Path(__file__).resolve().parents[2] / "shared" / "data" / "swebench_verified_mini.csv"


# --- tables ---------------------------------------------------------------------------------------


class Table(NamedTuple):
    """A table to print: cells under the columns, and a sentence above it if it needs one.

    The last column of a table with marks is `""`; its cells are what `mark` returns.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    said: str = ""

    def __str__(self) -> str:
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        printed = "\n".join(f"| {' | '.join(map(plain, line))} |" for line in lines)
        return f"{self.said}\n\n{printed}" if self.said else printed


PASS, MISS = "pass", "**miss**"

MEASURED = ("measure", "vettle", "others", "target", "")


def mark(passed: bool) -> str:
    """Return the mark of a target."""
    return PASS if passed else MISS


def plain(text: str) -> str:
    """Return a cell that cannot end its cell or its row."""
    return text.replace("|", "\\|").replace("\n", " ")


def spread(values: Iterable[float], digits: int = 3) -> str:
    """Return mean ± standard error over seeds."""
    numbers = np.array(list(values), dtype=float)
    error = numbers.std(ddof=1) / math.sqrt(len(numbers))
    return f"{numbers.mean():,.{digits}f} ± {error:.{digits}f}"


def mean(values: Iterable[float]) -> float:
    """Return the mean."""
    return float(np.mean(list(values)))


def at_most(
    measure: str, values: Iterable[float], limit: float, others: str = "", digits: int = 3
) -> list[str]:
    """Return a row that demands a mean of at most `limit`."""
    numbers = list(values)
    passed = mean(numbers) <= limit
    return [measure, spread(numbers, digits), others, f"<= {limit:,g}", mark(passed)]


def at_least(
    measure: str, values: Iterable[float], limit: float, others: str = "", digits: int = 3
) -> list[str]:
    """Return a row that demands a mean of at least `limit`."""
    numbers = list(values)
    passed = mean(numbers) >= limit
    return [measure, spread(numbers, digits), others, f">= {limit:,g}", mark(passed)]


# --- many races at once ---------------------------------------------------------------------------


class Ends(NamedTuple):
    """How many races ended: the winner's index (-1: none), the blocks until then, and the runs in all."""

    winner: NDArray[np.intp]
    blocks: Array
    runs: Array


class Sums(Protocol):
    """What many races of one kind keep, and the log e-values they read off it."""

    def fold(self, differences: Array, both: Flags) -> Array:
        """Fold one block (races, K, K) and return the log e-values (races, K, K)."""

    def keep(self, kept: Flags) -> None:
        """Forget all races but those kept."""


class Bets:
    """Keep the wealth of many betting races."""

    def __init__(self, races: int, variants: int) -> None:
        self._wealth = np.zeros((races, variants, variants, len(BETS)))

    def fold(self, differences: Array, both: Flags) -> Array:
        """Bet on every difference; absent pairs have none."""
        del both
        self._wealth += log_growth(differences)
        return log_mean(self._wealth)

    def keep(self, kept: Flags) -> None:
        """Forget all races but those kept."""
        self._wealth = self._wealth[kept]


class Moments:
    """Keep the sums of many t-mixture races."""

    def __init__(self, races: int, variants: int) -> None:
        self._n, self._total, self._squares = (np.zeros((races, variants, variants)) for _ in range(3))

    def fold(self, differences: Array, both: Flags) -> Array:
        """Add up differences and their squares."""
        self._n += both
        self._total += differences
        self._squares += differences**2
        average = self._total / np.maximum(self._n, 1)
        variance = (self._squares - self._n * average**2) / np.maximum(self._n - 1, 1)
        return log_e_positive(self._n, self._n - 1, average, np.maximum(variance, 0.0))

    def keep(self, kept: Flags) -> None:
        """Forget all races but those kept."""
        self._n, self._total, self._squares = self._n[kept], self._total[kept], self._squares[kept]


def race_all(scores: Array, kind: Callable[[int, int], Sums]) -> Ends:
    """Run the races of the engine on scores of shape (races, blocks, variants), all at once.

    That they are its races is measured by `same_races`.
    """
    races, length, count = scores.shape
    winner, blocks, runs = np.full(races, -1), np.full(races, float(length)), np.zeros(races)
    running = np.arange(races)
    alive = np.ones((races, count), dtype=bool)
    sums, itself = kind(races, count), np.eye(count, dtype=bool)
    for number in range(length):
        runs[running] += alive.sum(axis=1)
        both = alive[:, :, None] & alive[:, None, :] & ~itself
        block = scores[running, number]
        against = log_evidence_against(
            sums.fold(np.where(both, block[:, :, None] - block[:, None, :], 0.0), both)
        )
        if number + 1 < MINIMUM_BLOCKS:
            continue
        lost = alive & (against >= math.log(2 / ALPHA))
        everybody = np.flatnonzero(~(alive & ~lost).any(axis=1))
        lost[everybody, np.where(alive, against, np.inf)[everybody].argmin(axis=1)] = False
        alive &= ~lost
        over = alive.sum(axis=1) == 1
        if over.any():
            winner[running[over]], blocks[running[over]] = alive[over].argmax(axis=1), number + 1
            running, alive = running[~over], alive[~over]
            sums.keep(~over)
        if not len(running):
            break
    return Ends(winner, blocks, runs)


def same_races(scores: Array, kind: Callable[[int, int], Sums], engine: type[Race]) -> list[bool]:
    """Return for each race whether the engine, folding block by block, ends it alike."""
    ends, same = race_all(scores, kind), []
    names = [f"v{index}" for index in range(scores.shape[2])]
    for number, blocks in enumerate(scores):
        race = engine(names, alpha=ALPHA)
        for block in blocks:
            if race.winner is None:
                race.add({name: float(block[race.index(name)]) for name in race.survivors})
        won = -1 if race.winner is None else race.index(race.winner)
        same.append(won == ends.winner[number] and race.blocks == ends.blocks[number])
    return same


# --- scores ---------------------------------------------------------------------------------------


def binary(seed: int, races: int, blocks: int, *means: float) -> Array:
    """Draw scores of 0 or 1, of shape (races, blocks, variants)."""
    return (np.random.default_rng(seed).random((races, blocks, len(means))) < np.array(means)).astype(float)


def beta(seed: int, races: int, blocks: int, *means: float) -> Array:
    """Draw scores in [0, 1] with these means and standard deviation .15."""
    average = np.array(means)
    size = average * (1 - average) / 0.15**2 - 1
    draws = np.random.default_rng(seed)
    scores: Array = draws.beta(average * size, (1 - average) * size, (races, blocks, len(means)))
    return scores


def log_normal(seed: int, races: int, blocks: int, *means: float) -> Array:
    """Draw positive scores with standard deviation 1 on the log scale, multiplied by `means`."""
    scores: Array = np.random.default_rng(seed).lognormal(0, 1, (races, blocks, len(means))) * np.array(means)
    return scores


def drifting(seed: int, races: int, blocks: int, *means: float) -> Array:
    """Draw scores of 0 or 1 whose means all rise and fall slowly by .2 together."""
    chance = np.array(means) + 0.2 * np.sin(np.arange(blocks) / 80)[:, None]
    return (np.random.default_rng(seed).random((races, blocks, len(means))) < chance).astype(float)


def correlated(seed: int, races: int, blocks: int) -> Array:
    """Draw scores of 0 or 1 with means .4 and .6 and a correlation of .5 within blocks."""
    draws = np.random.default_rng(seed)
    item, own = draws.standard_normal((races, blocks, 1)), draws.standard_normal((races, blocks, 2))
    quantiles = np.array([0.2533, -0.2533])  # standard normal, of .6 and .4
    return (math.sqrt(0.72) * item + math.sqrt(0.28) * own > quantiles).astype(float)


# --- what others do -------------------------------------------------------------------------------


_GRID = np.linspace(-9.0, 9.0, 18_001)
_NORMAL = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in _GRID.tolist()])
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(24)


def normal_distribution(x: Array) -> Array:
    """Return P(Z <= x) of a standard normal, within 1e-7."""
    below: Array = np.interp(x, _GRID, _NORMAL)
    return below


def named_by_average(scores: Array) -> Flags:
    """Return in which races one variant alone ever has the highest average, from the first look on."""
    totals = np.cumsum(scores, axis=1)[:, FIRST_LOOK - 1 :]
    ahead = totals >= totals.max(axis=2, keepdims=True) - 1e-9
    alone: Flags = (ahead.sum(axis=2) == 1).any(axis=1)
    return alone


def named_by_chance(scores: Array, zero_one: bool) -> Flags:
    """Return in which races some variant ever has a chance to be the best above .95, from the first look on.

    Posteriors are normal: with the moments of Beta(1, 1) and the results where these are 0 and 1, else with
    mean and standard error. The chance of the leader is an integral over its posterior, by 24 Gauss nodes.
    """
    races, length, count = scores.shape
    named = np.zeros(races, dtype=bool)
    totals, squares = np.zeros((races, count)), np.zeros((races, count))
    for number in range(length):
        totals += scores[:, number]
        squares += scores[:, number] ** 2
        n = number + 1
        if n < FIRST_LOOK:
            continue
        if zero_one:
            means = (totals + 1) / (n + 2)
            variances = means * (1 - means) / (n + 3)
        else:
            means = totals / n
            variances = np.maximum(squares - n * means**2, 1e-12) / (n - 1) / n
        leader = means.argmax(axis=1)[:, None]
        mine, sd = np.take_along_axis(means, leader, 1), np.sqrt(np.take_along_axis(variances, leader, 1))
        drawn = (mine + sd * _NODES)[:, None, :]
        below = normal_distribution((drawn - means[:, :, None]) / np.sqrt(variances)[:, :, None])
        np.put_along_axis(below, leader[:, :, None], 1.0, axis=1)
        named |= below.prod(axis=1) @ (_WEIGHTS / _WEIGHTS.sum()) > 0.95
    return named


# --- scenarios of judging -------------------------------------------------------------------------


Draw = Callable[..., Array]


def variants_aa(scale: float) -> list[Table]:
    """Count false winners among equal variants, looked at after every block up to 2,000."""
    cells: list[tuple[str, Draw, int, tuple[float, ...]]] = [
        ("2, binary .6", binary, 1000, (0.6,) * 2),
        ("2, binary .95", binary, 1000, (0.95,) * 2),
        ("2, Beta .6", beta, 1000, (0.6,) * 2),
        ("2, log-normal", log_normal, 1000, (1.0,) * 2),
        ("2, binary, slow drift ± .2", drifting, 1000, (0.5,) * 2),
        ("5, binary .6", binary, 300, (0.6,) * 5),
        ("5, Beta .6", beta, 300, (0.6,) * 5),
        ("5, log-normal", log_normal, 300, (1.0,) * 5),
        ("5, two tied best: .7 .7 .5 .5 .5", binary, 300, (0.7, 0.7, 0.5, 0.5, 0.5)),
        ("20, binary .6", binary, 100, (0.6,) * 20),
        ("20, Beta .6", beta, 100, (0.6,) * 20),
        ("20, log-normal", log_normal, 100, (1.0,) * 20),
    ]
    rows = []
    for seed, (name, draw, races, means) in enumerate(cells):
        scores = draw(seed, scaled(races, scale), 2000, *means)
        unbounded = draw is log_normal
        won = race_all(scores, Moments if unbounded else Bets).winner >= 0
        chance = named_by_chance(scores, zero_one=draw in (binary, drifting))
        rows.append(
            [
                name,
                f"{len(scores):,}",
                "t-mixture" if unbounded else "betting",
                spread(won),
                spread(named_by_average(scores)),
                spread(chance),
                "<= .05",
                mark(won.mean() <= ALPHA),
            ]
        )
    columns = [
        "variants",
        "races",
        "judged by",
        "vettle",
        "highest average",
        "chance to be best > .95",
        "target",
        "",
    ]
    said = (
        "Share of races with a false winner. The last two name one from the tenth block on, whenever asked:"
    )
    same = same_races(beta(90, 6, 150, 0.5, 0.6, 0.65), Bets, BettingRace)
    same += same_races(beta(91, 6, 150, 0.5, 0.6, 0.65), Moments, MixtureRace)
    alike = f"{sum(same)} of {len(same)}"
    check = [
        "races that `BettingRace` and `MixtureRace` end alike, block by block",
        alike,
        "",
        "all",
        mark(all(same)),
    ]
    return [Table(columns, rows, said), Table(MEASURED, [check])]


def variants_ab(scale: float) -> list[Table]:
    """Find the better variant: how often it is the right one, and after how many runs."""
    races = scaled(300, scale)
    rows = []
    for seed, (draw, means, limit) in enumerate(
        [
            (binary, (0.6, 0.7), 480),
            (binary, (0.6, 0.8), 120),
            (beta, (0.6, 0.65), 230),
            (binary, (0.4, 0.5, 0.55, 0.6, 0.7), 1900),
        ],
        start=20,
    ):
        scores = draw(seed, races, 2000, *means)
        ends, best = race_all(scores, Bets), len(means) - 1
        name = ("Beta " if draw is beta else "") + " ".join(f"{value:g}".lstrip("0") for value in means)
        early = scores[:, :FIRST_LOOK].mean(axis=1)
        hasty = f"{mean(early.argmax(axis=1) == best):.3f} by the highest of ten"
        rows.append(at_least(f"{name}: right", ends.winner == best, 0.99, hasty))
        wrong = (ends.winner >= 0) & (ends.winner != best)
        rows.append([f"{name}: wrong", spread(wrong), "", "", ""])
        many = len(means) > 2
        length = ends.runs if many else ends.blocks
        rows.append(at_most(f"{name}: {'runs in all' if many else 'runs per arm'}", length, limit, digits=0))
        if draw is beta:
            mixture = race_all(scores, Moments)
            rows.append([f"{name}: runs per arm, by the t-mixture", spread(mixture.blocks, 0), "", "", ""])
        if many:
            fixed = np.full(races, 5.0) * ends.blocks
            rows.append([f"{name}: runs in all without elimination", "", spread(fixed, 0), "", ""])
    return [Table(MEASURED, rows, f"{races} races of at most 2,000 blocks:")]


def races_of_two(
    scores: Array, margin: float | None = None
) -> tuple[list[bool], list[int], list[str | None]]:
    """Fold races of "a" and "b" into the engine until a tie or a winner; return ties, blocks and winners."""
    ties, blocks, winners = [], [], []
    for pairs in scores.tolist():
        race = BettingRace(["a", "b"], alpha=ALPHA, margin=margin)
        for a, b in pairs:
            race.add({"a": a, "b": b})
            if race.winner or race.tie:
                break
        ties.append(race.tie)
        blocks.append(race.blocks)
        winners.append(race.winner)
    return ties, blocks, winners


def variants_tie(scale: float) -> list[Table]:
    """Prove that equal variants differ by less than .15, within 600 blocks, with the races of the engine."""
    races = scaled(200, scale)
    ties, blocks, _ = races_of_two(binary(30, races, 600, 0.6, 0.6), 0.15)
    wrong, _, _ = races_of_two(binary(31, races, 600, 0.5, 0.65), 0.15)
    rows = [
        at_least(".6 .6: tie declared", ties, 0.95),
        at_most(".6 .6: blocks", blocks, 300, digits=0),
        at_most(".5 .65, apart by the margin: tie declared", wrong, ALPHA),
    ]
    return [Table(MEASURED, rows, f"{races} races:")]


def variants_paired(scale: float) -> list[Table]:
    """Run both variants on the same item: .4 against .6, correlation .5, and on different items."""
    races = scaled(300, scale)
    same = correlated(40, races, 1500)
    _, blocks, winners = races_of_two(same)
    _, apart, _ = races_of_two(binary(41, races, 1500, 0.4, 0.6))
    value = float(np.mean(blocks) / np.mean(apart))
    error = value * math.hypot(*(np.std(x, ddof=1) / np.mean(x) / math.sqrt(races) for x in (blocks, apart)))
    measured = float(np.corrcoef(same[..., 0].ravel(), same[..., 1].ravel())[0, 1])
    rows = [
        ["blocks, same item", spread(blocks, 0), "", "", ""],
        ["blocks, different items", "", spread(apart, 0), "", ""],
        ["ratio", f"{value:.2f} ± {error:.2f}", "", "<= .60", mark(value <= 0.6)],
        ["right", spread(winner == "b" for winner in winners), "", "", ""],
    ]
    return [Table(MEASURED, rows, f"{races} races each; the correlation drawn was {measured:.2f}:")]


# --- scenarios of choosing ------------------------------------------------------------------------


SHAPE = (5, 4, 4)
GRID = {
    str(cell): combination({f"dimension {axis}": str(level) for axis, level in enumerate(cell)})
    for cell in product(*map(range, SHAPE))
}


def grid_world(seed: int) -> Array:
    """Draw the success rates of 80 combinations: effects of sd .06 per level, .02 per pair and on their own."""
    draws = np.random.default_rng((seed, 1))
    rates = 0.5 + draws.normal(0, 0.02, SHAPE)
    for axis, size in enumerate(SHAPE):
        rates += np.expand_dims(draws.normal(0, 0.06, size), [a for a in range(3) if a != axis])
        rates += np.expand_dims(draws.normal(0, 0.02, [s for a, s in enumerate(SHAPE) if a != axis]), axis)
    return np.clip(rates, 0.02, 0.98).ravel()


def structured_grid(seed: int, runs: int) -> tuple[float, float]:
    """Return the regret of the combination believed best after `runs`, and that of the runs together."""
    rates, draws = grid_world(seed), np.random.default_rng((seed, 2))
    posterior, lost, arms = StructuredPosterior(), 0.0, list(GRID.values())
    for _ in range(runs):
        index = posterior.choose(GRID, draws, draws=1).index
        posterior.observe(arms[index], float(draws.random() < rates[index]))
        lost += rates.max() - rates[index]
    means = [belief.mean for belief in posterior.beliefs(arms)]
    return float(rates.max() - rates[int(np.argmax(means))]), lost


def separate_grid(seed: int, runs: int) -> tuple[float, float]:
    """Return the same for Thompson sampling with a Beta posterior of its own for every combination."""
    rates, draws = grid_world(seed), np.random.default_rng((seed, 3))
    won, failed, lost = np.ones(len(rates)), np.ones(len(rates)), 0.0
    for _ in range(runs):
        index = int(draws.beta(won, failed).argmax())
        success = draws.random() < rates[index]
        won[index] += success
        failed[index] += not success
        lost += rates.max() - rates[index]
    return float(rates.max() - rates[int((won / (won + failed)).argmax())]), lost


def compared(
    measure: str, ours: Sequence[float], theirs: Sequence[float], limit: float, digits: int
) -> list[str]:
    """Return a row with the ratio of two paired means, which may be at most `limit`."""
    value, error = ratio(ours, theirs)
    text = f"{spread(ours, digits)} (ratio {value:.2f} ± {error:.2f})"
    return [measure, text, spread(theirs, digits), f"ratio <= {limit:.2f}", mark(value <= limit)]


def variants_grid(scale: float) -> list[Table]:
    """Search 80 combinations in 1,000 runs: structured Thompson sampling, beside one Beta per combination."""
    seeds = scaled(40, scale)
    picked, lost = zip(*(structured_grid(seed, 1000) for seed in range(seeds)), strict=True)
    their_pick, their_loss = zip(*(separate_grid(seed, 1000) for seed in range(seeds)), strict=True)
    rows = [
        at_most("regret of the pick", picked, 0.035, spread(their_pick)),
        compared("the same, compared", picked, their_pick, 0.70, 3),
        [*compared("regret of the 1,000 runs", lost, their_loss, 1, 0)[:3], "", ""],
    ]
    return [
        Table(MEASURED, rows, f"{seeds} worlds, the same for both; the others are Beta Thompson sampling:")
    ]


# --- alarms ---------------------------------------------------------------------------------------


def split_bounds(runs: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return after each number of runs the counts of the first of two equal arms that leave the alarm silent.

    `split_e` only grows with the distance from half, so they are found by bisection.
    """
    lowest = []
    for n in range(1, runs + 1):
        rings, silent = -1, n // 2
        while silent - rings > 1:
            middle = (rings + silent) // 2
            if split_e((middle, n - middle), (1, 1)) >= SPLIT_ALARM:
                rings = middle
            else:
                silent = middle
        lowest.append(silent)
    low = np.array(lowest)
    return low, np.arange(1, runs + 1) - low


def ever(flags: Flags) -> Flags:
    """Return for each row whether any of it is true."""
    found: Flags = np.asarray(flags.any(axis=1))
    return found


def first_true(flags: Flags, otherwise: int) -> NDArray[np.intp]:
    """Return the number of looks until the first true one in each row."""
    return np.where(flags.any(axis=1), flags.argmax(axis=1) + 1, otherwise)


def srm(scale: float) -> list[Table]:
    """Notice that runs are not split as planned: two equal arms, looked at after every run."""
    seeds, runs = scaled(1000, scale), 3000
    low, high = split_bounds(runs)
    n = np.arange(1, runs + 1)

    def rung(seed: int, share: float) -> tuple[Flags, Flags]:
        first = np.cumsum(np.random.default_rng(seed).random((seeds, runs)) < share, axis=1)
        peeked = ((2 * first - n) ** 2 > 6.6349 * n) & (n >= FIRST_LOOK)  # chi-square, 1 degree, p < .01
        return (first < low) | (first > high), peeked

    false, peeked = rung(50, 0.5)
    rows = [at_most("50/50: alarm in 3,000 runs", ever(false), 0.005, spread(ever(peeked)))]
    for seed, share, limit in ((51, 0.6, 600), (52, 0.7, None)):
        found, theirs = rung(seed, share)
        name = f"{share:.0%}".rstrip("%") + f"/{100 - round(100 * share)}"
        middle = float(np.median(first_true(found, runs)))
        passed = "" if limit is None else mark(middle <= limit)
        target = "" if limit is None else f"<= {limit}"
        others = f"{np.median(first_true(theirs, runs)):.0f}"
        rows.append([f"{name}: median runs to the alarm", f"{middle:.0f}", others, target, passed])
        if limit is not None:
            rows.append([f"{name}: alarm by run {limit}", spread(ever(found[:, :limit])), "", "", ""])
    said = f"{seeds:,} experiments; the others are a chi-square test at p < .01 after every run from the tenth on:"
    return [Table(MEASURED, rows, said)]


def alarms(seed: int, incumbents: int, runs: int, reference: float, chance: float) -> Flags:
    """Return after each run whether the alarm rings for each of many incumbents, shape (incumbents, runs)."""
    scores = (np.random.default_rng(seed).random((incumbents, runs)) < chance).astype(float)
    logs, rings = np.zeros((incumbents, len(DEGRADATION_BETS))), np.zeros((incumbents, runs), dtype=bool)
    for run in range(runs):
        stake = np.maximum((reference - scores[:, run]) / (1 - reference), -1)
        logs = np.maximum(logs, 0) + np.log1p(np.multiply.outer(stake, DEGRADATION_BETS))
        rings[:, run] = log_mean(logs) >= math.log(ALARM)
    return rings


def watched(seed: int, incumbents: int, runs: int, reference: float, chance: float) -> list[list[bool]]:
    """Return the same from the engine, one incumbent at a time."""
    scores = (np.random.default_rng(seed).random((incumbents, runs)) < chance).astype(float)
    watches = [(Degradation(reference), row) for row in scores.tolist()]
    return [[watch.add(score) for score in row] for watch, row in watches]


def degrade(scale: float) -> list[Table]:
    """Notice that the incumbent got worse than it was, looked at after every run."""
    seeds = scaled(1000, scale)
    silent = alarms(60, seeds, 3000, 0.8, 0.8)
    until = first_true(silent, 3000)
    rows = []
    for seed, (reference, chance, limit) in enumerate(
        [(0.8, 0.7, None), (0.8, 0.6, 80), (0.8, 0.5, None), (0.6, 0.4, None)], start=61
    ):
        delays = first_true(alarms(seed, seeds, 1500, reference, chance), 1500)
        middle = float(np.median(delays))
        target = ["", ""] if limit is None else [f"<= {limit}", mark(middle <= limit)]
        name = f"{reference:g} to {chance:g}: runs to the alarm, median (mean)"
        rows.append([name, f"{middle:.0f} ({spread(delays, 0)})", "", *target])
    rows.append(["no change, .8: alarm in 3,000 runs", spread(ever(silent)), "", "", ""])
    rows.append(at_least("no change, .8: runs to a false alarm (3,000 if later)", until, 1000, digits=0))
    same = alarms(62, 5, 300, 0.8, 0.6).tolist() == watched(62, 5, 300, 0.8, 0.6)
    rows.append(
        [
            "alarms that `Degradation` rings alike, run by run",
            "all" if same else "not all",
            "",
            "all",
            mark(same),
        ]
    )
    return [
        Table(MEASURED, rows, f"{seeds:,} incumbents; the promise is 1,000 runs to a false alarm on average:")
    ]


# --- published results ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Results:
    """Published results of several models on the same tasks.

    Attributes:
        models: Names.
        contexts: Repository of each task.
        solved: 0 or 1, shape (tasks, models).
        cost: In dollars, shape (tasks, models).
    """

    models: tuple[str, ...]
    contexts: tuple[str, ...]
    solved: Array
    cost: Array


def read_results(path: Path) -> Results:
    """Read the table of models by tasks; every model ran on every task."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    models = tuple(dict.fromkeys(line["model"] for line in lines))
    contexts = {line["instance"]: line["repository"] for line in lines}
    cells = {(line["instance"], line["model"]): line for line in lines}
    solved, cost = (
        np.array([[float(cells[task, model][column]) for model in models] for task in contexts])
        for column in ("resolved", "cost_usd")
    )
    return Results(models, tuple(contexts.values()), solved, cost)


def mcnemar(won: int, lost: int) -> float:
    """Return the exact two-sided p-value of discordant pairs (McNemar 1947, by the binomial distribution)."""
    n, least = won + lost, min(won, lost)
    tail = sum(math.comb(n, k) for k in range(least + 1))
    return min(1.0, float(2 * tail / 2**n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm 1979)."""
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def full_data(results: Results) -> Table:
    """Compare all pairs on all tasks: exact tests beside e-values, which for results of 0 and 1 know no order."""
    race = BettingRace(results.models, alpha=ALPHA)
    for line in results.solved.tolist():
        race.add(dict(zip(results.models, line, strict=True)))
    order = sorted(results.models, key=lambda name: -results.solved[:, race.index(name)].sum())
    pairs = list(combinations(order, 2))
    counts = []
    for a, b in pairs:
        difference = results.solved[:, race.index(a)] - results.solved[:, race.index(b)]
        counts.append((int((difference > 0).sum()), int((difference < 0).sum())))
    p_values = [mcnemar(*count) for count in counts]
    rows = []
    for (a, b), (won, lost), p, adjusted in zip(pairs, counts, p_values, holm(p_values), strict=True):
        interval = race.interval(a, b)
        rows.append(
            [
                f"{a} over {b}",
                f"{interval.estimate:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})",
                f"{won} : {lost}",
                f"{p:.2g}",
                f"{adjusted:.2g}",
                f"{race.e(a, b):.3g}",
                "yes" if race.e(a, b) >= 2 / ALPHA else "no",
            ]
        )
    columns = [
        "pair",
        "difference (95 % limits at any time)",
        "won : lost",
        "exact p, one look",
        "adjusted (Holm)",
        "e-value",
        "reaches 40",
    ]
    return Table(
        columns,
        rows,
        f"All {len(results.solved)} tasks, once: exact McNemar tests beside our e-values. A claim about one pair "
        "takes 40; to eliminate a model from a race of four takes 40 on average over the three others.",
    )


MARGIN = 0.10


def raced(results: Results, seed: int) -> tuple[BettingRace, dict[str, int], int, float]:
    """Run blocks of one task each in random order until the race is over; also who left when, runs and cost."""
    race = BettingRace(results.models, alpha=ALPHA, margin=MARGIN)
    left: dict[str, int] = {}
    runs, cost = 0, 0.0
    for task in np.random.default_rng((seed, 7)).permutation(len(results.solved)).tolist():
        block = {name: float(results.solved[task, race.index(name)]) for name in race.survivors}
        runs += len(block)
        cost += sum(float(results.cost[task, race.index(name)]) for name in block)
        for name in race.add(block):
            left[name] = race.blocks
        if race.winner or race.tie:
            break
    return race, left, runs, cost


def replayed_races(results: Results, seeds: int) -> list[Table]:
    """Replay the tasks in many random orders, as paired experiments in blocks."""
    played = [raced(results, seed) for seed in range(seeds)]
    solved = results.solved.sum(axis=0)
    best = results.models[int(solved.argmax())]
    rows = []
    for index in np.argsort(-solved, kind="stable").tolist():
        name = results.models[index]
        when = [left[name] for _, left, _, _ in played if name in left]
        median = f"{np.median(when):.0f} ({min(when)} to {max(when)})" if when else ""
        wrongly = ("<= .025", mark(len(when) / seeds <= ALPHA / 2)) if name == best else ("", "")
        rows.append(
            [
                name,
                f"{solved[index]:.0f}",
                f"{results.cost[:, index].sum():.0f}",
                f"{len(when) / seeds:.3f}",
                median,
                *wrongly,
            ]
        )
    columns = [
        "model",
        "solved of all",
        "cost of all, USD",
        "share of orders that eliminate it",
        "at block, median (range)",
    ]
    said = f"Paired races, one task a block, margin {MARGIN:.2f}, in {seeds} random orders:"
    first = Table([*columns, "target", ""], rows, said)
    outcomes: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    plan = Plan(0.05, budget=len(results.solved))
    for race, _, runs, cost in played:
        judgement = judge_race(race, plan)
        what = {
            "better": f"better: {judgement.leader}",
            "equivalent": f"equivalent: {', '.join(race.survivors)}",
        }.get(judgement.outcome, f"{judgement.outcome}: {', '.join(race.survivors)} left")
        outcomes[what].append((race.blocks, runs, cost))
    lines = [
        [what, f"{len(ends) / seeds:.3f}", *(f"{np.mean(column):,.0f}" for column in zip(*ends, strict=True))]
        for what, ends in sorted(outcomes.items(), key=lambda item: -len(item[1]))
    ]
    everything = [f"{len(results.solved):,}", f"{results.solved.size:,}", f"{results.cost.sum():,.0f}"]
    lines.append(["all runs of all models", "", *everything])
    return [
        full_data(results),
        first,
        Table(["verdict", "share of orders", "blocks, mean", "runs, mean", "cost, mean USD"], lines),
        Table(["the first order, in words"], [[f"{judge_race(played[0][0], plan).reasons[0]}"]]),
    ]


PEERS = "best average after 3 tries (peers)"


class Router(Protocol):
    """Choose a model for a task of a context, and learn what came of it."""

    def choose(self, context: str) -> int:
        """Return the index of a model."""

    def learn(self, context: str, model: int, solved: float) -> None:
        """Learn the result."""


class Flat:
    """Route by a policy of the engine over the models, whatever the context, or for each context apart."""

    def __init__(self, policy: str, models: Sequence[str], seed: int, *, apart: bool = False) -> None:
        self._policy, self._models, self._apart = policy, models, apart
        self._draws = np.random.default_rng((seed, 8))
        self._counts: dict[str, Array] = defaultdict(lambda: np.zeros((len(models), 2)))
        self._settings = {"draws": 1.0} if policy == "thompson" else {}

    def choose(self, context: str) -> int:
        """Choose among the models by their results so far."""
        counts = self._counts[context if self._apart else ""].tolist()
        options = [
            Option(name, n=n, mean=won / max(n, 1))
            for name, (n, won) in zip(self._models, counts, strict=True)
        ]
        return choose(self._policy, options, self._draws, **self._settings).index

    def learn(self, context: str, model: int, solved: float) -> None:
        """Count the result."""
        self._counts[context if self._apart else ""][model] += (1, solved)


class AfterThree:
    """Route as the peers do: every model three times, then whichever has the highest average so far."""

    def __init__(self, models: Sequence[str], seed: int) -> None:
        self._counts = np.zeros((len(models), 2))
        self._draws = np.random.default_rng((seed, 8))

    def choose(self, context: str) -> int:
        """Choose the highest average; chance decides among equals."""
        del context
        n, won = self._counts.T
        value = -n if (n < 3).any() else won / n
        return int(self._draws.choice(np.flatnonzero(value == value.max())))

    def learn(self, context: str, model: int, solved: float) -> None:
        """Count the result."""
        del context
        self._counts[model] += (1, solved)


class Structured:
    """Route by Thompson sampling from one posterior over models in contexts."""

    def __init__(self, models: Sequence[str], seed: int) -> None:
        self._models = models
        self._posterior = StructuredPosterior()
        self._draws = np.random.default_rng((seed, 8))

    def _arms(self, context: str) -> dict[str, Arm]:
        return {name: in_context(name, context) for name in self._models}

    def choose(self, context: str) -> int:
        """Choose by one draw."""
        return self._posterior.choose(self._arms(context), self._draws, draws=1).index

    def learn(self, context: str, model: int, solved: float) -> None:
        """Fold the result."""
        self._posterior.observe(in_context(self._models[model], context), solved)


class Fixed:
    """Route every task to the model that is fixed for its context."""

    def __init__(self, models: Mapping[str, int]) -> None:
        self._models = models

    def choose(self, context: str) -> int:
        """Choose it."""
        return self._models[context]

    def learn(self, context: str, model: int, solved: float) -> None:
        """Learn nothing."""


def routed(results: Results, router: Router, seed: int) -> tuple[float, float, float, float]:
    """Route all tasks in a random order; return regret at half and at the end, the number solved, and the cost."""
    best = results.solved[:, int(results.solved.sum(axis=0).argmax())]
    order = np.random.default_rng((seed, 9)).permutation(len(results.solved)).tolist()
    regret, middle, solved, cost = 0.0, 0.0, 0.0, 0.0
    for step, task in enumerate(order, start=1):
        model = router.choose(results.contexts[task])
        got = float(results.solved[task, model])
        router.learn(results.contexts[task], model, got)
        regret += float(best[task]) - got
        solved += got
        cost += float(results.cost[task, model])
        if step == len(order) // 2:
            middle = regret
    return middle, regret, solved, cost


def routers(results: Results) -> Mapping[str, Callable[[int], Router]]:
    """Return every way of routing by its name, made from a seed."""
    models, places = results.models, np.array(results.contexts)
    overall = int(results.solved.sum(axis=0).argmax())
    best = {
        context: int(results.solved[places == context].sum(axis=0).argmax()) for context in results.contexts
    }
    return {
        PEERS: lambda seed: AfterThree(models, seed),
        "`thompson`": lambda seed: Flat("thompson", models, seed),
        "`epsilon_greedy`, .1": lambda seed: Flat("epsilon_greedy", models, seed),
        "`ucb`": lambda seed: Flat("ucb", models, seed),
        "`uniform`": lambda seed: Flat("uniform", models, seed),
        "structured Thompson, model x repository": lambda seed: Structured(models, seed),
        "`thompson`, each repository apart": lambda seed: Flat("thompson", models, seed, apart=True),
        f"always {models[overall]}, known only afterwards": lambda seed: Fixed(dict.fromkeys(best, overall)),
        "the best of each repository, known only afterwards": lambda seed: Fixed(best),
    }


def routing(results: Results, seeds: int) -> Table:
    """Route the tasks in many random orders, each way on the same orders."""
    makers = routers(results)
    ends = {
        name: list(zip(*(routed(results, make(seed), seed) for seed in range(seeds)), strict=True))
        for name, make in makers.items()
    }
    rows = []
    for name, (middle, regret, solved, cost) in ends.items():
        value, error = ratio(regret, ends[PEERS][1])
        per_solved = [a / b for a, b in zip(cost, solved, strict=True)]
        rows.append(
            [
                name,
                spread(middle, 1),
                spread(regret, 1),
                "1" if name == PEERS else f"{value:.2f} ± {error:.2f}",
                f"{np.quantile(regret, 0.9):.0f}",
                spread(solved, 1),
                spread(cost, 1),
                spread(per_solved, 3),
            ]
        )
    columns = [
        "routed by",
        "regret at half",
        "regret at the end",
        "ratio to the peers",
        "nine in ten orders at most",
        "solved",
        "cost, USD",
        "USD per solved",
    ]
    said = (
        f"Routing: each of the {len(results.solved)} tasks goes to one model, in {seeds} random orders. Regret is how "
        "many more tasks the best single model would have solved; no policy is told the cost."
    )
    return Table(columns, rows, said)


def swebench(scale: float) -> list[Table]:
    """Replay 4 models on the 500 tasks of SWE-bench Verified: paired races, and routing by repository."""
    if not SWEBENCH.exists():
        return [
            Table(
                ["skipped"], [["there is no ../shared/data/swebench_verified_mini.csv beside the repository"]]
            )
        ]
    results = read_results(SWEBENCH)
    source = Table(
        ["source"],
        [
            [
                "facts published with the SWE-bench leaderboard (swebench.com; site content CC BY-NC 4.0), one agent"
            ]
        ],
    )
    return [source, *replayed_races(results, scaled(200, scale)), routing(results, scaled(40, scale))]


# --- the command ----------------------------------------------------------------------------------


SCENARIOS: dict[str, Callable[[float], list[Table]]] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        variants_aa,
        variants_ab,
        variants_tie,
        variants_paired,
        variants_grid,
        srm,
        degrade,
        swebench,
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios and print their tables; exit with 1 when a target is missed."""
    return run("benchmarks.variants", __doc__ or "", SCENARIOS, arguments)


def run(
    module: str,
    said: str,
    scenarios: Mapping[str, Callable[[float], list[Table]]],
    arguments: Sequence[str] | None,
) -> int:
    """Run the chosen scenarios of a module and print their tables; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=said)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the seeds to run (default: 1)")
    parser.add_argument("--scenario", nargs="+", choices=scenarios, default=list(scenarios), metavar="NAME")
    options = parser.parse_args(arguments)
    missed = 0
    for name in options.scenario:
        start = time.perf_counter()
        tables = scenarios[name](options.scale)
        missed += sum(list(row).count(MISS) for table in tables for row in table.rows)
        seconds = time.perf_counter() - start
        print(f"### {name}\n\n{scenarios[name].__doc__} (scale {options.scale:g}, {seconds:.0f} s)\n")
        print("\n\n".join(map(str, tables)), end="\n\n", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
