"""Rules: adding them, and deciding about them, by a person or by the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from vettle.engine import quarantine
from vettle.engine.errors import InvalidArgument, NeedsPerson, StatusRefused, UnknownRule
from vettle.engine.identifiers import new_uid, slug
from vettle.engine.project import PERSON, Project
from vettle.engine.records import (
    Rule,
    RuleAction,
    RuleAdded,
    RuleDecided,
    RuleSource,
    RuleStatus,
    StatusChange,
)
from vettle.engine.similarity import rule_hash
from vettle.engine.store import Transaction, events
from vettle.engine.store import rules as table
from vettle.engine.store.events import Event
from vettle.engine.suggesting import nearest

if TYPE_CHECKING:
    from vettle.engine.learning import Learning

_ALLOWED: dict[RuleStatus, tuple[RuleAction, ...]] = {
    "quarantined": ("approve", "reject", "reword"),
    "trial": ("pin", "retire", "reword"),
    "proven": ("pin", "retire", "reword"),
    "pinned": ("unpin", "retire", "reword"),
    "retired": ("restore", "pin", "reword"),
}

_NEW_STATUS: dict[RuleAction, RuleStatus] = {
    "approve": "trial",
    "reject": "retired",
    "pin": "pinned",
    "retire": "retired",
    "restore": "trial",
    "unpin": "trial",
}


def add(
    project: Project,
    *,
    text: str,
    category: str = "general",
    context: str = "",
    globs: Sequence[str] = (),
    source: RuleSource = "agent",
    rationale: str = "",
    prior: float = 0.0,
    client_ref: str = "",
) -> RuleAdded:
    """Add a candidate rule; one that says the same about the same work is recognised, not added twice.

    `prior` is the believed effect on the score; it steers exploration and can prove nothing.

    Raises:
        InvalidArgument: The text holds something that looks like a secret, which is never stored.
    """
    scope = tuple(dict.fromkeys(globs))
    refuse_secrets(text)

    def work(transaction: Transaction, uid: bytes) -> RuleAdded:
        same = table.with_hash(transaction, rule_hash(text, context, scope))
        if same is not None:
            return _duplicate(same)
        rule = append_added(
            transaction,
            uid,
            text=text,
            category=category,
            context=context,
            globs=scope,
            source=source,
            rationale=rationale,
            prior=prior,
        )
        reasons = quarantine.reasons(text)
        next_step = (
            f"A person has to look at it first: rule_decide {rule.id} approve 'why' (or reject)."
            if reasons
            else "Nothing to do: sessions will try it, and the evidence decides."
        )
        status: Literal["trial", "quarantined"] = "quarantined" if reasons else "trial"
        return RuleAdded(rule_id=rule.id, status=status, reasons=reasons, next_step=next_step)

    arguments = {
        "text": text,
        "category": category,
        "context": context,
        "globs": list(scope),
        "source": source,
        "rationale": rationale,
        "prior": prior,
    }
    return project.once(RuleAdded, "rule_add", client_ref, arguments, work)


def refuse_secrets(text: str) -> None:
    """Raise InvalidArgument for a text that holds what looks like a secret."""
    if quarantine.carries_secret(text):
        raise InvalidArgument(
            "text", "it holds what looks like a secret", "Take the secret out; rules are shared"
        )


def append_added(
    transaction: Transaction,
    uid: bytes,
    *,
    text: str,
    category: str = "general",
    context: str = "",
    globs: tuple[str, ...] = (),
    source: RuleSource,
    rationale: str = "",
    prior: float = 0.0,
) -> Rule:
    """Log a new rule, on trial or quarantined, and return it; the caller has looked for duplicates."""
    hash_ = rule_hash(text, context, globs)
    reasons = quarantine.reasons(text)
    rule_id = f"{slug(text)}-{hash_ & 0xFFFFFF:06x}"
    if table.get(transaction, rule_id) is not None:
        rule_id = f"{slug(text)}-{hash_:016x}"
    transaction.append(
        Event(
            kind="rule_added",
            uid=uid,
            subject=rule_id,
            choice=source,
            data={
                "text": text,
                "category": category or "general",
                "context": context,
                "globs": list(globs),
                "rationale": quarantine.redact(rationale),
                "prior": prior,
                "hash": hash_,
                "status": "quarantined" if reasons else "trial",
                "reason": "; ".join(reasons),
            },
        )
    )
    added = table.get(transaction, rule_id)
    assert added is not None
    return added


def reinforce(transaction: Transaction, uid: bytes, rule_id: str, origin: str, times: int = 1) -> None:
    """Log that a rule was found again, as often as `times`, in `origin` (such as "review.json:3").

    It makes the rule more credible to a reader and is no evidence that it helps.
    """
    transaction.append(
        Event(
            kind="rule_reinforced",
            uid=uid,
            subject=rule_id,
            choice=origin,
            metrics={"n": float(times)},
        )
    )


def _duplicate(same: Rule) -> RuleAdded:
    if same.status == "retired":
        next_step = f"It was retired ({same.reason}). To try it again: rule_decide {same.id} restore."
    else:
        next_step = "Nothing to do: the rule is there already."
    return RuleAdded(
        rule_id=same.id,
        status="duplicate",
        duplicate_of=same.id,
        reasons=[f"the existing rule is {same.status}"],
        next_step=next_step,
    )


def require(transaction: Transaction, field: str, rule_id: str) -> Rule:
    """Return the rule that an argument names, or raise UnknownRule naming the argument and ids near it."""
    rule = table.get(transaction, rule_id)
    if rule is None:
        raise unknown(transaction, field, rule_id)
    return rule


def unknown(transaction: Transaction, field: str, rule_id: str) -> UnknownRule:
    """Return the error that says that there is no such rule, with the ids most like it."""
    begin = table.ids_like(transaction, rule_id[:8], limit=50)
    if near := nearest(rule_id, begin, cutoff=0.3):
        return UnknownRule(field, rule_id, near)
    return UnknownRule(field, rule_id, nearest(rule_id, sorted(table.ids(transaction))))


def why_a_person(rule: Rule, action: RuleAction) -> str:
    """Say why only a person may take this action, or return "" if an agent may.

    What is learned from logs and agents must not reach an always-on file without proof, and text that was
    quarantined must reach nobody, unless a person wants it.
    """
    if action == "approve":
        return f"it is quarantined for {rule.reason}"
    if action == "pin":
        return "a pinned rule is written to the assistants' files without proof"
    if action == "reword" and rule.status == "pinned":
        return "it stays pinned with its new text, without proof"
    flaws = quarantine.reasons(rule.text) if action == "restore" else []
    return f"its text holds {'; '.join(flaws)}" if flaws else ""


def question(project: Project, *, rule_id: str, action: RuleAction, text: str = "") -> str:
    """Return what to ask a person before this decision, or "" if an agent may make it.

    Raises:
        UnknownRule: No rule has this id.
    """
    with project.read() as transaction:
        rule = require(transaction, "rule_id", rule_id)
    why = why_a_person(rule, action)
    if not why:
        return ""
    new = f" Its new text: {quarantine.visible(text)!r}." if text else ""
    return (
        f"An agent wants to {action} a rule, and only a person may, because {why}. "
        f"The rule: {quarantine.visible(rule.text)!r}.{new} Do you agree?"
    )


def decide(
    project: Project,
    *,
    rule_id: str,
    action: RuleAction,
    reason: str,
    text: str = "",
    confirmed: bool = False,
) -> RuleDecided:
    """Change a rule's status, or its text, for a logged reason.

    Restoring and rewording begin the evidence anew: the first by intent, the second because another text
    is another treatment. A reworded rule goes back on trial (a pinned one stays pinned). `confirmed` says
    that a person agreed to exactly this; it is logged as theirs.

    Raises:
        UnknownRule: No rule has this id.
        StatusRefused: The rule's status does not allow the action.
        NeedsPerson: The action is for a person, and this is neither theirs nor confirmed.
        InvalidArgument: `reword` without a text, another action with one, or a text that another rule has.
    """
    if (action == "reword") != bool(text):
        raise InvalidArgument(
            "text",
            "it goes with action reword and no other",
            "Pass text with reword, and leave it out otherwise",
        )
    refuse_secrets(text)
    by = PERSON if confirmed else project.actor
    with project.write() as transaction:
        rule = require(transaction, "rule_id", rule_id)
        if action not in _ALLOWED[rule.status]:
            raise StatusRefused(f"rule {rule_id}", rule.status, action, _ALLOWED[rule.status])
        why = why_a_person(rule, action)
        if why and by != PERSON:
            raise NeedsPerson(rule_id, action, why)
        learning = project.learning(transaction)
        if action == "reword":
            return _reword(transaction, learning, rule, text, reason, by)
        new = _NEW_STATUS[action]
        if action == "unpin":
            new = learning.learner.standing(rule_id, "trial")[0]
        append_decision(transaction, learning, rule, new, action, reason, by)
        return RuleDecided(rule_id=rule_id, old=rule.status, new=new, reason=reason, text=rule.text)


def has_persons_approval(transaction: Transaction, rule: Rule) -> bool:
    """Tell whether a person approved, pinned or restored the rule since it got its present text."""
    approved = False
    for event in events.of_subject(transaction, rule.id, ("rule_decided",)):
        if event.choice == "reword":
            approved = False
        elif event.choice in ("approve", "pin", "restore") and event.data["by"] == PERSON:
            approved = True
    return approved


def _reword(
    transaction: Transaction, learning: Learning, rule: Rule, text: str, reason: str, by: str
) -> RuleDecided:
    hash_ = rule_hash(text, rule.context, rule.globs)
    same = table.with_hash(transaction, hash_)
    if same is not None and same.id != rule.id:
        raise InvalidArgument(
            "text", f"rule {same.id} says that already", "Use that rule, or word this one apart"
        )
    reasons = quarantine.reasons(text)
    new: RuleStatus = "quarantined" if reasons else "pinned" if rule.status == "pinned" else "trial"
    why = f"{reason} ({'; '.join(reasons)})" if reasons else reason
    append_decision(transaction, learning, rule, new, "reword", why, by, text=text, hash=hash_)
    return RuleDecided(rule_id=rule.id, old=rule.status, new=new, reason=why, text=text)


_DECIDED_ON = {"effect", "low", "high", "chance_helps", "shown", "withheld", "e_works", "e_hurts"}


def append_decision(
    transaction: Transaction,
    learning: Learning,
    rule: Rule,
    new: RuleStatus,
    action: str,
    reason: str,
    by: str,
    **data: object,
) -> None:
    """Log a decision about a rule, with what was known of it at that moment, and learn it."""
    known = learning.learner.estimate(rule.id).model_dump(include=_DECIDED_ON)
    event = transaction.append(
        Event(
            kind="rule_decided",
            uid=new_uid(transaction.now),
            subject=rule.id,
            choice=action,
            metrics={name: float(value) for name, value in known.items()},
            data={"old": rule.status, "new": new, "reason": reason, "by": by, **data},
        )
    )
    learning.fold(event)


def settle(transaction: Transaction, learning: Learning, rule_ids: Sequence[str]) -> list[StatusChange]:
    """Let the evidence change the status of these rules where it is strong enough, and log each change."""
    changes = []
    for rule_id in rule_ids:
        rule = table.get(transaction, rule_id)
        if rule is None:
            continue
        new, reason = learning.learner.standing(rule_id, rule.status)
        if new != rule.status:
            action = "prove" if new == "proven" else "retire"
            append_decision(transaction, learning, rule, new, action, reason, "evidence")
            changes.append(StatusChange(rule_id=rule_id, old=rule.status, new=new, reason=reason))
    return changes
