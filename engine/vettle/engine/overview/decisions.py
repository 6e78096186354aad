"""What was decided about rules and experiments, newest first."""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import JsonValue

from vettle.engine.clock import moment
from vettle.engine.project import Project
from vettle.engine.records.overview import DecisionTaken
from vettle.engine.store import Transaction, events
from vettle.engine.store import experiments as experiments_table
from vettle.engine.store import rules as rules_table
from vettle.engine.store.events import Event

MOST_DECISIONS = 40

_VERDICT = ("outcome", "leader", "estimate", "low", "high", "e_value", "blocks")
"""What a frozen verdict says of the evidence."""


def taken(project: Project) -> list[DecisionTaken]:
    """Return the newest changes of status, of rules by evidence and by persons, and of experiments."""
    with project.read() as transaction:
        found = [
            *map(
                partial(_of_rule, transaction),
                events.newest(transaction, "rule_decided", limit=MOST_DECISIONS),
            ),
            *map(
                partial(_of_experiment, transaction),
                events.newest(transaction, "experiment_decided", limit=MOST_DECISIONS),
            ),
        ]
    return sorted(found, key=lambda one: one.when, reverse=True)[:MOST_DECISIONS]


def _of_rule(transaction: Transaction, event: Event) -> DecisionTaken:
    rule = rules_table.get(transaction, event.subject)
    # The text of what waits for a person is shown only where that person decides.
    shown = rule is not None and rule.status != "quarantined"
    return _taken(event, "rule", rule.text if rule and shown else event.subject, dict(event.metrics))


def _of_experiment(transaction: Transaction, event: Event) -> DecisionTaken:
    found = experiments_table.get(transaction, event.subject)
    verdict = event.data.get("verdict") or {}
    evidence = {name: verdict[name] for name in _VERDICT if verdict.get(name) is not None}
    return _taken(event, "experiment", found.name if found else event.subject, evidence)


def _taken(
    event: Event, kind: Literal["rule", "experiment"], title: str, evidence: dict[str, JsonValue]
) -> DecisionTaken:
    return DecisionTaken(
        when=moment(event.ts),
        kind=kind,
        subject=event.subject,
        title=title,
        old=event.data["old"],
        new=event.data["new"],
        by=event.data["by"],
        reason=event.data["reason"],
        evidence=evidence,
    )
