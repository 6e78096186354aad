"""What became of a session's change, in real repositories."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.server.git import repositories
from tests.server.git.repositories import Repository

from vettle.engine.errors import GitUnavailable, InvalidArgument
from vettle.server.git import survival


def _work(repository: Repository) -> None:
    """Let an agent add a file of ten lines, and ten lines to another."""
    assert repository.begin()
    repository.write("new.py", *(f"new = {number}" for number in range(10)))
    repository.write("a.py", *(f"a = {number}" for number in range(30)))
    assert repository.finish()


def _distance(repository: Repository, commit: str = "") -> float:
    verdict = repository.judged(commit)
    assert verdict.outcome is not None, verdict.reason
    return verdict.revision_distance


def test_what_is_committed_untouched_is_accepted(repository: Repository) -> None:
    """Distance 0, and the same commit is the same reference."""
    _work(repository)
    commit = repository.commit()
    verdict = repository.judged()
    assert (verdict.outcome, verdict.revision_distance) == ("accepted", 0)
    assert "20 of 20 changed lines survived" in verdict.reason
    assert commit in verdict.reference
    assert repository.judged() == verdict


def test_a_partial_revert_is_a_revision(repository: Repository) -> None:
    """Half of the change taken back before the commit is distance 0.5."""
    _work(repository)
    repository.git("checkout", "--quiet", "a.py")
    repository.commit()
    verdict = repository.judged()
    assert (verdict.outcome, verdict.revision_distance) == ("revision", 0.5)


def test_what_a_person_amended_is_revised(repository: Repository) -> None:
    """An agent's own commit, amended by a person: the lines that stayed survived."""
    repository.begin()
    repository.write("new.py", *(f"new = {number}" for number in range(10)))
    repository.commit()
    repository.finish()
    repository.write("new.py", *(f"new = {number if number else 'zero'}" for number in range(10)))
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--amend", "--message", "mended")
    assert _distance(repository) == 0.1


def test_a_squash_counts_like_the_commits_it_is_made_of(repository: Repository) -> None:
    """Commits of a branch, squashed onto a main branch that went on, survived."""
    repository.git("checkout", "--quiet", "-b", "work")
    repository.begin()
    for name in ("one.py", "two.py"):
        repository.write(name, name, "x = 1")
        repository.commit()
    repository.finish()
    repository.git("checkout", "--quiet", "main")
    repository.write("b.py", "others = 1")
    repository.commit()
    repository.git("merge", "--quiet", "--squash", "work")
    repository.commit()
    assert _distance(repository) == 0


def test_what_was_thrown_away_is_rejected(repository: Repository) -> None:
    """Nothing of it in a later commit: rejected."""
    _work(repository)
    repository.git("checkout", "--quiet", ".")
    (repository.root / "new.py").unlink()
    repository.write("b.py", "something else")
    repository.commit()
    assert repository.judged().outcome == "rejected"


@pytest.mark.parametrize("name", ["a.py", "new.py"])
def test_a_file_that_was_moved_still_counts(repository: Repository, name: str) -> None:
    """A file that a person moved, and mended a little, is followed, whether it is new or not."""
    _work(repository)
    (repository.root / "package").mkdir()
    (repository.root / name).rename(repository.root / "package" / f"moved_{name}")
    repository.commit()
    assert _distance(repository) == 0


def test_a_move_by_the_agent_counts_only_what_it_changed(repository: Repository) -> None:
    """Of a renamed file of twenty lines with one more, one line was changed, even if the name is taken back."""
    repository.begin()
    (repository.root / "a.py").unlink()
    repository.write("b.py", *(f"a = {number}" for number in range(20)), "more = 1")
    repository.finish()
    repository.commit()
    assert "1 of 1 changed lines" in repository.judged().reason
    (repository.root / "b.py").rename(repository.root / "a.py")
    repository.commit()
    assert _distance(repository) == 0


def test_a_reformat_is_no_revision(repository: Repository) -> None:
    """Whitespace, blank lines and line endings that a formatter changed leave the lines what they are."""
    _work(repository)
    repository.write("new.py", *(f"  new  =  {number}\r\n" for number in range(10)))
    repository.commit()
    assert _distance(repository) == 0


@pytest.mark.parametrize("change", ["nothing", "whitespace", "mode"])
def test_without_a_change_there_is_no_verdict(repository: Repository, change: str) -> None:
    """No change, or one of whitespace or of a file's mode only, rewards nobody."""
    repository.begin()
    if change == "whitespace":
        repository.write("a.py", *(f"\ta = {number}" for number in range(20)))
    if change == "mode":
        (repository.root / "a.py").chmod(0o755)
    repository.finish()
    repository.commit()
    verdict = repository.judged()
    assert verdict.outcome is None
    assert "nothing that counts was changed" in verdict.reason


