"""What was brought in from other systems."""

from __future__ import annotations

from vettle.engine.records.base import Record


class SkippedRow(Record):
    """A row that was not taken, and why. `line` is 0 where the whole file is meant."""

    line: int
    reason: str


class ImportedSource(Record):
    """One file that was read: `rows` it has, `taken` now, `known` from an earlier import, and those left out.

    A row is taken if anything that it says is new; it may say several things, or be left out in part.
    `skipped_rows` counts all that were left out, `skipped` shows the first of them.
    """

    path: str
    rows: int
    taken: int
    known: int
    skipped_rows: int = 0
    skipped: list[SkippedRow] = []


class DataImported(Record):
    """The answer to `data_import`: what each file gave, and how much of each kind is new.

    `new` counts by kind: rules, reinforcements (rules that were found again), retirements, sessions, mistakes,
    rewards, variables, experiments, assignments, runs, events. `known` counts rows. `applied` is false when
    this only shows what would happen. The files stay as they are.
    """

    system: str
    files: list[ImportedSource]
    new: dict[str, int]
    known: int
    applied: bool
    notes: list[str] = []
    next_step: str
