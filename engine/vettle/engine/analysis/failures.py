"""How runs fail, over all experiments: what to look at first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

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
    modes = modes_of(runs)
    notes = [f"Only the newest {MOST_RUNS:,} recordings were read."] if cut else []
    kept = paging.fit(modes[:limit])
    if len(kept) < len(modes):
        notes.append(f"{len(kept)} of {len(modes)} ways to fail are shown.")
    return FailuresReport(
        period=period,
        context=context,
        runs=len(runs),
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
    rows = [_mode(key, group, len(runs)) for key, group in groups.items()]
    return sorted(rows, key=lambda row: (-row.count, row.status, row.failure_mode))


def _mode(key: tuple[str, str], group: Sequence[Named], runs: int) -> FailureMode:
    examples = (str(one.run.data.get("error") or "") for one in group)
    example = " ".join(quarantine.redact(next(filter(None, examples), "")).split())
    return FailureMode(
        status=key[0],  # type: ignore[arg-type]
        failure_mode=quarantine.shown(key[1]),
        count=len(group),
        share=round(len(group) / runs, 4),
        variants=_most(Counter(one.variant for one in group)),
        contexts=_most(Counter(one.context for one in group if one.context)),
        last=moment(max(one.run.happened for one in group)),
        example=quarantine.shown(example, _EXAMPLE),
    )


def _most(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_AFFECTED])
