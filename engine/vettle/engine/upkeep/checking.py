"""Is all of a project's data sound? Every finding names what to do about it."""

from __future__ import annotations

import os
import shlex
import stat
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from vettle.engine.errors import StoreDamaged
from vettle.engine.learning import Learning
from vettle.engine.progress import report
from vettle.engine.project import Project
from vettle.engine.records.upkeep import DatabaseChecked, Finding
from vettle.engine.store import Store, baseline, caches, events, indexes, maintenance
from vettle.engine.store.database import Contradiction, Verifiable

_RESTORE = "Restore a backup: vettle db restore FILE --replace."
_REBUILD = "Count again from the log: vettle db check --rebuild."
UNFOLDABLE = (
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    LookupError,
    zlib.error,
    Contradiction,
)
"""What a fold raises on an event, or on kept tables, that no version of ours could have written."""


def check(project: Project, *, rebuild: bool = False, others: Sequence[Finding] = ()) -> DatabaseChecked:
    """Look at every page, recount every table from the log, fold the posterior from scratch, and compare.

    Reads everything, so it takes as long as the history is long; writers go on meanwhile. `rebuild` counts all
    again first and throws the posterior's snapshot away. `others` are findings about what the engine does not
    know, such as the rule files.

    Raises:
        StoreUnavailable: The database cannot be reached or read now, so nothing can be said about it.
    """
    findings = list(_of_permissions(project))
    counts = {"events": 0, "replies": 0, "pruned_through": 0}
    if project.exists or _left_log(project):
        try:
            store = project.open_again()
        except StoreDamaged as error:
            findings.append(Finding(area="database", problem=str(error), remedy=_RESTORE))
        else:
            try:
                findings += _of_store(store, rebuild)
                counts = _counted(store)
            except StoreDamaged as error:
                findings.append(Finding(area="database", problem=str(error), remedy=_RESTORE))
            finally:
                store.close()
    findings += others
    return DatabaseChecked(
        location=project.location,
        **counts,
        rebuilt=rebuild,
        findings=findings,
        next_step=_next(findings, rebuild),
    )


def _left_log(project: Project) -> bool:
    """Tell whether a log of SQLite is here whose database is gone: that is no project without any facts."""
    log = project.database.with_name(f"{project.database.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _next(findings: Sequence[Finding], rebuilt: bool) -> str:
    if not findings:
        return "Nothing to do: all that is stored is what the log says."
    done = "" if rebuilt else "Nothing was changed by looking. "
    return f"{done}Begin with the first finding; keep a copy of the files before you do."


def _rebuild(store: Store) -> None:
    maintenance.rebuild(store)
    with store.write() as transaction:
        caches.forget_snapshot(transaction)


def _counted(store: Store) -> dict[str, int]:
    with store.read() as transaction:
        return {
            "events": events.count(transaction),
            "replies": caches.count_replies(transaction),
            "pruned_through": baseline.through(transaction),
        }


def _of_store(store: Store, rebuild: bool) -> Iterator[Finding]:
    database = store.database
    report("looking at every page")
    damaged = database.verify() if isinstance(database, Verifiable) else indexes.verify(database)
    for problem in damaged:
        yield Finding(area="database", problem=problem, remedy=_RESTORE)
    if damaged:
        # What damaged pages say of counts is no news.
        return
    try:
        if rebuild:
            _rebuild(store)
        for line in maintenance.check(store):
            yield Finding(area="aggregates", problem=line, remedy=_REBUILD)
        yield from _of_posterior(store)
    except UNFOLDABLE as error:
        problem = f"an event contradicts those before it ({type(error).__name__}: {str(error)[:200]})"
        yield Finding(area="log", problem=problem, remedy=_RESTORE)


def _of_posterior(store: Store) -> Iterator[Finding]:
    """Compare what is learned from the snapshot on with what is learned from the first event on."""
    with store.read() as transaction:
        restored = Learning.restore(transaction)
        restored.catch_up(transaction)
        anew = Learning.as_of(transaction, 2**62)
    if restored.learner.to_bytes() != anew.learner.to_bytes():
        problem = "the kept snapshot of what was learned differs from the log"
        yield Finding(area="posterior", problem=problem, remedy=_REBUILD)


def _of_permissions(project: Project) -> Iterator[Finding]:
    """Find what others may write, and what we may not."""
    folder = project.database.parent
    for path in (folder, *sorted(folder.glob(f"{project.database.name}*"))):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if os.name != "nt" and mode & stat.S_IWOTH:
            yield _permission(
                path, "everybody on this machine may change it", f"chmod o-w {shlex.quote(str(path))}"
            )
        if not os.access(path, os.R_OK | os.W_OK):
            yield _permission(
                path,
                "it cannot be read and written by you",
                f"chmod u+rw {shlex.quote(str(path))}, as its owner",
            )


def _permission(path: Path, problem: str, remedy: str) -> Finding:
    return Finding(area="permissions", problem=f"{path}: {problem}", remedy=f"Run: {remedy}")
