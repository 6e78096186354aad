"""The tests that failed, as runners print them; and a failed test that a hook and a report both tell of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tests.server.git import repositories
from tests.server.hooks.assistants import (
    NAMELESS,
    Assistant,
    claude_failure,
    codex_command,
    cursor_command,
    hook,
    sessions,
    settle,
    surroundings,
)

from vettle.engine.outcomes import failed_tests
from vettle.engine.project import Project
from vettle.engine.store import events
from vettle.engine.store.events import Event
from vettle.server.cli import cli
from vettle.server.hooks import testing

_TESTS = """
import pytest

class TestX:
    @pytest.mark.parametrize("value", ["a b", "x/y.py::z"])
    def test_y(self, value): assert value == 2, "a reason of many words, which pytest cuts on a narrow screen"

def test_x(): assert 1 == 2

@pytest.fixture
def broken(): raise KeyError("b")

def test_set_up(broken): pass

def test_works(): pass
"""
_FAILING = ["tests/test_a.py::TestX::test_y[a b]", "tests/test_a.py::TestX::test_y[x/y.py::z]"]
_FAILING += ["tests/test_a.py::test_set_up", "tests/test_a.py::test_x"]


@pytest.mark.parametrize(
    ("output", "names"),
    [
        ("FAILED a.py::t[p - q] - no - really\nERROR a.py::t\n2 failed", ["a.py::t[p - q]", "a.py::t"]),
        ("SUBFAILED(i=0) a.py::U::t - no\n1 failed", ["a.py::U::t"]),
        ("ERROR tests/b.py - ImportError: x", ["tests/b.py"]),
        ("FAIL: t (m.A.t) (i=1)\nFAILED (failures=1)", ["t (m.A.t)"]),
        (
            (
                "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\nFAIL\nFAIL\tc.d/one\t0.1s\n"
                "--- FAIL: TestA (0.00s)\nFAIL\tc.d/two\t0.1s\nFAIL"
            ),
            ["c.d/one::TestA", "c.d/one::TestA/b", "c.d/two::TestA"],
        ),
        (
            "FAIL jt/a.test.js\n  ✕ alone (1 ms)\n  adds\n    ✕ two (3 ms)\n  ● alone\n  ● adds \u203a two\n",
            ["alone", "adds \u203a two"],
        ),
        (
            "     \u00d7 two 8ms\n FAIL  vt/a.test.ts > adds > two\nError: x\n FAIL  vt/a.test.ts > alone\n",
            ["vt/a.test.ts > adds > two", "vt/a.test.ts > alone"],
        ),
        ("   \u00d7 adds > two 5ms\n", ["adds > two"]),
        ("    1) two\n\n  1 failing\n\n  1) adds\n       two:\n     Error: x: y\n", ["adds two"]),
        ("rspec ./spec/a_spec.rb:3 # Sums adds", ["./spec/a_spec.rb:3 # Sums adds"]),
        (
            (
                "[ERROR] Tests run: 1, Failures: 1, Time elapsed: 0.1 s <<< FAILURE! -- in c.ATest\n"
                "[ERROR] c.ATest.adds -- Time elapsed: 0.1 s <<< FAILURE!\n[ERROR]   ATest.adds:20 expected: <1>"
            ),
            ["c.ATest.adds"],
        ),
        ("[ERROR] Failures: \n[ERROR]   ATest.adds:20 expected: <1>", ["ATest.adds"]),
    ],
)
def test_failed_tests_are_found_once(output: str, names: list[str]) -> None:
    """Each is found by its whole name, also where a runner lists it twice in different words."""
    assert [test.name for test in testing.failed_tests(output)] == names


@given(
    st.from_regex(
        r"([a-z]{1,5}/){0,2}test_[a-z]{1,5}\.py(::[A-Z][a-z]{1,5})?::test_[a-z]{1,5}", fullmatch=True
    ),
    st.none() | st.text("ab1/.:- []'\"", max_size=12).filter(lambda text: "] - " not in f"{text} "),
    st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=30),
)
def test_a_line_of_pytest_gives_its_test_back(node: str, parameters: str | None, message: str) -> None:
    """Whatever the parameters are, the name, the message and the file are told apart."""
    name = node if parameters is None else f"{node}[{parameters}]"
    [found] = testing.failed_tests(f"E  x\nFAILED {name} - {message}\n1 failed in 0.1s")
    assert (found.name, found.message) == (" ".join(name.split()), message)
    assert found.file == node.partition("::")[0]


@pytest.fixture(name="printed", scope="module")
def _printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return what a real run of failing tests prints, and its report."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_a.py").write_text(_TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=junit.xml"]
    surrounding = {**surroundings(COLUMNS="80"), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=folder, env=surrounding, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout, (folder / "junit.xml").read_text()


@pytest.fixture(name="root")
def _root(tmp_path: Path, printed: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in NAMELESS:
        monkeypatch.delenv(name, raising=False)
    root = repositories.made(tmp_path / "project").root
    (root / ".vettle").mkdir()
    (root / "junit.xml").write_text(printed[1])
    return root


@pytest.fixture(name="output")
def _output(printed: tuple[str, str]) -> str:
    return printed[0]


def _vettle(root: Path, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(cli, ["--project", str(root), *arguments, "--json"])
    assert result.exit_code == 0, result.output or result.exception
    record = json.loads(result.stdout)
    assert isinstance(record, dict)
    return record


def _told(client: str, root: Path, output: str, session: str) -> dict[str, Any]:
    """Return the event of a command that ran the tests, as the assistant tells it."""
    if client == "codex":
        return {**codex_command(root, "pytest -q", output), "session_id": session}
    if client == "cursor":
        return {**cursor_command(root, "pytest -q", output, 1), "conversation_id": session}
    return claude_failure(root, "pytest -q", f"Exit code 1\n{output}", session_id=session)


def _reported(root: Path, session: str) -> dict[str, Any]:
    report = str(root / "junit.xml")
    return _vettle(root, "reward", "--from-junit", report, "--mistakes", "--session", session)


def _logged(root: Path) -> list[Event]:
    project = Project(root)
    with project.read() as transaction:
        found = [event for event in events.every(transaction) if event.kind == "mistake_logged"]
    project.close()
    return found


def _repeats(root: Path) -> list[bool]:
    return [bool(event.metrics["repeat"]) for event in _logged(root)]


@pytest.mark.parametrize("client", ["claude-code", "codex", "cursor"])
def test_a_failed_test_is_one_mistake_of_a_session(client: str, root: Path, output: str) -> None:
    """The hook and the report of the same run tell of the same tests; in the next session each is one repeat."""
    for number in range(2):
        told = _told(client, root, output, f"conversation-{number}")
        done = hook(client, told["hook_event_name"], told, root)
        assert done.returncode == 0, done.stderr
        settle(root)
        session = sessions(root)[0]
        found = _reported(root, session.id)
        assert (found["mistakes"], found["mistakes_known"]) == ([], len(_FAILING))
        assert (sessions(root)[0].mistakes, sessions(root)[0].repeats) == (4, 4 * number)
    assert _repeats(root) == [False] * 4 + [True] * 4
    summary = _vettle(root, "mistakes")["mistakes"]
    assert (summary["total"], summary["repeats"]) == (8, 4)
    assert {mistake["occurrences"] for mistake in summary["recurring"]} == {2}
    told_of = [mistake["description"].partition(" - ")[0] for mistake in summary["recurring"]]
    assert sorted(told_of) == [f"pytest: {name}" for name in _FAILING]


def test_a_test_is_the_same_mistake_whoever_tells_of_it(root: Path, output: str) -> None:
    """One that a report logged in a session without hooks is repeated by a session with them, and the other way round."""
    first = str(_vettle(root, "session", "start", "work")["session_id"])
    assert [each["repeat"] for each in _reported(root, first)["mistakes"]] == [False] * 4
    _vettle(root, "session", "end", "--session-id", first)
    Assistant(root, "codex").happen(_told("codex", root, output, "second"))
    third = str(_vettle(root, "session", "start", "work")["session_id"])
    assert [each["repeat"] for each in _reported(root, third)["mistakes"]] == [True] * 4
    assert _repeats(root) == [False] * 4 + [True] * 8
    assert len({event.data["hash"] for event in _logged(root)}) == 4


def test_what_a_report_logged_is_not_logged_again_by_a_hook(root: Path, output: str) -> None:
    """In one session it does not matter which of the two comes first, nor that the first told of some only."""
    agent = Assistant(root)
    short = "FAILED tests/test_a.py::test_x - assert 1 == 2\n1 failed"
    agent.happen(_told("claude-code", root, short, "one"))
    session = sessions(root)[0].id
    found = _reported(root, session)
    assert (len(found["mistakes"]), found["mistakes_known"]) == (3, 1)
    agent.happen(_told("claude-code", root, output, "one"))
    assert sessions(root)[0].mistakes == len(_logged(root)) == 4


def test_a_run_in_which_everything_fails_is_bounded(root: Path) -> None:
    """Of one run at most 20 failed tests become mistakes; the same run with its lines in another order adds none."""
    lines = [f"FAILED tests/test_a.py::test_{number:02} - no" for number in range(30)]
    agent = Assistant(root)
    for each in (lines, lines[::-1]):
        agent.happen(_told("claude-code", root, "\n".join([*each, "30 failed"]), "one"))
    assert sessions(root)[0].mistakes == failed_tests.MOST_MISTAKES
