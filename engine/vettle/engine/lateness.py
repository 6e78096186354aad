"""Why a reward does not count, and what makes the next one count."""

from __future__ import annotations

from vettle.engine.records import RewardSource
from vettle.engine.settings import Settings
from vettle.engine.store import Transaction, events
from vettle.engine.store import sessions as table
from vettle.engine.store.sessions import IMPORTED, Session


def told(settings: Settings, transaction: Transaction, session: Session | None, source: RewardSource) -> str:
    """Say why a reward from `source` does not count: its session is scored or closed, or None was there to take it."""
    if session is not None:
        return f"Kept, but it came too late to count: session {session.id} {_fate(settings, transaction, session, source)}"
    newest = table.newest_first(transaction, context="", since=0, before=None, limit=1)
    if not newest or newest[0].decision.policy == IMPORTED:
        return (
            "No session was open, so no rule can learn from this reward. Call session_start before the work."
        )
    fate = _fate(settings, transaction, newest[0], source)
    return f"Kept, but no session is open or waits for a reward: the newest, {newest[0].id}, {fate}"


def _fate(settings: Settings, transaction: Transaction, session: Session, source: RewardSource) -> str:
    """Say in a clause what became of a session, and in a sentence what to do about the next one."""
    limits = settings.sessions
    if session.state == "abandoned":
        return (
            f"was abandoned, because nobody ended it within {limits.abandoned_after_hours:g} hours. End the next one: "
            "call session_end with an outcome."
        )
    if session.state == "unrewarded":
        return f"was closed, because no reward came within {limits.unrewarded_after_days:g} days. Reward the next one sooner."
    if source == "ci" or not _scored_by_ci(transaction, session):
        return "was scored already. The next one counts if it comes before its session ends, or is the first one after."
    return f"was scored by its tests already. {_for_verdicts(settings)}"


def _scored_by_ci(transaction: Transaction, session: Session) -> bool:
    """Tell whether the rewards that a session was scored by came from nothing but CI; False if they were pruned."""
    sources = {
        event.choice
        for event in events.of_session(transaction, session.id)
        if event.kind == "reward_logged" and event.data.get("counted")
    }
    return sources == {"ci"}


def _for_verdicts(settings: Settings) -> str:
    """Say which tests wait for a verdict, now that somebody judges (see `rewards.tests_wait_hours`)."""
    hours = settings.hooks.tests_wait_hours
    if not hours:
        return "Tests wait for a verdict like this one if .vettle/config.toml says so: [hooks] tests_wait_hours = 24."
    return (
        f"Tests that hooks see now wait {hours:g} hours for a verdict like this one; a report of CI does not, and the "
        "first to come after a session's end decides."
    )
