"""The store: one transaction per call, refusals that lose nothing, many processes on one file."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vettle.engine import mistakes
from vettle.engine.errors import StoreDamaged, StoreUnavailable
from vettle.engine.identifiers import new_uid
from vettle.engine.project import Project
from vettle.engine.store import MEMORY, Store, Transaction, events, open_store
from vettle.engine.store.events import Event
from vettle.engine.store.lock import FileLock
from vettle.engine.store.maintenance import check, rebuild
from vettle.engine.store.moments import Moments, Observation, gathering, observe, stats
from vettle.engine.store.schema import SCHEMA_VERSION


def _log_reward(store: Store, value: float) -> None:
    with store.write() as transaction:
        transaction.append(
            Event(
                kind="reward_logged",
                uid=new_uid(transaction.now),
                subject="accepted",
                choice="manual",
                metrics={"value": value, "weight": 1.0},
                data={"notes": "", "rules_active": [], "counted": False},
            )
        )


def test_an_event_and_its_aggregates_are_stored_together(tmp_path: Path) -> None:
    """After a reward is logged, a new process reads both the event and its moments."""
    store = open_store(tmp_path / "vettle.db")
    _log_reward(store, 0.25)
    _log_reward(store, 0.75)
    store.close()
    reopened = open_store(tmp_path / "vettle.db")
    with reopened.read() as transaction:
        assert [event.metrics["value"] for event in events.every(transaction)] == [0.25, 0.75]
        (stat,) = stats(transaction, "reward")
    assert (stat.moments.n, stat.moments.mean, stat.moments.variance) == (2.0, 0.5, 0.125)
    reopened.close()


def test_a_failing_transaction_stores_nothing(tmp_path: Path) -> None:
    """When a call fails after its event was appended, neither the event nor its aggregates remain."""
    store = open_store(tmp_path / "vettle.db")
    with pytest.raises(RuntimeError), store.write() as transaction:
        transaction.append(
            Event(kind="drift_alarmed", uid=new_uid(transaction.now), metrics={"sessions": 1.0})
        )
        raise RuntimeError
    with store.read() as transaction:
        assert events.count(transaction) == 0
        assert stats(transaction, "total") == []
    store.close()


def test_a_clock_that_goes_backwards_cannot_reorder_history() -> None:
    """Events are never stored before the event that precedes them."""
    now = [1_000_000]
    store = open_store(MEMORY, clock=lambda: now[0])
    _log_reward(store, 1.0)
    now[0] = 5
    _log_reward(store, 1.0)
    with store.read() as transaction:
        times = [event.ts for event in events.every(transaction)]
    assert times == sorted(times)


@given(st.lists(st.floats(0, 1), min_size=1), st.lists(st.floats(0, 1), min_size=1))
def test_merged_moments_are_the_moments_of_the_union(left: list[float], right: list[float]) -> None:
    """Adding two samples' moments gives the moments of both together."""

    def moments(values: list[float]) -> Moments:
        return sum((Moments(1.0, value, 0.0, value, value) for value in values), Moments())

    merged, whole = moments(left) + moments(right), moments(left + right)
    assert merged.n == whole.n
    assert merged.mean == pytest.approx(whole.mean, abs=1e-12)
    assert merged.m2 == pytest.approx(whole.m2, abs=1e-9)
    assert (merged.low, merged.high) == (whole.low, whole.high)


def test_what_is_gathered_is_what_is_added_one_by_one() -> None:
    """Held back, read in between, within another block or after one that failed: the same moments."""
    one_by_one, together = open_store(MEMORY), open_store(MEMORY)
    values = [0.1, 0.7, 1 / 3, 0.9, 0.2]
    for value in values:
        _log_reward(one_by_one, value)

    def reward(transaction: Transaction, value: float) -> None:
        observe(transaction, [Observation("reward", "2026-01-01", "accepted", "manual", value)])

    with together.write() as transaction, gathering(transaction):
        for value in values[:2]:
            reward(transaction, value)
        assert [stat.moments.n for stat in stats(transaction, "reward")] == [2.0]
    with together.write() as transaction, gathering(transaction):
        with gathering(transaction):
            reward(transaction, values[2])
        reward(transaction, values[3])
    with pytest.raises(RuntimeError), together.write() as transaction, gathering(transaction):
        reward(transaction, 99.0)
        raise RuntimeError
    with together.write() as transaction:
        reward(transaction, values[4])
    with one_by_one.read() as expected, together.read() as found:
        [[one], [other]] = (stats(side, "reward") for side in (expected, found))
    assert other.moments.n == len(values)
    assert (one.moments.mean, one.moments.m2) == pytest.approx((other.moments.mean, other.moments.m2))
    assert (one.moments.low, one.moments.high) == (other.moments.low, other.moments.high) == (0.1, 0.9)
    one_by_one.close()
    together.close()


def test_check_finds_an_aggregate_that_was_tampered_with_and_rebuild_mends_it(tmp_path: Path) -> None:
    """A changed aggregate is reported by its table, and a rebuild makes the check pass."""
    store = open_store(tmp_path / "vettle.db")
    _log_reward(store, 0.5)
    assert check(store) == []
    with store.write() as transaction:
        transaction.execute("UPDATE stat SET n=n+1 WHERE family='reward'")
    assert check(store) == ["stat: 2 rows differ from the events"]
    assert rebuild(store) == 1
    assert check(store) == []
    store.close()


