"""The best configuration of an experiment, by its own metric or another one: proven, or only ahead so far."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from vettle.engine.clock import moment
from vettle.engine.experiments.another_metric import Asked, ask
from vettle.engine.experiments.design import Design, Variant
from vettle.engine.experiments.leaderboard import leaderboard
from vettle.engine.experiments.lifecycle import require
from vettle.engine.experiments.measures import rounded
from vettle.engine.experiments.results import exploratory_note, verdict_of
from vettle.engine.identifiers import canonical_json
from vettle.engine.project import Project
from vettle.engine.records import ExperimentVerdict, VariantResult
from vettle.engine.records.exports import BestConfiguration, Cost, Distribution, Timing, Tokens
from vettle.engine.store.runs import Run
from vettle.engine.wording import shortened

MOST_MODES = 20
"""How many failure modes are named."""

MOST_LEVELS = 50
"""How many values of one key of the configurations are listed."""


def best(
    project: Project, experiment: str, *, metric: str = "", minimum_runs: int = 1, top: int = 5
) -> BestConfiguration:
    """Return the variant that the verdict proves best, else the one that leads so far, which says so.

    `metric` asks by another metric than the deciding one: a recorded one, "success", "duration_ms" or the
    like; its verdict is exploratory. A variant with fewer than `minimum_runs` results, or without a completed
    run, is never the best. `top` is the number of alternatives.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: No run has recorded the metric, with those that were recorded.
    """
    with project.read() as transaction:
        found = require(transaction, experiment)
        asked = ask(transaction, found, metric)
        now = moment(transaction.now)
    notes: list[str] = []
    rows = leaderboard(asked.verdict, asked.measure, notes)
    if asked.measure.exploratory:
        notes.append(exploratory_note(asked.measure, judged=asked.judged))
    verdict = verdict_of(asked.verdict.judgement) if asked.judged else None
    chosen, proven = _chosen(asked, rows, verdict, minimum_runs, notes)
    design, runs = asked.main.design, [one.run for one in asked.main.evidence.scored]
    return BestConfiguration(
        experiment_id=found.id,
        experiment_name=found.name,
        description=design.description,
        state=found.state,
        exported_at=now.isoformat(timespec="seconds"),
        metric=asked.measure.name,
        direction=asked.measure.direction,
        metric_unit=asked.measure.unit,
        exploratory=asked.measure.exploratory,
        proven=proven,
        answer=_answer(asked, runs, chosen, proven=proven, minimum_runs=minimum_runs),
        **_of_variant(design.find(chosen.name) if chosen else None, chosen, runs),
        verdict=verdict,
        alternatives=rows[:top],
        space=_space(design),
        runs=len(runs),
        scored=sum(one.value is not None for one in asked.measure.values),
        **_summaries(runs),
        notes=[shortened(note, 500) for note in notes],
    )


def _chosen(
    asked: Asked,
    rows: Sequence[VariantResult],
    verdict: ExperimentVerdict | None,
    minimum_runs: int,
    notes: list[str],
) -> tuple[VariantResult | None, bool]:
    """Return the proven winner, else the leader so far by its shrunk mean, and whether it is proven."""
    eligible = [row for row in rows if row.n >= max(minimum_runs, 1) and row.statuses.get("completed")]
    few = [row.name for row in rows if 0 < row.n < minimum_runs]
    if few:
        names = ", ".join(repr(shortened(name, 80)) for name in few[:5])
        notes.append(f"Left out for fewer than {minimum_runs} results (variants: {len(few)}): {names}.")
    if asked.measure.direction == "unknown" or not eligible:
        return None, False
    if verdict and verdict.outcome in ("better", "worse"):
        winner = next((row for row in eligible if row.name == verdict.leader), None)
        if winner is not None:
            return winner, True
    alive = [row for row in eligible if not row.eliminated] or eligible
    standing = {row.name: _standing(asked, row) for row in alive}
    first = max(standing.values())
    level = [row for row in alive if standing[row.name] == first]
    if len(level) > 1:
        names = ", ".join(repr(shortened(row.name, 80)) for row in level[:5])
        notes.append(
            f"{len(level)} variants are level ({names}): the control, else the first one declared, stands for them."
        )
    return next((row for row in level if row.control), level[0]), False


def _standing(asked: Asked, row: VariantResult) -> float:
    """Return the shrunk mean, higher is better; the mean while nothing is known of the spread."""
    known = row.mean if row.shrunk is None else row.shrunk
    return -math.inf if known is None else asked.measure.sign * known


def _answer(
    asked: Asked, runs: Sequence[Run], chosen: VariantResult | None, *, proven: bool, minimum_runs: int
) -> str:
    """Say in one sentence what the best is worth."""
    if not runs:
        return "There is no best variant: no run has been recorded."
    if not any(run.status == "completed" for run in runs):
        return f"There is no best variant: no run was completed (runs: {len(runs)})."
    if asked.measure.direction == "unknown":
        return (
            f"There is no best variant by {asked.measure.name!r}: which direction is better was never declared. "
            "Declare it as a component or a guardrail of the experiment."
        )
    if chosen is None:
        return f"There is no best variant: none has {minimum_runs} results and a completed run."
    name = repr(shortened(chosen.name, 120))
    if proven:
        which = ", which does not decide the experiment" if asked.measure.exploratory else ""
        return f"Variant {name} is proven best by {asked.measure.name!r}{which}."
    judgement = asked.verdict.judgement
    reason = shortened(judgement.reasons[0], 300) if judgement.reasons else "no reason was given"
    if judgement.blocked_by:
        reason += f", {', '.join(map(repr, judgement.blocked_by[:5]))}"
    # The judge compares within blocks, and its leader may be another one than that of all runs.
    agreed = judgement.leader in (None, chosen.name)
    does = "leads so far" if agreed else "has the best shrunk mean so far"
    return f"Not proven: variant {name} {does} by {asked.measure.name!r} ({judgement.outcome}: {reason})."


def _of_variant(variant: Variant | None, row: VariantResult | None, runs: Sequence[Run]) -> dict[str, Any]:
    """Return what is said of the one variant; empty values where there is none."""
    own = [run for run in runs if variant is not None and run.variant == variant.id]
    return {
        "variant": variant.name if variant else "",
        "config": variant.config if variant else {},
        "config_hash": variant.id if variant else "",
        "n": row.n if row else 0,
        **{name: getattr(row, name, None) for name in ("mean", "low", "high", "shrunk")},
        "scores": {one.metric: one.mean for one in _distributions(own)},
    }


def _space(design: Design) -> dict[str, list[Any]]:
    """Return the different values of every key of the variants' configs, in the order of the variants."""
    levels: dict[str, dict[str, Any]] = {}
    for variant in design.variants:
        for name, value in variant.config.items():
            levels.setdefault(name, {}).setdefault(canonical_json(value), value)
    return {name: list(values.values())[:MOST_LEVELS] for name, values in levels.items()}


