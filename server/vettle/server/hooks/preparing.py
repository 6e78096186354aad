"""Keeping a few sessions decided ahead, so that a hook has rules to hand out in no time."""

from __future__ import annotations

import json
import os

from pydantic import ValidationError

from vettle.engine import prepared as sessions
from vettle.engine import prepared_files
from vettle.engine.clock import HOUR
from vettle.engine.project import Project
from vettle.engine.records.sessions import PreparedSession
from vettle.server.hooks import spool, telling

KEPT = 4
"""Sessions that may start before the process behind the hooks has to draw new ones."""

VALID_HOURS = 24
SHARED_VALID_HOURS = 1
"""How long a prepared session may start. Where others share the database, their decisions are not heard of here."""


def prepare_ahead(project: Project) -> int:
    """Draw sessions until as many as are `KEPT` are ready, from what is known now; return how many were drawn.

    Those drawn from less are thrown away. `vettle init` calls it, so that the first session has rules already.
    """
    settings = project.settings.hooks
    if not settings.enabled:
        prepared_files.discard(project.root)
        return 0
    spool.hooks_folder(str(project.root))
    with project.read() as transaction:
        folded = project.learning(transaction).folded
    missing = KEPT - _still_good(project, folded)
    drawn = [sessions.prepare(project, context=settings.context, k=settings.k) for _ in range(missing)]
    for prepared in drawn:
        _keep(project, prepared)
    # A decision about a rule that was made meanwhile has discarded only what was there by then.
    if not all(sessions.fresh(project, prepared) for prepared in drawn):
        prepared_files.discard(project.root)
    return len(drawn)


def _still_good(project: Project, folded: int) -> int:
    """Count the prepared sessions that know all that is known, and have half of their time left; delete the others."""
    good, soonest = 0, (project.clock() + _valid(project) // 2) * 1_000
    for path in sorted(prepared_files.folder(project.root).glob("*.json")):
        current = _is_current(project, spool.read(str(path)).get("prepared"), folded)
        if current and good < KEPT and _expiry(path.name) > soonest:
            good += 1
        else:
            path.unlink(missing_ok=True)
    return good


def _is_current(project: Project, kept: object, folded: int) -> bool:
    """Tell whether a session was prepared from all that is known now, and under the settings of now."""
    try:
        prepared = PreparedSession.model_validate(kept)
    except ValidationError:
        return False
    settings = project.settings.hooks
    return (prepared.decision.folded, prepared.context, prepared.decision.k) == (
        folded,
        settings.context,
        settings.k,
    ) and prepared.selection == project.settings.selection.model_dump()


def _expiry(name: str) -> int:
    """Return until when a prepared session may start, in nanoseconds since 1970; 0 for a name that is none of ours."""
    number = name.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def _valid(project: Project) -> int:
    """Return how long a prepared session may start, in microseconds."""
    return (SHARED_VALID_HOURS if project.shared else VALID_HOURS) * HOUR


def _keep(project: Project, prepared: PreparedSession) -> None:
    """Write a prepared session with the text that goes with it."""
    expiry = (project.clock() + _valid(project)) * 1_000
    path = prepared_files.folder(project.root) / f"{expiry:020d}-{prepared.session_id}.json"
    content = {"text": telling.told(prepared), "prepared": prepared.model_dump(mode="json")}
    spool.write(os.fspath(path), json.dumps(content).encode())
