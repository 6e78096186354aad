"""How many mistakes of a period were known before it began, day by day."""

from __future__ import annotations

from vettle.engine.analysis.trends import Counts
from vettle.engine.store import Transaction, events
from vettle.engine.store import mistakes as table
from vettle.engine.store.folds import day

MOST_MISTAKES = 1_000
"""The newest mistakes that are read for it, so that it costs the same in a project of any age."""


def known_before(transaction: Transaction, since: int) -> dict[str, Counts]:
    """Return the mistakes of each day since then (ISO dates), and how many of them were known before that time.

    `since` is the beginning of a day. Only the newest 1,000 are counted, as far as the log still has them. Before the
    beginning nothing is known: a `since` of 0 or less gives no day.
    """
    if since <= 0:
        return {}
    logged = [
        event
        for event in events.newest(transaction, "mistake_logged", limit=MOST_MISTAKES)
        if event.happened >= since
    ]
    known = table.known_before(transaction, {(event.subject, event.data["hash"]) for event in logged}, since)
    counts: dict[str, Counts] = {}
    for event in logged:
        n, before = counts.get(day(event.happened), (0, 0))
        counts[day(event.happened)] = n + 1, before + ((event.subject, event.data["hash"]) in known)
    return counts
