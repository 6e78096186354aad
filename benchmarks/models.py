"""Measure how well models are ranked: `python -m benchmarks.models [--scenario NAME ...] [--scale 1.0]`.

What is measured is what `vettle models` does, from outcomes in the log to the advice: the rankings beside
those by raw rate on the same data, the demotions beside those of "more than half of at least three failed",
and the time it takes. Losing cells are printed like the others.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.rules import ratio, scaled
from benchmarks.variants import MEASURED, Table, at_least, at_most, mark, mean, run, spread
from vettle.engine.experiments import lifecycle, runs
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.ranking import advice, ranks
from vettle.engine.ranking.beliefs import beliefs, fold
from vettle.engine.ranking.outcomes import Outcome

MODELS, TYPES, SESSIONS = 6, 8, 300
MANY, FEW, RIVALS = 100, 3, 4
TASKS = 30


# --- six models on eight task types ---------------------------------------------------------------


class Ranked(NamedTuple):
    """What one world gave: squared errors, intervals that hold, and the regret of the first of each chain."""

    error: float
    own_error: float
    covered: float
    regret: float
    own_regret: float


def rank_world(seed: int) -> Ranked:
    """Rank models by sessions dealt at random; the world is that of `statistics.md` 4.7."""
    draws = np.random.default_rng((seed, 4))
    model, task = draws.normal(0, 0.1, (MODELS, 1)), draws.normal(0, 0.2, (1, TYPES))
    rates = np.clip(0.6 + model + task + draws.normal(0, 0.05, (MODELS, TYPES)), 0.02, 0.98)
    won, tried = np.zeros(rates.shape), np.zeros(rates.shape)
    rows = []
    for moment in range(SESSIONS):
        m, t = int(draws.integers(MODELS)), int(draws.integers(TYPES))
        success = float(draws.random() < rates[m, t])
        rows.append(Outcome(moment, f"type {t}", f"model {m}", success))
        won[m, t] += success
        tried[m, t] += 1
    posterior = fold(rows)
    found = [beliefs(posterior, [f"model {m}" for m in range(MODELS)], f"type {t}") for t in range(TYPES)]
    means, lows, highs = (
        np.array([[getattr(cell[f"model {m}"], name) for cell in found] for m in range(MODELS)])
        for name in ("mean", "low", "high")
    )
    own, raw = (won + 1) / (tried + 2), np.where(tried > 0, won / np.maximum(tried, 1), -1)
    best, types = rates.max(axis=0), range(TYPES)
    return Ranked(
        float(np.mean((means - rates) ** 2)),
        float(np.mean((own - rates) ** 2)),
        float(np.mean((lows <= rates) & (rates <= highs))),
        float(np.mean(best - rates[lows.argmax(axis=0), types])),
        float(np.mean(best - rates[raw.argmax(axis=0), types])),
    )


def models_rank(scale: float) -> list[Table]:
    """Rank 6 models on 8 task types after 300 sessions."""
    worlds = [rank_world(seed) for seed in range(scaled(60, scale))]
    squared, error = ratio([one.error for one in worlds], [one.own_error for one in worlds])
    value = math.sqrt(squared)
    rmse = (
        f"{math.sqrt(mean(one.error for one in worlds)):.3f} (ratio {value:.2f} ± {error / (2 * value):.2f})"
    )
    own = f"{math.sqrt(mean(one.own_error for one in worlds)):.3f}"
    covered = mean(one.covered for one in worlds)
    rows = [
        ["rmse of the cells", rmse, own, "ratio <= 0.70", mark(value <= 0.7)],
        [
            "coverage of 90 % intervals",
            spread(one.covered for one in worlds),
            "",
            ".87 to .97",
            mark(0.87 <= covered <= 0.97),
        ],
        [
            "regret of the first of the chain",
            spread(one.regret for one in worlds),
            spread(one.own_regret for one in worlds),
            "",
            "",
        ],
    ]
    said = f"{len(worlds)} worlds, the same for both; the others estimate (successes + 1)/(tries + 2) and rank by raw rate:"
    return [Table(MEASURED, rows, said)]


# --- few against many -----------------------------------------------------------------------------


def names_the_best(seed: int, many: float, few: float) -> tuple[float, float]:
    """Return whether one of the best is named, by us and by raw rate (ties drawn).

    One model, of success rate `many`, has 100 results, and four of rate `few` have 3 each.
    """
    draws = np.random.default_rng((seed, 5))
    dealt = draws.permutation([0] * MANY + [m for m in range(1, RIVALS + 1) for _ in range(FEW)]).tolist()
    rows = [
        Outcome(moment, "type", f"model {m}", float(draws.random() < (few if m else many)))
        for moment, m in enumerate(dealt)
    ]
    names = [f"model {m}" for m in range(RIVALS + 1)]
    believed = beliefs(fold(rows), names, "type")
    rates = [mean(row.reward for row in rows if row.value == name) for name in names]
    top = [index for index, rate in enumerate(rates) if rate == max(rates)]
    first = max(range(len(names)), key=lambda index: believed[names[index]].low)
    right = [many > few, *[few > many] * RIVALS]
    return float(right[first]), mean(right[index] for index in top)


def few_against_many(scale: float) -> list[Table]:
    """Name the best of 5 models, one of which has 100 results while the others have 3."""
    rows = []
    for many, few in ((0.9, 0.8), (0.9, 0.7), (0.8, 0.6), (0.7, 0.6), (0.6, 0.9)):
        named = [names_the_best(seed, many, few) for seed in range(scaled(200, scale))]
        ours, raw = [one for one, _ in named], spread(one for _, one in named)
        said = f"named, success rates {many} (100 results) and {few} (3 results each)"
        # Nobody knows what three results hide: that is what a challenger is for.
        rows.append(at_least(said, ours, 0.9, raw) if many > few else [said, spread(ours), raw, "", ""])
    return [Table(MEASURED, rows, "The others rank by raw rate:")]


# --- demotion -------------------------------------------------------------------------------------


def ever(flags: Sequence[bool]) -> bool:
    """Return whether the peers would have demoted: over half failed of at least three, looked at after each."""
    failed = np.cumsum(~np.array(flags))
    looked = np.arange(1, len(flags) + 1)
    return bool(((failed > looked / 2) & (looked >= 3)).any())


def demotion(scale: float) -> list[Table]:
    """Demote models at least once in 30 tasks, looked at after each."""
    rows = []
    for rate, limit in ((0.9, 0.005), (0.8, 0.02), (0.7, 0.03), (0.6, 1.0), (0.2, 1.0)):
        draws = np.random.default_rng(6).random((scaled(4_000, scale), TASKS)) < rate
        ours = [
            float(advice.demotion([Outcome(0, "", "", float(won)) for won in line]).times > 0)
            for line in draws.tolist()
        ]
        peers = spread(float(ever(line)) for line in draws.tolist())
        name = f"ever demoted, success rate {rate}"
        if rate > 0.65:
            rows.append(at_most(name, ours, limit, peers))
        elif rate < 0.5:
            rows.append(at_least(name, ours, 0.95, peers))
        else:
            rows.append([name, spread(ours), peers, "", ""])
    return [Table(MEASURED, rows, "The others demote when more than half of at least 3 failed:")]


def got_worse(scale: float) -> list[Table]:
    """Notice within 60 tasks that a model got worse, and do not cry wolf in 200 when it did not."""
    draws = np.random.default_rng(7)

    def share(*parts: tuple[float, int]) -> list[float]:
        lines = [
            np.concatenate([draws.random(tasks) < rate for rate, tasks in parts]).tolist()
            for _ in range(scaled(1_000, scale))
        ]
        return [float(advice.degraded([Outcome(0, "", "", float(x)) for x in line])) for line in lines]

    first = advice.REFERENCE
    rows = [
        at_most("alarm, stays at .8", share((0.8, 200)), 0.02),
        at_least("alarm, .9 to .4", share((0.9, first), (0.4, 60)), 0.9),
        [".8 to .6 (200 tasks)", spread(share((0.8, first), (0.6, 200))), "", "", ""],
    ]
    return [Table(MEASURED, rows, f"The reference are the first {first} results:")]


# --- time -----------------------------------------------------------------------------------------


def record(project: Project, models: int, contexts: int, results: int) -> None:
    """Record that many runs, dealt at random."""
    draws = np.random.default_rng(8)
    variants = [VariantInput(name=f"m{m}", config={"model": f"m{m}"}) for m in range(models)]
    metric = MetricInput(name="passed", direction="higher", kind="binary")
    lifecycle.create(project, name="models", variants=variants, space={}, metric=metric)
    for start in range(0, results, 1_000):
        rows = [
            RunInput(
                unit=f"u{unit}",
                variant=f"m{draws.integers(models)}",
                context=f"type {draws.integers(contexts)}",
                metrics={"passed": float(draws.random() < 0.7)},
                cost=0.1,
            )
            for unit in range(start, min(start + 1_000, results))
        ]
        runs.record(project, experiment="models", runs=rows)


def seconds(scale: float) -> list[Table]:
    """Rank everything from the log, as `vettle models` does, with 20,000 runs."""
    rows = []
    for models, contexts in ((MODELS, TYPES), (20, 40)):
        results = scaled(20_000, scale)
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder))
            record(project, models, contexts, results)
            took = []
            for _ in range(3):
                start = time.perf_counter()
                ranks.rank(project, period="30d")
                took.append(time.perf_counter() - start)
            project.close()
        name = f"seconds, {models} models, {contexts} task types, {results:,} runs"
        rows.append([name, f"{sorted(took)[1]:.1f} (median of 3)", "", "", ""])
    return [Table(MEASURED, rows)]


# --- the command ----------------------------------------------------------------------------------

SCENARIOS: Mapping[str, Callable[[float], list[Table]]] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (models_rank, few_against_many, demotion, got_worse, seconds)
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios and print their tables; exit with 1 when a target is missed."""
    return run("benchmarks.models", __doc__ or "", SCENARIOS, arguments)


if __name__ == "__main__":
    sys.exit(main())
