"""The `session` table: where every session stands now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vettle.engine.clock import moment
from vettle.engine.identifiers import canonical_json
from vettle.engine.records import Decision, SessionState, SessionSummary
from vettle.engine.store.database import Row
from vettle.engine.store.events import Event, Transaction

IMPORTED = "imported"
"""The policy of sessions that another system ran."""


@dataclass(frozen=True)
class Session:
    """One piece of agent work. Times are microseconds; `ended` is 0 while it runs."""

    id: str
    state: SessionState
    task: str
    context: str
    agent: str
    model: str
    started: int
    seen: int
    ended: int
    mistakes: int
    repeats: int
    reward_weight: float
    reward_sum: float
    score: float | None
    decision: Decision

    @property
    def outcome(self) -> float | None:
        """The weighted mean of the session's rewards, or None without any."""
        return self.reward_sum / self.reward_weight if self.reward_weight else None

    @property
    def counts(self) -> bool:
        """Whether its mistakes and rewards still count: it is neither scored nor closed."""
        return self.state in ("open", "ended")

    @property
    def summary(self) -> SessionSummary:
        """The session as lists show it."""
        shown = sum(entry.shown for entry in self.decision.slate)
        return SessionSummary(
            session_id=self.id,
            state=self.state,
            task=self.task,
            context=self.context,
            agent=self.agent,
            model=self.model,
            started=moment(self.started),
            rules_shown=shown,
            rules_withheld=len(self.decision.slate) - shown,
            mistakes=self.mistakes,
            repeats=self.repeats,
            score=self.score,
        )


_COLUMNS = (
    "id, state, task, context, agent, model, started, seen, ended, mistakes, repeats,"
    " reward_weight, reward_sum, score, decision"
)


def _session(row: Row) -> Session:
    values: dict[str, Any] = dict(zip(_COLUMNS.replace(" ", "").split(","), row, strict=True))
    return Session(**values | {"decision": Decision.model_validate_json(values["decision"])})


def start(transaction: Transaction, event: Event) -> None:
    """Fold a `session_started` event."""
    data = event.data
    transaction.execute(
        f"INSERT INTO session(project, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - constant columns
        (
            transaction.project,
            event.session,
            "open",
            data["task"],
            event.subject,
            data["agent"],
            data["model"],
            event.ts,
            event.ts,
            0,
            0,
            0,
            0.0,
            0.0,
            None,
            canonical_json(data["decision"]),
        ),
    )


def imported(transaction: Transaction, event: Event) -> None:
    """Fold a `session_imported` event: a session of another system, over before it got here.

    It was given no rules by a decision of ours, so it counts in reports and is no evidence about any rule.
    """
    data, metrics = event.data, event.metrics
    decision = Decision(policy=IMPORTED, seed=0, folded=0, k=0, pool=0, offered=0)
    transaction.execute(
        f"INSERT INTO session(project, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - constant columns
        (
            transaction.project,
            event.session,
            "scored" if "score" in metrics else "unrewarded",
            data["task"],
            event.subject,
            data["agent"],
            data["model"],
            event.happened,
            data["ended"],
            data["ended"],
            int(metrics["mistakes"]),
            int(metrics["repeats"]),
            metrics["reward_weight"],
            metrics["reward_sum"],
            metrics.get("score"),
            decision.model_dump_json(),
        ),
    )


def log_mistake(transaction: Transaction, event: Event) -> None:
    """Fold a `mistake_logged` event: a session counts its mistakes until it is scored or closed."""
    transaction.execute(
        "UPDATE session SET mistakes=mistakes+1, repeats=repeats+?, seen=?"
        " WHERE project=? AND id=? AND state IN ('open', 'ended')",
        (int(event.metrics["repeat"]), event.ts, transaction.project, event.session),
    )


def log_reward(transaction: Transaction, event: Event) -> None:
    """Fold a `reward_logged` event: a session gathers its rewards until it is scored or closed."""
    value, weight = event.metrics["value"], event.metrics["weight"]
    transaction.execute(
        "UPDATE session SET reward_weight=reward_weight+?, reward_sum=reward_sum+?, seen=?"
        " WHERE project=? AND id=? AND state IN ('open', 'ended')",
        (weight, weight * value, event.ts, transaction.project, event.session),
    )


def end(transaction: Transaction, event: Event) -> None:
    """Fold a `session_ended` event."""
    transaction.execute(
        "UPDATE session SET state='ended', ended=?, seen=? WHERE project=? AND id=?",
        (event.happened, event.ts, transaction.project, event.session),
    )


def score(transaction: Transaction, event: Event) -> None:
    """Fold a `session_scored` event: the session's evidence has entered, once and for all."""
    transaction.execute(
        "UPDATE session SET state='scored', score=? WHERE project=? AND id=?",
        (event.metrics["score"], transaction.project, event.session),
    )


def close(transaction: Transaction, event: Event) -> None:
    """Fold a `session_closed` event: abandoned or unrewarded, so it never enters the evidence."""
    transaction.execute(
        "UPDATE session SET state=? WHERE project=? AND id=?",
        (event.choice, transaction.project, event.session),
    )


def get(transaction: Transaction, session_id: str) -> Session | None:
    """Return the session with this id, if there is one."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM session WHERE project=? AND id=?",  # noqa: S608 - constant columns
        (transaction.project, session_id),
    )
    return _session(rows[0]) if rows else None


def in_state(
    transaction: Transaction, state: SessionState, *, unseen_since: int | None = None, limit: int = 100
) -> list[Session]:
    """Return sessions in this state, longest silent first; only those silent since the given time, if given."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM session WHERE project=? AND state=? AND seen<?"  # noqa: S608 - constant columns
        " ORDER BY seen, id LIMIT ?",
        (transaction.project, state, 2**62 if unseen_since is None else unseen_since, limit),
    )
    return list(map(_session, rows))


def count_in_state(transaction: Transaction, state: SessionState) -> int:
    """Return how many sessions are in this state; meant for the short-lived states, open and ended."""
    rows = transaction.execute(
        "SELECT count(*) FROM session WHERE project=? AND state=?", (transaction.project, state)
    )
    return int(rows[0][0])


def count_started(transaction: Transaction, *, after: int, before: int) -> int:
    """Return how many sessions began between two times, in microseconds, both left out."""
    rows = transaction.execute(
        "SELECT count(*) FROM session WHERE project=? AND started>? AND started<?",
        (transaction.project, after, before),
    )
    return int(rows[0][0])


def newest_first(
    transaction: Transaction, *, context: str, since: int, before: tuple[int, str] | None, limit: int
) -> list[Session]:
    """Return sessions started since the given time, newest first, from just before (started, id) on."""
    started, session_id = before or (2**62, "")
    # A context that is not asked for must not stand in the query, or no index serves the one that is.
    where, narrowed = ("project=? AND context=?", [context]) if context else ("project=?", [])
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM session WHERE {where} AND started>=?"  # noqa: S608 - constant text
        " AND (started<? OR (started=? AND id<?)) ORDER BY started DESC, id DESC LIMIT ?",
        [transaction.project, *narrowed, since, started, started, session_id, limit],
    )
    return list(map(_session, rows))
