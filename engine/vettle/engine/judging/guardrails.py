"""What must not get worse: a guardrail blocks a win and never makes one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from vettle.engine.judging.betting import BETS, e_value, log_growth, log_mean
from vettle.engine.wording import equation


class Guardrail:
    """Fold the harm that one variant does on one metric, and bet that it exceeds the margin.

    E = mean_c prod_t (1 + c (harm_t - margin)/(1 + margin)): above 1/alpha with probability at most
    alpha, at all looks together, while the mean harm is at most the margin (Waudby-Smith & Ramdas
    2024, section 4).

    Attributes:
        name: What is guarded, such as "tokens".
        variant: Whose harm it is.
        margin: The mean harm that is accepted, in [0, 1).
        logs: The log wealth of each bet.
        peak: The largest log e-value so far: a breach is not taken back.
        runs: How many harms were folded.
    """

    __slots__ = ("logs", "margin", "name", "peak", "runs", "variant")

    def __init__(self, name: str, variant: str, margin: float) -> None:
        if not 0 <= margin < 1:
            raise ValueError(f"the margin of guardrail {name!r} lies in [0, 1), not {margin!r}")
        self.name, self.variant, self.margin = name, variant, margin
        self.logs = np.zeros(len(BETS))
        self.peak = 0.0
        self.runs = 0

    def add(self, harm: float) -> None:
        """Fold one harm in [-1, 1]: the control's utility minus the variant's in a block, or 1 for a violation."""
        if not -1 <= harm <= 1:
            raise ValueError(f"the harm on {self.name!r} of {self.variant!r} is {harm!r}, outside [-1, 1]")
        self.logs += log_growth(np.array((harm - self.margin) / (1 + self.margin)))
        self.peak = max(self.peak, float(log_mean(self.logs)))
        self.runs += 1

    @property
    def e_value(self) -> float:
        """The largest e-value so far against "the mean harm is at most the margin"."""
        return e_value(self.peak)

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain values that `from_json` takes back without loss."""
        state = {"name": self.name, "variant": self.variant, "margin": self.margin}
        return state | {"logs": self.logs.tolist(), "peak": self.peak, "runs": self.runs}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a guardrail from `to_json`."""
        guardrail = cls(state["name"], state["variant"], state["margin"])
        guardrail.logs = np.array(state["logs"], dtype=float)
        guardrail.peak, guardrail.runs = float(state["peak"]), int(state["runs"])
        return guardrail


def breaches(guardrails: Sequence[Guardrail], alpha: float = 0.05) -> list[Guardrail]:
    """Return the breached guardrails: e-value of at least G/alpha among all G, those of other variants included."""
    claim = math.log(max(len(guardrails), 1) / alpha)
    return [guardrail for guardrail in guardrails if guardrail.peak >= claim]


def sentences(breached: Iterable[Guardrail]) -> list[str]:
    """Say for each breach what was broken, by whom, and how sure that is."""
    return [
        f"guardrail {guardrail.name!r}: {guardrail.variant!r} does more harm than the accepted "
        f"{guardrail.margin:g} ({equation(guardrail.e_value)} after {guardrail.runs} runs)"
        for guardrail in breached
    ]
