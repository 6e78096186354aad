"""The rules a session may draw from, in memory, in the order in which they seem relevant.

Like the posterior it is a fold of the event log, so any past decision sees the pool of its time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from vettle.engine.errors import InvalidArgument, UnknownRule
from vettle.engine.paging import tokens
from vettle.engine.paths import matches
from vettle.engine.records import Rule, RuleStatus
from vettle.engine.similarity import terms
from vettle.engine.store.events import Event
from vettle.engine.suggesting import nearest

_ACTIVE = ("trial", "proven", "pinned")

_CONTEXT_WEIGHT = 2.0
_PATH_WEIGHT = 2.0
_TAG_WEIGHT = 0.5


@dataclass(frozen=True)
class Candidate:
    """A rule as selection sees it."""

    id: str
    text: str
    category: str
    context: str
    globs: tuple[str, ...]
    status: RuleStatus
    terms: frozenset[str]
    order: int

    @property
    def tokens(self) -> int:
        """What a reader pays for the rule, estimated from its length."""
        return tokens(self.text)


@dataclass(frozen=True)
class Work:
    """What a session is about, as far as relevance goes. Paths are relative to the project root."""

    context: str
    task: str = ""
    paths: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


class Pool:
    """Every rule ever added, by id, with an index of the words of those in use."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._rules: dict[str, Candidate] = {}
        self._words: dict[str, set[str]] = defaultdict(set)
        for rule in rules:
            self._put(rule.id, rule.text, rule.category, rule.context, rule.globs, rule.status)

    def fold(self, event: Event) -> None:
        """Fold a `rule_added` or `rule_decided` event; folding one twice changes nothing."""
        data = event.data
        if event.kind == "rule_added":
            globs = tuple(data["globs"])
            self._put(event.subject, data["text"], data["category"], data["context"], globs, data["status"])
        elif event.kind == "rule_decided":
            rule = self._rules[event.subject]
            text = data.get("text", rule.text)
            self._put(rule.id, text, rule.category, rule.context, rule.globs, data["new"])

    def _put(
        self, rule_id: str, text: str, category: str, context: str, globs: tuple[str, ...], status: RuleStatus
    ) -> None:
        known = self._rules.get(rule_id)
        if known is not None and known.text == text:
            self._rules[rule_id] = replace(known, status=status)
            return
        words = frozenset(terms(f"{text} {category}"))
        for word in known.terms - words if known else ():
            self._words[word].discard(rule_id)
        for word in words:
            self._words[word].add(rule_id)
        order = known.order if known else len(self._rules)
        self._rules[rule_id] = Candidate(rule_id, text, category, context, globs, status, words, order)

    def __getitem__(self, rule_id: str) -> Candidate:
        """Return the rule with this id (KeyError if there is none)."""
        return self._rules[rule_id]

    def candidates(self, work: Work) -> list[Candidate]:
        """Return the rules in use that apply to the work, proven ones first, then the most relevant, then the oldest.

        Raises:
            UnknownRule: `work.only` names no rule.
            InvalidArgument: `work.only` names one that sessions do not draw from.
        """
        pool = self._named(work.only) if work.only else self._rules.values()
        applicable = [
            rule
            for rule in pool
            if rule.status in _ACTIVE
            and (not rule.context or rule.context == work.context)
            and (not rule.globs or not work.paths or _is_about(rule, work.paths))
        ]
        scores = self._relevance(work, applicable)
        ahead = [rule for rule in applicable if rule.id in scores or rule.status == "proven"]
        ahead.sort(key=lambda rule: (rule.status != "proven", -scores.get(rule.id, 0.0), rule.order))
        # In a big pool nearly all rules say nothing of this work: they are in order of age already.
        return ahead + [rule for rule in applicable if not (rule.id in scores or rule.status == "proven")]

    def _named(self, rule_ids: Sequence[str]) -> list[Candidate]:
        for rule_id in rule_ids:
            if rule_id not in self._rules:
                raise UnknownRule("candidates", rule_id, nearest(rule_id, self._rules))
            status = self._rules[rule_id].status
            if status not in _ACTIVE:
                raise InvalidArgument(
                    "candidates",
                    f"rule {rule_id} is {status}",
                    "Name rules that are on trial, proven or pinned",
                )
        return sorted((self._rules[rule_id] for rule_id in set(rule_ids)), key=lambda rule: rule.order)

    def _relevance(self, work: Work, applicable: Collection[Candidate]) -> dict[str, float]:
        scores: dict[str, float] = defaultdict(float)
        for word in terms(" ".join((work.task, work.context, *work.tags, *work.paths))):
            found = self._words.get(word, ())
            for rule_id in found:
                scores[rule_id] += 1.0 / len(found) ** 0.5
        for rule in applicable:
            if rule.context:
                scores[rule.id] += _CONTEXT_WEIGHT
            if rule.globs and work.paths:
                scores[rule.id] += _PATH_WEIGHT
            if work.tags and rule.category in work.tags:
                scores[rule.id] += _TAG_WEIGHT
        return scores


def _is_about(rule: Candidate, paths: Sequence[str]) -> bool:
    """Return whether a rule with globs is about any of the paths."""
    return any(matches(glob, path) for glob in rule.globs for path in paths)
