"""Connecting and disconnecting, client by client, in a home folder that is made for the test."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from vettle.engine.errors import FilesRefused
from vettle.engine.project import prepare_state_folder
from vettle.engine.records.connecting import ClientConnection
from vettle.server.clients import applying, memory, planning
from vettle.server.clients.catalogue import CLIENTS, NAMES, Client, find
from vettle.server.clients.connections import Connection, connections
from vettle.server.clients.detecting import detected
from vettle.server.clients.formats import FORMATS
from vettle.server.clients.formats.base import Keys, Segment
from vettle.server.clients.place import Place

LAUNCH = ("/opt/vettle/bin/vettle",)
SECRET = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
PRESENT = {
    "json": '\ufeff{\r\n\t// mine\r\n\t"KEY": {"other": {"command": "x", "env": {"T": "SECRET"}},},\r\n\t"z": [1,],\r\n}',
    "toml": '# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "x"\nenv = {T = "SECRET"}\n# the end',
    "yaml": "\n",
}


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Place:
    for folder in ("home", "project"):
        (tmp_path / folder).mkdir()
    prepare_state_folder(tmp_path / "project")
    return Place(tmp_path / "project", tmp_path / "home", {}, "linux")


def _connect(
    place: Place, name: str, *, user: bool = False, force: bool = False, launch: tuple[str, ...] = LAUNCH
) -> ClientConnection:
    (client,) = find([name])
    (change,) = applying.carried_out(
        lambda known: [planning.connect(client, place, launch, known, user=user, force=force)],
        memory.of_project(place.root),
    )
    return planning.reported(change)


def _undo(place: Place, name: str, *, force: bool = False) -> list[ClientConnection]:
    (client,) = find([name])
    changes = applying.carried_out(
        lambda known: planning.disconnect(client, place, known, force=force), memory.of_project(place.root)
    )
    return [planning.reported(change) for change in changes]


def _file(place: Place, name: str, *, user: bool = False) -> Path:
    (client,) = find([name])
    return client.location(user=user).at(place)


def _present(place: Place, client: Client, *, user: bool) -> Path:
    """Write a configuration as a person could have it, with another server that has a secret."""
    file = client.location(user=user).at(place)
    file.parent.mkdir(parents=True, exist_ok=True)
    text = PRESENT[client.format].replace("KEY", client.keys[0]).replace("SECRET", SECRET)
    file.write_bytes(text.encode())
    file.chmod(0o640)
    return file


def _entry(client: Client, file: Path) -> Mapping[str, Any]:
    """Read our entry with a reader that is not ours."""
    if client.format == "toml":
        found: Any = tomllib.loads(file.read_text())
    else:
        found = yaml.safe_load(file.read_text()) if client.format == "yaml" else json.loads(file.read_text())
    servers = found[client.keys[0]]
    entry: Mapping[str, Any] = servers[0] if isinstance(servers, list) else servers["vettle"]
    return entry


def _tree(place: Place) -> set[str]:
    """Everything but what vettle itself keeps."""
    base = place.root.parent
    return {
        str(path.relative_to(base))
        for path in base.rglob("*")
        if ".vettle" not in path.relative_to(base).parts
    }


@pytest.mark.parametrize("user", [False, True])
@pytest.mark.parametrize("client", CLIENTS, ids=NAMES)
def test_a_client_without_a_configuration_gets_one_and_undo_leaves_nothing(
    place: Place, client: Client, user: bool
) -> None:
    """The file holds our entry alone; a second run changes nothing; undo removes it with the folders made for it."""
    before = _tree(place)
    report = _connect(place, client.name, user=user)
    file = Path(report.file)
    assert (report.action, report.hint) == ("create", client.hint)
    entry = _entry(client, file)
    assert entry["command"] == LAUNCH[0]
    assert entry["args"][0] == "serve"
    kept = file.read_bytes()
    again = _connect(place, client.name, user=user)
    assert (again.action, again.diff, again.hint) == ("unchanged", "", "")
    assert file.read_bytes() == kept
    private = not file.is_relative_to(place.root)
    assert not private or stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.action for one in _undo(place, client.name)] == ["delete"]
    assert _tree(place) == before
    assert not memory.of_project(place.root).file.exists()


@pytest.mark.parametrize("client", CLIENTS, ids=NAMES)
def test_a_configuration_that_is_there_gets_one_entry_and_undo_gives_its_bytes_back(
    place: Place, client: Client
) -> None:
    """Other servers, comments, byte order mark, line ends and permissions stay; nothing of them is kept elsewhere."""
    file = _present(place, client, user=False)
    before = file.read_bytes()
    assert _connect(place, client.name).action == "add"
    (found,) = connections(place)
    assert (found.client, found.command, found.problem) == (client.name, LAUNCH[0], "")
    assert all(line in file.read_bytes() for line in before.split(b"\n")[:2])
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert stat.S_IMODE(memory.of_project(place.root).file.stat().st_mode) == 0o600
    kept = memory.of_project(place.root).file.read_text()
    assert SECRET not in kept
    assert "other" not in kept
    assert [one.action for one in _undo(place, client.name)] == ["remove"]
    assert file.read_bytes() == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert connections(place) == []


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_undo_after_others_changed_the_file_takes_only_our_entry(place: Place, name: str) -> None:
    """What was added to the file meanwhile stays, in front of our entry and behind it."""
    (client,) = find([name])
    file = _present(place, client, user=False)
    _connect(place, name)
    text = file.read_text()
    more = text.replace("mine", "mine, and more") + (
        "\n[later]\nx = 1\n" if name == "codex" else "\n// later\n"
    )
    file.write_text(more)
    assert [one.action for one in _undo(place, name)] == ["remove"]
    left = file.read_text()
    assert "vettle" not in left
    assert all(word in left for word in ("mine, and more", "later", "other", SECRET))


@pytest.mark.parametrize("name", ["claude", "codex", "continue"])
def test_a_command_that_moved_is_updated_and_undo_still_gives_the_original(place: Place, name: str) -> None:
    """Only our entry changes, and the first bytes are not forgotten."""
    (client,) = find([name])
    file = _present(place, client, user=False)
    before = file.read_bytes()
    _connect(place, name)
    report = _connect(place, name, launch=("vettle",))
    assert (report.action, connections(place)[0].command) == ("update", "vettle")
    _undo(place, name)
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["claude", "codex", "continue"])
def test_a_file_that_init_made_is_still_its_own_after_an_update(place: Place, name: str) -> None:
    """Undo deletes it, and the folders that were made for it."""
    before = _tree(place)
    _connect(place, name)
    assert _connect(place, name, launch=("vettle",)).action == "update"
    assert [one.action for one in _undo(place, name)] == ["delete"]
    assert _tree(place) == before


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("claude", ('"mcpServers": {', '"mcpServers": {"other": {"command": "x"},')),
        ("codex", ("[mcp_servers.vettle]", "[mcp_servers.other]\ncommand = 'x'\n[mcp_servers.vettle]")),
    ],
)
def test_a_file_that_init_made_stays_once_others_use_it(
    place: Place, name: str, more: tuple[str, str]
) -> None:
    """A server that was added meanwhile is not deleted with our entry, nor are the folders."""
    _connect(place, name)
    file = _file(place, name)
    file.write_text(file.read_text().replace(*more))
    assert [one.action for one in _undo(place, name)] == ["remove"]
    assert "vettle" not in file.read_text()
    assert "other" in file.read_text()


@pytest.mark.parametrize("name", ["claude", "codex", "continue"])
def test_an_entry_that_init_did_not_write_stays_unless_forced(place: Place, name: str) -> None:
    """It is shown without its environment; forced, it is replaced, and undo says that it is gone."""
    file = _file(place, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    entry = {"name": "vettle", "command": "theirs", "args": ["a"], "env": {"T": SECRET}}
    file.write_text(
        {
            "claude": json.dumps({"mcpServers": {"vettle": entry}}),
            "codex": f'[mcp_servers.vettle]\ncommand = "theirs"\nargs = ["a"]\nenv = {{T = "{SECRET}"}}\n',
            "continue": yaml.safe_dump({"mcpServers": [entry]}),
        }[name]
    )
    before = file.read_bytes()
    report = _connect(place, name)
    assert report.action == "kept"
    assert "theirs a" in report.detail
    assert "--force" in report.detail
    assert SECRET not in report.detail
    assert file.read_bytes() == before
    assert [one.action for one in _undo(place, name)] == ["kept"]
    report = _connect(place, name, force=True)
    assert (report.action, connections(place)[0].command) == ("update", LAUNCH[0])
    assert SECRET not in report.diff
    (undone,) = _undo(place, name)
    assert "not known any more" in undone.detail
    assert connections(place) == []
    # A file that should hold nothing but our entry is of no use without it.
    assert file.exists() == (name != "continue" and name != "codex")


def test_an_entry_that_comes_with_a_repository_cannot_say_anything_unseen(place: Place) -> None:
    """What is shown of it is one line, and what a terminal or a reader would not show is written out."""
    entry = {"command": "x\nProject: y", "args": ["\x1b[2J", "\u202e"]}
    _file(place, "claude").write_text(json.dumps({"mcpServers": {"vettle": entry}}))
    detail = _connect(place, "claude").detail
    assert "x Project: y <U+001B>[2J <U+202E>." in detail


def test_an_entry_of_ours_that_was_edited_is_nobodys_to_remove_but_a_persons(place: Place) -> None:
    """Undo leaves it, and removes it when forced; an entry that is gone already is just forgotten."""
    file = _file(place, "cursor")
    _connect(place, "cursor")
    file.write_text(file.read_text().replace('"serve"', '"serve", "--toolsets", "core,lab"'))
    (kept,) = _undo(place, "cursor")
    assert (kept.action, "--force" in kept.detail) == ("refused", True)
    assert _undo(place, "cursor", force=True)[0].action == "delete"
    assert not file.exists()
    _connect(place, "cursor")
    file.unlink()
    assert _undo(place, "cursor")[0].action == "absent"
    assert _undo(place, "cursor")[0].action == "unchanged"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"mcpServers": {\n  "a": 1\n  "b": 2\n}}', 'line 3: expected "," or "}"'),
        (b'{"mcpServers": 1}', '"mcpServers" is not an object'),
        (b'{\n"a": "\xff"}', "line 2: it is not UTF-8"),
        ("{}".encode("utf-16"), "line 1: it is not UTF-8"),
    ],
)
def test_a_file_that_does_not_parse_is_refused_by_line_and_left_alone(
    place: Place, content: bytes, said: str
) -> None:
    """The report names the file and the line, and so does the list of connections."""
    file = _file(place, "claude")
    file.write_bytes(content)
    report = _connect(place, "claude")
    assert (report.action, report.file) == ("refused", str(file))
    assert said in report.detail
    assert file.read_bytes() == content
    (problem,) = connections(place)
    assert problem == Connection("claude", "Claude Code", file, problem=problem.problem)
    assert said in problem.problem


def test_links_folders_and_read_only_files_are_refused(place: Place) -> None:
    """Each in one line, and nothing is written through a link."""
    file, elsewhere = _file(place, "claude"), place.root.parent / "elsewhere"
    elsewhere.write_text("{}")
    file.symlink_to(elsewhere)
    assert "is a link" in _connect(place, "claude").detail
    assert elsewhere.read_text() == "{}"
    file.unlink()
    file.mkdir()
    assert "is a folder" in _connect(place, "claude").detail
    file.rmdir()
    file.write_text("{}")
    file.chmod(0o444)
    _file(place, "gemini").parent.mkdir()
    report = _connect(place, "claude")
    assert (report.action, "read-only" in report.detail) == ("refused", True)
    assert file.read_text() == "{}"
    with _file(place, "gemini").open("wb") as stream:
        stream.truncate(60_000_000)
    assert "larger than 50 MB" in _connect(place, "gemini").detail
    (place.root / ".cursor").symlink_to(place.root.parent, target_is_directory=True)
    assert "outside the project" in _connect(place, "cursor").detail
    (place.root / ".codex").touch()
    assert "\n" not in (detail := _connect(place, "codex").detail)
    assert "cannot be" in detail


def test_a_file_that_changes_between_planning_and_writing_is_not_overwritten(place: Place) -> None:
    """The change is given up with a word about it, and is not remembered as done."""
    (client,) = find(["gemini"])
    file = _present(place, client, user=False)
    keeper = memory.of_project(place.root)

    def connecting(known: memory.Memory) -> Iterator[applying.Change]:
        yield planning.connect(client, place, LAUNCH, known, user=False, force=False)
        file.write_text('{"new": 1}')

    (change,) = applying.carried_out(connecting, keeper)
    assert (change.action, file.read_text()) == ("refused", '{"new": 1}')
    assert keeper.load().files == {}
    file.unlink()
    _connect(place, "gemini")

    def disconnecting(known: memory.Memory) -> Iterator[applying.Change]:
        yield from planning.disconnect(client, place, known, force=False)
        file.write_text('{"new": 2}')

    (change,) = applying.carried_out(disconnecting, keeper)
    assert (change.action, file.read_text()) == ("refused", '{"new": 2}')
    assert str(file) in keeper.load().files


def test_undo_touches_nothing_through_a_link_that_leads_out(place: Place) -> None:
    """Neither where a folder of the project became a link after connecting, nor where it does so after planning."""
    outside = place.root.parent / "outside"
    (client,) = find(["cursor"])
    _connect(place, "cursor")
    (place.root / ".cursor").rename(outside)
    (place.root / ".cursor").symlink_to(outside)
    kept = (outside / "mcp.json").read_bytes()
    for force in (False, True):
        (report,) = _undo(place, "cursor", force=force)
        assert (report.action, "outside the project" in report.detail) == ("refused", True)
    (place.root / ".cursor").unlink()
    outside.rename(place.root / ".cursor")
    keeper = memory.of_project(place.root)

    def disconnecting(known: memory.Memory) -> Iterator[applying.Change]:
        yield from planning.disconnect(client, place, known, force=False)
        (place.root / ".cursor").rename(outside)
        (place.root / ".cursor").symlink_to(outside)

    (change,) = applying.carried_out(disconnecting, keeper)
    assert (change.action, "outside the project" in change.detail) == ("refused", True)
    assert (outside / "mcp.json").read_bytes() == kept
    assert len(keeper.load().files) == 1


def test_folders_that_are_not_above_the_file_are_never_deleted(place: Place) -> None:
    """Whatever a repository's memory says."""
    _connect(place, "cursor")
    keeper = memory.of_project(place.root)
    ((file, written),) = keeper.load().files.items()
    (place.home / "empty").mkdir()
    folders = [*written.folders, str(place.home / "empty")]
    keeper.save(memory.Memory(files={file: written.model_copy(update={"folders": folders})}))
    assert [one.action for one in _undo(place, "cursor")] == ["delete"]
    assert (place.home / "empty").exists()
    assert not (place.root / ".cursor").exists()


