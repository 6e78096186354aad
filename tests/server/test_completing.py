"""Completion, asked as shells ask it: a real bash, a project that only reads, and silence whatever is wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from vettle.engine import rules, sessions
from vettle.engine.project import Project
from vettle.server.cli import cli
from vettle.server.commands import completing

_ASK = """
source <(vettle completion bash)
_vettle_completion vettle
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(name="project_root")
def _project_root(tmp_path: Path) -> Path:
    project = Project(tmp_path)
    for text in ("Run the type checker.", "Sort the imports.", "Never edit generated files."):
        added = rules.add(project, text=text, source="human")
    rules.decide(project, rule_id=added.rule_id, action="retire", reason="no longer true")
    sessions.start(project, task="fix it", context="bug-fix")
    sessions.start(project, task="write it", context="docs")
    project.close()
    return tmp_path


def _asked(root: Path, *words: str, shell: str = "bash", **settings: str) -> subprocess.CompletedProcess[str]:
    """Ask the program for candidates as the script of a shell does."""
    asked = {
        "_VETTLE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    return subprocess.run(
        [sys.executable, "-m", "vettle"],
        cwd=root,
        env={**os.environ, **asked, **settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _candidates(root: Path, *words: str) -> list[str]:
    done = _asked(root, *words)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def _files(root: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".db-shm"
    }


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_real_bash_completes(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The printed script, sourced by bash and asked as Tab asks, offers commands, choices and the project's ids."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "vettle").write_text(f'#!/bin/sh\nexec {sys.executable} -m vettle "$@"\n')
    (folder / "vettle").chmod(0o755)

    def ask(*words: str) -> set[str]:
        listed = " ".join(f"'{word}'" for word in words)
        head = f"COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}\n"
        done = subprocess.run(
            ["bash", "--norc", "-c", head + _ASK],
            cwd=project_root,
            env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        return set(done.stdout.split())

    assert ask("vettle", "rul") == {"rule", "rules"}
    assert ask("vettle", "db", "re") == {"restore"}
    assert ask("vettle", "reward", "a") == {"accepted"}
    assert {one.rpartition("-")[0] for one in ask("vettle", "rule", "decide", "")} == {
        "run-the-type-checker",
        "sort-the-imports",
    }


def test_names_of_the_project_are_offered_where_they_belong(project_root: Path) -> None:
    """Sessions, contexts and rules by prefix, newest first, without retired rules; assistants where they render."""
    assert _candidates(project_root, "vettle", "rules", "--context", "") == ["docs", "bug-fix"]
    assert len(_candidates(project_root, "vettle", "session", "end", "--session-id", "s-")) == 2
    assert [
        one[:5] for one in _candidates(project_root, "vettle", "session", "start", "x", "--candidate", "so")
    ] == ["sort-"]
    assert _candidates(project_root, "vettle", "render", "c") == ["claude", "cursor", "copilot", "continue"]


def test_looking_up_names_changes_nothing(project_root: Path) -> None:
    """No file appears, disappears or changes, with the database at rest and while another process has it open."""
    database = project_root / ".vettle"
    for beside in ("vettle.db-wal", "vettle.db-shm"):
        project = Project(project_root)
        with project.read():
            before = _files(database)
            assert _candidates(project_root, "vettle", "rules", "--context", "d") == ["docs"]
            assert _files(database) == before
        project.close()
        assert (database / beside).exists()
    before = _files(database)
    assert _candidates(project_root, "vettle", "rules", "--context", "d") == ["docs"]
    assert _files(database) == before


@pytest.mark.parametrize(
    "words",
    [
        ("vettle", "rules", "--context", ""),
        ("vettle", "no-such-command", ""),
        ("vettle", "rule", "decide", ""),
    ],
)
def test_whatever_is_wrong_completion_is_silent(words: tuple[str, ...], tmp_path: Path) -> None:
    """A damaged database, a foreign file, no project and a command that there is not: no candidates, no words."""
    (tmp_path / ".vettle").mkdir()
    for content in (b"", b"not a database", b"SQLite format 3\0" + b"\0" * 200):
        (tmp_path / ".vettle" / "vettle.db").write_bytes(content)
        done = _asked(tmp_path, *words)
        assert (done.stdout.strip(), done.stderr) == ("", "")
    done = _asked(tmp_path, *words, VETTLE_PROJECT=str(tmp_path / "gone"))
    assert (done.stdout.strip(), done.stderr) == ("", "")
    assert [path.name for path in (tmp_path / ".vettle").iterdir()] == ["vettle.db"]


def test_experiments_are_offered_by_name(tmp_path: Path) -> None:
    """Names that a shell would split are left out rather than broken."""
    for name in ("wording", "two words"):
        arguments = {
            "name": name,
            "variants": [{"name": "a"}, {"name": "b"}],
            "metric": {"name": "passed", "direction": "higher", "kind": "binary"},
        }
        call = ["--project", str(tmp_path), "experiment", "create", "--arguments", json.dumps(arguments)]
        assert CliRunner().invoke(cli, call).exit_code == 0
    assert _candidates(tmp_path, "vettle", "experiment", "results", "") == ["wording"]


def test_what_is_explained_is_offered(project_root: Path) -> None:
    """A rule, an experiment or a session: whatever `vettle explain` takes."""
    assert _candidates(project_root, "vettle", "explain", "so") != []
    assert len(_candidates(project_root, "vettle", "explain", "s-")) == 2
    elsewhere = ("vettle", "--project", str(project_root), "explain", "s-")
    assert len(_candidates(project_root.parent, *elsewhere)) == 2


def _leaves(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from _leaves(child, (*path, name))


def test_what_is_answered_at_once_is_what_the_command_would_answer(
    project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short cut knows every command's names of the project that can be asked for first, and no other."""
    monkeypatch.chdir(project_root)
    monkeypatch.setenv(completing.COMPLETING, "bash_complete")
    slow = BashComplete(cli, {}, "vettle", completing.COMPLETING)
    seen = set()
    for path, command in _leaves(cli):
        asked: list[tuple[tuple[str, ...], click.Parameter]] = [
            (path, one) for one in command.params[:1] if isinstance(one, click.Argument)
        ]
        asked += [
            ((*path, name), one)
            for one in command.params
            if isinstance(one, click.Option)
            for name in one.opts
            if name in completing._OPTIONS
        ]
        for words, parameter in asked:
            monkeypatch.setenv("COMP_WORDS", " ".join(("vettle", *words, "")))
            monkeypatch.setenv("COMP_CWORD", str(len(words) + 1))
            answer = completing.at_once(cli)
            if answer is None:
                assert "known" not in str(parameter._custom_shell_complete), words
                continue
            seen.add(words)
            expected = [slow.format_completion(one) for one in slow.get_completions(list(words), "")]
            assert answer.splitlines() == expected, words
    assert set(completing._FIRST) <= seen
    assert {words[-1] for words in seen} >= set(completing._OPTIONS)


def test_names_of_the_project_come_without_the_records(project_root: Path) -> None:
    """A rule's id is completed without importing pydantic, numpy, mcp, or the command it is for."""
    code = (
        "import sys, os; os.environ.update(_VETTLE_COMPLETE='bash_complete', COMP_WORDS='vettle rule decide so', "
        "COMP_CWORD='3')\n"
        "from vettle.server import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project_root, capture_output=True, text=True, check=True
    )
    assert "plain,sort-the-imports" in done.stdout
    assert not set(done.stdout.split()) & {"pydantic", "mcp", "numpy", "vettle.server.commands.operations"}


def test_completing_a_command_loads_no_more_than_help(tmp_path: Path) -> None:
    """A name of a command is completed without importing the engine's records, numpy or mcp."""
    code = (
        "import sys, os; os.environ.update(_VETTLE_COMPLETE='bash_complete', COMP_WORDS='vettle re', COMP_CWORD='1')\n"
        "from vettle.server import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "plain,render" in done.stdout
    assert not set(done.stdout.split()) & {"pydantic", "mcp", "numpy", "apsw", "vettle.engine.project"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(shell: str) -> None:
    """The script is for its shell, names the program, and is all that is printed."""
    done = CliRunner().invoke(cli, ["completion", shell])
    assert done.exit_code == 0
    assert "_vettle_completion" in done.stdout
    assert f"_VETTLE_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_what_a_command_is_for(shell: str, tmp_path: Path) -> None:
    """Zsh and fish show a line beside each candidate."""
    done = _asked(tmp_path, "vettle", "db", shell=shell)
    assert "Copy the database, and look after it." in done.stdout or shell == "fish"
    assert done.stderr == ""
