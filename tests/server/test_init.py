"""`vettle init` as people and pipelines run it; what it does to each client's file is tested in `clients`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vettle.server.cli import cli
from vettle.server.clients.catalogue import NAMES

Init = Callable[..., Result]


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """Return a repository with two rules that nobody works in yet."""
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "CLAUDE.md").write_text("- Sort imports.\n- Annotate every function.\n")
    return project


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a machine on which no client is installed."""
    (tmp_path / "home").mkdir()
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path)}


@pytest.fixture(name="init")
def _init(project: Path, environment: dict[str, str]) -> Init:
    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(
            cli, ["--project", str(project), "init", *arguments], env=environment, standalone_mode=False
        )
        assert (result.exception is not None) == (code != 0), result.output
        assert code == 0 or getattr(result.exception, "exit_code", 70) == code
        return result

    return run


def _record(result: Result) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(result.stdout)
    return record


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_without_a_client_it_says_which_there_are_and_still_imports(init: Init, project: Path) -> None:
    """Nobody is connected by guess; the rules are imported as ever; the next step names every client."""
    result = init()
    assert "2 new rules on trial" in result.stdout
    assert "No client is used here." in result.stdout
    assert all(name in result.stdout for name in NAMES)
    assert not (project / ".mcp.json").exists()


def test_clients_that_are_used_here_are_connected_each_in_one_line(init: Init, project: Path) -> None:
    """A line per client with what to do there, and one next step; again, it says that nothing changed."""
    (project / ".cursor").mkdir()
    (project / ".gemini").mkdir()
    lines = init("--no-import").stdout.splitlines()
    assert lines[0] == f"Project: {project}"
    assert [line.split()[:2] for line in lines[1:3]] == [["create", "Cursor"], ["create", "Gemini"]]
    assert ".cursor/mcp.json: restart Cursor" in lines[1]
    assert "--command vettle" in lines[3]
    assert len(lines) == 5
    again = init("--no-import").stdout.splitlines()
    assert [line.split()[0] for line in again[1:3]] == ["unchanged", "unchanged"]


@pytest.mark.parametrize("where", ["home", "project"])
def test_with_the_plugin_claude_code_gets_no_second_server(
    init: Init, project: Path, tmp_path: Path, where: str
) -> None:
    """The plugin brings the server: no entry is made beside it unless it is asked for, and then both are named."""
    (tmp_path / where / ".claude").mkdir()
    settings = tmp_path / where / ".claude/settings.json"
    settings.write_text('{"enabledPlugins": {"vettle@vettle": true}}', encoding="utf-8")
    result = init()
    assert "Claude Code has vettle's plugin" in result.stdout
    assert "No client is used here" not in result.stdout
    assert not (project / ".mcp.json").exists()
    assert "vettle init claude --undo" in init("claude").stdout
    settings.write_text('{"enabledPlugins": {"vettle@vettle": false}}', encoding="utf-8")
    init("--undo")
    assert "vettle's plugin" not in init().stdout
    assert (project / ".mcp.json").exists()


def test_the_record_lists_each_client(init: Init, project: Path) -> None:
    """--json prints what was done to which file and what the person must do, and the import."""
    record = _record(init("claude", "codex", "--command", "vettle", "--json"))
    assert [one["client"] for one in record["clients"]] == ["claude", "codex"]
    assert record["clients"][0]["file"] == str(project / ".mcp.json")
    assert "approve" in record["clients"][0]["hint"]
    assert (record["rules"]["added"], record["notes"], record["applied"]) == (2, [], True)
    entry = json.loads((project / ".mcp.json").read_text())["mcpServers"]["vettle"]
    assert entry["command"] == "vettle"


