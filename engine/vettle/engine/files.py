"""Writing a file of the project's in one step: whoever reads it sees the old text or the new one, never half."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import BinaryIO

from vettle.engine.errors import FilesRefused
from vettle.engine.places import unusable
from vettle.engine.project import Project


@contextmanager
def in_one_step(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Yield a stream whose bytes become the file when the block ends, and nothing at all when it raises."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write(project: Project, field: str, path: str, text: str) -> str:
    """Write the text to a path inside the project, replacing what is there; return the path relative to its root.

    Folders that are missing are made. `field` names the argument that the path came from.

    Raises:
        InvalidArgument: The path lies outside the project.
        FilesRefused: It cannot be written.
    """
    relative = project.relative(field, path)
    if why := unusable(PurePath(relative)):
        raise FilesRefused(f"{relative}: {why}. Choose another path.")
    real = (project.root / relative).resolve()
    if not real.is_relative_to(project.root.resolve()):
        # Somebody put a link there since the path was checked.
        raise FilesRefused(f"{relative}: leads out of the project. Choose another path.")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        with in_one_step(real) as stream:
            stream.write(text.encode("utf-8"))
    except OSError as error:
        raise FilesRefused(f"{relative}: cannot be written ({error.strerror}).") from error
    return relative
