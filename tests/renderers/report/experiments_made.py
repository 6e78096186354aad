"""Experiments and rankings of models for the overviews of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from vettle.engine.records.base import ExperimentOutcome, ExperimentState
from vettle.engine.records.experiments import (
    ExperimentCheck,
    ExperimentResults,
    ExperimentVerdict,
    GuardrailResult,
    TimeSeries,
    VariantResult,
    VariantSeries,
)
from vettle.engine.records.overview import ExperimentStanding, Grid, GridCell
from vettle.engine.records.ranking import (
    Challenger,
    ContextRanking,
    DefaultRank,
    RankedVariant,
    TrendDay,
    VariantsRanked,
)


def variant(name: str, mean: float | None, n: int, control: bool = False) -> VariantResult:
    """Return a row of a leaderboard."""
    known = mean is not None
    return VariantResult(
        id=name[:12],
        name=name,
        control=control,
        n=n,
        missing=n // 40,
        statuses={"completed": n, "failed": n // 12},
        mean=mean,
        low=mean - 0.07 if mean is not None else None,
        high=mean + 0.07 if mean is not None else None,
        shrunk=mean,
        chance_best=0.3 if known else None,
        expected_loss=0.02 if known else None,
        eliminated=mean is not None and mean < 0.55,
        duration_ms=41_000.0,
        tokens=4_800.0,
        cost=0.12,
        failure_modes={"timeout": n // 12},
    )


def verdict(
    outcome: ExperimentOutcome, names: Sequence[str], blocks: int, reasons: Sequence[str], next_step: str
) -> ExperimentVerdict:
    """Return a verdict about the first two names."""
    known = blocks > 0
    return ExperimentVerdict(
        outcome=outcome,
        leader=names[0] if known else None,
        losers=list(names[1:]) if outcome == "better" else [],
        compared=list(names[:2]) if known else None,
        estimate=0.096 if known else None,
        low=0.021 if outcome == "better" else (-0.06 if known else None),
        high=0.171 if known else None,
        alpha=0.05 if known else None,
        shrunk=0.081 if known else None,
        shrunk_sd=0.03 if known else None,
        e_value=44.0 if outcome == "better" else 2.4,
        blocks=blocks,
        more_mean=140 if outcome == "insufficient" else None,
        more_ninetieth=260 if outcome == "insufficient" else None,
        reasons=list(reasons),
        next_step=next_step,
        blocked_by=[],
        asymptotic=False,
        unit="blocks",
    )


def series(names: Sequence[str], now: datetime, periods: int, generator: Random) -> TimeSeries:
    """Return a weekly series, with a week in the middle in which nothing ran."""
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    rows = []
    for rank, name in enumerate(names):
        n = [0 if week == periods // 2 else generator.randrange(4, 16) for week in range(periods)]
        base = 0.74 - 0.06 * (rank % 8)
        mean = [base + generator.uniform(-0.06, 0.06) if runs else None for runs in n]
        rows.append(VariantSeries(variant=name, n=n, mean=mean))
    starts = [first - timedelta(weeks=periods - 1 - week) for week in range(periods)]
    return TimeSeries(interval="week", starts=starts, variants=rows)


def grid(row: str, rows: Sequence[str | float], column: str, columns: Sequence[str | float]) -> Grid:
    """Return a grid with one empty cell, whose means grow to the lower right."""
    cells = [
        [
            GridCell(n=0, mean=None)
            if (i, j) == (0, len(columns) - 1)
            else GridCell(n=12 + i + j, mean=0.42 + 0.4 * (i + j) / (len(rows) + len(columns)))
            for j in range(len(columns))
        ]
        for i in range(len(rows))
    ]
    return Grid(row=row, column=column, row_values=list(rows), column_values=list(columns), cells=cells)


def standing(
    name: str,
    names: Sequence[str],
    now: datetime,
    generator: Random,
    *,
    state: ExperimentState = "running",
    said: ExperimentVerdict | None = None,
    periods: int = 8,
    grids: Sequence[Grid] = (),
    checks: Sequence[ExperimentCheck] = (),
    guardrails: Sequence[GuardrailResult] = (),
    unit: str = "",
    metric: str = "passed",
) -> ExperimentStanding:
    """Return an experiment with a leaderboard that falls by 0.05 from rank to rank."""
    board = [
        variant(one, 0.74 - 0.05 * (rank % 12), 96 - rank % 30, control=rank == 1)
        for rank, one in enumerate(names)
    ]
    results = ExperimentResults(
        experiment_id=f"x-{name[:20]}",
        name=name,
        state=state,
        metric=metric,
        direction="higher",
        metric_unit=unit,
        exploratory=False,
        runs=sum(row.n for row in board),
        verdict=said,
        frozen=said if state in ("concluded", "applied") else None,
        leaderboard=board,
        checks=list(checks),
        guardrails=list(guardrails),
        series=series(names, now, periods, generator) if periods else None,
    )
    return ExperimentStanding(
        results=results,
        context="bug-fix",
        variable="prompt",
        description="Does a shorter system prompt cost anything?",
        started=now - timedelta(weeks=8),
        grids=list(grids),
    )


def three(now: datetime, generator: Random) -> list[ExperimentStanding]:
    """Return one experiment that has a winner, one that is too early, and one that cannot be trusted."""
    wording, effort = ("short prompt", "long prompt", "no prompt"), ("high", "medium", "low", "minimal")
    won = verdict(
        "better",
        wording,
        96,
        [
            "'short prompt' is better than 'long prompt', 'no prompt'; 'short prompt' minus 'long prompt' is +0.096"
        ],
        "adopt 'short prompt', and watch whether it stays as good",
    )
    early = verdict(
        "insufficient",
        effort,
        31,
        ["too early to tell: 'high' leads, which proves nothing"],
        "run about 140 more blocks (nine of ten experiments need at most 260), then ask again",
    )
    bad = verdict(
        "invalid",
        ("new linter", "old linter"),
        40,
        ["the verdict is withheld, because the data cannot be trusted"],
        "find and repair the cause, then start a new experiment; more of the same runs will not help",
    )
    return [
        standing(
            "reasoning effort and context size",
            effort,
            now,
            generator,
            said=early,
            grids=[grid("effort", ["low", "medium", "high"], "files in context", [2.0, 8.0, 32.0])],
            guardrails=[
                GuardrailResult(
                    metric="cost", variant="high", e_value=31.0, margin=0.05, runs=96, breached=True
                )
            ],
        ),
        standing("linter", ("new linter", "old linter"), now, generator, said=bad, periods=0,
            checks=[
                ExperimentCheck(
                    name="sample ratio",
                    ok=False,
                    detail="assigned 61 to 'new linter' and 19 to 'old linter', which 1:1 hardly ever gives",
                    fatal=True,
                )
            ],
        ),
        standing("prompt wording", wording, now, generator, state="concluded", said=won),
    ]  # fmt: skip


def ranked(
    value: str, mean: float, cost: float | None, now: datetime, *, demoted: bool = False
) -> RankedVariant:
    """Return a model in a ranking."""
    return RankedVariant(
        value=value,
        tried=True,
        n=88,
        mean=mean,
        low=max(mean - 0.08, 0.0),
        high=min(mean + 0.07, 1.0),
        chance_best=0.62 if mean > 0.8 else 0.1,
        rate=mean,
        successes=round(88 * mean),
        failures=88 - round(88 * mean),
        timeouts=3,
        duration_ms=52_000.0,
        tokens=9_100.0,
        cost=cost,
        retries=0.2,
        escalations=1,
        ratings={"ok": 4, "over": 1, "under": 0},
        last_used=now - timedelta(days=1),
        demoted=demoted,
        advice=["demoted here: it fails far more often than the others"] if demoted else [],
        trend=[
            TrendDay(day=f"2026-11-{day:02}", n=4, mean=mean + 0.02 * (day % 3 - 1)) for day in range(10, 20)
        ],
    )


def models(now: datetime) -> VariantsRanked:
    """Return five models in two contexts, one of them demoted and one without a recorded cost."""
    large = [
        ranked("atlas-large", 0.86, 0.412, now),
        ranked("atlas-small", 0.83, 0.061, now),
        ranked("birch-2", 0.79, 0.118, now),
        ranked("local-32b", 0.58, None, now),
        ranked("cedar-mini", 0.41, 0.009, now, demoted=True),
    ]
    small = [ranked("atlas-small", 0.9, 0.02, now), ranked("birch-2", 0.74, 0.05, now)]
    challenger = Challenger(
        value="atlas-small",
        incumbent="atlas-large",
        share=0.3,
        transportation_cost=0.4,
        chance_better=0.31,
        experiment="",
        call={"name": "atlas-small against atlas-large"},
        next_step="experiment_create with these arguments",
    )
    return VariantsRanked(
        variable="model",
        period="90d",
        results=612,
        not_counted=8,
        contexts=[
            ContextRanking(
                context="bug-fix",
                results=440,
                low_risk=False,
                variants=large,
                chain=["atlas-large", "atlas-small", "birch-2", "local-32b", "cedar-mini"],
                challenger=challenger,
            ),
            ContextRanking(
                context="documentation",
                results=172,
                low_risk=True,
                variants=small,
                chain=["atlas-small", "birch-2"],
                challenger=None,
                no_challenger="the best one is far ahead",
            ),
        ],
        default=[
            DefaultRank(value="atlas-small", mean=0.85, low=0.78, high=0.91, n=176, contexts=2),
            DefaultRank(value="atlas-large", mean=0.84, low=0.75, high=0.92, n=88, contexts=1),
        ],
        default_chain=["atlas-small", "atlas-large", "birch-2", "local-32b", "cedar-mini"],
        seed=7,
        draws=4_000,
        next_step="try atlas-small beside atlas-large",
    )
