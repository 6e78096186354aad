"""Singularity Forge: which model did which task, as totals in a JSON file or outcome by outcome in a database.

Its router chose the models and no lot did, so what is imported is history: it counts in the ranking of models and
in reports, and the experiment that holds it has no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.exchange import reading as files
from vettle.engine.exchange.checking import checked
from vettle.engine.exchange.facts import Place, Reading
from vettle.engine.exchange.systems.singularity_forge import outcomes
from vettle.engine.exchange.systems.singularity_forge.outcomes import Found, Outcome, Total

SYSTEM = "singularity-forge"

_TOTALS = "model-performance.json"
_FOLDER = ".sf"
_COUNTED = "model_outcomes"
_OUTCOMES = ("llm_task_outcomes", _COUNTED)
_STATS = "model_stats"
_DATABASES = (".db", ".sqlite", ".sqlite3")


def recognises(path: Path) -> bool:
    """Tell whether it is the JSON file, a database with one of the tables, or a folder .sf that has one."""
    try:
        return bool(_sources(path))
    except OSError:
        return False


def read(path: Path) -> Reading:
    """Return the outcomes as runs of one experiment on models, by task type (SourceDamaged)."""
    reading, found = Reading(SYSTEM), Found()
    sources = _sources(path) or ([path] if path.is_file() else [])
    if not sources:
        raise InvalidArgument(
            "path",
            f"{path.name[:100]!r} holds nothing of Singularity Forge's",
            f"Name {_TOTALS}, a database with a table {_OUTCOMES[0]}, or the folder {_FOLDER}",
        )
    # Databases first: what was migrated from the JSON file into one is not counted again.
    for source in sorted(sources, key=lambda one: (one.suffix == ".json", one.name)):
        (_read_totals if source.suffix == ".json" else _read_tables)(reading, found, source)
    outcomes.record(reading, found)
    return reading


def _sources(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if _is_ours(path) else []
    folder = path if path.name == _FOLDER else path / _FOLDER
    if not folder.is_dir():
        return []
    return [
        one
        for one in folder.iterdir()
        if (one.name == _TOTALS or one.suffix in _DATABASES) and one.is_file() and _is_ours(one)
    ]


def _is_ours(path: Path) -> bool:
    begin = _begin(path)
    if begin.startswith(b"SQLite format 3\0"):
        # What was written last may still stand in the write-ahead log alone.
        log = path.with_name(f"{path.name}-wal")
        begin += _begin(log) if log.is_file() else b""
        return any(name.encode() in begin for name in (*_OUTCOMES, _STATS))
    named = path.name == _TOTALS
    return named or (path.suffix == ".json" and b'"successes"' in begin and b'"failures"' in begin)


def _begin(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(100_000)


def _read_tables(reading: Reading, found: Found, path: Path) -> None:
    tables = files.tables(path, path.name)
    for name in _OUTCOMES:
        for place, row in _rows(reading, path, name, tables):
            outcome = checked(reading, Outcome, place, row)
            if outcome is None:
                continue
            found.outcomes.append((place, outcome))
            if name == _COUNTED:
                found.told.setdefault((outcome.task, outcome.model_id), []).append(outcome)
    for place, row in _rows(reading, path, _STATS, tables):
        total = checked(reading, Total, place, row)
        if total:
            found.totals.append((place, total))


def _rows(
    reading: Reading, path: Path, table: str, tables: dict[str, list[dict[str, Any]]]
) -> Iterator[tuple[Place, dict[str, Any]]]:
    rows = tables.get(table, [])
    if rows:
        reading.rows[f"{path.name}: {table}"] = len(rows)
    for number, row in enumerate(rows, 1):
        yield Place(f"{path.name}: {table}", number), row


def _read_totals(reading: Reading, found: Found, path: Path) -> None:
    """Read the JSON file: totals by model within task types."""
    document = files.json_document(path, path.name)
    if not isinstance(document, dict):
        raise SourceDamaged(path.name, 1, "not a JSON object")
    counted = {(total.task, total.model_id) for _, total in found.totals}
    number = 0
    for task, models in document.items():
        for model, total in (models if isinstance(models, dict) else {"": models}).items():
            number += 1
            _take_total(reading, found, Place(path.name, number), task, model, total, counted)
    reading.rows[path.name] = number


def _take_total(
    reading: Reading,
    found: Found,
    place: Place,
    task: str,
    model: str,
    given: object,
    counted: set[tuple[str, str]],
) -> None:
    pair = f"{task[:80]!r}, {model[:80]!r}"
    row = {**(given if isinstance(given, dict) else {}), "task_type": task, "model_id": model}
    total = checked(reading, Total, place, row, pair)
    if total is not None and (total.task, total.model_id) in counted:
        reading.skip(place, f"{pair}: the database counts them already")
    elif total is not None:
        found.totals.append((place, total))
