"""Where sessions that were decided ahead lie on the disk, so that whoever decides about a rule can discard them."""

from __future__ import annotations

import os
from pathlib import Path

from vettle.engine.locating import hooks_folder


def folder(root: Path) -> Path:
    """Return the folder with one file for each session prepared ahead (see `prepared`); it need not exist."""
    return Path(hooks_folder(str(root), os.environ)) / "prepared"


def discard(root: Path) -> None:
    """Delete every session prepared ahead; what cannot be deleted stays, because no caller may fail for it."""
    try:
        for path in folder(root).glob("*.json"):
            path.unlink(missing_ok=True)
    except OSError:
        return
