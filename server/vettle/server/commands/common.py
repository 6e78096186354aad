"""What commands share: the project they work on, and how answers are printed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from vettle.engine.project import Project
from vettle.engine.records import Record
from vettle.engine.root import find_root

Function = TypeVar("Function", bound=Callable[..., Any])


@contextmanager
def open_project() -> Iterator[Project]:
    """Open the project named by --project, or found from here upwards."""
    project = Project(find_root(click.get_current_context().find_root().obj or ""))
    try:
        yield project
    finally:
        project.close()


def json_option(command: Function) -> Function:
    """Add --json, which prints the tool's record."""
    return click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")(command)


def emit(record: Record, as_json: bool, text: Callable[[], Iterator[str]]) -> None:
    """Print the record as JSON, or as lines of text."""
    if as_json:
        click.echo(record.model_dump_json())
        return
    for line in text():
        click.echo(line)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align rows under their headings; only on a terminal is a long last column cut to fit."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for row in (headings, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        line = "  ".join(cells).rstrip()
        yield line[: room - 1] + "…" if room and len(line) > room else line


def signed(value: float) -> str:
    """Return an effect as +.06 or -.12."""
    return f"{value:+.2f}".replace("0.", ".", 1)


def share(value: float | None) -> str:
    """Return a score or a rate with two digits, or a dash."""
    return "-" if value is None else f"{value:.2f}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, "1 rule" or "2 rules"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def fields(record: Record) -> Iterator[str]:
    """Yield a record as `name  value` lines, nested records and lists indented below their name."""
    yield from _fields(record.model_dump(mode="json"), "")


def _fields(values: dict[str, Any], indent: str) -> Iterator[str]:
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        if value in ("", None, [], {}):
            continue
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _fields(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{name}"
            for entry in value:
                if isinstance(entry, dict):
                    yield f"{indent}  - " + ", ".join(
                        f"{k} {v}" for k, v in entry.items() if v not in ("", None)
                    )
                else:
                    yield f"{indent}  - {entry}"
        else:
            yield f"{indent}{name.ljust(width)}  {value}"
