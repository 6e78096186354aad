"""Snapshots: what is kept of a project's files, and what an untrusted repository cannot do."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from tests.server.git import repositories
from tests.server.git.repositories import SESSION, Repository

from vettle.engine.errors import GitUnavailable
from vettle.server.git import snapshots
from vettle.server.git.repository import Git


def _file(repository: Repository) -> Path:
    return repository.state / "snapshots" / f"{SESSION}.json"


def test_no_line_of_a_file_is_kept(repository: Repository) -> None:
    """Secrets in changed files are not in the snapshot, which is not for others and not for git."""
    repository.write(".env", "PASSWORD=hunter2hunter2")
    repository.write("a.py", "token = 'ghp_0123456789'")
    assert repository.begin()
    text = _file(repository).read_text()
    assert "hunter2" not in text
    assert "ghp_" not in text
    assert set(json.loads(text)["start"]["files"]) == {".env", "a.py"}
    assert repository.git("status", "--porcelain", "--untracked-files=all", "--", ".vettle") == ""
    if os.name == "posix":
        assert stat.S_IMODE(_file(repository).stat().st_mode) == 0o600


def test_what_is_recorded_first_stays(repository: Repository) -> None:
    """A retried start or end does not move the beginning or the end."""
    repository.begin()
    repository.write("b.py", "b = 1")
    assert repository.begin()
    repository.finish()
    before = _file(repository).read_bytes()
    repository.write("b.py", "b = 2")
    assert repository.finish()
    assert _file(repository).read_bytes() == before
    assert json.loads(before)["start"]["files"] == {}


def test_what_the_session_left_alone_is_not_kept(repository: Repository) -> None:
    """Of a working tree full of other work, a finished session keeps only the files that it changed."""
    repository.write("a.py", "mine = 1")
    repository.write("b.py", "mine = 1")
    repository.begin()
    repository.write("b.py", "mine = 1", "its = 2")
    repository.finish()
    kept = json.loads(_file(repository).read_text())
    assert set(kept["start"]["files"]) == set(kept["end"]["files"]) == {"b.py"}


def test_a_touched_file_is_no_changed_file(repository: Repository) -> None:
    """A copied repository, in which git takes every file for changed, is not kept as one that differs everywhere."""
    os.utime(repository.root / "a.py", (1, 1))
    repository.begin()
    assert json.loads(_file(repository).read_text())["start"]["files"] == {}


@pytest.mark.parametrize("where", ["no repository", "no git", "too many files", "a bare path", "home"])
def test_what_cannot_be_recorded_is_false_and_never_an_error(
    repository: Repository, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A session begins and ends all the same."""
    root = repository.root
    if where == "no repository":
        root = tmp_path / "plain"
        root.mkdir()
    if where == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    if where == "too many files":
        for number in range(2_001):
            repository.write(f"many/{number}", number)
    if where == "a bare path":
        root = tmp_path / "nowhere"
    if where == "home":
        repositories.made(home)
        root = home / "project"
        root.mkdir()
    assert not snapshots.begin(root, tmp_path / "state", SESSION)
    assert not snapshots.finish(root, tmp_path / "state", SESSION)
    assert not list((tmp_path / "state").rglob("*.json"))


@pytest.mark.parametrize("session_id", ["", "../x", "a/b", "a.b", "x" * 101, ".", "-"])
def test_a_session_id_is_no_path(repository: Repository, session_id: str) -> None:
    """Nothing is written anywhere else."""
    assert not snapshots.begin(repository.root, repository.state, session_id)
    assert not repository.state.exists()


def test_a_link_leads_nowhere(repository: Repository, tmp_path: Path) -> None:
    """A repository that brings `.vettle/snapshots` as a link does not choose where we write."""
    repository.state.mkdir()
    (repository.state / "snapshots").symlink_to(tmp_path / "home")
    assert not repository.begin()
    assert not list((tmp_path / "home").iterdir())


def test_a_link_instead_of_our_gitignore_is_not_written_through(
    repository: Repository, tmp_path: Path
) -> None:
    """A repository that brings the file as a link does not choose what we make."""
    folder = repository.state / "snapshots"
    folder.mkdir(parents=True)
    (folder / ".gitignore").symlink_to(tmp_path / "made")
    assert repository.begin()
    assert not (tmp_path / "made").exists()
    assert (folder / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"salt": "x"}', '{"version": 2, "salt": "' + "0" * 32 + '"}', "\0"]
)
def test_a_damaged_snapshot_is_refused(repository: Repository, text: str) -> None:
    """What was not written by us is not judged by."""
    repository.begin()
    repository.finish()
    _file(repository).write_text(text)
    assert not repository.finish()
    with pytest.raises(GitUnavailable, match="is damaged"):
        repository.judged()


