"""Which targets to write, so that every program in use reads each rule once: decided by trying all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from vettle.engine.records import Target
from vettle.renderers.assistants.readers import Reader, hidden_by
from vettle.renderers.assistants.targets import SCOPING, find, in_order
from vettle.renderers.repository import Repository


@dataclass(frozen=True, slots=True)
class Layout:
    """The targets whose always-on place is written, and those whose files for some paths are."""

    always: frozenset[Target]
    scoped: frozenset[Target]


def everything(named: Iterable[Target]) -> Layout:
    """Return the layout that writes every file of the named targets."""
    return Layout(frozenset(named), frozenset(named))


def choose(
    repository: Repository, used: Collection[Target], named: Collection[Target], readers: Sequence[Reader]
) -> Layout:
    """Return the layout with one copy of each rule for every one of the readers, or the nearest to it.

    The files of `named` are written in any case, and only files of targets in `used` are added. What
    counts, in this order: no program without the rules, no file of the user's switched off, no rule
    twice, few new files, few files.
    """
    free = in_order(set(used) - set(named) - {"skill"})
    always = min(_subsets(free), key=lambda more: _always_cost(repository, readers, {*named, *more}))
    scoping = [target for target in free if target in SCOPING]
    scoped = min(_subsets(scoping), key=lambda more: _scoped_cost(readers, {*named, *more}))
    return Layout(frozenset({*named, *always}), frozenset({*named, *scoped}))


def _subsets(targets: Collection[Target]) -> Iterator[tuple[Target, ...]]:
    for size in range(len(targets) + 1):
        yield from combinations(targets, size)


def _always_cost(repository: Repository, readers: Iterable[Reader], chosen: set[Target]) -> tuple[int, ...]:
    places = {find(target).place(repository) for target in chosen - {"skill"}}
    present = repository.present | places
    real = {repository.real(place) for place in places}
    read = [reader.files(repository, present) for reader in readers]
    copies = [sum(files[path] for path in real) for files in read]
    return (
        copies.count(0),
        len(hidden_by(repository, places)),
        sum(count - 1 for count in copies if count),
        len(places - repository.present),
        len(places),
    )


def _scoped_cost(readers: Iterable[Reader], chosen: set[Target]) -> tuple[int, ...]:
    copies = [len(reader.scoped & chosen) for reader in readers if reader.scoped]
    return (copies.count(0), sum(count - 1 for count in copies if count), len(chosen))