def test_a_dry_run_shows_the_diff_and_leaves_no_trace(init: Init, project: Path, tmp_path: Path) -> None:
    """Only the lines that would change are shown, without the secrets of others."""
    settings = project / ".gemini/settings.json"
    settings.parent.mkdir()
    settings.write_text(
        '{\n"private": "plain words",\n'
        '"mcpServers": {"other": {"env": {"T": "ghp_0123456789abcdefghijklmnopqrstuvwxyz"}}}}'
    )
    before = _files(tmp_path)
    output = init("gemini", "windsurf", "--dry-run").stdout
    assert '+    "vettle": {' in output
    assert "ghp_0123456789abcdefghijklmnopqrstuvwxyz" not in output
    assert "plain words" not in output
    assert "Nothing was written." in output
    assert _files(tmp_path) == before


def test_print_gives_a_file_on_stdout_and_its_path_on_stderr(
    init: Init, project: Path, tmp_path: Path
) -> None:
    """What is printed can be redirected into the file, and nothing is written."""
    before = _files(tmp_path)
    result = init("claude", "--print")
    assert json.loads(result.stdout)["mcpServers"]["vettle"]["args"] == ["serve"]
    assert str(project / ".mcp.json") in result.stderr
    assert "command:" in init("continue", "--print").stdout
    assert _files(tmp_path) == before
    assert "Name some of" in str(init("--print", code=2).exception)
    assert "no other option" in str(init("claude", "--print", "--undo", code=2).exception)


def test_undo_takes_out_what_was_put_in_and_imports_nothing(
    init: Init, project: Path, tmp_path: Path
) -> None:
    """Without a name every client that was connected; twice is no mistake."""
    before = _files(tmp_path)
    init("claude", "copilot-cli", "windsurf", "--no-import")
    assert len(_files(tmp_path)) > len(before) + 4
    assert "delete" in init("--undo", "--dry-run").stdout
    result = init("--undo", "--json")
    assert [one["action"] for one in _record(result)["clients"]] == ["delete"] * 3
    assert _record(result)["rules"] is None
    assert _files(tmp_path) - before == {
        "project/.vettle",
        "project/.vettle/.gitignore",
        "project/.vettle/init.lock",
    }
    assert "nothing to undo" in init("--undo").stdout


def test_a_file_that_is_refused_stops_no_other_client(init: Init, project: Path) -> None:
    """The others are connected; the refusal is one line on stderr, with exit code 3."""
    (project / ".mcp.json").write_text('{\n"mcpServers": oops}')
    result = init("claude", "cursor", code=3)
    assert "line 2" in str(result.exception)
    assert "\n" not in str(result.exception)
    assert (project / ".cursor/mcp.json").exists()
    assert (project / ".mcp.json").read_text() == '{\n"mcpServers": oops}'


def test_an_entry_of_ones_own_is_a_failure_only_for_whoever_names_the_client(
    init: Init, project: Path
) -> None:
    """Running init to import rules does not fail because Claude Code is connected in another way."""
    text = '{"mcpServers": {"vettle": {"command": "mine"}}}'
    (project / ".mcp.json").write_text(text)
    assert "kept       Claude Code  .mcp.json: has an entry vettle" in init().stdout
    assert "--force" in str(init("claude", code=3).exception)
    assert (project / ".mcp.json").read_text() == text


def test_an_unknown_client_changes_nothing(init: Init, tmp_path: Path) -> None:
    """The valid names are listed, and the nearest is suggested."""
    before = _files(tmp_path)
    assert "Did you mean 'cursor'?" in str(init("claude", "cursr", code=2).exception)
    assert _files(tmp_path) == before


def test_what_a_team_has_committed_stays(init: Init, project: Path, tmp_path: Path) -> None:
    """An entry that starts `vettle` by its name is as good as ours where the PATH has one; another name is not."""
    text = '{"mcpServers": {"vettle": {"type": "stdio", "command": "vettle", "args": ["serve"]}}}'
    (project / ".mcp.json").write_text(text)
    assert "kept" in init("claude", "--no-import", code=3).stdout
    (tmp_path / "vettle").touch(mode=0o755)
    assert "unchanged  Claude Code  .mcp.json: starts vettle from the PATH" in init("claude").stdout
    assert (project / ".mcp.json").read_text() == text
    init("codex", "--command", "vettle")
    assert "unchanged" in init("codex").stdout
    assert "update" in init("claude", "codex", "--force").stdout


