"""Short ways to let models work, and to ask how they stand; everything goes through the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vettle.engine import sessions
from vettle.engine.experiments import lifecycle, runs
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.ranking import ranks
from vettle.engine.ranking.outcomes import Outcome
from vettle.engine.records import RewardOutcome
from vettle.engine.records.ranking import ContextRanking, RankedVariant, VariantsRanked
from vettle.engine.store import runs as table

PASSED = MetricInput(name="passed", direction="higher", kind="binary")
SCORE = MetricInput(name="score", direction="higher", range=(0, 10))
SECONDS = MetricInput(name="seconds", direction="lower", kind="duration")


def ask(
    project: Project,
    *models: str,
    name: str = "models",
    metric: MetricInput = PASSED,
    key: str = "model",
    **options: Any,
) -> str:
    """Create a running experiment whose variants have these models in their config; return its id."""
    variants = [VariantInput(name=model, config={key: model} if key else {}) for model in models]
    created = lifecycle.create(project, name=name, variants=variants, metric=metric, space={}, **options)
    assert created.state == "running"
    return created.experiment_id


def ran(
    project: Project,
    model: str,
    results: Sequence[float] = (),
    *,
    experiment: str = "models",
    metric: str = "passed",
    **fields: Any,
) -> None:
    """Record a run of the model for each result; without any, one run that has only `fields`."""
    metrics: list[Mapping[str, float]] = [{metric: result} for result in results] or [{}]
    with project.read() as transaction:
        found = lifecycle.require(transaction, experiment)
        before = len(table.since(transaction, found.id, found.epoch))
    rows = [
        RunInput(unit=f"unit {before + index}", variant=model, **{"metrics": one, **fields})
        for index, one in enumerate(metrics)
    ]
    for start in range(0, len(rows), 1_000):
        answer = runs.record(project, experiment=experiment, runs=rows[start : start + 1_000])
        assert answer.accepted, answer


def worked(project: Project, model: str, outcome: RewardOutcome, context: str = "general") -> None:
    """Let a session of the model end with this outcome."""
    started = sessions.start(project, task="x", context=context, model=model)
    sessions.end(project, session_id=started.session_id, outcome=outcome)


def context_of(ranked: VariantsRanked, name: str = "general") -> ContextRanking:
    """Return the ranking of one context."""
    return next(one for one in ranked.contexts if one.context == name)


def row(project: Project, model: str, context: str = "general", **options: Any) -> RankedVariant:
    """Return how one model stands in a context now."""
    found = context_of(ranks.rank(project, context=context, **options), context)
    return next(one for one in found.variants if one.value == model)


def outcomes(value: str, rewards: Sequence[float], context: str = "general", **fields: Any) -> list[Outcome]:
    """Return an outcome for each reward."""
    return [Outcome(index, context, value, float(reward), **fields) for index, reward in enumerate(rewards)]
