"""Where every rule stands: lists, verdicts in words, discoveries, and the explanation of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vettle.engine import confidence, effects, paging, quarantine
from vettle.engine.clock import moment
from vettle.engine.project import Project
from vettle.engine.records import (
    Estimate,
    Explanation,
    LeftOut,
    Rule,
    RuleDetails,
    RulesPage,
    RuleStatus,
    RuleSummary,
)
from vettle.engine.rules import has_persons_approval, require
from vettle.engine.store import events
from vettle.engine.store import rules as table
from vettle.engine.store.events import Event
from vettle.engine.wording import counted, equation, estimated

if TYPE_CHECKING:
    from vettle.engine.learning import Learning

RENDERED: tuple[RuleStatus, ...] = ("pinned", "proven")
"""The statuses that reach the assistants' files."""

TESTED: tuple[RuleStatus, ...] = ("trial", "proven", "pinned", "retired")
"""The statuses that count as the pool when discoveries are made."""

_ORDER: tuple[RuleStatus, ...] = ("proven", "pinned", "trial", "quarantined", "retired")
_FALSE_DISCOVERY_RATE = 0.05
_MOST_DISCOVERIES = 50


def page(
    project: Project,
    *,
    status: RuleStatus | Literal[""] = "",
    context: str = "",
    query: str = "",
    limit: int = 20,
    cursor: str = "",
    detailed: bool = False,
) -> RulesPage:
    """List rules, strongest evidence first, with what is known about each.

    With a `context`, the rules that apply there (their own context is the same or "") and their effect in it.
    `query` is looked for in id, text and category, ignoring case.

    Raises:
        InvalidArgument: The cursor is not one that a page gave.
    """
    first = paging.number(cursor)
    with project.read() as transaction:
        learning = project.learning(transaction)
        every = table.every(transaction)
        again = confidence.found_again(transaction)
    found = [
        rule
        for rule in every
        if status in ("", rule.status)
        and (not context or rule.context in ("", context))
        and _mentions(rule, query)
    ]
    ranked = by_evidence(learning, found)
    rows = paging.fit(
        [
            _row(learning, rule, context, detailed, again.get(rule.id, 0))
            for rule in ranked[first : first + limit]
        ]
    )
    rest = len(ranked) - first - len(rows)
    note = f"{rest} more: pass cursor, or narrow with status, context or query." if rest > 0 else ""
    if every and not found:
        note = f"None of {counted(len(every), 'rule')} has this status, context and text: ask for less."
    return RulesPage(
        rules=rows,
        total=len(ranked),
        discoveries=discoveries(learning, every)[:_MOST_DISCOVERIES],
        next_cursor=str(first + len(rows)) if rest > 0 else "",
        note=note,
    )


def _mentions(rule: Rule, query: str) -> bool:
    wanted = query.casefold()
    return not wanted or any(wanted in field.casefold() for field in (rule.text, rule.id, rule.category))


def by_evidence(learning: Learning, found: Sequence[Rule]) -> list[Rule]:
    """Order rules by status, then by evidence, then by belief; equal ones keep their order of age."""

    def key(rule: Rule) -> tuple[float, float, float]:
        if not learning.learner.knows(rule.id):
            return (_ORDER.index(rule.status), 0.0, -rule.prior)
        works = learning.learner.evidence(rule.id).e_works
        return (_ORDER.index(rule.status), -works, -learning.learner.estimate(rule.id).effect)

    return sorted(found, key=key)


def details(learning: Learning, rule: Rule, found_again: int = 0) -> RuleDetails:
    """Return every number of one rule, over all contexts."""
    row = _row(learning, rule, "", True, found_again)
    assert isinstance(row, RuleDetails)
    return row


def _row(
    learning: Learning, rule: Rule, context: str, detailed: bool, found_again: int
) -> RuleDetails | RuleSummary:
    estimate = learning.learner.estimate(rule.id, context)
    summary = {
        "id": rule.id,
        "text": rule.text,
        "status": rule.status,
        "verdict": verdict(estimate, rule),
        "confidence": confidence.of(rule.status, estimate, found_again),
        "effect": round(estimate.effect, 4),
        "low": round(estimate.low, 4),
        "high": round(estimate.high, 4),
        "chance_helps": round(estimate.chance_helps, 4),
        "shown": estimate.shown,
        "withheld": estimate.withheld,
        "found_again": found_again,
    }
    if not detailed:
        return RuleSummary.model_validate(summary)
    of_rule = rule.model_dump(
        include={"category", "context", "globs", "source", "reason", "rationale", "created"}
    )
    of_evidence = estimate.model_dump(
        include={"e_works", "e_hurts", "causal_effect", "causal_low", "causal_high", "missing_suspected"}
    )
    return RuleDetails.model_validate(summary | of_rule | of_evidence)


