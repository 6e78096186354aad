"""Answering a hook: the assistant waits for this, so it takes milliseconds, and no failure of ours is its own."""

from __future__ import annotations

import contextlib
import json
import os

from vettle.engine.locating import STATE_FOLDER, locate
from vettle.server.hooks import claiming, payloads, receiving, spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def is_event(arguments: Sequence[str]) -> bool:
    """Tell whether the arguments of `vettle hook` name an assistant and an event of it.

    The event may be one that this version does not know: a newer assistant must not see an error.
    """
    return len(arguments) == 2 and arguments[0] in payloads.CLIENTS and arguments[1][:1].isalpha()


def answer(client: str, event: str, explicit: str = "") -> None:
    """Read the event from stdin, print what the assistant shall know, and leave the rest to another process.

    Nothing is ever raised: an assistant that works on is worth more than any event.
    """
    try:
        os.write(1, _answered(client, event, explicit))
    except BaseException:  # noqa: BLE001 - also what is interrupted, or has no memory left
        return


def _answered(client: str, event: str, explicit: str) -> bytes:
    """Return what is printed on stdout."""
    payload, text = {}, ""
    # Whatever happens, the assistant still gets an answer that it can read.
    with contextlib.suppress(BaseException):
        payload = receiving.event()
        text = _handled(client, event, payload, explicit)
    if payloads.speaker(client, payload) == "cursor":
        return json.dumps({"additional_context": text} if text else {}).encode()
    if not text:
        return b""
    told = {"hookEventName": event, "additionalContext": text}
    return json.dumps({"hookSpecificOutput": told}).encode()


def _handled(client: str, event: str, payload: Mapping[str, Any], explicit: str) -> str:
    """Record the event if it is worth it; return what the assistant shall know, "" for nothing."""
    told = payloads.read(client, event, payload)
    root = _root(explicit, payloads.folder(payload)) if told else ""
    if not root or not _enabled(root):
        return ""
    folder, kind, session = spool.hooks_folder(root), told[0]["kind"], told[0]["session"]
    if kind == "subagent":
        # It begins with an empty context, and what goes wrong in it counts for the session.
        return claiming.told(folder, session)
    if kind == "prompt" and claiming.goes_on(folder, session):
        return ""
    text = claiming.claim(folder, session, told[0]["source"]) if kind == "start" else ""
    # The disk is full, or nothing may be written: the rules are told all the same.
    with contextlib.suppress(OSError):
        spool.leave(folder, told)
        spool.start_worker(root, folder)
    return text


def _root(explicit: str, folder: str) -> str:
    """Return the root of a project of ours, "" where there is none: nothing is made in other people's folders."""
    try:
        root = locate(explicit, os.environ, folder)
    except LookupError:
        return ""
    named = explicit or os.environ.get("VETTLE_PROJECT", "")
    return root if named or os.path.isdir(os.path.join(root, STATE_FOLDER)) else ""


def _enabled(root: str) -> bool:
    """Tell whether the settings leave hooks on; the file is only parsed where it speaks of them."""
    try:
        with open(os.path.join(root, STATE_FOLDER, "config.toml"), "rb") as stream:
            text = stream.read()
    except OSError:
        return True
    if b"hooks" not in text:
        return True
    import tomllib

    hooks = tomllib.loads(text.decode("utf-8", "replace")).get("hooks", {})
    return not isinstance(hooks, dict) or hooks.get("enabled") is not False
