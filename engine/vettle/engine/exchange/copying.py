"""A project out of one database into another, both ways between a SQLite file and PostgreSQL.

Rows are moved as they are (`transplanting`). Then both sides are read again: counts and checksums of events, answers,
aggregates and posterior have to be the same on both, and a recount of the copied log has to give the copied
aggregates. Otherwise nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vettle.engine.errors import Conflict, InvalidArgument, NotFound, StoreDamaged
from vettle.engine.exchange.fingerprints import Fingerprint, fingerprint
from vettle.engine.exchange.log_lines import BAD, said
from vettle.engine.project import Project, prepare_state_folder
from vettle.engine.records.copying import DatabaseCopied
from vettle.engine.store import (
    Transaction,
    caches,
    events,
    is_url,
    maintenance,
    open_store,
    without_secrets,
)
from vettle.engine.store.transplanting import transplant


def copy_to(project: Project, location: str, *, name: str = "") -> DatabaseCopied:
    """Copy this project into a database that does not hold it yet: a file, or a URL where it gets the `name`.

    What is recorded here while the copy is made is not in it. The project goes on using its own database.

    Raises:
        InvalidArgument: The location needs a name, or takes none.
        Conflict: The target holds events already.
        StoreDamaged: A value cannot be stored there, or the two sides differ: nothing was copied.
    """
    _require_facts(project, project.location)
    with _other(project, location, name) as (other, shown):
        return _copied(project, other, project.location, shown, _how_to_use(project, location, name))


def copy_from(project: Project, location: str, *, name: str = "") -> DatabaseCopied:
    """Copy the project of another database into this one, which must not hold any events.

    Raises:
        InvalidArgument: The location needs a name, or takes none.
        NotFound: There is no such file, or no project of that name.
        Conflict: This project holds events already.
        StoreDamaged: A value cannot be stored here, or the two sides differ: nothing was copied.
    """
    if not is_url(location) and not Path(location).is_file():
        raise NotFound(f"from: no database {location!r}. Name a file of vettle, or a URL postgresql://...")
    with _other(project, location, name) as (other, shown):
        _require_facts(other, shown)
        return _copied(other, project, shown, project.location, "See status and rules_list.")


@contextmanager
def _other(project: Project, location: str, name: str) -> Iterator[tuple[Project, str]]:
    """Open the other side, and say what it is called; a file that was made for nothing is removed."""
    if is_url(location) and not name:
        raise InvalidArgument(
            "as", "a shared database needs the project's name", f"Add for example --as {project.root.name}"
        )
    if not is_url(location) and name:
        raise InvalidArgument("as", "a file holds one project, without a name", "Leave --as out")
    shown = f"{without_secrets(location)} as {name!r}" if is_url(location) else str(Path(location).absolute())
    is_new = not is_url(location) and not Path(location).exists()
    if is_new and _is_own_file(project, location):
        # With the .gitignore that keeps it out of git, which a project on a server may not have yet.
        prepare_state_folder(project.root)
    store = open_store(location, clock=project.clock, project=name or "main")
    other = Project(project.root, clock=project.clock, actor=project.actor, store=store)
    try:
        yield other, shown
    except BaseException:
        other.close()
        if is_new:
            for suffix in ("", "-wal", "-shm", ".lock"):
                Path(f"{location}{suffix}").unlink(missing_ok=True)
        raise
    finally:
        other.close()


def _is_own_file(project: Project, location: str) -> bool:
    """Return whether a file is the one that the project uses when no other database is set."""
    return Path(location).resolve() == project.database.resolve()


def _require_facts(project: Project, shown: str) -> None:
    with project.read() as transaction:
        if events.count(transaction):
            return
        names = [
            str(row[0])
            for row in transaction.execute(
                "SELECT name FROM project WHERE EXISTS (SELECT 1 FROM event WHERE event.project=project.id)"
                " ORDER BY name LIMIT 20"
            )
        ]
    among = f" Projects there: {', '.join(names)}." if names else ""
    raise NotFound(f"{shown} holds no events, so there is nothing to copy.{among}")


def _copied(origin: Project, target: Project, there: str, here: str, next_step: str) -> DatabaseCopied:
    with origin.read() as source, target.write() as transaction:
        present = events.count(transaction)
        if present or caches.count_replies(transaction):
            raise Conflict(
                f"{here} holds {present} events already, and a copy needs a project without any. Nothing was changed. "
                "Name another one, or merge: vettle export log --output FILE there, vettle import FILE here."
            )
        kept = _moved(source, transaction, there)
        found = _verified(fingerprint(source), fingerprint(transaction), there, here)
        _recounted(transaction, there)
    return DatabaseCopied(
        origin=there,
        target=here,
        events=found.events,
        replies=found.replies,
        ids_kept=kept,
        events_sha256=found.events_sha256,
        tables_sha256=found.tables_sha256,
        posterior_sha256=found.posterior_sha256,
        next_step=next_step,
    )


def _moved(source: Transaction, target: Transaction, there: str) -> bool:
    try:
        return transplant(source, target)
    except BAD as error:
        raise StoreDamaged(
            f"{there}: a value cannot be stored in the other database ({said(error)}). Nothing was copied."
        ) from error


def _recounted(target: Transaction, there: str) -> None:
    """Fold the copied log from its first event on, and find the copied aggregates in it (StoreDamaged)."""
    try:
        differences = maintenance.differences(target)
    except BAD as error:
        differences = [f"an event contradicts those before it ({said(error)})"]
    if differences:
        raise StoreDamaged(
            f"{there}: the aggregates are not what the events say ({'; '.join(differences)}). Nothing was copied. "
            "Run vettle db check where the project is now."
        )


def _verified(source: Fingerprint, target: Fingerprint, there: str, here: str) -> Fingerprint:
    """Return what both sides are (StoreDamaged if they are not the same)."""
    differences = source.differences(target)
    if differences:
        raise StoreDamaged(
            f"{here} would differ from {there} in: {', '.join(differences)}. Nothing was copied. "
            "Run vettle db check where the project is now, and report this if it finds nothing."
        )
    return target


def _how_to_use(project: Project, location: str, name: str) -> str:
    if not is_url(location):
        place = "" if _is_own_file(project, location) else f"put it at {project.database}, and "
        return (
            f"To use the file, {place}take [database] out of .vettle/config.toml and VETTLE_DATABASE_URL out of the "
            "environment."
        )
    return (
        f'To use it, in every clone: [database] url = "..." and project = "{name}" in .vettle/config.toml '
        "(the password in ~/.pgpass), or VETTLE_DATABASE_URL and VETTLE_DATABASE_PROJECT."
    )
