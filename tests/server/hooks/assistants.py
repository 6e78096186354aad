"""What tests of hooks share: the events of real assistants, hooks run as they run them, and a spool that is drained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.faults.support import environment

from vettle.engine.project import Project
from vettle.engine.store import sessions as table
from vettle.server.hooks import payloads, recording, spool

NAMELESS = ("VETTLE_PROJECT", "CLAUDE_PROJECT_DIR", "VETTLE_DATABASE_URL", "VETTLE_DATABASE_PROJECT")


def claude(
    root: Path, event: str, session: str = "d04388d8-8190-4f79-9fc8-6d6be5f2966a", **more: Any
) -> dict[str, Any]:
    """Return an event as Claude Code 2.1 sent it, with other values where they are given."""
    return {
        "session_id": session,
        "transcript_path": "/home/me/.claude/projects/p/d04388d8-8190-4f79-9fc8-6d6be5f2966a.jsonl",
        "cwd": str(root),
        "prompt_id": "e8bdc711-73ed-476d-8ef1-d47241d17af7",
        "permission_mode": "default",
        "effort": {"level": "medium"},
        "hook_event_name": event,
        **more,
    }


def claude_prompt(root: Path, session: str = "d04388d8-8190-4f79-9fc8-6d6be5f2966a") -> dict[str, Any]:
    """Return the event of a prompt, with which a session begins."""
    return claude(root, "UserPromptSubmit", session=session, prompt="please")


def claude_batch(root: Path, *calls: tuple[str, dict[str, Any], str]) -> dict[str, Any]:
    """Return the event of tools that were called at once: names, arguments, and what the model is told of each."""
    told = [
        {"tool_name": name, "tool_input": given, "tool_use_id": "toolu_01abe", "tool_response": response}
        for name, given, response in calls
    ]
    return claude(root, "PostToolBatch", tool_calls=told)


def claude_failure(root: Path, command: str, error: str, **more: Any) -> dict[str, Any]:
    """Return the event of a command that failed."""
    given = {
        "tool_name": "Bash",
        "tool_input": {"command": command},
        "tool_use_id": "toolu_01abc",
        "duration_ms": 45,
    }
    return claude(root, "PostToolUseFailure", **{**given, "error": error, "is_interrupt": False, **more})


def claude_success(root: Path, command: str, stdout: str, **more: Any) -> dict[str, Any]:
    """Return the event of a command that worked."""
    response = {
        "stdout": stdout,
        "stderr": "",
        "interrupted": False,
        "isImage": False,
        "noOutputExpected": False,
    }
    given = {"tool_name": "Bash", "tool_input": {"command": command}, "tool_response": response}
    return claude(root, "PostToolUse", **{**given, "tool_use_id": "toolu_01abd", **more})


def codex(
    root: Path, event: str, session: str = "01a20050-949c-7cc1-b029-c5828ce8a2fb", **more: Any
) -> dict[str, Any]:
    """Return an event as Codex 0.169 sent it."""
    return {
        "session_id": session,
        "turn_id": "01a20050-94da-7811-a40f-875964811ed6",
        "transcript_path": "/home/me/.codex/sessions/2026/11/21/rollout.jsonl",
        "cwd": str(root),
        "hook_event_name": event,
        "model": "gpt-5",
        "permission_mode": "bypassPermissions",
        **more,
    }


def codex_command(root: Path, command: str, output: str) -> dict[str, Any]:
    """Return the event of a command of Codex, which does not say how it ended."""
    given: dict[str, Any] = {
        "tool_name": "Bash",
        "tool_input": {"command": command},
        "tool_response": output,
        "tool_use_id": "call_1",
    }
    return codex(root, "PostToolUse", **given)


def cursor(
    root: Path, event: str, session: str = "6a1f2b3c-0d4e-4f5a-8b6c-7d8e9f0a1b2c", **more: Any
) -> dict[str, Any]:
    """Return an event as Cursor's SDK builds it."""
    return {
        "conversation_id": session,
        "generation_id": "c1c2d3e4-0000-4000-8000-000000000000",
        "model": "composer-1",
        "session_id": session,
        "hook_event_name": event,
        "cursor_version": "2.3.10",
        "workspace_roots": [str(root)],
        "user_email": "me@example.com",
        "transcript_path": None,
        **more,
    }


def cursor_command(root: Path, command: str, output: str, code: int) -> dict[str, Any]:
    """Return the event of a command of Cursor, which counts as a success of the tool whatever its code is."""
    told = json.dumps({"output": output, "exitCode": code})
    given: dict[str, Any] = {
        "tool_name": "Shell",
        "tool_input": {"command": command, "cwd": ""},
        "tool_output": told,
    }
    return cursor(root, "postToolUse", **{**given, "duration": 812.3, "tool_use_id": "tool_1", "cwd": ""})


def surroundings(**more: str) -> dict[str, str]:
    """Return an environment that names no project."""
    return {
        name: value for name, value in environment(**more).items() if name not in NAMELESS or name in more
    }


def hook(
    client: str, event: str, payload: object, folder: Path, **more: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a hook as an assistant does, and return how it ended."""
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return subprocess.run(
        [sys.executable, "-m", "vettle", "hook", client, event],
        input=text,
        cwd=folder,
        env=surroundings(**more),
        capture_output=True,
        timeout=30,
        check=False,
    )


def sessions(root: Path) -> list[table.Session]:
    """Return every session of the project, the newest first."""
    project = Project(root)
    with project.read() as transaction:
        found = table.newest_first(transaction, context="", since=0, before=None, limit=1_000)
    project.close()
    return found


def settle(root: Path, seconds: float = 30.0) -> None:
    """Wait until the process that records has nothing to do any more, helping it."""
    folder = spool.hooks_folder(str(root))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        recording.record(str(root))
        if not spool.waiting(folder) and not spool.being_drained(folder):
            return
        time.sleep(0.05)
    raise AssertionError(f"not recorded: {spool.waiting(folder)}")


class Assistant:
    """An assistant whose events are recorded in this process, at times that a test chooses."""

    def __init__(self, root: Path, client: str = "claude-code") -> None:
        self.root, self._client = root, client
        self.now = time.time_ns() - 3_600_000_000_000
        self.folder = Path(spool.hooks_folder(str(root)))

    def leave(self, payload: dict[str, Any], *, minutes: float = 1.0) -> Path | None:
        """Leave an event in the spool, some time after the one before; return its file, None if it is not worth one."""
        told = payloads.read(self._client, payload["hook_event_name"], payload)
        self.now += int(minutes * 60e9)
        file = None
        for number, one in enumerate(told):
            file = self.folder / "spool" / f"{self.now:020d}-{os.getpid()}-{number}.json"
            spool.write(str(file), json.dumps(one).encode())
        return file

    def happen(self, *events: dict[str, Any]) -> None:
        """Leave events and record them."""
        for event in events:
            self.leave(event)
        recording.record(str(self.root))
