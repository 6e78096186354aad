"""Ordal, as adaptive-iteration is called since 0.11: a ledger of events, one JSON object a line, schema 2.

What counts there counts here: an experiment is judged with the settings in force when it started, the latest
observation of a unit replaces the earlier ones, and what is immature, out of range or from before the start
is left out. "Latest" means time, where Ordal compares the text of times.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from vettle.engine.clock import HOUR
from vettle.engine.exchange import fitting, glimpse
from vettle.engine.exchange import reading as source
from vettle.engine.exchange.facts import AssignmentFact, Keys, Place, Reading, RunFact, VariableFact
from vettle.engine.exchange.systems import adaptive_iteration
from vettle.engine.exchange.systems.ordal.ledger import Ledger, Told, read_ledger
from vettle.engine.exchange.systems.ordal.rows import Observation, Settings
from vettle.engine.exchange.trials import Trial, most_recorded
from vettle.engine.experiments.design import MetricInput
from vettle.engine.experiments.runs import RunInput

SYSTEM = "ordal"


def recognises(path: Path) -> bool:
    """Tell whether it is a ledger of schema 2, or a folder with one right in it."""
    if path.is_dir():
        return bool(glimpse.files(path, (".jsonl",), recognises))
    seen = glimpse.outline(path)
    return seen.opening == "{" and seen.has(1, "schema", "kind", "recorded_at")


def read(path: Path) -> Reading:
    """Read a ledger, or those right in a folder (SourceDamaged)."""
    reading = Reading(SYSTEM)
    for file in glimpse.files(path, (".jsonl",), recognises):
        _facts(reading, read_ledger(reading, file))
        reading.notes.append(
            f"{file.name}: settings, starts, verdicts and ends are part of the experiments that they are about."
        )
    return reading


def _facts(reading: Reading, ledger: Ledger) -> None:
    canonical = {domain: _resolved(aliases) for domain, aliases in ledger.aliases.items()}
    reading.facts += _variables(ledger, canonical)
    keys = Keys()
    for told in ledger.experiments.values():
        domain, variable = told.definition.domain, told.definition.variable
        settings = _settings(ledger, told)
        metric, note = _metric(told, settings)
        reading.notes += [note] * bool(note and note not in reading.notes)
        trial = _trial(told)
        reading.facts += trial.facts(
            metric,
            domain=domain,
            variable=canonical.get(domain, {}).get(variable, variable),
            description=_description(told),
            ending=told.ending,
            said=_said(told),
            created=told.started or told.created,
        )
        reading.facts += _assignments(told, trial)
        for place, row in told.observed.values():
            if why := _objection(told, settings, row):
                reading.skip(place, why)
            else:
                reading.facts.append(_run(reading, keys, trial, place, row))
    adaptive_iteration.read_records(reading, ledger.legacy)


def _resolved(aliases: dict[str, str]) -> dict[str, str]:
    """Return the canonical name behind every alias: a name merged into another may have been merged further."""
    found = {}
    for alias, target in aliases.items():
        seen, name = {alias}, target
        while name in aliases and name not in seen:
            seen.add(name)
            name = aliases[name]
        found[alias] = name
    return found


def _variables(ledger: Ledger, canonical: dict[str, dict[str, str]]) -> Iterator[VariableFact]:
    """Yield every variable under its canonical name; its key changes with it, so that later merges are learned."""
    for place, row in ledger.variables:
        names = canonical.get(row.domain, {})
        if names.get(row.name, row.name) != row.name:
            continue
        aliases = tuple(sorted(alias for alias, name in names.items() if name == row.name))
        yield VariableFact(
            key=Keys().of(row.domain, row.name, aliases, row.description, row.execution),
            place=place,
            name=row.name,
            domain=row.domain,
            aliases=aliases,
            description=row.description,
            execution=row.execution,
        )


def _settings(ledger: Ledger, told: Told) -> Settings | None:
    """Return the settings in force at the start; the first ones if the domain was configured only later."""
    history = [one for one in ledger.settings if one.config.domain == told.definition.domain]
    if not history:
        return None
    if not told.started:
        return history[-1].config
    before = [one for one in history if one.recorded_at <= told.started]
    return (before[-1] if before else history[0]).config


def _metric(told: Told, settings: Settings | None) -> tuple[MetricInput, str]:
    if settings is None:
        name = most_recorded(fitting.label(name) for _, row in told.observed.values() for name in row.metrics)
        domain = told.definition.domain
        note = f"Domain {domain!r} has no settings: {name or 'score'!r} decides, higher is assumed better."
        return MetricInput(name=name or "score", direction="higher"), note
    metric = settings.metric
    low, high = metric.valid_range
    is_range = settings.rule != "proportion" and low is not None and high is not None and low < high
    direction: Literal["higher", "lower"] = "higher" if metric.higher_is_better else "lower"
    return MetricInput(
        name=metric.name,
        direction=direction,
        kind="binary" if settings.rule == "proportion" else "continuous",
        range=(low, high) if is_range and low is not None and high is not None else (),
        minimum_effect=max(metric.min_effect, 0.0),
    ), ""


def _trial(told: Told) -> Trial:
    definition = told.definition
    name = f"{definition.variable} {definition.id}".strip()
    trial = Trial(definition.id, told.place, name)
    for one in (definition.variant_a, definition.variant_b):
        config = fitting.settings(one.params)
        trial.add(one.label, one.label, config, hint=one.hint, control=one is definition.variant_a)
    return trial


def _description(told: Told) -> str:
    """Return the description, with what an experiment here has no place for."""
    definition = told.definition
    expected = fitting.number(definition.expected_effect)
    parts = [
        definition.description,
        f"Tier {fitting.label(definition.tier, 20)} in Ordal." if definition.tier is not None else "",
        "Paired: both variants on the same item." if definition.mode == "paired" else "",
        f"Proposed by {definition.proposed_by}." if definition.proposed_by else "",
        f"Expected effect: {expected:g}." if expected is not None else "",
        f"A restart of experiment {definition.restart_of}." if definition.restart_of else "",
    ]
    return "\n".join(filter(None, parts))


def _said(told: Told) -> str:
    parts = []
    if final := told.final:
        low, high = final.interval or (None, None)
        numbers = f", effect {final.effect:g}" if final.effect is not None else ""
        numbers += f", interval {low:g} to {high:g}" if low is not None and high is not None else ""
        parts.append(
            f"Ordal's verdict: {final.outcome} at checkpoint {final.checkpoint} with {final.n_a} and "
            f"{final.n_b} units{numbers}. {final.reason}"
        )
    if told.applied:
        parts.append(f"Applied: {told.applied}.")
    if told.abandoned is not None:
        parts.append(f"Abandoned: {told.abandoned}")
    return fitting.label(" ".join(parts), fitting.SAID_CHARACTERS)


def _assignments(told: Told, trial: Trial) -> Iterator[AssignmentFact]:
    for unit, (place, row) in told.assigned.items():
        experiment, variant = trial.of(row.variant)
        yield AssignmentFact(
            key=f"{told.definition.id} {unit}",
            place=place,
            experiment=experiment,
            unit=unit,
            variant=variant,
            stratum=row.stratum,
            happened=source.microseconds(row.recorded_at),
        )


def _objection(told: Told, settings: Settings | None, row: Observation) -> str:
    """Return why an observation does not count, or ""."""
    assigned = told.assigned.get(row.unit_id)
    if row.variant not in told.labels:
        return f"the experiment has no variant {row.variant!r}"
    if assigned and assigned[1].variant != row.variant:
        return f"the unit was assigned {assigned[1].variant!r}, not {row.variant!r}"
    if not told.started:
        return "the experiment had not started"
    if row.produced_at < told.started:
        return "the unit was produced before the experiment started"
    return _immature(settings, row) or _outside(settings, row) if settings else ""


def _immature(settings: Settings, row: Observation) -> str:
    hours = (row.observed_at - row.produced_at) / HOUR
    if hours >= settings.maturity_hours:
        return ""
    return f"observed {hours:.3g} h after it was produced, and mature after {settings.maturity_hours:g} h"


def _outside(settings: Settings, row: Observation) -> str:
    metric = settings.metric
    value = next(
        (fitting.number(one) for name, one in row.metrics.items() if fitting.label(name) == metric.name), None
    )
    low, high = metric.valid_range
    if value is None:
        return ""
    if (low is not None and value < low) or (high is not None and value > high):
        return f"{metric.name} is {value:g}, outside the valid range"
    if settings.rule == "proportion" and value not in (0, 1):
        return f"{metric.name} is {value:g}, and a proportion counts 0 and 1"
    return ""


def _run(reading: Reading, keys: Keys, trial: Trial, place: Place, row: Observation) -> RunFact:
    experiment, variant = trial.of(row.variant)
    return RunFact(
        key=keys.of(row.model_dump()),
        place=place,
        experiment=experiment,
        run=RunInput(
            unit=row.unit_id,
            variant=variant,
            metrics=fitting.metrics(reading, place, row.metrics),
            stratum=row.stratum,
            pair_id=row.pair_id,
            covariate=fitting.number(row.covariate),
            produced_at=fitting.iso(row.produced_at),
        ),
        happened=row.observed_at,
    )
