"""adaptive-iteration 0.1: a JSON ledger of arm averages, a JSON config, and the state of experiments.

A record is the average of an arm at one moment, not the result of a unit, so a verdict has few numbers to go
by and mostly says so. The flag `winner` was set by whoever called, so it is kept as text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from vettle.engine.arguments import RULE_CHARACTERS
from vettle.engine.errors import SourceDamaged
from vettle.engine.exchange import fitting, glimpse
from vettle.engine.exchange import reading as source
from vettle.engine.exchange.checking import FreeText, Row, checked
from vettle.engine.exchange.facts import Ending, Keys, Place, Reading, RuleFact, RunFact
from vettle.engine.exchange.fitting import Name, RequiredName, Values
from vettle.engine.exchange.trials import Trial, most_recorded
from vettle.engine.experiments.design import MetricInput
from vettle.engine.experiments.runs import RunInput

SYSTEM = "adaptive-iteration"

_ENDINGS: dict[str, Ending] = {"pending": "proposed", "active": "running", "concluded": "concluded"}


class Record(Row):
    """One record of the ledger."""

    domain: Name = ""
    experiment_id: RequiredName
    variable: Name = ""
    variant: RequiredName
    metric_values: Values = Field(default_factory=dict)
    winner: Any = None
    timestamp: Any = None


class _Variant(Row):
    label: RequiredName
    params: Values = Field(default_factory=dict)
    hint: FreeText = ""


class _Experiment(Row):
    id: RequiredName
    domain: Name = ""
    variable: Name = ""
    description: FreeText = ""
    tier: Any = None
    mode: str = ""
    variant_a: _Variant
    variant_b: _Variant
    status: str = "pending"
    started: Any = None
    items: list[Any] = Field(default_factory=list)


class _Config(Row):
    domain: Name = ""
    primary_metric: Name = ""
    min_items_per_variant: Any = None
    winner_hints: Values = Field(default_factory=dict)
    extra: Any = None


@dataclass(slots=True)
class _Told:
    """Everything that is told about one experiment."""

    trial: Trial
    domain: str
    variable: str
    plan: _Experiment | None = None
    records: list[tuple[Place, Record]] = field(default_factory=list)


_Experiments = dict[tuple[str, str, str], _Told]


def recognises(path: Path) -> bool:
    """Tell whether it is a ledger, a config or a state of adaptive-iteration, or a folder with one right in it."""
    if path.is_dir():
        return bool(glimpse.files(path, (".json",), recognises))
    seen = glimpse.outline(path)
    if seen.opening == "[":
        return seen.has(2, "experiment_id", "variable", "variant", "metric_values")
    return seen.has(1, "winner_hints", "primary_metric") or seen.has(1, "current", "queue", "history")


def read(path: Path) -> Reading:
    """Read a ledger, a config or a state, or the folder that holds them, each once (SourceDamaged)."""
    reading = Reading(SYSTEM)
    configs: list[tuple[Place, _Config]] = []
    plans: list[tuple[Place, dict[str, Any]]] = []
    rows: list[tuple[Place, dict[str, Any]]] = []
    for file in glimpse.files(path, (".json",), recognises):
        document = source.json_document(file, file.name)
        if isinstance(document, list):
            rows += _numbered(reading, file.name, document)
        elif isinstance(document, dict) and "winner_hints" in document:
            config = checked(reading, _Config, Place(file.name), document)
            configs += [(Place(file.name), config)] if config else []
            reading.rows[file.name] = len(config.winner_hints) if config else 1
        elif isinstance(document, dict) and "history" in document:
            plans += _numbered(reading, file.name, _planned(document))
        else:
            raise SourceDamaged(file.name, 0, "neither a ledger (a list of records) nor a config nor a state")
    experiments: _Experiments = {}
    for place, plan in plans:
        _plan(reading, experiments, place, plan)
    add_records(reading, experiments, rows)
    for place, config in configs:
        _hints(reading, place, config, experiments)
    add_experiments(reading, experiments, [config for _, config in configs])
    return reading


def read_records(reading: Reading, rows: Sequence[tuple[Place, dict[str, Any]]]) -> None:
    """Take the records that a later version of the system carried over."""
    experiments: _Experiments = {}
    add_records(reading, experiments, rows)
    add_experiments(reading, experiments, [])


def _numbered(reading: Reading, file: str, document: list[Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    reading.rows[file] = len(document)
    for number, row in enumerate(document, 1):
        if isinstance(row, dict):
            yield Place(file, number), row
        else:
            reading.skip(Place(file, number), "it is no object")


def _planned(state: Mapping[str, Any]) -> list[Any]:
    """Return the experiments of a state: the present one, those that wait, and those that are over."""
    listed = [state.get(name) for name in ("queue", "history")]
    current = state.get("current")
    return [current] * bool(current) + [one for part in listed if isinstance(part, list) for one in part]


def _told(experiments: _Experiments, place: Place, domain: str, identity: str, variable: str) -> _Told:
    key = (domain, identity, variable)
    if key not in experiments:
        name = f"{variable} {identity}".strip()
        experiments[key] = _Told(Trial(f"{domain} {identity} {variable}", place, name), domain, variable)
    return experiments[key]


def _plan(reading: Reading, experiments: _Experiments, place: Place, row: dict[str, Any]) -> None:
    plan = checked(reading, _Experiment, place, row)
    if plan is None:
        return
    told = _told(experiments, place, plan.domain, plan.id, plan.variable)
    if told.plan is not None:
        reading.skip(place, f"experiment {plan.id!r} stands here a second time")
        return
    told.plan = plan
    for one in (plan.variant_a, plan.variant_b):
        config = fitting.settings(one.params)
        told.trial.add(one.label, one.label, config, hint=one.hint, control=one is plan.variant_a)
    if plan.items:
        reading.skip(place, f"its produced items ({len(plan.items)}) have no results of their own")


def add_records(
    reading: Reading, experiments: _Experiments, rows: Sequence[tuple[Place, dict[str, Any]]]
) -> None:
    """Sort the records by experiment, and leave out those that cannot be taken."""
    for place, row in rows:
        record = checked(reading, Record, place, row)
        if record is not None:
            told = _told(experiments, place, record.domain, record.experiment_id, record.variable)
            told.records.append((place, record))


def add_experiments(reading: Reading, experiments: _Experiments, configs: Sequence[_Config]) -> None:
    """Turn what is told about every experiment into facts."""
    keys = Keys()
    assumed: set[str] = set()
    for told in experiments.values():
        runs = [run for place, record in told.records if (run := _run(reading, keys, told, place, record))]
        metric, why = _metric(told, runs, configs)
        assumed |= {why} - {""}
        plan = told.plan
        times = [one.happened for one in runs if one.happened]
        started = source.microseconds(plan.started) if plan else 0
        reading.facts += told.trial.facts(
            metric,
            domain=told.domain,
            variable=told.variable,
            description=_description(plan) if plan else "",
            ending=_ENDINGS.get(plan.status, "concluded") if plan and not runs else _ending(plan),
            said=_said(told),
            created=started or min(times, default=0),
        )
        reading.facts += runs
    if experiments:
        reading.notes.append(
            "adaptive-iteration did not record which direction is better: higher is assumed. "
            "Its records are averages of arms, so each counts as one run."
        )
    reading.notes += sorted(assumed)


def _description(plan: _Experiment) -> str:
    """Return the description, with what an experiment here has no place for."""
    tier = f"Tier {fitting.label(plan.tier, 20)} in {SYSTEM}." if plan.tier is not None else ""
    paired = "Paired: both variants on the same item." if plan.mode == "paired" else ""
    return "\n".join(filter(None, (plan.description, tier, paired)))


def _ending(plan: _Experiment | None) -> Ending:
    """Return how an experiment with results ended: without a state nobody knows, and it is taken to be over."""
    return "running" if plan and plan.status == "active" else "concluded"


def _run(reading: Reading, keys: Keys, told: _Told, place: Place, record: Record) -> RunFact | None:
    metrics = fitting.metrics(reading, place, record.metric_values)
    if not metrics:
        reading.skip(place, "it has no metric value that can be taken")
        return None
    told.trial.add(record.variant, record.variant, control=record.variant == "control")
    content = record.model_dump(exclude={"winner"})
    key = keys.of(content)
    experiment, variant = told.trial.of(record.variant)
    return RunFact(
        key=key,
        place=place,
        experiment=experiment,
        run=RunInput(unit=key, variant=variant, metrics=metrics),
        happened=source.microseconds(record.timestamp),
    )


def _metric(told: _Told, runs: Sequence[RunFact], configs: Sequence[_Config]) -> tuple[MetricInput, str]:
    """Return the metric that decides, and what was assumed: the config's, else the one recorded most often."""
    recorded = [name for one in runs for name in one.run.metrics]
    primary = [one.primary_metric for one in sorted(configs, key=lambda one: one.domain != told.domain)]
    name = next((one for one in primary if one in recorded), "")
    if name or not recorded:
        return MetricInput(name=name or next(filter(None, primary), "score"), direction="higher"), ""
    name = most_recorded(recorded)
    where = (
        "no config names a metric that was recorded" if configs else "there is no config beside the ledger"
    )
    return MetricInput(name=name, direction="higher"), f"{where}: {name!r}, recorded most often, decides."


