"""From runs that were not collected in blocks to the same six outcomes, by asymptotic estimates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from vettle.engine.judging import checks as look
from vettle.engine.judging.checks import Check
from vettle.engine.judging.conclusion import finish, no_data, outlook, planned_variance, without_luck
from vettle.engine.judging.elimination import MINIMUM_BLOCKS
from vettle.engine.judging.estimates import Estimate, by_name
from vettle.engine.judging.guardrails import Guardrail
from vettle.engine.judging.judgement import Judgement, Outcome, Plan
from vettle.engine.judging.multiplicity import compare_all, survivors

Samples = Mapping[str, Sequence[float | None]]


def judge_estimate(
    estimate: Estimate,
    a: str,
    b: str,
    plan: Plan,
    *,
    control: str | None = None,
    margin: float | None = None,
    checks: Sequence[Check] = (),
    guardrails: Sequence[Guardrail] = (),
) -> Judgement:
    """Judge one estimate of a - b, higher is better; `control` is `b` or None.

    A claim takes 8 runs per arm and an e-value of 1/alpha, that is, limits that exclude zero. Two
    constant arms with the same value are `equivalent` with a margin and `no_difference` without one.
    """
    if control not in (None, b):
        raise ValueError(f"the control of the difference {a!r} - {b!r} is {b!r} or None, not {control!r}")
    if min(estimate.n_a, estimate.n_b) == 0:
        return no_data(checks)
    interval, runs = estimate.interval, estimate.runs
    variance = _variance(estimate)
    log_e = math.log(estimate.e_value) if estimate.e_value > 0 else -math.inf
    planned = planned_variance(plan, variance, runs, None)
    outcome, more = outlook(plan, planned, runs, log_e, 2, interval.alpha)
    outcome = _claim(estimate, control, margin, outcome)
    ahead = None if interval.estimate == 0 else a if interval.estimate > 0 else b
    loser = {a: b, b: a}.get(ahead or "")
    draft = Judgement(
        outcome=outcome,
        leader=ahead,
        losers=(loser,) if loser is not None and outcome in ("better", "worse") else (),
        compared=(a, b),
        interval=interval,
        shrunk=without_luck(plan, interval, variance, runs),
        e_value=estimate.e_value,
        blocks=runs,
        more=more if outcome == "insufficient" else None,
        reasons=(),
        next_step="",
        asymptotic=estimate.asymptotic,
        unit="runs per arm",
    )
    noted = [*checks, Check("estimate", False, estimate.note)] if estimate.note else checks
    alpha = interval.alpha
    return finish(draft, plan, level=(a, b), margin=margin, checks=noted, guardrails=guardrails, alpha=alpha)


def _claim(estimate: Estimate, control: str | None, margin: float | None, otherwise: Outcome) -> Outcome:
    interval = estimate.interval
    if estimate.runs < MINIMUM_BLOCKS:
        return otherwise
    if estimate.e_value >= 1 / interval.alpha and interval.estimate != 0:
        return "worse" if control is not None and interval.estimate < 0 else "better"
    if margin is not None and interval.within(margin):
        return "equivalent"
    return "no_difference" if interval.low == interval.high == 0 else otherwise


def judge_samples(
    samples: Samples,
    plan: Plan,
    *,
    method: Literal["welch", "proportion"] = "welch",
    control: str | None = None,
    margin: float | None = None,
    alpha: float = 0.05,
    checks: Sequence[Check] = (),
    guardrails: Sequence[Guardrail] = (),
) -> Judgement:
    """Judge arms of independent runs, higher is better; None is a missing outcome, NaN is named and missing.

    Two arms are judged by one estimate. More are judged by eliminating at 2/alpha, with limits that
    hold for all pairs together. Missing outcomes, values that are not finite, outliers, constant arms
    and ties are checked here; pass `checks.sample_ratio` along if runs were assigned by independent
    draws. Asymptotic: false claims are at most about alpha at all looks together in large samples.
    """
    if len(samples) < 2 or (control is not None and control not in samples):
        raise ValueError(
            f"{list(samples)!r} with control {control!r}: that takes two arms, the control among them"
        )
    clean = {
        name: [value for value in column if value is not None and math.isfinite(value)]
        for name, column in samples.items()
    }
    found = [*checks, *_looks(samples, clean, method)]
    if not all(clean.values()):
        return _with_fatal(no_data(found), found)
    if len(clean) == 2:
        a, b = sorted(clean, key=lambda name: name == control)
        estimate = by_name(method, clean[a], clean[b], alpha)
        return judge_estimate(
            estimate, a, b, plan, control=control, margin=margin, checks=found, guardrails=guardrails
        )
    return _judge_many(clean, plan, method, control, margin, alpha, found, guardrails)


def _looks(samples: Samples, clean: Mapping[str, Sequence[float]], method: str) -> list[Check]:
    started = {name: len(column) for name, column in samples.items()}
    missing = {name: started[name] - len(column) for name, column in clean.items()}
    averages = {name: sum(column) / len(column) for name, column in clean.items() if column}
    found = [look.missing_outcomes(missing, started), look.not_finite(samples), look.ties(averages)]
    return found if method == "proportion" else [*found, look.outliers(clean), look.spread(clean)]


def _with_fatal(nothing: Judgement, checks: Sequence[Check]) -> Judgement:
    """Withhold also what would be "no data", if an arm lost its outcomes."""
    fatal = any(check.fatal and not check.ok for check in checks)
    return finish(nothing, Plan(1.0), checks=checks) if fatal else nothing


def _judge_many(
    clean: Mapping[str, Sequence[float]],
    plan: Plan,
    method: Literal["welch", "proportion"],
    control: str | None,
    margin: float | None,
    alpha: float,
    checks: Sequence[Check],
    guardrails: Sequence[Guardrail],
) -> Judgement:
    pairs = compare_all(clean, method, alpha)
    left = survivors(pairs, alpha)
    averages = {name: sum(column) / len(column) for name, column in clean.items()}
    ranked = sorted(left, key=lambda name: -averages[name])
    others = sorted((name for name in clean if name not in left), key=lambda name: -averages[name])
    first, second = (ranked + others)[:2]
    estimate = pairs.get((first, second)) or by_name(
        method, clean[first], clean[second], _level(pairs, alpha)
    )
    interval = estimate.interval
    runs = min(len(column) for column in clean.values())
    variance = _variance(estimate)
    log_e = math.log(estimate.e_value) if estimate.e_value > 0 else 0.0
    planned = planned_variance(plan, variance, runs, None)
    outcome, more = outlook(plan, planned, runs, log_e, len(left), alpha)
    if len(left) == 1:
        outcome = "worse" if first == control else "better"
    elif (
        margin is not None
        and runs >= MINIMUM_BLOCKS
        and all(pair.interval.within(margin) for names, pair in pairs.items() if set(names) <= set(left))
    ):
        outcome = "equivalent"
    level = tuple(name for name in left if averages[name] == averages[first])
    draft = Judgement(
        outcome=outcome,
        leader=first if len(level) == 1 else None,
        losers=tuple(others),
        compared=(first, second),
        interval=interval,
        shrunk=without_luck(plan, interval, variance, runs),
        e_value=estimate.e_value,
        blocks=runs,
        more=more if outcome == "insufficient" else None,
        reasons=(),
        next_step="",
        asymptotic=True,
        unit="runs per arm",
    )
    return finish(draft, plan, level=level, margin=margin, checks=checks, guardrails=guardrails, alpha=alpha)


def _level(pairs: Mapping[tuple[str, str], Estimate], alpha: float) -> float:
    """Return the level per pair, which the estimates carry."""
    return next((pair.interval.alpha for pair in pairs.values()), alpha)


def _variance(estimate: Estimate) -> float | None:
    """Return the variance of one difference; None while none is known or two constants are too few."""
    return estimate.standard_error**2 * estimate.runs if estimate.interval.bounded else None
