"""How well founded a rule is, in one word beside its numbers: speculative, provisional, stable or entrenched.

The word never says more than the verdict does. Only an e-value makes a rule entrenched, as only an e-value
may claim that it works, and what nobody tried is speculative, whoever believes in it.
"""

from __future__ import annotations

from vettle.engine.effects import CLAIM, EARLY_SHOWINGS, PROMISING
from vettle.engine.records import Estimate, RuleStatus
from vettle.engine.records.rules import Confidence
from vettle.engine.store import Transaction
from vettle.engine.store.moments import stats

TRIED = 10
"""Sessions that showed or withheld a rule before it is provisional without having been found again."""


def of(status: RuleStatus, estimate: Estimate, found_again: int = 0) -> Confidence:
    """Return the word for a rule.

    | word | when |
    |---|---|
    | entrenched | it is proven, or its e-value that it works is at least 20 |
    | stable | shown at least 30 times, and the chance that it helps is at least 80 % ("promising") |
    | provisional | more likely to help than not; shown, and tried 10 times or found again |
    | speculative | all others: never shown, unlikely to help, proven to hurt, quarantined, retired |

    `found_again` counts later findings of the rule in reviews and journals. They make a rule that was tried
    more credible, and an untried one not: many reviewers can be wrong together.
    """
    tried = estimate.shown + estimate.withheld
    if status in ("quarantined", "retired"):
        return "speculative"
    if status == "proven" or estimate.e_works >= CLAIM:
        return "entrenched"
    if not estimate.shown or estimate.e_hurts >= CLAIM or estimate.chance_helps < 0.5:
        return "speculative"
    if estimate.shown >= EARLY_SHOWINGS and estimate.chance_helps >= PROMISING:
        return "stable"
    return "provisional" if tried >= TRIED or found_again else "speculative"


def found_again(transaction: Transaction) -> dict[str, int]:
    """Return how often each rule was found again after it was added; rules that never were are left out."""
    times: dict[str, int] = {}
    for stat in stats(transaction, "support"):
        times[stat.a] = times.get(stat.a, 0) + round(stat.moments.total)
    return times