def test_a_snapshot_cannot_name_an_option(repository: Repository) -> None:
    """A commit in a snapshot is an id and nothing else."""
    repository.begin()
    file = _file(repository)
    kept = json.loads(file.read_text())
    kept["start"]["head"] = "--output=owned"
    file.write_text(json.dumps(kept))
    with pytest.raises(GitUnavailable, match="is damaged"):
        repository.judged()


def test_old_snapshots_make_room(repository: Repository) -> None:
    """The newest 200 are kept."""
    folder = repository.state / "snapshots"
    folder.mkdir(parents=True)
    for number in range(205):
        file = folder / f"s-{number:012x}.json"
        file.write_text("{}")
        os.utime(file, (number, number))
    repository.begin()
    kept = {file.stem for file in folder.glob("*.json")}
    assert len(kept) == 200
    assert SESSION in kept
    assert f"s-{0:012x}" not in kept


def _everything_configured_to_run(repository: Repository, command: str) -> None:
    """Configure every program that git may run for a repository."""
    for name in (
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "merge.evil.driver",
        "pager.diff-index",
        "credential.helper",
    ):
        repository.git("config", name, command)
    repository.git("config", "filter.evil.required", "true")
    hooks = repository.root / ".git" / "hooks"
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout"):
        hook = hooks / name
        hook.write_text(f"#!/bin/sh\n{command}\n")
        hook.chmod(0o755)


def test_nothing_of_the_repository_runs(repository: Repository, tmp_path: Path) -> None:
    """Hooks, filters, text conversions, external diffs and monitors that a repository names are not called."""
    repository.write(".gitattributes", "*.py diff=evil filter=evil merge=evil")
    repository.commit()
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    script.chmod(0o755)
    _everything_configured_to_run(repository, str(script))
    os.utime(repository.root / "a.py", (1, 1))
    assert repository.begin()
    repository.write("a.py", "changed = 1")
    repository.write("b.txt", "b")
    assert repository.finish()
    repository.judged("HEAD")
    repository.judged()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["evil", "e.v-il", "e=vil"])
def test_a_file_that_git_has_to_read_is_not_filtered(
    repository: Repository, tmp_path: Path, name: str
) -> None:
    """Where the index is no newer than a file git compares contents, and would filter the file to do so."""
    repository.write(".gitattributes", f'"*.py" filter={name}')
    repository.commit()
    repository.git("config", "core.trustctime", "false")
    repository.git("config", "core.checkStat", "minimal")
    for file in ("a.py", ".gitattributes"):
        os.utime(repository.root / file, (2_000, 2_000))
    repository.git("update-index", "--refresh", "-q")
    for kind in ("clean", "process"):
        repository.git("config", f"filter.{name}.{kind}", f"touch {tmp_path}/ran; cat")
    repository.git("config", f"filter.{name}.required", "true")
    os.utime(repository.root / ".git" / "index", (1_000, 1_000))
    repository.write("a.py", *(f"b = {number}" for number in range(20)))
    os.utime(repository.root / "a.py", (2_000, 2_000))
    assert repository.begin() == ("=" not in name)
    assert not (tmp_path / "ran").exists()


def test_a_partial_clone_fetches_nothing(repository: Repository, tmp_path: Path) -> None:
    """An object that a clone lacks is not fetched with a program of its configuration, and the message says so."""
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    url = repository.root.as_uri()
    repository.git("clone", "--quiet", "--filter=blob:none", "--no-checkout", url, str(clone))
    partial = Repository(clone, clone)
    partial.git("config", "remote.origin.uploadpack", str(script))
    git = Git(clone)
    [blob] = git.tree(git.head()).values()
    with pytest.raises(GitUnavailable):
        list(git.contents([blob], 1_000))
    assert not (tmp_path / "ran").exists()


def test_gits_environment_is_not_ours(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that git sets for its hooks, or that somebody set, do not lead to another repository."""
    other = repositories.made(tmp_path / "other")
    other.write("theirs.py", "x = 1")
    other.commit()
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert set(Git(repository.root).tree(Git(repository.root).head())) == {"a.py"}


def test_a_program_of_the_project_is_not_git(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository that holds a file called git does not get it run, even if it is on PATH."""
    program = repository.root / "git"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(repository.root), prepend=os.pathsep)
    assert not repository.begin()
    assert not (tmp_path / "ran").exists()


def test_the_index_is_not_written(repository: Repository) -> None:
    """A snapshot leaves the repository as it is, to the byte."""
    os.utime(repository.root / "a.py", (1, 1))
    index = repository.root / ".git" / "index"
    before = index.read_bytes(), index.stat().st_mtime_ns
    repository.begin()
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before
