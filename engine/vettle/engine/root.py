"""Where a project is: its root folder. Importing this costs nothing, so a server can say it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from vettle.engine.errors import ProjectNotFound

STATE_FOLDER = ".vettle"
"""The folder at the root that holds what vettle keeps."""


def find_root(
    explicit: str = "", environment: Mapping[str, str] = os.environ, start: Path | None = None
) -> Path:
    """Return the project root: the explicit folder, else the environment's, else the nearest marked parent.

    The order is `explicit`, VETTLE_PROJECT, CLAUDE_PROJECT_DIR, then upwards from `start` (the working
    directory) to the nearest folder that holds `.vettle/`, then to the nearest that holds `.git` (a folder,
    or a file as in worktrees). The home directory and the root of the file system never count.

    Raises:
        ProjectNotFound: Nothing names a folder, or what is named is no folder.
    """
    for name, value in (
        ("--project", explicit),
        ("VETTLE_PROJECT", environment.get("VETTLE_PROJECT", "")),
        ("CLAUDE_PROJECT_DIR", environment.get("CLAUDE_PROJECT_DIR", "")),
    ):
        if value:
            root = Path(value).expanduser().resolve()
            if not root.is_dir():
                raise ProjectNotFound(f"{name} names {value!r}, which is no folder")
            return root
    here = (start or Path.cwd()).resolve()
    home = Path(environment.get("HOME", "~")).expanduser().resolve()
    candidates = [folder for folder in (here, *here.parents) if folder not in (home, Path(folder.anchor))]
    for marker in (STATE_FOLDER, ".git"):
        for folder in candidates:
            if (folder / marker).exists():
                return folder
    raise ProjectNotFound(f"no {STATE_FOLDER}/ or .git at or above {here}")
