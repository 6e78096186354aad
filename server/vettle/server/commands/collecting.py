"""The command that brings results of outside systems into an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from vettle.engine.errors import VettleError
from vettle.engine.records.adapters import Adapters, Collected
from vettle.server.commands.common import counted, emit, json_option, open_project
from vettle.server.commands.completing import known
from vettle.server.commands.wording import worded
from vettle.server.commands.working import working


class _Refused(VettleError):
    """Raised when a row keeps all of them from being recorded."""


@click.command()
@click.argument("adapter", required=False, default="")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--experiment",
    default="",
    help="The experiment that the runs belong to.",
    shell_complete=known("experiment"),
)
@click.option("--unit", default="", help="The unit, or assignment_id, of a source that names none.")
@click.option("--variant", default="", help="The variant of rows that name none.")
@click.option("--dry-run", is_flag=True, help="Only show what would be recorded.")
@json_option
def collect(
    adapter: str,
    sources: tuple[Path, ...],
    experiment: str,
    unit: str,
    variant: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Example: vettle collect junit junit.xml coverage.xml --experiment wording --unit task-7.

    Record results that another system measured: junit (JUnit and Cobertura XML, one run), table (CSV or JSONL, one
    run a row), short-video (YouTube and Instagram numbers), or an adapter of an installed package. Without an
    adapter: which there are, and the metrics they make.
    """
    from vettle.engine.adapters import gathering

    if not adapter:
        available = gathering.available()
        emit(available, as_json, lambda: _adapters(available))
        return
    if not experiment:
        raise click.UsageError("Which experiment do the runs belong to? Pass --experiment NAME.")
    with open_project() as project, working("collecting"):
        record = gathering.gather(
            project,
            adapter=adapter,
            sources=sources,
            experiment=experiment,
            unit=unit,
            variant=variant,
            apply=not dry_run,
        )
    emit(record, as_json, lambda: _collected(worded(record)))
    if record.refused:
        raise _Refused(f"{record.refused[0].reason}. Nothing was recorded.")


def _adapters(record: Adapters) -> Iterator[str]:
    for name, metrics in record.adapters.items():
        yield f"{name}: {', '.join(f'{one.name} ({one.direction})' for one in metrics) or 'the columns of its rows'}"


def _collected(record: Collected) -> Iterator[str]:
    yield f"{counted(record.items, 'run')} of {record.experiment_id}: {record.accepted} recorded, {record.updated} of them again"
    for run in record.runs if not record.applied else ():
        metrics = ", ".join(
            f"{name} {'-' if value is None else f'{value:g}'}" for name, value in run.metrics.items()
        )
        yield f"  {run.place}  {run.unit}  {run.variant}  {metrics}"
    for refused in record.refused:
        yield f"  refused {refused.reason}"
    for note in record.notes:
        yield f"note  {note}"
    if record.context:
        yield record.context
    yield record.next_step