def _said(told: _Told) -> str:
    flags: dict[str, Counter[bool]] = defaultdict(Counter)
    for _, record in told.records:
        if isinstance(record.winner, bool):
            flags[record.variant][record.winner] += 1
    parts = [f"{name} ({count[True]} of {count.total()})" for name, count in flags.items() if count[True]]
    said = f"Flagged as the winner in {SYSTEM}: {', '.join(parts)}" if parts else ""
    return fitting.label(said, fitting.SAID_CHARACTERS)


def _hints(reading: Reading, place: Place, config: _Config, experiments: _Experiments) -> None:
    """Take each winner hint as a candidate rule: the hint of the winning variant, or words around its label."""
    for variable, value in config.winner_hints.items():
        fitted, winner = fitting.label(variable), fitting.label(value)
        if not fitted or not isinstance(value, str) or not winner:
            reading.skip(place, f"winner hint {fitted!r} is no text")
            continue
        text = _hint(experiments, config.domain, fitted, winner) or fitting.paragraphs(value)
        text = " ".join(text.split())
        text = text if " " in text else f"For {fitted}, use {text}."
        if len(text) > RULE_CHARACTERS:
            reading.skip(place, f"winner hint {fitted!r} is longer than {RULE_CHARACTERS} characters")
            continue
        reading.facts.append(
            RuleFact(
                key=f"{config.domain} {fitted} {winner}",
                place=place,
                text=text,
                category=fitted,
                context=config.domain,
                rationale=f"winner hint in {SYSTEM}: {fitted} = {winner}"[: fitting.SAID_CHARACTERS],
            )
        )
    reading.notes.append(
        f"{place}: primary metric {config.primary_metric!r}. min_items_per_variant "
        f"{fitting.label(config.min_items_per_variant, 20)} is left out: a verdict says itself how many it needs."
    )
    if config.extra:
        reading.skip(place, "extra: there is no place for it")


def _hint(experiments: _Experiments, domain: str, variable: str, winner: str) -> str:
    for told in experiments.values():
        variant = told.trial.variants.get(winner)
        if variant and variant.hint and (told.domain, told.variable) == (domain, variable):
            return variant.hint
    return ""
