"""PostgreSQL as the store, with a real server: lost connections, refusals, and what its SQL does otherwise."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests import postgres
from tests.conftest import ManualClock
from tests.places import Place
from tests.postgres import Server, fresh_name

from vettle.engine import mistakes, reports, rules
from vettle.engine.errors import StoreDamaged, StoreUnavailable
from vettle.engine.identifiers import new_uid
from vettle.engine.project import Project
from vettle.engine.store import Store, events, open_store, without_secrets
from vettle.engine.store.database import Contradiction
from vettle.engine.store.events import Event
from vettle.engine.store.maintenance import check, rebuild
from vettle.engine.store.postgres import PostgresDatabase
from vettle.engine.store.schema import SCHEMA_VERSION

SECRET = "hunter2-and-more"


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[Server]:
    """A server of this module's own: others use the one of the whole run while it is stopped."""
    with postgres.own_server() as server:
        yield server


@pytest.fixture(name="fresh")
def _fresh(server: Server) -> str:
    """The name of a database without tables on it."""
    name = fresh_name()
    server.execute(f'CREATE DATABASE "{name}"')
    return name


@pytest.fixture(name="project")
def _project(server: Server, tmp_path: Path, clock: ManualClock) -> Iterator[Project]:
    environment = {"VETTLE_DATABASE_URL": server.url, "VETTLE_DATABASE_PROJECT": fresh_name()}
    project = Place(tmp_path, environment).open(clock=clock)
    yield project
    project.close()


def _log(project: Project, description: str, ref: str = "") -> str:
    return mistakes.log(project, error_class="a", description=description, client_ref=ref).mistake_id


def _count(project: Project) -> int:
    with project.read() as transaction:
        return events.count(transaction)


def _backend(store: Store) -> int:
    with store.read() as transaction:
        return int(transaction.execute("SELECT pg_backend_pid()")[0][0])


# --- connections that are lost -------------------------------------------------------------------


def test_a_name_that_nothing_is_recorded_under_is_said(server: Server, tmp_path: Path) -> None:
    """A misspelt name opens an empty project, and status says so until something is recorded."""
    environment = {"VETTLE_DATABASE_URL": server.url, "VETTLE_DATABASE_PROJECT": fresh_name()}
    project = Project(tmp_path, environment=environment)
    [warning] = reports.status(project).warnings
    assert "check the name" in warning and environment["VETTLE_DATABASE_PROJECT"] in warning
    rules.add(project, text="Sort imports.")
    assert reports.status(project).warnings == []
    project.close()


def test_a_connection_lost_between_calls_is_made_anew(project: Project, server: Server) -> None:
    """A server that ended an idle connection, or was restarted, is noticed by nobody."""
    _log(project, "one")
    server.execute(f"SELECT pg_terminate_backend({_backend(project._opened())}, 5000)")
    _log(project, "two")
    server.stop()
    server.start()
    assert _count(project) == 2
    server.stop()
    server.start()
    _log(project, "three")
    assert check(project._opened()) == []


def test_a_connection_lost_between_statements_records_nothing(project: Project, server: Server) -> None:
    """The call fails and says so; the same call again is recorded once."""
    store = project._opened()
    backend = _backend(store)
    with (
        pytest.raises(StoreUnavailable, match=r"connection failed .*Nothing was recorded\. Retry"),
        store.write() as one,
    ):
        one.append(Event(kind="drift_alarmed", uid=new_uid(one.now)))
        server.execute(f"SELECT pg_terminate_backend({backend}, 5000)")
        one.append(Event(kind="drift_alarmed", uid=new_uid(one.now)))
    assert _count(project) == 0 and check(store) == []
    first = _log(project, "one", "once")
    assert _log(project, "one", "once") == first and _count(project) == 1


class _Cut(PostgresDatabase):
    """A database whose next connection is lost, from outside, while a write commits."""

    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None

    def _commit(self, connection: psycopg.Connection[Any]) -> None:
        if self.before:
            self.before()
        super()._commit(connection)

    def _flush(self, connection: psycopg.Connection[Any]) -> None:  # type: ignore[override]
        if self.after:
            self.after()
        super()._flush(connection)


@pytest.mark.parametrize(("when", "recorded"), [("before", 0), ("after", 1)])
def test_a_connection_lost_while_committing_leaves_it_open_and_a_retry_settles_it(
    server: Server, tmp_path: Path, clock: ManualClock, when: str, recorded: int
) -> None:
    """Whether the commit had happened or not: the answer says that it is not known, and a retry records it once."""
    database = _Cut(server.url, named="db")
    name = fresh_name()
    project = Project(tmp_path, clock=clock, store=Store(database, clock=clock, project=name))
    backend = _backend(project._opened())
    setattr(database, when, lambda: server.execute(f"SELECT pg_terminate_backend({backend}, 5000)"))
    with pytest.raises(StoreUnavailable, match=r"not known whether .* Retry with the same client_ref"):
        _log(project, "one", "once")
    database.before = database.after = None
    assert _count(project) == recorded
    first = _log(project, "one", "once")
    assert _log(project, "one", "once") == first
    assert _count(project) == 1 and check(project._opened()) == []
    project.close()


