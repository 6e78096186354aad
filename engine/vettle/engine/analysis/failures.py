"""How runs fail, over all experiments: what to look at first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vettle.engine import paging, quarantine
from vettle.engine.analysis.spans import MOST_RUNS, Named, first_moment, named_runs
from vettle.engine.clock import moment
from vettle.engine.project import Project
from vettle.engine.records.reports import FailureMode, FailuresReport
from vettle.engine.store import Transaction

_MOST_AFFECTED = 3
_EXAMPLE = 200
_RECENT = 2_000


def failures(project: Project, *, context: str = "", period: str = "30d", limit: int = 20) -> FailuresReport:
    """Return the ways in which runs of a period failed ("30d", or "all"), at most `limit`, most frequent first."""
    with project.read() as transaction:
        runs, cut = named_runs(transaction, since=first_moment(transaction, period), context=context)
    notes = [f"Only the newest {MOST_RUNS:,} recordings were read."] if cut else []
    empty = FailuresReport(period=period, context=context, runs=len(runs), failed=0, modes=[], notes=notes)
    return report(empty, modes_of(runs), limit)


def report(empty: FailuresReport, modes: Sequence[FailureMode], limit: int) -> FailuresReport:
    """Return the report with the first of these ways to fail, at most `limit`; they are all there are."""
    kept, notes = paging.fit(modes[:limit]), list(empty.notes)
    if len(kept) < len(modes):
        notes.append(f"{len(kept)} of {len(modes)} ways to fail are shown.")
    return FailuresReport(
        period=empty.period,
        context=empty.context,
        runs=empty.runs,
        failed=sum(mode.count for mode in modes),
        modes=kept,
        notes=notes,
    )


def recent(transaction: Transaction, since: int, limit: int) -> list[FailureMode]:
    """Return the most frequent ways in which the newest 2,000 runs since the given time failed."""
    runs, _ = named_runs(transaction, since=since, limit=_RECENT)
    return modes_of(runs)[:limit]


def modes_of(runs: Sequence[Named]) -> list[FailureMode]:
    """Group the runs that were not completed by status and failure mode; `runs` are newest first."""
    groups: dict[tuple[str, str], list[Named]] = {}
    for one in runs:
        if one.run.status != "completed":
            groups.setdefault((one.run.status, str(one.run.data.get("failure_mode") or "")), []).append(one)
    rows = [mode(_failed(key, group), len(runs)) for key, group in groups.items()]
    return most_frequent(rows)


def most_frequent(rows: Iterable[FailureMode]) -> list[FailureMode]:
    """Return ways to fail in the order in which they are told."""
    return sorted(rows, key=lambda row: (-row.count, row.status, row.failure_mode))


@dataclass(frozen=True, slots=True)
class Failed:
    """The runs of one status and failure mode: `last` in microseconds, `example` the newest error that says anything."""

    status: str
    failure_mode: str
    count: int
    last: int
    example: str
    variants: Mapping[str, int]
    contexts: Mapping[str, int]


def _failed(key: tuple[str, str], group: Sequence[Named]) -> Failed:
    examples = (str(one.run.data.get("error") or "") for one in group)
    return Failed(
        *key,
        count=len(group),
        last=max(one.run.happened for one in group),
        example=next(filter(None, examples), ""),
        variants=Counter(one.variant for one in group),
        contexts=Counter(one.context for one in group if one.context),
    )


def mode(failed: Failed, runs: int) -> FailureMode:
    """Return one way to fail, of so many runs in all, as it may be shown."""
    example = " ".join(quarantine.redact(failed.example).split())
    return FailureMode(
        status=failed.status,  # type: ignore[arg-type]
        failure_mode=quarantine.shown(failed.failure_mode),
        count=failed.count,
        share=round(failed.count / runs, 4),
        variants=_most(failed.variants),
        contexts=_most(failed.contexts),
        last=moment(failed.last),
        example=quarantine.shown(example, _EXAMPLE),
    )


def _most(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_AFFECTED])
