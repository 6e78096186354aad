"""Our hooks get into an assistant's file and out again, and nothing else in it changes by a byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.hooks.assistants import surroundings

from vettle.engine.errors import FilesRefused, InvalidArgument
from vettle.server.clients.formats.jsonc import parse
from vettle.server.hooks import installing, payloads, spool

LAUNCH = ("/opt/my tools/vettle",)
NAMES = list(installing.ASSISTANTS)


def _file(root: Path, name: str) -> Path:
    file = root / installing.assistant(name).path
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _install(root: Path, name: str, *launch: str) -> str:
    return installing.install(root, name, launch or LAUNCH, apply=True).action


def _undo(root: Path, name: str) -> str:
    return installing.undo(root, name, apply=True).action


def test_every_assistant_with_hooks_can_be_installed() -> None:
    """What the hook command answers and what can be installed are the same assistants, and the same events."""
    assert set(NAMES) == set(payloads.CLIENTS)
    for assistant in installing.ASSISTANTS.values():
        assert all(payloads._KINDS[event.lower()] for event in assistant.events)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_ours_comes_and_goes(name: str, tmp_path: Path) -> None:
    """It is made with its folder, is what --print prints, is left alone the second time, and disappears with its folder."""
    file = tmp_path / installing.assistant(name).path
    assert _install(tmp_path, name) == "create"
    assert file.read_text() == installing.whole(installing.assistant(name), LAUNCH)
    assert _install(tmp_path, name) == "unchanged"
    commands = [line for line in file.read_text().splitlines() if '"command":' in line]
    assert len(commands) == len(installing.assistant(name).events)
    assert f"'/opt/my tools/vettle' hook {name} " in commands[0]
    assert _undo(tmp_path, name) == "delete"
    assert not file.parent.exists()
    assert _undo(tmp_path, name) == "unchanged"


@pytest.mark.parametrize("name", NAMES)
def test_a_new_command_replaces_the_old_one(name: str, tmp_path: Path) -> None:
    """Only ours: hooks of others stay, also ones for the same event."""
    file = _file(tmp_path, name)
    event = next(iter(installing.assistant(name).events))
    theirs = {"hooks": {event: [{"command": "echo vettle"}], "Other": [{"command": "x"}]}, "more": 1}
    before = json.dumps(theirs, indent=4)
    file.write_text(before)
    assert _install(tmp_path, name) == "update"
    assert _install(tmp_path, name, "vettle") == "update"
    text = file.read_text()
    assert "/opt/my tools" not in text and f"vettle hook {name}" in text
    assert _undo(tmp_path, name) == "remove"
    assert file.read_text() == before


KEYS = st.text("abc ", min_size=1, max_size=3)
VALUES = st.recursive(
    st.none() | st.integers(0, 9) | st.text('ab"\\ é', max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)
GROUPS = st.lists(
    st.fixed_dictionaries({"hooks": st.just([{"type": "command", "command": "echo hi"}])}), max_size=3
)


@st.composite
def _documents(draw: st.DrawFn) -> str:
    """Draw a file of settings as people write them, with hooks of their own or without."""
    name = draw(st.sampled_from(["SessionStart", "PostToolBatch", "Stop"]))
    hooks = draw(st.none() | st.dictionaries(st.just(name), GROUPS, max_size=1))
    value: dict[str, Any] = draw(st.dictionaries(KEYS, VALUES, max_size=3))
    if hooks is not None:
        value["hooks"] = hooks
    text = json.dumps(
        value, indent=draw(st.sampled_from([None, 2, 4, "\t"])), ensure_ascii=draw(st.booleans())
    )
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    if draw(st.booleans()):
        text = "// a comment\n" + text
    return draw(st.sampled_from(["", "\ufeff"])) + text + draw(st.sampled_from(["", "\n", "\n\n"]))


@given(_documents(), st.booleans())
def test_installing_and_undoing_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, text: str, forgotten: bool
) -> None:
    """Everything of others is as before in between, and all bytes afterwards; what was meant also without our memory."""
    root = tmp_path_factory.mktemp("root")
    file = _file(root, "claude-code")
    file.write_bytes(text.encode())
    assert _install(root, "claude-code") == "update"
    before, between = parse(text).value, parse(file.read_bytes().decode()).value
    assert {**between, "hooks": 0} == {**before, "hooks": 0}
    for event, groups in before.get("hooks", {}).items():
        assert between["hooks"][event][: len(groups)] == groups
    assert _install(root, "claude-code") == "unchanged"
    if forgotten:
        (Path(spool.hooks_folder(str(root))) / "installed.json").unlink()
        assert _undo(root, "claude-code") == "remove"
        left = parse(file.read_bytes().decode()).value
        ours = installing.ASSISTANTS["claude-code"].events
        emptied = {
            event: groups for event, groups in before.get("hooks", {}).items() if groups or event not in ours
        }
        assert left == {**before, "hooks": emptied} or left == {
            k: v for k, v in before.items() if k != "hooks"
        }
    else:
        assert _undo(root, "claude-code") == "remove"
        assert file.read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "line 1"),
        ("[]", "is not an object"),
        ('{"hooks": []}', "is not an object"),
        ('{"hooks": {"SessionStart": {}}}', "is not a list"),
    ],
)
def test_a_file_that_is_something_else_is_refused(text: str, why: str, tmp_path: Path) -> None:
    """By name, with what to do instead, and nothing is changed."""
    file = _file(tmp_path, "claude-code")
    file.write_text(text)
    with pytest.raises(FilesRefused, match=r"settings\.local\.json") as refused:
        _install(tmp_path, "claude-code")
    assert why in str(refused.value) and "--print" in str(refused.value)
    assert file.read_text() == text


def test_links_and_unknown_assistants_are_refused(tmp_path: Path) -> None:
    """A link could lead anywhere; a name that is none is answered with those there are."""
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("{}")
    _file(tmp_path, "cursor").symlink_to(elsewhere)
    with pytest.raises(FilesRefused, match="link"):
        _install(tmp_path, "cursor")
    assert elsewhere.read_text() == "{}"
    (tmp_path / "root").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "root/.codex").symlink_to(tmp_path / "home")
    with pytest.raises(FilesRefused, match="outside the project"):
        _install(tmp_path / "root", "codex")
    assert not list((tmp_path / "home").iterdir())
    with pytest.raises(InvalidArgument, match="claude-code, cursor, codex"):
        _install(tmp_path, "gemini")


def test_windows_gets_its_own_quotes() -> None:
    """A path with blanks is quoted as cmd reads it."""
    of = installing.assistant("codex")
    [hook] = installing.entry(of, "SessionStart", (r"C:\My Tools\vettle.exe",), windows=True)["hooks"]
    assert hook["command"] == r'"C:\My Tools\vettle.exe" hook codex SessionStart'


def test_the_command_installs_and_prepares(tmp_path: Path) -> None:
    """`vettle hook install` writes the file, makes sessions ready, and takes the file away again."""

    def run(*arguments: str) -> str:
        command = [
            sys.executable,
            "-m",
            "vettle",
            "--project",
            str(tmp_path),
            "hook",
            "install",
            "cursor",
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, env=surroundings(), check=True)
        return done.stdout

    assert "would create .cursor/hooks.json" in run("--dry-run")
    assert not (tmp_path / ".cursor").exists() and not (tmp_path / ".vettle").exists()
    assert json.loads(run("--json"))["action"] == "create"
    assert len(list((Path(spool.hooks_folder(str(tmp_path))) / "prepared").iterdir())) == 4
    printed = run("--print")
    assert (tmp_path / ".cursor" / "hooks.json").read_text() == printed.partition("\n")[2]
    assert "delete" in run("--undo")
    assert not (tmp_path / ".cursor").exists()
