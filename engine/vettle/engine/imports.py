"""Rules that people already wrote into files: imported as candidates, or adopted as a person's decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vettle.engine import quarantine, rules
from vettle.engine.errors import NeedsPerson
from vettle.engine.identifiers import new_uid
from vettle.engine.project import PERSON, Project
from vettle.engine.records import Rule, RuleSource
from vettle.engine.similarity import rule_form, rule_hash
from vettle.engine.store import Transaction
from vettle.engine.store import rules as table

Outcome = Literal["trial", "quarantined", "merged", "known", "refused"]


@dataclass(frozen=True, slots=True)
class Found:
    """One instruction of a file. `origin` says where it stands, such as "CLAUDE.md:12".

    `prior` is the believed effect on the score, in [-0.3, 0.3]; it steers and proves nothing. `rationale` is
    why somebody wrote it.
    """

    text: str
    globs: tuple[str, ...]
    origin: str
    category: str = "general"
    context: str = ""
    prior: float = 0.0
    rationale: str = ""
    source: RuleSource = "import"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an instruction: the rule that has it now, or "" if it was refused."""

    outcome: Outcome
    rule_id: str
    reason: str = ""


@dataclass(slots=True)
class _Wish:
    """One rule to be, with every place that it was found in."""

    first: Found
    globs: tuple[str, ...]
    origins: list[str]

    def merge(self, other: Found) -> None:
        """Widen the scope to both: a rule that one file applies to every path is about every path."""
        self.globs = tuple(sorted({*self.globs, *other.globs})) if self.globs and other.globs else ()
        self.origins.append(other.origin)


def import_rules(project: Project, found: Sequence[Found], *, apply: bool = True) -> list[Taken]:
    """Add the instructions as candidate rules, all in one transaction; one answer for each, in order.

    What says the same becomes one rule whose scope covers all places it was found in, and what a rule of the
    project says already is left as it is. Secrets are refused. Without `apply` nothing is recorded, and new
    rules have no id yet.
    """
    if not apply:
        with project.read() as transaction:
            return take(transaction, found, apply=False)
    with project.write() as transaction:
        return take(transaction, found, apply=True)


def take(transaction: Transaction, found: Sequence[Found], *, apply: bool) -> list[Taken]:
    """Do what `import_rules` does, in a transaction that does more."""
    known = {rule_form(rule.text): rule.id for rule in table.every(transaction)}
    wishes: dict[str, _Wish] = {}
    for one in found:
        if quarantine.carries_secret(one.text):
            continue
        form = rule_form(one.text)
        if form in wishes:
            wishes[form].merge(one)
        else:
            wishes[form] = _Wish(one, one.globs, [one.origin])
    added = {
        form: _add(transaction, wish) if apply else "" for form, wish in wishes.items() if form not in known
    }
    return [_taken(one, known, added, wishes) for one in found]


def _add(transaction: Transaction, wish: _Wish) -> str:
    first = wish.first
    rule = rules.append_added(
        transaction,
        new_uid(transaction.now),
        text=first.text,
        category=first.category,
        context=first.context,
        globs=wish.globs,
        source=first.source,
        rationale=_provenance(wish),
        prior=first.prior,
    )
    return rule.id


def _provenance(wish: _Wish) -> str:
    where = f"imported from {', '.join(wish.origins[:10])}"
    return f"{wish.first.rationale} ({where})" if wish.first.rationale else where


def _taken(one: Found, known: dict[str, str], added: dict[str, str], wishes: dict[str, _Wish]) -> Taken:
    if quarantine.carries_secret(one.text):
        return Taken("refused", "", "it holds what looks like a secret")
    form = rule_form(one.text)
    if form in known:
        return Taken("known", known[form])
    first = wishes[form].origins[0]
    if first != one.origin:
        return Taken("merged", added[form], f"the same as {first}")
    reasons = quarantine.reasons(one.text)
    return Taken("quarantined" if reasons else "trial", added[form], "; ".join(reasons))


def adopt(project: Project, added: Sequence[Found], removed: Sequence[tuple[str, str]]) -> list[str]:
    """Take hand edits of rendered files over, in one transaction; return the ids of the rules of `added`.

    Added lines become pinned rules, unless a rule that is rendered says so already. `removed` names the rules
    whose lines were deleted, with the reason that is logged: they are retired. Only a person may do this.

    Raises:
        NeedsPerson: The project is used by an agent.
        InvalidArgument: A line holds what looks like a secret.
        UnknownRule: A removed rule is not known.
    """
    if project.actor != PERSON:
        raise NeedsPerson("edited by hand", "adopt", "its text would be pinned without proof")
    for one in added:
        rules.refuse_secrets(one.text)
    with project.write() as transaction:
        ids = [_pin(project, transaction, one) for one in added]
        for rule_id, reason in removed:
            rule = rules.require(transaction, "rule_id", rule_id)
            if rule.status in ("proven", "pinned") and rule_id not in ids:
                _decide(project, transaction, rule, "retired", "retire", reason)
        return ids


def _pin(project: Project, transaction: Transaction, one: Found) -> str:
    rule = table.with_hash(transaction, rule_hash(one.text, "", one.globs))
    if rule is None:
        rule = rules.append_added(
            transaction,
            new_uid(transaction.now),
            text=one.text,
            globs=one.globs,
            source="human",
            rationale=f"adopted from {one.origin}",
        )
    if rule.status not in ("proven", "pinned"):
        _decide(project, transaction, rule, "pinned", "pin", f"written by hand in {one.origin}")
    return rule.id


def _decide(
    project: Project,
    transaction: Transaction,
    rule: Rule,
    new: Literal["pinned", "retired"],
    action: str,
    reason: str,
) -> None:
    learning = project.learning(transaction)
    rules.append_decision(transaction, learning, rule, new, action, reason, PERSON)
