"""What somebody means who names a rule, an experiment or a session in a hurry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from vettle.engine.errors import Conflict, NotFound
from vettle.engine.project import Project
from vettle.engine.records import ExperimentState
from vettle.engine.store import Transaction
from vettle.engine.store import experiments as experiments_table
from vettle.engine.store import rules as rules_table
from vettle.engine.suggesting import nearest
from vettle.engine.wording import some

_SESSION_ID = re.compile(r"s-[0-9a-f]{12}")
_SHORTEST_PIECE = 3  # bytes: three letters, or one ideograph
_MOST_NAMED = 5
_MOST_EXPERIMENTS = 10_000


@dataclass(frozen=True)
class Subject:
    """One thing of the project that has an id."""

    kind: Literal["rule", "experiment", "session"]
    id: str
    texts: tuple[str, ...] = ()
    """What it may be called by besides its id, or recognised by."""


def find(project: Project, named: str) -> Subject:
    """Return what is meant by an id, the name of an experiment, the only beginning of an id, or a piece of a text.

    Raises:
        Conflict: Several could be meant; they are named.
        NotFound: None is; the ids most like it are named.
    """
    if _SESSION_ID.fullmatch(named):
        return Subject("session", named)
    with project.read() as transaction:
        every = [*_rules(transaction), *_experiments(transaction)]
    found = _only(every, named, (_exactly, _beginning, _containing))
    if found is not None:
        return found
    near = nearest(named, [one.id for one in every])
    meant = f" Near it: {', '.join(near)}." if near else ""
    raise NotFound(
        f"No rule, experiment or session here is called {named[:80]!r}.{meant} See them: vettle rules, vettle "
        "experiments, vettle sessions"
    )


def whole(project: Project, kind: Literal["rule", "experiment"], named: str) -> str:
    """Return the id that is meant by the only beginning of it, or a piece of the text or name, in any case.

    What is an id or a name already comes back as it is spelled there, and what is a piece of nothing as it was given:
    who takes it has the error for that.

    Raises:
        Conflict: Several could be meant; they are named.
    """
    with project.read() as transaction:
        every = list(_rules(transaction) if kind == "rule" else _experiments(transaction))
    spelled = [name for one in every for name in _names(one) if name.casefold() == named.casefold()]
    if spelled:
        return named if named in spelled or len(spelled) > 1 else spelled[0]
    found = _only(every, named, (_beginning, _containing))
    return found.id if found is not None else named


def _only(
    every: Iterable[Subject], named: str, ways: Sequence[Callable[[Subject, str], bool]]
) -> Subject | None:
    """Return the only one that matches in the first way in which any does (Conflict where several do)."""
    wanted = " ".join(named.split()).casefold()
    for matches in ways:
        found = [one for one in every if matches(one, wanted)]
        if len(found) == 1:
            return found[0]
        if found and wanted:
            raise Conflict(f"{named[:80]!r} could be {_listed(found)}. Name one of them.")
    return None


def _rules(transaction: Transaction) -> Iterable[Subject]:
    for rule in rules_table.every(transaction):
        yield Subject("rule", rule.id, (rule.text,))


def _experiments(transaction: Transaction) -> Iterable[Subject]:
    every = experiments_table.in_states(transaction, get_args(ExperimentState), limit=_MOST_EXPERIMENTS)
    # The newest of a name that was used again is the one that is meant.
    newest = {one.name: one.id for one in every}
    for one in every:
        yield Subject("experiment", one.id, (one.name,) if newest[one.name] == one.id else ())


def _exactly(one: Subject, wanted: str) -> bool:
    return wanted in (name.casefold() for name in _names(one))


def _names(one: Subject) -> tuple[str, ...]:
    return (one.id, *(one.texts if one.kind == "experiment" else ()))


def _beginning(one: Subject, wanted: str) -> bool:
    return bool(wanted) and one.id.casefold().startswith(wanted)


def _containing(one: Subject, wanted: str) -> bool:
    return len(wanted.encode("utf-8", "surrogatepass")) >= _SHORTEST_PIECE and any(
        wanted in " ".join(text.split()).casefold() for text in (one.id, *one.texts)
    )


def _listed(found: list[Subject]) -> str:
    return some([one.id for one in found], _MOST_NAMED)
