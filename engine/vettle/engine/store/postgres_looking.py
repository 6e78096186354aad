"""A database on a server that is only looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vettle.engine.store.looking import NotPrepared
from vettle.engine.store.postgres import PostgresDatabase, _PostgresConnection


class PostgresToLookAt(PostgresDatabase):
    """The database on a server, which takes no writes of ours."""

    @contextmanager
    def write(self, key: int = 0) -> Iterator[_PostgresConnection]:
        """Refuse (NotPrepared): the only thing ever written here is tables, or the name of a project."""
        raise NotPrepared(f"{self.location}: nothing was ever recorded there under this project's name.")
        yield
