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

from vettle.engine import prepared_files
from vettle.engine.clock import Clock, system_clock
from vettle.engine.errors import (
    ClientRefReused,
    ConfigurationInvalid,
    InvalidArgument,
    StoreUnavailable,
)
from vettle.engine.identifiers import canonical_json, digest, new_uid, reference_uid
from vettle.engine.places import inside
from vettle.engine.records import Record
from vettle.engine.root import STATE_FOLDER
from vettle.engine.settings import Settings, load
from vettle.engine.store import MEMORY, Store, Transaction, caches, is_url, open_store, without_secrets
from vettle.engine.store.database import Selection

if TYPE_CHECKING:
    from vettle.engine.learning import Learning

PERSON = "person"
"""The actor of whoever works at a terminal: agents with a shell could edit the files themselves."""

DATABASE = "vettle.db"
CONFIGURATION = "config.toml"
RENDERED_FILES = "lock.json"
"""In the state folder: which rule files were written, when rendering wrote some."""

_IGNORED = "vettle.db*\n*.lock\n"

Answer = TypeVar("Answer", bound=Record)


def prepare_state_folder(root: Path) -> Path:
    """Make `.vettle/` with a .gitignore that keeps the database out of git; return the folder."""
    folder = root / STATE_FOLDER
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not os.path.lexists(ignore):
            # A link that leads nowhere is somebody else's: what it names is not ours to make.
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
        self,
        root: Path,
        *,
        actor: str = PERSON,
        clock: Clock = system_clock,
        store: Store | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Use the folder as the project's root.

        `actor` is who is logged as the author of decisions. `store` replaces the database, for tests.
        VETTLE_DATABASE_URL and VETTLE_DATABASE_PROJECT of the environment go before the settings.

        Raises:
            ConfigurationInvalid: `.vettle/config.toml` or VETTLE_DATABASE_URL says something unusable, or a shared
                database is to be used and nothing names this project in it.
        """
        self.root = root
        self.actor = actor
        self.clock = clock
        self.settings: Settings = load(root / STATE_FOLDER / CONFIGURATION)
        shared = self.settings.database
        self._url = environment.get("VETTLE_DATABASE_URL", "") or shared.url
        self._name = environment.get("VETTLE_DATABASE_PROJECT", "") or shared.project
        if self._url and not is_url(self._url):
            # Not quoted: it may be a connection string with a password.
            raise ConfigurationInvalid(
                "VETTLE_DATABASE_URL is no URL. Set it to postgresql://user@host:5432/name, or unset it to use the "
                f"file {self.database}."
            )
        if self._url and not self._name:
            raise ConfigurationInvalid(
                f"{root / STATE_FOLDER / CONFIGURATION}: a shared database needs the project's name, the same in every "
                f'clone. Add it: [database] project = "{root.name}", or set VETTLE_DATABASE_PROJECT.'
            )
        self._opening = threading.Lock()
        self._store = store
        self._learning: Learning | None = None
        self.kept: dict[str, Any] = {}
        """What this process keeps so as not to read the log again, by who keeps it; never the truth."""

    @property
    def database(self) -> Path:
        """Where the database file is, or would be: a shared database takes its place."""
        return self.root / STATE_FOLDER / DATABASE

    @property
    def state_folder(self) -> Path:
        """The folder in which this project keeps what is its own; it need not exist."""
        return self.root / STATE_FOLDER

    @property
    def location(self) -> str:
        """Where the facts are, without any password, and under which name where several projects share it."""
        if not self._url:
            return str(self.database)
        return f"{without_secrets(self._url)} as {self._name!r}"

    @property
    def shared(self) -> bool:
        """Whether the facts are in a database on a server, and not in a file of this project."""
        return bool(self._url)

    @property
    def exists(self) -> bool:
        """Whether anything was ever recorded, as far as that can be told without asking a server."""
        return self._store is not None or bool(self._url) or self.database.exists()

    def _opened(self) -> Store:
        with self._opening:
            if self._store is None:
                self._store = self.open_again()
            return self._store

    def open_again(self) -> Store:
        """Open the project's database anew, as another process would."""
        if self._url:
            return open_store(self._url, clock=self.clock, project=self._name)
        prepare_state_folder(self.root)
        return open_store(self.database, clock=self.clock, durability=self.settings.durability)

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
        if transaction.rules_decided:
            # What was prepared before could still hand out a rule that was just retired or reworded.
            prepared_files.discard(self.root)

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
        root = self.root.resolve()
        found = inside(root, path)
        try:
            resolved = (root / (path if found is None else found)).resolve()
            # Whether it is there does not matter, but whether it could be: links in a circle, names that are too long.
            resolved.exists()
        except (OSError, RuntimeError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it cannot be followed"
            raise InvalidArgument(
                field, f"{path[:80]!r} is no path here ({why})", "Give a path inside the project"
            ) from error
        foreign = os.name != "nt" and PureWindowsPath(path).drive and found is None
        if foreign or not resolved.is_relative_to(root):
            raise InvalidArgument(
                field,
                f"{path[:200]!r} lies outside the project",
                f"Give a path inside {root}, or relative to it.",
            )
        return resolved.relative_to(root).as_posix() if found is None else found

    def close(self) -> None:
        """Let go of the database."""
        if self._store is not None:
            self._store.close()
