"""What was put into which file, so that it can be taken out again: kept in `.vettle/`, on this machine only.

Of other people's text nothing is kept but a checksum, because configurations hold secrets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vettle.engine.errors import FilesRefused
from vettle.engine.files import in_one_step
from vettle.engine.records import Record
from vettle.engine.root import STATE_FOLDER
from vettle.server.clients.formats.base import Segment

# *.lock is what the .gitignore in .vettle/ keeps out of git: paths of one machine are of no use to another.
FILE = "clients.lock"


class Written(Record):
    """What was put into one file: `segments`, each a count of characters before it and its text.

    `after` is the checksum of the whole file as we left it; `entry` is our entry as data. `created` says that the file was
    not there, `folders` which folders were made for it. `replaced` says that another entry had to go.
    """

    client: str
    after: str
    segments: list[Segment]
    entry: dict[str, Any]
    created: bool
    folders: list[str]
    replaced: bool = False

    @property
    def text(self) -> str:
        """The text of our entry."""
        return max((segment.text for segment in self.segments), key=len, default="")


class Memory(Record):
    """Everything that was written, by the absolute path of the file.

    It is kept with paths inside the project relative to its root, so that a project that was moved can still be undone.
    """

    version: int = 1
    files: dict[str, Written] = {}  # noqa: RUF012 - pydantic copies the defaults of fields

    def with_file(self, file: Path, written: Written | None) -> Memory:
        """Return the memory with what was written to a file, or without that file."""
        files = {path: kept for path, kept in self.files.items() if path != str(file)}
        return Memory(files={**files, str(file): written} if written else files)

    def renamed(self, name: Callable[[str], str]) -> Memory:
        """Return the memory with every path under another name."""
        return Memory(
            files={
                name(file): written.model_copy(
                    update={"folders": [name(folder) for folder in written.folders]}
                )
                for file, written in self.files.items()
            }
        )


def checksum(content: bytes) -> str:
    """Return the checksum by which a file is recognised."""
    return hashlib.sha256(content).hexdigest()


def load(root: Path) -> Memory:
    """Return what is remembered of a project.

    Raises:
        FilesRefused: The file is damaged.
    """
    file = root / STATE_FOLDER / FILE
    try:
        # What is absolute stays what it is.
        return Memory.model_validate_json(file.read_bytes()).renamed(lambda path: str(root / path))
    except FileNotFoundError:
        return Memory()
    except (OSError, ValidationError) as error:
        raise FilesRefused(
            f"{file}: cannot be read, so what init wrote is not known. Delete it; entries that are there then count "
            "as somebody else's."
        ) from error


def save(root: Path, memory: Memory) -> None:
    """Keep what was written; a memory of nothing leaves no file."""
    file = root / STATE_FOLDER / FILE
    try:
        if not memory.files:
            file.unlink(missing_ok=True)
            return
        with in_one_step(file, 0o600) as stream:
            stream.write(
                memory.renamed(lambda path: _relative(path, root)).model_dump_json(indent=1).encode()
            )
    except OSError as error:
        raise FilesRefused(f"{file}: cannot be written ({error.strerror}). No more was connected.") from error


def _relative(path: str, root: Path) -> str:
    return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path
