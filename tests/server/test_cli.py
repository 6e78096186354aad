"""The command line: parity with the tools, exit codes, output for people and for pipes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from vettle.engine.settings import Settings
from vettle.server.cli import cli
from vettle.server.commands import wording

ROOT = Path(__file__).parents[2]


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{name} {child}", command.commands[child]) for child in command.commands)
        yield name, command


COMMANDS = dict(_commands())


def _run(root: Path, *arguments: str, code: int = 0) -> str:
    """Run the installed program as users do, and return what it wrote to stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "vettle", "--project", str(root), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == (0 if code == 0 else 1), done.stderr
    return done.stdout if code in (0, 1) else done.stderr


def _json(root: Path, *arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(cli, ["--project", str(root), *arguments, "--json"])
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert isinstance(record, dict)
    return record


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_first_and_is_in_the_readme(name: str) -> None:
    """Help begins with a command line that can be copied, and README names the command."""
    help_text = COMMANDS[name].help or ""
    assert help_text.startswith("Example: vettle")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(word in readme for word in ("vettle", *name.split()))


def test_people_are_told_commands_where_agents_are_told_tools(tmp_path: Path) -> None:
    """Each tool that a sentence names is a command here; the record that --json prints stays the tool's."""
    assert {command.partition(" --")[0] for command in wording.COMMANDS.values()} <= set(COMMANDS)
    assert (
        wording.for_people("Call session_end, or call rule_add.")
        == "Run vettle session end, or run vettle rule add."
    )
    said = _run(tmp_path, "session", "start", "fix it")
    assert "vettle session end" in said and "session_end" not in said
    assert "session_start" in str(_json(tmp_path, "session", "end", "--outcome", "accepted")["next_step"])


def test_the_loop_on_the_command_line_gives_the_tools_records(tmp_path: Path) -> None:
    """Rule, session, mistake, reward, end, report: each command prints the record of its tool."""
    rule = _json(tmp_path, "rule", "add", "Sort imports.", "--glob", "*.py", "--source", "human")
    assert rule["status"] == "trial"
    session = _json(
        tmp_path, "session", "start", "fix it", "--context", "bug-fix", "--path", "a.py", "--k", "2"
    )
    assert session["pool"] == 1
    identifier = str(session["session_id"])
    mistake = _json(tmp_path, "mistake", "import", "name missing", "--session-id", identifier)
    assert mistake["occurrences"] == 1
    reward = _json(tmp_path, "reward", "revision", "--revision-distance", "0.25", "--source", "human")
    assert reward["value"] == 0.75
    assert _json(tmp_path, "session", "end")["score"] == pytest.approx(0.5 * 0.75 + 0.25)
    decided = _json(tmp_path, "rule", "decide", str(rule["rule_id"]), "pin", "team decision")
    assert decided["new"] == "pinned"
    assert _json(tmp_path, "rules")["total"] == 1
    assert _json(tmp_path, "sessions")["kind"] == "sessions"
    assert _json(tmp_path, "mistakes")["kind"] == "mistakes"
    assert _json(tmp_path, "explain", str(rule["rule_id"]))["rule"]
    assert _json(tmp_path, "explain", identifier)["identical"] is True
    assert _json(tmp_path, "status")["sessions"]


def test_arguments_come_as_json_too(tmp_path: Path) -> None:
    """A tool's arguments can be given as one object, on the command line or on stdin."""
    runner = CliRunner()
    arguments = ["--project", str(tmp_path), "rule", "add", "--json", "--arguments"]
    first = runner.invoke(cli, [*arguments, '{"text": "Sort imports.", "globs": ["*.py"]}'])
    assert json.loads(first.stdout)["status"] == "trial"
    second = runner.invoke(cli, [*arguments, "-"], input='{"text": "Sort names."}')
    assert json.loads(second.stdout)["status"] == "trial"


def test_render_exit_codes(tmp_path: Path) -> None:
    """0 in sync, 1 out of sync, 3 damaged, 4 edited by hand; each says so in one line."""
    rule = _json(tmp_path, "rule", "add", "Sort imports.")
    _json(tmp_path, "rule", "decide", str(rule["rule_id"]), "pin", "team decision")
    _run(tmp_path, "render", "claude", "--write")
    _run(tmp_path, "render", "--check")
    file = tmp_path / "CLAUDE.md"
    written = file.read_text()
    file.write_text(written.replace("Sort imports", "Sort nothing"))
    assert "edited by hand" in _run(tmp_path, "render", "--check", code=4)
    file.write_text(written.replace("<!-- END vettle rules -->", ""))
    assert "CLAUDE.md" in _run(tmp_path, "render", "--check", code=3)
    file.write_text(written)
    _json(tmp_path, "rule", "decide", str(rule["rule_id"]), "retire", "changed our mind")
    done = subprocess.run(
        [sys.executable, "-m", "vettle", "--project", str(tmp_path), "render", "--check"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    _run(tmp_path, "render", "--write")
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["rendr"], 2, "Did you mean 'render'?"),
        (["reward", "great"], 2, "accepted"),
        (["reward"], 2, "outcome"),
        (["rule", "add", "two\nlines"], 2, "TEXT"),
        (["rule", "add", "--arguments", "{"], 2, "--arguments"),
        (["explain", "nothing-000000"], 1, "vettle rules"),
        (["session", "end", "--session-id", "s-000000000000"], 1, "vettle session start"),
        (["render", "emacs"], 2, "TARGETS"),
        (["rules", "--limit", "0"], 2, "limit"),
    ],
)
def test_a_mistake_at_the_keyboard_is_one_line_with_the_remedy(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    """Wrong usage never shows a traceback, exits with its code, and says what would be right."""
    done = subprocess.run(
        [sys.executable, "-m", "vettle", "--project", str(tmp_path), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
    assert said in done.stderr


def test_a_damaged_database_is_refused_with_exit_code_3(tmp_path: Path) -> None:
    """Reading commands refuse a database they cannot trust, by name, and leave it."""
    (tmp_path / ".vettle").mkdir()
    database = tmp_path / ".vettle" / "vettle.db"
    database.write_bytes(b"")
    assert "vettle.db" in _run(tmp_path, "status", code=3)
    assert database.read_bytes() == b""


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    """An unknown or unusable setting is refused with the file and the key."""
    (tmp_path / ".vettle").mkdir()
    (tmp_path / ".vettle" / "config.toml").write_text("[selection]\nmin_effekt = 0.1\n")
    assert "selection.min_effekt" in _run(tmp_path, "status", code=2)


def test_the_documented_settings_are_the_defaults() -> None:
    """docs/settings.md shows every setting with the value it has when it is left out."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    shown = tomllib.loads(page.partition("```toml")[2].partition("```")[0])
    assert shown == Settings().model_dump()


def test_piped_output_is_never_cut(tmp_path: Path) -> None:
    """A long verdict or task arrives whole in a pipe."""
    task = "word " * 60
    _json(tmp_path, "session", "start", task)
    assert task.strip() in _run(tmp_path, "sessions")


def test_looking_leaves_no_trace(tmp_path: Path) -> None:
    """Reading commands create nothing in a repository that never used vettle."""
    for command in ("status", "rules", "sessions", "mistakes"):
        _run(tmp_path, command)
    assert list(tmp_path.iterdir()) == []


def test_readme_shows_what_the_demo_prints() -> None:
    """The demo proves only rules that are truly good, and README's transcript is its real output."""
    done = subprocess.run(
        [sys.executable, "-m", "vettle", "demo"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    transcript = readme.partition("$ vettle demo\n")[2].partition("```")[0].splitlines()
    for line in transcript:
        if line.strip() == "..." or "over stdio in" in line:
            continue
        start = re.split(r",? \.\.\.$|; \.\.\.$", line)[0]
        assert any(row.startswith(start) for row in printed), line
    assert sum(row.lstrip().startswith("proven") for row in printed) >= 2
    assert not any("WRONG" in row for row in printed)