# --- refusals ------------------------------------------------------------------------------------


def test_an_emptied_database_is_refused_and_kept(tmp_path: Path) -> None:
    """A file of no bytes is not taken for a new database."""
    path = tmp_path / "vettle.db"
    path.touch()
    with pytest.raises(StoreDamaged, match="0 bytes"):
        open_store(path)
    assert path.stat().st_size == 0


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    """Text where the database should be is left alone."""
    path = tmp_path / "vettle.db"
    path.write_bytes(b"not a database, and longer than a header of one hundred bytes" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match="damaged"):
        open_store(path)
    assert path.read_bytes() == before


def test_a_truncated_database_is_refused(tmp_path: Path) -> None:
    """A database cut short is reported, not used."""
    path = tmp_path / "vettle.db"
    store = open_store(path)
    for _ in range(200):
        _log_reward(store, 0.5)
    with store.write() as transaction:
        transaction.execute("SELECT 1")
    store.close()
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(StoreDamaged):
        check(open_store(path))


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """A SQLite file with foreign tables is told from ours and not touched."""
    path = tmp_path / "vettle.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE theirs(x)")
    connection.close()
    with pytest.raises(StoreDamaged, match="not made by vettle"):
        open_store(path)


def test_an_older_database_is_brought_up_to_date_and_counted_again(tmp_path: Path) -> None:
    """What is counted now is counted of old events too, so that aggregates equal a recount after an upgrade."""
    project = Project(tmp_path)
    mistakes.log(project, error_class="import", description="NameError", severity="blocker")
    project.close()
    store = open_store(tmp_path / ".vettle" / "vettle.db")
    with store.write() as transaction:
        transaction.execute("DROP INDEX ix_event_order")
        transaction.execute("DELETE FROM stat WHERE family='severity'")
        transaction.execute("UPDATE meta SET value='2' WHERE key='schema'")
    store.close()
    store = open_store(tmp_path / ".vettle" / "vettle.db")
    assert check(store) == []
    with store.read() as transaction:
        assert [stat.b for stat in stats(transaction, "severity")] == ["blocker"]
    store.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A database written by a later version is left as it is, with the advice to upgrade."""
    path = tmp_path / "vettle.db"
    store = open_store(path)
    with store.write() as transaction:
        transaction.execute("UPDATE meta SET value=? WHERE key='schema'", (str(SCHEMA_VERSION + 1),))
    store.close()
    with pytest.raises(StoreDamaged, match="Upgrade vettle"):
        open_store(path)


def test_a_locked_database_is_reported_after_a_bounded_wait(tmp_path: Path) -> None:
    """When another process holds the writer lock, a write gives up in time and records nothing."""
    path = tmp_path / "vettle.db"
    store = open_store(path, timeout=0.2)
    with FileLock(Path(f"{path}.lock")), pytest.raises(StoreUnavailable, match="Nothing was changed"):
        _log_reward(store, 1.0)
    with store.read() as transaction:
        assert events.count(transaction) == 0
    store.close()


def test_the_linked_sqlite_has_no_wal_reset_bug() -> None:
    """Several processes write and checkpoint one file, so SQLite must be at least 3.51.3."""
    assert tuple(map(int, apsw.sqlite_lib_version().split("."))) >= (3, 51, 3)


# --- many processes ------------------------------------------------------------------------------


def _write_many(path: str, number: int) -> None:
    store = open_store(path)
    for index in range(number):
        _log_reward(store, (index % 10) / 10)
    store.close()


def test_eight_processes_lose_no_event(tmp_path: Path) -> None:
    """Eight writers on one file: every event is there and the aggregates equal a recount."""
    path = tmp_path / "vettle.db"
    open_store(path).close()
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(path), 50)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    store = open_store(path)
    with store.read() as transaction:
        assert events.count(transaction) == 400
    assert check(store) == []
    store.close()


_ENDLESS_WRITER = """
import sys
from tests.engine.test_store import _log_reward
from vettle.engine.store import open_store
store = open_store(sys.argv[1])
while True:
    _log_reward(store, 0.5)
    print("ok", flush=True)
"""


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Whatever a killed writer had acknowledged is there, and the aggregates equal a recount."""
    path = tmp_path / "vettle.db"
    root = Path(__file__).parents[2]
    roots = [root, root / "engine", root / "renderers", root / "server"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}
    acknowledged = 0
    for pause in (0.05, 0.11, 0.17):
        writer = subprocess.Popen(
            [sys.executable, "-c", _ENDLESS_WRITER, str(path)], stdout=subprocess.PIPE, env=environment
        )
        assert writer.stdout is not None
        acknowledged += writer.stdout.readline() == b"ok\n"
        time.sleep(pause)
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.read().count(b"ok\n")
        writer.stdout.close()
        writer.wait()
    store = open_store(path)
    with store.read() as transaction:
        assert events.count(transaction) >= acknowledged > 0
    assert check(store) == []
    store.close()
