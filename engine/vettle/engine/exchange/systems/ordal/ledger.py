"""Ordal's ledger, its events sorted by what they are about; which of them count is decided later."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vettle.engine.exchange import fitting
from vettle.engine.exchange import reading as source
from vettle.engine.exchange.checking import Row, checked
from vettle.engine.exchange.facts import Ending, Place, Reading
from vettle.engine.exchange.systems.ordal.rows import (
    ROWS,
    Abandoned,
    Alias,
    Applied,
    Assignment,
    Configured,
    Decision,
    Definition,
    Experiment,
    Observation,
    OfExperiment,
    Started,
    Variable,
)

SCHEMA = 2
_LEGACY = "legacy_arm_summary"


@dataclass(slots=True)
class Told:
    """Everything that the ledger tells about one experiment."""

    place: Place
    definition: Definition
    created: int
    started: int = 0
    assigned: dict[str, tuple[Place, Assignment]] = field(default_factory=dict)
    observed: dict[str, tuple[Place, Observation]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    applied: str = ""
    abandoned: str | None = None

    @property
    def final(self) -> Decision | None:
        """The verdict that closed it, None if there is none."""
        return next((one for one in reversed(self.decisions) if one.outcome != "insufficient"), None)

    @property
    def ending(self) -> Ending:
        """How it ended."""
        if self.abandoned is not None:
            return "abandoned"
        if self.final is not None:
            return "concluded"
        return "running" if self.started else "proposed"

    @property
    def labels(self) -> tuple[str, str]:
        """What its two variants are called."""
        return self.definition.variant_a.label, self.definition.variant_b.label


@dataclass(slots=True)
class Ledger:
    """A ledger's events, sorted by what they are about."""

    settings: list[Configured] = field(default_factory=list)
    experiments: dict[str, Told] = field(default_factory=dict)
    variables: list[tuple[Place, Variable]] = field(default_factory=list)
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)
    legacy: list[tuple[Place, dict[str, Any]]] = field(default_factory=list)


def read_ledger(reading: Reading, file: Path) -> Ledger:
    """Sort the events of a file, and leave out those that cannot be taken (SourceDamaged)."""
    ledger = Ledger()
    reading.rows[file.name] = 0
    for number, event in source.json_lines(file, file.name):
        place, kind = Place(file.name, number), event.get("kind")
        reading.rows[file.name] += 1
        if event.get("schema") != SCHEMA:
            reading.skip(place, f"schema {fitting.label(event.get('schema'), 20)} is not known")
        elif kind == _LEGACY:
            times = {"timestamp": event.get("original_timestamp") or event.get("recorded_at")}
            ledger.legacy.append((place, event | times))
        elif not isinstance(kind, str) or kind not in ROWS:
            reading.skip(place, f"events of the kind {fitting.label(kind, 40)!r} are not known")
        elif (row := checked(reading, ROWS[kind], place, event)) is not None:
            _sort(reading, ledger, place, row)
    return ledger


def _sort(reading: Reading, ledger: Ledger, place: Place, row: Row) -> None:
    match row:
        case Configured():
            ledger.settings.append(row)
        case Variable():
            ledger.variables.append((place, row))
            ledger.aliases.setdefault(row.domain, {}).update(dict.fromkeys(row.aliases, row.name))
        case Alias():
            ledger.aliases.setdefault(row.domain, {})[row.alias] = row.name
        case Experiment(experiment=definition) if definition.id in ledger.experiments:
            reading.skip(place, f"experiment {definition.id!r} stands here a second time")
        case Experiment(experiment=definition) if definition.variant_a.label == definition.variant_b.label:
            reading.skip(place, "its two variants have one label, so nothing tells their results apart")
        case Experiment(experiment=definition):
            created = source.microseconds(row.recorded_at)
            ledger.experiments[definition.id] = Told(place, definition, created)
        case OfExperiment():
            told = ledger.experiments.get(row.experiment_id)
            if told is None:
                reading.skip(place, f"there is no experiment {row.experiment_id!r} above")
            else:
                _tell(reading, told, place, row)


def _tell(reading: Reading, told: Told, place: Place, row: OfExperiment) -> None:
    match row:
        case Started():
            told.started = row.at
        case Assignment() if row.variant not in told.labels:
            reading.skip(place, f"experiment {row.experiment_id!r} has no variant {row.variant!r}")
        case Assignment():
            if before := told.assigned.get(row.unit_id):
                reading.skip(before[0], f"unit {row.unit_id!r} was assigned again in line {place.line}")
            told.assigned[row.unit_id] = (place, row)
        case Observation():
            _observe(reading, told, place, row)
        case Decision():
            told.decisions.append(row)
        case Applied():
            told.applied = row.variant
        case Abandoned():
            told.abandoned = row.reason


def _observe(reading: Reading, told: Told, place: Place, row: Observation) -> None:
    """Keep the latest observation of a unit; the later line of two at the same time."""
    kept = (place, row)
    if before := told.observed.get(row.unit_id):
        kept, other = (kept, before) if row.observed_at >= before[1].observed_at else (before, kept)
        reading.skip(other[0], f"line {kept[0].line} has a later observation of unit {row.unit_id!r}")
    told.observed[row.unit_id] = kept
