"""What each kind of fact becomes in the log. Every function answers whether the fact is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vettle.engine import lifecycle, mistakes, quarantine, similarity
from vettle.engine.clock import SECOND
from vettle.engine.exchange.facts import (
    AssignmentFact,
    ExperimentFact,
    MistakeFact,
    RewardFact,
    RunFact,
    SessionFact,
    VariableFact,
)
from vettle.engine.experiments import lifecycle as experiments
from vettle.engine.experiments import runs
from vettle.engine.experiments.design import Design, make
from vettle.engine.identifiers import session_id as short_id
from vettle.engine.project import Project
from vettle.engine.store import Transaction, assignments, events
from vettle.engine.store.events import Event
from vettle.engine.store.experiments import Experiment
from vettle.engine.store.sessions import IMPORTED


@dataclass(slots=True)
class Tally:
    """What a session's mistakes and rewards add up to."""

    mistakes: int = 0
    repeats: int = 0
    weight: float = 0.0
    reward: float = 0.0


def variable(transaction: Transaction, uid: bytes, fact: VariableFact) -> bool:
    """Register a variable under its own name, as far as it is not registered."""
    if events.with_uid(transaction, uid):
        return False
    transaction.append(
        Event(
            kind="variable_registered",
            uid=uid,
            subject=fact.name,
            data={
                "domain": fact.domain,
                "aliases": sorted({*fact.aliases} - {fact.name}),
                "description": fact.description,
                "execution": fact.execution,
            },
        )
    )
    return True


def mistake(transaction: Transaction, uid: bytes, session: bytes, fact: MistakeFact, tally: Tally) -> bool:
    """Log a mistake of an imported session, whose uid is `session` (empty for none), and count it."""
    known = events.with_uid(transaction, uid)
    event = known or _mistake(transaction, uid, session, fact)
    tally.mistakes += 1
    tally.repeats += int(event.metrics["repeat"])
    return known is None


def _mistake(transaction: Transaction, uid: bytes, session: bytes, fact: MistakeFact) -> Event:
    description = quarantine.redact(fact.description)
    return mistakes.append(
        transaction,
        uid,
        error_class=fact.error_class,
        description=description,
        # Nobody is shown what is merely like it: only what it repeats is worth the time.
        matches=similarity.similar(
            transaction, fact.error_class, description, limit=1, least=similarity.REPEAT
        ),
        session_id=short_id(session) if session else "",
        severity=fact.severity,
        file=fact.file,
        correction=quarantine.redact(fact.correction),
        context="",
        named_shown=False,
        named_now=False,
        happened=fact.happened,
        origin=str(fact.place),
    )


def session(project: Project, transaction: Transaction, uid: bytes, fact: SessionFact, tally: Tally) -> bool:
    """Log a session that is over, with the score that its rewards and mistakes make (none without a reward)."""
    if events.with_uid(transaction, uid):
        return False
    metrics = {
        "mistakes": float(tally.mistakes),
        "repeats": float(tally.repeats),
        "reward_weight": tally.weight,
        "reward_sum": tally.reward,
        "seconds": max(fact.ended - fact.started, 0) / SECOND,
    }
    if tally.weight > 0:
        outcome = tally.reward / tally.weight
        metrics["score"] = lifecycle.score(project.settings.score, outcome, tally.mistakes, tally.repeats)
    transaction.append(
        Event(
            kind="session_imported",
            uid=uid,
            session=short_id(uid),
            subject=fact.context,
            metrics=metrics,
            data={
                "task": quarantine.redact(fact.task),
                "agent": fact.agent,
                "model": fact.model,
                "happened": fact.started or transaction.now,
                "ended": fact.ended or fact.started or transaction.now,
                "origin": str(fact.place),
            },
        )
    )
    return True


def reward(transaction: Transaction, uid: bytes, session: bytes, fact: RewardFact) -> bool:
    """Log a reward; the imported session's score has counted it already."""
    if events.with_uid(transaction, uid):
        return False
    transaction.append(
        Event(
            kind="reward_logged",
            uid=uid,
            session=short_id(session) if session else "",
            subject=fact.outcome,
            choice=fact.source,
            metrics={"value": fact.value, "weight": fact.weight},
            data={
                "notes": quarantine.redact(fact.notes),
                "rules_active": [],
                "counted": False,
                "happened": fact.happened,
                "origin": str(fact.place),
            },
        )
    )
    return True


def design_of(fact: ExperimentFact) -> Design:
    """Return the design of an imported experiment, which may have a single variant (InvalidArgument)."""
    return make(
        variants=fact.variants,
        dimensions={},
        constraints=(),
        metric=fact.metric,
        guardrails=(),
        mode="interleaved",
        description="\n".join(part for part in (fact.description, fact.said) if part),
        least=1,
    )


def experiment(
    project: Project, transaction: Transaction, uid: bytes, fact: ExperimentFact, design: Design
) -> Experiment:
    """Create an imported experiment and start it, so that its runs count; nobody is asked to wait for it."""
    identity = experiments.id_of(uid, fact.name)
    happened: dict[str, Any] = {"happened": fact.created} if fact.created else {}
    transaction.append(
        Event(
            kind="experiment_created",
            uid=uid,
            subject=identity,
            data={
                "name": fact.name,
                "context": fact.context,
                "domain": fact.domain,
                "variable": fact.variable,
                "tier": 2,
                "design": design.model_dump(mode="json"),
                "origin": str(fact.place),
                **happened,
            },
        )
    )
    found = experiments.require(transaction, identity)
    if fact.ending != "proposed":
        experiments.append(
            project, transaction, found, "running", "start", f"{IMPORTED} from {fact.place}", **happened
        )
    return experiments.require(transaction, identity)


def assignment(
    transaction: Transaction, uid: bytes, found: Experiment, design: Design, fact: AssignmentFact
) -> bool:
    """Log which variant a unit was given there; another system drew it, so it belongs to no block of ours."""
    unit_known = assignments.get(transaction, found.id, fact.unit) is not None
    if unit_known or events.with_uid(transaction, uid):
        return False
    transaction.append(
        Event(
            kind="variant_assigned",
            uid=uid,
            subject=found.id,
            choice=design.find(fact.variant).id,
            metrics={"propensity": 1 / len(design.variants)},
            data={
                "unit": fact.unit,
                "context": found.context,
                "stratum": fact.stratum,
                "item": "",
                "block": None,
                "policy": IMPORTED,
                "happened": fact.happened,
                "origin": str(fact.place),
            },
        )
    )
    return True


def run(transaction: Transaction, uid: bytes, found: Experiment, design: Design, fact: RunFact) -> bool:
    """Record a result of an imported experiment."""
    if events.with_uid(transaction, uid):
        return False
    variant = design.find(fact.run.variant)
    runs.append(transaction, found, fact.run.unit, variant.id, fact.run, uid=uid, happened=fact.happened)
    return True


def end(project: Project, transaction: Transaction, found: Experiment, fact: ExperimentFact) -> None:
    """End an imported experiment as it ended there, with the verdict that its runs give here."""
    if fact.ending == "concluded":
        from vettle.engine.experiments import verdicts

        verdict = verdicts.of(transaction, found, final=True).judgement.to_json()
        experiments.append(project, transaction, found, "concluded", "close", fact.said or IMPORTED, verdict)
    elif fact.ending == "abandoned":
        experiments.append(project, transaction, found, "abandoned", "abandon", fact.said or IMPORTED)
