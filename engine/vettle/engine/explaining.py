"""Why a rule, or an experiment, stands where it stands, and what would change that."""

from __future__ import annotations

from collections.abc import Sequence

from vettle.engine import effects, outlook, standings
from vettle.engine.clock import moment
from vettle.engine.experiments import results
from vettle.engine.project import Project
from vettle.engine.records import Estimate, ExperimentResults, Rule
from vettle.engine.records.diagnosis import (
    ExperimentExplained,
    Forecast,
    RuleExplained,
    SessionWithRule,
)
from vettle.engine.store import events
from vettle.engine.store.events import Event, Kind
from vettle.engine.store.sessions import Session
from vettle.engine.wording import NO_COIN, counted, evidence, fallen

_FEW = 5
_BY_EVIDENCE = ("works: ", "hurts: ")
"""How reasons begin that the evidence gave."""


def rule(project: Project, rule_id: str, *, files: Sequence[str] = ()) -> RuleExplained:
    """Tell why a rule stands where it stands; `files` are those that hold it, which the engine cannot know.

    Raises:
        UnknownRule: No rule has this id.
    """
    found = standings.explain(project, rule_id)
    with project.read() as transaction:
        lately = outlook.lately(transaction)
        learning = project.learning(transaction)
        forecast = outlook.forecast(learning, rule_id, lately) if found.rule.status == "trial" else None
        flips = learning.learner.evidence(rule_id).flips
        proof = standings.proof(found.rule, events.of_subject(transaction, rule_id, ("rule_decided",)))
    known = dict(found)
    if files and found.rule.status in standings.RENDERED:
        known["next_step"] = f"Nothing to do: assistants read it in {', '.join(files)}."
    return RuleExplained(
        **known,
        why=_why(found.rule, found.estimate, flips, proof),
        files=list(files),
        sessions=[one for session in lately.sessions if (one := _with(session, rule_id))][:_FEW],
        forecast=forecast,
        would_change=_would_change(found.rule, found.estimate, forecast),
    )


def _with(session: Session, rule_id: str) -> SessionWithRule | None:
    for entry in session.decision.slate:
        if entry.rule == rule_id:
            return SessionWithRule(
                session_id=session.id,
                started=moment(session.started),
                state=session.state,
                shown=entry.shown,
                score=session.score,
            )
    return None


def _why(found: Rule, estimate: Estimate, flips: int, proof: Event | None) -> str:
    """Say in one sentence why the rule stands where it stands."""
    reason = found.reason.rstrip(".")
    if reason.startswith(_BY_EVIDENCE):
        reason = f"it {reason}"
    match found.status:
        case "quarantined":
            return f"It waits for a person: {reason}."
        case "retired":
            return f"It is retired: {reason or 'by a person'}."
        case "pinned":
            return (
                f"It is pinned, because a person wants it{f': {reason}' if reason else ''}; that is no proof."
            )
        case "proven":
            return f"It is proven: {reason or 'by its evidence'}.{_fallen(estimate, proof)}"
        case _:
            return f"It is on trial: {_too_early(estimate, flips)}."


def _fallen(estimate: Estimate, proof: Event | None) -> str:
    if estimate.e_works >= effects.CLAIM or proof is None:
        return ""
    since = moment(proof.ts).strftime("%Y-%m-%d")
    return f" {fallen(proof.metrics.get('e_works'), since, estimate.e_works)}"


def _too_early(estimate: Estimate, flips: int) -> str:
    if not estimate.shown + estimate.withheld:
        return "no scored session has tried it yet"
    if not estimate.withheld:
        why = "so there is nothing to compare with" if flips else NO_COIN
        return f"it was shown in {counted(estimate.shown, 'scored session')} and withheld in none: {why}"
    return (
        f"{estimate.shown} scored sessions with it and {estimate.withheld} without are too few to prove anything "
        f"(evidence {evidence(estimate.e_works)} that it works, {evidence(estimate.e_hurts)} that it hurts; {effects.CLAIM:g} proves)"
    )


def _would_change(found: Rule, estimate: Estimate, forecast: Forecast | None) -> str:
    if forecast is not None:
        return (
            f"{forecast.said} It is retired when it is proven to hurt, or hardly believed any more to bring "
            f"{effects.MINIMUM_EFFECT:+.2f}."
        )
    match found.status:
        case "proven":
            return (
                f"A person, or proof that it hurts: evidence of {effects.CLAIM:g} against it "
                f"(now {evidence(estimate.e_hurts)})."
            )
        case "pinned":
            return "A person only; it is measured meanwhile."
        case "retired":
            return "A person only: sessions do not try it any more."
        case _:
            return "A person's decision."


def experiment(project: Project, experiment_id: str) -> ExperimentExplained:
    """Tell why an experiment stands where it stands, with its history.

    Raises:
        UnknownExperiment: No experiment has this id or name.
    """
    found = results.results(project, experiment=experiment_id)
    with project.read() as transaction:
        kinds: tuple[Kind, ...] = ("experiment_created", "experiment_decided")
        history = [_line(event) for event in events.of_subject(transaction, found.experiment_id, kinds)]
    return ExperimentExplained(
        why=_why_undecided(found),
        results=found,
        history=history,
        next_step=_next_step(found),
    )


def _line(event: Event) -> str:
    when = moment(event.ts).strftime("%Y-%m-%d %H:%M")
    if event.kind == "experiment_created":
        return f"{when} created"
    data = event.data
    return f"{when} {data['old']} -> {data['new']}: {event.choice} by {data['by']}, {data['reason']}"


def _why_undecided(found: ExperimentResults) -> str:
    said = found.frozen or found.verdict
    if said is None or not found.runs:
        return f"It is {found.state} and has no runs yet."
    outcome = said.outcome.replace("_", " ")
    leader = f", {said.leader} leads" if said.leader else ""
    why = f": {said.reasons[0].rstrip('.')}" if said.reasons else ""
    return f"It is {found.state}, and the verdict is {outcome}{leader}{why}."


def _next_step(found: ExperimentResults) -> str:
    said = found.frozen or found.verdict
    if said is not None and said.next_step:
        return said.next_step
    return f"See its numbers: vettle experiment results {found.experiment_id}"
