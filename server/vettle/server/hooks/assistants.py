"""The assistants that can call vettle: which file each reads its hooks from, and what that file holds then."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vettle.engine.errors import InvalidArgument

_SECONDS = 10
"""After which an assistant gives a hook of ours up; it takes a hundredth of one."""

_CODEX_END_SECONDS = 3
"""The most that Codex grants to the end of a session; of more it warns at every start."""


@dataclass(frozen=True)
class Assistant:
    """One assistant: the file in the project that it reads hooks from, and the tools of which events are told.

    `events` maps each event to the pattern of tools, "" for all. `flat` files hold commands, others groups of them.
    """

    name: str
    title: str
    path: str
    events: Mapping[str, str]
    hint: str
    flat: bool = False


ASSISTANTS = {
    assistant.name: assistant
    for assistant in (
        Assistant(
            name="claude-code",
            title="Claude Code",
            path=".claude/settings.local.json",
            events={
                "SessionStart": "",
                "SubagentStart": "",
                "UserPromptSubmit": "",
                "PostToolUseFailure": "",
                "PostToolBatch": "",
                "SessionEnd": "",
            },
            hint="start a new session of claude; /hooks lists them",
        ),
        Assistant(
            name="cursor",
            title="Cursor",
            path=".cursor/hooks.json",
            events={"sessionStart": "", "postToolUse": "Shell", "postToolUseFailure": "", "sessionEnd": ""},
            hint="start a new chat; Settings, Hooks lists them",
            flat=True,
        ),
        Assistant(
            name="codex",
            title="Codex",
            path=".codex/hooks.json",
            events={
                "SessionStart": "",
                "SubagentStart": "",
                "UserPromptSubmit": "",
                "PostToolUse": "",
                "SessionEnd": "",
            },
            hint="start codex, and trust the hooks when it asks (or /hooks)",
        ),
    )
}


def assistant(name: str) -> Assistant:
    """Return an assistant by its name (InvalidArgument)."""
    if name not in ASSISTANTS:
        raise InvalidArgument("client", f"no hooks for {name[:80]!r}", f"Known: {', '.join(ASSISTANTS)}")
    return ASSISTANTS[name]


def entry(of: Assistant, event: str, launch: Sequence[str], *, windows: bool = False) -> dict[str, Any]:
    """Return what the assistant's file holds for an event; `launch` starts vettle."""
    words = [*launch, "hook", of.name, event]
    command = subprocess.list2cmdline(words) if windows else shlex.join(words)
    matcher = {"matcher": of.events[event]} if of.events[event] else {}
    seconds = _CODEX_END_SECONDS if (of.name, event) == ("codex", "SessionEnd") else _SECONDS
    if of.flat:
        return {"command": command, **matcher, "timeout": seconds}
    return {**matcher, "hooks": [{"type": "command", "command": command, "timeout": seconds}]}


def whole(of: Assistant, launch: Sequence[str], *, windows: bool = False) -> str:
    """Return a file of the assistant with our hooks and nothing else."""
    entries = {event: entry(of, event, launch, windows=windows) for event in of.events}
    return document(of, entries)


def document(of: Assistant, entries: Mapping[str, dict[str, Any]]) -> str:
    """Return a file of the assistant that holds an entry for each event."""
    hooks = {event: [one] for event, one in entries.items()}
    value = {"version": 1, "hooks": hooks} if of.flat else {"hooks": hooks}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
