"""Mistakes: logging one, and telling whether an earlier session made it already."""

from __future__ import annotations

from vettle.engine import instructions, lifecycle, quarantine, rules, similarity
from vettle.engine.arguments import RULE_CHARACTERS
from vettle.engine.errors import ClientRefReused
from vettle.engine.identifiers import digest
from vettle.engine.project import Project
from vettle.engine.records import MistakeLogged, PastMistake, Severity
from vettle.engine.store import Transaction
from vettle.engine.store import mistakes as table
from vettle.engine.store import rules as rules_table
from vettle.engine.store.events import Event
from vettle.engine.store.mistakes import Mistake
from vettle.engine.store.sessions import Session

SUGGEST_AFTER = 3
"""Occurrences after which a rule against the mistake is suggested."""


def log(
    project: Project,
    *,
    error_class: str,
    description: str,
    session_id: str = "",
    severity: Severity = "warning",
    file: str = "",
    corrected_by_rule: str = "",
    correction: str = "",
    identity: str = "",
    client_ref: str = "",
) -> MistakeLogged:
    """Log a mistake, and tell whether an earlier session made it and what corrected it then.

    Without a `session_id` it belongs to the one open session; with none open it is kept without one.
    `identity` is what makes it the same mistake as another where the caller knows that, such as the name of a
    failing test; without it, descriptions that are alike but for names, numbers and paths are the same.
    What looks like a secret is replaced before anything is stored.

    Raises:
        UnknownSession, AmbiguousSession: The session cannot be told.
        UnknownRule: `corrected_by_rule` names no rule.
        InvalidArgument: `file` lies outside the project.
    """
    path = project.relative("file", file)
    description, correction = quarantine.redact(description), quarantine.redact(correction)
    identity = quarantine.redact(identity)

    def work(transaction: Transaction, uid: bytes) -> MistakeLogged:
        session = lifecycle.resolve(project, transaction, session_id, required=False)
        if corrected_by_rule:
            rules.require(transaction, "corrected_by_rule", corrected_by_rule)
        matches = similarity.similar(transaction, error_class, description, limit=3)
        event = append(
            transaction,
            uid,
            error_class=error_class,
            description=description,
            matches=matches,
            session_id=session.id if session else "",
            severity=severity,
            file=path,
            corrected_by_rule=corrected_by_rule,
            correction=correction,
            identity=identity,
            context=session.context if session else "",
            named_shown=bool(session and _shown(session, corrected_by_rule)),
            named_now=session is None or not session.counts,
        )
        repeat = bool(event.metrics["repeat"])
        logged = table.with_hash(transaction, error_class, event.data["hash"])
        assert logged is not None
        canonical = table.get(transaction, logged.canonical)
        assert canonical is not None
        return _answer(transaction, session, canonical, repeat, matches, description, bool(corrected_by_rule))

    arguments = {
        "error_class": error_class,
        "description": description,
        "session_id": session_id,
        "severity": severity,
        "file": path,
        "corrected_by_rule": corrected_by_rule,
        "correction": correction,
        **({"identity": identity} if identity else {}),
    }
    return project.once(MistakeLogged, f"mistake_log {session_id}", client_ref, arguments, work)


def log_named(
    project: Project,
    *,
    error_class: str,
    description: str,
    identity: str,
    session_id: str,
    severity: Severity = "warning",
    file: str = "",
) -> MistakeLogged | None:
    """Log a mistake of a session that has an identity, once; None if somebody described it otherwise already.

    The first description stays: what noticed the mistake later only saw the same. Raises what `log` raises.
    """
    try:
        return log(
            project,
            error_class=error_class,
            description=description,
            session_id=session_id,
            severity=severity,
            file=file,
            identity=identity,
            client_ref=f"named-{digest(error_class, identity).hex()[:32]}",
        )
    except ClientRefReused:
        return None


