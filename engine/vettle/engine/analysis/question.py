"""What may be asked of an experiment's numbers, whichever engine counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vettle.engine.records import SeriesInterval


@dataclass(frozen=True, slots=True)
class Question:
    """The arguments of `vettle.engine.experiments.results.results`, which says what they mean."""

    experiment: str
    metric: str = ""
    by: Sequence[str] = ()
    interval: SeriesInterval | Literal[""] = ""
    limit: int = 20