def verdict(estimate: Estimate, rule: Rule) -> str:
    """Say in words where a rule stands and why."""
    if rule.status == "quarantined":
        return f"needs a person: {rule.reason}"
    if rule.status == "retired" and rule.reason:
        return f"retired: {rule.reason}"
    if rule.status == "proven" and estimate.e_works < effects.CLAIM:
        # The claim stands: it is about the e-value ever reaching 20, not about where it is now.
        return f"{rule.reason} ({equation(estimate.e_works)} by now)"
    return effects.verdict(estimate, rule.status)


def proof(rule: Rule, decided: Sequence[Event]) -> Event | None:
    """Return the decision that made a proven rule so, out of those about it, oldest first; None for any other rule."""
    if rule.status != "proven":
        return None
    return next((event for event in reversed(decided) if event.data["new"] == "proven"), None)


def discoveries(learning: Learning, every: Sequence[Rule]) -> list[str]:
    """Return the rules that work by e-BH over the whole pool, strongest first (false discovery rate 5 %)."""
    pool = [rule.id for rule in every if rule.status in TESTED]
    values = [learning.learner.evidence(rule).e_works for rule in pool]
    return [pool[index] for index in effects.e_bh(values, _FALSE_DISCOVERY_RATE)]


@dataclass(frozen=True)
class ToRender:
    """What rendering needs to know of the rules.

    `rules` are those that the assistants should read, strongest evidence first and pinned ones before all.
    `withheld` hold something that a person has to approve, and nobody has. `known` are the texts of all rules by id.
    """

    rules: list[Rule]
    withheld: list[LeftOut]
    known: dict[str, str]


def to_render(project: Project) -> ToRender:
    """Return the rules for the assistants' files."""
    with project.read() as transaction:
        found = table.with_status(transaction, RENDERED)
        known = table.texts(transaction)
        withheld = [
            LeftOut(rule_id=rule.id, reason=f"it holds {'; '.join(reasons)}, and no person has approved it")
            for rule in found
            if (reasons := quarantine.reasons(rule.text)) and not has_persons_approval(transaction, rule)
        ]
        held = {one.rule_id for one in withheld}
        ranked = by_evidence(project.learning(transaction), [rule for rule in found if rule.id not in held])
    ranked.sort(key=lambda rule: rule.status != "pinned")
    return ToRender(ranked, withheld, known)


def explain(project: Project, rule_id: str) -> Explanation:
    """Tell why a rule stands where it stands: its numbers, its history, and what would change it."""
    with project.read() as transaction:
        rule = require(transaction, "rule_id", rule_id)
        estimate = project.learning(transaction).learner.estimate(rule_id)
        again = confidence.found_again(transaction).get(rule_id, 0)
        history = [
            _history_line(event)
            for event in events.of_subject(
                transaction, rule_id, ("rule_added", "rule_decided", "rule_reinforced")
            )
        ]
    return Explanation(
        rule=rule,
        verdict=verdict(estimate, rule),
        confidence=confidence.of(rule.status, estimate, again),
        found_again=again,
        estimate=estimate,
        history=history,
        next_step=_next_step(rule, estimate),
    )


def _history_line(event: Event) -> str:
    when = moment(event.ts).strftime("%Y-%m-%d %H:%M")
    if event.kind == "rule_added":
        return f"{when} added by {event.choice} as {event.data['status']}"
    data = event.data
    if event.kind == "rule_reinforced":
        return f"{when} found again in {event.choice}"
    return f"{when} {data['old']} -> {data['new']}: {event.choice} by {data['by']}, {data['reason']}"


def _next_step(rule: Rule, estimate: Estimate) -> str:
    if rule.status == "quarantined":
        return f"A person decides: vettle rule decide {rule.id} approve REASON, or reject."
    if rule.status == "retired":
        return f"To try it again with fresh evidence: vettle rule decide {rule.id} restore REASON."
    if rule.status in RENDERED:
        return "Render it: vettle render --write."
    if estimate.sessions_needed:
        return f"Keep working: {estimated(estimate.sessions_needed)} more sessions with it can tell."
    return "Keep working: sessions will try it when it looks promising."
