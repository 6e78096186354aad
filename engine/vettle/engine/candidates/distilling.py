"""Distilling journal entries into candidate rules: each bullet of their Improvements goes on trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vettle.engine.candidates.journal import Bullet, Entry, find, read
from vettle.engine.candidates.naming import display
from vettle.engine.candidates.taking import Candidate, Taking, left_out, take
from vettle.engine.identifiers import reference_uid
from vettle.engine.imports import Found
from vettle.engine.project import Project
from vettle.engine.records import RuleSource
from vettle.engine.records.candidates import JournalEntry, JournalLearned
from vettle.engine.similarity import rule_form
from vettle.engine.store import Transaction


def learn(project: Project, paths: Sequence[Path], *, apply: bool = True) -> JournalLearned:
    """Learn from journal entries, named or all of a folder; everything or, if one is damaged, nothing.

    Reading an entry again changes nothing. A rule that another entry comes to as well is reinforced.

    Raises:
        InvalidArgument: A path does not exist, or a folder holds no entry.
        SourceDamaged: An entry cannot be read as what it is.
    """
    entries = [read(path, display(project, path)) for path in find(paths)]
    with project.write() if apply else project.read() as transaction:
        taking = distil(transaction, entries, apply=apply)
    return JournalLearned(
        entries=list(_reported(entries, taking)),
        rules=taking.rules,
        counts=taking.counts,
        applied=apply,
        next_step=_next_step(taking, apply),
    )


def distil(
    transaction: Transaction, entries: Sequence[Entry], *, apply: bool, source: RuleSource = "human"
) -> Taking:
    """Take the bullets of entries, in a transaction that may do more."""
    candidates = [
        _candidate(entry, bullet, source)
        for entry in entries
        for bullet in entry.bullets
        if not bullet.reason
    ]
    return take(transaction, candidates, apply=apply)


def _candidate(entry: Entry, bullet: Bullet, source: RuleSource) -> Candidate:
    found = Found(
        bullet.text,
        (),
        f"{entry.name}:{bullet.line}",
        category=bullet.category,
        rationale=f"noted in the journal on {entry.date}" if entry.date else "noted in the journal",
        source=source,
    )
    return Candidate(
        found,
        bullet.line,
        again=reference_uid("journal", f"{entry.name}\n{rule_form(bullet.text)}"),
        source=entry.name,
    )


def _reported(entries: Sequence[Entry], taking: Taking) -> Iterator[JournalEntry]:
    for entry in entries:
        passed = [left_out(one.line, one.text, one.reason) for one in entry.bullets if one.reason]
        refused = [report for candidate, report in taking.not_taken if candidate.source == entry.name]
        yield JournalEntry(
            path=entry.name,
            date=entry.date,
            taken=sum(not one.reason for one in entry.bullets) - len(refused),
            not_taken=sorted([*passed, *refused], key=lambda one: one.line),
        )


def _next_step(taking: Taking, apply: bool) -> str:
    if not apply:
        return "Nothing was recorded. To learn: the same command without --dry-run."
    if taking.counts.get("quarantined"):
        return "Some need a person: vettle rules --status quarantined."
    if not taking.counts.get("new"):
        return "Nothing new. Rules come from bullets under a heading Improvements: docs/finding-rules.md."
    return "Nothing to do: sessions will try them, and the evidence decides."
