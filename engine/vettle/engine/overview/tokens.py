"""What rules cost their readers, and what retiring some of them saves."""

from __future__ import annotations

from collections import Counter

from vettle.engine import paging, standings
from vettle.engine.analysis.costs import rule_spending
from vettle.engine.clock import DAY
from vettle.engine.project import Project
from vettle.engine.records.overview import RuleTokens
from vettle.engine.store import Transaction, events
from vettle.engine.store import rules as table
from vettle.engine.store import sessions as sessions_table
from vettle.engine.store.folds import day
from vettle.engine.store.moments import stats


def of_rules(project: Project) -> RuleTokens:
    """Estimate the tokens that sessions pay for rules, and those that they are spared."""
    with project.read() as transaction:
        every = table.every(transaction)
        rendered = [rule for rule in every if rule.status in standings.RENDERED]
        retired = [rule for rule in every if rule.status == "retired"]
        return RuleTokens(
            rendered=sum(paging.tokens(rule.text) for rule in rendered),
            rendered_rules=len(rendered),
            trial=rule_spending(transaction, "", 0).trial_tokens,
            retired=sum(paging.tokens(rule.text) for rule in retired),
            retired_rules=len(retired),
            saved=_saved(transaction, {rule.id: paging.tokens(rule.text) for rule in retired}),
            candidates=sum(paging.tokens(rule.text) for rule in every if rule.status != "quarantined"),
        )


_MOST_DECISIONS = 10_000


def _saved(transaction: Transaction, retired: dict[str, int]) -> int:
    """Sum up the tokens of each retired rule over the sessions that began since it was retired."""
    since: dict[str, int] = {}
    for event in events.newest(transaction, "rule_decided", limit=_MOST_DECISIONS) if retired else ():
        if event.subject in retired:
            since.setdefault(event.subject, event.ts)
    started: Counter[str] = Counter()
    for stat in stats(transaction, "session"):
        if stat.metric == "started":
            started[stat.a] += round(stat.moments.n)
    return sum(
        retired[rule_id] * (_same_day(transaction, ts) + _later_days(started, day(ts)))
        for rule_id, ts in since.items()
    )


def _same_day(transaction: Transaction, ts: int) -> int:
    return sessions_table.count_started(transaction, after=ts, before=(ts // DAY + 1) * DAY)


def _later_days(started: Counter[str], today: str) -> int:
    return sum(number for name, number in started.items() if name > today)
