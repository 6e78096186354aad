"""`vettle db check`, `backup`, `restore` and `prune`: looking after the database of a project."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from vettle.engine.project import Project
from vettle.engine.records.upkeep import DatabaseChecked, DatabaseRestored, DatabaseSaved, Finding, LogPruned
from vettle.server.commands.common import counted, emit, json_option, open_project
from vettle.server.commands.working import working


@click.command(short_help="Is everything that is stored sound?")
@click.option("--rebuild", is_flag=True, help="Count every table again from the log first.")
@json_option
@click.pass_context
def check(context: click.Context, rebuild: bool, as_json: bool) -> None:
    """Example: vettle db check.

    Is everything that is stored sound?

    Looks at every page, recounts every table from the log, and learns everything anew to compare. Others may go on
    working. Exit code 1 when something is wrong; each line says what to do about it.
    """
    from vettle.engine.upkeep import checking

    with open_project() as project, working("checking"):
        record = checking.check(project, rebuild=rebuild, others=list(_of_rule_files(project)))
    emit(record, as_json, lambda: _checked(record))
    context.exit(1 if record.findings else 0)


def _of_rule_files(project: Project) -> Iterator[Finding]:
    """Find a list of written files that cannot be read: without it no rule file is written."""
    from vettle.engine.errors import FilesRefused
    from vettle.renderers import lock

    path = project.root / lock.PATH
    try:
        lock.parse(path.read_bytes() if path.exists() else None)
    except FilesRefused as error:
        problem, _, remedy = str(error).partition(". ")
        yield Finding(area="rule files", problem=problem, remedy=remedy)
    except OSError as error:
        remedy = "Make it a readable file, or restore it from version control."
        yield Finding(area="rule files", problem=f"{path}: cannot be read ({error.strerror})", remedy=remedy)


def _checked(record: DatabaseChecked) -> Iterator[str]:
    for finding in record.findings:
        yield f"{finding.area}: {finding.problem.rstrip('.')}. {finding.remedy}"
    pruned = f" (pruned through event {record.pruned_through})" if record.pruned_through else ""
    if not record.findings:
        yield f"{record.location}: sound, {counted(record.events, 'event')}{pruned}."
    yield record.next_step


@click.command(short_help="Copy everything to a new file, while others go on working.")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Example: vettle db backup ../vettle-monday.db.

    Copy everything to a new file, while others go on working.

    The copy is opened and checked before this says so; no file is ever overwritten. A shared database is written
    out as a log. The way back: vettle db restore FILE.
    """
    from vettle.engine.upkeep import copies

    with open_project() as project, working("backing up"):
        record = copies.backup(project, file)
    emit(record, as_json, lambda: _saved(record))


def _saved(record: DatabaseSaved) -> Iterator[str]:
    yield f"Wrote {record.path}: {counted(record.events, 'event')}, {counted(record.size, 'byte')}, checked."


@click.command(short_help="Make a backup the database of this project.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--replace", is_flag=True, help="Put it in the place of the database that is here, and that aside."
)
@json_option
def restore(file: Path, replace: bool, as_json: bool) -> None:
    """Example: vettle db restore ../vettle-monday.db.

    Make a backup the database of this project.

    The backup is checked before anything is changed. With --replace the database that is here is kept beside it
    under a dated name; end the agents that work on the project first.
    """
    from vettle.engine.upkeep import copies

    with open_project() as project, working("restoring"):
        record = copies.restore(project, file, replace=replace)
    emit(record, as_json, lambda: _restored(record))


def _restored(record: DatabaseRestored) -> Iterator[str]:
    yield f"Restored {record.path} to {record.location}: {counted(record.events, 'event')}, checked."
    if record.kept:
        yield f"What was here before is in {record.kept}."
    yield record.next_step


@click.command(short_help="Remove old events that nothing but counts came from.")
@click.option("--keep-days", type=float, default=365.0, show_default=True, help="How many days stay whole.")
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@json_option
def prune(keep_days: float, dry_run: bool, as_json: bool) -> None:
    """Example: vettle db prune --keep-days 365 --dry-run.

    Remove old events that nothing but counts came from.

    Counts, reports, rules, what was learned and verdicts stay exactly as they are. What is lost: the recomputation
    of decisions of sessions that were over by then, and their lines in vettle events. Make a backup first.
    """
    from vettle.engine.upkeep import pruning

    with open_project() as project, working("pruning"):
        record = pruning.prune(project, keep_days=keep_days, apply=not dry_run)
    emit(record, as_json, partial(_pruned, record, dry_run))


def _pruned(record: LogPruned, dry_run: bool) -> Iterator[str]:
    done = "Would remove" if dry_run else "Removed"
    yield f"{done} {counted(record.removed, 'event')} from before {record.before:%Y-%m-%d}; {record.kept} stay."
    yield record.next_step
