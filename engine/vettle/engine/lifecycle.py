"""What a session goes through: open, then ended, then scored; or closed without evidence.

A session's evidence enters once, when it has ended and has a reward. One that was rewarded and then forgotten
ends by itself. Without a reward a forgotten session is closed as abandoned, an ended one as unrewarded; both
are counted and prove nothing, but they are folded by the check that tells whether missing outcomes depend on
the coin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from vettle.engine import rules
from vettle.engine.clock import DAY, HOUR
from vettle.engine.errors import AmbiguousSession, UnknownSession
from vettle.engine.identifiers import new_uid
from vettle.engine.project import Project
from vettle.engine.records import SessionState, StatusChange
from vettle.engine.settings import ScoreSettings
from vettle.engine.store import Transaction, events
from vettle.engine.store import sessions as table
from vettle.engine.store.events import Event
from vettle.engine.store.sessions import Session

if TYPE_CHECKING:
    from vettle.engine.learning import Learning


def score(settings: ScoreSettings, outcome: float, mistakes: int, repeats: int) -> float:
    """Return a session's score in [0, 1]: w * outcome + (1 - w) * (1 - min(mistakes, M) / M).

    `outcome` is the weighted mean of its rewards, w is `reward_share` (0.5) and M is `mistakes_cap` (2).
    Mistakes carry information that accepted-or-rejected throws away. A repeated mistake counts as
    `repeat_counts` mistakes (1).
    """
    counted = min(mistakes + (settings.repeat_counts - 1) * repeats, settings.mistakes_cap)
    share = settings.reward_share
    return share * outcome + (1 - share) * (1 - counted / settings.mistakes_cap)


def preview(project: Project, session: Session) -> float | None:
    """Return the score the session would get now; None without a reward, or when it was closed without a score."""
    if session.outcome is None or not session.counts:
        return session.score
    return score(project.settings.score, session.outcome, session.mistakes, session.repeats)


def require(transaction: Transaction, session_id: str) -> Session:
    """Return the session with this id, or raise UnknownSession naming the open ones."""
    session = table.get(transaction, session_id)
    if session is None:
        raise UnknownSession(session_id, [each.id for each in table.in_state(transaction, "open")])
    return session


def resolve(
    project: Project,
    transaction: Transaction,
    session_id: str,
    *,
    states: tuple[SessionState, ...] = ("open",),
    required: bool,
) -> Session | None:
    """Return the session that a call means: the one it names, or the only one there is.

    Without an id, the first of `states` that has any session decides: exactly one is meant, several are
    ambiguous. With none at all, None (or an error, if `required`).

    Raises:
        UnknownSession: The id names none.
        AmbiguousSession: No id, and several could be meant; or none, although one is required.
    """
    if session_id:
        return require(transaction, session_id)
    close_forgotten(project, transaction)
    for state in states:
        found = table.in_state(transaction, state)
        if len(found) == 1:
            return found[0]
        if found:
            raise AmbiguousSession([session.id for session in found])
    if required:
        raise AmbiguousSession([])
    return None


def forgotten(project: Project, transaction: Transaction, state: Literal["open", "ended"]) -> list[Session]:
    """Return open sessions that nobody ended in time, or ended ones that nobody rewarded; at most 100."""
    limits = project.settings.sessions
    patience = limits.abandoned_after_hours * HOUR if state == "open" else limits.unrewarded_after_days * DAY
    return table.in_state(transaction, state, unseen_since=transaction.now - int(patience))


def close_forgotten(project: Project, transaction: Transaction) -> None:
    """End or close the sessions that have been silent for too long, at most 100 of each kind at once.

    What was rewarded ends with that outcome, as of when it was last heard of: only the call that ends it was forgotten.
    """
    silent = [*forgotten(project, transaction, "open"), *forgotten(project, transaction, "ended")]
    for session in silent:
        if session.outcome is not None:
            silent_since = {"notes": "", "entry_file": "", "happened": session.seen}
            end(project, transaction, session, new_uid(transaction.now), silent_since)
            continue
        event = Event(
            kind="session_closed",
            uid=new_uid(transaction.now),
            session=session.id,
            subject=session.context,
            choice="abandoned" if session.state == "open" else "unrewarded",
            data=_evidence(transaction, session),
        )
        project.learning(transaction).fold(transaction.append(event))


def end(
    project: Project, transaction: Transaction, session: Session, uid: bytes, data: Mapping[str, object]
) -> list[StatusChange]:
    """End an open session, and enter its evidence if it has a reward; return the rules that changed their status."""
    transaction.append(
        Event(kind="session_ended", uid=uid, session=session.id, subject=session.context, data=dict(data))
    )
    ended = require(transaction, session.id)
    return enter_evidence(project, transaction, ended) if ended.reward_weight else []


def _evidence(transaction: Transaction, session: Session) -> dict[str, object]:
    """Return what is learned from a session besides its score: its decision, and the rules its mistakes named.

    A rule that was restored or reworded meanwhile began anew, so what this session had of it is left out.
    Named rules are learned from only now: whoever names one knows how its coin landed, and a prediction
    that knew would bias the evidence of this very session.
    """
    decision = session.decision
    slate = tuple(
        entry
        for entry in decision.slate
        if not events.began_anew(transaction, entry.rule, after=decision.folded)
    )
    return {
        "decision": decision.model_copy(update={"slate": slate}).model_dump(mode="json"),
        "named": [
            [event.choice, event.data["named_shown"]]
            for event in events.of_session(transaction, session.id)
            if event.kind == "mistake_logged" and event.choice
        ],
    }


def enter_evidence(project: Project, transaction: Transaction, session: Session) -> list[StatusChange]:
    """Score an ended, rewarded session, learn from it, and let the evidence settle the rules it was given.

    Returns the status changes that this one session caused.
    """
    outcome = session.outcome
    assert outcome is not None and session.state == "ended"
    learning = project.learning(transaction)
    event = transaction.append(
        Event(
            kind="session_scored",
            uid=new_uid(transaction.now),
            session=session.id,
            subject=session.context,
            metrics={
                "score": score(project.settings.score, outcome, session.mistakes, session.repeats),
                "outcome": outcome,
                "mistakes": session.mistakes,
                "repeats": session.repeats,
            },
            data=_evidence(transaction, session),
        )
    )
    if learning.fold(event):
        _note_alarm(transaction, learning, session)
    changes = rules.settle(transaction, learning, [entry.rule for entry in session.decision.slate])
    learning.keep(transaction)
    return changes


def _note_alarm(transaction: Transaction, learning: Learning, session: Session) -> None:
    """Log that sessions went so much worse than predicted that rule effects were partly forgotten."""
    transaction.append(
        Event(
            kind="drift_alarmed",
            uid=new_uid(transaction.now),
            session=session.id,
            subject=session.context,
            metrics={"sessions": learning.learner.sessions},
        )
    )
