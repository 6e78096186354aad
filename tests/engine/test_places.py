"""A path means the same file however Windows, macOS and Linux spell it; told on any of them."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vettle.engine import files
from vettle.engine.errors import InvalidArgument
from vettle.engine.paths import matches
from vettle.engine.places import inside, unusable
from vettle.engine.project import Project

WINDOWS = PureWindowsPath("C:\\repo")
SHARE = PureWindowsPath("\\\\server\\share\\repo")
POSIX = PurePosixPath("/home/me/repo")
WSL = PurePosixPath("/mnt/c/repo")


@pytest.mark.parametrize(
    "spelled",
    [
        "src\\a.py",
        "src/a.py",
        ".\\src\\.\\a.py",
        "src\\deep\\..\\a.py",
        "src\\\\a.py",
        "C:\\repo\\src\\a.py",
        "C:/repo/src/a.py",
        "c:\\REPO\\src\\a.py",
        "\\\\?\\C:\\repo\\src\\a.py",
        "//?/C:/repo/src/a.py",
        "/c/repo/src/a.py",
        "C:\\repo\\src\\a.py.",
        "src.\\a.py ",
        "\\\\?\\C:\\repo\\" + "x" * 300 + "\\..\\src\\a.py",
    ],
)
def test_every_spelling_of_a_file_on_windows_is_that_file(spelled: str) -> None:
    """Drive letters, slashes, case of the root, long-path prefixes, Git Bash, trailing dots: one name inside."""
    assert inside(WINDOWS, spelled) == "src/a.py"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "D:\\repo\\src\\a.py",
        "C:\\repository\\a.py",
        "C:src\\a.py",
        "\\repo\\..\\a.py",
        "..\\a.py",
        "src\\..\\..\\a.py",
        "\\\\server\\share\\a.py",
        "\\\\?\\UNC\\server\\share\\a.py",
        "/d/repo/src/a.py",
        "\\\\.\\pipe\\name",
    ],
)
def test_what_lies_outside_on_windows_is_outside(elsewhere: str) -> None:
    """Other drives, shares, siblings with a longer name, and what only a current drive would give a meaning."""
    assert inside(WINDOWS, elsewhere) is None


def test_a_project_on_a_share_knows_its_own_files() -> None:
    """UNC paths are compared as Windows compares them, with and without the prefix for long ones."""
    for spelled in ("\\\\SERVER\\share\\repo\\a.py", "//server/share/repo/a.py", "a.py"):
        assert inside(SHARE, spelled) == "a.py"
    assert inside(SHARE, "\\\\?\\UNC\\server\\share\\repo\\a.py") == "a.py"
    assert inside(SHARE, "\\\\server\\other\\repo\\a.py") is None


def test_agents_on_windows_reach_a_server_elsewhere() -> None:
    """Backslashes mean folders; a drive means something only where it is mounted."""
    assert inside(POSIX, "src\\a.py") == "src/a.py"
    assert inside(POSIX, "/home/me/repo/src/a.py") == "src/a.py"
    assert inside(POSIX, "C:\\repo\\src\\a.py") is None
    assert inside(WSL, "C:\\repo\\src\\a.py") == "src/a.py"
    assert inside(WSL, "D:\\repo\\src\\a.py") is None
    assert inside(POSIX, "/home/me/REPO/a.py") is None
    assert inside(POSIX, "../repo/a.py") is None


@given(
    parts=st.lists(
        st.text("abcXYZ0123_-é", min_size=1, max_size=8).filter(
            lambda part: not unusable(PureWindowsPath(part))
        ),
        min_size=1,
        max_size=6,
    )
)
def test_absolute_and_relative_agree(parts: list[str]) -> None:
    """For any folders and names, a path and the root joined with it mean the same."""
    for root in (WINDOWS, SHARE, POSIX, WSL):
        path = root.joinpath(*parts)
        assert inside(root, str(path)) == inside(root, "\\".join(parts)) == "/".join(parts)


@pytest.mark.parametrize(
    "name", ["CON", "nul.txt", "docs\\aux", "com1.md", "a.", "b ", "docs\\x:y", "a?b", "LPT\u00b9"]
)
def test_names_that_windows_cannot_hold_are_named(name: str) -> None:
    """Devices, trailing dots and forbidden characters are told on Windows, and are ordinary names elsewhere."""
    assert "Windows" in unusable(PureWindowsPath(name))
    assert unusable(PurePosixPath(name)) == ""


@pytest.mark.parametrize(
    "name", ["console.md", "C:\\repo\\a.md", ".vettle\\x.md", "nullable.py", "\\\\s\\t\\a"]
)
def test_ordinary_names_are_fine_on_windows(name: str) -> None:
    """Names that only begin like a device, drives and hidden folders are nothing special."""
    assert unusable(PureWindowsPath(name)) == ""


def test_names_in_pieces_and_whole_match_the_same_globs() -> None:
    """MacOS hands out decomposed names (NFD), and people type composed ones (NFC)."""
    whole, pieces = "docs/caf\u00e9/*.md", unicodedata.normalize("NFD", "docs/caf\u00e9/a.md")
    assert matches(whole, pieces)
    assert matches(unicodedata.normalize("NFD", whole), "docs/caf\u00e9/a.md")
    assert not matches(whole, "docs/cafe/a.md")


def test_a_path_with_backslashes_is_the_same_file_to_a_project(project: Project) -> None:
    """Both spellings give one name, so that one file's mistakes are counted together; a foreign drive is refused."""
    assert project.relative("file", "src\\a.py") == project.relative(
        "file", str(project.root / "src" / "a.py")
    )
    with pytest.raises(InvalidArgument, match="outside the project"):
        project.relative("file", "C:\\repo\\src\\a.py")
    assert files.write(project, "path", "docs\\a.md", "text") == "docs/a.md"
    assert (project.root / "docs" / "a.md").read_text() == "text"