def test_a_stopped_server_is_said_at_once_and_forgotten_when_it_is_back(
    project: Project, server: Server
) -> None:
    """No call hangs on a server that is gone, and none has to be restarted for it."""
    _log(project, "one")
    server.stop()
    try:
        begun = time.monotonic()
        for call in (lambda: _log(project, "two"), lambda: _count(project)):
            with pytest.raises(StoreUnavailable, match="connection failed"):
                call()
        with pytest.raises(StoreUnavailable, match="Check the URL, and whether the server runs"):
            project.open_again()
        assert time.monotonic() - begun < 5
    finally:
        server.start()
    _log(project, "two")
    assert _count(project) == 2


# --- locks and transactions ----------------------------------------------------------------------


def test_writers_wait_for_each_other_and_not_for_ever(server: Server) -> None:
    """A project that another process holds is given up in bounded time; other projects are not held up."""
    name = fresh_name()
    holder, waiter = (open_store(server.url, project=name, timeout=0.3) for _ in range(2))
    other = open_store(server.url, project=fresh_name(), timeout=0.3)
    with holder.write():
        begun = time.monotonic()
        with (
            pytest.raises(StoreUnavailable, match=r"held the project for 0\.3 s\. Nothing was recorded"),
            waiter.write(),
        ):
            pytest.fail("two writers at once")
        assert 0.2 < time.monotonic() - begun < 3
        with other.write() as transaction:
            transaction.append(Event(kind="drift_alarmed", uid=new_uid(transaction.now)))
        with waiter.read() as transaction:
            assert events.count(transaction) == 0
    with waiter.write():
        pass
    for store in (holder, waiter, other):
        store.close()


def test_a_transaction_within_another_is_refused_and_takes_nothing_back(project: Project) -> None:
    """The server would end the outer one with the inner; a slip in the code must not cost what was recorded."""
    store = project._opened()
    with store.write() as transaction:
        transaction.append(Event(kind="drift_alarmed", uid=new_uid(transaction.now)))
        with pytest.raises(RuntimeError, match="open already"), store.read():
            pytest.fail("it was opened")
    assert _count(project) == 1


def test_what_the_server_took_back_is_not_acknowledged(project: Project) -> None:
    """After a failed statement a commit is a rollback that reports no error: the call fails all the same."""
    store = project._opened()
    with pytest.raises(RuntimeError, match="a statement failed"), store.write() as transaction:
        uid = new_uid(transaction.now)
        transaction.append(Event(kind="drift_alarmed", uid=uid))
        with pytest.raises(Contradiction):
            transaction.append(Event(kind="drift_alarmed", uid=uid))
    assert _count(project) == 0


def test_an_interrupted_call_leaves_no_transaction_behind(project: Project) -> None:
    """Whatever ends a block, the next call finds the connection free."""
    for error in (KeyboardInterrupt, SystemExit, ValueError):
        with pytest.raises(error), project.write() as transaction:
            transaction.append(Event(kind="drift_alarmed", uid=new_uid(transaction.now)))
            raise error
        assert _count(project) == 0