def test_a_command_of_several_words_is_started_as_such(init: Init, project: Path, tmp_path: Path) -> None:
    """A launcher and what it launches, not one program with a blank in its name, unless there is such a program."""
    spaced = tmp_path / "my vettle"
    spaced.touch(mode=0o755)
    for command, words in (("uvx vettle", ["uvx", "vettle"]), (str(spaced), [str(spaced)])):
        init("claude", "--no-import", "--command", command)
        entry = json.loads((project / ".mcp.json").read_text())["mcpServers"]["vettle"]
        assert [entry["command"], *entry["args"]] == [*words, "serve"]
    assert "not closed" in str(init("claude", "--command", "uvx 'vettle", code=2).exception)
    assert "name a program" in str(init("claude", "--command", " ", code=2).exception)


def test_undo_refuses_the_options_that_it_would_ignore(init: Init, tmp_path: Path) -> None:
    """Nobody believes that only their own file was meant."""
    init("claude", "--no-import")
    before = _files(tmp_path)
    for option in (["--user"], ["--command", "vettle"], ["--import"]):
        assert "--undo goes with" in str(init("--undo", *option, code=2).exception)
    assert _files(tmp_path) == before


def _run(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vettle", "init", "--no-import", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_project_is_made_where_none_would_be_found_again(
    project: Path, environment: dict[str, str]
) -> None:
    """Not in the home folder, and not in another folder than the one that the environment names, if it is not there."""
    home = Path(environment["HOME"])
    for folder, more in ((home, {}), (project, {"VETTLE_PROJECT": "/nowhere"})):
        done = _run(folder, {**environment, **more})
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("vettle: No project: ")
        assert not (folder / ".vettle").exists()


def test_clients_that_are_connected_at_the_same_moment_are_all_remembered(
    project: Path, environment: dict[str, str]
) -> None:
    """Each waits for the other, so undoing takes out every entry."""
    names = ("claude", "cursor", "codex", "gemini")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "vettle", "init", "--no-import", name],
            cwd=project,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for name in names
    ]
    assert [one.wait(timeout=60) for one in running] == [0] * 4
    assert _run(project, environment, "--undo").stdout.count("delete") == 4


@pytest.mark.parametrize(("answer", "imported"), [("\n", True), ("n\n", False)])
def test_on_a_terminal_it_asks_before_importing(
    project: Path, environment: dict[str, str], answer: str, imported: bool
) -> None:
    """The question names how many rules and where; yes is the default; the question is no part of the output."""
    person, terminal = pty.openpty()
    try:
        os.write(person, answer.encode())
        done = subprocess.run(
            [sys.executable, "-m", "vettle", "--project", str(project), "init", "claude"],
            env=environment,
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        os.close(person)
        os.close(terminal)
    assert "Import 2 rules found in CLAUDE.md? [Y/n]" in done.stderr
    assert ("2 new rules on trial" in done.stdout) == imported


def test_connecting_needs_no_toml_writer_and_no_server(project: Path, environment: dict[str, str]) -> None:
    """Listing connections, as doctor does, and help load neither mcp nor numpy nor tomlkit."""
    code = (
        "import sys; from pathlib import Path; from vettle.server.clients.connections import Place, connections;"
        f"connections(Place(Path({str(project)!r}), Path({environment['HOME']!r}), {{}}, 'linux'));"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"mcp", "numpy", "tomlkit", "openai"}


def test_a_repository_inside_a_project_is_named(
    init: Init, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stands in a repository below somebody's .vettle/ learns that it is no project of its own, and how to make it one."""
    inner = project / "vendored"
    (inner / ".git").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert f"vettle --project {inner} init" in init("--no-import").stdout
    monkeypatch.chdir(project)
    assert "belongs to this project" not in init("--no-import").stdout
