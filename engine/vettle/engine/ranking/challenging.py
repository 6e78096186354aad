"""Which value to try beside the best known one, where a bad result costs little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from vettle.engine.identifiers import canonical_json
from vettle.engine.policies.blocks import MOST_RUNS
from vettle.engine.ranking.beliefs import Difference, difference
from vettle.engine.ranking.learned import Learned
from vettle.engine.ranking.outcomes import OpenExperiment
from vettle.engine.records.ranking import Challenger, RankedVariant

_CONFIG_CHARACTERS = 400
"""The longest value that an answer spells out in the call that tries it."""


def whole_share(share: float) -> Fraction:
    """Return the nearest share that a block of runs can hold: at least 1/50, so .1 is one run in ten."""
    return max(Fraction(str(share)).limit_denominator(MOST_RUNS), Fraction(1, MOST_RUNS))


def challenger(
    learned: Learned, context: str, variants: Sequence[RankedVariant], share: float
) -> Challenger | str:
    """Return the value with the least transportation cost to the incumbent, or why there is none.

    The incumbent is the first of `variants` that was tried and is not demoted; demoted ones do not challenge.
    """
    standing = [one for one in variants if not one.demoted]
    incumbent = next((one.value for one in standing if one.tried), "")
    if not incumbent:
        return "No value has proved itself here, so there is none to challenge: try them by an experiment."
    against: dict[str, Difference] = {
        one.value: difference(learned.posterior, incumbent, one.value, context)
        for one in standing
        if one.value != incumbent
    }
    if not against:
        return f"There is no other value than {incumbent} that is not demoted."
    value = min(against, key=lambda name: (against[name].transportation_cost, against[name].mean, name))
    exact = whole_share(share)
    running = _running(learned.outcomes.open, context, {incumbent, value})
    call = {} if running else _call(learned, context, incumbent, value, exact)
    return Challenger(
        value=value,
        incumbent=incumbent,
        share=round(float(exact), 4),
        transportation_cost=round(against[value].transportation_cost, 4),
        chance_better=round(1 - against[value].chance_positive, 4),
        experiment=running,
        call=call,
        next_step=_next_step(running, call, incumbent, value),
    )


def _running(open_experiments: Sequence[OpenExperiment], context: str, values: set[str]) -> str:
    """Return the open experiment of the context that tries these values already, or ""."""
    return next((one.id for one in open_experiments if one.context == context and values <= one.values), "")


def _call(learned: Learned, context: str, incumbent: str, value: str, share: Fraction) -> dict[str, Any]:
    """Return the arguments of `experiment_create`: the context is the domain, so each may have one open."""
    variable, configs = learned.variable, learned.outcomes.configs
    if any(len(canonical_json(configs[name])) > _CONFIG_CHARACTERS for name in (incumbent, value)):
        return {}
    old, new = share.denominator - share.numerator, share.numerator
    return {
        "name": f"{variable} in {context}"[:120],
        "variants": [
            {"name": incumbent, "config": {variable: configs[incumbent]}, "control": True, "weight": old},
            {"name": value, "config": {variable: configs[value]}, "weight": new},
        ],
        "metric": {"name": "success", "direction": "higher", "kind": "binary", "minimum_effect": 0.1},
        "context": context,
        "domain": context,
        "variable": variable,
    }


def _next_step(running: str, call: Mapping[str, Any], incumbent: str, value: str) -> str:
    then = "variant_select for each piece of work, run_record with what came of it"
    if running:
        return f"Experiment {running} tries the two: {then}, and experiment_results tells the verdict."
    if call:
        return f"Call experiment_create with the arguments in call, then {then}."
    return f"Call experiment_create with the configs of {incumbent} and {value} as variants, then {then}."
