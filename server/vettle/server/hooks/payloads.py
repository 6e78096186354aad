"""What an assistant's event says, in our words; the only place that knows the fields of each assistant.

The shapes are those that Claude Code 2.1, Codex 0.169 and Cursor's SDK send. Every value may be missing or of
any type, for the next version may send something else.
"""

from __future__ import annotations

import json
import re

from vettle.engine.locating import file_name

TYPE_CHECKING = False  # type checkers know the name; importing typing would take a fifth of a hook's time
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

CLIENTS = ("claude-code", "cursor", "codex")

_KINDS = {
    "sessionstart": "start",
    "sessionend": "end",
    "posttooluse": "tool",
    "posttoolusefailure": "tool",
    "posttoolbatch": "tools",
    "userpromptsubmit": "prompt",
    "subagentstart": "subagent",
}

_SHELLS = ("Bash", "PowerShell")
_REFUSED = "<tool_use_error>"
"""What Claude Code puts around the reason why a tool did not even begin; of these no other event tells."""

_NO_MISTAKE = ("Blocked", "Cancelled", "Sibling tool call")
_MOST_CALLS = 50

_HEAD, _TAIL = 1_000, 4_000
"""Characters of a tool's output that are kept: mistakes are told at its end, and sometimes at its beginning."""

_COMMAND = 1_000
_SHORT = 200

# Texts, not compiled: most events need neither of them.
_RUNS_TESTS = (
    r"\b(?:pytest|py\.test|unittest|tox|nox|jest|vitest|mocha|rspec|phpunit|ctest|nextest)\b"
    r"|\b(?:test|check|verify)\b(?![/.\w])"
)
_TEST_WORDS = ("test", "check", "verify", "tox", "nox", "jest", "mocha", "rspec", "phpunit")
_SOUNDS_WRONG = r"error|fail|not found|traceback|panic|no such|exit(?:ed)?[ :]"


def session_key(client: str, session: str) -> str:
    """Return the name of the file that knows an assistant's session; it is safe on any file system."""
    return f"{client}-{file_name(session.lower())}"


def folder(payload: Mapping[str, Any]) -> str:
    """Return the folder in which the assistant says it works, or ""."""
    roots = payload.get("workspace_roots")
    first = roots[0] if isinstance(roots, list) and roots else ""
    return _text(first) or _text(payload.get("cwd"))


def speaker(client: str, payload: Mapping[str, Any]) -> str:
    """Return the assistant that really runs a hook: Cursor runs those of Claude Code, too."""
    return "cursor" if "cursor_version" in payload else client


def read(client: str, event: str, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what happened in our words, an event or several of one kind; nothing where it is not worth recording."""
    kind = _KINDS.get(event.lower(), "")
    client = speaker(client, payload)
    session = _text(payload.get("conversation_id")) or _text(payload.get("session_id"))
    if not kind or not session:
        return []
    about = {
        "client": client,
        "kind": kind,
        "session": session_key(client, session),
        "folder": _text(payload.get("cwd"))[:_COMMAND],
        "model": _text(payload.get("model"))[:_SHORT],
        "source": _text(payload.get("source"))[:_SHORT],
    }
    if kind == "tools":
        tools = _batch(payload.get("tool_calls"))
    elif kind == "tool":
        output, failed = _output(client, event.lower().endswith("failure"), payload)
        tools = [_tool(payload, output, failed)]
    else:
        return [about]
    return [{**about, "kind": "tool", **tool} for tool in tools if _worth_recording(tool)]


def _batch(calls: object) -> list[dict[str, Any]]:
    """Return those calls of a batch of which no event of their own tells: refused ones, and commands that worked."""
    told = []
    for call in calls[:_MOST_CALLS] if isinstance(calls, list) else ():
        if not isinstance(call, dict):
            continue
        output = _text(call.get("tool_response"))
        if output.startswith(_REFUSED):
            output = output.removeprefix(_REFUSED).removesuffix("</tool_use_error>")
            if not output.startswith(_NO_MISTAKE):
                told.append(_tool(call, output, failed=True))
        elif call.get("tool_name") in _SHELLS and not output.startswith("Exit code "):
            told.append(_tool(call, output, failed=False))
    return told


def _tool(payload: Mapping[str, Any], output: str, failed: bool | None) -> dict[str, Any]:
    """Return what a tool did; `failed` is None where the assistant does not say it."""
    given = payload.get("tool_input")
    given = given if isinstance(given, dict) else {}
    file = given.get("file_path") or given.get("path") or given.get("target_file")
    return {
        "tool": _text(payload.get("tool_name"))[:_SHORT],
        "command": _text(given.get("command") or given.get("cmd"))[:_COMMAND],
        "file": _text(file)[:_COMMAND],
        "output": excerpt(output),
        "failed": failed,
        "interrupted": payload.get("is_interrupt") is True
        or payload.get("failure_type") == "permission_denied",
    }


def _output(client: str, failed: bool, payload: Mapping[str, Any]) -> tuple[str, bool | None]:
    """Return the tool's output, and whether it failed."""
    if failed:
        return _text(payload.get("error")) or _text(payload.get("error_message")), True
    if client == "cursor":
        # Cursor reports a command that failed as a tool that worked, with its code.
        result = _parsed(_text(payload.get("tool_output")))
        return _joined(result), bool(result.get("exitCode"))
    response = payload.get("tool_response")
    text = _joined(response) if isinstance(response, dict) else _text(response)
    return text, None if client == "codex" else False


def _joined(result: Mapping[str, Any]) -> str:
    return "\n".join(filter(None, (_text(result.get(name)) for name in ("output", "stdout", "stderr"))))


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _worth_recording(told: Mapping[str, Any]) -> bool:
    """Tell whether a tool's event can be a mistake or a test run; most are neither, and cost nothing more."""
    if told["interrupted"] or "vettle" in told["tool"]:
        return False
    if told["failed"]:
        return True
    if may_run_tests(told["command"]):
        return True
    return told["failed"] is None and bool(re.search(_SOUNDS_WRONG, told["output"], re.IGNORECASE))


def may_run_tests(command: str) -> bool:
    """Tell whether a command looks like a test run; now and then it is another one, which `testing` finds out."""
    return any(word in command for word in _TEST_WORDS) and bool(re.search(_RUNS_TESTS, command))


def excerpt(text: str) -> str:
    """Return the beginning and the end of a long text."""
    if len(text) <= _HEAD + _TAIL:
        return text
    return f"{text[:_HEAD]}\n[...]\n{text[-_TAIL:]}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
