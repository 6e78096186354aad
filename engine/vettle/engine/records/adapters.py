"""What an adapter brought from an outside system."""

from __future__ import annotations

from vettle.engine.records.base import Record
from vettle.engine.records.experiments import RunRefused


class CollectedRun(Record):
    """One run as an adapter made it; a metric that is null was not measured."""

    place: str
    unit: str
    variant: str
    metrics: dict[str, float | None]


class AdapterMetric(Record):
    """A metric that an adapter makes, ready to be the metric of an experiment."""

    name: str
    direction: str
    kind: str
    range: list[float]


class Collected(Record):
    """What was collected: all rows recorded, or none and why.

    `refused` rows count from 0, as `runs` do, and the reason of each begins with its place.
    `runs` shows the first of `items`. `context` describes the best and the worst of them.
    """

    adapter: str
    experiment_id: str
    items: int
    accepted: int
    updated: int
    refused: list[RunRefused]
    runs: list[CollectedRun]
    context: str
    applied: bool
    notes: list[str] = []
    next_step: str


class Adapters(Record):
    """The adapters there are, each with the metrics that it makes (none where its rows decide)."""

    adapters: dict[str, list[AdapterMetric]]
