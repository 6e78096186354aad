"""The command that finds candidate rules in journals, reviews and starter packs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from vettle.engine.project import Project
from vettle.engine.records.candidates import (
    JournalLearned,
    Learned,
    PackLearned,
    PacksListed,
    ReviewLearned,
)
from vettle.engine.records.rendering import NotTaken
from vettle.server.commands.common import counted, emit, json_option, open_project, table
from vettle.server.commands.wording import worded


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[MORE_ENTRIES]...")
@click.option("--from-review", "review", metavar="FILE", default="", help="Findings, JSON or Markdown.")
@click.option(
    "--from-journal",
    "journal",
    metavar="PATH",
    multiple=True,
    help="Entries with Improvements, or their folder.",
)
@click.option("--pack", metavar="NAME|FILE", default="", help="A starter pack of rules, as YAML.")
@click.option("--packs", is_flag=True, help="List the packs that come with vettle.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be learned.")
@json_option
def learn(
    paths: tuple[str, ...],
    review: str,
    journal: tuple[str, ...],
    pack: str,
    packs: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Example: vettle learn --from-review review.json --dry-run.

    Find candidate rules in a code review, in journal entries or in a starter pack. New ones go on trial, known ones
    are reinforced, and the findings of a review are logged as mistakes. The same file learned twice changes nothing.
    """
    if sum(map(bool, (review, journal, pack, packs))) != 1:
        raise click.UsageError("Give one of --from-review, --from-journal, --pack and --packs.")
    if paths and not journal:
        raise click.UsageError("Further paths go with --from-journal.")
    if packs:
        _list_packs(as_json)
        return
    with open_project() as project:
        if review:
            _review(project, review, not dry_run, as_json)
        elif journal:
            _journal(project, (*journal, *paths), not dry_run, as_json)
        else:
            _pack(project, pack, not dry_run, as_json)


# The engine's modules are imported where they are used: most of them read formats that nothing else needs.


def _list_packs(as_json: bool) -> None:
    from vettle.engine.candidates.packs import listed

    record = listed()
    emit(record, as_json, lambda: _packs(worded(record)))


def _review(project: Project, path: str, apply: bool, as_json: bool) -> None:
    from vettle.engine.candidates.reviews import learn

    record = learn(project, Path(path), apply=apply)
    emit(record, as_json, lambda: _reviewed(worded(record)))


def _journal(project: Project, paths: tuple[str, ...], apply: bool, as_json: bool) -> None:
    from vettle.engine.candidates.distilling import learn

    record = learn(project, [Path(path) for path in paths], apply=apply)
    emit(record, as_json, lambda: _distilled(worded(record)))


def _pack(project: Project, pack: str, apply: bool, as_json: bool) -> None:
    from vettle.engine.candidates.packs import learn

    record = learn(project, pack, apply=apply)
    emit(record, as_json, lambda: _taken(worded(record)))


def _packs(record: PacksListed) -> Iterator[str]:
    yield from table(
        ["pack", "rules", "about"], [[one.name, str(one.rules), one.description] for one in record.packs]
    )
    yield record.next_step


def _reviewed(record: ReviewLearned) -> Iterator[str]:
    found = ", ".join(counted(number, name) for name, number in record.by_severity.items() if number)
    yield f"{record.path}: {counted(record.findings, 'finding')} ({found or 'none'}), {record.known} known already"
    repeats = f", {record.repeats} like an earlier one" if record.repeats else ""
    yield f"{counted(record.mistakes, 'mistake')}{repeats}"
    yield from _rules(record)
    yield from _not_taken(record.not_taken)
    if record.ignored:
        yield f"ignored fields: {', '.join(record.ignored)}"
    yield record.next_step


def _distilled(record: JournalLearned) -> Iterator[str]:
    for entry in record.entries:
        passed = f", {len(entry.not_taken)} not taken" if entry.not_taken else ""
        yield f"{entry.path}: {counted(entry.taken, 'rule')}{passed}"
        yield from _not_taken(entry.not_taken)
    yield from _rules(record)
    yield record.next_step


def _taken(record: PackLearned) -> Iterator[str]:
    yield f"{record.pack}: {record.description}"
    yield from _rules(record)
    yield from _not_taken(record.not_taken)
    yield record.next_step


def _rules(record: Learned) -> Iterator[str]:
    for rule in record.rules:
        times = f" (found {rule.times} times)" if rule.times > 1 else ""
        yield f"{rule.outcome:11}  {rule.text}{times}{': ' + rule.reason if rule.reason else ''}"
    counts = ", ".join(f"{number} {name}" for name, number in record.counts.items())
    yield f"rules: {counts or 'none'}"


def _not_taken(passages: list[NotTaken]) -> Iterator[str]:
    for passage in passages:
        yield f"  line {passage.line}: {passage.reason}: {passage.text}"
