"""ai-experiments 2: tracking events, one JSON object a line, or what its ClickHouse table exports.

A run is what ends: `variant.complete`, or `variant.error`, which that system's own analysis never saw. Higher
is better there, always.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vettle.engine.exchange import fitting, glimpse
from vettle.engine.exchange import reading as source
from vettle.engine.exchange.checking import Row, checked
from vettle.engine.exchange.facts import Keys, Place, Reading, RunFact
from vettle.engine.exchange.fitting import Name, RequiredName, Values
from vettle.engine.exchange.trials import Trial, most_recorded
from vettle.engine.experiments.design import MetricInput
from vettle.engine.experiments.runs import RunInput

SYSTEM = "ai-experiments"
METRIC = "metricValue"
"""What the metric is called where the events give it no name."""

_RunId = tuple[str, str, str]


class _Event(Row):
    type: RequiredName
    timestamp: Any = None
    data: Values


class _Data(Row):
    """What the events of an experiment carry; every kind has some of it."""

    experimentId: RequiredName  # noqa: N815 - the file's own name
    experimentName: Name = ""  # noqa: N815
    variantId: Name = ""  # noqa: N815
    variantName: Name = ""  # noqa: N815
    runId: Name = ""  # noqa: N815
    bestVariant: Name = ""  # noqa: N815
    success: Any = True
    duration: Any = None
    metricName: Name = ""  # noqa: N815
    metricValue: Any = None  # noqa: N815
    dimensions: Any = None
    config: Any = None
    error: Any = None

    @property
    def run(self) -> _RunId:
        """What tells a run from others."""
        return self.experimentId, self.variantId, self.runId


@dataclass(slots=True)
class _End:
    """The end of a run."""

    place: Place
    data: _Data
    happened: int
    failed: bool
    has_metric: bool


@dataclass(slots=True)
class _Told:
    """Everything that is told about one experiment."""

    trial: Trial
    created: int
    ends: list[_End] = field(default_factory=list)
    best: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _File:
    """What the events of all files are about."""

    experiments: dict[str, _Told] = field(default_factory=dict)
    started: dict[_RunId, Place] = field(default_factory=dict)
    ended: dict[_RunId, dict[str, _End]] = field(default_factory=dict)
    """The ends of a run by what they say, in order."""
    computed: dict[_RunId, tuple[str, Any]] = field(default_factory=dict)


def recognises(path: Path) -> bool:
    """Tell whether it is a file of tracking events or an export of their table, or a folder with one right in it."""
    if path.is_dir():
        return bool(glimpse.files(path, (".jsonl", ".ndjson", ".json"), recognises))
    seen = glimpse.outline(path)
    depth = 2 if seen.opening == "[" else 1
    return seen.has(depth, "type", "timestamp", "data") or seen.has(
        depth, "eventType", "experimentId", "variantId"
    )


def read(path: Path) -> Reading:
    """Read a file of events, or those right in a folder (SourceDamaged)."""
    reading, found = Reading(SYSTEM), _File()
    for file in glimpse.files(path, (".jsonl", ".ndjson", ".json"), recognises):
        for place, row in _rows(reading, file):
            event = checked(reading, _Event, place, _as_event(row))
            if event is not None:
                _sort(reading, found, place, event)
        reading.notes.append(
            f"{file.name}: starts, metrics and summaries are part of the runs that they are about."
        )
    for run, place in found.started.items():
        if run not in found.ended:
            reading.skip(place, f"run {run[2]!r} has no end here")
    keys = Keys()
    for told in found.experiments.values():
        _facts(reading, keys, found, told)
    return reading


def _rows(reading: Reading, file: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield the objects of a file, which is a list of them or has one a line."""
    if glimpse.outline(file).opening == "[":
        rows = list(enumerate(source.json_document(file, file.name), 1))
    else:
        rows = list(source.json_lines(file, file.name))
    reading.rows[file.name] = len(rows)
    for number, row in rows:
        if isinstance(row, dict):
            yield Place(file.name, number), row
        else:
            reading.skip(Place(file.name, number), "it is no object")


