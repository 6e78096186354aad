"""A project: its root folder, its settings, its store, and the posterior learned from it.

Every function of the engine takes one. The database is made by the first call that records something;
until then reading calls see an empty one, so looking at a repository leaves no trace in it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, TypeVar

from vettle.engine.clock import Clock, system_clock
from vettle.engine.errors import ClientRefReused, InvalidArgument, ProjectNotFound, StoreUnavailable
from vettle.engine.identifiers import canonical_json, digest, new_uid, reference_uid
from vettle.engine.records import Record
from vettle.engine.settings import Settings, load
from vettle.engine.store import MEMORY, Store, Transaction, caches, open_store
from vettle.engine.store.database import Selection

if TYPE_CHECKING:
    from vettle.engine.learning import Learning

PERSON = "person"
"""The actor of whoever works at a terminal: agents with a shell could edit the files themselves."""

STATE_FOLDER = ".vettle"
DATABASE = "vettle.db"
CONFIGURATION = "config.toml"
_IGNORED = "vettle.db*\n*.lock\n"

Answer = TypeVar("Answer", bound=Record)


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


def prepare_state_folder(root: Path) -> Path:
    """Make `.vettle/` with a .gitignore that keeps the database out of git; return the folder."""
    folder = root / STATE_FOLDER
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text(_IGNORED, encoding="utf-8")
    except OSError as error:
        raise StoreUnavailable(
            f"{folder}: cannot be made ({error.strerror}). Nothing was recorded. "
            "Make the project writable, or name another with --project DIR."
        ) from error
    return folder


class Project:
    """One project, open in this process. Safe to use from several threads."""

    def __init__(
        self, root: Path, *, actor: str = PERSON, clock: Clock = system_clock, store: Store | None = None
    ) -> None:
        """Use the folder as the project's root.

        `actor` is who is logged as the author of decisions. `store` replaces the database, for tests.

        Raises:
            ConfigurationInvalid: `.vettle/config.toml` says something unusable.
        """
        self.root = root
        self.actor = actor
        self.clock = clock
        self.settings: Settings = load(root / STATE_FOLDER / CONFIGURATION)
        self._opening = threading.Lock()
        self._store = store
        self._learning: Learning | None = None
        self.kept: dict[str, Any] = {}
        """What this process keeps so as not to read the log again, by who keeps it; never the truth."""

    @property
    def database(self) -> Path:
        """Where the database is, or will be."""
        return self.root / STATE_FOLDER / DATABASE

    @property
    def exists(self) -> bool:
        """Whether anything was ever recorded."""
        return self._store is not None or self.database.exists()

    def _opened(self) -> Store:
        with self._opening:
            if self._store is None:
                prepare_state_folder(self.root)
                self._store = open_store(self.database, clock=self.clock, durability=self.settings.durability)
            return self._store

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the one transaction that may write; it commits when the block ends, or not at all."""
        with self._opened().write() as transaction:
            try:
                yield transaction
            except BaseException:
                # What was folded in this block is not in the log, so the posterior must be read again.
                self._learning = None
                raise

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that only reads."""
        if self.exists:
            with self._opened().read() as transaction:
                yield transaction
        else:
            empty = open_store(MEMORY, clock=self.clock)
            try:
                with empty.read() as transaction:
                    yield transaction
            finally:
                empty.close()

    def query(self, sql: str, *, limit: int, seconds: float) -> Selection:
        """Run one SELECT that a user wrote (`database.QueryRefused`); it sees this project and changes nothing."""
        if self.exists:
            return self._opened().query(sql, limit=limit, seconds=seconds)
        empty = open_store(MEMORY, clock=self.clock)
        try:
            return empty.query(sql, limit=limit, seconds=seconds)
        finally:
            empty.close()

    def learning(self, transaction: Transaction) -> Learning:
        """Return what has been learned from all events up to this transaction."""
        # Imported here because numpy costs 0.1 s, which no command that does not learn should pay.
        from vettle.engine.learning import Learning

        if self._learning is None or not self.exists:
            self._learning = Learning.restore(transaction)
        self._learning.catch_up(transaction)
        return self._learning

    def learning_as_of(self, transaction: Transaction, event: int) -> Learning:
        """Return what was known right after the given event, folded anew from the whole log."""
        from vettle.engine.learning import Learning

        return Learning.as_of(transaction, event)

    def once(
        self,
        kind: type[Answer],
        operation: str,
        client_ref: str,
        arguments: Mapping[str, object],
        work: Callable[[Transaction, bytes], Answer],
    ) -> Answer:
        """Do the work in one transaction and return its answer; a retry gets the first answer again.

        `work` receives the transaction and the uid of the event it shall append. A retry is a call of the
        same operation with the same non-empty `client_ref` and the same arguments.

        Raises:
            ClientRefReused: The `client_ref` was used with other arguments.
        """
        asked = digest(canonical_json(dict(arguments)))
        with self.write() as transaction:
            if not client_ref:
                return work(transaction, new_uid(transaction.now))
            uid = reference_uid(operation, client_ref)
            kept = caches.reply(transaction, uid)
            if kept is not None:
                if kept[0] != asked:
                    raise ClientRefReused(client_ref)
                return kind.model_validate_json(kept[1])
            answer = work(transaction, uid)
            caches.keep_reply(transaction, uid, asked, answer.model_dump_json())
            return answer

    def relative(self, field: str, path: str) -> str:
        """Return a path of the project, given absolute or relative to its root, relative and with forward slashes.

        The file need not exist.

        Raises:
            InvalidArgument: The path, or the file a link there points to, lies outside the project.
        """
        if not path:
            return ""
        root, given = self.root.resolve(), path
        if os.name != "nt":
            given = path.replace("\\", "/")
        resolved = (root / given).resolve()
        foreign = os.name != "nt" and PureWindowsPath(path).drive
        if foreign or not resolved.is_relative_to(root):
            raise InvalidArgument(
                field,
                f"{path[:200]!r} lies outside the project",
                f"Give a path inside {root}, or relative to it.",
            )
        inside = resolved.relative_to(root) if Path(given).is_absolute() else Path(os.path.normpath(given))
        return inside.as_posix()

    def close(self) -> None:
        """Let go of the database."""
        if self._store is not None:
            self._store.close()
