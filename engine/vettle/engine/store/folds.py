"""What each kind of event does to the tables. The same code runs when a fact is logged and when all is rebuilt.

The families of `stat` (a, b, metric -> moments of):
    total    ""          kind of event (or how a session was closed)   n         1
    session  day         context     started, abandoned, unrewarded              1
                                     score, mistakes, repeats, seconds           of each scored session
    mistake  day         error class repeat                                      0 or 1
    severity day         severity    n                                           1
    reward   day         outcome     source                                      value
    rule     rule        context     shown, withheld                             the session's score
    support  rule        ""          n                                           times it was found again
A day is an ISO date in UTC, so days sort as text.
"""

from __future__ import annotations

from collections.abc import Callable

from vettle.engine.clock import SECOND, moment
from vettle.engine.store import assignments, baseline, experiments, mistakes, rules, runs, sessions
from vettle.engine.store.events import Event, Kind, Transaction, every
from vettle.engine.store.moments import Observation, gathering, observe
from vettle.engine.store.schema import FOLDED_TABLES


def fold(transaction: Transaction, event: Event) -> None:
    """Bring every table up to date with one more event."""
    _FOLDS[event.kind](transaction, event)


def refold(transaction: Transaction) -> int:
    """Throw the tables of a project away and fold all of its events again; return how many there are."""
    for table in reversed(FOLDED_TABLES):
        transaction.execute(f"DELETE FROM {table} WHERE project=?", (transaction.project,))  # noqa: S608 - constant names
    now = transaction.now
    number = replay_log(transaction, transaction)
    transaction.now = now
    return number


def replay_log(log: Transaction, into: Transaction, *, through: int = 2**62) -> int:
    """Fold the events of a log, up to and with `through`, into tables that hold nothing yet; return how many.

    Where the log was pruned, the tables that were kept take the place of the events that are gone.
    """
    with gathering(into):
        return _replay(log, into, through)


def _replay(log: Transaction, into: Transaction, through: int) -> int:
    last, number = baseline.through(log), 0
    loaded = last == 0
    for event in every(log):
        if event.id > through:
            break
        number += 1
        if not loaded and event.id > last:
            baseline.load(into, baseline.parts(log))
            loaded = True
        if not baseline.is_folded(event, last):
            into.replay(event)
    if not loaded:
        baseline.load(into, baseline.parts(log))
    return number


def day(microseconds: int) -> str:
    """Return the UTC day of a time as an ISO date."""
    return moment(microseconds).date().isoformat()


def _total(name: str) -> Observation:
    return Observation("total", "", name, "n", 1.0)


def _rule_added(transaction: Transaction, event: Event) -> None:
    rules.add(transaction, event)
    observe(transaction, [_total("rule_added")])


def _rule_decided(transaction: Transaction, event: Event) -> None:
    rules.decide(transaction, event)
    observe(transaction, [_total("rule_decided")])


def _rule_reinforced(transaction: Transaction, event: Event) -> None:
    n = event.metrics["n"]
    observe(
        transaction,
        [_total("rule_reinforced"), Observation("support", event.subject, "", "n", n)],
    )


def _session_started(transaction: Transaction, event: Event) -> None:
    sessions.start(transaction, event)
    today = day(event.happened)
    observe(
        transaction,
        [_total("session_started"), Observation("session", today, event.subject, "started", 1.0)],
    )


def _session_imported(transaction: Transaction, event: Event) -> None:
    sessions.imported(transaction, event)
    today, metrics = day(event.happened), event.metrics
    counted = {"started": 1.0}
    if "score" in metrics:
        counted |= {name: metrics[name] for name in ("score", "mistakes", "repeats", "seconds")}
    else:
        counted["unrewarded"] = 1.0
    rows = [Observation("session", today, event.subject, name, value) for name, value in counted.items()]
    observe(transaction, [_total("session_imported"), *rows])


def _mistake_logged(transaction: Transaction, event: Event) -> None:
    mistakes.log(transaction, event)
    sessions.log_mistake(transaction, event)
    today, repeat = day(event.happened), event.metrics["repeat"]
    observe(
        transaction,
        [
            _total("mistake_logged"),
            Observation("mistake", today, event.subject, "repeat", repeat),
            Observation("severity", today, event.data["severity"], "n", 1.0),
        ],
    )


def _reward_logged(transaction: Transaction, event: Event) -> None:
    sessions.log_reward(transaction, event)
    value = event.metrics["value"]
    observe(
        transaction,
        [
            _total("reward_logged"),
            Observation("reward", day(event.happened), event.subject, event.choice, value),
        ],
    )


def _session_ended(transaction: Transaction, event: Event) -> None:
    sessions.end(transaction, event)
    observe(transaction, [_total("session_ended")])


def _session_scored(transaction: Transaction, event: Event) -> None:
    sessions.score(transaction, event)
    session = sessions.get(transaction, event.session)
    assert session is not None
    score, context, today = event.metrics["score"], event.subject, day(event.happened)
    seconds = (session.ended - session.started) / SECOND
    rows = [
        _total("session_scored"),
        Observation("session", today, context, "score", score),
        Observation("session", today, context, "mistakes", event.metrics["mistakes"]),
        Observation("session", today, context, "repeats", event.metrics["repeats"]),
        Observation("session", today, context, "seconds", seconds),
    ]
    if not session.decision.holdout:
        for entry in session.decision.slate:
            rows.append(
                Observation("rule", entry.rule, context, "shown" if entry.shown else "withheld", score)
            )
    observe(transaction, rows)


def _session_closed(transaction: Transaction, event: Event) -> None:
    sessions.close(transaction, event)
    today = day(event.happened)
    observe(
        transaction, [_total(event.choice), Observation("session", today, event.subject, event.choice, 1.0)]
    )


def _drift_alarmed(transaction: Transaction, event: Event) -> None:
    observe(transaction, [_total("drift_alarmed")])


def _experiment_created(transaction: Transaction, event: Event) -> None:
    experiments.create(transaction, event)
    observe(transaction, [_total("experiment_created")])


def _experiment_decided(transaction: Transaction, event: Event) -> None:
    experiments.decide(transaction, event)
    observe(transaction, [_total("experiment_decided")])


def _variable_registered(transaction: Transaction, event: Event) -> None:
    experiments.register(transaction, event)
    observe(transaction, [_total("variable_registered")])


def _variant_assigned(transaction: Transaction, event: Event) -> None:
    assignments.assign(transaction, event)
    observe(transaction, [_total("variant_assigned")])


def _run_recorded(transaction: Transaction, event: Event) -> None:
    runs.record(transaction, event)
    observe(transaction, [_total("run_recorded")])


_FOLDS: dict[Kind, Callable[[Transaction, Event], None]] = {
    "rule_added": _rule_added,
    "rule_decided": _rule_decided,
    "rule_reinforced": _rule_reinforced,
    "session_started": _session_started,
    "session_imported": _session_imported,
    "mistake_logged": _mistake_logged,
    "reward_logged": _reward_logged,
    "session_ended": _session_ended,
    "session_scored": _session_scored,
    "session_closed": _session_closed,
    "drift_alarmed": _drift_alarmed,
    "experiment_created": _experiment_created,
    "experiment_decided": _experiment_decided,
    "variable_registered": _variable_registered,
    "variant_assigned": _variant_assigned,
    "run_recorded": _run_recorded,
}
