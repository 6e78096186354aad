"""The best and the worst runs of an experiment, how its metrics spread, and what the best have in common."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from vettle.engine import paging
from vettle.engine.analysis.patterns import patterns
from vettle.engine.experiments import verdicts
from vettle.engine.experiments.lifecycle import require
from vettle.engine.experiments.measures import (
    RESOURCES,
    Measure,
    Value,
    measured,
    rounded,
)
from vettle.engine.experiments.verdicts import Verdict
from vettle.engine.identifiers import canonical_json
from vettle.engine.project import Project
from vettle.engine.records.evidence import Dispersion, Performer, Performers
from vettle.engine.wording import shortened

_MOST_METRICS = 20
_LIST_CHARACTERS = 4_500
_MOST_ENTRIES = 8
_VALUE = 100


def performers(project: Project, *, experiment: str, metric: str = "", top: int = 5) -> Performers:
    """Return the `top` best and worst runs by the deciding metric, or by another recorded one.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: No run has recorded the metric.
    """
    with project.read() as transaction:
        found = require(transaction, experiment)
        verdict = verdicts.of(transaction, found)
    return of(found.id, verdict, metric=metric, top=top)


def of(experiment_id: str, verdict: Verdict, *, metric: str = "", top: int = 5) -> Performers:
    """Return the performers of an experiment that was judged already (InvalidArgument).

    A run without a value is in no list: missing is never a number.
    """
    measure = measured(verdict, metric)
    known = [one for one in measure.values if one.value is not None]
    ranked = sorted(known, key=lambda one: -measure.sign * _value(one))
    each = min(top, len(ranked) // 2) if _vary(ranked) else 0
    traits = [_traits(verdict, one) for one in ranked]
    shared, looked_at = patterns(traits, [measure.sign * _value(one) for one in ranked])
    best = _listed(verdict, ranked[:each])
    worst = _listed(verdict, ranked[len(ranked) - each :][::-1])
    notes = _notes(measure, ranked, each, looked_at)
    if len(best) + len(worst) < 2 * each:
        notes.append(
            f"The lists are shortened to {len(best)} and {len(worst)} runs: an answer has to be short."
        )
    return Performers(
        experiment_id=experiment_id,
        metric=measure.name,
        top=best,
        bottom=worst,
        dispersion=_dispersion(verdict),
        patterns=shared,
        notes=notes,
    )


def _listed(verdict: Verdict, ranked: Sequence[Value]) -> list[Performer]:
    return paging.fit([_performer(verdict, one) for one in ranked], _LIST_CHARACTERS)


def _value(one: Value) -> float:
    assert one.value is not None
    return one.value


def _vary(ranked: Sequence[Value]) -> bool:
    return bool(ranked) and ranked[0].value != ranked[-1].value


def _notes(measure: Measure, ranked: Sequence[Value], each: int, looked_at: int) -> list[str]:
    notes = []
    missing = len(measure.values) - len(ranked)
    if missing:
        notes.append(
            f"{missing} of {len(measure.values)} runs have no {measure.name!r}: they are in no list."
        )
    if ranked and not _vary(ranked):
        notes.append(f"All {len(ranked)} runs have the same {measure.name!r}: there is no top and no bottom.")
    if measure.direction == "unknown" and each:
        notes.append("Which direction is better was never declared: the largest values stand on top.")
    for where, edge in (("top", 0), ("bottom", -1)):
        level = sum(one.value == ranked[edge].value for one in ranked) if each else 0
        if level > each:
            notes.append(f"{level} runs share the {where} value: which of them are listed means nothing.")
    if looked_at:
        notes.append(
            f"Patterns are hints of what to test and no findings: the most striking of {looked_at} values."
        )
    return notes


def _performer(verdict: Verdict, one: Value) -> Performer:
    run = one.scored.run
    return Performer(
        unit=run.unit,
        variant=one.scored.variant,
        value=rounded(_value(one)),
        config=_brief(verdict.design.find(one.scored.variant).config),
        dimensions=_brief(run.data.get("dimensions") or {}),
    )


def _brief(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the first entries, long ones as shortened text: a config may hold a whole prompt."""
    entries = list(values.items())[:_MOST_ENTRIES]
    return {
        shortened(name, _VALUE): value
        if len(canonical_json(value)) <= _VALUE
        else shortened(_text(value), _VALUE)
        for name, value in entries
    }


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else canonical_json(value)


def _dispersion(verdict: Verdict) -> list[Dispersion]:
    """Describe every metric that completed runs recorded, and what they used; the widest spread comes first."""
    done = [one.run for one in verdict.evidence.scored if one.run.status == "completed"]
    names = sorted({name for run in done for name in run.metrics})
    columns = {name: [run.metrics[name] for run in done if name in run.metrics] for name in names}
    for name in RESOURCES:
        used = [float(run.data.get(name) or 0) for run in done]
        if name not in columns and any(used):
            columns[name] = [value for value in used if value]
    rows = [_spread(name, column, len(done) - len(column)) for name, column in columns.items()]
    ordered = sorted(rows, key=lambda row: -math.inf if row.relative is None else row.relative, reverse=True)
    return paging.fit(ordered[:_MOST_METRICS], _LIST_CHARACTERS)


def _spread(name: str, column: Sequence[float], missing: int) -> Dispersion:
    """Describe one metric. Relative to its mean a spread means something only where no value changes the sign."""
    mean = statistics.fmean(column)
    # Not statistics.stdev, which works with exact fractions and takes a hundred times as long.
    squares = math.fsum((value - mean) ** 2 for value in column) if min(column) < max(column) else 0.0
    deviation = math.sqrt(squares / (len(column) - 1)) if len(column) > 1 else None
    one_sided = mean != 0 and (min(column) >= 0 or max(column) <= 0)
    return Dispersion(
        metric=name,
        n=len(column),
        missing=missing,
        mean=rounded(mean),
        deviation=None if deviation is None else rounded(deviation),
        relative=rounded(deviation / abs(mean)) if deviation is not None and one_sided else None,
    )


def _traits(verdict: Verdict, one: Value) -> dict[str, JsonValue]:
    """Return what a run was made of: its config, or its variant if that says nothing, and its dimensions."""
    config = verdict.design.find(one.scored.variant).config
    found: dict[str, JsonValue] = dict(config) or {"variant": one.scored.variant}
    context = one.scored.context or one.scored.run.data.get("context")
    if context:
        found["context"] = context
    return found | (one.scored.run.data.get("dimensions") or {})
