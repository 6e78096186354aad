"""When a rule on trial can be told to work: what is still needed, and how fast sessions bring it lately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vettle.engine.clock import DAY
from vettle.engine.records.diagnosis import Forecast
from vettle.engine.store import Transaction
from vettle.engine.store import sessions as table
from vettle.engine.store.sessions import Session
from vettle.engine.wording import until_proof

if TYPE_CHECKING:
    from vettle.engine.learning import Learning

PACE_DAYS = 30
"""Days over which the present pace is taken."""

MOST_SESSIONS = 500
"""Sessions that are read for it, so that it costs the same in a project of any age."""


@dataclass(frozen=True)
class Lately:
    """The newest sessions of the last 30 days, newest first, and over how many days they are spread (at least 1).

    `flips` counts the scored ones in which a coin decided about each rule: only those can prove anything, and a
    holdout cannot.
    """

    sessions: Sequence[Session]
    days: float
    flips: Counter[str]

    @property
    def per_day(self) -> float | None:
        """Sessions begun per day, None without any."""
        return len(self.sessions) / self.days if self.sessions else None


def lately(transaction: Transaction) -> Lately:
    """Return the sessions that the present pace is taken from."""
    since = transaction.now - PACE_DAYS * DAY
    found = table.newest_first(transaction, context="", since=since, before=None, limit=MOST_SESSIONS)
    flips = Counter(
        entry.rule
        for session in found
        if session.state == "scored" and not session.decision.holdout
        for entry in session.decision.slate
        if entry.propensity < 1.0
    )
    return Lately(found, _days(transaction, found, since), flips)


def _days(transaction: Transaction, found: Sequence[Session], since: int) -> float:
    """Return how many days the sessions are spread over: all 30, or those since the first that was found."""
    if not found:
        return PACE_DAYS
    first = (found[-1].started, found[-1].id)
    earlier = table.newest_first(transaction, context="", since=0, before=first, limit=1)
    if earlier and earlier[0].started < since:
        return PACE_DAYS
    return max((transaction.now - found[-1].started) / DAY, 1.0)


def forecast(learning: Learning, rule_id: str, found: Lately) -> Forecast:
    """Say when a rule on trial can be told to work, if what is believed of it is right."""
    needed = learning.learner.estimate(rule_id).sessions_needed
    flips = found.flips[rule_id]
    per_day = flips / found.days if flips else None
    days = needed / per_day if needed is not None and per_day else None
    return Forecast(
        rule_id=rule_id,
        sessions=needed,
        per_day=None if per_day is None else round(per_day, 3),
        days=None if days is None else round(days, 1),
        said=until_proof(needed, days),
    )


def closest(learning: Learning, trial: Sequence[str], found: Lately) -> Forecast | None:
    """Return the forecast of the rule that will be told first, None if that can be said of none.

    Only rules that had a coin flipped lately are looked at: of the others no pace is known.
    """
    told = [forecast(learning, rule_id, found) for rule_id in trial if found.flips[rule_id]]
    return min(
        (one for one in told if one.days is not None), key=lambda one: (one.days, one.rule_id), default=None
    )
