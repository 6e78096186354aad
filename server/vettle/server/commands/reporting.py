"""`vettle report`: the whole project on one page, as an HTML file or in the terminal."""

from __future__ import annotations

from pathlib import Path

import click

from vettle.engine import files
from vettle.engine.errors import FilesRefused
from vettle.engine.project import Project
from vettle.engine.records.overview import Overview
from vettle.server.commands.common import emit, json_option, open_project, terminal
from vettle.server.commands.wording import worded

_BEGINNING = 2_000


@click.command()
@click.option(
    "--output",
    type=click.Path(),
    default="report.html",
    show_default=True,
    help="The file to write; - is stdout.",
)
@click.option("--period", default="90d", show_default=True, help='Days such as "7d", or "all".')
@click.option("--terminal", is_flag=True, help="Print the same page as text instead; write nothing.")
@json_option
def report(output: str, period: str, terminal: bool, as_json: bool) -> None:
    """Example: vettle report.

    Write one HTML file that says what is proven and why, what is on trial and how long that takes, which mistakes come
    back, what experiments found, and what it costs. It needs no network and no script, so it can be sent or kept as an
    artifact of CI. An earlier report is replaced; any other file is not.
    """
    path = None if terminal or as_json or output == "-" else free(Path(output))
    with open_project() as project:
        page = gathered(project, period)
    if as_json:
        emit(page, as_json, lambda: iter(()))
    elif terminal:
        click.echo(_text(worded(page)), nl=False)
    else:
        _html(worded(page), path)


def gathered(project: Project, period: str) -> Overview:
    """Return the page about a period, after checking that it is one."""
    # Imported here because it takes numpy, and help does not.
    from vettle.engine.overview import gathering
    from vettle.server import surroundings, tools
    from vettle.server.commands.checking import checked
    from vettle.server.toolsets import find

    given = checked(find(tools.report_get), {"kind": "rules", "period": period})
    return gathering.gather(project, period=given["period"], around=surroundings.of(project))


def free(path: Path) -> Path:
    """Return the path if a report can be put there: nothing is there yet, or a report of ours (FilesRefused)."""
    from vettle.renderers.report.html import GENERATOR

    try:
        # Before it is opened: a pipe without a writer would be waited for, and a terminal read.
        if path.exists() and not path.is_file():
            raise _refused(path, "is no ordinary file; --output - prints the page")
        if not path.parent.is_dir():
            raise _refused(path, "cannot be written (there is no such folder)")
        with path.open("rb") as stream:
            ours = GENERATOR.encode() in stream.read(_BEGINNING)
    except FileNotFoundError:
        return path
    except (OSError, ValueError) as error:
        raise _refused(path, f"cannot be written ({getattr(error, 'strerror', error)})") from error
    if not ours:
        raise _refused(path, "is no report of vettle's, so it stays as it is")
    return path


def _refused(path: Path, why: str) -> FilesRefused:
    return FilesRefused(f"{path}: {why}. Name another file with --output.")


def _html(page: Overview, path: Path | None) -> None:
    from vettle.renderers.report.html import as_html

    text = as_html(page)
    if path is None:
        # The page says that it is UTF-8, whatever the terminal speaks.
        click.echo(text.encode("utf-8"), nl=False)
        return
    write(path, text)
    click.echo(f"Wrote {path} ({len(text.encode()) / 1000:.0f} kB). {page.answers[0]}")
    click.echo(f"next: {page.answers[-1]}")


def write(path: Path, text: str) -> None:
    """Write a report in one step (FilesRefused)."""
    try:
        with files.in_one_step(path) as stream:
            stream.write(text.encode("utf-8"))
    except OSError as error:
        raise _refused(path, f"cannot be written ({error.strerror})") from error


def _text(page: Overview) -> str:
    from vettle.renderers.report.terminal import as_text

    return as_text(page, **terminal())
