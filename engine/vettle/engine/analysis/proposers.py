"""How well the proposals of each proposer have done, so that promises can be weighed by what came of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

from vettle.engine.analysis.known import Known
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.lifecycle import OPEN
from vettle.engine.experiments.measures import rounded
from vettle.engine.records.evidence import ProposerRecord

Result = Literal["won", "lost", "no_difference", "open", "untold"]


def records(experiments: Sequence[Known]) -> list[ProposerRecord]:
    """Return the record of every proposer that an experiment names, the most proposals first."""
    groups: dict[str, list[Known]] = {}
    for one in experiments:
        if one.proposer:
            groups.setdefault(one.proposer, []).append(one)
    rows = [_record(name, group) for name, group in groups.items()]
    return sorted(rows, key=lambda row: (-row.proposed, row.proposer))


def _record(proposer: str, experiments: Sequence[Known]) -> ProposerRecord:
    results = [result_of(one) for one in experiments]
    ratios = [
        effect / one.expected_effect
        for one in experiments
        if one.expected_effect and (effect := realised(one)) is not None
    ]
    return ProposerRecord(
        proposer=proposer,
        proposed=len(experiments),
        won=results.count("won"),
        lost=results.count("lost"),
        no_difference=results.count("no_difference"),
        open=results.count("open"),
        realised=rounded(statistics.fmean(ratios)) if ratios else None,
    )


def result_of(one: Known) -> Result:
    """Tell what came of a proposal: the control, where there is one, is what it had to beat."""
    if one.row.state in OPEN:
        return "open"
    if one.winner:
        return "lost" if one.winner == _control(one) else "won"
    return "no_difference" if one.outcome in ("equivalent", "no_difference") else "untold"


def realised(one: Known) -> float | None:
    """Return the effect that was found once a proposal is over, what was proposed minus the control.

    It is in the metric's unit, as what was expected is, and higher is better; in utilities where several
    metrics decide.
    """
    effect = one.said.get("estimate")
    if effect is None or result_of(one) in ("open", "untold"):
        return None
    first = (one.said.get("compared") or [""])[0]
    sign = -1.0 if first and first == _control(one) else 1.0
    return sign * float(effect) * _unit(one.design)


def _unit(design: Design) -> float:
    """Return how much of the metric one unit of the verdict's differences is."""
    metric = design.metrics[0]
    if design.metric.components or metric.low is None or metric.high is None:
        return 1.0
    return metric.high - metric.low


def _control(one: Known) -> str:
    return one.design.names.get(one.design.control, "")