def test_before_the_commit_it_is_too_early(repository: Repository) -> None:
    """While the change stands in the working tree, or a part of it, only a named commit is judged."""
    _work(repository)
    assert "too early" in repository.judged().reason
    repository.git("add", "a.py")
    repository.git("commit", "--quiet", "--message", "half")
    verdict = repository.judged()
    assert verdict.outcome is None
    assert "10 of 20 changed lines are in the working tree" in verdict.reason
    assert _distance(repository, "HEAD") == 0.5
    repository.commit()
    assert _distance(repository) == 0


@pytest.mark.parametrize("committed", [True, False])
def test_what_waits_on_another_branch_is_not_rejected(repository: Repository, committed: bool) -> None:
    """Back on a main branch that went on, the work of a branch under review is too early, and it says where it is."""
    if committed:
        repository.git("checkout", "--quiet", "-b", "work")
    _work(repository)
    if not committed:
        repository.git("checkout", "--quiet", "-b", "work")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("b.py", "others = 1")
    repository.commit()
    verdict = repository.judged()
    assert verdict.outcome is None
    assert "on work and not in HEAD" in verdict.reason
    assert repository.judged("HEAD").outcome == "rejected"
    repository.git("branch", "--quiet", "-D", "work")
    assert repository.judged().outcome == "rejected"


def test_a_branch_whose_name_is_hostile_is_named_harmlessly(repository: Repository) -> None:
    """The message is one line of visible characters."""
    _work(repository)
    repository.git("checkout", "--quiet", "-b", "work\u202e\u2028")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("b.py", "others = 1")
    repository.commit()
    assert repository.judged().reason.isprintable()


def test_what_is_put_aside_is_too_early_too(repository: Repository) -> None:
    """Without a new commit nothing is rejected: the change may be in a stash or on another branch."""
    _work(repository)
    repository.git("stash", "--quiet", "--include-untracked")
    assert "nothing was committed" in repository.judged().reason
    assert repository.judged("HEAD").outcome == "rejected"


def test_what_was_there_before_is_not_the_agents(repository: Repository) -> None:
    """Changes that a person had not committed when the session began do not count."""
    repository.write("mine.py", "mine = 1", "mine = 2")
    repository.write("a.py", "all = new")
    repository.begin()
    repository.write("mine.py", "mine = 1", "mine = 2", "its = 3")
    repository.finish()
    repository.commit()
    assert "1 of 1 changed lines" in repository.judged().reason


def test_a_repository_without_a_commit_can_begin(tmp_path: Path) -> None:
    """The first session of a new repository is judged by its first commit."""
    repository = repositories.made(tmp_path / "empty")
    _work(repository)
    assert "there is no commit yet" in repository.judged().reason
    repository.commit()
    assert _distance(repository) == 0


def test_a_project_in_a_folder_of_a_repository(tmp_path: Path) -> None:
    """Only what is below the project's root counts."""
    repository = repositories.made(tmp_path / "mono", inside="packages/tool")
    (repository.root / "other.py").write_text("other\n")
    repository.write("a.py", "a = 0")
    repository.commit()
    repository.begin()
    (repository.root / "other.py").write_text("changed\n")
    repository.write("a.py", "a = 0", "a = 1")
    repository.finish()
    repository.commit()
    assert "1 of 1 changed lines" in repository.judged().reason


def test_a_worktree_is_a_repository_of_its_own(repository: Repository, tmp_path: Path) -> None:
    """A session in a linked worktree is judged there."""
    repository.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    linked = Repository(tmp_path / "linked", tmp_path / "linked")
    _work(linked)
    linked.commit()
    assert _distance(linked) == 0


def test_binary_files_large_ones_and_links_are_compared_as_a_whole(repository: Repository) -> None:
    """Each counts as one line, and is read neither beyond the project nor into the snapshot."""
    repository.begin()
    (repository.root / "image.png").write_bytes(b"\0\1\2")
    (repository.root / "large.txt").write_bytes(b"large\n" * 300_000)
    (repository.root / "link").symlink_to("/etc/hostname")
    repository.finish()
    repository.commit()
    assert "3 of 3 changed lines" in repository.judged().reason
    (repository.root / "image.png").write_bytes(b"\0\1\2\3")
    repository.commit()
    assert "2 of 3 changed lines" in repository.judged().reason


def test_file_names_of_every_kind(repository: Repository) -> None:
    """Spaces, quotes, line breaks, other scripts and leading hyphens are names like any other."""
    names = ["with space.py", 'quo"te.py', "line\nbreak.py", "ä 文.py", "-c.py", "tab\t.py", ":(top)x.py"]
    repository.begin()
    for name in names:
        repository.write(name, f"x = {name!r}")
    repository.finish()
    repository.commit()
    assert f"{len(names)} of {len(names)} changed lines" in repository.judged().reason