def test_threads_of_a_process_take_turns(project: Project) -> None:
    """Eight threads on one connection: every event is there, and the counts are right."""

    def work(number: int) -> None:
        for step in range(5):
            _log(project, f"{number} {step}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _count(project) == 40 and check(project._opened()) == []


# --- refusals ------------------------------------------------------------------------------------


@pytest.fixture(name="locked", scope="module")
def _locked(server: Server) -> Server:
    """A role that needs a password and may read nothing."""
    server.execute(f"CREATE ROLE locked LOGIN PASSWORD '{SECRET}'")
    server.ask_passwords_of("locked")
    return server


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://locked:wrong-{secret}@/postgres?host={host}", "password authentication failed"),
        ("postgresql://nobody:{secret}@/postgres?host={host}", 'role "nobody" does not exist'),
        ("postgresql://postgres:{secret}@/nowhere?host={host}", 'database "nowhere" does not exist'),
        ("postgresql://locked:{secret}@/postgres?host={host}", "permission denied"),
        ("postgresql://me:{secret}@127.0.0.1:1/x", "connection failed"),
        ("postgresql://me:{secret}@no-such-host.invalid/x?connect_timeout=2", "connection failed"),
        ("mysql://me:{secret}@localhost/x", "is no URL"),
        ("postgresql+psycopg://me:{secret}@localhost/x?a=b", "is no URL"),
        ("POSTGRESQL://me:{secret}@localhost/x", "is no URL"),
        ("postgresql://me:p@{secret}@/x", "is no URL"),
        ("postgresql://me:p/{secret}@localhost/x", "is no URL"),
        ("postgresql://me:{secret}@[x/y", "is no URL"),
        ("postgresql://me:{secret}@localhost:port/x", "is no URL"),
        ("postgresql://me:{secret}@localhost/x?nonsense=1", "is no URL"),
        ("postgresql://me:%zz{secret}@localhost/x", "is no URL"),
        ("postgresql://", "connection failed|is no URL"),
    ],
)  # fmt: skip
def test_a_wrong_url_is_said_in_one_line_without_the_password(locked: Server, url: str, words: str) -> None:
    """Wrong password, role, database, host or spelling: what is wrong, and nothing that is secret."""
    given = url.format(secret=SECRET, host=locked.folder)
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable, match=words) as caught:
        open_store(given, project="x", timeout=3).close()
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)
    assert SECRET not in without_secrets(given)
    assert time.monotonic() - begun < 10


def test_a_role_that_may_only_read_reads_and_is_told_so(
    project: Project, server: Server, tmp_path: Path
) -> None:
    """Looking works; recording is refused in one line, and a new project cannot be made."""
    _log(project, "one")
    reader = fresh_name().replace("-", "_")
    server.execute(f"CREATE ROLE {reader} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}")
    url = server.of("postgres", f"{reader}:")
    environment = {"VETTLE_DATABASE_URL": url, "VETTLE_DATABASE_PROJECT": project._name}
    with_rights = Place(tmp_path, environment).open(clock=project.clock)
    assert _count(with_rights) == 1
    with pytest.raises(
        StoreUnavailable, match=r"cannot be written \(permission denied.*Nothing was recorded"
    ):
        _log(with_rights, "two")
    assert _count(with_rights) == 1
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        open_store(url, project=fresh_name())
    with_rights.close()


def test_a_role_with_the_rights_of_the_manual_can_do_everything(
    server: Server, fresh: str, tmp_path: Path, clock: ManualClock
) -> None:
    """Once the tables are there, in a schema of their own too, the four rights on tables are enough for work."""
    server.execute("CREATE SCHEMA mine", fresh)
    owner = server.of(fresh) + "&options=-csearch_path%3Dmine"
    open_store(owner, project="x").close()
    worker = fresh_name().replace("-", "_")
    server.execute(
        f"CREATE ROLE {worker} LOGIN; GRANT USAGE ON SCHEMA mine TO {worker};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mine TO {worker}",
        fresh,
    )
    url = server.of(fresh, f"{worker}:") + "&options=-csearch_path%3Dmine"
    environment = {"VETTLE_DATABASE_URL": url, "VETTLE_DATABASE_PROJECT": "another"}
    project = Place(tmp_path, environment).open(clock=clock)
    assert _log(project, "one") and check(project._opened()) == []
    assert project.query("SELECT count(*) FROM mistake", limit=1, seconds=5).rows == [(1,)]
    rebuild(project._opened())
    project.close()
    with psycopg.connect(server.of(fresh)) as connection:
        found = connection.execute(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename='event'"
        ).fetchall()
    assert found == [("mine",)]


def test_a_database_that_only_reads_is_told_so(project: Project, server: Server, tmp_path: Path) -> None:
    """As on a replica: what is there can be read, and a write names the reason."""
    _log(project, "one")
    role = fresh_name().replace("-", "_")
    server.execute(
        f"CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET default_transaction_read_only=on"
    )
    environment = {
        "VETTLE_DATABASE_URL": server.of("postgres", f"{role}:"),
        "VETTLE_DATABASE_PROJECT": project._name,
    }
    copy = Place(tmp_path, environment).open(clock=project.clock)
    assert _count(copy) == 1
    with pytest.raises(StoreUnavailable, match=r"cannot be written .*read-only.* on a primary server"):
        _log(copy, "two")
    copy.close()


@pytest.mark.parametrize(
    "table", ["event(x int)", "meta(x int)", "project(id int, name int)", "session(id int)"]
)
def test_another_programs_tables_are_refused_and_left(server: Server, fresh: str, table: str) -> None:
    """A database in which one of our names is taken is told from ours, and gets no table of ours."""
    server.execute(f"CREATE TABLE {table}", fresh)
    with pytest.raises(StoreDamaged, match=r"not those of vettle .*It was left"):
        open_store(server.of(fresh), project="x")
    with psycopg.connect(server.of(fresh)) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname='public'").fetchone()
    assert found == (1,)


