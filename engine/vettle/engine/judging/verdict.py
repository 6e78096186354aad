"""From a race to one of six outcomes, with a reason and a next step that a tired person understands.

A winner is whoever an e-process names, never the highest average. Data that cannot be trusted and
breached guardrails withhold the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vettle.engine.judging.betting import e_value
from vettle.engine.judging.checks import Check
from vettle.engine.judging.conclusion import finish, no_data, outlook, planned_variance, without_luck
from vettle.engine.judging.elimination import MINIMUM_BLOCKS, log_evidence_against
from vettle.engine.judging.guardrails import Guardrail
from vettle.engine.judging.judgement import Judgement, Outcome, Plan
from vettle.engine.judging.planning import Blocks
from vettle.engine.judging.race import Race

WORST_VARIANCE = 0.5
"""The largest variance of the difference of two equal binary arms."""


def judge_race(
    race: Race,
    plan: Plan,
    *,
    control: str | None = None,
    checks: Sequence[Check] = (),
    guardrails: Sequence[Guardrail] = (),
) -> Judgement:
    """Judge a race for the best variant; with a control, its victory over all others reads "worse".

    The chance of a false `better` or `worse` is at most the race's alpha at all looks together (exact
    for a `BettingRace`, for normal differences in a `MixtureRace`), of a false `equivalent` as well.
    """
    if control is not None:
        race.index(control)
    if race.blocks == 0:
        return no_data(checks)
    pair, winner = _compared(race, control), race.winner
    outcome, more = _outlook(race, plan, pair, _hardest(race), len(race.survivors), race.alpha)
    if winner is not None:
        outcome = "worse" if winner == control else "better"
    elif race.tie:
        outcome = "equivalent"
    logs = [race.log_against(name) for name in (race.survivors if winner is None else race.eliminated)]
    leaders = race.leaders
    interval = race.interval(*pair)
    draft = Judgement(
        outcome=outcome,
        leader=leaders[0] if len(leaders) == 1 else None,
        losers=tuple(race.eliminated),
        compared=pair,
        interval=interval,
        shrunk=without_luck(plan, interval, race.variance(*pair), race.together(*pair)),
        e_value=e_value(max(logs) if winner is None else min(logs)),
        blocks=race.blocks,
        more=more if outcome == "insufficient" else None,
        reasons=(),
        next_step="",
        asymptotic=race.asymptotic,
    )
    return finish(
        draft,
        plan,
        level=leaders,
        margin=race.margin,
        checks=[*checks, *_constant(race, pair)],
        guardrails=guardrails,
        alpha=race.alpha,
    )


def judge_each(
    race: Race,
    control: str,
    plan: Plan,
    *,
    checks: Sequence[Check] = (),
    guardrails: Sequence[Guardrail] = (),
) -> dict[str, Judgement]:
    """Judge every challenger against one control: better, worse, equivalent or too early.

    A claim takes an e-value of 2 (K - 1)/alpha now, so the chance that any is false, in either
    direction, is at most alpha at all looks together; equivalence is wrong with at most alpha per
    challenger. It does not matter here whether the race eliminated a challenger against another one.
    """
    race.index(control)
    challengers = [name for name in race.variants if name != control]
    return {name: _judge_challenger(race, name, control, plan, checks, guardrails) for name in challengers}


def _judge_challenger(
    race: Race, name: str, control: str, plan: Plan, checks: Sequence[Check], guardrails: Sequence[Guardrail]
) -> Judgement:
    pair, blocks = (name, control), race.together(name, control)
    if blocks == 0:
        return no_data(checks)
    comparisons = len(race.variants) - 1
    level = race.alpha / comparisons
    row, column = race.index(name), race.index(control)
    log_e = race.log_e()
    strongest = float(max(log_e[row, column], log_e[column, row]))
    outcome, more = _outlook(race, plan, pair, strongest, 2, level)
    if race.beats(name, control, comparisons):
        outcome = "better"
    elif race.beats(control, name, comparisons):
        outcome = "worse"
    elif race.margin is not None and blocks >= MINIMUM_BLOCKS and race.level(name, control):
        outcome = "equivalent"
    interval = race.interval(name, control, level)
    losers = {"better": (control,), "worse": (name,)}.get(outcome, ())
    ahead = name if interval.estimate > 0 else control
    draft = Judgement(
        outcome=outcome,
        leader={"better": name, "worse": control}.get(outcome, ahead if interval.estimate else None),
        losers=losers,
        compared=pair,
        interval=interval,
        shrunk=without_luck(plan, interval, race.variance(*pair), blocks),
        e_value=e_value(strongest),
        blocks=blocks,
        more=more if outcome == "insufficient" else None,
        reasons=(),
        next_step="",
        asymptotic=race.asymptotic,
    )
    return finish(
        draft,
        plan,
        level=pair,
        margin=race.margin,
        checks=[*checks, *_constant(race, pair)],
        guardrails=guardrails,
        alpha=race.alpha,
    )


# --- parts --------------------------------------------------------------------------------------


def _outlook(
    race: Race, plan: Plan, pair: tuple[str, str], log_e: float, variants: int, alpha: float
) -> tuple[Outcome, Blocks]:
    """Return whether it is too early or futile, and what is left; bets assume the worst variance."""
    blocks = race.together(*pair)
    fallback = None if race.asymptotic else WORST_VARIANCE
    variance = planned_variance(plan, race.variance(*pair), blocks, fallback)
    return outlook(plan, variance, blocks, log_e, variants, alpha)


def _compared(race: Race, control: str | None) -> tuple[str, str]:
    """Return whose difference is shown: challenger and control of two, otherwise the best two left."""
    if control is not None and len(race.variants) == 2:
        return next(name for name in race.variants if name != control), control
    alive = race.survivors
    lead = {name: sum(race.means[race.index(name), race.index(other)] for other in alive) for name in alive}
    ranked = sorted(alive, key=lambda name: (-lead[name], race.index(name)))
    if len(ranked) > 1:
        return ranked[0], ranked[1]
    row = race.index(ranked[0])
    closest = min(race.eliminated, key=lambda name: race.means[row, race.index(name)])
    return ranked[0], closest


def _hardest(race: Race) -> float:
    """Return the log evidence against the survivor that will be eliminated last but for the winner."""
    against = log_evidence_against(race.log_e())
    alive = sorted(float(against[race.index(name)]) for name in race.survivors)
    return float(np.asarray(alive)[min(1, len(alive) - 1)])


def _constant(race: Race, pair: tuple[str, str]) -> list[Check]:
    """Say so if a difference never varies: then nothing but its constancy supports the limits."""
    difference = race.interval(*pair).estimate
    if race.variance(*pair) != 0 or difference == 0:
        return []
    return [Check("spread", False, f"deterministic difference: always {difference:g}, in every block")]