def test_a_persons_own_folders_may_be_links(place: Place) -> None:
    """Whoever keeps their settings elsewhere is connected there, and disconnected."""
    elsewhere = place.root.parent / "dotfiles"
    elsewhere.mkdir()
    (place.home / ".gemini").symlink_to(elsewhere)
    assert _connect(place, "gemini", user=True).action == "create"
    assert (elsewhere / "settings.json").exists()
    assert [one.action for one in _undo(place, "gemini")] == ["delete"]
    assert list(elsewhere.iterdir()) == []


def test_what_cannot_be_remembered_is_not_written(place: Place) -> None:
    """A damaged memory is named, with what deleting it means."""
    kept = memory.of_project(place.root).file
    kept.write_text("{")
    with pytest.raises(FilesRefused, match="Delete it"):
        memory.of_project(place.root).load()


def test_the_entry_tells_each_client_the_project_in_its_own_way(place: Place) -> None:
    """A variable, the folder that the client starts servers in, or the path where there is nothing better."""
    for name in NAMES:
        _connect(place, name)
    arguments = {one.client: one.args for one in connections(place)}
    assert arguments["cursor"] == arguments["copilot"] == ("serve", "--project", "${workspaceFolder}")
    assert arguments["windsurf"] == ("serve", "--project", str(place.root))
    for name in ("claude", "copilot-cli", "continue", "codex", "gemini", "devin"):
        assert arguments[name] == ("serve",)


