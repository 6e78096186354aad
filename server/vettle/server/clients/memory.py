"""What was put into which file of others, so that it can be taken out again: kept on this machine only.

`vettle init` and `vettle hook install` remember the same, each in a file of its own. Of other people's text nothing is
kept but a checksum, because configurations hold secrets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vettle.engine.errors import FilesRefused
from vettle.engine.files import in_one_step
from vettle.engine.records import Record
from vettle.engine.root import STATE_FOLDER
from vettle.engine.store.lock import FileLock
from vettle.server.clients.formats.base import Segment, take_out


class Written(Record):
    """What was put into one file for a client: `segments`, each a count of characters before it and its text.

    `after` is the checksum of the whole file as we left it; `entry` is what we put in as data. `created` says that the
    file was not there, `folders` which folders were made for it. `replaced` says that another entry had to go.
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

    def taken_out_of(self, text: str) -> str | None:
        """Return the text of the file as it was before, or None if it is not the one that we left."""
        return take_out(text, self.segments) if checksum(text.encode()) == self.after else None


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


@dataclass(frozen=True)
class Keeper:
    """Keeps the memory of the project at `root` in a file; `lock` is the file by which one process at a time does."""

    root: Path
    file: Path
    lock: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else plan, write and remember meanwhile: of two at once, neither forgets what the other wrote.

        Raises:
            StoreUnavailable: Another process has been at it for half a minute, or the lock cannot be taken.
        """
        if not self.file.parent.is_dir():
            # Only undoing comes here: nothing was put anywhere, so nothing has to be remembered.
            yield
            return
        lock = FileLock(self.lock)
        try:
            with lock:
                yield
        finally:
            lock.close()

    def load(self) -> Memory:
        """Return what is remembered of the project.

        Raises:
            FilesRefused: The file is damaged.
        """
        try:
            # What is absolute stays what it is.
            kept = Memory.model_validate_json(self.file.read_bytes())
            return kept.renamed(lambda path: str(self.root / path))
        except FileNotFoundError:
            return Memory()
        except (OSError, ValidationError) as error:
            raise FilesRefused(
                f"{self.file}: cannot be read, so what was put into which file is not known. Delete it; what it knew of "
                "can then not be taken out byte for byte any more."
            ) from error

    def save(self, memory: Memory) -> None:
        """Keep what was written; a memory of nothing leaves no file.

        Raises:
            FilesRefused: It cannot be written.
        """
        try:
            if not memory.files:
                self.file.unlink(missing_ok=True)
                return
            with in_one_step(self.file, 0o600) as stream:
                stream.write(memory.renamed(self._relative).model_dump_json(indent=1).encode())
        except OSError as error:
            raise FilesRefused(
                f"{self.file}: cannot be written ({error.strerror}). No more files were changed."
            ) from error

    def _relative(self, path: str) -> str:
        return Path(path).relative_to(self.root).as_posix() if Path(path).is_relative_to(self.root) else path


def of_project(root: Path) -> Keeper:
    """Return what keeps the memory of `vettle init`: a file in the project's `.vettle/`."""
    folder = root / STATE_FOLDER
    # *.lock is what the .gitignore there keeps out of git: paths of one machine are of no use to another.
    return Keeper(root, folder / "clients.lock", folder / "init.lock")
