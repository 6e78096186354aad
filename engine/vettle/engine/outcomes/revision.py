"""How much of a change is still there: arithmetic on multisets of lines.

A change from one state of a file to another is the multiset of lines it adds and the multiset it removes. With A the
proposed change and B the change from the same beginning to what was accepted,

    survived = |A and B| / |A|        revision distance = 1 - survived

where |A| counts added and removed lines of all files, and A and B is the intersection of multisets, file by file.
The order of lines does not count, so where git would draw its hunks does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vettle.engine.outcomes.fingerprints import Lines
from vettle.engine.records import RewardOutcome

ACCEPTED_UP_TO = 0.05
"""The revision distance up to which a change counts as accepted: a typo mended in twenty lines."""

REJECTED_FROM = 0.95
"""The revision distance from which practically nothing survived."""

_ALIKE = 0.5
_MOST_PAIRS = 20_000


@dataclass(frozen=True)
class Change:
    """The lines that a change adds to a file and removes from it."""

    added: Lines
    removed: Lines

    @property
    def size(self) -> int:
        """How many lines it adds and removes."""
        return self.added.total() + self.removed.total()


@dataclass(frozen=True)
class Survival:
    """How many lines were proposed, added or removed, and how many of them are in what was accepted."""

    proposed: int
    survived: int

    @property
    def distance(self) -> float:
        """The revision distance in [0, 1]; 0 where nothing was proposed."""
        return 1 - self.survived / self.proposed if self.proposed else 0.0


@dataclass(frozen=True)
class File:
    """One file at the three moments: before the change, as proposed, and as accepted. Absent is empty."""

    before: Lines
    proposed: Lines
    accepted: Lines


def change(before: Lines, after: Lines) -> Change:
    """Return the change from one state of a file to another."""
    return Change(added=after - before, removed=before - after)


def survival(files: Iterable[File]) -> Survival:
    """Add up over all files how much of what was proposed is in what was accepted."""
    proposed = survived = 0
    for file in files:
        wanted, got = change(file.before, file.proposed), change(file.before, file.accepted)
        proposed += wanted.size
        survived += (wanted.added & got.added).total() + (wanted.removed & got.removed).total()
    return Survival(proposed, survived)


def outcome(distance: float) -> RewardOutcome:
    """Return what a revision distance means as feedback."""
    if distance <= ACCEPTED_UP_TO:
        return "accepted"
    return "rejected" if distance >= REJECTED_FROM else "revision"


def moves(gone: Mapping[str, Lines], new: Mapping[str, Lines]) -> dict[str, str]:
    """Pair files that are gone with new ones that hold at least half of the same lines, the most alike first.

    Half is what git takes for a rename too, but git can compare only what was committed. Beyond 20,000 pairs
    nothing is compared, and every file counts as deleted or added.
    """
    if len(gone) * len(new) > _MOST_PAIRS:
        return {}
    alike = sorted(
        (-likeness, old, path)
        for old, before in gone.items()
        for path, after in new.items()
        if (likeness := _likeness(before, after)) >= _ALIKE
    )
    found: dict[str, str] = {}
    taken: set[str] = set()
    for _, old, path in alike:
        if old not in found and path not in taken:
            found[old] = path
            taken.add(path)
    return found


def _likeness(one: Lines, other: Lines) -> float:
    """Return the share of the larger file's lines that both have."""
    smaller, larger = sorted((one.total(), other.total()))
    if smaller < _ALIKE * larger or not larger:
        return 0.0
    return (one & other).total() / larger