def _summaries(runs: Sequence[Run]) -> dict[str, Any]:
    """Summarise what all runs were and cost, whatever their variant."""
    modes = Counter(str(run.data.get("failure_mode") or "") for run in runs)
    del modes[""]
    taken = [int(run.data.get("tokens_in", 0)) for run in runs]
    given = [int(run.data.get("tokens_out", 0)) for run in runs]
    costs = [cost for run in runs if (cost := float(run.data.get("cost", 0))) > 0]
    completed = [run for run in runs if run.status == "completed"]
    times = [time for run in completed if (time := float(run.data.get("duration_ms", 0))) > 0]
    return {
        "statuses": dict(sorted(Counter(run.status for run in runs).items())),
        "failure_modes": dict(modes.most_common(MOST_MODES)),
        "distributions": _distributions(runs),
        "tokens": Tokens(tokens_in=sum(taken), tokens_out=sum(given), total=sum(taken) + sum(given)),
        "cost": Cost(total=rounded(math.fsum(costs)), per_run=_mean(costs), runs=len(costs)),
        "timing": Timing(
            fastest=min(times, default=None),
            slowest=max(times, default=None),
            average=_mean(times),
            total=rounded(math.fsum(times)),
            runs=len(times),
        ),
    }


def _distributions(runs: Sequence[Run]) -> list[Distribution]:
    """Describe every recorded metric over the completed runs."""
    columns: dict[str, list[float]] = {}
    for run in runs:
        if run.status == "completed":
            for name, value in run.metrics.items():
                columns.setdefault(name, []).append(value)
    return [_distribution(name, columns[name]) for name in sorted(columns)]


def _distribution(name: str, values: Sequence[float]) -> Distribution:
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Distribution(
        metric=name,
        count=len(values),
        minimum=min(values),
        maximum=max(values),
        mean=rounded(mean),
        deviation=rounded(math.sqrt(squares / (len(values) - 1))) if len(values) > 1 else None,
    )


def _mean(values: Sequence[float]) -> float | None:
    return rounded(math.fsum(values) / len(values)) if values else None
