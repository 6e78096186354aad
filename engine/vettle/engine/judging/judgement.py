"""What a judge is told before, and what it says: the nouns of `verdict`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from vettle.engine.judging.intervals import Interval
from vettle.engine.judging.planning import Blocks
from vettle.engine.judging.shrinkage import Belief

Outcome = Literal["better", "worse", "equivalent", "no_difference", "insufficient", "invalid"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What was declared before the first run; ValueError if it makes no sense.

    Attributes:
        minimum_effect: The smallest difference worth finding, above 0, in the units of the scores.
        budget: Blocks (or runs per arm) that may be spent in all; None if there is no limit.
        expected_variance: The assumed variance of a within-block difference (or the sum of the arms'
            variances), weighed like 8 blocks against what is observed. None: no assumption, except for
            bets on utilities, where it is 0.5, the largest of two equal binary arms.
        prior_sd: The standard deviation of the prior of a difference, for the shrunk estimate. None:
            0.3 standard deviations of one difference, as if 11 blocks without a difference had been seen.
    """

    minimum_effect: float
    budget: int | None = None
    expected_variance: float | None = None
    prior_sd: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be planned with."""
        if not 0 < self.minimum_effect < math.inf:
            raise ValueError(f"the smallest effect worth finding is above 0, not {self.minimum_effect!r}")
        if self.budget is not None and self.budget < 1:
            raise ValueError(f"a budget is at least one block, not {self.budget!r}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What may be said about an experiment now, however often anyone has looked before.

    Attributes:
        outcome: `better`: `leader` is proven better than all `losers`. `worse`: the challengers, the
            `losers`, are proven worse than the control, the `leader`. `equivalent`: all that are left
            differ by less than the margin. `no_difference`: a difference of the minimum effect is not
            findable in the budget. `insufficient`: too early to tell, which is a result. `invalid`:
            the verdict is withheld, because of the data or a guardrail; more of the same will not help.
        leader: Who wins, or leads so far without having won; None if several are level or there is no data.
        losers: Who is proven to have lost.
        compared: The two names whose difference `interval` is, first minus second; None without data.
        interval: That difference with its limits.
        shrunk: The same difference with the winner's luck taken off, under the declared prior.
        e_value: The evidence for the claim, or the strongest so far for any.
        blocks: Blocks (or runs of the smaller arm) so far.
        more: How many more are needed on average and in nine of ten experiments, the latter infinite
            while no spread is known; None if nothing more is needed.
        reasons: Sentences, the most important first.
        next_step: What to do now, in words.
        blocked_by: Names of breached guardrails of the leader.
        asymptotic: Whether the guarantee needs large samples or normal differences.
        unit: What `blocks` and `more` count: "blocks", or "runs per arm" where there are no blocks.
    """

    outcome: Outcome
    leader: str | None
    losers: tuple[str, ...]
    compared: tuple[str, str] | None
    interval: Interval | None
    shrunk: Belief | None
    e_value: float
    blocks: int
    more: Blocks | None
    reasons: tuple[str, ...]
    next_step: str
    blocked_by: tuple[str, ...] = ()
    asymptotic: bool = False
    unit: Literal["blocks", "runs per arm"] = "blocks"

    def to_json(self) -> dict[str, Any]:
        """Return plain values; an infinite limit is None."""
        interval, shrunk, more = self.interval, self.shrunk, self.more
        return {
            "outcome": self.outcome,
            "leader": self.leader,
            "losers": list(self.losers),
            "compared": list(self.compared) if self.compared else None,
            "estimate": interval.estimate if interval else None,
            "low": _finite(interval.low) if interval else None,
            "high": _finite(interval.high) if interval else None,
            "alpha": interval.alpha if interval else None,
            "shrunk": shrunk.mean if shrunk else None,
            "shrunk_sd": shrunk.sd if shrunk else None,
            "e_value": self.e_value,
            "blocks": self.blocks,
            "more_mean": _whole(more.mean) if more else None,
            "more_ninetieth": _whole(more.ninetieth) if more else None,
            "reasons": list(self.reasons),
            "next_step": self.next_step,
            "blocked_by": list(self.blocked_by),
            "asymptotic": self.asymptotic,
            "unit": self.unit,
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _whole(value: float) -> int | None:
    return math.ceil(value) if math.isfinite(value) else None
