"""PromptLooper: runs of an experiment as its API returns them, alone, with their experiment, or the best one.

Every configuration is a variant, so runs of one configuration are compared together and the best of many
single runs does not win by luck. A negative weight there means that lower is better here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from vettle.engine.errors import SourceDamaged
from vettle.engine.exchange import fitting, glimpse
from vettle.engine.exchange import reading as source
from vettle.engine.exchange.checking import FreeText, Row, checked
from vettle.engine.exchange.facts import Ending, Keys, Place, Reading, RunFact
from vettle.engine.exchange.fitting import Name, Values
from vettle.engine.exchange.systems.prompt_looper.scoring import metric_of
from vettle.engine.exchange.trials import Trial
from vettle.engine.experiments.runs import STAGES_CHARACTERS, RunInput
from vettle.engine.identifiers import canonical_json
from vettle.engine.records import RunStatus
from vettle.engine.space import variant_id, variant_name

SYSTEM = "promptlooper"
_LISTS = ("runs", "items")
_MOST_STAGES = 50
_STAGE_CHARACTERS = 500

_STATUSES: dict[str, RunStatus] = {
    "completed": "completed",
    "failed": "failed",
    "error": "failed",
    "timeout": "timeout",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "stopped": "cancelled",
}
_UNFINISHED = ("pending", "queued", "running")
_ENDINGS: dict[str, Ending] = {"running": "running", "paused": "running", "cancelled": "abandoned"}


class _Scoring(Row):
    weights: Values


class _Experiment(Row):
    id: Name = ""
    name: Name = ""
    description: FreeText = ""
    status: str = ""
    scoring_config: _Scoring | None = None
    created_at: Any = None


class _Run(Row):
    id: Name = ""
    experiment_id: Name = ""
    status: str = "completed"
    config: Values
    config_hash: Name = ""
    scores: Any = None
    stage_results: Any = None
    tokens_in: Any = None
    tokens_out: Any = None
    duration_ms: Any = None
    error: FreeText = ""
    created_at: Any = None
    completed_at: Any = None


@dataclass(slots=True)
class _Told:
    """An experiment with its runs."""

    place: Place
    experiment: _Experiment
    said: str = ""
    runs: list[tuple[Place, _Run]] = field(default_factory=list)


def recognises(path: Path) -> bool:
    """Tell whether it holds runs of PromptLooper or its best one, or is a folder with such a file right in it."""
    if path.is_dir():
        return bool(glimpse.files(path, (".json",), recognises))
    seen = glimpse.outline(path)
    if seen.opening == "[":
        return _are_runs(seen, 2)
    if any(seen.has(1, name) for name in _LISTS):
        return seen.has(1, "experiment", "runs") or _are_runs(seen, 3)
    return seen.has(1, "run_id", "config", "weighted_score") or (
        seen.has(1, "experiments") and _are_runs(seen, 5)
    )


def _are_runs(seen: glimpse.Outline, depth: int) -> bool:
    return seen.has(depth, "config", "config_hash") or seen.has(depth, "config", "scores")


def read(path: Path) -> Reading:
    """Read a file of runs, or those right in a folder (SourceDamaged)."""
    reading = Reading(SYSTEM)
    keys = Keys()
    for file in glimpse.files(path, (".json",), recognises):
        reading.rows[file.name] = 0
        for told in _experiments(reading, file):
            _facts(reading, keys, told)
    return reading


def _experiments(reading: Reading, file: Path) -> Iterator[_Told]:
    document = source.json_document(file, file.name)
    place = Place(file.name)
    if isinstance(document, list):
        yield from _loose(reading, place, document)
    elif isinstance(document, dict) and "weighted_score" in document:
        yield from _best(reading, place, document)
    elif isinstance(document, dict) and isinstance(document.get("experiments"), list):
        for one in document["experiments"]:
            yield from _with_experiment(reading, place, one if isinstance(one, dict) else {})
    elif isinstance(document, dict) and any(isinstance(document.get(name), list) for name in _LISTS):
        yield from _with_experiment(reading, place, document)
    else:
        raise SourceDamaged(file.name, 0, "neither a list of runs nor an experiment with runs nor a best run")


def _loose(reading: Reading, place: Place, rows: list[Any]) -> Iterator[_Told]:
    """Yield the experiments that the runs name."""
    found: dict[str, _Told] = {}
    for at, run in _runs(reading, place, rows):
        told = found.setdefault(run.experiment_id, _Told(at, _Experiment(id=run.experiment_id)))
        told.runs.append((at, run))
    yield from found.values()


def _with_experiment(reading: Reading, place: Place, document: Mapping[str, Any]) -> Iterator[_Told]:
    about = document.get("experiment", document)
    rows: list[Any] = next((document[name] for name in _LISTS if isinstance(document.get(name), list)), [])
    experiment = checked(reading, _Experiment, place, about if isinstance(about, dict) else {})
    if experiment is None:
        reading.rows[place.file] += len(rows)
    elif experiment.id or experiment.name:
        yield _Told(place, experiment, runs=list(_runs(reading, place, rows)))
    else:
        yield from _loose(reading, place, rows)


def _best(reading: Reading, place: Place, document: Mapping[str, Any]) -> Iterator[_Told]:
    """Yield the one run of an export of the best, as an experiment of its own: the others are not there."""
    identity = fitting.label(document.get("experiment_id"))
    name = fitting.label(document.get("experiment_name")) or identity
    row = {**document, "id": document.get("run_id"), "created_at": document.get("exported_at")}
    score = fitting.number(document.get("weighted_score"))
    said = (
        f"Exported from PromptLooper as the best, with a weighted score of {score:g}."
        if score is not None
        else ""
    )
    experiment = _Experiment(id=f"best of {identity}", name=fitting.label(f"{name}, best run"))
    yield _Told(place, experiment, said, list(_runs(reading, place, [row])))


def _runs(reading: Reading, place: Place, rows: list[Any]) -> Iterator[tuple[Place, _Run]]:
    start = reading.rows[place.file]
    reading.rows[place.file] += len(rows)
    for number, row in enumerate(rows, start + 1):
        at = Place(place.file, number)
        run = checked(reading, _Run, at, row) if isinstance(row, dict) else None
        if run is None:
            if not isinstance(row, dict):
                reading.skip(at, "it is no object")
        elif run.status in _UNFINISHED:
            reading.skip(at, f"the run is {run.status}: import again when it has ended")
        elif run.status not in _STATUSES:
            reading.skip(at, f"the status {fitting.label(run.status, 40)!r} is not known")
        else:
            yield at, run


def _facts(reading: Reading, keys: Keys, told: _Told) -> None:
    about = told.experiment
    name = about.name or about.id or "PromptLooper runs"
    trial = Trial(about.id or about.name, told.place, name)
    configs = [_config(run) for _, run in told.runs]
    differing = _differing(configs)
    runs = []
    for (place, run), config in zip(told.runs, configs, strict=True):
        identity = variant_id(config)
        trial.add(identity, _name(config, differing), config)
        runs.append(_run(reading, keys, trial, identity, place, run, config))
    weights = about.scoring_config.weights if about.scoring_config else {}
    metric, notes = metric_of(weights, runs)
    reading.notes += [f"{told.place}: {note}" for note in notes]
    reading.facts += trial.facts(
        metric,
        description=about.description,
        ending=_ENDINGS.get(about.status, "concluded"),
        said=told.said,
        created=source.microseconds(about.created_at),
    )
    reading.facts += runs


def _config(run: _Run) -> dict[str, JsonValue]:
    return fitting.settings(run.config) or {"config_hash": run.config_hash}


def _differing(configs: list[dict[str, JsonValue]]) -> list[str]:
    """Return the settings that not all configurations agree on, in the order in which they stand."""
    names = dict.fromkeys(name for config in configs for name in config)
    return [name for name in names if len({canonical_json(config.get(name)) for config in configs}) > 1]


def _name(config: dict[str, JsonValue], differing: list[str]) -> str:
    return variant_name({name: config[name] for name in differing if name in config} or config)


def _run(
    reading: Reading,
    keys: Keys,
    trial: Trial,
    identity: str,
    place: Place,
    run: _Run,
    config: dict[str, JsonValue],
) -> RunFact:
    experiment, variant = trial.of(identity)
    key = keys.of(trial.key, run.model_dump())
    plain = {name: value for name, value in config.items() if isinstance(value, (str, int, float, bool))}
    return RunFact(
        key=key,
        place=place,
        experiment=experiment,
        run=RunInput(
            unit=run.id or key,
            variant=variant,
            status=_STATUSES[run.status],
            metrics=fitting.metrics(reading, place, _scores(reading, place, run.scores)),
            error=run.error,
            duration_ms=fitting.amount(run.duration_ms),
            tokens_in=int(fitting.amount(run.tokens_in)),
            tokens_out=int(fitting.amount(run.tokens_out)),
            stages=_stages(reading, place, run.stage_results),
            dimensions=fitting.dimensions(plain),
        ),
        happened=source.microseconds(run.completed_at) or source.microseconds(run.created_at),
    )


def _scores(reading: Reading, place: Place, scores: object) -> dict[str, Any]:
    """Return scores by their scorer; of two by one scorer the last counts."""
    if isinstance(scores, dict):
        return {name: one.get("value") if isinstance(one, dict) else one for name, one in scores.items()}
    found: dict[str, Any] = {}
    for one in scores if isinstance(scores, list) else []:
        if not isinstance(one, dict) or not isinstance(name := one.get("scorer_name"), str):
            reading.skip(place, "a score names no scorer")
            continue
        if name in found:
            reading.skip(place, f"an earlier score by {fitting.label(name, 40)!r}: the last one counts")
        found[name] = one.get("value")
    return found


def _stages(reading: Reading, place: Place, results: object) -> dict[str, JsonValue]:
    """Return what each stage left, long text cut; nothing if it is too much to keep."""
    found: dict[str, JsonValue] = {}
    rows = (
        results.items()
        if isinstance(results, dict)
        else enumerate(results if isinstance(results, list) else [], 1)
    )
    for number, row in list(rows)[:_MOST_STAGES]:
        values = row if isinstance(row, dict) else {"output": row}
        name = fitting.label(values.get("stage_name") or values.get("name") or f"stage {number}")
        found[name] = {
            fitting.label(key): fitting.paragraphs(value, _STAGE_CHARACTERS)
            if isinstance(value, str)
            else fitting.json_value(value, depth=3)
            for key, value in values.items()
        }
    if len(canonical_json(found)) > STAGES_CHARACTERS:
        reading.skip(place, f"its stages have more than {STAGES_CHARACTERS:,} characters")
        return {}
    return found
