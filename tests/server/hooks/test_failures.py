"""Which failed tools are mistakes, of which class, in which words; and how a test run went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vettle.server.hooks import failures, payloads, shell, testing

ROOT = Path("/repo")


def _event(command: str, output: str, failed: bool | None = True, tool: str = "Bash") -> dict[str, Any]:
    return {
        "tool": tool,
        "command": command,
        "output": output,
        "failed": failed,
        "interrupted": False,
        "file": "",
        "folder": "/repo",
    }


MISTAKES = [
    (
        "pytest",
        "Exit code 1\nFAILED tests/a.py::test_x - boom\n1 failed",
        "test-failure",
        "pytest: tests/a.py::test_x - boom",
    ),
    (
        "uv run pytest -q | tail -3",
        "Exit code 1\nFAILED tests/a.py::test_x\nFAILED tests/b.py::test_y\n2 failed in 1s",
        "test-failure",
        "pytest: tests/a.py::test_x",
    ),
    (
        "npm test",
        "Exit code 1\n  ● adds \u203a two\n\nTests: 1 failed, 3 passed",
        "test-failure",
        "npm: adds \u203a two",
    ),
    ("go test ./...", "Exit code 1\n--- FAIL: TestAdd (0.00s)\nFAIL\tx 0.1s", "test-failure", "go: TestAdd"),
    (
        "cd core && cargo test",
        "Exit code 101\ntest sums::adds ... FAILED\ntest result: FAILED. 1 passed; 1 failed",
        "test-failure",
        "cargo: sums::adds",
    ),
    (
        "python -m unittest",
        "Exit code 1\nFAIL: test_a (t.A.test_a)\nFAILED (failures=1)",
        "test-failure",
        "unittest: test_a (t.A.test_a)",
    ),
    (
        "mypy .",
        "Exit code 1\na.py:3: error: bad [arg]\nFound 1 error",
        "type-error",
        "mypy: a.py:3: error: bad [arg]",
    ),
    (
        "npx tsc --noEmit",
        "Exit code 2\na.ts(1,2): error TS2345: no",
        "type-error",
        "tsc: a.ts(1,2): error TS2345: no",
    ),
    (
        "ruff check .",
        "Exit code 1\na.py:1:1: F401 unused\nFound 1 error.",
        "lint-failure",
        "ruff: a.py:1:1: F401 unused",
    ),
    ("cargo clippy", "Exit code 101\nerror: this is odd", "lint-failure", "cargo: error: this is odd"),
    ("npm run build", "Exit code 1\nERROR in ./a.js", "build-failure", "npm: ERROR in ./a.js"),
    (
        "nope",
        "Exit code 127\nbash: nope: command not found",
        "command-not-found",
        "nope: command not found",
    ),
    (
        "nope_x",
        "Exit code 127\n(eval):1: command not found: nope_x",
        "command-not-found",
        "nope_x: command not found",
    ),
    (
        "nope_x",
        "Exit code 127\n/bin/bash: line 1: nope_x: command not found",
        "command-not-found",
        "nope_x: command not found",
    ),
    ("./a.sh", "Exit code 127\n/bin/sh: 1: nope: not found", "command-not-found", "nope: command not found"),
    (
        "nope",
        "Exit code 1\n'nope' is not recognized as an internal or external command,",
        "command-not-found",
        "nope: command not found",
    ),
    ("make | tail -5; exit 2", "Exit code 2\nerror: x", "build-failure", "make: error: x"),
    ("cat gone; exit 2", "Exit code 2\ncat: gone: No such file", "tool-failure", "cat: gone: No such file"),
    ("git push", "Exit code 128\nfatal: no upstream", "tool-failure", "git: fatal: no upstream"),
    (
        "python /repo/run.py",
        "Exit code 1\nTraceback (most recent call last):\n  File \"/repo/run.py\", line 1\nKeyError: 'a'",
        "tool-failure",
        "python: KeyError: 'a'",
    ),
    (
        "cat /repo/src/x",
        "Exit code 1\ncat: /repo/src/x: No such file or directory",
        "tool-failure",
        "cat: src/x: No such file or directory",
    ),
    (
        "grep -r x nowhere",
        "Exit code 2\ngrep: nowhere: No such file",
        "tool-failure",
        "grep: nowhere: No such file",
    ),
    ("pytest && mypy .", "Exit code 1\n3 passed\na.py:1: error: x", "type-error", "mypy: a.py:1: error: x"),
]


@pytest.mark.parametrize(("command", "output", "error_class", "description"), MISTAKES)
def test_a_failed_command_is_a_mistake(command: str, output: str, error_class: str, description: str) -> None:
    """Its class comes from what ran, its description is the line that says most, with paths below the root."""
    found, *_ = failures.of_event(_event(command, output), ROOT)
    assert (found.error_class, found.description) == (error_class, description)


@pytest.mark.parametrize(
    ("command", "output", "failed"),
    [
        ("grep -rn x src", "Exit code 1", True),
        ("cd src && rg x | head", "Exit code 1", True),
        ("git diff --exit-code", "Exit code 1\n-a\n+b", True),
        ("which node", "Exit code 1", True),
        ("test -f x && echo yes", "Exit code 1", True),
        ("sleep 100", "Exit code 130", True),
        ("rm -rf /", "The user doesn't want to proceed with this tool use. The tool use was rejected", True),
        ("rm x", "Permission to use Bash with command rm x has been denied.", True),
        ("make", "Command was aborted", True),
        ("pytest", "5 passed in 1s", False),
        ("ls", "error.py\nfailures.md", None),
        ("cat log", "Traceback (most recent call last):\nKeyError: 1\nx: command not found", None),
        ("mypy .", "Success: no issues found in 3 source files", None),
        ("pytest", "==== 5 passed, 1 skipped in 0.1s ====", None),
        ("ruff check .", "All checks passed!", None),
    ],
)
def test_what_is_no_mistake(command: str, output: str, failed: bool | None) -> None:
    """Searches that found nothing, answers that say no, what a person stopped, and what went well."""
    assert failures.of_event(_event(command, output, failed), ROOT) == []


@pytest.mark.parametrize(
    ("command", "output", "error_class"),
    [
        ("pytest", "FAILED tests/a.py::test_x - boom\n1 failed, 2 passed", "test-failure"),
        ("mypy .", "a.py:3: error: bad\nFound 1 error in 1 file", "type-error"),
        ("nope", "/bin/bash: line 1: nope: command not found", "command-not-found"),
        ("python x.py", "Traceback (most recent call last):\nKeyError: 1", "tool-failure"),
        ("make", "Exit code: 2\nWall time: 1 seconds\nerror: x", "build-failure"),
    ],
)
def test_a_failure_shows_where_the_assistant_does_not_tell_it(
    command: str, output: str, error_class: str
) -> None:
    """Codex does not say how a command ended; only what is certain counts."""
    [found] = failures.of_event(_event(command, output, None), ROOT)
    assert found.error_class == error_class


def test_an_edit_that_does_not_apply_is_a_mistake() -> None:
    """Its class is its own, and the file is named."""
    event = _event("", "String to replace not found in file.\nString: x", tool="Edit") | {
        "file": "/repo/a.py"
    }
    [found] = failures.of_event(event, ROOT)
    assert (found.error_class, found.file) == ("edit-failed", "/repo/a.py")
    assert found.description == "Edit: String to replace not found in file."
    patch = _event("", "Success. Updated the following files:\nM errors_not_found.py", None, "apply_patch")
    assert failures.of_event(patch, ROOT) == []


@pytest.mark.parametrize(
    ("command", "output", "failed", "expected"),
    [
        ("pytest", "", False, True),
        ("pytest", "Exit code 1", True, False),
        ("pytest | tail -5", "2 failed, 3 passed", False, False),
        ("pytest | tail -5", "", False, None),
        ("pytest || true", "", False, None),
        ("pytest; echo done", "done", False, None),
        ("cd x && pytest -q", "", False, True),
        ("pytest && mypy .", "Exit code 1", True, None),
        ("pytest && mypy .", "3 passed\nExit code 1", True, True),
        ("pytest --version", "pytest 8", False, None),
        ("pip install pytest", "ok", False, None),
        ("cat tests/test_a.py", "1 failed", False, None),
        ("npm run test:unit", "", False, True),
        ("make check", "", False, True),
        ("gradle build", "", False, None),
        ("go test ./...", "ok  \tx\t0.1s", None, True),
        ("pytest", "collected 0 items", False, None),
        ("python -m pytest", "/usr/bin/python: No module named pytest", True, None),
        ("rspec", "3 examples, 0 failures", None, True),
        ("timeout 60 env CI=1 .venv/bin/pytest", "", False, True),
    ],
)
def test_how_a_test_run_went(command: str, output: str, failed: bool | None, expected: bool | None) -> None:
    """What the output says goes first, then the code where it is that of the tests."""
    assert testing.passed(_event(command, output, failed)) is expected


@given(
    st.text(max_size=300),
    st.text(max_size=600),
    st.sampled_from([True, False, None]),
    st.sampled_from(["Bash", "Edit"]),
)
def test_any_text_is_read(command: str, output: str, failed: bool | None, tool: str) -> None:
    """No command and no output raises; descriptions are one short line that can be stored."""
    shell.commands(command)
    for found in failures.of_event(_event(command, output, failed, tool), ROOT):
        assert 0 < len(found.description) <= 200
        assert found.description == " ".join(found.description.split())
        found.description.encode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.text(), c),
        max_leaves=20,
    )
)
def test_any_event_is_read(value: object) -> None:
    """Every field of an event may hold anything."""
    fields = (
        "session_id",
        "tool_name",
        "tool_input",
        "tool_response",
        "tool_output",
        "error",
        "cwd",
        "is_interrupt",
        "tool_calls",
    )
    for field in fields:
        event = {"session_id": "x", "tool_input": {"command": "pytest"}, field: value}
        for client in payloads.CLIENTS:
            for name in ("SessionStart", "PostToolUse", "postToolUseFailure", "PostToolBatch"):
                for told in payloads.read(client, name, event):
                    assert all(isinstance(each, str | bool | None) for each in told.values())
                payloads.folder(event)


@given(st.text(max_size=200))
def test_the_name_of_a_session_is_safe(session: str) -> None:
    """It is one name of a file, on any system, and different sessions have different ones."""
    key = payloads.session_key("codex", session)
    assert key.isascii() and len(key) < 200
    assert not set(key) & set('/\\:*?"<>|. ')


def _identities(command: str, output: str, made: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(found.identity for found in failures.of_event(_event(command, output), ROOT, made))


def test_what_a_person_would_call_the_same_is_the_same() -> None:
    """Another line or count is the same mistake; another test, another program or another file is another one."""
    assert _identities("make", "Exit code 2\nerror: line 3") == _identities(
        "make", "Exit code 2\nerror: line 9"
    )
    first, second = ("FAILED a.py::test_x - assert 1 == 2", "FAILED a.py::test_y - assert 1 == 2")
    made = _identities("pytest", f"Exit code 1\n{first}\n1 failed")
    assert made and not _identities(
        "pytest", "Exit code 1\nFAILED a.py::test_x - KeyError: 3\n1 failed", made
    )
    assert _identities("pytest", f"Exit code 1\n{second}\n1 failed", made)
    [other] = failures.of_event(_event("pytest", f"Exit code 1\n{first}\n{second}\n2 failed"), ROOT, made)
    assert other.description == "pytest: a.py::test_y - assert 1 == 2"
    assert not _identities("pytest", f"Exit code 1\n{second}\n1 failed", (other.identity,))
    assert _identities("a_x", "Exit code 127\nsh: a_x: command not found") != _identities(
        "b_x", "Exit code 127\nsh: b_x: command not found"
    )
    edits = [
        failures.of_event(_event("", "String to replace not found", tool="Edit") | {"file": file}, ROOT)
        for file in ("/repo/a.py", "/repo/b.py")
    ]
    assert len({edit.identity for [edit] in edits}) == 2
    assert _identities("cat a.py", "Exit code 1\ncat: a.py: No such file") != _identities(
        "cat b.py", "Exit code 1\ncat: b.py: No such file"
    )


def test_a_long_output_keeps_its_beginning_and_end() -> None:
    """What a tool says first and last is what tells the mistake."""
    text = payloads.excerpt("first\n" + "x\n" * 100_000 + "last")
    assert len(text) < 5_100 and text.startswith("first") and text.endswith("last")