def test_submodules_and_nested_repositories_are_left_out(repository: Repository, tmp_path: Path) -> None:
    """Another repository inside this one is not this project's work."""
    other = repositories.made(tmp_path / "other")
    other.write("inner.py", "inner = 1")
    other.commit()
    repository.begin()
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "sub")
    repositories.made(repository.root / "nested").write("x.py", "x = 1")
    repository.write("mine.py", "mine = 1")
    repository.finish()
    (repository.root / "sub" / "inner.py").write_text("changed\n")
    repository.git("add", "mine.py", ".gitmodules")
    repository.git("commit", "--quiet", "--message", "work")
    assert _distance(repository) == 0
    assert "of 4 changed lines" in repository.judged().reason


def test_line_endings_that_git_converts(repository: Repository) -> None:
    """With core.autocrlf the working tree has CRLF and the commit LF: the same lines."""
    repository.git("config", "core.autocrlf", "true")
    _work(repository)
    repository.write("new.py", *(f"new = {number}\r" for number in range(10)))
    repository.commit()
    assert _distance(repository) == 0


def test_files_that_git_stores_in_another_form_are_left_out(repository: Repository) -> None:
    """What a filter such as LFS makes of a file cannot be compared with the file, so it does not count."""
    repository.write(".gitattributes", "*.bin filter=lfs")
    repository.commit()
    repository.begin()
    repository.write("large.bin", "content")
    repository.write("b.py", "b = 1")
    repository.finish()
    repository.commit()
    assert "1 of 1 changed lines" in repository.judged().reason


def test_a_commit_that_is_gone_is_said(repository: Repository) -> None:
    """A session whose commits were collected as garbage cannot be judged, and the message names the way out."""
    repository.begin()
    repository.write("b.py", "b = 1")
    repository.commit()
    repository.finish()
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    with pytest.raises(GitUnavailable, match="has no commit"):
        repository.judged("HEAD")


@pytest.mark.parametrize("revision", ["--output=x", "-", "a\nb", "\x1b[0m", "nowhere", "HEAD:a.py"])
def test_what_is_no_revision_is_refused(repository: Repository, revision: str) -> None:
    """Options, control characters and names of nothing never reach a command that could act on them."""
    _work(repository)
    repository.commit()
    with pytest.raises((InvalidArgument, GitUnavailable)):
        repository.judged(revision)
    assert not (repository.root / "x").exists()


def test_without_a_snapshot_it_says_where_one_is(repository: Repository) -> None:
    """Neither a missing snapshot nor one without an end is an error: there is no verdict, and a way out."""
    assert "no snapshot of session" in repository.judged().reason
    repository.begin()
    assert "no snapshot of the end" in repository.judged().reason


def test_a_branch_and_what_was_merged_of_it(repository: Repository) -> None:
    """For CI: a merge, a squash and a mended squash of a branch, without any snapshot."""
    repository.git("checkout", "--quiet", "-b", "agent")
    repository.write("new.py", *(f"new = {number}" for number in range(10)))
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("b.py", "others = 1")
    repository.commit()

    def distance(*base: str) -> float:
        return survival.of_commits(repository.root, "agent", "HEAD", *base).revision_distance

    repository.git("merge", "--quiet", "--no-ff", "--message", "merge", "agent")
    assert distance() == 0
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    repository.git("merge", "--quiet", "--squash", "agent")
    repository.write("new.py", *(f"new = {number}" for number in range(5)))
    repository.commit()
    assert distance() == 0.5
    assert distance("HEAD~1") == 0.5


def test_where_a_branch_began_may_have_to_be_named(repository: Repository) -> None:
    """After a fast-forward nothing says where the branch began."""
    repository.git("checkout", "--quiet", "-b", "agent")
    repository.write("new.py", "new = 1")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--ff-only", "agent")
    for base in ("", "main"):
        with pytest.raises(GitUnavailable, match="--base REV"):
            survival.of_commits(repository.root, "agent", "main", base)
    assert survival.of_commits(repository.root, "agent", "main", "main~1").outcome == "accepted"


def test_a_shallow_clone_says_what_it_lacks(repository: Repository, tmp_path: Path) -> None:
    """The message has the command that gets the history."""
    repository.write("b.py", "b = 1")
    repository.commit()
    repository.git("clone", "--quiet", "--depth", "1", repository.root.as_uri(), str(tmp_path / "shallow"))
    for base in ("", "HEAD~1"):
        with pytest.raises(GitUnavailable, match="git fetch --unshallow"):
            survival.of_commits(tmp_path / "shallow", "HEAD", "HEAD", base)


def test_large_files_are_judged_within_seconds(repository: Repository) -> None:
    """Two files of 50,000 lines, rewritten and then moved."""
    for name in "wx":
        repository.write(f"{name}.txt", *(f"{name}{number}" for number in range(50_000)))
    repository.commit()
    repository.begin()
    for name in "wx":
        repository.write(f"{name}.txt", *(f"{name}{number * 2}" for number in range(50_000)))
    repository.finish()
    for name in "wx":
        (repository.root / f"{name}.txt").rename(repository.root / f"moved-{name}.txt")
    repository.commit()
    began = time.process_time()
    assert _distance(repository) == 0
    assert time.process_time() - began < 5
