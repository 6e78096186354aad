"""Writing a file of the project's in one step: whoever reads it sees the old text or the new one, never half."""

from __future__ import annotations

import os
import secrets

from vettle.engine.errors import FilesRefused
from vettle.engine.project import Project


def write(project: Project, field: str, path: str, text: str) -> str:
    """Write the text to a path inside the project, replacing what is there; return the path relative to its root.

    Folders that are missing are made. `field` names the argument that the path came from.

    Raises:
        InvalidArgument: The path lies outside the project.
        FilesRefused: It cannot be written.
    """
    relative = project.relative(field, path)
    real = (project.root / relative).resolve()
    if not real.is_relative_to(project.root.resolve()):
        # Somebody put a link there since the path was checked.
        raise FilesRefused(f"{relative}: leads out of the project. Choose another path.")
    temporary = real.with_name(f".{real.name}.{secrets.token_hex(4)}.tmp")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(real)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise FilesRefused(f"{relative}: cannot be written ({error.strerror}).") from error
    return relative