def append(
    transaction: Transaction,
    uid: bytes,
    *,
    error_class: str,
    description: str,
    matches: list[similarity.Match],
    session_id: str = "",
    severity: Severity = "warning",
    file: str = "",
    corrected_by_rule: str = "",
    correction: str = "",
    identity: str = "",
    **data: object,
) -> Event:
    """Append a mistake to the log; texts hold no secrets any more, and `matches` are the earlier ones like it."""
    norm = identity or similarity.normal_form(description)
    hash_ = similarity.text_hash(norm)
    same = _same(transaction, error_class, hash_, [] if identity else matches)
    repeat = same is not None and (same.sessions > 1 or same.last_session != session_id)
    return transaction.append(
        Event(
            kind="mistake_logged",
            uid=uid,
            session=session_id,
            subject=error_class,
            choice=corrected_by_rule,
            metrics={"repeat": float(repeat)},
            data={
                "description": description,
                "severity": severity,
                "file": file,
                "correction": correction,
                "hash": hash_,
                "norm": norm,
                "terms": similarity.terms(description),
                "same_as": similarity.text_hash(same.norm) if same else 0,
                **data,
            },
        )
    )


def _same(
    transaction: Transaction, error_class: str, hash_: int, matches: list[similarity.Match]
) -> Mistake | None:
    """Return the canonical mistake that this one is, by its normal form or by a high similarity."""
    exact = table.with_hash(transaction, error_class, hash_)
    if exact is not None:
        return table.get(transaction, exact.canonical)
    return matches[0].mistake if matches and matches[0].score >= similarity.REPEAT else None


def _shown(session: Session, rule_id: str) -> bool:
    return any(entry.rule == rule_id and entry.shown for entry in session.decision.slate)


def past(mistake: Mistake, score: float = 0.0) -> PastMistake:
    """Return an earlier mistake as agents see it."""
    return PastMistake(
        mistake_id=f"m{mistake.id}",
        error_class=mistake.error_class,
        description=quarantine.shown(mistake.text),
        correction=quarantine.shown(mistake.correction),
        occurrences=mistake.n,
        similarity=score,
    )


def worth_avoiding(transaction: Transaction, context: str, task: str, limit: int = 3) -> list[PastMistake]:
    """Return earlier mistakes worth knowing before a task: those like it, then those made most often."""
    found = {
        match.mistake.id: past(match.mistake, match.score)
        for match in similarity.similar(transaction, context, task, limit=limit)
    }
    frequent = table.recurring_in_class(transaction, context, limit=limit) + table.recurring(
        transaction, limit=limit
    )
    for mistake in frequent:
        found.setdefault(mistake.id, past(mistake))
    return list(found.values())[:limit]


def _answer(
    transaction: Transaction,
    session: Session | None,
    canonical: Mistake,
    repeat: bool,
    matches: list[similarity.Match],
    description: str,
    named: bool,
) -> MistakeLogged:
    suggested = ""
    if canonical.n >= SUGGEST_AFTER and not named:
        suggested = _suggestion(transaction, canonical, description)
    similar = [past(match.mistake, match.score) for match in matches]
    corrections = [mistake.correction for mistake in similar if mistake.correction]
    if suggested:
        next_step = "It keeps coming back: pass suggested_rule to rule_add with source mistake."
    elif corrections:
        next_step = f"Try what corrected it before: {corrections[0]}"
    elif canonical.correction:
        next_step = "Noted: whoever makes it next is told what corrected it."
    else:
        next_step = (
            "Once you know what corrects it, log that as the correction of the next mistake of this kind."
        )
    return MistakeLogged(
        mistake_id=f"m{canonical.id}",
        session_id=session.id if session else "",
        repeat=repeat,
        occurrences=canonical.n,
        similar=similar,
        suggested_rule=suggested,
        note=(
            f"Session {session.id} is {session.state} already: the mistake is kept, but not counted for it."
            if session and not session.counts
            else ""
        ),
        next_step=next_step,
    )


def _suggestion(transaction: Transaction, mistake: Mistake, description: str) -> str:
    """Return a rule against the mistake, or "" when there is one already, none is known, or a person has to read it."""
    text = instructions.against(mistake.error_class, description, mistake.correction)
    if (
        not text
        or len(text) > RULE_CHARACTERS
        or quarantine.reasons(text)
        or rules_table.with_hash(transaction, similarity.rule_hash(text, "", ())) is not None
    ):
        return ""
    return text
