"""Backups of what others are writing, checked before they count, and the way back that loses nothing."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.conftest import ManualClock
from tests.faults.support import ROOT, command, count, environment, work
from tests.places import Place
from tests.postgres import fresh_name

from vettle.engine import mistakes, prepared_files
from vettle.engine.errors import Conflict, FilesRefused, SourceDamaged, StoreDamaged, StoreUnavailable
from vettle.engine.exchange import log
from vettle.engine.project import Project
from vettle.engine.store.maintenance import tables
from vettle.engine.upkeep.checking import check
from vettle.engine.upkeep.copies import backup, restore
from vettle.server.cli import cli


def _elsewhere(project: Project, place: Place, clock: ManualClock) -> Project:
    """Return an empty project of the same kind."""
    root = place.root / "elsewhere"
    root.mkdir()
    changed = {"VETTLE_DATABASE_PROJECT": fresh_name()} if project.shared else {}
    return Project(root, clock=clock, environment={**place.environment, **changed})


def _posterior(project: Project) -> bytes:
    with project.read() as transaction:
        return project.learning(transaction).learner.to_bytes()


def test_a_backup_is_restored_elsewhere_as_it_was(place: Place, project: Project, clock: ManualClock) -> None:
    """Events, counts, answers kept for retries and what was learned are all there, in either store."""
    work(project, 5)
    first = mistakes.log(project, error_class="a", description="it broke", client_ref="one")
    saved = backup(project, place.root / "copy")
    assert (saved.events, saved.replies) == (count(project), 1)
    assert saved.format == ("log" if project.shared else "sqlite")
    assert saved.size == (place.root / "copy").stat().st_size > 0
    assert sorted(path.name for path in place.root.iterdir()) == [".vettle", "copy"] or project.shared
    other = _elsewhere(project, place, clock)
    restored = restore(other, place.root / "copy")
    assert (restored.events, restored.replies, restored.kept) == (saved.events, 1, "")
    assert check(other).findings == []
    assert _posterior(other) == _posterior(project)
    again = mistakes.log(other, error_class="a", description="it broke", client_ref="one")
    assert again.model_dump(exclude={"mistake_id"}) == first.model_dump(exclude={"mistake_id"})
    assert count(other) == saved.events
    other.close()


@pytest.mark.skipif(os.name == "nt", reason="modes are of POSIX")
def test_a_backup_may_be_read_by_its_owner_only(place: Place, project: Project) -> None:
    """It holds everything, so nobody else on the machine reads it."""
    work(project, 1)
    backup(project, place.root / "copy")
    assert (place.root / "copy").stat().st_mode & 0o777 == 0o600


def test_no_file_is_ever_overwritten_and_none_is_left_half(place: Place, project: Project) -> None:
    """A name that is taken, a folder that is missing, and a project without anything are refused."""
    with pytest.raises((Conflict, FilesRefused)):
        backup(project, place.root / "missing" / "copy")
    work(project, 1)
    taken = place.root / "taken"
    taken.write_text("mine")
    with pytest.raises(FilesRefused, match="no backup is overwritten"):
        backup(project, taken)
    assert taken.read_text() == "mine"
    with pytest.raises(FilesRefused, match="cannot be written"):
        backup(project, place.root / "missing" / "copy")
    with pytest.raises(FilesRefused, match="folder"):
        backup(project, Path("/"))
    longest = place.root / ("n" * 255)
    assert backup(project, longest).size == longest.stat().st_size


_WRITER = """
import sys
from pathlib import Path
from tests.faults.writers import write
write(Path(sys.argv[1]), sys.argv[2], 1)
"""


def test_a_backup_is_made_while_others_write(tmp_path: Path) -> None:
    """Two agents write all the while: each of three backups is whole, and holds all that was told before it began."""
    project = Project(tmp_path)
    work(project)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), name], stdout=subprocess.PIPE, env=environment()
        )
        for name in ("a", "b")
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            for _ in range(8):
                assert writer.stdout.readline()
        for number in range(3):
            known = count(project)
            saved = backup(project, tmp_path / f"copy {number}")
            assert saved.events >= known
        assert count(project) > known
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    project.close()


def test_a_damaged_database_makes_no_backup(tmp_path: Path) -> None:
    """A copy of damage would be taken for a backup; the refusal leaves no file."""
    project = Project(tmp_path)
    work(project)
    with project.write() as transaction:
        transaction.execute("UPDATE stat SET n=n+1")
    with pytest.raises(StoreDamaged, match=r"vettle\.db: stat"):
        backup(project, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == [".vettle"]
    with project.write() as transaction:
        transaction.execute("DELETE FROM event WHERE kind='session_started'")
    with pytest.raises(StoreDamaged, match="contradicts"):
        backup(project, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == [".vettle"]
    project.close()


def test_a_database_is_only_replaced_when_asked_and_is_kept(tmp_path: Path) -> None:
    """Without --replace nothing happens; with it the old database stands beside the new one, whole."""
    project = Project(tmp_path)
    work(project, 1)
    backup(project, tmp_path / "old")
    work_more = mistakes.log(project, error_class="a", description="later")
    later = count(project)
    assert work_more.mistake_id
    project.close()
    again = Project(tmp_path)
    with pytest.raises(Conflict, match="--replace"):
        restore(again, tmp_path / "old")
    assert count(again) == later
    again.close()
    replaced = restore(Project(tmp_path), tmp_path / "old", replace=True)
    assert replaced.events == later - 1
    assert Path(replaced.kept).name.startswith("vettle.db.replaced-")
    back = restore(Project(tmp_path), Path(replaced.kept), replace=True)
    assert back.events == later
    assert command(tmp_path, "db", "check").startswith(str(project.database))


def test_what_was_prepared_from_another_log_is_discarded(
    place: Place, project: Project, clock: ManualClock
) -> None:
    """A session that was decided from events which are not in the restored log could never be replayed."""
    work(project, 1)
    backup(project, place.root / "copy")
    other = _elsewhere(project, place, clock)
    ahead = prepared_files.folder(other.root) / "1-s-1.json"
    ahead.parent.mkdir(parents=True)
    ahead.write_text("{}")
    restore(other, place.root / "copy")
    assert not ahead.exists()
    other.close()


def test_nothing_of_the_old_database_stays_beside_the_new_one(tmp_path: Path) -> None:
    """A journal without its database, which SQLite would roll back into the restored one, is put aside."""
    project = Project(tmp_path)
    work(project, 1)
    backup(project, tmp_path / "copy")
    project.close()
    for path in project.database.parent.glob("vettle.db*"):
        path.unlink()
    journal = project.database.with_name("vettle.db-journal")
    journal.write_bytes(b"left over")
    kept = Path(restore(Project(tmp_path), tmp_path / "copy").kept)
    assert not journal.exists()
    assert kept.with_name(f"{kept.name}-journal").read_bytes() == b"left over"
    assert check(Project(tmp_path)).findings == []


def test_a_database_that_is_open_is_not_replaced(tmp_path: Path) -> None:
    """An agent that has it open would go on writing into the old one: it is refused, and nothing changes."""
    project = Project(tmp_path)
    work(project, 1)
    backup(project, tmp_path / "copy")
    known = count(project)
    with pytest.raises(StoreUnavailable, match="another process has it open"):
        restore(Project(tmp_path), tmp_path / "copy", replace=True)
    mistakes.log(project, error_class="a", description="b")
    assert count(project) == known + 1
    project.close()
    assert sorted(path.name for path in (tmp_path / ".vettle").iterdir() if "rest" in path.name) == []


def test_a_damaged_backup_changes_nothing(place: Place, project: Project, clock: ManualClock) -> None:
    """Cut short, emptied or no backup at all, it is refused by name before anything is touched."""
    work(project, 10)
    whole = place.root / "copy"
    backup(project, whole)
    data = whole.read_bytes()
    other = _elsewhere(project, place, clock)
    with pytest.raises((StoreDamaged, Conflict), match=r"no such file|no log"):
        restore(other, place.root / "mistyped")
    for name, content in {"short": data[: len(data) // 2], "empty": b"", "text": b"no backup"}.items():
        bad = place.root / name
        bad.write_bytes(content)
        with pytest.raises((StoreDamaged, SourceDamaged, Conflict)):
            restore(other, bad)
    if other.shared:
        assert count(other) == 0
    else:
        assert not other.database.exists()
    other.close()


def test_a_log_is_a_backup_too(tmp_path: Path, clock: ManualClock) -> None:
    """`vettle export log` of any store is restored into a file."""
    project = Project(tmp_path, clock=clock)
    work(project, 3)
    log.save(project, tmp_path / "log.jsonl")
    root = tmp_path / "other"
    root.mkdir()
    other = Project(root, clock=clock)
    assert restore(other, tmp_path / "log.jsonl").events == count(project)
    with project.read() as here, other.read() as there:
        assert tables(here) == tables(there)
    for one in (project, other):
        one.close()


def test_what_a_shared_database_holds_is_never_replaced(tmp_path: Path, postgres: str) -> None:
    """A project with events takes no backup; the message names the way."""
    shared = {"VETTLE_DATABASE_URL": postgres, "VETTLE_DATABASE_PROJECT": fresh_name()}
    project = Place(tmp_path, shared).open()
    work(project, 1)
    backup(project, tmp_path / "copy")
    with pytest.raises(Conflict, match="VETTLE_DATABASE_PROJECT"):
        restore(project, tmp_path / "copy", replace=True)
    project.close()


def test_permissions_that_let_others_in_are_found(tmp_path: Path) -> None:
    """A database that everybody may write is a finding with the command that mends it."""
    project = Project(tmp_path)
    work(project, 1)
    project.close()
    project.database.chmod(0o666)
    [finding] = check(Project(tmp_path)).findings
    assert (finding.area, finding.remedy) == ("permissions", f"Run: chmod o-w {project.database}")
    project.database.chmod(0o600)
    assert check(Project(tmp_path)).findings == []


def test_a_project_without_a_database_is_sound_and_gets_none(tmp_path: Path) -> None:
    """Looking leaves no trace."""
    assert check(Project(tmp_path)).findings == []
    assert list(tmp_path.iterdir()) == []


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    """Each prints one or two lines for people, and its record with --json."""
    project = Project(tmp_path)
    work(project, 1)
    project.close()
    assert "sound, 6 events" in command(tmp_path, "db", "check")
    assert "checked" in command(tmp_path, "db", "backup", str(tmp_path / "copy"))
    assert '"kept":"' in command(tmp_path, "db", "restore", str(tmp_path / "copy"), "--replace", "--json")
    assert "Would remove 0 events" in command(tmp_path, "db", "prune", "--dry-run")
    assert "Removed 0 events" in command(tmp_path, "db", "prune")
    assert "too few" in command(tmp_path, "db", "prune", "--keep-days", "3", code=2)


def test_every_command_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/upkeep.md, from top to bottom, in a project with some history."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    project = Project(root)
    work(project, 1)
    project.close()
    page = (ROOT / "docs" / "upkeep.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in page.split("```sh\n")[1:]]
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    assert len(lines) == 10
    for words in lines:
        if words[1:3] == ["db", "restore"] and "--replace" not in words:
            (root / ".vettle").rename(tmp_path / "lost")
        done = CliRunner().invoke(cli, words[1:])
        assert done.exit_code == 0, (words, done.output, done.exception)
