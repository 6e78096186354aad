"""Where a project is: its root folder. Importing this costs nothing, so a server can say it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from vettle.engine.errors import ProjectNotFound
from vettle.engine.locating import STATE_FOLDER, locate

__all__ = ["STATE_FOLDER", "find_root"]


def find_root(
    explicit: str = "", environment: Mapping[str, str] = os.environ, start: Path | None = None
) -> Path:
    """Return the project root: the explicit folder, else the environment's, else the nearest marked parent.

    The order is `explicit`, VETTLE_PROJECT, then upwards from CLAUDE_PROJECT_DIR or else from `start` (the working
    directory) to the nearest folder that holds `.vettle/`, then to the nearest that holds `.git` (a folder,
    or a file as in worktrees). The home directory and the root of the file system never count. Where nothing above
    CLAUDE_PROJECT_DIR is marked, it is the root itself.

    Raises:
        ProjectNotFound: Nothing names a folder, or what is named is no folder.
    """
    try:
        return Path(locate(explicit, environment, str(start or "")))
    except LookupError as error:
        raise ProjectNotFound(str(error.args[0])) from None
