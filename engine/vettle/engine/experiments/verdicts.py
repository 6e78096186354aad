"""The verdict on an experiment at this moment, which stays true however often anybody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vettle.engine.experiments import pairing
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.evidence import Evidence, gather
from vettle.engine.judging import checks as looks
from vettle.engine.judging.blocks import BettingRace
from vettle.engine.judging.checks import Check
from vettle.engine.judging.conclusion import no_data
from vettle.engine.judging.guardrails import Guardrail
from vettle.engine.judging.judgement import Judgement, Plan
from vettle.engine.judging.mixture import MixtureRace
from vettle.engine.judging.race import Race
from vettle.engine.judging.verdict import judge_each, judge_race
from vettle.engine.judging.verdict_samples import judge_estimate, judge_samples
from vettle.engine.store import Transaction
from vettle.engine.store.experiments import Experiment
from vettle.engine.wording import counted

ALPHA = 0.05
"""The chance of a wrong winner that is accepted, over all looks together."""

OVER = ("concluded", "applied", "abandoned")
"""The states in which no result comes any more."""

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
    guardrails: tuple[Guardrail, ...]
    race: Race | None


def of(
    transaction: Transaction,
    experiment: Experiment,
    *,
    alpha: float = ALPHA,
    minimum_effect: float = 0.0,
    final: bool = False,
) -> Verdict:
    """Judge an experiment; another `alpha` or minimum effect (in utilities) judges it as it would have been.

    `final` says that no result will come any more, as is true of an experiment that is over.
    """
    design = Design.model_validate(experiment.design)
    over = final or experiment.state in OVER
    evidence = gather(transaction, experiment.id, experiment.epoch, design, final=over)
    return judge(design, evidence, alpha=alpha, minimum_effect=minimum_effect)


def judge(
    design: Design, evidence: Evidence, *, alpha: float = ALPHA, minimum_effect: float = 0.0
) -> Verdict:
    """Judge what was gathered.

    Runs of randomised blocks are compared within them, which is exact; the others do not count then, which is
    said. Where the others are more (imports, adaptive policies), all runs are compared as samples, which is
    asymptotic and said so. How many there are decides, never what came out.
    """
    effect = minimum_effect or design.minimum_difference
    declared = effect > 0
    raced = in_blocks(evidence)
    race = race_of(design, evidence.blocks, alpha, effect) if raced else None
    guardrails = _guardrails(design, evidence)
    found = [*_checks(design, evidence), *_unguarded(guardrails, evidence)]
    plan = Plan(minimum_effect=effect if declared else _assumed(design, evidence))
    control = design.names.get(design.control)
    if race is None:
        judgement = _judge_samples(
            design,
            evidence,
            plan,
            margin=effect if declared else None,
            alpha=alpha,
            checks=found,
            guards=guardrails,
        )
        return Verdict(design, evidence, judgement, {}, tuple(found), tuple(guardrails), None)
    judgement = judge_race(race, plan, control=control, checks=found, guardrails=guardrails)
    each = judge_each(race, control, plan, checks=found, guardrails=guardrails) if control else {}
    return Verdict(design, evidence, judgement, each, tuple(found), tuple(guardrails), race)


def _judge_samples(
    design: Design,
    evidence: Evidence,
    plan: Plan,
    *,
    margin: float | None,
    alpha: float,
    checks: Sequence[Check],
    guards: Sequence[Guardrail],
) -> Judgement:
    """Judge all runs together: two variants by items, strata or a covariate where every run has them."""
    served = {variant.name for variant in design.served}
    samples = {name: column for name, column in evidence.samples.items() if column or name in served}
    control, binary = design.names.get(design.control), design.is_binary
    if len(samples) < 2:
        alone = Check("variants", False, f"there is only {', '.join(samples)}: nothing to compare it with")
        return no_data([*checks, alone])
    if len(samples) == 2:
        a, b = sorted(samples, key=lambda name: name == control)
        estimate = pairing.estimate(evidence, a, b, alpha, binary=binary)
        if estimate is not None:
            lost = {name: column.count(None) for name, column in samples.items()}
            missing = looks.missing_outcomes(lost, {name: len(column) for name, column in samples.items()})
            found = [*checks, missing, Check("method", False, f"compared by the {estimate.method} estimate")]
            return judge_estimate(
                estimate, a, b, plan, control=control, margin=margin, checks=found, guardrails=guards
            )
    return judge_samples(
        samples,
        plan,
        method="proportion" if binary else "welch",
        control=control,
        margin=margin,
        alpha=alpha,
        checks=checks,
        guardrails=guards,
    )


def in_blocks(evidence: Evidence) -> bool:
    """Return whether blocks decide: there are complete ones, and most runs are of blocks."""
    return bool(evidence.blocks) and 2 * evidence.blocked >= len(evidence.scored)


def race_of(design: Design, blocks: Sequence[dict[str, float]], alpha: float, effect: float) -> Race:
    """Run the race over all complete blocks, in order.

    Bounded metrics are bet on (exact); a metric without a range is judged by the t-mixture.
    """
    names = [variant.name for variant in design.served]
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


def _checks(design: Design, evidence: Evidence) -> list[Check]:
    """Look at what can make a comparison worthless; what `judge_samples` looks at itself is left to it."""
    if not evidence.scored:
        return []
    found: list[Check] = []
    if in_blocks(evidence):
        found.append(missing_outcomes(evidence, {n: evidence.started[n] for n in evidence.samples}))
        values = {
            name: [value for value in column if value is not None]
            for name, column in evidence.samples.items()
        }
        if not design.is_binary and all(values.values()):
            found += [looks.outliers(values), looks.spread(values)]
        outside = len(evidence.scored) - evidence.blocked
        if outside:
            were, they = ("was", "it does") if outside == 1 else ("were", "they do")
            words = f"{counted(outside, 'run')} {were} not assigned in blocks, so {they} not count in this verdict"
            found.append(Check("unblocked", False, words))
    found += [
        looks.sample_ratio(
            {variant.name: counts[variant.name] for variant in design.served},
            {variant.name: variant.weight if policy == "weighted" else 1.0 for variant in design.served},
        )
        for policy, counts in evidence.drawn.items()
    ]
    if evidence.clipped:
        count = "counts" if evidence.clipped == 1 else "count"
        words = f"{counted(evidence.clipped, 'value')} lay outside the declared range and {count} as its end"
        found.append(Check("range", False, words))
    return found


def missing_outcomes(
    evidence: Evidence, started: Mapping[str, int], missing: Mapping[str, int] | None = None
) -> Check:
    """Check that runs without an outcome do not depend on the variant, and say which outcomes were not measured."""
    check = looks.missing_outcomes(evidence.missing if missing is None else missing, started)
    if not evidence.at_worst:
        return check
    lacking = f"{counted(evidence.at_worst, 'run')} without a metric {'counts' if evidence.at_worst == 1 else 'count'}"
    return replace(check, detail=f"{check.detail}, but {lacking} as its worst")


def _guardrails(design: Design, evidence: Evidence) -> list[Guardrail]:
    """Fold the harm of every variant against the control, or against the mean of the others in its block.

    Without blocks the i-th run of each variant is taken for one, which is valid while nothing drifts.
    """
    found = []
    measured = evidence.guards if in_blocks(evidence) else evidence.unblocked_guards
    for given, guard in zip(design.guardrails, design.guards, strict=True):
        margin = given.margin / (given.range[1] - given.range[0])
        for name in (variant.name for variant in design.served if not variant.control):
            rail = Guardrail(guard.name, name, margin)
            for block in measured.get(guard.name, []):
                others = _reference(design, block, name)
                if name in block and others is not None:
                    rail.add(max(-1.0, min(1.0, others - block[name])))
            found.append(rail)
    return found


def _unguarded(guardrails: Sequence[Guardrail], evidence: Evidence) -> list[Check]:
    """Say which guardrails guard nothing, for want of values."""
    if not evidence.scored:
        return []
    empty = dict.fromkeys(rail.name for rail in guardrails if not rail.runs)
    words = "was not measured on two variants together yet, so it guards nothing"
    return [Check("guardrail", False, f"the guardrail {name!r} {words}") for name in empty]


def _reference(design: Design, block: dict[str, float], name: str) -> float | None:
    control = design.names.get(design.control)
    if control:
        return block.get(control)
    others = [value for other, value in block.items() if other != name]
    return sum(others) / len(others) if others else None
