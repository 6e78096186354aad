"""Copying a project between its SQLite file and PostgreSQL: all of it, verified, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from tests.conftest import ManualClock
from tests.engine.exchange.test_log import _STEPS, _lively, _Past
from tests.places import Place
from tests.postgres import fresh_name

from vettle.engine import mistakes, rules, sessions
from vettle.engine.errors import Conflict, InvalidArgument, NotFound, StoreDamaged, VettleError
from vettle.engine.exchange.copying import copy_from, copy_to
from vettle.engine.exchange.fingerprints import fingerprint
from vettle.engine.project import Project
from vettle.engine.store import caches, events
from vettle.engine.store.maintenance import check
from vettle.engine.upkeep.pruning import prune


def _database(url: str, name: str) -> str:
    """Make a database without any project, and return its URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return url.replace("/postgres?", f"/{name}?")


@pytest.fixture(name="empty_database")
def _empty_database(postgres: str) -> Callable[[], str]:
    return lambda: _database(postgres, fresh_name())


def _replays(project: Project) -> bool:
    with project.read() as transaction:
        started = [event.session for event in events.every(transaction) if event.kind == "session_started"]
    assert started
    return all(sessions.replay(project, session_id).identical for session_id in started)


def _fingerprint(project: Project) -> object:
    with project.read() as transaction:
        return fingerprint(transaction)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(_STEPS)
