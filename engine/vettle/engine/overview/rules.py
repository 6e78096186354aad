"""Where the rules stand, and how long it takes until more can be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vettle.engine import confidence, outlook, paging
from vettle.engine import standings as every_standing
from vettle.engine.clock import moment
from vettle.engine.learning import Learning
from vettle.engine.outlook import Lately
from vettle.engine.project import Project
from vettle.engine.records import Rule
from vettle.engine.records.overview import RuleStanding
from vettle.engine.store import Transaction, events
from vettle.engine.store import rules as table

MOST_PROVEN = 100
MOST_TRIAL = 30
MOST_RETIRED = 20
MOST_QUARANTINED = 20
"""Rules of each kind on the page."""


@dataclass
class RuleStandings:
    """The rules of the page, strongest evidence first, and how many of each kind are left out."""

    proven: list[RuleStanding] = field(default_factory=list)
    trial: list[RuleStanding] = field(default_factory=list)
    more_trial: int = 0
    retired: list[RuleStanding] = field(default_factory=list)
    more_retired: int = 0
    quarantined: list[str] = field(default_factory=list)
    discoveries: list[str] = field(default_factory=list)


def standings(project: Project) -> RuleStandings:
    """Return the rules that are proven or pinned, on trial, retired, and waiting for a person."""
    with project.read() as transaction:
        learning = project.learning(transaction)
        every = table.every(transaction)
        again = confidence.found_again(transaction)
        ranked = every_standing.by_evidence(learning, every)

        lately = outlook.lately(transaction)

        def told(rules: Sequence[Rule]) -> list[RuleStanding]:
            return [_standing(transaction, learning, lately, rule, again.get(rule.id, 0)) for rule in rules]

        trial = _soonest_first(learning, [rule for rule in ranked if rule.status == "trial"])
        retired = [rule for rule in ranked if rule.status == "retired"]
        return RuleStandings(
            proven=told([rule for rule in ranked if rule.status in every_standing.RENDERED][:MOST_PROVEN]),
            trial=told(trial[:MOST_TRIAL]),
            more_trial=max(len(trial) - MOST_TRIAL, 0),
            retired=sorted(told(_last(transaction, retired)), key=lambda one: one.since, reverse=True),
            more_retired=max(len(retired) - MOST_RETIRED, 0),
            quarantined=[rule.id for rule in ranked if rule.status == "quarantined"][:MOST_QUARANTINED],
            discoveries=every_standing.discoveries(learning, every)[:MOST_PROVEN],
        )


def _soonest_first(learning: Learning, trial: Sequence[Rule]) -> list[Rule]:
    """Order rules on trial by how soon they can be told; those that nothing is known of keep their order."""

    def key(rule: Rule) -> float:
        needed = learning.learner.estimate(rule.id).sessions_needed
        return float("inf") if needed is None else needed

    return sorted(trial, key=key)


def _last(transaction: Transaction, retired: Sequence[Rule]) -> list[Rule]:
    """Return the retired rules of the newest decisions, else the first ones."""
    newest = {event.subject: None for event in events.newest(transaction, "rule_decided", limit=200)}
    by_id = {rule.id: rule for rule in retired}
    late = [by_id.pop(rule_id) for rule_id in newest if rule_id in by_id]
    return [*late, *by_id.values()][:MOST_RETIRED]


def _standing(
    transaction: Transaction, learning: Learning, lately: Lately, rule: Rule, found_again: int
) -> RuleStanding:
    decided = events.of_subject(transaction, rule.id, ("rule_decided",))
    proven = every_standing.proof(rule, decided)
    forecast = outlook.forecast(learning, rule.id, lately) if rule.status == "trial" else None
    return RuleStanding(
        rule=every_standing.details(learning, rule, found_again),
        since=moment(decided[-1].ts) if decided else rule.created,
        tokens=paging.tokens(rule.text),
        sessions_needed=forecast.sessions if forecast else None,
        days_needed=forecast.days if forecast else None,
        flips=learning.learner.evidence(rule.id).flips,
        proven_with=proven.metrics.get("e_works") if proven else None,
    )
