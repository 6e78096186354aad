"""What every judge does last: the outlook, the vetoes, and the words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from vettle.engine.judging.checks import Check
from vettle.engine.judging.elimination import MINIMUM_BLOCKS
from vettle.engine.judging.guardrails import Guardrail, breaches, sentences
from vettle.engine.judging.intervals import Interval
from vettle.engine.judging.judgement import Judgement, Outcome, Plan
from vettle.engine.judging.mixture import EFFECT_SCALE
from vettle.engine.judging.planning import Blocks, blocks_left, blocks_needed
from vettle.engine.judging.shrinkage import Belief, shrunk
from vettle.engine.wording import equation

ASSUMPTION_WEIGHT = 8
"""How many observed blocks the assumed variance weighs as much as."""


def planned_variance(plan: Plan, observed: float | None, blocks: int, fallback: float | None) -> float | None:
    """Return the variance to plan with: assumed and observed, weighed 8 to blocks - 1; None if unknown."""
    assumed = fallback if plan.expected_variance is None else plan.expected_variance
    if observed is None or assumed is None:
        return assumed if observed is None else observed
    weight = blocks - 1
    return (ASSUMPTION_WEIGHT * assumed + weight * observed) / (ASSUMPTION_WEIGHT + weight)


def outlook(
    plan: Plan, variance: float | None, blocks: int, log_e: float, variants: int, alpha: float
) -> tuple[Outcome, Blocks]:
    """Return `insufficient` or, if the budget cannot buy the minimum effect, `no_difference`, and what is left.

    `blocks_left` at the declared minimum effect, and never less than the minimum of 8 blocks in all.
    """
    floor = max(MINIMUM_BLOCKS - blocks, 1)
    if variance is None:
        return "insufficient", Blocks(floor, math.inf)
    needed = blocks_needed(plan.minimum_effect, variance, variants, alpha)
    more = Blocks(*(max(blocks_left(n, log_e, alpha), floor) for n in needed))
    if plan.budget is None or blocks < min(MINIMUM_BLOCKS, plan.budget):
        return "insufficient", more
    return ("no_difference" if more.mean > plan.budget - blocks else "insufficient"), more


def without_luck(plan: Plan, interval: Interval, variance: float | None, blocks: int) -> Belief | None:
    """Return the shrunk difference; None while its spread is unknown."""
    if variance is None or blocks == 0:
        return None
    prior = EFFECT_SCALE * math.sqrt(variance) if plan.prior_sd is None else plan.prior_sd
    return shrunk(interval.estimate, math.sqrt(variance / blocks), prior)


def no_data(checks: Sequence[Check]) -> Judgement:
    """Say that there is nothing to judge, which is never a verdict."""
    failed = tuple(check.detail for check in checks if not check.ok)
    reasons = ("no data: no two variants have a run with an outcome yet", *failed)
    step = f"run at least {MINIMUM_BLOCKS} blocks, each with every variant once"
    return Judgement("insufficient", None, (), None, None, None, 1.0, 0, None, reasons, step)


def finish(
    draft: Judgement,
    plan: Plan,
    *,
    level: Sequence[str] = (),
    margin: float | None = None,
    checks: Sequence[Check] = (),
    guardrails: Sequence[Guardrail] = (),
    alpha: float = 0.05,
) -> Judgement:
    """Apply the vetoes to a draft and put it into words.

    A fatal check withholds whatever the outcome is; a breached guardrail of the leader withholds
    `better`. Failed checks and breaches are reasons in any case.
    """
    fatal = [check.detail for check in checks if check.fatal and not check.ok]
    minor = [check.detail for check in checks if not check.fatal and not check.ok]
    breached = breaches(guardrails, alpha)
    words = sentences(breached)
    blocked = tuple(dict.fromkeys(g.name for g in breached if g.variant == draft.leader))
    if fatal:
        reasons = ("the verdict is withheld, because the data cannot be trusted", *fatal, *minor, *words)
        step = "find and repair the cause, then start a new experiment; more of the same runs will not help"
        return replace(
            draft, outcome="invalid", leader=None, losers=(), more=None, reasons=reasons, next_step=step
        )
    said = _reason(draft, plan, level, margin)
    if draft.outcome == "better" and blocked:
        reasons = ("the win is withheld, because a guardrail is breached", *words, said, *minor)
        step = f"do not adopt {draft.leader!r}: repair what it harms, or let a person accept the harm"
        return replace(
            draft, outcome="invalid", reasons=reasons, next_step=step, more=None, blocked_by=blocked
        )
    reasons = (said, *words, *minor)
    return replace(draft, reasons=reasons, next_step=_next_step(draft), blocked_by=blocked)


def _reason(draft: Judgement, plan: Plan, level: Sequence[str], margin: float | None) -> str:
    numbers = _numbers(draft)
    if draft.outcome == "better":
        return f"{draft.leader!r} is better than {_names(draft.losers)}; {numbers}"
    if draft.outcome == "worse":
        return f"{_names(draft.losers)} did worse than the control {draft.leader!r}; {numbers}"
    if draft.outcome == "equivalent":
        return f"all that are left differ by less than the margin {margin:g}; {numbers}"
    if draft.outcome == "no_difference" and draft.interval and draft.interval.low == draft.interval.high:
        return f"no run shows any difference; {numbers}"
    if draft.outcome == "no_difference":
        return f"no difference of {plan.minimum_effect:g} is findable in the budget; {numbers}"
    if draft.blocks < MINIMUM_BLOCKS:
        return f"too early: {draft.blocks} of at least {MINIMUM_BLOCKS} {draft.unit}; {numbers}"
    if draft.leader is None and level:
        return f"too early to tell: {_names(level)} are level; {numbers}"
    return f"too early to tell: {draft.leader!r} leads, which proves nothing; {numbers}"


def _numbers(draft: Judgement) -> str:
    if draft.compared is None or draft.interval is None:
        return "nothing is known yet"
    interval, (a, b) = draft.interval, draft.compared
    limits = f"{100 * (1 - interval.alpha):.3g} % interval {interval.low:+.3g} to {interval.high:+.3g}"
    guarantee = "in large samples, at any time" if draft.asymptotic else "valid at any time"
    return f"{a!r} minus {b!r} is {interval.estimate:+.3g} ({limits}; {equation(draft.e_value)}; {guarantee})"


def _next_step(draft: Judgement) -> str:
    if draft.outcome == "better":
        return f"adopt {draft.leader!r}, and watch whether it stays as good"
    if draft.outcome == "worse":
        return f"keep {draft.leader!r}"
    if draft.outcome == "equivalent":
        return "take the cheaper or simpler one"
    if draft.outcome == "no_difference":
        return (
            "stop and keep what you have, or declare a larger effect or a larger budget in a new experiment"
        )
    if draft.more is None or not math.isfinite(draft.more.ninetieth):
        return f"run until there are at least {MINIMUM_BLOCKS} {draft.unit}, then ask again"
    mean, ninetieth = (math.ceil(blocks) for blocks in draft.more)
    few = f"nine of ten experiments need at most {ninetieth:,}"
    return f"run about {mean:,} more {draft.unit} ({few}), then ask again"


def _names(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