def test_a_users_entry_for_one_project_is_not_taken_over_by_another(place: Place) -> None:
    """The second project is told which one is served, and takes over only when forced."""
    _connect(place, "windsurf")
    other = Place(place.root.parent / "second", place.home, {}, "linux")
    other.root.mkdir()
    prepare_state_folder(other.root)
    report = _connect(other, "windsurf")
    assert (report.action, str(place.root) in report.detail) == ("kept", True)
    assert _connect(other, "windsurf", force=True).action == "update"
    assert connections(place)[0].args[-1] == str(other.root)


def test_undo_takes_out_what_init_did_not_write_only_if_forced(place: Place) -> None:
    """In the project's file and in the user's; the message that says how is true, also of another project's entry."""
    _connect(place, "copilot-cli")
    other = Place(place.root.parent / "second", place.home, {}, "linux")
    other.root.mkdir()
    prepare_state_folder(other.root)
    assert _connect(other, "copilot-cli").action == "unchanged"
    (kept,) = _undo(other, "copilot-cli")
    assert (kept.action, "--undo --force" in kept.detail) == ("kept", True)
    assert [one.action for one in _undo(other, "copilot-cli", force=True)] == ["remove"]
    assert connections(other) == []
    for user in (False, True):
        file = _file(place, "continue", user=user)
        file.parent.mkdir(parents=True)
        file.write_text("mcpServers: [{name: vettle, command: mine}]")
    assert [one.action for one in _undo(place, "continue", force=True)] == ["delete", "delete"]
    assert _undo(place, "continue")[0].action == "unchanged"


