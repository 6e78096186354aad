"""Taking candidates: new ones go on trial, known ones are reinforced, each by the same evidence only once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from vettle.engine import confidence, imports, quarantine, rules
from vettle.engine.arguments import RULE_CHARACTERS, RequiredRuleText
from vettle.engine.imports import Found, Taken
from vettle.engine.records.candidates import LearnedRule
from vettle.engine.records.rendering import NotTaken
from vettle.engine.similarity import rule_form
from vettle.engine.store import Transaction, events
from vettle.engine.store import rules as table

EXCERPT = 80
_TEXT: TypeAdapter[str] = TypeAdapter(RequiredRuleText)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule to be, from one line of a source.

    `again` is the uid of the event that says that a known rule was found again here, empty if that never
    counts. `source` is the file whose first finding of a rule is the rule's own origin, so that reading the
    file again does not count as finding the rule again; "" where `again` is known to be new.
    """

    found: Found
    line: int
    again: bytes = b""
    source: str = ""


@dataclass(slots=True)
class Taking:
    """What became of the candidates; a rule that several of them led to is listed once."""

    rules: list[LearnedRule]
    not_taken: list[tuple[Candidate, NotTaken]]

    @property
    def counts(self) -> dict[str, int]:
        """The number of rules by outcome."""
        return dict(sorted(Counter(rule.outcome for rule in self.rules).items()))


def left_out(line: int, text: str, reason: str) -> NotTaken:
    """Report a text without secrets, and only by name if it would instruct the agent that reads the report."""
    return NotTaken(line=line, text=quarantine.shown(quarantine.redact(text), EXCERPT), reason=reason)


def objection(text: str) -> str:
    """Return why no rule can have this text, or ""."""
    try:
        _TEXT.validate_python(text)
    except ValidationError as error:
        return error.errors()[0]["msg"].removeprefix("Value error, ")
    return ""


def take(transaction: Transaction, candidates: Sequence[Candidate], *, apply: bool) -> Taking:
    """Add what is new, and reinforce what was known; without `apply` only tell what would happen."""
    fitting = [(one, objection(one.found.text)) for one in candidates]
    refused = [(one, left_out(one.line, one.found.text, why)) for one, why in fitting if why]
    wanted = [one for one, why in fitting if not why]
    answers = imports.take(transaction, [one.found for one in wanted], apply=apply)
    taker = _Taker(transaction, apply, confidence.found_again(transaction))
    for one, answer in zip(wanted, answers, strict=True):
        if answer.outcome == "refused":
            refused.append((one, left_out(one.line, one.found.text, answer.reason)))
        else:
            taker.take(one, answer)
    return Taking(list(taker.learned.values()), refused)


class _Taker:
    """Folds the answers into one entry for each rule."""

    def __init__(self, transaction: Transaction, apply: bool, times: dict[str, int]) -> None:
        self._transaction = transaction
        self._apply = apply
        self._times = times
        self._seen: set[bytes] = set()
        self.learned: dict[str, LearnedRule] = {}

    def take(self, one: Candidate, answer: Taken) -> None:
        form = rule_form(one.found.text)
        entry = self.learned.get(form)
        if entry is None:
            entry = self.learned[form] = self._first(one, answer)
            if answer.outcome != "known":
                return
        if not self._is_news(one, entry):
            return
        self._seen.add(one.again)
        if self._apply:
            rules.reinforce(self._transaction, one.again, entry.rule_id, one.found.origin)
        outcome = "reinforced" if entry.outcome == "known" else entry.outcome
        self.learned[form] = entry.model_copy(update={"times": entry.times + 1, "outcome": outcome})

    def _first(self, one: Candidate, answer: Taken) -> LearnedRule:
        rule = table.get(self._transaction, answer.rule_id) if answer.outcome == "known" else None
        reason = answer.reason
        if rule is not None and rule.status == "retired":
            reason = (
                f"it was retired ({rule.reason}); to try it again: vettle rule decide {rule.id} restore 'why'"
            )
        return LearnedRule(
            outcome="known" if rule else "quarantined" if answer.outcome == "quarantined" else "new",
            rule_id=answer.rule_id,
            text=quarantine.shown(rule.text if rule else one.found.text, RULE_CHARACTERS),
            category=rule.category if rule else one.found.category,
            times=1 + self._times.get(answer.rule_id, 0),
            origin=one.found.origin,
            reason=reason,
        )

    def _is_news(self, one: Candidate, entry: LearnedRule) -> bool:
        """Tell whether this place says of the rule what no earlier reading of it has said."""
        if not one.again or one.again in self._seen or events.with_uid(self._transaction, one.again):
            return False
        if not one.source:
            return True
        if entry.outcome != "known" and entry.outcome != "reinforced":
            return entry.origin.rpartition(":")[0] != one.source
        rule = table.get(self._transaction, entry.rule_id)
        return rule is None or f" {one.source}:" not in rule.rationale