def test_a_newer_schema_is_refused(server: Server, fresh: str) -> None:
    """A database that a later version wrote is left as it is, with the advice to upgrade."""
    open_store(server.of(fresh), project="x").close()
    server.execute(f"UPDATE meta SET value='{SCHEMA_VERSION + 1}' WHERE key='schema'", fresh)
    with pytest.raises(StoreDamaged, match="Upgrade vettle"):
        open_store(server.of(fresh), project="x")


def test_many_processes_may_make_the_tables_at_once(server: Server, fresh: str) -> None:
    """Whoever comes first makes them; nobody fails for it."""
    failures: list[Exception] = []

    def opened() -> None:
        try:
            open_store(server.of(fresh), project="x").close()
        except Exception as error:  # noqa: BLE001 - any failure is one
            failures.append(error)

    threads = [threading.Thread(target=opened) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with psycopg.connect(server.of(fresh)) as connection:
        assert connection.execute("SELECT name FROM project").fetchall() == [("x",)]


def test_a_database_of_another_encoding_is_refused(server: Server) -> None:
    """Texts need all of Unicode; the message says how to make a database that has it."""
    name = fresh_name()
    server.execute(f"CREATE DATABASE \"{name}\" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreUnavailable, match=r"its encoding is LATIN1, .*CREATE DATABASE"):
        open_store(server.of(name), project="x")


def test_a_damaged_page_is_refused_by_name(
    server: Server, fresh: str, tmp_path: Path, clock: ManualClock
) -> None:
    """A byte that the disk changed fails the server's checksum; the database is named and left."""
    environment = {"VETTLE_DATABASE_URL": server.of(fresh), "VETTLE_DATABASE_PROJECT": "x"}
    project = Place(tmp_path, environment).open(clock=clock)
    for number in range(20):
        _log(project, f"number {number}")
    with psycopg.connect(server.of(fresh), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        [path] = connection.execute("SELECT pg_relation_filepath('mistake')").fetchone() or ()
    server.stop()
    with (server.folder / path).open("r+b") as file:
        file.seek(8_000)
        byte = file.read(1)
        file.seek(8_000)
        file.write(bytes([byte[0] ^ 1]))
    server.start()
    for call in (lambda: check(project._opened()), lambda: _log(project, "number 3")):
        with pytest.raises(
            StoreDamaged, match=rf"{fresh}: the database is damaged \(invalid page.*It was left"
        ):
            call()
    project.close()


# --- values --------------------------------------------------------------------------------------


def test_any_text_comes_back_and_none_is_cut(project: Project) -> None:
    """Data is kept as text, so even a NUL within nested JSON survives; in a text of its own it is refused."""
    data = {
        "config": {"a\x00b": ["\x00", "\u2028", "\U0001f600", "'; DROP TABLE event; --", "%s %% ?", "\\"]}
    }
    with project.write() as transaction:
        transaction.append(
            Event(kind="drift_alarmed", uid=new_uid(transaction.now), data=data, choice="% ? %s")
        )
    with project.read() as transaction:
        [stored] = events.every(transaction)
    assert (stored.data, stored.choice) == (data, "% ? %s")
    for bad in (Event(kind="drift_alarmed", uid=b"\x00" * 16, subject="a\x00"),):
        with pytest.raises(Contradiction, match="NUL"), project.write() as transaction:
            transaction.append(bad)
    assert _count(project) == 1


def test_numbers_come_back_to_the_last_bit(project: Project) -> None:
    """Floats of any size, and integers as large as a hash, are what they were."""
    numbers = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 123456789.123456789]
    with project.read() as transaction:
        for number in numbers:
            assert repr(transaction.execute("SELECT CAST(? AS DOUBLE PRECISION)", (number,))[0][0]) == repr(
                number
            )
        assert transaction.execute("SELECT CAST(? AS BIGINT)", (2**63 - 1,)) == [(2**63 - 1,)]


def test_words_are_ordered_as_in_a_sqlite_file(project: Project) -> None:
    """By code point, whatever the locale of the server: pages and ties are the same in both stores."""
    words = ["b", "B", "_", "a", "\u00e9", "Z", "10", "9", "\U0001f600", "\ufb01", " x"]
    for word in words:
        rules.add(project, text=f"Do {word.strip()} first and last.", context=word)
    with project.read() as transaction:
        rows = transaction.execute(
            "SELECT context FROM rule WHERE project=? ORDER BY context", (transaction.project,)
        )
    assert [row[0] for row in rows] == sorted(words)
