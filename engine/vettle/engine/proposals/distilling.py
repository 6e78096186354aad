"""Candidate rules from mistakes that keep coming back: no model, the same answer for the same log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from vettle.engine import instructions, quarantine
from vettle.engine.arguments import RULE_CHARACTERS
from vettle.engine.mistakes import SUGGEST_AFTER
from vettle.engine.proposals.likeness import same_instruction, same_mistake
from vettle.engine.records.proposals import RuleProposal
from vettle.engine.similarity import text_hash
from vettle.engine.store import Transaction
from vettle.engine.store import mistakes as table
from vettle.engine.store import rules as rules_table
from vettle.engine.store.mistakes import Mistake

MOST_MISTAKES = 100
"""The recurring mistakes that are looked at, the most frequent first."""

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Cluster:
    """Mistakes that one rule would prevent, the most frequent first."""

    members: tuple[Mistake, ...]

    @property
    def occurrences(self) -> int:
        """How often any of them was made."""
        return sum(member.n for member in self.members)

    @property
    def is_habit(self) -> bool:
        """Whether more than one session made any of them: one that repeats itself proves no habit.

        How many did is not known: of two sessions that take turns, a mistake counts each turn.
        """
        last = {member.last_session for member in self.members} - {""}
        return len(last) > 1 or any(member.sessions > 1 for member in self.members)

    @property
    def correction(self) -> str:
        """What corrected the most frequent of them that has a correction, or ""."""
        return next((member.correction for member in self.members if member.correction), "")

    def takes(self, mistake: Mistake) -> bool:
        """Tell whether one rule would prevent this mistake too: the same correction, or else the same words."""
        if mistake.correction and self.correction:
            return same_instruction(self.correction, mistake.correction)
        return same_mistake(self.members[0].text, mistake.text)


class Distilled(NamedTuple):
    """The candidate rules, and how many were left out because a person would have to read or shorten them first."""

    rules: list[RuleProposal]
    left_out: int


def distil(transaction: Transaction, *, limit: int) -> Distilled:
    """Return a candidate rule for each cluster of repeated mistakes that no rule is against, at most `limit`.

    A cluster counts from SUGGEST_AFTER occurrences in more than one session on. The text is what corrected
    the mistakes; too long a text is left out, never cut.
    """
    existing = rules_table.every(transaction)
    named: dict[str, frozenset[int]] = {}
    found: list[RuleProposal] = []
    left_out = 0
    for cluster in clusters(table.recurring(transaction, limit=MOST_MISTAKES)):
        if cluster.occurrences < SUGGEST_AFTER or not cluster.is_habit:
            continue
        text = rule_text(cluster)
        known = any(same_instruction(text, rule.text) for rule in existing)
        if not text or known or _has_rule(transaction, cluster, named):
            continue
        if len(text) > RULE_CHARACTERS or quarantine.reasons(text):
            left_out += 1
        else:
            found.append(_proposal(cluster, text))
        if len(found) == limit:
            break
    return Distilled(found, left_out)


def clusters(mistakes: list[Mistake]) -> list[Cluster]:
    """Group mistakes, of whatever class, that one rule would prevent; the most frequent cluster first.

    Each joins the first cluster whose most frequent member it is like, so that no chain of small differences
    leads from one thing to another.
    """
    found: list[Cluster] = []
    for mistake in sorted(mistakes, key=lambda one: (-one.n, one.id)):
        place = next((index for index, cluster in enumerate(found) if cluster.takes(mistake)), None)
        if place is None:
            found.append(Cluster((mistake,)))
        else:
            found[place] = Cluster((*found[place].members, mistake))
    return sorted(found, key=lambda cluster: (-cluster.occurrences, cluster.members[0].id))


def rule_text(cluster: Cluster) -> str:
    """Return one line that tells an agent what to do (see `instructions`), "" where nobody knows."""
    made = cluster.members[0]
    line = instructions.against(made.error_class, made.text, cluster.correction)
    if not line:
        return ""
    first = line.split(" ", 1)[0]
    # "import re" may begin in lower case because it is code; a plain word begins a sentence.
    sentence = line[0].upper() + line[1:] if first.isalpha() and first.islower() else line
    return sentence if sentence.endswith((".", "!", "?", "`", ")")) else f"{sentence}."


def _has_rule(transaction: Transaction, cluster: Cluster, named: dict[str, frozenset[int]]) -> bool:
    """Tell whether any of the mistakes was logged with a rule that should have prevented it.

    `named` keeps the hashes of those that were, by error class, so that each class is read once.
    """
    for member in cluster.members:
        error_class = member.error_class
        if error_class not in named:
            named[error_class] = table.prevented(transaction, error_class)
        if text_hash(member.norm) in named[error_class]:
            return True
    return False


def _proposal(cluster: Cluster, text: str) -> RuleProposal:
    classes = sorted({member.error_class for member in cluster.members})
    named = ", ".join(f"m{member.id}" for member in cluster.members[:_NAMED])
    forms, more = len(cluster.members), len(cluster.members) - _NAMED
    return RuleProposal(
        kind="rule",
        text=text,
        category=classes[0] if len(classes) == 1 else "general",
        rationale=(
            f"Distilled from repeated mistakes ({', '.join(classes[:_NAMED])}): made {cluster.occurrences} times"
            f"{f' in {forms} forms' if forms > 1 else ''}, in more than one session "
            f"({named}{f' and {more} more' if more > 0 else ''})."
        ),
        evidence=tuple(f"m{member.id}" for member in cluster.members[:50]),
    )
