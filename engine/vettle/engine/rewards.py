"""Rewards: what came back about a session's work."""

from __future__ import annotations

from collections.abc import Sequence

from vettle.engine import lifecycle, quarantine, rules
from vettle.engine.clock import DAY
from vettle.engine.identifiers import new_uid
from vettle.engine.project import Project
from vettle.engine.records import RewardLogged, RewardOutcome, RewardSource
from vettle.engine.store import Transaction
from vettle.engine.store import sessions as table
from vettle.engine.store.events import Event
from vettle.engine.store.folds import day
from vettle.engine.store.moments import stats
from vettle.engine.store.sessions import Session

JUDGED_DAYS = 30
"""Days after the last reward by more than tests in which a project is taken for one whose sessions somebody judges."""


def others_judge(project: Project) -> bool:
    """Tell whether sessions were rewarded lately by something else than CI: by a person, an agent, git or a judge."""
    with project.read() as transaction:
        since = day(transaction.now - JUDGED_DAYS * DAY)
        return any(stat.metric != "ci" for stat in stats(transaction, "reward", since=since))


def value(outcome: RewardOutcome, revision_distance: float) -> float:
    """Return the reward in [0, 1]: accepted 1, rejected 0, a revision 1 minus its distance."""
    return {"accepted": 1.0, "rejected": 0.0, "revision": 1.0 - revision_distance}[outcome]


def append(
    transaction: Transaction,
    session: Session | None,
    *,
    outcome: RewardOutcome,
    revision_distance: float = 0.5,
    rules_active: Sequence[str] = (),
    source: RewardSource = "manual",
    weight: float = 1.0,
    notes: str = "",
    uid: bytes = b"",
) -> Event:
    """Append a reward to the log, for a session or for none."""
    return transaction.append(
        Event(
            kind="reward_logged",
            uid=uid or new_uid(transaction.now),
            session=session.id if session else "",
            subject=outcome,
            choice=source,
            metrics={"value": value(outcome, revision_distance), "weight": weight},
            data={
                "notes": quarantine.redact(notes),
                "rules_active": list(rules_active),
                "counted": session is not None and session.counts,
            },
        )
    )


def log(
    project: Project,
    *,
    outcome: RewardOutcome,
    session_id: str = "",
    revision_distance: float = 0.5,
    rules_active: Sequence[str] = (),
    source: RewardSource = "manual",
    weight: float = 1.0,
    notes: str = "",
    client_ref: str = "",
) -> RewardLogged:
    """Log feedback on a session; it is scored as soon as it has ended and has a reward.

    Without a `session_id` the one open session is meant, or else the one ended session that waits for a
    reward. A reward that comes after its session was scored or closed is kept, and says so.
    `rules_active` records which rules the agent really had; evidence is judged by what was assigned.

    Raises:
        UnknownSession, AmbiguousSession: The session cannot be told.
        UnknownRule: `rules_active` names no rule.
    """

    def work(transaction: Transaction, uid: bytes) -> RewardLogged:
        session = lifecycle.resolve(
            project, transaction, session_id, states=("open", "ended"), required=False
        )
        for rule_id in rules_active:
            rules.require(transaction, "rules_active", rule_id)
        event = append(
            transaction,
            session,
            outcome=outcome,
            revision_distance=revision_distance,
            rules_active=rules_active,
            source=source,
            weight=weight,
            notes=notes,
            uid=uid,
        )
        counted = bool(event.data["counted"])
        after = table.get(transaction, session.id) if session else None
        changes = []
        if after is not None and counted and after.state == "ended":
            changes = lifecycle.enter_evidence(project, transaction, after)
            after = table.get(transaction, after.id)
        return RewardLogged(
            reward_id=f"w-{uid.hex()[-12:]}",
            session_id=session.id if session else "",
            value=event.metrics["value"],
            counted=counted,
            session_score=lifecycle.preview(project, after) if after else None,
            status_changes=changes,
            note=_note(session),
        )

    arguments = {
        "outcome": outcome,
        "session_id": session_id,
        "revision_distance": revision_distance,
        "rules_active": list(rules_active),
        "source": source,
        "weight": weight,
        "notes": notes,
    }
    return project.once(RewardLogged, f"reward_log {session_id}", client_ref, arguments, work)


def _note(session: Session | None) -> str:
    if session is None:
        return (
            "No session was open, so no rule can learn from this reward. Call session_start before the work."
        )
    if session.state == "open":
        return "It counts when the session ends: call session_end."
    if session.state == "ended":
        return ""
    return f"Kept, but it came too late to count: session {session.id} is {session.state}."
