"""Which variant a unit of work gets: recorded once, whoever asks again, with the chance that it had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments import verdicts
from vettle.engine.experiments.design import Design, Variant
from vettle.engine.experiments.evidence import BLOCKS, Evidence, gather
from vettle.engine.experiments.lifecycle import design_of, require
from vettle.engine.identifiers import digest, hash63
from vettle.engine.policies import blocks, registry
from vettle.engine.policies.options import Choice, Option
from vettle.engine.policies.structured import StructuredPosterior, combination, in_context
from vettle.engine.project import Project
from vettle.engine.records import VariantSelected
from vettle.engine.store import Transaction
from vettle.engine.store import assignments as table
from vettle.engine.store.events import Event
from vettle.engine.store.experiments import Experiment

Policy = Literal[
    "auto", "blocks", "adaptive", "weighted", "epsilon_greedy", "thompson", "ucb", "best_so_far", "uniform"
]

POLICY_VERSION = "1"
"""The version of everything that turns a log into a choice of variant; a change means a replay."""


def select(
    project: Project,
    *,
    experiment: str,
    unit: str = "",
    context: str = "",
    policy: Policy = "auto",
    pair_id: str = "",
    stratum: str = "",
    client_ref: str = "",
) -> VariantSelected:
    """Give a unit of work its variant; the same unit always gets the same one.

    `auto` compares: every live variant once per randomised block, on the same item in paired mode
    (`pair_id`), within a stratum. The other policies are for using variants while something is still learned.
    An experiment that is not running answers with its verdict's variant, its control, or its first one, and
    records nothing: an agent's work is never blocked.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: `pair_id` is missing in paired mode.
    """

    def work(transaction: Transaction, uid: bytes) -> VariantSelected:
        found = require(transaction, experiment)
        design = design_of(found)
        if found.state != "running":
            return _not_running(found, design)
        name = unit or f"u-{uid.hex()[-16:]}"
        known = table.get(transaction, found.id, name)
        if known is not None:
            return _selected(found, design, known, "the unit has its variant already", repeated=True)
        if design.mode == "paired" and not pair_id:
            raise InvalidArgument(
                "pair_id", "it is missing", "In paired mode, name the item that all variants run on"
            )
        asked = BLOCKS if policy == "auto" else "top_two" if policy == "adaptive" else policy
        seed = hash63(found.id, name)
        choice, block = _choose(transaction, found, design, asked, context, stratum, pair_id, seed)
        variant = design.find(choice.id)
        transaction.append(
            Event(
                kind="variant_assigned",
                uid=digest("variant_assigned", found.id, str(found.epoch), name)[:16],
                subject=found.id,
                choice=variant.id,
                metrics={"propensity": choice.propensity},
                data={
                    "unit": name,
                    "context": context,
                    "stratum": stratum,
                    "item": pair_id,
                    "policy": asked,
                    "version": POLICY_VERSION,
                    "seed": seed,
                    "block": _block(block, design) if block else None,
                },
            )
        )
        made = table.get(transaction, found.id, name)
        assert made is not None
        return _selected(found, design, made, choice.reason)

    arguments: dict[str, object] = {
        "experiment": experiment,
        "unit": unit,
        "context": context,
        "policy": policy,
        "pair_id": pair_id,
        "stratum": stratum,
    }
    return project.once(VariantSelected, "variant_select", client_ref, arguments, work)


def _block(block: blocks.Block, design: Design) -> dict[str, Any]:
    return {"number": block.number, "served": block.served, "order": list(block.order)}


def _choose(
    transaction: Transaction,
    found: Experiment,
    design: Design,
    policy: str,
    context: str,
    stratum: str,
    item: str,
    seed: int,
) -> tuple[Choice, blocks.Block | None]:
    # Imported here: numpy costs 0.1 s, which no command that selects nothing should pay.
    import numpy as np

    generator = np.random.default_rng(seed)
    if policy == BLOCKS:
        return _from_block(transaction, found, design, stratum, item, generator)
    evidence = gather(transaction, found.id, found.epoch, design)
    options = [_option(one, evidence) for one in design.variants if one.weight > 0]
    if policy == "thompson" and (context or design.space):
        return _structured(design, evidence, context, generator), None
    return registry.choose(policy, options, generator), None


def _from_block(
    transaction: Transaction, found: Experiment, design: Design, stratum: str, item: str, generator: Any
) -> tuple[Choice, blocks.Block]:
    """Serve from the open block; which variants are still live is asked when a new one opens."""
    block = table.open_block(transaction, found.id, stratum, item)
    weighted = [one for one in design.variants if one.weight > 0]
    live: Sequence[Variant] = weighted
    if block is None or block.served >= len(block.order):
        live = _survivors(transaction, found, weighted)
    else:
        live = [one for one in weighted if one.id in block.order]
    weights = {one.id: one.weight for one in live}
    served = blocks.serve(
        block,
        [one.id for one in live],
        generator,
        item=item,
        weights=None if len(set(weights.values())) == 1 else weights,
    )
    return served.choice, served.block


def _survivors(transaction: Transaction, found: Experiment, variants: list[Variant]) -> list[Variant]:
    """Leave out what the race has eliminated, so that its runs go to the others; at least two stay."""
    race = verdicts.of(transaction, found).race
    left = [one for one in variants if race is None or one.name in race.survivors]
    return left if len(left) > 1 else variants


def _option(variant: Variant, evidence: Evidence) -> Option:
    values = [value for value in evidence.samples[variant.name] if value is not None]
    if not values:
        return Option(variant.id, weight=variant.weight)
    mean = sum(values) / len(values)
    return Option(
        variant.id,
        weight=variant.weight,
        n=len(values),
        mean=mean,
        m2=sum((value - mean) ** 2 for value in values),
        low=min(values),
        high=max(values),
    )


def _structured(design: Design, evidence: Evidence, context: str, generator: Any) -> Choice:
    """Draw from a posterior in which combinations share their levels, or contexts their variants."""
    posterior = StructuredPosterior()
    arms = {
        one.id: combination({name: str(one.config.get(name)) for name, _ in design.space})
        if design.space
        else in_context(one.id, context)
        for one in design.variants
        if one.weight > 0
    }
    ids = {one.name: one.id for one in design.variants}
    for scored in evidence.scored:
        if scored.utility is not None:
            of = ids[scored.variant]
            arm = arms[of] if design.space else in_context(of, str(scored.run.data.get("context", "")))
            posterior.observe(arm, scored.utility)
    return posterior.choose(arms, generator)


def _selected(
    found: Experiment, design: Design, made: table.Assignment, why: str, *, repeated: bool = False
) -> VariantSelected:
    variant = design.find(made.variant)
    return VariantSelected(
        experiment_id=found.id,
        assignment_id=made.unit,
        variant=variant.name,
        variant_id=variant.id[:12],
        config=variant.config,
        hint=variant.hint,
        propensity=made.propensity,
        policy=made.policy,
        why=why,
        repeated=repeated,
        next_step=f"Use it, then call run_record with assignment_id {made.unit!r}.",
    )


def _not_running(found: Experiment, design: Design) -> VariantSelected:
    leader = str(found.verdict.get("leader") or "")
    names = set(design.names.values())
    chosen = design.find(leader if leader in names else design.control or design.variants[0].id)
    why = f"the experiment is {found.state}"
    why += (
        ", so this is its verdict's variant"
        if leader in names
        else ", so this is its control or first variant"
    )
    return VariantSelected(
        experiment_id=found.id,
        assignment_id="",
        variant=chosen.name,
        variant_id=chosen.id[:12],
        config=chosen.config,
        hint=chosen.hint,
        propensity=1.0,
        policy="none",
        why=why,
        recorded=False,
        next_step="Use it; nothing is measured. experiment_decide start or resume makes it count.",
    )
