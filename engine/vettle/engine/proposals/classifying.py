"""What each proposal is: known, part of something known, new, or not worth starting. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from vettle.engine import quarantine
from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments import design as designs
from vettle.engine.experiments import lifecycle, variables
from vettle.engine.experiments.design import Design, MetricInput, VariantInput
from vettle.engine.proposals import screening
from vettle.engine.proposals.likeness import same_instruction
from vettle.engine.records import ExperimentState, Rule
from vettle.engine.records.proposals import (
    ExperimentProposal,
    Proposal,
    ProposalFlag,
    ProposalStatus,
    RuleProposal,
)
from vettle.engine.similarity import rule_hash
from vettle.engine.store import Transaction, experiments, mistakes
from vettle.engine.store import rules as rules_table
from vettle.engine.store.experiments import HOLDING, Experiment

_OPEN: tuple[ExperimentState, ...] = ("proposed", "accepted", *HOLDING)
_SETTLED = ("better", "worse", "equivalent", "no_difference")


@dataclass(frozen=True, slots=True)
class Classified:
    """A proposal with what was found about it; `design` and the canonical `variable` are those to create it with."""

    number: int
    proposal: Proposal
    status: ProposalStatus
    reasons: tuple[str, ...] = ()
    flags: tuple[ProposalFlag, ...] = ()
    same_as: str = ""
    runs: int = 0
    design: Design | None = None
    variable: str = ""


@dataclass(slots=True)
class _Review:
    """What is there already, and what earlier proposals of the same list would add."""

    transaction: Transaction
    rules: list[Rule]
    experiments: list[Experiment]
    before: list[Classified] = field(default_factory=list)
    deviations: dict[MetricInput, float | None] = field(default_factory=dict)

    def deviation(self, metric: MetricInput) -> float | None:
        """Return how past results of the metric spread, read once for a list."""
        measure = metric.model_copy(update={"minimum_effect": 0.0})
        if measure not in self.deviations:
            self.deviations[measure] = screening.past_deviation(self.transaction, measure)
        return self.deviations[measure]


def classify(transaction: Transaction, proposals: Sequence[Proposal]) -> list[Classified]:
    """Say of each proposal what it is; a later one of the list is compared with the earlier ones too."""
    found = _Review(
        transaction,
        rules_table.every(transaction),
        experiments.in_states(transaction, get_args(ExperimentState)),
    )
    for number, proposal in enumerate(proposals, start=1):
        said = proposal.model_dump(mode="json")
        if quarantine.holds_secret(said) or quarantine.REDACTED in proposal.model_dump_json():
            why = "it holds what looks like a secret: take the secret out"
            one = Classified(number, proposal, "rejected", (why,))
        elif isinstance(proposal, RuleProposal):
            one = _rule(found, number, proposal)
        else:
            one = _experiment(found, number, proposal)
        found.before.append(one)
    return found.before


def _rule(found: _Review, number: int, proposal: RuleProposal) -> Classified:
    text = proposal.text
    same = rules_table.with_hash(
        found.transaction, rule_hash(text, proposal.context, tuple(dict.fromkeys(proposal.globs)))
    )
    if same is not None:
        return Classified(number, proposal, "known", (_stands(same),), same_as=same.id)
    unknown = [one for one in proposal.evidence if mistakes.get(found.transaction, int(one[1:])) is None]
    if unknown:
        why = f"no mistake has the id {', '.join(unknown[:5])}: name those that the evidence lists"
        return Classified(number, proposal, "rejected", (why,))
    near = next((rule for rule in found.rules if same_instruction(text, rule.text)), None)
    if near is not None:
        why = f"rule {near.id} says nearly the same: {quarantine.shown(near.text, 120)}"
        return Classified(number, proposal, "merged", (why, _stands(near)), same_as=near.id)
    earlier = next((one for one in found.before if _says_the_same(one, text)), None)
    if earlier is not None:
        return _like_earlier(number, proposal, earlier)
    reasons = quarantine.reasons(text)
    if reasons:
        why = f"a person has to approve it before anybody sees it, because it holds {', '.join(reasons)}"
        return Classified(number, proposal, "new", (why,), ("needs_person",))
    return Classified(number, proposal, "new")


def _stands(rule: Rule) -> str:
    why = f" ({quarantine.shown(rule.reason, 120)})" if rule.reason else ""
    again = f"; to try it again: rule_decide {rule.id} restore" if rule.status == "retired" else ""
    return f"that rule is {rule.status}{why}{again}"


def _says_the_same(one: Classified, text: str) -> bool:
    proposal = one.proposal
    return (
        isinstance(proposal, RuleProposal) and one.status == "new" and same_instruction(text, proposal.text)
    )


def _like_earlier(number: int, proposal: Proposal, earlier: Classified) -> Classified:
    name = f"proposal {earlier.number}"
    return Classified(number, proposal, "merged", (f"{name} says the same",), same_as=name)


def design_of(proposal: ExperimentProposal) -> Design:
    """Return the design that a proposal asks for (InvalidArgument if it contradicts itself)."""
    return designs.make(
        variants=[VariantInput(**one.model_dump()) for one in proposal.variants],
        dimensions={},
        constraints=(),
        metric=MetricInput(**proposal.metric.model_dump()),
        guardrails=(),
        mode="interleaved",
        description=proposal.rationale,
    )


def _experiment(found: _Review, number: int, proposal: ExperimentProposal) -> Classified:
    try:
        design = design_of(proposal)
    except InvalidArgument as error:
        return Classified(number, proposal, "rejected", (str(error),))
    variable = variables.canonical(found.transaction, proposal.domain, proposal.variable)
    one = Classified(number, proposal, "new", design=design, variable=variable)
    settled = _settled(found, one) or _taken(found, one)
    if settled is not None:
        return settled
    screened = screening.screen(design, proposal.expected_effect, found.deviation(design.metric))
    flags = screened.flags + (() if _can_be_executed(found, one) else ("needs_execution",))
    one = replace(one, flags=flags, runs=screened.runs)
    if screened.refusal:
        return replace(one, status="rejected", reasons=(screened.refusal,))
    if variable != proposal.variable:
        why = f"{proposal.variable!r} is another name of the variable {variable!r}"
        return replace(one, status="merged", reasons=(why,), same_as=variable)
    return one


def _about(found: _Review, one: Classified) -> list[Experiment]:
    """Return the experiments about the same variable, or, where none is named, about the same kind of work."""
    proposal = one.proposal
    return [
        experiment
        for experiment in reversed(found.experiments)
        if experiment.domain == getattr(proposal, "domain", "")
        and experiment.variable == one.variable
        and (one.variable or experiment.context == proposal.context)
    ]


def _variant_ids(design: Design) -> frozenset[str]:
    return frozenset(variant.id for variant in design.variants)


def _settled(found: _Review, one: Classified) -> Classified | None:
    """Return what a proposal is that an experiment asks already, or has answered; None if none does."""
    assert one.design is not None
    mine = _variant_ids(one.design)
    for experiment in _about(found, one):
        if _variant_ids(lifecycle.design_of(experiment)) != mine:
            continue
        if experiment.state in _OPEN:
            why = f"experiment {experiment.id} compares these variants already, and is {experiment.state}"
            return replace(one, status="known", reasons=(why,), same_as=experiment.id)
        outcome = str(experiment.verdict.get("outcome", ""))
        if outcome in _SETTLED:
            why = f"experiment {experiment.id} compared these variants: {outcome.replace('_', ' ')}"
            return replace(one, status="known", reasons=(why,), same_as=experiment.id)
    return None


def _taken(found: _Review, one: Classified) -> Classified | None:
    """Return what a proposal is whose variable is taken, by an open experiment or by an earlier proposal."""
    proposal, variable = one.proposal, one.variable
    assert isinstance(proposal, ExperimentProposal) and one.design is not None
    holder = variable and experiments.holder_of(found.transaction, proposal.domain, variable)
    if holder:
        why = f"experiment {holder} holds the variable {variable!r} until it ends"
        return replace(one, status="rejected", reasons=(why,), same_as=holder)
    for earlier in found.before:
        other = earlier.proposal
        if not isinstance(other, ExperimentProposal) or earlier.design is None or earlier.status != "new":
            continue
        if (other.domain, earlier.variable) != (proposal.domain, variable):
            continue
        if _variant_ids(earlier.design) == _variant_ids(one.design):
            return _like_earlier(one.number, proposal, earlier)
        if variable:
            name = f"proposal {earlier.number}"
            why = f"{name} changes the variable {variable!r} too: one experiment at a time"
            return replace(one, status="rejected", reasons=(why,), same_as=name)
    return None


def _can_be_executed(found: _Review, one: Classified) -> bool:
    """Tell whether it is said how a variant is put into effect: by every variant, or by the variable."""
    proposal = one.proposal
    assert isinstance(proposal, ExperimentProposal)
    if all(variant.hint for variant in proposal.variants):
        return True
    known = experiments.variables(found.transaction, proposal.domain)
    return any(entry.canonical == one.variable and entry.execution for entry in known)
