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
from vettle.server.hooks import assistants, installing, payloads, spool

LAUNCH = ("/opt/my tools/vettle",)
NAMES = list(assistants.ASSISTANTS)


def _file(root: Path, name: str) -> Path:
    file = root / assistants.assistant(name).path
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _install(root: Path, name: str, *launch: str) -> str:
    return installing.install(root, name, launch or LAUNCH, apply=True).action


def _undo(root: Path, name: str) -> str:
    return installing.undo(root, name, apply=True).action


def test_every_assistant_with_hooks_can_be_installed() -> None:
    """What the hook command answers and what can be installed are the same assistants, and the same events."""
    assert set(NAMES) == set(payloads.CLIENTS)
    for assistant in assistants.ASSISTANTS.values():
        assert all(payloads._KINDS[event.lower()] for event in assistant.events)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_ours_comes_and_goes(name: str, tmp_path: Path) -> None:
    """It is made with its folder, is what --print prints, is left alone the second time, and disappears with its folder."""
    file = tmp_path / assistants.assistant(name).path
    assert _install(tmp_path, name) == "create"
    assert file.read_text() == assistants.whole(assistants.assistant(name), LAUNCH)
    assert _install(tmp_path, name) == "unchanged"
    commands = [line for line in file.read_text().splitlines() if '"command":' in line]
    assert len(commands) == len(assistants.assistant(name).events)
    assert f"'/opt/my tools/vettle' hook {name} " in commands[0]
    assert _undo(tmp_path, name) == "delete"
    assert not file.parent.exists()
    assert _undo(tmp_path, name) == "unchanged"


@pytest.mark.parametrize("name", NAMES)
def test_a_new_command_replaces_the_old_one(name: str, tmp_path: Path) -> None:
    """Only ours: hooks of others stay, also ones for the same event."""
    file = _file(tmp_path, name)
    event = next(iter(assistants.assistant(name).events))
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
        installing.keeper(root).file.unlink()
        assert _undo(root, "claude-code") == "remove"
        left = parse(file.read_bytes().decode()).value
        ours = assistants.ASSISTANTS["claude-code"].events
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


