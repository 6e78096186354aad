"""The root and the lock on Windows and macOS, told on any system: with their path functions, without their files."""

from __future__ import annotations

import ntpath
import os
import posixpath
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from vettle.engine import locating
from vettle.engine.errors import StoreUnavailable
from vettle.engine.locating import locate
from vettle.engine.store.lock import FileLock


def _on(system: ModuleType, existing: set[str], here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the search go by the path functions of a system on which these files and folders exist."""
    known = {system.normcase(one) for one in existing}
    functions = {
        name: getattr(system, name) for name in ("join", "dirname", "normcase", "expanduser", "isabs")
    }
    paths = SimpleNamespace(
        **functions,
        realpath=system.normpath,
        exists=lambda path: system.normcase(path) in known,
        isdir=lambda path: system.normcase(path) in known,
    )
    name = "nt" if system is ntpath else "posix"
    monkeypatch.setattr(locating, "os", SimpleNamespace(path=paths, name=name, getcwd=lambda: here))


@pytest.mark.parametrize(
    ("marked", "here", "root"),
    [
        (r"C:\Users\me\repo\.git", r"C:\Users\me\repo\src\deep", r"C:\Users\me\repo"),
        (r"c:\users\me\REPO\.vettle", "C:/Users/me/repo/src", r"C:\Users\me\repo"),
        (r"D:\repo\.git", "D:\\repo", "D:\\repo"),
        (r"\\server\share\repo\.git", r"\\server\share\repo\src", r"\\server\share\repo"),
    ],
)
def test_the_root_is_found_upwards_on_windows(
    marked: str, here: str, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a drive or a share, with either slash, in any case."""
    _on(ntpath, {marked}, here, monkeypatch)
    assert locate("", {"USERPROFILE": r"C:\Users\me"}, "") == root
    assert locate("", {"USERPROFILE": r"C:\Users\me"}, here) == root


@pytest.mark.parametrize(
    ("marked", "here"),
    [
        (r"C:\Users\me\.git", r"C:\Users\me\code"),
        (r"c:\USERS\Me\.vettle", r"C:\Users\me\code"),
        ("C:\\.git", r"C:\code"),
        ("\\\\server\\share\\.git", r"\\server\share\code"),
    ],
)
def test_neither_the_profile_nor_a_drive_is_a_project(
    marked: str, here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The home of a user in any case, the root of a drive, and a whole share never count."""
    _on(ntpath, {marked}, here, monkeypatch)
    with pytest.raises(LookupError, match=r"no \.vettle/ or \.git"):
        locate("", {"USERPROFILE": r"C:\Users\me", "HOME": "/c/Users/me"}, "")


def test_what_is_named_on_windows_is_taken_as_windows_means_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """VETTLE_PROJECT with forward slashes, as a JSON file has them, is the folder; one that is not there is refused."""
    _on(ntpath, {r"C:\code\repo"}, "C:\\", monkeypatch)
    assert locate("", {"VETTLE_PROJECT": "C:/code/repo/"}, "") == r"C:\code\repo"
    with pytest.raises(LookupError, match="VETTLE_PROJECT names"):
        locate("", {"VETTLE_PROJECT": "E:/code/repo"}, "")


def test_the_home_of_macos_is_no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below /Users the home does not count, and a repository in it does."""
    _on(posixpath, {"/Users/me/.git", "/Users/me/repo/.git"}, "/Users/me/repo/src", monkeypatch)
    assert locate("", {"HOME": "/Users/me"}, "") == "/Users/me/repo"
    with pytest.raises(LookupError):
        locate("", {"HOME": "/Users/me"}, "/Users/me/other")


def test_the_lock_asks_for_nothing_that_windows_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken without flags that only Unix has, and a child does not inherit it all the same."""
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK"):
        monkeypatch.delattr(os, name)
    lock = FileLock(tmp_path / "lock")
    with lock:
        assert lock._descriptor is not None
        assert not os.get_inheritable(lock._descriptor)
        other = FileLock(tmp_path / "lock", timeout=0.0)
        with pytest.raises(StoreUnavailable), other:
            pass
        other.close()
    lock.close()


def test_a_lock_that_is_a_link_makes_no_file_where_it_leads(tmp_path: Path) -> None:
    """A repository that brings its lock as a link is refused, and nothing outside is touched."""
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="lock"), FileLock(tmp_path / "lock"):
        pass
    assert not (tmp_path / "elsewhere").exists()
