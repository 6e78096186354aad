"""Where a project stands, the most important thing first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from vettle.engine import outlook, reports
from vettle.engine.clock import DAY, moment
from vettle.engine.project import Project
from vettle.engine.records.diagnosis import ProvenRule, StatusInDetail
from vettle.engine.store import Transaction, events
from vettle.engine.store import rules as rules_table
from vettle.engine.store.sessions import Session
from vettle.engine.wording import LONG, counted, duration

_MOST_PROVEN = 10
_MOST_DECISIONS = 1_000


def status(project: Project, *, around: reports.Surroundings = reports.NOTHING_AROUND) -> StatusInDetail:
    """Tell what is going on, what needs a person and what to do next, beginning with what matters most."""
    found = reports.status(project, around=around)
    with project.read() as transaction:
        settled = _settled(transaction)
        lately = outlook.lately(transaction)
        trial = [rule.id for rule in rules_table.with_status(transaction, ("trial",))]
        told = outlook.closest(project.learning(transaction), trial, lately) if lately.sessions else None
        strongest = _strongest_effect(project, transaction, settled.proven)
    detailed = StatusInDetail(
        **dict(found),
        headline="",
        proven=settled.newest,
        proven_this_week=settled.proven_this_week,
        retired_this_week=settled.retired_this_week,
        strongest_effect=strongest,
        sessions_per_day=None if lately.per_day is None else round(lately.per_day, 3),
        coins=lately.flips.total() if any(map(_had_rules, lately.sessions)) else None,
        closest=told,
    )
    return detailed.model_copy(
        update={"headline": _headline(detailed, around.blocked.what if around.blocked else "")}
    )


def _strongest_effect(project: Project, transaction: Transaction, proven: Collection[str]) -> float | None:
    if not proven:
        return None
    effects, _ = project.learning(transaction).learner.posterior.effects(sorted(proven))
    return round(float(effects.max()), 4)


def _had_rules(session: Session) -> bool:
    """Tell whether the session was scored and was to be shown rules, which neither a holdout nor an imported one was."""
    return session.state == "scored" and not session.decision.holdout and bool(session.decision.slate)


@dataclass(frozen=True)
class _Settled:
    """What was decided about rules lately."""

    proven: set[str]
    newest: list[ProvenRule]
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
    return _Settled(proven, newest[:_MOST_PROVEN], sum(ts >= week for ts in since.values()), len(retired))


def _headline(found: StatusInDetail, blocked: str) -> str:
    """Return the one most important thing: what needs a person, what goes wrong, what is new, what comes next."""
    waiting, trial = found.rules.get("quarantined", 0), found.rules.get("trial", 0)
    if waiting:
        return (
            f"{counted(waiting, 'rule')} {'waits' if waiting == 1 else 'wait'} for you to approve or reject."
        )
    if blocked:
        return blocked
    if found.proven_experiment:
        return found.proven_experiment
    if not found.rules:
        return _without_rules(found)
    if found.warnings:
        return found.warnings[0]
    if ended := found.sessions.get("ended", 0) - found.judged_by_tests:
        of_them = "it" if ended == 1 else "them"
        return f"{counted(ended, 'ended session')} without a reward: nothing was learned from {of_them} yet."
    if found.proven_this_week:
        return proven(found)
    if gone := found.retired_this_week:
        return f"{counted(gone, 'rule')} retired this week."
    if (told := found.closest) is not None and told.days is not None and told.days <= LONG:
        return f"{counted(trial, 'rule')} on trial; the first can be told in {duration(told.days)}."
    if trial:
        return f"{counted(trial, 'rule')} on trial, and it is too early to tell{_without_coins(found)}."
    return "Every rule is settled; nothing is on trial."


def _without_coins(found: StatusInDetail) -> str:
    """Say that nothing can be proven as it is; "" where coins are flipped, or no session could have had one."""
    if found.coins != 0:
        return ""
    return f": no coin was flipped in the last {outlook.PACE_DAYS} days, because no rule looks promising yet"


def _without_rules(found: StatusInDetail) -> str:
    if running := found.experiments.get("running", 0):
        return f"{counted(running, 'experiment')} under way; there are no rules yet."
    if found.experiments:
        return "There are no rules yet, and no experiment is under way."
    return "There are no rules yet, so nothing can be tested."


def proven(found: StatusInDetail) -> str:
    """Say how many rules are proven, how many of them are new, and what the strongest is believed to add.

    An effect of less than a hundredth of the score is not said.
    """
    number, new = found.rules.get("proven", 0), found.proven_this_week
    said = f"{number:,} {'rule is' if number == 1 else 'rules are'} proven to help"
    if 0 < new < number:
        said += f", {new:,} of them this week"
    points = round(100 * (found.strongest_effect or 0.0))
    if points < 1:
        return f"{said}."
    which = "it" if number == 1 else "the strongest"
    return f"{said}; {which} is believed to add {counted(points, 'point')} to a score of 100."
