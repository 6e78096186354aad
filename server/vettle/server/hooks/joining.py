"""Where hooks and tools meet: a tool that an agent calls knows what its assistant's hooks have noticed."""

from __future__ import annotations

import os
from pathlib import Path

from vettle.engine import prepared, prepared_files
from vettle.engine.locating import hooks_folder
from vettle.engine.project import Project
from vettle.engine.records import SessionStarted
from vettle.engine.store import rules
from vettle.server.hooks import payloads, spool

_PATIENCE = 2.0
"""Seconds after which a call begins to do its own work: nearly always everything is recorded sooner."""

_PATIENCE_TO_BEGIN = 10.0
"""The same for the start of a session: a second session would be worse."""


def catch_up(project: Project, *, seconds: float = _PATIENCE) -> None:
    """Record what hooks noticed before this call, so that a failure does not land behind its session's score.

    Never fails, and begins no event after so many seconds: what is not recorded stays for the process behind the hooks.
    """
    try:
        if spool.waiting(hooks_folder(str(project.root), os.environ)):
            # Imported here because hardly any call finds something that waits.
            from vettle.server.hooks import recording

            recording.drain(project.root, wait=seconds, within=seconds)
    except Exception:  # noqa: BLE001 - the call itself says what is wrong with the project
        return


def offer_first_rules(project: Project, *, expected: bool = False) -> None:
    """Decide sessions ahead when the first rules have come into a project whose sessions hooks begin; never fails.

    Otherwise its next session would be told nothing. Later rules need nothing: the sessions after the next know them.
    `expected`: there will be hooks, though none has been here yet.
    """
    try:
        prepared_folder = prepared_files.folder(project.root)
        if expected:
            # There, so that the first rule is offered when it comes.
            spool.hooks_folder(str(project.root))
        if not prepared_folder.is_dir() or _knows_rules(prepared_folder):
            return
        with project.read() as transaction:
            if not rules.with_status(transaction, ("trial", "proven", "pinned")):
                return
        # Imported here because it is seldom needed.
        from vettle.server.hooks import preparing

        preparing.prepare_ahead(project)
    except Exception:  # noqa: BLE001 - a rule that was added is added
        return


def _knows_rules(prepared_folder: Path) -> bool:
    """Tell whether what is decided ahead was drawn from any rules."""
    first = next(prepared_folder.glob("*.json"), None)
    decided = spool.read(str(first)).get("prepared") if first else None
    return isinstance(decided, dict) and bool(decided.get("decision", {}).get("pool"))


def begun(project: Project) -> SessionStarted | None:
    """Return the open session that a hook began for the conversation of this process, None where there is none.

    Claude Code names its conversation to the commands and servers that it starts (CLAUDE_CODE_SESSION_ID); after
    /clear, which begins another one, its servers still have the first name.
    """
    conversation = os.environ.get("CLAUDE_CODE_SESSION_ID", "")
    if not conversation:
        return None
    key = payloads.session_key("claude-code", conversation)
    try:
        folder = hooks_folder(str(project.root), os.environ)
    except FileNotFoundError:
        return None
    own = spool.session_file(folder, key)
    if not os.path.exists(own):  # noqa: PTH110 - a text, as hooks have it
        # Where nothing was prepared, its start is noted by the process that records.
        catch_up(project, seconds=_PATIENCE_TO_BEGIN)
    known = spool.read(own)
    if not known:
        return None
    if known.get("session_id") is None:
        # Nothing but its start was noticed yet; whoever calls a tool has begun.
        _leave_prompt(folder, key)
    catch_up(project, seconds=_PATIENCE_TO_BEGIN)
    session_id = spool.read(own).get("session_id")
    return prepared.begun(project, session_id) if isinstance(session_id, str) else None


def _leave_prompt(folder: str, key: str) -> None:
    prompt = {
        "client": "claude-code",
        "kind": "prompt",
        "session": key,
        "folder": "",
        "model": "",
        "source": "",
    }
    try:
        spool.leave(folder, [prompt])
    except OSError:
        return
