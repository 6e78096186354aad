"""Rows of numbers that somebody already has: CSV, or JSONL with one object a line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vettle.engine.adapters import Item, Signal
from vettle.engine.adapters.describing import described
from vettle.engine.errors import SourceDamaged
from vettle.engine.exchange import reading
from vettle.engine.experiments.design import MetricInput
from vettle.engine.experiments.runs import RunInput

_FIELDS = frozenset(RunInput.model_fields) - {"metrics", "dimensions", "stages"}
_METRIC, _DIMENSION = "metric:", "dimension:"
_WORDS = {"true": 1.0, "false": 0.0}


def rows(sources: Sequence[Path]) -> list[Item]:
    """Return every row of CSV and JSONL files, told apart by their names (.jsonl, .ndjson; else CSV)."""
    return [item for path in sources for item in _file(path)]


def _file(path: Path) -> list[Item]:
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return [Item(f"{path.name}:{line}", row) for line, row in reading.json_lines(path, path.name)]
    text = reading.text(path, path.name)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found = []
    try:
        names = [name.strip() for name in reader.fieldnames or []]
        if len(set(names)) < len(names) or not all(names):
            raise SourceDamaged(path.name, 1, "a column has no name, or two have the same")
        reader.fieldnames = names
        for row in reader:
            if None in row or None in row.values():
                raise SourceDamaged(
                    path.name, reader.line_num, f"not {len(names)} cells, as the first line has"
                )
            found.append(Item(f"{path.name}:{reader.line_num}", dict(row)))
    except csv.Error as error:
        raise SourceDamaged(path.name, reader.line_num, f"not CSV ({error})") from error
    return found


class TableAdapter:
    """One row, one run. A column named like a field of a run is that field; of the others, numbers are metrics.

    A column counts as a metric when all of its cells are numbers, true, false or empty (not measured), and as
    a dimension otherwise; "metric:NAME" and "dimension:NAME" say which it is.
    """

    metrics: tuple[MetricInput, ...] = ()

    def collect(self, sources: Sequence[Path]) -> list[Item]:
        """Read every row of the files."""
        return rows(sources)

    def signals(self, items: Sequence[Item]) -> list[Signal]:
        """Turn every row into a run."""
        columns = list(dict.fromkeys(str(name) for item in items for name in item.values))
        numeric = {name for name in columns if name not in _FIELDS and _is_metric(name, items)}
        return [Signal(item.place, _run(item, numeric)) for item in items]

    def context(self, top: Sequence[Signal], bottom: Sequence[Signal]) -> str:
        """Describe the best and the worst rows."""
        return described(top, bottom)


def _is_metric(name: str, items: Sequence[Item]) -> bool:
    if name.startswith((_METRIC, _DIMENSION)):
        return name.startswith(_METRIC)
    cells = [item.values[name] for item in items if not is_empty(item.values.get(name))]
    return bool(cells) and all(number(cell) is not None for cell in cells)


def _run(item: Item, numeric: set[str]) -> RunInput:
    fields: dict[str, Any] = {}
    metrics: dict[str, float | None] = {}
    dimensions: dict[str, str | float] = {}
    for name, cell in item.values.items():
        if name in _FIELDS:
            if not is_empty(cell):
                fields[name] = cell
        elif name in numeric:
            metrics[name.removeprefix(_METRIC)] = measured(item, name)
        elif not is_empty(cell):
            dimensions[name.removeprefix(_DIMENSION)] = _label(cell)
    return checked(item, **fields, metrics=metrics, dimensions=dimensions)


def _label(cell: object) -> str | float:
    """Return what a dimension says: a number where it is one, and "true" or "nan" as the word that it is."""
    if isinstance(cell, bool):
        return str(cell).lower()
    value = None if str(cell).strip().lower() in _WORDS else number(cell)
    return str(cell) if value is None or not math.isfinite(value) else value


def damaged(item: Item, problem: str) -> SourceDamaged:
    """Return the error that names the place of a row and what is wrong with it."""
    file, _, line = item.place.rpartition(":")
    return SourceDamaged(file, int(line), problem)


def checked(item: Item, **fields: Any) -> RunInput:
    """Return the run that these fields make; one that no run may have is named with the item's place."""
    try:
        return RunInput.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # What follows the name of a metric or a dimension is pydantic's, and tells nobody anything.
        where = ".".join(str(part) for part in first["loc"][:2])
        raise damaged(item, f"{where[:80]}: {first['msg']}") from error


def measured(item: Item, name: str) -> float | None:
    """Return a cell as a number, None where it is empty or absent.

    Raises:
        SourceDamaged: It holds something else, NaN and infinity among it.
    """
    cell = item.values.get(name)
    if is_empty(cell):
        return None
    value = number(cell)
    if value is None or not math.isfinite(value):
        raise damaged(item, f"{name[:80]} is {str(cell)[:40]!r}, not a finite number")
    return value


def is_empty(cell: object) -> bool:
    """Return whether a cell says nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def number(cell: object) -> float | None:
    """Return a cell as a number (true is 1), None if it is none."""
    if isinstance(cell, (bool, int, float)):
        try:
            return float(cell)
        except OverflowError:
            return math.inf
    text = str(cell).strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        # float takes "1_000", which no spreadsheet means.
        return None if "_" in text else float(text)
    except ValueError:
        return None
