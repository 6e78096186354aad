"""Letting an assistant call vettle: which file each reads its hooks from, and what we write into it."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vettle.engine.errors import FilesRefused, InvalidArgument
from vettle.engine.locating import hooks_folder
from vettle.engine.records.hooking import HooksInstalled
from vettle.server.clients import files
from vettle.server.clients.formats.base import Segment, Unusable, is_blank, put_in, take_out
from vettle.server.clients.formats.jsonc import parse
from vettle.server.hooks import groups, spool

_SECONDS = 10
"""After which an assistant gives a hook of ours up; it takes a hundredth of one."""

_CODEX_END_SECONDS = 3
"""The most that Codex grants to the end of a session; of more it warns at every start."""

_REMEMBERED = "installed.json"
_OURS = re.compile(r"vettle.* hook (?:claude-code|cursor|codex) \w+$")


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
    hooks = {event: [entry(of, event, launch, windows=windows)] for event in of.events}
    value = {"version": 1, "hooks": hooks} if of.flat else {"hooks": hooks}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def install(
    root: Path, name: str, launch: Sequence[str], *, apply: bool, windows: bool = False
) -> HooksInstalled:
    """Write our hooks into an assistant's file; those of others, and all else, stay byte for byte.

    Ours that start vettle in another way are replaced. Nothing is written unless `apply`.

    Raises:
        InvalidArgument: There is no such assistant.
        FilesRefused: The file is not one that can be edited.
    """
    of = assistant(name)
    wanted = {event: entry(of, event, launch, windows=windows) for event in of.events}
    with _refusals(of):
        files.raise_unless_inside(root / of.path, root)
        text = files.read_text(root / of.path)
        if text is not None and not is_blank(text):
            if _ours(text) == wanted:
                return _answer(of, text, text, apply=apply)
            base = _without(of, text)
            after, history = _added(base, wanted)
        else:
            after, history = whole(of, launch, windows=windows), []
        if apply:
            folders = [str(folder) for folder in files.missing_folders(root / of.path)]
            remembered = {
                "made": text is None,
                "folders": folders,
                "hash": _digest(after),
                "history": history,
            }
            _write(root / of.path, text, after)
            _remember(root, of, remembered)
    return _answer(of, text, after, apply=apply)


def undo(root: Path, name: str, *, apply: bool) -> HooksInstalled:
    """Take our hooks out of an assistant's file; one that we made disappears, with its folder.

    As long as nobody changed the file since, the bytes come back that were there before.

    Raises:
        InvalidArgument: There is no such assistant.
        FilesRefused: The file is not one that can be edited.
    """
    of = assistant(name)
    with _refusals(of):
        text = files.read_text(root / of.path)
        if text is None or is_blank(text):
            return _answer(of, text, text, apply=apply)
        remembered = _remembered(root).get(of.path, {})
        after = _restored(of, text, remembered)
        if apply and after != text:
            if after is None:
                folders = [Path(folder) for folder in remembered.get("folders", [])]
                files.delete(root / of.path, expected=text.encode(), folders=folders)
            else:
                _write(root / of.path, text, after)
            _remember(root, of, None)
    return _answer(of, text, after, apply=apply)


# --- the text ---------------------------------------------------------------------------------------


def _is_ours(group: object) -> bool:
    """Tell whether an element holds our command and nothing else."""
    if not isinstance(group, dict):
        return False
    inner = group.get("hooks")
    hooks = inner if isinstance(inner, list) else [group]
    commands = [hook.get("command") if isinstance(hook, dict) else None for hook in hooks]
    return bool(commands) and all(isinstance(one, str) and _OURS.search(one) for one in commands)


def _ours(text: str) -> dict[str, Any]:
    """Return our element of each event; of several the last."""
    hooks = parse(text).value
    hooks = hooks.get("hooks") if isinstance(hooks, dict) else None
    if not isinstance(hooks, dict):
        return {}
    return {
        event: group
        for event, found in hooks.items()
        for group in (found if isinstance(found, list) else [])
        if _is_ours(group)
    }


def _added(text: str, wanted: Mapping[str, dict[str, Any]]) -> tuple[str, list[list[Segment]]]:
    """Return the text with an element for each event, and what was put in, step by step."""
    history = []
    for event, group in wanted.items():
        history.append(groups.insert(text, event, group))
        text = put_in(text, history[-1])
    return text, history


def _without(of: Assistant, text: str) -> str:
    for event in {**of.events, **_ours(text)}:
        text = groups.remove(text, event, _is_ours)
    return text


def _restored(of: Assistant, text: str, remembered: Mapping[str, Any]) -> str | None:
    """Return the text as it was before, None where there was no file."""
    if remembered.get("hash") == _digest(text):
        if remembered["made"]:
            return None
        for step in reversed(remembered["history"]):
            text = take_out(text, [Segment(*piece) for piece in step]) or text
        return text
    after = _without(of, text)
    left = {key: value for key, value in parse(after).value.items() if key != "version"}
    return after if left or not remembered.get("made") else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- the file ---------------------------------------------------------------------------------------


@contextmanager
def _refusals(of: Assistant) -> Iterator[None]:
    """Say of a file that cannot be edited which one it is, and what to do."""
    try:
        yield
    except (Unusable, files.Refused) as error:
        raise FilesRefused(
            f"{of.path}: {error}. Nothing was changed. Mend the file, or add by hand what "
            f"'vettle hook install {of.name} --print' prints."
        ) from error


def _write(path: Path, before: str | None, after: str) -> None:
    files.raise_unless_writable(path)
    expected = None if before is None else before.encode()
    files.write(path, after.encode(), expected=expected, private=False)


def _remembered(root: Path) -> dict[str, Any]:
    """Return what was written into which file."""
    return spool.read(str(Path(hooks_folder(str(root), os.environ)) / _REMEMBERED))


def _remember(root: Path, of: Assistant, what: Mapping[str, Any] | None) -> None:
    known = {path: value for path, value in _remembered(root).items() if path != of.path}
    if what is not None:
        known[of.path] = what
    folder = spool.hooks_folder(str(root))
    spool.write(str(Path(folder) / _REMEMBERED), json.dumps(known).encode())


def _answer(of: Assistant, before: str | None, after: str | None, *, apply: bool) -> HooksInstalled:
    """Return what was done to the file, or would be."""
    action: Literal["create", "update", "unchanged", "remove", "delete"]
    if before == after:
        action = "unchanged"
    elif before is None:
        action = "create"
    elif after is None:
        action = "delete"
    else:
        action = "update" if _ours(after) else "remove"
    old, new = ((text or "").splitlines(keepends=True) for text in (before, after))
    return HooksInstalled(
        client=of.name,
        title=of.title,
        file=of.path,
        action=action,
        events=list(of.events),
        applied=apply and action != "unchanged",
        diff="".join(difflib.unified_diff(old, new, of.path, of.path)),
        hint=of.hint if action in ("create", "update") else "",
    )
