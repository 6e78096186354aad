"""A damaged database is refused by name, never emptied, and `vettle db check` finds it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.conftest import ManualClock
from tests.faults.support import command, count, work

from vettle.engine import mistakes, reports, sessions
from vettle.engine.errors import FilesRefused, StoreDamaged
from vettle.engine.project import Project
from vettle.engine.store.sqlite.files import is_in_use
from vettle.engine.upkeep.checking import check
from vettle.engine.upkeep.copies import restore
from vettle.engine.upkeep.pruning import prune
from vettle.server.cli import cli


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def _scribble(path: Path) -> None:
    path.write_bytes(b"this is no database at all, but notes" * 300)


def _zero_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    # All but the first page, with which SQLite would know nothing of the tables.
    for page in range(2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 100] = bytes(100)
    path.write_bytes(data)


def _foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs(x)")
    connection.commit()
    connection.close()


def _newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET value='999' WHERE key='schema'")
    connection.commit()
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _without_a_table(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE session")
    connection.execute("DROP TABLE stat")
    connection.execute("DROP TABLE event")
    connection.commit()
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _sound(root: Path) -> Path:
    """Make a project with some history, closed, all of it in one file; return that."""
    project = Project(root)
    work(project, 20)
    project.close()
    assert not is_in_use(project.database)
    return project.database


@pytest.mark.parametrize("damage", [_empty, _truncate, _scribble, _foreign, _newer, _without_a_table])
def test_a_damaged_database_is_refused_and_left_as_it_is(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Whatever is called, the file keeps its bytes; each refusal names it, and so does the check."""
    path = _sound(tmp_path)
    damage(path)
    before = path.read_bytes()
    project = Project(tmp_path)
    calls: list[Callable[[], object]] = [
        lambda: sessions.start(project, task="x"),
        lambda: mistakes.log(project, error_class="a", description="b"),
        lambda: reports.status(project),
    ]
    for call in calls:
        with pytest.raises(StoreDamaged, match="vettle"):
            call()
    project.close()
    [finding] = check(Project(tmp_path)).findings
    assert (finding.area, "restore" in finding.remedy) == ("database", True)
    assert str(path) in finding.problem
    assert path.read_bytes() == before


def test_damaged_pages_are_found(tmp_path: Path) -> None:
    """Pages that were overwritten are reported by the check, which exits with 1 and changes nothing."""
    path = _sound(tmp_path)
    _zero_pages(path)
    before = path.read_bytes()
    said = command(tmp_path, "db", "check", code=1)
    assert "database: " in said and "vettle db restore" in said
    assert path.read_bytes() == before


def test_an_aggregate_that_differs_is_found_and_counted_again(tmp_path: Path) -> None:
    """The check names the table; with --rebuild it counts again and finds nothing more."""
    path = _sound(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE stat SET n=n+1 WHERE family='reward'")
    connection.commit()
    connection.close()
    project = Project(tmp_path)
    assert [finding.area for finding in check(project).findings] == ["aggregates"]
    assert check(project, rebuild=True).findings == []
    assert check(project).findings == []


def test_an_event_that_contradicts_the_log_is_found(tmp_path: Path) -> None:
    """An event that cannot be folded is a finding and no internal error."""
    path = _sound(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM event WHERE kind='session_started'")
    connection.commit()
    connection.close()
    for rebuild in (False, True):
        [finding] = check(Project(tmp_path), rebuild=rebuild).findings
        assert (finding.area, "contradicts" in finding.problem) == ("log", True)


def test_kept_tables_that_cannot_be_read_are_found(tmp_path: Path, clock: ManualClock) -> None:
    """What pruning kept is looked at too: damage in it is a finding and no internal error."""
    project = Project(tmp_path, clock=clock)
    work(project)
    clock.forward(days=60)
    work(project)
    assert prune(project, keep_days=30).removed
    with project.write() as transaction:
        transaction.execute("UPDATE baseline SET rows=?", (b"no such thing",))
    for rebuild in (False, True):
        [finding] = check(project, rebuild=rebuild).findings
        assert finding.area == "log"
    project.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted as Linux tells them")
def test_a_server_that_is_refused_again_and_again_keeps_no_descriptors(tmp_path: Path) -> None:
    """An agent that retries on a damaged database does not use up what its process may open."""
    _scribble(_sound(tmp_path))
    project = Project(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(StoreDamaged):
            mistakes.log(project, error_class="a", description="b")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("name", ["vettle.db-wal", "vettle.db"])
@pytest.mark.parametrize("replaced", [False, True])
def test_files_that_vanish_while_open_are_noticed_and_nothing_is_lost(
    tmp_path: Path, name: str, replaced: bool
) -> None:
    """The next write is refused, and all that was acknowledged is put aside in a file that can be restored."""
    project = Project(tmp_path)
    work(project)
    known = count(project)
    lost = tmp_path / ".vettle" / name
    content = lost.read_bytes()
    lost.unlink()
    if replaced:
        lost.write_bytes(content)
    with pytest.raises(
        StoreDamaged, match="was deleted or replaced while this process had it open"
    ) as refused:
        mistakes.log(project, error_class="a", description="b")
    with pytest.raises(StoreDamaged):
        mistakes.log(project, error_class="a", description="c")
    [rescued] = (tmp_path / ".vettle").glob("vettle.db.rescued-*")
    assert str(rescued) in str(refused.value)
    project.close()
    again = Project(tmp_path)
    restore(again, rescued, replace=True)
    assert count(again) == known
    assert check(again).findings == []
    mistakes.log(again, error_class="a", description="b")
    again.close()


def test_a_damaged_lock_file_is_found_and_no_file_is_written(tmp_path: Path) -> None:
    """The check says what to do; rendering refuses and leaves the lock file as it is; recording goes on."""
    _sound(tmp_path)
    lock = tmp_path / ".vettle" / "lock.json"
    for content in (b"", b"{", b"[]", b'{"version": 9}', b"\xff\x00", b'{"files": {"../x": {}}}'):
        lock.write_bytes(content)
        checked = CliRunner().invoke(cli, ["--project", str(tmp_path), "db", "check"])
        assert checked.exit_code == 1
        assert "rule files: .vettle/lock.json: damaged" in checked.output
        assert "version control" in checked.output
        rendered = CliRunner().invoke(cli, ["--project", str(tmp_path), "render", "--write"])
        assert isinstance(rendered.exception, FilesRefused)
        assert lock.read_bytes() == content
    project = Project(tmp_path)
    work(project, 1)
    project.close()


def test_a_database_that_is_gone_is_not_made_anew_beside_its_log(tmp_path: Path) -> None:
    """A log without its database is refused by name: what it holds belongs to the one that is gone."""
    project = Project(tmp_path)
    work(project)
    project.close()
    log = tmp_path / ".vettle" / "vettle.db-wal"
    before = log.read_bytes()
    assert before
    project.database.rename(tmp_path / "moved.db")
    for _ in range(2):
        with pytest.raises(StoreDamaged, match="the database is gone"):
            mistakes.log(Project(tmp_path), error_class="a", description="b")
    assert log.read_bytes() == before
    [finding] = check(Project(tmp_path)).findings
    assert (finding.area, "the database is gone" in finding.problem) == ("database", True)
    (tmp_path / "moved.db").rename(project.database)
    again = Project(tmp_path)
    assert check(again).findings == [] and count(again) > 0
    again.close()
