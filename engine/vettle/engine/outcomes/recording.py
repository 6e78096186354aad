"""Recording a verdict: as a reward of the session that it is about, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from vettle.engine import lifecycle, mistakes, quarantine, rewards, rules
from vettle.engine.errors import (
    AmbiguousSession,
    ClientRefReused,
    InvalidArgument,
    JudgedAlready,
    StoreUnavailable,
)
from vettle.engine.outcomes import failed_tests
from vettle.engine.outcomes.failed_tests import FailedTest
from vettle.engine.outcomes.verdicts import Verdict
from vettle.engine.project import Project
from vettle.engine.records import MistakeLogged
from vettle.engine.records.outcomes import OutcomeFound
from vettle.engine.store import sessions as table

_STATES: tuple[Literal["open"], Literal["ended"]] = ("open", "ended")


def session_meant(project: Project, session_id: str) -> str:
    """Return the session that a verdict is about, as `reward_log` tells it, without changing anything.

    That is the named one, else the only open one, else the only ended one that waits for a reward; "" with none.

    Raises:
        UnknownSession, AmbiguousSession: It cannot be told.
        StoreUnavailable: A session is named, and this machine has no database that could know it.
    """
    if session_id:
        _require_database(project)
    with project.read() as transaction:
        if session_id:
            return lifecycle.require(transaction, session_id).id
        for state in _STATES:
            silent = {session.id for session in lifecycle.forgotten(project, transaction, state)}
            found = [each.id for each in table.in_state(transaction, state) if each.id not in silent]
            if len(found) > 1:
                raise AmbiguousSession(found)
            if found:
                return found[0]
    return ""


def record(
    project: Project,
    verdict: Verdict,
    *,
    session_id: str,
    rules_active: Sequence[str] = (),
    weight: float = 1.0,
    notes: str = "",
    client_ref: str = "",
    failed: Sequence[FailedTest] = (),
    apply: bool = True,
) -> OutcomeFound:
    """Log a verdict as a reward of the session, and the failed tests as its mistakes; without `apply`, only tell.

    What was judged already in this session is not rewarded again: the first answer comes back. Mistakes go first,
    because a session that ended is scored by the reward. A verdict without an outcome records nothing.

    Raises:
        UnknownSession, UnknownRule: An id names nothing.
        JudgedAlready: The same thing was judged in this session, with other arguments.
        ClientRefReused: So was something else, under this `client_ref`.
        StoreUnavailable: This machine has no database, so no session that could learn from it.
    """
    found = OutcomeFound(
        session_id=session_id,
        source=verdict.source,
        outcome=verdict.outcome or "",
        revision_distance=_distance(verdict),
        reason=verdict.reason,
        applied=False,
        next_step=_unrecorded(verdict, apply),
    )
    if verdict.outcome is None or not apply:
        return found
    _require_database(project)
    _require_rules(project, rules_active)
    tests = failed_tests.distinct(failed)
    logged = _mistakes(project, session_id, tests)
    try:
        reward = rewards.log(
            project,
            outcome=verdict.outcome,
            session_id=session_id,
            revision_distance=_distance(verdict),
            rules_active=rules_active,
            source=verdict.source,
            weight=weight,
            notes=f"{verdict.reason}. {notes}".strip(),
            client_ref=client_ref or verdict.reference,
        )
    except ClientRefReused as error:
        raise error if client_ref else JudgedAlready(session_id) from error
    next_step = reward.note or "Done: the evidence has entered."
    return found.model_copy(
        update={
            "applied": True,
            "reward": reward,
            "mistakes": logged,
            "mistakes_known": len(tests) - len(logged),
            "next_step": next_step,
        }
    )


def _require_database(project: Project) -> None:
    """Refuse to begin a database: a machine that never saw the session, such as one of CI, has nothing to add to."""
    if not project.exists:
        raise StoreUnavailable(
            f"{project.database}: there is no database here, so no session is known and nothing was recorded. Run this "
            "where the session ran, or share the database (VETTLE_DATABASE_URL and VETTLE_DATABASE_PROJECT)."
        )


def _require_rules(project: Project, rules_active: Sequence[str]) -> None:
    """Refuse rules that there are not, before any mistake is logged (UnknownRule)."""
    with project.read() as transaction:
        for rule_id in rules_active:
            rules.require(transaction, "rules_active", rule_id)


def _distance(verdict: Verdict) -> float:
    if verdict.outcome == "revision":
        return verdict.revision_distance
    return 1.0 if verdict.outcome == "rejected" else 0.0


def _unrecorded(verdict: Verdict, apply: bool) -> str:
    if verdict.outcome is None:
        return "Nothing was recorded, because there is no verdict yet."
    return "" if apply else "Nothing was recorded. To record it: the same without --dry-run."


def _mistakes(project: Project, session_id: str, tests: Sequence[FailedTest]) -> list[MistakeLogged]:
    """Log failed tests; return those that the session has in these words, and not those told in others before."""
    logged = (
        mistakes.log_named(
            project,
            error_class=failed_tests.ERROR_CLASS,
            description=test.description,
            identity=test.identity,
            session_id=session_id,
            file=_file(project, test),
        )
        for test in tests
    )
    return [mistake for mistake in logged if mistake is not None]


def _file(project: Project, test: FailedTest) -> str:
    """Return the test's file as a path of the project, or "" if the report names one that cannot be such a path."""
    if len(test.file) > 1_000 or quarantine.holds_secret(test.file):
        return ""
    try:
        return project.relative("file", test.file)
    except InvalidArgument:
        return ""