def test_undo_needs_no_project(place: Place) -> None:
    """Where nobody ran init an entry can be taken out all the same, and no state is made for it."""
    (place.root / ".vettle/.gitignore").unlink()
    (place.root / ".vettle").rmdir()
    file = _file(place, "claude")
    file.write_text('{"mcpServers": {"vettle": {"command": "mine"}, "x": {}}}')
    assert [one.action for one in _undo(place, "claude", force=True)] == ["remove"]
    assert json.loads(file.read_text()) == {"mcpServers": {"x": {}}}
    assert _tree(place) == {"home", "project", "project/.mcp.json"}


def test_what_a_person_added_to_our_own_file_is_not_deleted_with_it(place: Place) -> None:
    """A rule in Continue's file stays: the person is told to take the entry out."""
    _connect(place, "continue")
    file = _file(place, "continue")
    file.write_text(file.read_text() + "rules:\n- name: mine\n  rule: x\n")
    before = file.read_bytes()
    for report in (*_undo(place, "continue"), _connect(place, "continue", launch=("v",))):
        assert (report.action, "holds more than vettle" in report.detail) == ("refused", True)
    assert file.read_bytes() == before


def test_a_project_that_was_moved_can_still_be_undone(place: Place) -> None:
    """What was put into the project's files is remembered by their place in it."""
    _connect(place, "claude")
    _connect(place, "continue")
    moved = Place(place.root.rename(place.root.parent / "moved"), place.home, {}, "linux")
    assert _connect(moved, "claude").action == "unchanged"
    assert [one.action for name in ("claude", "continue") for one in _undo(moved, name)] == ["delete"] * 2
    assert [path.name for path in moved.root.iterdir()] == [".vettle"]


