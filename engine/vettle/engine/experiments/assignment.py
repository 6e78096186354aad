"""Which variant a unit of work gets: recorded once, whoever asks again, with the chance that it had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vettle.engine.errors import InvalidArgument, StoreUnavailable
from vettle.engine.experiments import tallies, verdicts
from vettle.engine.experiments.design import Design, Variant
from vettle.engine.experiments.evidence import BLOCKS, gather
from vettle.engine.experiments.lifecycle import design_of, require, winner
from vettle.engine.identifiers import digest, hash63
from vettle.engine.policies import blocks, registry
from vettle.engine.policies.options import Choice
from vettle.engine.project import Project
from vettle.engine.records import SelectionPolicy, VariantSelected
from vettle.engine.store import Transaction
from vettle.engine.store import assignments as table
from vettle.engine.store.events import Event
from vettle.engine.store.experiments import HOLDING, Experiment

POLICY_VERSION = "1"
"""The version of everything that turns a log into a choice of variant; a change means a replay."""


def select(
    project: Project,
    *,
    experiment: str,
    unit: str = "",
    context: str = "",
    policy: SelectionPolicy = "auto",
    pair_id: str = "",
    stratum: str = "",
    client_ref: str = "",
) -> VariantSelected:
    """Give a unit of work its variant; the same unit always gets the same one.

    `auto` compares: every live variant once per randomised block, on the same item in paired mode
    (`pair_id`), within a stratum. The other policies are for using variants while something is still learned.
    An experiment that is not running answers with the variant that the unit has, or its verdict's, its control,
    or its first one, and records nothing; so does a store that takes no writes: work is never blocked.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: `pair_id` is missing in paired mode.
    """

    def work(transaction: Transaction, uid: bytes) -> VariantSelected:
        found = require(transaction, experiment)
        design = design_of(found)
        name = unit or f"u-{uid.hex()[-16:]}"
        known = table.get(transaction, found.id, name) if found.state in HOLDING else None
        if known is not None:
            return _selected(found, design, known, "the unit has its variant already", repeated=True)
        if found.state != "running":
            raise _NotRecorded(_not_running(found, design))
        if design.mode == "paired" and not pair_id:
            raise InvalidArgument(
                "pair_id", "it is missing", "In paired mode, name the item that all variants run on"
            )
        asked = BLOCKS if policy == "auto" else "top_two" if policy == "adaptive" else policy
        seed = hash63(found.id, str(found.epoch), name)
        # Imported here: numpy costs 0.1 s, which no command that selects nothing should pay.
        import numpy as np

        generator = np.random.default_rng(seed)
        block = None
        if asked == BLOCKS:
            choice, block = _from_block(transaction, found, design, stratum, pair_id, generator)
        else:
            tally = tallies.of(project, transaction, found, design)
            choice = _from_tally(tally, design, asked, context, generator)
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
    try:
        return project.once(VariantSelected, "variant_select", client_ref, arguments, work)
    except _NotRecorded as answer:
        return answer.selected
    except StoreUnavailable as error:
        return _fail_open(project, experiment, error)


def _fail_open(project: Project, experiment: str, error: StoreUnavailable) -> VariantSelected:
    """Answer although nothing can be recorded: a busy or full store must not stop an agent's work."""
    with project.read() as transaction:
        found = require(transaction, experiment)
    return _not_running(found, design_of(found), f"Not recorded: {error}")


class _NotRecorded(Exception):
    """Raised to answer without keeping a reply: a retry once the experiment runs is a first call."""

    def __init__(self, selected: VariantSelected) -> None:
        super().__init__()
        self.selected = selected


def _block(block: blocks.Block, design: Design) -> dict[str, Any]:
    return {"number": block.number, "served": block.served, "order": list(block.order)}


def _from_tally(tally: tallies.Tally, design: Design, policy: str, context: str, generator: Any) -> Choice:
    """Choose by what every variant has shown, for the context or for the dimensions where those are known."""
    if policy == "thompson" and (context or design.space):
        return tally.posterior().choose(tally.arms(context), generator)
    return registry.choose(policy, tally.options(), generator)


def _from_block(
    transaction: Transaction, found: Experiment, design: Design, stratum: str, item: str, generator: Any
) -> tuple[Choice, blocks.Block]:
    """Serve from the open block; which variants are still live is asked when a new one opens."""
    block = table.open_block(transaction, found.id, stratum, item)
    weighted = list(design.served)
    live: Sequence[Variant] = weighted
    if block is None or block.served >= len(block.order):
        live = _survivors(transaction, found, design, weighted)
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


def _survivors(
    transaction: Transaction, found: Experiment, design: Design, variants: list[Variant]
) -> list[Variant]:
    """Leave out what the race has eliminated, so that its runs go to the others; at least two stay."""
    if len(variants) < 3:
        return variants
    evidence = gather(transaction, found.id, found.epoch, design)
    if not evidence.blocks:
        return variants
    race = verdicts.race_of(design, evidence.blocks, verdicts.ALPHA, design.minimum_difference)
    left = [one for one in variants if one.name in race.survivors]
    return left if len(left) > 1 else variants


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


def _not_running(found: Experiment, design: Design, cause: str = "") -> VariantSelected:
    leader = winner(found)
    names = set(design.names.values())
    chosen = design.find(leader if leader in names else design.control or design.variants[0].id)
    why = cause or f"the experiment is {found.state}"
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
        next_step="Use it; nothing of this is measured.",
    )
