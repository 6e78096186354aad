"""More than one comparison: what the number of variants costs, and which survive.

Blocks need nothing of this (`race.Race` eliminates); it is for estimates and for lists against a control.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from vettle.engine.effects import e_bh
from vettle.engine.judging.elimination import MINIMUM_BLOCKS, dropouts, log_evidence_against
from vettle.engine.judging.estimates import Estimate, by_name


def split_alpha(alpha: float, comparisons: int) -> float:
    """Return the level per comparison that keeps the chance of any false one at most alpha (Bonferroni)."""
    return alpha / max(comparisons, 1)


def discoveries(e_values: Mapping[str, float], alpha: float = 0.05) -> list[str]:
    """Return the names whose e-values are discoveries, strongest first: at most a share alpha is false.

    `effects.e_bh`: under any dependence, at any time (Wang & Ramdas 2022).
    """
    names = list(e_values)
    return [names[index] for index in e_bh([e_values[name] for name in names], alpha)]


def compare_all(
    arms: Mapping[str, Sequence[float]], method: Literal["welch", "proportion"] = "welch", alpha: float = 0.05
) -> dict[tuple[str, str], Estimate]:
    """Return the estimate of a - b for all pairs (a before b), with limits that hold for all of them together."""
    pairs = list(combinations(arms, 2))
    level = split_alpha(alpha, len(pairs))
    return {(a, b): by_name(method, arms[a], arms[b], level) for a, b in pairs}


def against_control(
    arms: Mapping[str, Sequence[float]],
    control: str,
    method: Literal["welch", "proportion"] = "welch",
    alpha: float = 0.05,
) -> dict[str, Estimate]:
    """Return the estimate of challenger - control for all challengers, with limits that hold together."""
    challengers = [name for name in arms if name != control]
    level = split_alpha(alpha, len(challengers))
    return {name: by_name(method, arms[name], arms[control], level) for name in challengers}


def survivors(pairs: Mapping[tuple[str, str], Estimate], alpha: float = 0.05) -> tuple[str, ...]:
    """Return who is left after eliminating by the mean e-value against each, at 2/alpha; at least one.

    The rule of `elimination` on the e-values of estimates, counted for the leading side only and from
    8 runs of both arms on.
    """
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    log_e = np.full((len(names), len(names)), -np.inf)
    runs = np.zeros(len(names))
    for (a, b), estimate in pairs.items():
        a_, b_ = names.index(a), names.index(b)
        runs[a_], runs[b_] = estimate.n_a, estimate.n_b
        ahead, behind = (a_, b_) if estimate.interval.estimate > 0 else (b_, a_)
        if estimate.interval.estimate != 0 and estimate.e_value > 0 and estimate.runs >= MINIMUM_BLOCKS:
            log_e[ahead, behind] = np.log(estimate.e_value)
    alive = np.ones(len(names), dtype=bool)
    lost = dropouts(log_evidence_against(log_e), alive, runs >= MINIMUM_BLOCKS, alpha)
    return tuple(name for index, name in enumerate(names) if index not in lost)
