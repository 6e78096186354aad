"""Rules: adding them, and deciding about them, by a person or by the evidence."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from vettle.engine import quarantine
from vettle.engine.errors import InvalidArgument, StatusRefused, UnknownRule
from vettle.engine.identifiers import new_uid, slug
from vettle.engine.project import Project
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
from vettle.engine.store import Transaction
from vettle.engine.store import rules as table
from vettle.engine.store.events import Event

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
    if quarantine.redact(text) != text:
        raise InvalidArgument(
            "text", "it holds what looks like a secret", "Take the secret out; rules are shared"
        )

    def work(transaction: Transaction, uid: bytes) -> RuleAdded:
        hash_ = rule_hash(text, context, scope)
        same = table.with_hash(transaction, hash_)
        if same is not None:
            return _duplicate(same)
        reasons = quarantine.reasons(text)
        status: Literal["trial", "quarantined"] = "quarantined" if reasons else "trial"
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
                    "globs": list(scope),
                    "rationale": quarantine.redact(rationale),
                    "prior": prior,
                    "hash": hash_,
                    "status": status,
                    "reason": "; ".join(reasons),
                },
            )
        )
        next_step = (
            f"A person has to look at it first: rule_decide {rule_id} approve, or reject."
            if reasons
            else "Nothing to do: sessions will try it, and the evidence decides."
        )
        return RuleAdded(rule_id=rule_id, status=status, reasons=reasons, next_step=next_step)

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
        begin = table.ids_like(transaction, rule_id[:8], limit=50)
        raise UnknownRule(field, rule_id, difflib.get_close_matches(rule_id, begin, n=3, cutoff=0.3))
    return rule


def decide(project: Project, *, rule_id: str, action: RuleAction, reason: str, text: str = "") -> RuleDecided:
    """Change a rule's status, or its text, for a logged reason.

    Restoring and rewording begin the evidence anew: the first by intent, the second because another text
    is another treatment. A reworded rule goes back on trial (a pinned one stays pinned).

    Raises:
        UnknownRule: No rule has this id.
        StatusRefused: The rule's status does not allow the action.
        InvalidArgument: `reword` without a text, another action with one, or a text that another rule has.
    """
    if (action == "reword") != bool(text):
        raise InvalidArgument(
            "text",
            "it goes with action reword and no other",
            "Pass text with reword, and leave it out otherwise",
        )
    if quarantine.redact(text) != text:
        raise InvalidArgument(
            "text", "it holds what looks like a secret", "Take the secret out; rules are shared"
        )
    with project.write() as transaction:
        rule = require(transaction, "rule_id", rule_id)
        if action not in _ALLOWED[rule.status]:
            raise StatusRefused(f"rule {rule_id}", rule.status, action, _ALLOWED[rule.status])
        learning = project.learning(transaction)
        if action == "reword":
            return _reword(transaction, learning, rule, text, reason, project.actor)
        new = _NEW_STATUS[action]
        if action == "unpin":
            new = learning.learner.standing(rule_id, "trial")[0]
        _append_decision(transaction, learning, rule, new, action, reason, project.actor)
        return RuleDecided(rule_id=rule_id, old=rule.status, new=new, reason=reason, text=rule.text)


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
    _append_decision(transaction, learning, rule, new, "reword", why, by, text=text, hash=hash_)
    return RuleDecided(rule_id=rule.id, old=rule.status, new=new, reason=why, text=text)


def _append_decision(
    transaction: Transaction,
    learning: Learning,
    rule: Rule,
    new: RuleStatus,
    action: str,
    reason: str,
    by: str,
    **data: object,
) -> None:
    event = transaction.append(
        Event(
            kind="rule_decided",
            uid=new_uid(transaction.now),
            subject=rule.id,
            choice=action,
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
            _append_decision(transaction, learning, rule, new, action, reason, "evidence")
            changes.append(StatusChange(rule_id=rule_id, old=rule.status, new=new, reason=reason))
    return changes
