"""Costs and failures over every recording of a period, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vettle.engine.analysis import costs as default_costs
from vettle.engine.analysis import failures as default_failures
from vettle.engine.analysis.costs import Spent
from vettle.engine.analysis.failures import Failed
from vettle.engine.analysis.spans import Names, first_moment
from vettle.engine.clickhouse.plan import TABLE, Engine, Plan
from vettle.engine.clock import DAY
from vettle.engine.experiments.measures import rounded
from vettle.engine.project import Project
from vettle.engine.records.reports import CostsReport, FailuresReport, Spending
from vettle.engine.store import Transaction
from vettle.engine.store.folds import day
from vettle.engine.store.pages import recordings

_COLUMNS = {
    "event": "Int64",
    "ts": "Int64",
    "happened": "Int64",
    "wanted": "UInt8",
    "experiment_id": "String",
    "unit": "String",
    "experiment": "String",
    "variant": "String",
    "context": "String",
    "status": "String",
    "failure_mode": "String",
    "error": "String",
    "tokens_in": "Float64",
    "tokens_out": "Float64",
    "cost": "Float64",
    "duration_ms": "Float64",
}
_AMOUNTS = ("tokens_in", "tokens_out", "cost", "duration_ms")

# Of a unit that was recorded again the last recording counts, and only then whether it is of the period and context.
_RUNS = f"""(SELECT *, intDiv(happened - positiveModulo(happened, {DAY}), {DAY}) AS day FROM
 (SELECT * FROM {TABLE} ORDER BY ts DESC, event DESC LIMIT 1 BY experiment_id, unit) WHERE wanted)"""  # noqa: S608 - constants

_SUMS = f"""count(), countIf(status<>'completed'), sumKahan(tokens_in), sumKahan(tokens_out),
 quantileExactInclusiveOrNullIf(0.5)(tokens_in+tokens_out, tokens_in+tokens_out>0),
 sumKahan(cost), sumKahanIf(cost, cost>0)/nullIf(countIf(cost>0), 0),
 quantileExactInclusiveOrNullIf(0.5)(cost, cost>0), sumKahanIf(cost, status<>'completed'),
 sumKahan(duration_ms), sumKahanIf(duration_ms, duration_ms>0)/nullIf(countIf(duration_ms>0), 0),
 quantileExactInclusiveOrNullIf(0.5)(duration_ms, duration_ms>0),
 minOrNullIf(duration_ms, duration_ms>0), maxOrNullIf(duration_ms, duration_ms>0) FROM {_RUNS}"""

_FAILED = f"FROM {_RUNS} WHERE status<>'completed'"


def _affected(column: str) -> str:
    return (
        f"SELECT status, failure_mode, {column}, count() AS n {_FAILED} AND {column}<>''"
        f" GROUP BY status, failure_mode, {column} ORDER BY n DESC, {column} LIMIT 3 BY status, failure_mode"
    )


_COSTS = {
    "total": f"SELECT '', {_SUMS}",
    "unpriced": f"SELECT countIf(cost=0) FROM {_RUNS}",  # noqa: S608 - constants
    "experiments": f"SELECT experiment, {_SUMS} GROUP BY experiment",
    "variants": f"SELECT variant, {_SUMS} GROUP BY variant",
    "contexts": f"SELECT context, {_SUMS} WHERE context<>'' GROUP BY context",
    "days": f"SELECT day, {_SUMS} GROUP BY day",
}
_FAILURES = {
    "runs": f"SELECT count() FROM {_RUNS}",  # noqa: S608 - constants
    "modes": (
        "SELECT status, failure_mode, count(), max(happened),"
        f" argMaxIf(error, (ts, event), error<>'') {_FAILED}"
        " GROUP BY status, failure_mode ORDER BY max((ts, event)) DESC"
    ),
    "variants": _affected("variant"),
    "contexts": _affected("context"),
}


def _rows(transaction: Transaction, since: int, context: str) -> Iterator[Sequence[Any]]:
    names = Names(transaction)
    for one in recordings(transaction, since=since):
        named, data = names.of(one.run), one.run.data
        wanted = one.run.happened >= since and context in ("", named.context)
        yield (
            *(one.event, one.ts, one.run.happened, int(wanted), one.run.experiment, one.run.unit),
            *(named.experiment, named.variant, named.context, one.run.status),
            *(str(data.get(name) or "") for name in ("failure_mode", "error")),
            *(float(data.get(name) or 0) for name in _AMOUNTS),
        )


def costs(project: Project, engine: Engine, *, context: str = "", period: str = "30d") -> CostsReport:
    """Return what `vettle.engine.analysis.costs.costs` does, from all recordings of the period."""
    with project.read() as transaction:
        since = first_moment(transaction, period)
        plan = Plan(_COLUMNS, lambda reader: _rows(reader, since, context), _COSTS)
        found = engine.ask(transaction, plan)
        rules = default_costs.rule_spending(transaction, context, since)
    spent = Spent(
        total=_spending(found["total"][0]),
        unpriced=found["unpriced"][0][0],
        experiments=list(map(_spending, found["experiments"])),
        variants=list(map(_spending, found["variants"])),
        contexts=list(map(_spending, found["contexts"])),
        days=[_spending([day(row[0] * DAY), *row[1:]]) for row in found["days"]],
    )
    return default_costs.report(spent, rules)


def _spending(row: Sequence[Any]) -> Spending:
    name, runs, failed, tokens_in, tokens_out, *amounts = row
    tokens_median, cost, cost_mean, cost_median, wasted, total, mean, median, fastest, slowest = (
        None if amount is None else rounded(amount) for amount in amounts
    )
    return Spending(
        name=name,
        runs=runs,
        failed=failed,
        tokens_in=int(tokens_in),
        tokens_out=int(tokens_out),
        tokens_median=tokens_median,
        cost=cost or 0.0,
        cost_mean=cost_mean,
        cost_median=cost_median,
        wasted=wasted or 0.0,
        duration_ms=total or 0.0,
        duration_mean=mean,
        duration_median=median,
        duration_fastest=fastest,
        duration_slowest=slowest,
    )


def failures(
    project: Project, engine: Engine, *, context: str = "", period: str = "30d", limit: int = 20
) -> FailuresReport:
    """Return what `vettle.engine.analysis.failures.failures` does, from all recordings of the period."""
    with project.read() as transaction:
        since = first_moment(transaction, period)
        plan = Plan(_COLUMNS, lambda reader: _rows(reader, since, context), _FAILURES)
        found = engine.ask(transaction, plan)
    affected: dict[tuple[str, str, str], dict[str, int]] = {}
    for what in ("variants", "contexts"):
        for status, failure_mode, name, count in found[what]:
            affected.setdefault((what, status, failure_mode), {})[name] = count
    runs = found["runs"][0][0]
    modes = [
        default_failures.mode(
            Failed(
                *(status, failure_mode, count, last, example),
                variants=affected[("variants", status, failure_mode)],
                contexts=affected.get(("contexts", status, failure_mode), {}),
            ),
            runs,
        )
        for status, failure_mode, count, last, example in found["modes"]
    ]
    empty = FailuresReport(period=period, context=context, runs=runs, failed=0, modes=[])
    return default_failures.report(empty, default_failures.most_frequent(modes), limit)
