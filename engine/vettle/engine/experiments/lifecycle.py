"""What an experiment goes through: proposed, accepted, running, perhaps paused or stopped, concluded, applied.

One open experiment per variable: two that change the same thing at the same time would measure each other.
Starting takes the variable in the same transaction, so no race opens a second one. An experiment that
cannot start yet is accepted and waits; the next one starts by itself when another ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from vettle.engine.errors import InvalidArgument, StatusRefused, UnknownExperiment
from vettle.engine.experiments import variables
from vettle.engine.experiments.design import Design, GuardrailInput, MetricInput, Mode, VariantInput, make
from vettle.engine.identifiers import canonical_json, digest, new_uid, slug
from vettle.engine.project import Project
from vettle.engine.records import (
    ExperimentAction,
    ExperimentCreated,
    ExperimentDecided,
    ExperimentState,
    VariantSummary,
)
from vettle.engine.store import Transaction
from vettle.engine.store import experiments as table
from vettle.engine.store.events import Event
from vettle.engine.store.experiments import HOLDING, Experiment
from vettle.engine.suggesting import nearest

_ALLOWED: dict[ExperimentState, tuple[ExperimentAction, ...]] = {
    "proposed": ("start", "abandon"),
    "accepted": ("start", "abandon"),
    "running": ("pause", "stop", "close", "abandon", "restart"),
    "paused": ("resume", "stop", "close", "abandon", "restart"),
    "stopped": ("resume", "close", "abandon", "restart"),
    "concluded": ("apply", "restart"),
    "applied": ("restart",),
    "abandoned": ("restart",),
}

_NEW_STATE: dict[ExperimentAction, ExperimentState] = {
    "start": "running",
    "pause": "paused",
    "resume": "running",
    "stop": "stopped",
    "close": "concluded",
    "apply": "applied",
    "abandon": "abandoned",
    "restart": "running",
}

OPEN: tuple[ExperimentState, ...] = ("proposed", "accepted", "running", "paused", "stopped")
"""The states in which an experiment is not over."""

NO_TEST = 3
"""The tier of a change that is applied without a test."""

_UNTESTED: tuple[ExperimentAction, ...] = ("apply", "abandon")


def create(
    project: Project,
    *,
    name: str,
    variants: Sequence[VariantInput] = (),
    space: Mapping[str, Sequence[JsonValue]],
    constraints: Sequence[Mapping[str, JsonValue]] = (),
    metric: MetricInput,
    guardrails: Sequence[GuardrailInput] = (),
    context: str = "",
    domain: str = "",
    variable: str = "",
    tier: int = 2,
    mode: Mode = "interleaved",
    description: str = "",
    start: bool = True,
    client_ref: str = "",
    proposer: str = "",
    expected_effect: float = 0.0,
) -> ExperimentCreated:
    """Create an experiment, and start it if `start` and nothing stands in its way.

    An equal question that is still open under this name is answered again, and nothing is created; another question
    under the name of one that is open takes the name over, which is said.

    `proposer` is whose idea it was, and `expected_effect` how much better, in the metric's unit, they expect
    the best variant to be; both are logged if given, so that a proposer's record can be told.

    Raises:
        InvalidArgument: The design contradicts itself (see `design.make`).
    """
    design = make(
        variants=variants,
        dimensions=space,
        constraints=constraints,
        metric=metric,
        guardrails=guardrails,
        mode=mode,
        description=description,
    )

    def work(transaction: Transaction, uid: bytes) -> ExperimentCreated:
        same = [one for one in table.named(transaction, name) if one.state in OPEN]
        known = variables.canonical(transaction, domain, variable)
        asked = (design.model_dump(mode="json"), context, domain, known, tier)
        again = next((one for one in same if _question(one) == asked), None)
        if again is not None:
            return _again(again, design)
        experiment = append_created(
            transaction,
            uid,
            name=name,
            design=design,
            context=context,
            domain=domain,
            variable=variable,
            tier=tier,
            proposer=proposer,
            expected_effect=expected_effect,
        )
        state: ExperimentState = "proposed"
        why = ""
        if tier == NO_TEST:
            why = next_step(experiment)
        elif start:
            state, why = _start(project, transaction, experiment, "created")
        return _created(experiment, design, state, why, _taken_over(same))

    arguments: dict[str, object] = {
        "name": name,
        "design": canonical_json(design.model_dump(mode="json")),
        "context": context,
        "domain": domain,
        "variable": variable,
        "tier": tier,
        "start": start,
    } | _proposed(proposer, expected_effect)
    return project.once(ExperimentCreated, "experiment_create", client_ref, arguments, work)


def append_created(
    transaction: Transaction,
    uid: bytes,
    *,
    name: str,
    design: Design,
    context: str = "",
    domain: str = "",
    variable: str = "",
    tier: int = 2,
    proposer: str = "",
    expected_effect: float = 0.0,
) -> Experiment:
    """Log a new experiment, proposed and not started, and return it."""
    data: dict[str, object] = {
        "name": name,
        "context": context,
        "domain": domain,
        "variable": variables.canonical(transaction, domain, variable),
        "tier": tier,
        "design": design.model_dump(mode="json"),
    }
    data |= _proposed(proposer, expected_effect)
    experiment_id = id_of(uid, name)
    transaction.append(Event(kind="experiment_created", uid=uid, subject=experiment_id, data=data))
    return require(transaction, experiment_id)


def _proposed(proposer: str, expected_effect: float) -> dict[str, object]:
    """Return whose idea it was and what they expect, as far as it is given."""
    given: dict[str, object] = {"proposer": proposer, "expected_effect": expected_effect}
    return {name: value for name, value in given.items() if value}


def id_of(uid: bytes, name: str) -> str:
    """Return the id of the experiment that the event with this uid creates."""
    return f"{slug(name, 40)}-{digest(uid.hex(), name).hex()[:6]}"


def _question(found: Experiment) -> tuple[object, ...]:
    """Return what was asked: two experiments that are equal in it ask the same."""
    return found.design, found.context, found.domain, found.variable, found.tier


def _again(found: Experiment, design: Design) -> ExperimentCreated:
    note = f"This question is open already: it is experiment {found.id}. Nothing was created."
    return _created(found, design, found.state, next_step(found), note)


def _taken_over(same: Sequence[Experiment]) -> str:
    if not same:
        return ""
    return f"The name {same[0].name!r} means this experiment from now on. {same[0].id} is open too: name it by its id."


def _created(
    experiment: Experiment, design: Design, state: ExperimentState, why: str, note: str
) -> ExperimentCreated:
    # Imported here because of numpy, which a server loads only after the handshake.
    from vettle.engine.experiments import planning

    plan = planning.before(design)
    if state == "running":
        step = f"Call variant_select with experiment {experiment.id!r} for each piece of work."
    else:
        step = why or f"To start it: experiment_decide {experiment.id} start 'why'"
    return ExperimentCreated(
        experiment_id=experiment.id,
        state=state,
        variants=[
            VariantSummary(id=one.id[:12], name=one.name, weight=one.weight) for one in design.variants
        ],
        runs_per_variant=plan.runs,
        runs_per_variant_90=plan.runs_90,
        notes=[*([note] if note else []), *plan.notes],
        next_step=step,
    )


def require(transaction: Transaction, experiment: str) -> Experiment:
    """Return the experiment with this id, or the newest with this name that is not over.

    Raises:
        UnknownExperiment: There is none.
    """
    found = table.get(transaction, experiment)
    if found is not None:
        return found
    same = table.named(transaction, experiment)
    if same:
        return next((one for one in same if one.state not in ("abandoned", "applied")), same[0])
    every = table.in_states(transaction, tuple(_ALLOWED))
    ids = [one.id for one in every]
    near = nearest(experiment, dict.fromkeys([*ids, *(one.name for one in every)]), cutoff=0.3)
    raise UnknownExperiment(experiment, near or ids[-3:])


def design_of(experiment: Experiment) -> Design:
    """Return the experiment's design as it was settled."""
    return Design.model_validate(experiment.design)


