"""What commands share: the project they work on, and how answers are printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from vettle.engine.errors import InvalidArgument
from vettle.engine.project import Project
from vettle.engine.records import Record
from vettle.engine.root import find_root
from vettle.engine.suggesting import hint
from vettle.engine.wording import counted
from vettle.server.commands.layout import columns, harmless, table

if TYPE_CHECKING:
    from vettle.renderers.report.plain.page import Page

__all__ = [
    "Choice",
    "counted",
    "counts",
    "drawn",
    "emit",
    "fields",
    "given_bytes",
    "json_option",
    "open_project",
    "parsed_json",
    "say",
    "share",
    "signed",
    "table",
    "terminal",
]

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
    """Print the record as one line of JSON in UTF-8, whatever the terminal speaks, or as lines of text."""
    if as_json:
        click.echo(record.model_dump_json().encode("utf-8") + b"\n", nl=False)
        return
    for line in text():
        say(line)


def say(text: str, *, end: bool = True) -> None:
    """Print text to stdout; on a terminal nothing in it can act on the terminal."""
    # `color`: click would take escape sequences out of what is piped, which is somebody's data.
    click.echo(harmless(text) if columns() else text, nl=end, color=True)


class Terminal(TypedDict):
    """What plots have to know of the place where they are shown."""

    width: int
    unicode: bool
    colour: bool


def terminal() -> Terminal:
    """Tell how wide stdout is, whether it has the characters of plots, and whether colour is wanted."""
    from vettle.renderers.report.plain.glyphs import CHARACTERS

    try:
        unicode = bool(CHARACTERS.encode(sys.stdout.encoding or "ascii"))
    except (LookupError, UnicodeEncodeError):
        unicode = False
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Terminal(width=columns() or _PIPED_WIDTH, unicode=unicode, colour=bool(columns()) and not plain)


_PIPED_WIDTH = 100


def drawn(draw: Callable[[Page], None], indent: int = 0) -> Iterator[str]:
    """Yield the lines of what is drawn on a page that leaves so many columns of stdout free.

    They have no colour: what is printed line by line may not act on the terminal, and colour would.
    """
    # Imported here because most commands draw nothing.
    from vettle.renderers.report.plain.page import Page

    shown = terminal()
    page = Page(shown["width"] - indent, unicode=shown["unicode"], colour=False)
    draw(page)
    yield from page.text().splitlines()


def given_bytes(field: str, path: str) -> bytes:
    """Return what a file holds, or stdin where the path is "-" (InvalidArgument)."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        raise InvalidArgument(
            field, f"{path[:200]!r} cannot be read ({why})", "Name a file with JSON"
        ) from error


def parsed_json(field: str, given: str | bytes, remedy: str) -> Any:
    """Return what JSON says; bytes may begin with a byte order mark, and be UTF-8, UTF-16 or UTF-32.

    Raises:
        InvalidArgument: It is no JSON.
    """
    try:
        return json.loads(given)
    except (ValueError, RecursionError) as error:
        why = "not in UTF-8" if isinstance(error, UnicodeDecodeError) else f"not JSON ({error})"
        raise InvalidArgument(field, why, remedy) from error


class Choice(click.Choice[str]):
    """A choice that says which of its values was probably meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the chosen value (click.BadParameter)."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            meant = hint(str(value), self.choices)
            self.fail(f"{error.message.rstrip('.')}. {meant}".rstrip(" "), param, ctx)


def signed(value: float) -> str:
    """Return an effect as +.06 or -.12."""
    return f"{value:+.2f}".replace("0.", ".", 1)


def share(value: float | None) -> str:
    """Return a score or a rate with two digits, or a dash."""
    return "-" if value is None else f"{value:.2f}"


def counts(numbers: dict[str, int]) -> str:
    """Return numbers with their names, "3 trial, 1 proven", leaving out what there is none of."""
    return ", ".join(f"{number} {name}" for name, number in numbers.items() if number) or "none"


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
