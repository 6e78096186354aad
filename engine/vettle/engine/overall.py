"""Where a project stands, the most important thing first."""

from __future__ import annotations

from dataclasses import dataclass

from vettle.engine import outlook, reports
from vettle.engine.clock import DAY, moment
from vettle.engine.project import Project
from vettle.engine.records import Status
from vettle.engine.records.diagnosis import Forecast, ProvenRule, StatusInDetail
from vettle.engine.store import Transaction, events
from vettle.engine.store import rules as rules_table

_MOST_PROVEN = 10
_MOST_DECISIONS = 1_000


def status(project: Project) -> StatusInDetail:
    """Tell what is going on, what needs a person and what to do next, beginning with what matters most."""
    found = reports.status(project)
    with project.read() as transaction:
        settled = _settled(transaction)
        lately = outlook.lately(transaction)
        trial = [rule.id for rule in rules_table.with_status(transaction, ("trial",))]
        told = outlook.closest(project.learning(transaction), trial, lately) if lately.sessions else None
    return StatusInDetail(
        **dict(found),
        headline=_headline(found, settled, told),
        proven=settled.proven,
        proven_this_week=settled.proven_this_week,
        retired_this_week=settled.retired_this_week,
        sessions_per_day=None if lately.per_day is None else round(lately.per_day, 3),
        closest=told,
    )


@dataclass(frozen=True)
class _Settled:
    """What was decided about rules lately."""

    proven: list[ProvenRule]
    proven_this_week: int
    retired_this_week: int


def _settled(transaction: Transaction) -> _Settled:
    """Return the newest proven rules, and how many were settled in the last seven days, by the newest decisions."""
    proven = {rule.id for rule in rules_table.with_status(transaction, ("proven",))}
    gone = {rule.id for rule in rules_table.with_status(transaction, ("retired",))}
    week = transaction.now - 7 * DAY
    since: dict[str, int] = {}
    retired: set[str] = set()
    for event in events.newest(transaction, "rule_decided", limit=_MOST_DECISIONS):
        if event.data["new"] == "proven" and event.subject in proven:
            since.setdefault(event.subject, event.ts)
        if event.data["new"] == "retired" and event.subject in gone and event.ts >= week:
            retired.add(event.subject)
    newest = [ProvenRule(rule_id=rule_id, since=moment(ts)) for rule_id, ts in since.items()]
    return _Settled(newest[:_MOST_PROVEN], sum(ts >= week for ts in since.values()), len(retired))


def _headline(found: Status, settled: _Settled, told: Forecast | None) -> str:
    """Return the one most important thing: what needs a person, what goes wrong, what is new, what comes next."""
    waiting, trial = found.rules.get("quarantined", 0), found.rules.get("trial", 0)
    if waiting:
        return f"{_rules(waiting)} {'waits' if waiting == 1 else 'wait'} for you to approve or reject."
    if not found.rules:
        return "There is no rule yet, so nothing can be tested."
    if found.warnings:
        return found.warnings[0]
    if ended := found.sessions.get("ended", 0):
        return f"{ended} ended session{'' if ended == 1 else 's'} without a reward: nothing was learned from {'it' if ended == 1 else 'them'} yet."
    if new := settled.proven_this_week:
        return f"{_rules(new)} proven this week."
    if gone := settled.retired_this_week:
        return f"{_rules(gone)} retired this week."
    if told is not None and told.days is not None and told.days <= outlook.FAR:
        return f"{_rules(trial)} on trial; the first can be told in {outlook.duration(told.days)}."
    if trial:
        return f"{_rules(trial)} on trial, and it is too early to tell."
    return "Every rule is settled; nothing is on trial."


def _rules(number: int) -> str:
    return f"{number} rule{'' if number == 1 else 's'}"
