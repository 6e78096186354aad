"""Which folder is the project, and what its settings may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from vettle.engine.errors import ConfigurationInvalid, ProjectNotFound
from vettle.engine.locating import hooks_folder, locate
from vettle.engine.project import Project, prepare_state_folder
from vettle.engine.root import find_root
from vettle.engine.settings import Settings, load


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> dict[str, str]:
    """An environment whose home directory is the temporary folder."""
    return {"HOME": str(tmp_path)}


def _folder(path: Path, marker: str = "") -> Path:
    path.mkdir(parents=True)
    if marker:
        (path / marker).mkdir()
    return path


def test_what_is_named_explicitly_comes_first(tmp_path: Path, home: dict[str, str]) -> None:
    """--project, then VETTLE_PROJECT, then CLAUDE_PROJECT_DIR, then the folder we are in."""
    one, two, three = (_folder(tmp_path / name) for name in ("one", "two", "three"))
    here = _folder(tmp_path / "four", ".git")
    named = home | {"VETTLE_PROJECT": str(two), "CLAUDE_PROJECT_DIR": str(three)}
    assert find_root(str(one), named, here) == one
    assert find_root("", named, here) == two
    assert find_root("", home | {"CLAUDE_PROJECT_DIR": str(three)}, here) == three
    assert find_root("", home, here) == here


def test_an_assistant_started_in_a_subfolder_works_on_the_whole_project(
    tmp_path: Path, home: dict[str, str]
) -> None:
    """CLAUDE_PROJECT_DIR is where Claude Code was started: the project is the marked folder at or above it."""
    root = _folder(tmp_path / "repository", ".git")
    deep = _folder(root / "packages" / "one")
    elsewhere = _folder(tmp_path / "elsewhere", ".vettle")
    assert find_root("", home | {"CLAUDE_PROJECT_DIR": str(deep)}, elsewhere) == root
    assert find_root("", home | {"VETTLE_PROJECT": str(deep)}, elsewhere) == deep


def test_our_own_folder_is_preferred_to_git(tmp_path: Path, home: dict[str, str]) -> None:
    """Walking upwards, the nearest .vettle counts before any .git, and .git may be a file."""
    outer = _folder(tmp_path / "outer", ".vettle")
    inner = _folder(outer / "inner")
    (inner / ".git").write_text("gitdir: elsewhere")
    deep = _folder(inner / "a" / "b")
    assert find_root("", home, deep) == outer
    (outer / ".vettle").rmdir()
    assert find_root("", home, deep) == inner


def test_home_and_the_file_system_root_are_no_project(tmp_path: Path, home: dict[str, str]) -> None:
    """A .git in the home directory does not make everything below it one project."""
    (tmp_path / ".git").mkdir()
    below = _folder(tmp_path / "somewhere")
    with pytest.raises(ProjectNotFound, match="--project DIR"):
        find_root("", home, below)


def test_the_profile_of_windows_is_a_home_too(tmp_path: Path, home: dict[str, str]) -> None:
    """A HOME that a shell brought along does not make the real profile a project."""
    profile = _folder(tmp_path / "profile", ".git")
    environment = {"HOME": str(tmp_path / "elsewhere"), "USERPROFILE": str(profile)}
    with pytest.raises(ProjectNotFound):
        find_root("", environment, _folder(profile / "code"))


def test_a_named_folder_must_exist(tmp_path: Path, home: dict[str, str]) -> None:
    """A misspelt folder is an error, never a new folder."""
    with pytest.raises(ProjectNotFound, match="VETTLE_PROJECT"):
        find_root("", home | {"VETTLE_PROJECT": str(tmp_path / "nowhere")}, tmp_path)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("value", ["/a\0b", "x" * 5_000, "a/" * 1_000_000, "\udce9", "~nobody-of-this-name"])
def test_what_no_folder_can_be_called_is_no_project(
    value: str, tmp_path: Path, home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names it: an assistant's event, the command line or the environment."""
    monkeypatch.chdir(tmp_path)
    for where in (("", value), (value, str(tmp_path))):
        with pytest.raises(LookupError):
            locate(where[0], home, where[1])
    for name in ("VETTLE_PROJECT", "CLAUDE_PROJECT_DIR"):
        with pytest.raises(ProjectNotFound, match=name):
            find_root("", home | {name: value}, tmp_path)


