"""Variables: what experiments change, each under one name, however it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from vettle.engine.errors import InvalidArgument
from vettle.engine.identifiers import new_uid
from vettle.engine.project import Project
from vettle.engine.records import VariableRegistered
from vettle.engine.store import Transaction
from vettle.engine.store import experiments as table
from vettle.engine.store.events import Event

_SEPARATORS = re.compile(r"[\W_]+")


def tokens(name: str) -> frozenset[str]:
    """Return the words of a name: two names with the same words are the same variable."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return frozenset(_SEPARATORS.split(plain)) - {""} or frozenset({name})


def canonical(transaction: Transaction, domain: str, name: str) -> str:
    """Return the name that the variable is kept under: itself, or the one that it is an alias or a spelling of.

    Variables that were never registered are known from the experiments on them.
    """
    if not name:
        return ""
    known = table.variables(transaction, domain)
    exact = next((one.canonical for one in known if one.name == name), "")
    if exact:
        return exact
    used = [(one, one) for one in table.used_variables(transaction, domain)]
    every = [(one.name, one.canonical) for one in known] + used
    return next((kept for other, kept in every if tokens(other) == tokens(name)), name)


def register(
    project: Project,
    *,
    name: str,
    domain: str = "",
    aliases: Sequence[str] = (),
    description: str = "",
    execution: str = "",
) -> VariableRegistered:
    """Register a variable with its aliases; names that belong to another variable are merged into this one.

    `execution` says how a variant is put into effect. Names with the same words are duplicates.

    Raises:
        InvalidArgument: An open experiment holds one of the merged names.
    """
    with project.write() as transaction:
        known = table.variables(transaction, domain)
        mine = {tokens(one) for one in (name, *aliases)}
        used = {one for one in table.used_variables(transaction, domain) if tokens(one) in mine}
        merged = sorted({*(one.canonical for one in known if tokens(one.name) in mine), *used} - {name})
        for other in merged:
            holder = table.holder_of(transaction, domain, other)
            if holder:
                raise InvalidArgument(
                    "name", f"experiment {holder} is open on {other!r}", "Merge when it has ended"
                )
        inherited = {one.name for one in known if one.canonical in merged}
        every = sorted({*aliases, *merged, *inherited} - {name})
        transaction.append(
            Event(
                kind="variable_registered",
                uid=new_uid(transaction.now),
                subject=name,
                data={
                    "domain": domain,
                    "aliases": every,
                    "description": description,
                    "execution": execution,
                },
            )
        )
    return VariableRegistered(name=name, domain=domain, aliases=every, merged=merged)
