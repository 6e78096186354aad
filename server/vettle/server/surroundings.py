"""What stands around a project and the engine cannot see: the rule files, and what hooks have left to do."""

from __future__ import annotations

import os
from pathlib import Path

from vettle.engine.locating import hooks_folder
from vettle.engine.project import Project
from vettle.engine.reports import Surroundings
from vettle.server import rule_files
from vettle.server.hooks import spool


def of(project: Project) -> Surroundings:
    """Return what stands against rendering, and which ended sessions their own tests will reward."""
    return Surroundings(rule_files.blocked(project), _by_tests(project.root))


def _by_tests(root: Path) -> frozenset[str]:
    folder = Path(hooks_folder(str(root), os.environ))
    kept = (spool.read(str(path)) for path in folder.glob("sessions/*.json"))
    return frozenset(str(known.get("session_id")) for known in kept if isinstance(known.get("due"), int))