@pytest.mark.parametrize("piece", ['"vettle": {"command": "x"}', '"vettle": %s, "other": {}', ""])
def test_a_text_that_says_anything_else_than_what_was_wanted_is_never_written(
    place: Place, monkeypatch: pytest.MonkeyPatch, piece: str
) -> None:
    """Whatever goes wrong in an editor, the file stays: what it would say is read before it is written."""

    def insert(text: str, keys: Keys, name: str, entry: Mapping[str, Any]) -> list[Segment]:
        return [Segment(len(text) - 2, piece.replace("%s", json.dumps(entry)))]

    damaged = dataclasses.replace(FORMATS["json"], insert=insert)
    monkeypatch.setitem(FORMATS, "json", damaged)
    file = _file(place, "claude")
    file.write_text('{"mcpServers": {}}')
    report = _connect(place, "claude")
    assert (report.action, "cannot be edited" in report.detail) == ("refused", True)
    assert file.read_text() == '{"mcpServers": {}}'


def test_clients_are_detected_by_their_folders_and_programs(place: Place) -> None:
    """In the home folder, in the repository, or on the PATH; nothing there means nobody."""
    assert detected(place) == []
    (place.home / ".codex").mkdir()
    (place.root / ".vscode").mkdir()
    program = place.root.parent / "bin/gemini"
    program.parent.mkdir()
    program.touch(mode=0o755)
    with_path = Place(place.root, place.home, {"PATH": str(program.parent)}, "linux")
    assert [client.name for client in detected(with_path)] == ["copilot", "codex", "gemini"]


