"""The verdict on an experiment at this moment, which stays true however often anybody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vettle.engine.experiments import planning
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.evidence import Evidence, gather
from vettle.engine.judging import checks as looks
from vettle.engine.judging.blocks import BettingRace
from vettle.engine.judging.checks import Check
from vettle.engine.judging.guardrails import Guardrail
from vettle.engine.judging.judgement import Judgement, Plan
from vettle.engine.judging.mixture import MixtureRace
from vettle.engine.judging.race import Race
from vettle.engine.judging.verdict import judge_each, judge_race
from vettle.engine.judging.verdict_samples import judge_samples
from vettle.engine.store import Transaction
from vettle.engine.store.experiments import Experiment

ALPHA = 0.05
"""The chance of a wrong winner that is accepted, over all looks together."""

_SMALL_EFFECT = 0.1
"""The minimum effect that is planned with where none is declared, as a share of the range or of one spread."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement with what it was made from. `challengers` has one each where there is a control."""

    design: Design
    evidence: Evidence
    judgement: Judgement
    challengers: dict[str, Judgement]
    checks: tuple[Check, ...]
    race: Race | None


def of(
    transaction: Transaction, experiment: Experiment, *, alpha: float = ALPHA, minimum_effect: float = 0.0
) -> Verdict:
    """Judge an experiment; another `alpha` or minimum effect (in utilities) judges it as it would have been."""
    design = Design.model_validate(experiment.design)
    evidence = gather(transaction, experiment.id, experiment.epoch, design)
    return judge(design, evidence, alpha=alpha, minimum_effect=minimum_effect)


def judge(
    design: Design, evidence: Evidence, *, alpha: float = ALPHA, minimum_effect: float = 0.0
) -> Verdict:
    """Judge what was gathered.

    Runs of randomised blocks are compared within them, which is exact; where there are none (imports, adaptive
    policies) all runs are compared as samples, which is asymptotic and said so.
    """
    effect = minimum_effect or planning.minimum_utility(design) or design.metric.minimum_effect
    declared = effect > 0
    found = _checks(design, evidence)
    race = race_of(design, evidence.blocks, alpha, effect) if evidence.blocks else None
    guardrails = _guardrails(design, evidence)
    plan = Plan(minimum_effect=effect if declared else _assumed(design, evidence))
    control = design.names.get(design.control)
    if race is None:
        method = "proportion" if _is_binary(design) else "welch"
        judgement = judge_samples(
            evidence.samples,
            plan,
            method=method,  # type: ignore[arg-type]
            control=control,
            margin=effect if declared else None,
            alpha=alpha,
            checks=found,
            guardrails=guardrails,
        )
        return Verdict(design, evidence, judgement, {}, tuple(found), None)
    judgement = judge_race(race, plan, control=control, checks=found, guardrails=guardrails)
    each = judge_each(race, control, plan, checks=found, guardrails=guardrails) if control else {}
    return Verdict(design, evidence, judgement, each, tuple(found), race)


def race_of(design: Design, blocks: Sequence[dict[str, float]], alpha: float, effect: float) -> Race:
    """Run the race over all complete blocks, in order.

    Bounded metrics are bet on (exact); a metric without a range is judged by the t-mixture.
    """
    names = list(design.names.values())
    bounded = all(metric.bounded for metric in design.metrics)
    margin = effect if effect > 0 and (effect < 1 or not bounded) else None
    race: Race = (BettingRace if bounded else MixtureRace)(names, alpha=alpha, margin=margin)
    for block in blocks:
        race.add(block)
    return race


def _assumed(design: Design, evidence: Evidence) -> float:
    if all(metric.bounded for metric in design.metrics):
        return _SMALL_EFFECT
    values = [value for column in evidence.samples.values() for value in column if value is not None]
    spread = max(values) - min(values) if values else 0.0
    return _SMALL_EFFECT * spread or 1.0


def _is_binary(design: Design) -> bool:
    return len(design.metrics) == 1 and design.metrics[0].kind == "binary"


def _checks(design: Design, evidence: Evidence) -> list[Check]:
    """Look at what can make a comparison worthless; lost runs are looked at among blocks only here."""
    if not evidence.scored:
        return []
    found: list[Check] = []
    if evidence.blocks:
        found.append(
            looks.missing_outcomes(evidence.missing, {n: evidence.started[n] for n in evidence.samples})
        )
        values = {
            name: [value for value in column if value is not None]
            for name, column in evidence.samples.items()
        }
        if not _is_binary(design) and all(values.values()):
            found += [looks.outliers(values), looks.spread(values)]
    if evidence.clipped:
        words = f"{evidence.clipped} values lay outside the declared range and count as its end"
        found.append(Check("range", False, words))
    return found


def _guardrails(design: Design, evidence: Evidence) -> list[Guardrail]:
    """Fold the harm of every variant against the control, or against the mean of the others in its block."""
    found = []
    for given, guard in zip(design.guardrails, design.guards, strict=True):
        margin = given.margin / (given.range[1] - given.range[0])
        for name in design.names.values():
            if name == design.names.get(design.control):
                continue
            rail = Guardrail(guard.name, name, margin)
            for block in evidence.guards[guard.name]:
                others = _reference(design, block, name)
                if name in block and others is not None:
                    rail.add(max(-1.0, min(1.0, others - block[name])))
            found.append(rail)
    return found


def _reference(design: Design, block: dict[str, float], name: str) -> float | None:
    control = design.names.get(design.control)
    if control:
        return block.get(control)
    others = [value for other, value in block.items() if other != name]
    return sum(others) / len(others) if others else None
