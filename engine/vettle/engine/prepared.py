"""Sessions decided ahead: their rules are there at once when an assistant starts, without numpy or the database.

A hook has a few milliseconds. So the coins are flipped before, by a process that nobody waits for, and what
they say is recorded when the session really starts. This is delayed feedback and nothing worse: a coin was
flipped before any outcome of its session, its propensity is that of the moment it was drawn at, which the
decision names (`folded`), and neither discarding prepared sessions nor the order in which they are used looks
at a coin. Evidence from them is as valid as any, and `sessions.replay` recomputes them bit for bit.
"""

from __future__ import annotations

import secrets

from vettle.engine import lifecycle, mistakes
from vettle.engine.clock import moment
from vettle.engine.errors import InvalidArgument, StatusRefused
from vettle.engine.identifiers import new_uid
from vettle.engine.identifiers import session_id as short_id
from vettle.engine.pool import Work
from vettle.engine.project import Project
from vettle.engine.records import PastMistake, RuleToFollow, SessionStarted
from vettle.engine.records.sessions import PreparedSession
from vettle.engine.sessions import append_start
from vettle.engine.store import Transaction, events
from vettle.engine.store import rules as rule_table
from vettle.engine.store import sessions as table

TASK = "(started by a hook; the task was not told)"
"""What stands for the task, which nobody knows before the first prompt."""

_LARGEST_SEED = 2**53
_IN_USE = ("trial", "proven", "pinned")


def prepare(project: Project, *, context: str = "general", k: int = 3) -> PreparedSession:
    """Decide about a session that will start later, from what is known now; nothing is recorded."""
    work = Work(context=context, task=TASK)
    with project.read() as transaction:
        learning = project.learning(transaction)
        uid = new_uid(transaction.now)
        decision = learning.choose(
            work,
            project.settings.selection,
            session_id=short_id(uid),
            k=k,
            seed=secrets.randbelow(_LARGEST_SEED),
        )
        shown = [entry.rule for entry in decision.slate if entry.shown]
        return PreparedSession(
            uid=uid.hex(),
            session_id=short_id(uid),
            prepared=moment(transaction.now),
            context=context,
            task=TASK,
            selection=project.settings.selection.model_dump(),
            decision=decision,
            rules=[RuleToFollow(id=rule_id, text=learning.pool[rule_id].text) for rule_id in shown],
            withheld=len(decision.slate) - len(shown),
            avoid=_frequent(transaction, context),
        )


def _frequent(transaction: Transaction, context: str) -> list[PastMistake]:
    """Return the mistakes made most often: what a task resembles cannot be told before it is known."""
    return mistakes.worth_avoiding(transaction, context, "")


def fresh(project: Project, prepared: PreparedSession) -> bool:
    """Tell whether a session may still be started as prepared: its rules are in use, with the same text."""
    with project.read() as transaction:
        return not _stale(transaction, prepared)


def _stale(transaction: Transaction, prepared: PreparedSession) -> str:
    """Return the first rule of a prepared session that is not any more what it was then, or ""."""
    texts = {rule.id: rule.text for rule in prepared.rules}
    for entry in prepared.decision.slate:
        rule = rule_table.get(transaction, entry.rule)
        if rule is None or rule.status not in _IN_USE or rule.text != texts.get(rule.id, rule.text):
            return entry.rule
        if events.began_anew(transaction, rule.id, after=prepared.decision.folded):
            return entry.rule
    return ""


def start(
    project: Project,
    prepared: PreparedSession,
    *,
    agent: str = "",
    model: str = "",
    client_ref: str = "",
) -> SessionStarted:
    """Open the session that was prepared, with exactly that decision; a retry gets the first answer again.

    It is recorded as well when a rule changed since then: the agent has been shown it, and evidence about a rule
    that began anew is left out when the session is scored.

    Raises:
        StatusRefused: It was started already.
        InvalidArgument: It was not prepared for this project, so its decision means nothing here.
    """
    uid = bytes.fromhex(prepared.uid)
    work = Work(context=prepared.context, task=prepared.task)

    def run(transaction: Transaction, _: bytes) -> SessionStarted:
        used = table.get(transaction, prepared.session_id)
        if used is not None:
            raise StatusRefused(f"session {prepared.session_id}", used.state, "be started again", ())
        _require_own(transaction, prepared)
        lifecycle.close_forgotten(project, transaction)
        append_start(
            transaction,
            uid,
            work,
            prepared.decision,
            agent=agent,
            model=model,
            selection=prepared.selection,
        )
        return SessionStarted(
            session_id=prepared.session_id,
            rules=prepared.rules,
            withheld=prepared.withheld,
            pool=prepared.decision.pool,
            avoid=prepared.avoid,
            next_step="Follow the rules. Log each mistake with mistake_log, then call session_end with an outcome.",
        )

    arguments = {"prepared": prepared.model_dump(mode="json"), "agent": agent, "model": model}
    return project.once(SessionStarted, "prepared_start", client_ref, arguments, run)


def _require_own(transaction: Transaction, prepared: PreparedSession) -> None:
    """Raise InvalidArgument for a session that another project, or another database of this one, prepared."""
    known = all(rule_table.get(transaction, entry.rule) is not None for entry in prepared.decision.slate)
    if short_id(bytes.fromhex(prepared.uid)) != prepared.session_id or not known:
        raise InvalidArgument(
            "prepared",
            f"session {prepared.session_id} was not prepared for this project",
            "Prepare another one",
        )


def begun(project: Project, session_id: str) -> SessionStarted | None:
    """Answer as the start of a session did that is open since, with its rules; None for any other session."""
    with project.read() as transaction:
        session = table.get(transaction, session_id)
        if session is None or session.state != "open":
            return None
        shown = [entry.rule for entry in session.decision.slate if entry.shown]
        rules = [rule_table.get(transaction, rule_id) for rule_id in shown]
        return SessionStarted(
            session_id=session.id,
            rules=[RuleToFollow(id=rule.id, text=rule.text) for rule in rules if rule is not None],
            withheld=len(session.decision.slate) - len(shown),
            pool=session.decision.pool,
            avoid=_frequent(transaction, session.context),
            note="This session began with the conversation, and these are the rules that it began with.",
            next_step="It is under way: go on following its rules and pass its session_id. Log each mistake with "
            "mistake_log; the session ends with the conversation.",
        )


def start_without_rules(
    project: Project, *, context: str = "general", agent: str = "", model: str = "", client_ref: str = ""
) -> SessionStarted:
    """Open a session that nobody could be handed rules for; a retry gets the first answer again.

    It is a holdout: it teaches what sessions score without rules and proves nothing about any.
    """
    work = Work(context=context, task=TASK)
    selection = project.settings.selection.model_copy(update={"holdout": 1.0})

    def run(transaction: Transaction, uid: bytes) -> SessionStarted:
        lifecycle.close_forgotten(project, transaction)
        decision = project.learning(transaction).choose(
            work, selection, session_id=short_id(uid), k=0, seed=secrets.randbelow(_LARGEST_SEED)
        )
        append_start(
            transaction, uid, work, decision, agent=agent, model=model, selection=selection.model_dump()
        )
        return SessionStarted(
            session_id=short_id(uid),
            rules=[],
            withheld=len(decision.slate),
            pool=decision.pool,
            avoid=[],
            next_step="Log each mistake with mistake_log, then call session_end with an outcome.",
        )

    arguments = {"context": context, "agent": agent, "model": model}
    return project.once(SessionStarted, "bare_start", client_ref, arguments, run)
