"""What runs have cost, and what showing rules costs: tokens, money and time, with the share that was wasted."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from vettle.engine import paging
from vettle.engine.analysis import calendar
from vettle.engine.analysis.spans import MOST_RUNS, Named, first_moment, named_runs
from vettle.engine.experiments.measures import rounded
from vettle.engine.project import Project
from vettle.engine.records.reports import CostsReport, DaySpending, RuleSpending, Spending
from vettle.engine.store import Transaction
from vettle.engine.store import rules as rules_table
from vettle.engine.store import sessions as sessions_table
from vettle.engine.store.folds import day

MOST_SESSIONS = 500
"""Sessions whose rules are counted."""

_MOST_GROUPS = 10
_GROUP_CHARACTERS = 4_500


def costs(project: Project, *, context: str = "", period: str = "30d") -> CostsReport:
    """Return what the runs and the rules of a period ("30d", or "all") have cost, in one context or in all."""
    with project.read() as transaction:
        since = first_moment(transaction, period)
        recorded, cut = named_runs(transaction, since=since, context=context)
        rules = rule_spending(transaction, context, since)
    notes = [f"Only the newest {MOST_RUNS:,} recordings were read: pass a shorter period."] if cut else []
    runs = list(map(_paid, recorded))
    return report(
        Spent(
            total=spending("", runs),
            unpriced=sum(not one.cost for one in runs),
            experiments=_by(runs, lambda one: one.named.experiment),
            variants=_by(runs, lambda one: one.named.variant),
            contexts=_by((one for one in runs if one.named.context), lambda one: one.named.context),
            days=_by(runs, lambda one: one.day),
        ),
        rules,
        notes,
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """What a report on costs is made of: every group there is, days by their ISO date, and runs without a cost."""

    total: Spending
    unpriced: int
    experiments: Sequence[Spending]
    variants: Sequence[Spending]
    contexts: Sequence[Spending]
    days: Sequence[Spending]


def report(spent: Spent, rules: RuleSpending, said: Sequence[str] = ()) -> CostsReport:
    """Return the report that shows the dearest of each kind; `said` is what its reader has to know first."""
    total = spent.total
    notes = ["Sessions have no token counts or cost: assistants do not tell them. The rules' are estimated."]
    notes += said
    if spent.unpriced:
        notes.append(f"{spent.unpriced} of {total.runs} runs have no cost recorded, and add nothing here.")
    if rules.sessions == MOST_SESSIONS:
        notes.append(f"Rules are counted in the newest {MOST_SESSIONS} sessions.")
    return CostsReport(
        total=total,
        wasted_share=rounded(total.wasted / total.cost) if total.cost else None,
        experiments=_dearest(spent.experiments, "experiments", notes),
        variants=_dearest(spent.variants, "variants", notes),
        contexts=_dearest(spent.contexts, "contexts", notes),
        days=_days(spent.days, notes),
        rules=rules,
        notes=notes,
    )


class Paid(NamedTuple):
    """What one run has cost, 0 where that was not said, and the UTC day on which it happened."""

    named: Named
    day: str
    tokens_in: float
    tokens_out: float
    cost: float
    duration_ms: float


def _paid(one: Named) -> Paid:
    data = one.run.data
    amounts = [float(data.get(name) or 0) for name in Paid._fields[2:]]
    return Paid(one, day(one.run.happened), *amounts)


def spending(name: str, runs: Sequence[Paid]) -> Spending:
    """Sum up what a group of runs has cost."""
    prices = [one.cost for one in runs]
    times = [one.duration_ms for one in runs]
    wasted = [one.cost for one in runs if one.named.run.status != "completed"]
    return Spending(
        name=name,
        runs=len(runs),
        failed=len(wasted),
        tokens_in=int(sum(one.tokens_in for one in runs)),
        tokens_out=int(sum(one.tokens_out for one in runs)),
        tokens_median=_middle(statistics.median, [one.tokens_in + one.tokens_out for one in runs]),
        cost=rounded(sum(prices)),
        cost_mean=_middle(statistics.fmean, prices),
        cost_median=_middle(statistics.median, prices),
        wasted=rounded(sum(wasted)),
        duration_ms=rounded(sum(times)),
        duration_mean=_middle(statistics.fmean, times),
        duration_median=_middle(statistics.median, times),
        duration_fastest=_middle(min, times),
        duration_slowest=_middle(max, times),
    )


def _middle(middle: Callable[[list[float]], float], values: Sequence[float]) -> float | None:
    """Return the mean, or what else `middle` makes, of what was measured; 0 means that it was not."""
    known = [value for value in values if value > 0]
    return rounded(middle(known)) if known else None


def _by(runs: Iterable[Paid], key: Callable[[Paid], str]) -> list[Spending]:
    groups: dict[str, list[Paid]] = {}
    for one in runs:
        groups.setdefault(key(one), []).append(one)
    return [spending(name, group) for name, group in groups.items()]


def _dearest(rows: Sequence[Spending], what: str, notes: list[str]) -> list[Spending]:
    ordered = sorted(
        rows, key=lambda row: (-row.cost, -(row.tokens_in + row.tokens_out), -row.runs, row.name)
    )
    shown = paging.fit(ordered[:_MOST_GROUPS], _GROUP_CHARACTERS)
    if len(shown) < len(ordered):
        notes.append(f"{what}: the {len(shown)} dearest of {len(ordered)} are shown.")
    return shown


def _days(rows: Sequence[Spending], notes: list[str]) -> list[DaySpending]:
    """Return the days from the first to the last with a run, the empty ones included, at most the last 31."""
    groups = {row.name: row for row in rows}
    starts = calendar.last_days(groups)
    outside = len(groups) - sum(start.isoformat() in groups for start in starts)
    if outside:
        notes.append(f"days: the last {len(starts)} are shown, {outside} earlier ones had runs too.")
    return [_day(start, groups.get(start.isoformat()) or spending("", [])) for start in starts]


def _day(start: date, every: Spending) -> DaySpending:
    return DaySpending(
        day=start,
        runs=every.runs,
        tokens=every.tokens_in + every.tokens_out,
        cost=every.cost,
    )


def rule_spending(transaction: Transaction, context: str, since: int) -> RuleSpending:
    """Estimate what the shown rules cost the sessions of the period; imported sessions were shown none."""
    found = sessions_table.newest_first(
        transaction, context=context, since=since, before=None, limit=MOST_SESSIONS
    )
    own = [session for session in found if session.decision.policy != sessions_table.IMPORTED]
    known = {rule.id: rule for rule in rules_table.every(transaction)} if own else {}
    shown = [entry.rule for one in own for entry in one.decision.slate if entry.shown and entry.rule in known]
    tokens = [(known[rule].status, paging.tokens(known[rule].text)) for rule in shown]
    trial = sum(number for status, number in tokens if status == "trial")
    return RuleSpending(
        sessions=len(own),
        tokens=rounded(sum(number for _, number in tokens) / len(own)) if own else None,
        trial_tokens=rounded(trial / len(own)) if own else None,
    )