def decide(project: Project, *, experiment: str, action: ExperimentAction, reason: str) -> ExperimentDecided:
    """Move an experiment on, for a logged reason.

    `close` freezes the verdict of this moment, `restart` counts from now on and keeps what was before in the
    log. Ending one starts the next that waits.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        StatusRefused: Its state does not allow the action.
        InvalidArgument: `apply` without a verdict that proves a variant best, or a tier that is not tested.
    """
    with project.write() as transaction:
        found = require(transaction, experiment)
        allowed = _UNTESTED if found.tier == NO_TEST and found.state == "proposed" else _ALLOWED[found.state]
        if action not in allowed:
            raise StatusRefused(f"experiment {found.id}", found.state, action, allowed)
        if action in ("start", "restart", "resume"):
            new, why = _start(project, transaction, found, reason, action)
        else:
            new, why = _end_or_pause(project, transaction, found, action, reason)
        after = require(transaction, found.id)
    return ExperimentDecided(
        experiment_id=found.id,
        old=found.state,
        new=new,
        reason=reason,
        verdict=after.verdict,
        next_step=why or next_step(after),
    )


_NEXT: dict[ExperimentState, str] = {
    "proposed": "To start it: experiment_decide {id} start 'why'",
    "accepted": "It starts by itself when what it waits for ends.",
    "running": "Call variant_select with experiment {id!r} for each piece of work, and run_record with what came of it.",
    "paused": "Nothing is assigned until it goes on; results of earlier assignments count. "
    "To go on: experiment_decide {id} resume 'why'",
    "stopped": "Nothing more is assigned. Record the last results, then: experiment_decide {id} close 'why'",
    "concluded": "It ended without a winner. To ask again: experiment_decide {id} restart 'why'",
    "applied": "Nothing to do.",
    "abandoned": "Nothing to do. To ask again: experiment_decide {id} restart 'why'",
}


