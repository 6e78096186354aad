"""Sessions: starting one with rules worth trying, and ending it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from vettle.engine import lifecycle, mistakes, quarantine, rewards, standings
from vettle.engine.clock import SECOND
from vettle.engine.errors import StatusRefused, StoreUnavailable
from vettle.engine.identifiers import session_id as short_id
from vettle.engine.pool import Work
from vettle.engine.project import PERSON, Project
from vettle.engine.records import (
    Decision,
    Replay,
    RewardOutcome,
    RuleSource,
    RuleToFollow,
    SessionEnded,
    SessionStarted,
    StatusChange,
)
from vettle.engine.settings import SelectionSettings
from vettle.engine.store import Transaction, events
from vettle.engine.store import sessions as table
from vettle.engine.store.events import Event
from vettle.engine.store.sessions import IMPORTED

if TYPE_CHECKING:
    from vettle.engine.learning import Learning

_LARGEST_SEED = 2**53


def start(
    project: Project,
    *,
    task: str,
    context: str = "general",
    paths: Sequence[str] = (),
    tags: Sequence[str] = (),
    k: int = 3,
    candidates: Sequence[str] = (),
    agent: str = "",
    model: str = "",
    seed: int = -1,
    client_ref: str = "",
) -> SessionStarted:
    """Open a session and hand it the rules worth trying; the decision is recorded and can be replayed.

    When the store cannot take a write, the work is not blocked: the answer carries the proven rules, no
    session id, and the reason.

    Raises:
        UnknownRule, InvalidArgument: `candidates` or `paths` name something unusable.
    """
    work = Work(
        context=context or "general",
        task=quarantine.redact(task),
        paths=tuple(project.relative("paths", path) for path in paths),
        tags=tuple(tags),
        only=tuple(candidates),
    )
    drawn = secrets.randbelow(_LARGEST_SEED) if seed < 0 else seed

    def run(transaction: Transaction, uid: bytes) -> SessionStarted:
        lifecycle.close_forgotten(project, transaction)
        learning = project.learning(transaction)
        number = short_id(uid)
        decision = learning.choose(work, project.settings.selection, session_id=number, k=k, seed=drawn)
        selection = project.settings.selection.model_dump()
        append_start(transaction, uid, work, decision, agent=agent, model=model, selection=selection)
        return _started(transaction, learning, number, work, decision)

    arguments = {
        "task": task,
        "context": context,
        "paths": list(paths),
        "tags": list(tags),
        "k": k,
        "candidates": list(candidates),
        "agent": agent,
        "model": model,
        "seed": seed,
    }
    try:
        return project.once(SessionStarted, "session_start", client_ref, arguments, run)
    except StoreUnavailable as error:
        return _fail_open(project, error)


def append_start(
    transaction: Transaction,
    uid: bytes,
    work: Work,
    decision: Decision,
    *,
    agent: str,
    model: str,
    selection: Mapping[str, float],
) -> None:
    """Log that a session began with this decision, drawn with these settings of selection; `replay` reads it."""
    transaction.append(
        Event(
            kind="session_started",
            uid=uid,
            session=short_id(uid),
            subject=work.context,
            data={
                "task": work.task,
                "paths": list(work.paths),
                "tags": list(work.tags),
                "candidates": list(work.only),
                "agent": agent,
                "model": model,
                "selection": dict(selection),
                "decision": decision.model_dump(mode="json"),
            },
        )
    )


def _started(
    transaction: Transaction, learning: Learning, session_id: str, work: Work, decision: Decision
) -> SessionStarted:
    shown = [entry.rule for entry in decision.slate if entry.shown]
    if shown:
        next_step = (
            "Follow the rules. Log each mistake with mistake_log, then call session_end with an outcome."
        )
    elif decision.pool:
        next_step = "No rule looked worth its place this time. Log each mistake with mistake_log, then call session_end with an outcome."
    else:
        next_step = (
            "There are no rules yet: add candidates with rule_add. Log mistakes, then call session_end."
        )
    return SessionStarted(
        session_id=session_id,
        rules=[RuleToFollow(id=rule_id, text=learning.pool[rule_id].text) for rule_id in shown],
        withheld=len(decision.slate) - len(shown),
        pool=decision.pool,
        avoid=mistakes.worth_avoiding(transaction, work.context, work.task),
        next_step=next_step,
    )


def _fail_open(project: Project, error: StoreUnavailable) -> SessionStarted:
    """Answer with the proven and pinned rules, or with none, when nothing can be recorded."""
    try:
        known = standings.to_render(project).rules
    except StoreUnavailable:
        known = []
    return SessionStarted(
        session_id="",
        rules=[RuleToFollow(id=rule.id, text=rule.text) for rule in known[:10]],
        withheld=0,
        pool=len(known),
        avoid=[],
        note=f"Not recorded, so this session teaches nothing: {error}",
        next_step="Do the work. Mistakes and rewards cannot be logged until the cause is mended.",
    )


def end(
    project: Project,
    *,
    session_id: str = "",
    outcome: RewardOutcome | Literal[""] = "",
    notes: str = "",
    entry_file: str = "",
    client_ref: str = "",
) -> SessionEnded:
    """End a session; with an `outcome`, log that reward too, so that its evidence enters now.

    `entry_file` names a journal entry: what its Improvements say goes on trial as rules. The file is read
    and never written; one that is not there, or is no Markdown, is only recorded.

    A session without any reward waits for one for seven days (a setting), then closes as unrewarded.

    Raises:
        UnknownSession, AmbiguousSession: The session cannot be told.
        StatusRefused: The session has ended already.
        InvalidArgument: `entry_file` lies outside the project.
        SourceDamaged: The entry is no UTF-8, or too long.
    """
    entry = project.relative("entry_file", entry_file)

    def run(transaction: Transaction, uid: bytes) -> SessionEnded:
        session = lifecycle.resolve(project, transaction, session_id, required=True)
        assert session is not None
        if session.state != "open":
            allowed = ["reward_log" if session.state == "ended" else "session_start"]
            raise StatusRefused(f"session {session.id}", session.state, "end", allowed)
        if outcome:
            rewards.append(transaction, session, outcome=outcome, notes=notes)
        said = {"notes": quarantine.redact(notes), "entry_file": entry}
        changes = lifecycle.end(project, transaction, session, uid, said)
        found = _distilled(project, transaction, entry)
        closed = table.get(transaction, session.id)
        assert closed is not None
        return SessionEnded(
            session_id=closed.id,
            state=closed.state,
            duration_seconds=round((closed.ended - closed.started) / SECOND, 3),
            mistakes=closed.mistakes,
            repeats=closed.repeats,
            score=closed.score,
            status_changes=changes,
            rules_found=found,
            next_step=_after_end(project, closed.score, changes),
        )

    arguments = {"session_id": session_id, "outcome": outcome, "notes": notes, "entry_file": entry_file}
    return project.once(SessionEnded, f"session_end {session_id}", client_ref, arguments, run)


def _distilled(project: Project, transaction: Transaction, entry: str) -> int:
    """Take the rules of a journal entry of the project; return how many are new or were found again."""
    path = project.root / entry
    if not entry or path.suffix.lower() not in (".md", ".markdown") or not path.is_file():
        return 0
    # Imported here because hardly any session has an entry.
    from vettle.engine.candidates import distilling, journal

    source: RuleSource = "human" if project.actor == PERSON else "agent"
    taking = distilling.distil(transaction, [journal.read(path, entry)], apply=True, source=source)
    return sum(rule.outcome != "known" for rule in taking.rules)


def _after_end(project: Project, score: float | None, changes: Sequence[StatusChange]) -> str:
    if any(change.new == "proven" or change.old == "proven" for change in changes):
        return "What is proven has changed: call rules_render with write true to bring the rule files up to date."
    if score is None:
        days = project.settings.sessions.unrewarded_after_days
        return f"Nothing is learned until a reward names this session (reward_log), within {days:g} days."
    return "Done: the evidence has entered. Call session_start for the next task."


def replay(project: Project, session_id: str) -> Replay:
    """Recompute a session's decision from the event log alone, and compare it with the recorded one.

    The pool, the posterior and the settings are those of that moment.

    Raises:
        UnknownSession: No session has this id.
        StatusRefused: Another system ran the session, so no decision of ours gave it rules; or its beginning was
            pruned from the log.
    """
    with project.read() as transaction:
        session = lifecycle.require(transaction, session_id)
        if session.decision.policy == IMPORTED:
            raise StatusRefused(f"session {session_id}", "imported", "be replayed", ())
        begun = [e for e in events.of_session(transaction, session_id) if e.kind == "session_started"]
        if not begun:
            raise StatusRefused(f"session {session_id}", "pruned from the log", "be replayed", ())
        [started] = begun
        data, recorded = started.data, session.decision
        work = Work(
            context=session.context,
            task=data["task"],
            paths=tuple(data["paths"]),
            tags=tuple(data["tags"]),
            only=tuple(data["candidates"]),
        )
        learning = project.learning_as_of(transaction, recorded.folded)
    settings = SelectionSettings.model_validate(data["selection"])
    recomputed = learning.choose(work, settings, session_id=session_id, k=recorded.k, seed=recorded.seed)
    return Replay(
        session_id=session_id,
        recorded=recorded,
        recomputed=recomputed,
        identical=recomputed == recorded,
    )
