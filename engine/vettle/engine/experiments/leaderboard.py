"""One row per variant, never per run: estimates with their limits, and the luck taken off."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from vettle.engine.experiments import verdicts
from vettle.engine.experiments.measures import Measure, Value, mean_of, rounded
from vettle.engine.experiments.verdicts import Verdict
from vettle.engine.judging.sequences import asymptotic_sequence
from vettle.engine.judging.shrinkage import LABEL, Belief, Chances, chances, shrink_together
from vettle.engine.records import (
    VariantResult,
)
from vettle.engine.wording import shortened

SEED = 0
"""The seed of the chances to be best."""

MOST_MODES = 5


def leaderboard(verdict: Verdict, measure: Measure, notes: list[str]) -> list[VariantResult]:
    """Rank the variants by their shrunk means; those without a result come last, in the design's order."""
    mine: dict[str, list[Value]] = {name: [] for name in verdict.design.names.values()}
    for one in measure.values:
        mine[one.scored.variant].append(one)
    columns = {name: [one.value for one in own if one.value is not None] for name, own in mine.items()}
    variance = _pooled_variance(columns)
    beliefs = _beliefs(columns, variance)
    known = measure.direction != "unknown" and bool(variance) and len(beliefs) > 1
    better = {name: Belief(measure.sign * belief.mean, belief.sd) for name, belief in beliefs.items()}
    lead = chances(better, SEED) if known else {}
    rows = [_row(verdict, measure, name, own, variance) for name, own in mine.items()]
    rows = [row.model_copy(update=_standing(row.name, beliefs, lead)) for row in rows]
    ranked = sorted(rows, key=lambda row: math.inf if row.shrunk is None else -measure.sign * row.shrunk)
    _leaderboard_notes(measure, ranked, lead, notes)
    return ranked


def _pooled_variance(columns: Mapping[str, Sequence[float]]) -> float | None:
    """Return the variance of one run within variants; None if no variant has two runs."""
    freedom = sum(len(column) - 1 for column in columns.values() if column)
    squares = sum(_squares(column) for column in columns.values())
    return squares / freedom if freedom > 0 else None


def _squares(column: Sequence[float]) -> float:
    if not column or min(column) == max(column):
        return 0.0
    mean = math.fsum(column) / len(column)
    return math.fsum((value - mean) ** 2 for value in column)


def _beliefs(columns: Mapping[str, Sequence[float]], variance: float | None) -> dict[str, Belief]:
    """Shrink the means with errors from the pooled variance, so that a lucky single run is not certain."""
    means = {name: math.fsum(column) / len(column) for name, column in columns.items() if column}
    if variance is None or not means:
        return {}
    if variance == 0:
        return {name: Belief(mean, 0.0) for name, mean in means.items()}
    return shrink_together(means, {name: math.sqrt(variance / len(columns[name])) for name in means})


def _standing(name: str, beliefs: Mapping[str, Belief], lead: Mapping[str, Chances]) -> dict[str, float]:
    found = {"shrunk": rounded(beliefs[name].mean)} if name in beliefs else {}
    if name in lead:
        found |= {"chance_best": rounded(lead[name].best), "expected_loss": rounded(lead[name].loss)}
    return found


def _row(
    verdict: Verdict, measure: Measure, name: str, mine: Sequence[Value], variance: float | None
) -> VariantResult:
    """Summarise one variant on its own, without its standing among the others."""
    variant = verdict.design.find(name)
    column = [one.value for one in mine if one.value is not None]
    low, high = _limits(measure, column, variance)
    evidence = verdict.evidence
    missing = len(mine) - len(column) if measure.exploratory else evidence.missing[name]
    modes = Counter(one.scored.run.data.get("failure_mode") or "" for one in mine)
    del modes[""]
    done = [one.scored.run.data for one in mine if one.scored.run.status == "completed"]
    return VariantResult(
        id=variant.id[:12],
        name=variant.name,
        control=variant.control,
        n=len(column),
        missing=missing,
        statuses=dict(sorted(evidence.statuses.get(name, Counter()).items())),  # type: ignore[arg-type]
        mean=rounded(math.fsum(column) / len(column)) if column else None,
        low=low,
        high=high,
        shrunk=None,
        chance_best=None,
        expected_loss=None,
        eliminated=name in (verdict.race.eliminated if verdict.race else verdict.judgement.losers),
        duration_ms=mean_of([float(data.get("duration_ms", 0)) for data in done]),
        tokens=mean_of([float(data.get("tokens_in", 0)) + float(data.get("tokens_out", 0)) for data in done]),
        cost=mean_of([float(data.get("cost", 0)) for data in done]),
        failure_modes=dict(modes.most_common(MOST_MODES)),
    )


def _limits(
    measure: Measure, column: Sequence[float], variance: float | None
) -> tuple[float | None, float | None]:
    """Return time-uniform asymptotic limits of a mean, inside its range; (None, None) while no spread is known.

    `sequences.asymptotic_sequence`; a proportion has p(1 - p)/n at p = (s + 1)/(n + 2) (Agresti & Caffo 2000), and
    a variant without any spread of its own the pooled variance.
    """
    n = len(column)
    if n == 0:
        return None, None
    mean = math.fsum(column) / n
    if measure.binary:
        share = (mean * n + 1) / (n + 2)
        own: float | None = share * (1 - share)
    else:
        own = (_squares(column) / (n - 1) if n > 1 else 0.0) or variance
    if not own:
        return None, None
    limits = asymptotic_sequence(mean, math.sqrt(own / n), n, verdicts.ALPHA).interval
    low, high = (0.0, 1.0) if measure.binary else measure.bounds or (-math.inf, math.inf)
    return rounded(max(limits.low, low)), rounded(min(limits.high, high))


def _leaderboard_notes(
    measure: Measure, ranked: Sequence[VariantResult], lead: Mapping[str, Chances], notes: list[str]
) -> None:
    shown = [row for row in ranked if row.shrunk is not None]
    level = [row.name for row in shown if row.shrunk == shown[0].shrunk]
    if len(level) > 1:
        names = ", ".join(repr(shortened(name, 80)) for name in level[:5])
        notes.append(f"{len(level)} variants are level at the top ({names}): their order means nothing.")
    if lead:
        notes.append(f"chance_best and expected_loss (seed {SEED}): {LABEL}.")
    elif shown and measure.direction == "unknown":
        notes.append("Which direction is better was never declared: the largest mean comes first.")
    if not shown and any(row.n for row in ranked):
        notes.append(
            "No variant has two results yet, so nothing is known of their spread: no order is meant."
        )
    if shown:
        notes.append(
            "Means are over all runs of a variant, with limits that are asymptotic; only the verdict compares."
        )