def next_step(found: Experiment) -> str:
    """Return what to do in the state that the experiment is in, whatever its runs say by now."""
    if found.state == "concluded" and winner(found):
        return to_apply(found.id, winner(found))
    if found.state == "proposed" and found.tier == NO_TEST:
        variant = untested(design_of(found))
        return f"Tier 3 is not tested. To put {variant!r} into force: experiment_decide {found.id} apply 'no test needed'"
    return _NEXT[found.state].format(id=found.id)


def to_apply(experiment: str, leader: str) -> str:
    """Say that a variant is proven best, and how it is put into force."""
    return f"{leader!r} is proven best. Put it into force: experiment_decide {experiment} apply 'proven best'"


DECIDED = ("better", "worse")
"""The outcomes that name a variant to use; in every other one the leader has merely the highest average."""


def untested(design: Design) -> str:
    """Return the name of the variant that a change without a test puts into force: the first but the control."""
    return next(one.name for one in design.variants if not one.control)


def winner(experiment: Experiment) -> str:
    """Return the name of the variant that the frozen verdict proves best, or that is in force untested, or ""."""
    if experiment.tier == NO_TEST:
        return untested(design_of(experiment)) if experiment.state == "applied" else ""
    decided = experiment.verdict.get("outcome") in DECIDED
    return str(experiment.verdict.get("leader") or "") if decided else ""


def _end_or_pause(
    project: Project, transaction: Transaction, found: Experiment, action: ExperimentAction, reason: str
) -> tuple[ExperimentState, str]:
    verdict: dict[str, Any] | None = None
    if action == "close":
        from vettle.engine.experiments import verdicts

        verdict = verdicts.of(transaction, found, final=True).judgement.to_json()
    if action == "apply" and found.tier != NO_TEST and not winner(found):
        raise InvalidArgument(
            "action",
            f"experiment {found.id} ended without a winner to apply ({found.verdict.get('outcome', 'no verdict')})",
            f"Decide by other means, or ask again: experiment_decide {found.id} restart 'why'",
        )
    new = _NEW_STATE[action]
    append(project, transaction, found, new, action, reason, verdict)
    if found.state in HOLDING and new not in HOLDING:
        _start_waiting(project, transaction)
    return new, ""


def _start(
    project: Project,
    transaction: Transaction,
    found: Experiment,
    reason: str,
    action: ExperimentAction = "start",
) -> tuple[ExperimentState, str]:
    """Start the experiment, or let it wait; returns its state and what it waits for."""
    if found.tier == NO_TEST:
        raise InvalidArgument(
            "tier", "tier 3 is applied without a test", "Create it with tier 1 or 2 to test it"
        )
    why = "" if found.state in HOLDING else _obstacle(project, transaction, found)
    new: ExperimentState = "accepted" if why else "running"
    if new != found.state or action == "restart":
        append(project, transaction, found, new, action, reason)
    return new, why


def _obstacle(project: Project, transaction: Transaction, found: Experiment) -> str:
    """Return what the experiment has to wait for, or ""."""
    holder = found.variable and table.holder_of(transaction, found.domain, found.variable)
    if holder:
        return f"It waits: experiment {holder} holds the variable {found.variable!r}."
    open_now = [one for one in table.in_states(transaction, HOLDING) if one.id != found.id]
    alone = next((one.id for one in open_now if one.tier == 1), "")
    if alone:
        return f"It waits: experiment {alone} is of tier 1 and runs alone."
    if found.tier == 1 and open_now:
        return f"It waits: it is of tier 1 and runs alone, and {open_now[0].id} is open."
    most = project.settings.experiments.running
    return f"It waits: {most} experiments are open, the most at once." if len(open_now) >= most else ""


def _start_waiting(project: Project, transaction: Transaction) -> None:
    """Start every experiment that waits and need wait no more, oldest first."""
    for waiting in table.in_states(transaction, ("accepted",)):
        if not _obstacle(project, transaction, waiting):
            append(project, transaction, waiting, "running", "start", "what it waited for has ended")


def append(
    project: Project,
    transaction: Transaction,
    found: Experiment,
    new: ExperimentState,
    action: ExperimentAction,
    reason: str,
    verdict: dict[str, Any] | None = None,
    **more: object,
) -> None:
    """Log that an experiment moves on; the caller has looked whether it may."""
    data: dict[str, Any] = {"old": found.state, "new": new, "reason": reason, "by": project.actor, **more}
    if verdict is not None:
        data["verdict"] = verdict
    transaction.append(
        Event(
            kind="experiment_decided",
            uid=new_uid(transaction.now),
            subject=found.id,
            choice=action,
            data=data,
        )
    )