def test_any_past_comes_through_both_ways(
    postgres: str, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """From a file to a server that others use, and on into another file: the same facts, counts and beliefs."""
    root, clock, name = tmp_path_factory.mktemp("copying"), ManualClock(), fresh_name()
    project = Place(root).open(clock=clock)
    past = _Past(project, clock)
    for operation, number in [("add", 1), *steps]:
        past.do(operation, number)
    there = copy_to(project, postgres, name=name)
    shared = Place(root, {"VETTLE_DATABASE_URL": postgres, "VETTLE_DATABASE_PROJECT": name}).open(clock=clock)
    back = copy_to(shared, str(root / "back.db"))
    assert back.ids_kept and (there.events, there.replies) == (back.events, back.replies)
    assert there.tables_sha256 == back.tables_sha256 and there.posterior_sha256 == back.posterior_sha256
    assert _fingerprint(project) == _fingerprint(shared)
    assert check(shared._opened()) == []
    for one in (project, shared):
        sessions.start(one, task="next", seed=7, client_ref="next")
    with project.read() as ours, shared.read() as theirs:
        first, second = (max(caches.replies(side), key=lambda reply: reply.ts) for side in (ours, theirs))
    assert first.uid == second.uid
    project.close()
    shared.close()


def test_every_decision_can_be_recomputed_after_a_copy(
    project: Project, postgres: str, tmp_path: Path
) -> None:
    """Whatever the ids are over there, each session's rules follow from what was known when it began."""
    _lively(project)
    assert _replays(project)
    name = fresh_name()
    record = copy_to(project, postgres, name=name)
    assert not record.ids_kept and record.events > 60
    environment = {"VETTLE_DATABASE_URL": postgres, "VETTLE_DATABASE_PROJECT": name}
    shared = Place(tmp_path, environment).open(clock=project.clock)
    assert _replays(shared)
    assert _fingerprint(shared) == _fingerprint(project)
    shared.close()


def test_a_server_without_events_keeps_the_ids_and_goes_on_after_them(
    empty_database: Callable[[], str], tmp_path: Path, clock: ManualClock
) -> None:
    """Events get ids beyond those that were copied, and a second project is copied beside the first."""
    url = empty_database()
    project = Place(tmp_path).open(clock=clock)
    _lively(project)
    assert copy_to(project, url, name="one").ids_kept
    one = Place(tmp_path, {"VETTLE_DATABASE_URL": url, "VETTLE_DATABASE_PROJECT": "one"}).open(clock=clock)
    before = _fingerprint(one)
    mistakes.log(one, error_class="a", description="after the copy")
    with one.read() as transaction:
        ids = [event.id for event in events.every(transaction)]
    assert ids == list(range(1, len(ids) + 1)) and check(one._opened()) == []
    assert not copy_to(project, url, name="two").ids_kept
    two = Place(tmp_path, {"VETTLE_DATABASE_URL": url, "VETTLE_DATABASE_PROJECT": "two"}).open(clock=clock)
    assert _fingerprint(two) == before
    for each in (project, one, two):
        each.close()


def test_a_retry_after_the_copy_gets_the_first_answer(project: Project, tmp_path: Path) -> None:
    """The answers that were kept for retries come along."""
    first = rules.add(project, text="Sort imports.", client_ref="once")
    copy_to(project, str(tmp_path / "copy.db"))
    other = tmp_path / "other"
    other.mkdir()
    fresh = Place(other).open(clock=project.clock)
    copy_from(fresh, str(tmp_path / "copy.db"))
    assert rules.add(fresh, text="Sort imports.", client_ref="once") == first
    fresh.close()


def test_a_target_with_events_is_refused_and_kept(project: Project, postgres: str, tmp_path: Path) -> None:
    """A copy never mixes two histories: the target is named, and is as it was."""
    _lively(project)
    name = fresh_name()
    copy_to(project, str(tmp_path / "copy.db"))
    copy_to(project, postgres, name=name)
    for location, as_ in ((str(tmp_path / "copy.db"), ""), (postgres, name)):
        with pytest.raises(Conflict, match=r"events already.*Nothing was changed"):
            copy_to(project, location, name=as_)
    with pytest.raises(Conflict, match=r"events already"):
        copy_from(project, str(tmp_path / "copy.db"))


def test_nothing_to_copy_and_nowhere_to_copy_are_said(
    project: Project, postgres: str, tmp_path: Path
) -> None:
    """No events, no such file, no name, or a name too many: each is refused with the remedy, and leaves no file."""
    with pytest.raises(NotFound, match="nothing to copy"):
        copy_to(project, str(tmp_path / "copy.db"))
    with pytest.raises(NotFound, match="no database"):
        copy_from(project, str(tmp_path / "missing.db"))
    with pytest.raises(NotFound, match="nothing to copy"):
        copy_from(project, postgres, name=fresh_name())
    rules.add(project, text="Sort imports.")
    with pytest.raises(InvalidArgument, match=r"as: .*Add for example --as"):
        copy_to(project, postgres)
    with pytest.raises(InvalidArgument, match="Leave --as out"):
        copy_to(project, str(tmp_path / "copy.db"), name="x")
    assert not list(tmp_path.glob("*.db*"))


def test_a_source_whose_aggregates_are_not_its_events_is_not_copied(project: Project, tmp_path: Path) -> None:
    """What was tampered with cannot be verified: it is named, and the target stays empty."""
    _lively(project)
    with project.write() as transaction:
        transaction.execute(
            "UPDATE stat SET n=n+1 WHERE project=? AND family='total'", (transaction.project,)
        )
    with pytest.raises(
        StoreDamaged, match=r"aggregates are not what the events say \(stat: .*Nothing was copied"
    ):
        copy_to(project, str(tmp_path / "copy.db"))
    assert not (tmp_path / "copy.db").exists()


def test_a_text_that_the_target_cannot_hold_is_refused(
    tmp_path: Path, clock: ManualClock, postgres: str
) -> None:
    """PostgreSQL has no NUL in text; no call of ours lets one in, but a forged log might."""
    project = Place(tmp_path).open(clock=clock)
    started = sessions.start(project, task="x")
    with project.write() as transaction:
        transaction.execute('UPDATE event SET data=replace(data, \'"task":"x"\', \'"task":"\\u0000"\')')
        transaction.execute("UPDATE session SET task=char(0)")
    assert started.session_id
    with pytest.raises(StoreDamaged, match=r"a value cannot be stored.*NUL.*Nothing was copied"):
        copy_to(project, postgres, name=fresh_name())
    project.close()


def test_a_pruned_project_is_copied_with_what_it_kept(
    project: Project, clock: ManualClock, postgres: str, tmp_path: Path
) -> None:
    """What old sessions taught comes along, and the next one is given the same rules in both places."""
    _lively(project)
    with project.read() as transaction:
        every = [
            row[0]
            for row in transaction.execute("SELECT id FROM session WHERE project=?", (transaction.project,))
        ]
    for session_id in every:
        with suppress(VettleError):
            sessions.end(project, session_id=session_id, outcome="accepted")
    clock.forward(days=400)
    before = _fingerprint(project)
    assert prune(project, keep_days=30).removed > 0
    assert _fingerprint(project) != before
    name = fresh_name()
    copy_to(project, postgres, name=name)
    shared = Place(tmp_path, {"VETTLE_DATABASE_URL": postgres, "VETTLE_DATABASE_PROJECT": name}).open(
        clock=clock
    )
    assert check(shared._opened()) == []
    assert _fingerprint(shared) == _fingerprint(project)
    here, there = (sessions.start(one, task="next", seed=7, client_ref="next") for one in (project, shared))
    assert here.rules == there.rules
    shared.close()


def test_a_misspelt_name_is_told_from_those_that_are_there(
    empty_database: Callable[[], str], tmp_path: Path, clock: ManualClock
) -> None:
    """The projects that hold events are named, and none that was only asked for."""
    url = empty_database()
    project = Place(tmp_path).open(clock=clock)
    rules.add(project, text="Sort imports.")
    copy_to(project, url, name="web-shop")
    other = tmp_path / "other"
    other.mkdir()
    fresh = Place(other).open(clock=clock)
    for wrong in ("webshop", "web_shop"):
        with pytest.raises(NotFound, match=r"nothing to copy\. Projects there: web-shop\.$"):
            copy_from(fresh, url, name=wrong)
    for each in (project, fresh):
        each.close()