def _as_event(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the exported table as the event that it was made of; an event is one already."""
    if "eventType" not in row:
        return dict(row)
    data = dict(row) | {"duration": row.get("durationMs"), "error": row.get("errorMessage")}
    for name in ("dimensions", "config"):
        if isinstance(data.get(name), str):
            try:
                data[name] = json.loads(data[name])
            except (ValueError, RecursionError):
                data[name] = None
    return {"type": row["eventType"], "timestamp": row.get("timestamp"), "data": data}


def _sort(reading: Reading, found: _File, place: Place, event: _Event) -> None:
    if event.type == "decision.made":
        reading.skip(place, "a decision among options belongs to no experiment")
        return
    data = checked(reading, _Data, place, event.data)
    if data is None:
        return
    happened = source.microseconds(event.timestamp)
    told = found.experiments.get(data.experimentId)
    if told is None:
        trial = Trial(data.experimentId, place, data.experimentName or data.experimentId)
        told = found.experiments[data.experimentId] = _Told(trial, happened)
    match event.type:
        case "experiment.start":
            pass
        case "experiment.complete":
            told.best.update([data.bestVariant] if data.bestVariant else [])
        case "variant.start" | "metric.computed" | "variant.complete" | "variant.error" if not data.variantId:
            reading.skip(place, "it names no variant")
        case "variant.start":
            found.started.setdefault(data.run, place)
        case "metric.computed":
            found.computed[data.run] = (data.metricName, event.data.get("metricValue"))
        case "variant.complete" | "variant.error":
            failed = event.type == "variant.error" or data.success in (False, 0)
            _end(reading, found, told, _End(place, data, happened, failed, "metricValue" in event.data))
        case _:
            reading.skip(place, f"events of the type {event.type!r} are not known")


def _end(reading: Reading, found: _File, told: _Told, end: _End) -> None:
    """Keep the end of a run, unless it is told already: an error after a completion comes from a callback."""
    before = found.ended.setdefault(end.data.run, {})
    last = next(reversed(before.values()), None)
    content = Keys().of(end.data.model_dump(), end.happened)
    if end.data.runId and content in before:
        reading.skip(end.place, f"the same as {before[content].place}")
    elif end.data.runId and end.failed and last and not last.failed:
        reading.skip(end.place, "the run was complete: what failed was the callback that was told so")
    else:
        before[content] = end
        told.ends.append(end)


def _facts(reading: Reading, keys: Keys, found: _File, told: _Told) -> None:
    trial = told.trial
    if not told.ends:
        reading.skip(trial.place, f"experiment {trial.name!r} has no run that ended")
        return
    units: Counter[str] = Counter()
    runs = [_run(reading, keys, units, found, trial, end) for end in told.ends]
    metric = most_recorded(name for one in runs for name in one.run.metrics) or METRIC
    best = ", ".join(f"{name} ({count})" for name, count in told.best.most_common())
    said = (
        f"Named best in {SYSTEM} (how often), by the single run with the highest metric: {best}"
        if best
        else ""
    )
    reading.facts += trial.facts(
        MetricInput(name=metric, direction="higher"),
        said=fitting.label(said, fitting.SAID_CHARACTERS),
        created=told.created,
    )
    reading.facts += runs


def _run(reading: Reading, keys: Keys, units: Counter[str], found: _File, trial: Trial, end: _End) -> RunFact:
    data = end.data
    config = next((one for one in (data.config, data.dimensions) if isinstance(one, dict) and one), {})
    trial.add(data.variantId, data.variantName or data.variantId, fitting.settings(config))
    experiment, variant = trial.of(data.variantId)
    key = keys.of(data.model_dump(), end.happened)
    unit = data.runId or key
    units[unit] += 1
    # Two runs may carry one id, such as a number that every process counts for itself.
    unit = unit if units[unit] == 1 else fitting.label(f"{unit} ({units[unit]})")
    return RunFact(
        key=key,
        place=end.place,
        experiment=experiment,
        run=RunInput(
            unit=unit,
            variant=variant,
            status="failed" if end.failed else "completed",
            metrics={} if end.failed else fitting.metrics(reading, end.place, _metrics(found, end)),
            error=fitting.paragraphs(data.error) if end.failed else "",
            duration_ms=fitting.amount(data.duration),
            dimensions=fitting.dimensions(data.dimensions if isinstance(data.dimensions, dict) else config),
        ),
        happened=end.happened,
    )


def _metrics(found: _File, end: _End) -> dict[str, Any]:
    """Return the run's metric under its name; null where the metric gave NaN, nothing where there was none."""
    name, value = found.computed.get(end.data.run, ("", None))
    if end.has_metric:
        name, value = end.data.metricName or name, end.data.metricValue
    elif end.data.run not in found.computed:
        return {}
    return {name or METRIC: value}
