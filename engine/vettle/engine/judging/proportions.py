"""An exact e-value against "all arms have the same proportion", for counts collected in any order."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vettle.engine.judging.betting import e_value


def same_proportion_e(successes: Sequence[int], totals: Sequence[int]) -> float:
    """Return the e-value against "one proportion for all arms", at least 0 and finite.

    E = prod_a B(1 + s_a, 1 + f_a) / max_p p^s (1 - p)^f: the likelihood of every arm under a uniform
    prior over the best that a common proportion can do (universal inference: Wasserman, Ramdas &
    Balakrishnan 2020, section 8; running it costs power against small differences). It may be read
    after every observation; at 1/alpha the error is at most alpha. ValueError on impossible counts.
    """
    if len(successes) != len(totals) or any(not 0 <= s <= n for s, n in zip(successes, totals, strict=False)):
        raise ValueError(f"{list(successes)!r} successes are impossible in {list(totals)!r} runs")
    arms = sum(_log_beta(1 + s, 1 + n - s) for s, n in zip(successes, totals, strict=True))
    total, hits = sum(totals), sum(successes)
    pooled = sum(k * math.log(k / total) for k in (hits, total - hits) if k)
    return e_value(arms - pooled)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
