"""What an assistant's events mean for the project: sessions begin and end, failures are mistakes, tests reward."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vettle.engine import mistakes, prepared, rewards, sessions
from vettle.engine.clock import HOUR
from vettle.engine.errors import InvalidArgument, StatusRefused
from vettle.engine.project import Project
from vettle.engine.quarantine import redact
from vettle.engine.records.sessions import PreparedSession
from vettle.engine.store import sessions as table
from vettle.server.git import snapshots
from vettle.server.hooks import failures, spool, testing
from vettle.server.hooks.failures import Failure

TESTS_WEIGHT = 0.5
"""Weight of the reward that the last test run of a session is: tests that pass are not yet work that is accepted."""

IDLE_HOURS = 12
"""An assistant's session of which nothing was heard for so long has ended; some do not say so."""

_MOST_MADE = 500
_KEY = re.compile(r"[a-z]+(?:-[a-z]+)?-[A-Za-z0-9_%-]{1,150}")


class AssistantSessions:
    """Record events of assistants in one project; `folder` is that of its hooks (see `spool`).

    What a session of an assistant is here is kept in a file of its own: its id, what it was told, which mistakes it
    made, how its last test run went, and when it was last heard of. The file may be ahead of the events or behind
    them after a crash: whatever counts is asked of the store.
    """

    def __init__(self, project: Project, folder: Path) -> None:
        self._project = project
        self._folder = folder

    def record(self, event: Mapping[str, Any], happened: int, *, ref: str) -> None:
        """Record one event of the spool, that happened so many nanoseconds after 1970; `ref` is its own.

        A session begins with its first prompt or tool, because one that was only opened and closed is none.

        Raises:
            KeyError, TypeError, ValueError: It is none of ours.
        """
        key, kind = event["session"], event["kind"]
        if not _KEY.fullmatch(key):
            raise ValueError("session: it is no name of ours")
        known = spool.read(spool.session_file(str(self._folder), key))
        known["model"] = event["model"] or known.get("model", "")
        # Cursor's hook for prompts may stop them, so there is none of ours.
        begins = kind in ("prompt", "tool") or (kind == "start" and event["client"] == "cursor")
        if begins:
            # One that is resumed ends again.
            known.pop("due", None)
            known.pop("ended", None)
        if begins and not isinstance(known.get("session_id"), str):
            self._begin(key, known, event["client"])
        if known.get("session_id") and kind == "tool":
            self._tool(known, event, happened, ref)
        elif known.get("session_id") and kind == "end":
            self._end(known, happened, ref)
        known["seen"] = max(happened, known.get("seen", 0))
        self._keep(key, known)

    def reward_by_tests(self) -> None:
        """Reward the ended sessions that nobody judged in time by their last test run."""
        for key, known in self._kept():
            due = known.get("due")
            if isinstance(due, int) and due <= self._project.clock() * 1_000:
                self._reward(known)
                self._keep(key, known)

    def end_idle(self) -> None:
        """End the sessions of which nothing was heard for a long time, so that what they taught is not lost."""
        oldest = (self._project.clock() - IDLE_HOURS * HOUR) * 1_000
        for key, known in self._kept():
            heard = known.get("seen")
            if not known.get("ended") and isinstance(heard, int) and heard < oldest:
                self._end(known, heard, ref=f"idle {key}")
                self._keep(key, known)

    # --- sessions ---------------------------------------------------------------------------------

    def _begin(self, key: str, known: dict[str, Any], client: str) -> None:
        """Start a session as it was prepared, or without rules where none was; its id is "" if it cannot be measured."""
        who = {"agent": client, "model": known["model"], "client_ref": f"hook {key}"}
        try:
            if known.get("prepared") is None:
                context = self._project.settings.hooks.context
                started = prepared.start_without_rules(self._project, context=context, **who)
            else:
                decided = PreparedSession.model_validate(known["prepared"])
                started = prepared.start(self._project, decided, **who)
        except (ValidationError, InvalidArgument, StatusRefused):
            # The assistant was told rules of another project, or of a database that is gone: nothing can be learned.
            known["session_id"] = ""
            return
        known["session_id"] = started.session_id
        snapshots.begin(self._project.root, self._project.state_folder, started.session_id)

    def _kept(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the sessions of assistants that are sessions here, each by its key."""
        for path in sorted(self._folder.glob("sessions/*.json")):
            known = spool.read(str(path))
            if known.get("session_id"):
                yield path.stem, known

    def _keep(self, key: str, known: Mapping[str, Any]) -> None:
        spool.write(spool.session_file(str(self._folder), key), json.dumps(known).encode())

    def _end(self, known: dict[str, Any], happened: int, ref: str) -> None:
        """End a session, unless the agent did; its tests reward it now, or after the time that others have for it."""
        known["ended"] = True
        session = self._session(known["session_id"])
        if session is None or not session.counts:
            return
        snapshots.finish(self._project.root, self._project.state_folder, session.id)
        settings = self._project.settings.hooks
        if isinstance(known.get("tests"), dict) and settings.score_by_tests:
            # A verdict that comes after the tests' counts no more.
            hours = rewards.tests_wait_hours(self._project)
            known["due"] = happened + int(hours * HOUR * 1_000)
            if not hours:
                self._reward(known)
        if session.state == "open":
            # The agent may have ended it a moment ago.
            with contextlib.suppress(StatusRefused):
                sessions.end(self._project, session_id=session.id, client_ref=f"{ref} end")

    def _reward(self, known: dict[str, Any]) -> None:
        """Log the last test run of a session as its reward, unless somebody judged it."""
        del known["due"]
        session = self._session(known["session_id"])
        if session is None or not session.counts or session.reward_weight:
            return
        rewards.log(
            self._project,
            outcome="accepted" if known["tests"].get("passed") else "rejected",
            session_id=session.id,
            source="ci",
            weight=TESTS_WEIGHT,
            notes="the last test run of the session",
            client_ref=f"hook tests {session.id}",
        )

    def _session(self, session_id: str) -> table.Session | None:
        with self._project.read() as transaction:
            return table.get(transaction, session_id)

    # --- tools ------------------------------------------------------------------------------------

    def _tool(self, known: dict[str, Any], event: Mapping[str, Any], happened: int, ref: str) -> None:
        """Remember how a test run went, and log the failures that the session has not made yet."""
        went = testing.passed(event)
        if went is not None and happened >= known.get("tests", {}).get("at", 0):
            known["tests"] = {"at": happened, "passed": went}
        if not self._project.settings.hooks.remember_failures:
            return
        made = known.get("made", [])
        for failure in failures.of_event(event, self._project.root, made):
            self._log(known["session_id"], failure, event["folder"], ref)
            made = [*made, failure.identity][-_MOST_MADE:]
        known["made"] = made

    def _log(self, session_id: str, failure: Failure, folder: str, ref: str) -> None:
        log = (
            functools.partial(mistakes.log_named, identity=failure.identity)
            if failure.named
            else functools.partial(mistakes.log, client_ref=ref)
        )
        log(
            self._project,
            error_class=failure.error_class,
            description=redact(failure.description),
            session_id=session_id,
            severity=failure.severity,
            file=self._file(failure.file, folder),
        )

    def _file(self, file: str, folder: str) -> str:
        """Return a file that a tool named, relative to the root; "" for one outside of the project."""
        if not file:
            return ""
        with contextlib.suppress(InvalidArgument):
            return self._project.relative("file", str(Path(folder or self._project.root) / file))
        return ""
