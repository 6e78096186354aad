"""Rewards: what came back about a session's work."""

from __future__ import annotations

from collections.abc import Sequence

from vettle.engine import lateness, lifecycle, quarantine, rules
from vettle.engine.clock import DAY
from vettle.engine.errors import InvalidArgument
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

FIRST_VERDICT_HOURS = 1.0
"""Hours that tests leave to a verdict where nobody has judged lately: who begins to judge is not too late."""

ANY_DISTANCE = 0.5
"""The `revision_distance` of who names none."""

_IMPLIED = {"accepted": 0.0, "rejected": 1.0}


def others_judge(project: Project) -> bool:
    """Tell whether sessions were rewarded lately by something else than CI: by a person, an agent, git or a judge."""
    with project.read() as transaction:
        since = day(transaction.now - JUDGED_DAYS * DAY)
        return any(stat.metric != "ci" for stat in stats(transaction, "reward", since=since))


def tests_wait_hours(project: Project) -> float:
    """Return how long after a session's end its tests wait for a better verdict: as configured where others judge.

    Elsewhere it is an hour at most: most projects are never judged, and should not learn a day late for that.
    """
    configured = project.settings.hooks.tests_wait_hours
    return configured if others_judge(project) else min(configured, FIRST_VERDICT_HOURS)


def value(outcome: RewardOutcome, revision_distance: float) -> float:
    """Return the reward in [0, 1]: accepted 1, rejected 0, a revision 1 minus its distance."""
    return {"accepted": 1.0, "rejected": 0.0, "revision": 1.0 - revision_distance}[outcome]


def append(
    transaction: Transaction,
    session: Session | None,
    *,
    outcome: RewardOutcome,
    revision_distance: float = ANY_DISTANCE,
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
    revision_distance: float = ANY_DISTANCE,
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
        InvalidArgument: `revision_distance` says something else than the outcome.
    """
    _require_agreement(outcome, revision_distance)

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
            note=_note(project, transaction, session, source),
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


def _require_agreement(outcome: RewardOutcome, revision_distance: float) -> None:
    """Refuse a distance that only a revision can have, rather than drop it."""
    if outcome in _IMPLIED and revision_distance not in (ANY_DISTANCE, _IMPLIED[outcome]):
        raise InvalidArgument(
            "revision_distance",
            f"{revision_distance:g} does not go with the outcome {outcome}",
            "Leave it out, or pass the outcome revision",
        )


def _note(project: Project, transaction: Transaction, session: Session | None, source: RewardSource) -> str:
    if session is not None and session.state == "open":
        return "It counts when the session ends: call session_end."
    if session is not None and session.state == "ended":
        return ""
    return lateness.told(project.settings, transaction, session, source)
