"""buildlog: 0.8, which keeps files in the project, and 0.23, which keeps one database for all projects.

Both name their rows alike, so what 0.23 migrated from files is the same fact in both.
"""

from __future__ import annotations

from pathlib import Path

from vettle.engine.exchange.facts import Reading
from vettle.engine.exchange.systems.buildlog import database, files

SYSTEM = "buildlog"


def recognises(path: Path) -> bool:
    """Tell whether it is a project with buildlog's folder, that folder, or the database of 0.23."""
    try:
        return files.find(path) is not None or database.find(path) is not None
    except OSError:
        return False


def read(path: Path) -> Reading:
    """Return what buildlog recorded there (SourceDamaged where it is damaged)."""
    folder = files.find(path)
    reading = Reading(SYSTEM)
    if folder is not None:
        files.read(reading, folder)
    else:
        database.read(reading, database.find(path) or path)
    return reading