def test_undo_touches_nothing_through_a_link_that_leads_out(tmp_path: Path) -> None:
    """Where a folder was replaced by a link after installing, what it leads to stays, and the link too."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    _install(root, "cursor")
    (root / ".cursor").rename(outside)
    (root / ".cursor").symlink_to(outside)
    before = (outside / "hooks.json").read_bytes()
    for apply in (False, True):
        with pytest.raises(FilesRefused, match="outside the project"):
            installing.undo(root, "cursor", apply=apply)
    assert (outside / "hooks.json").read_bytes() == before
    (root / ".cursor").unlink()
    (root / ".cursor").symlink_to(".cursor")
    with pytest.raises(FilesRefused, match="link"):
        _undo(root, "cursor")
    (root / ".cursor").unlink()
    outside.rename(root / ".cursor")
    assert _undo(root, "cursor") == "delete"
    assert not list(root.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_ours_is_still_ours_after_an_update(name: str, tmp_path: Path) -> None:
    """Undo deletes it with its folder, but not what a person put into it meanwhile."""
    _install(tmp_path, name)
    assert _install(tmp_path, name, "vettle") == "update"
    assert _undo(tmp_path, name) == "delete"
    assert not list(tmp_path.iterdir())
    _install(tmp_path, name)
    file = tmp_path / assistants.assistant(name).path
    file.write_text(file.read_text().replace("{", '{"mine": 1,', 1))
    assert _undo(tmp_path, name) == "remove"
    assert json.loads(file.read_text())["mine"] == 1


@pytest.mark.parametrize("content", ["", "\n", "\ufeff \r\n"])
def test_a_blank_file_gets_its_bytes_back(content: str, tmp_path: Path) -> None:
    """It holds our hooks as a new one would, and is there afterwards as before."""
    file = _file(tmp_path, "cursor")
    file.write_bytes(content.encode())
    assert _install(tmp_path, "cursor") == "update"
    whole = assistants.whole(assistants.assistant("cursor"), LAUNCH)
    assert file.read_bytes().decode() == content + whole
    assert _undo(tmp_path, "cursor") == "remove"
    assert file.read_bytes() == content.encode()


def test_a_command_of_any_name_is_recognised(tmp_path: Path) -> None:
    """What we put in is ours also where it does not look like it: it is replaced, and taken out."""
    file = _file(tmp_path, "codex")
    file.write_text('{"theirs": 1}')
    _install(tmp_path, "codex", "wrapper")
    file.write_text(file.read_text().replace("1", "2", 1))
    assert _install(tmp_path, "codex", "another") == "update"
    assert "wrapper" not in file.read_text()
    file.write_text(file.read_text().replace("2", "3", 1))
    assert _undo(tmp_path, "codex") == "remove"
    assert json.loads(file.read_text()) == {"theirs": 3}


def test_what_is_shown_has_no_secrets(tmp_path: Path) -> None:
    """A diff has the lines that change, in which secrets are replaced, and none of those around them."""
    file = _file(tmp_path, "cursor")
    before = f'{{\n  "private": "words",\n  "token": "ghp_{"0123456789" * 4}"\n}}\n'
    file.write_text(before)
    shown = installing.install(tmp_path, "cursor", LAUNCH, apply=False)
    assert (shown.action, shown.applied) == ("update", False)
    assert "hook cursor sessionStart" in shown.diff and "[redacted]" in shown.diff
    assert "ghp_0123456789" not in shown.diff and "words" not in shown.diff
    assert file.read_text() == before


def test_read_only_files_and_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """Replacing a file would get around what somebody set; a path with bytes that are no Unicode fits in no file."""
    file = _file(tmp_path, "cursor")
    with pytest.raises(FilesRefused, match="Unicode"):
        _install(tmp_path, "cursor", "/opt/\udcff/vettle")
    assert not file.exists()
    file.write_text("{}")
    file.chmod(0o444)
    with pytest.raises(FilesRefused, match="read-only"):
        _install(tmp_path, "cursor")
    assert file.read_text() == "{}"


def test_what_was_written_is_remembered_outside_of_the_project(tmp_path: Path) -> None:
    """What a repository brings along is not believed; a memory that is damaged is named, and nothing is changed."""
    _install(tmp_path, "cursor")
    keeper = installing.keeper(tmp_path)
    assert not keeper.file.is_relative_to(tmp_path)
    assert list(keeper.load().files) == [str(tmp_path / ".cursor/hooks.json")]
    kept = keeper.file.read_bytes()
    keeper.file.write_text("{")
    with pytest.raises(FilesRefused, match="Delete it"):
        _undo(tmp_path, "cursor")
    assert (tmp_path / ".cursor/hooks.json").exists()
    keeper.file.write_bytes(kept)
    _undo(tmp_path, "cursor")
    assert not keeper.file.exists()


_AGAIN_AND_AGAIN = """
import pathlib, sys
from vettle.server.hooks import installing
for number in range(15):
    installing.undo(pathlib.Path(sys.argv[1]), sys.argv[2], apply=True)
    installing.install(pathlib.Path(sys.argv[1]), sys.argv[2], [sys.argv[3]], apply=True)
"""


def test_who_installs_at_the_same_moment_loses_nothing(tmp_path: Path) -> None:
    """Processes that install and undo at once, also for one assistant: each file is whole, and goes back to its bytes."""
    before = {name: f'{{ "theirs": ["{name}", ], // mine\r\n}}' for name in NAMES}
    for name, text in before.items():
        _file(tmp_path, name).write_bytes(text.encode())
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _AGAIN_AND_AGAIN, str(tmp_path), name, launch],
            env=surroundings(),
            stderr=subprocess.PIPE,
        )
        for name in NAMES
        for launch in ("vettle", "/opt/vettle")
    ]
    said = [process.communicate(timeout=120)[1] for process in running]
    assert said == [b""] * len(running)
    assert len(installing.keeper(tmp_path).load().files) == len(NAMES)
    for name, text in before.items():
        file = tmp_path / assistants.assistant(name).path
        hooks = parse(file.read_bytes().decode()).value["hooks"]
        assert [len(groups) for groups in hooks.values()] == [1] * len(assistants.assistant(name).events)
        assert _undo(tmp_path, name) == "remove"
        assert file.read_bytes() == text.encode()
    assert installing.keeper(tmp_path).load().files == {}


def test_windows_gets_its_own_quotes() -> None:
    """A path with blanks is quoted as cmd reads it."""
    of = assistants.assistant("codex")
    [hook] = assistants.entry(of, "SessionStart", (r"C:\My Tools\vettle.exe",), windows=True)["hooks"]
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