def test_entries_that_name_no_command_and_environments_are_reported(place: Place) -> None:
    """An entry for a remote server is a problem to name; a project's and a user's entry are both listed."""
    _file(place, "claude").write_text('{"mcpServers": {"vettle": {"url": "https://example.org"}}}')
    user = _file(place, "claude", user=True)
    user.write_text('{"mcpServers": {"vettle": {"command": "v", "args": ["serve"], "env": {"A": "b"}}}}')
    first, second = connections(place)
    assert "no command" in first.problem
    assert (second.file, second.command, second.args, second.env) == (user, "v", ("serve",), {"A": "b"})


@pytest.mark.skipif(os.name == "nt", reason="a path that is no Unicode exists on POSIX only")
def test_a_command_that_no_configuration_can_hold_is_refused(place: Place) -> None:
    """A path with bytes that are no Unicode is said to be that, and nothing is written."""
    report = _connect(place, "claude", launch=("/opt/\udcff/vettle",))
    assert (report.action, "Unicode" in report.detail) == ("refused", True)
    assert not _file(place, "claude").exists()


def test_entries_that_people_added_by_other_means_are_found(place: Place) -> None:
    """What `claude mcp add` writes for one project, and the list in Continue's main file; of other projects, nothing."""
    local = {str(place.root): {"mcpServers": {"vettle": {"command": "a", "args": []}}}}
    other = {"/another": {"mcpServers": {"vettle": {"command": "b", "args": []}}}}
    (place.home / ".claude.json").write_text(json.dumps({"projects": {**local, **other}}))
    (place.home / ".continue").mkdir()
    servers = [{"name": "vettle", "command": "c"}, {"name": "other", "command": "d"}]
    (place.home / ".continue/config.yaml").write_text(yaml.safe_dump({"mcpServers": servers}))
    assert [(one.client, one.command) for one in connections(place)] == [("claude", "a"), ("continue", "c")]
    (place.home / ".claude.json").write_text("{")
    assert [bool(one.problem) for one in connections(place)] == [True, False]
