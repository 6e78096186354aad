"""Results of outside systems (CI, spreadsheets, platforms) as runs of an experiment.

An adapter is a class with the three methods of `DomainAdapter`, found through the entry point group
"vettle.adapters": a package that declares one there adds a domain without a change here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from vettle.engine.experiments.design import MetricInput
from vettle.engine.experiments.runs import RunInput


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that the outside system measured: what it says, as it says it, and where ("report.csv:7")."""

    place: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signal:
    """One item, or several of one unit, as a run; `place` is where its first item stands.

    A unit and a variant that the source does not know are "", and come from whoever collects.
    """

    place: str
    run: RunInput


@runtime_checkable
class DomainAdapter(Protocol):
    """What a domain has to say: where its numbers are, what they mean, and how to speak of them.

    `metrics` describes the metrics that it makes, ready to be the metric of an experiment.
    """

    metrics: tuple[MetricInput, ...]

    def collect(self, sources: Sequence[Path]) -> list[Item]:
        """Read what was measured from files that somebody names, in order; invent nothing.

        Raises:
            SourceDamaged: A file cannot be read as what it should be, with its line.
        """
        ...

    def signals(self, items: Sequence[Item]) -> list[Signal]:
        """Turn items into runs. A number that is missing stays missing (null), and is never 0.

        Raises:
            SourceDamaged: An item has a value that means nothing, with its place.
        """
        ...

    def context(self, top: Sequence[Signal], bottom: Sequence[Signal]) -> str:
        """Describe the best and the worst runs in a few lines, for whoever proposes what to try next."""
        ...