def test_a_working_directory_that_is_gone_is_no_project(
    tmp_path: Path, home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch was changed below the agent's feet: that is said, and a folder that is named is found all the same."""
    gone = _folder(tmp_path / "gone")
    root = _folder(tmp_path / "root", ".vettle")
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ProjectNotFound, match="working directory is gone"):
        find_root("", home)
    assert find_root("", home, root / "deleted" / "too") == root
    monkeypatch.chdir(root)


def test_what_hooks_keep_lies_outside_of_the_project_and_apart_from_other_projects(tmp_path: Path) -> None:
    """In the user's own folder, by a name that every file system takes; without a home there is none."""
    roots = ("/a/b", "/a-b", "/a%2fb", "/A/b", "/" + "x" * 400, "C:\\code", "/\udce9", "/\u00e9")
    folders = [Path(hooks_folder(root, {"HOME": str(tmp_path)})) for root in roots]
    assert len(set(folders)) == len(roots)
    assert {folder.parent for folder in folders} == {tmp_path / ".local" / "state" / "vettle" / "hooks"}
    assert all(len(folder.name) <= 150 and not set(folder.name) & set('/\\:*?"<>|. ') for folder in folders)
    named = hooks_folder("/a/b", {"HOME": str(tmp_path), "XDG_STATE_HOME": "/state"})
    assert Path(named).parent == Path("/state/vettle/hooks")
    assert Path(hooks_folder("/a/b", {"HOME": str(tmp_path), "XDG_STATE_HOME": "no"})).is_relative_to(
        tmp_path
    )
    with pytest.raises(FileNotFoundError, match="XDG_STATE_HOME"):
        hooks_folder("/a/b", {"HOME": "relative"})


def test_the_database_is_kept_out_of_git(tmp_path: Path) -> None:
    """The state folder brings its own .gitignore, and leaves one that is there alone."""
    folder = prepare_state_folder(tmp_path)
    assert "vettle.db*" in (folder / ".gitignore").read_text()
    (folder / ".gitignore").write_text("mine\n")
    prepare_state_folder(tmp_path)
    assert (folder / ".gitignore").read_text() == "mine\n"


def test_missing_settings_are_the_defaults(tmp_path: Path) -> None:
    """No file, no change."""
    assert load(tmp_path / "config.toml") == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[score]\nreward_share = 2\n", "score.reward_share"),
        ("[selection]\nholdout = nan\n", "selection.holdout"),
        ("[sessions]\nabandoned_after_hours = 0\n", "sessions.abandoned_after_hours"),
        ('durability = "sometimes"\n', "durability"),
        ("colour = true\n", "colour"),
        ("[score\n", "TOML"),
    ],
)
def test_an_unusable_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    """The error names the file and the key, so that it can be mended at once."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationInvalid, match=named) as error:
        load(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("value", ["facts.db", "host=db.example password=hunter2", " "])
def test_a_database_url_that_is_none_is_refused_and_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A connection string or a path is not taken for the name of a file, and is not repeated: it may be secret."""
    monkeypatch.chdir(tmp_path)
    environment = {"VETTLE_DATABASE_URL": value, "VETTLE_DATABASE_PROJECT": "x"}
    with pytest.raises(ConfigurationInvalid, match=r"VETTLE_DATABASE_URL is no URL\. Set it to") as error:
        Project(tmp_path, environment=environment)
    assert "hunter2" not in str(error.value) and not list(tmp_path.iterdir())
