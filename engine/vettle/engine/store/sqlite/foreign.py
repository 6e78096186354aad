"""Reading the databases of other programs, from a copy, so that the file stays as it is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import apsw

from vettle.engine.errors import StoreDamaged, StoreUnavailable
from vettle.engine.store.database import Value


def foreign_tables(path: Path) -> dict[str, list[dict[str, Value]]]:
    """Return every row of every table of another program's database, by table name, in row order.

    The file is copied first together with its write-ahead log, because even reading would leave files beside it.

    Raises:
        StoreDamaged: It is no SQLite database, or a damaged one.
        StoreUnavailable: It cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="vettle-") as folder:
        copy = Path(folder) / "copy.db"
        try:
            shutil.copyfile(path, copy)
            log = path.with_name(f"{path.name}-wal")
            if log.exists():
                shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
        except OSError as error:
            raise StoreUnavailable(f"{path}: cannot be read ({error.strerror}).") from error
        try:
            connection = apsw.Connection(str(copy))
            try:
                # A damaged page can hide rows without an error, so the pages are checked first.
                problem = str(next(connection.execute("PRAGMA quick_check(1)"))[0])
                if problem != "ok":
                    raise StoreDamaged(f"{path}: the database is damaged ({problem}). It was left as it is.")
                names = [
                    str(row[0])
                    for row in connection.execute(
                        # A virtual table has no page, and needs a module that may not be here.
                        "SELECT name FROM sqlite_schema WHERE type='table' AND rootpage>0 ORDER BY name"
                    )
                ]
                return {name: _rows(connection, name) for name in names if not name.startswith("sqlite_")}
            finally:
                connection.close()
        except apsw.Error as error:
            raise StoreDamaged(
                f"{path}: the database cannot be read ({error}). It was left as it is."
            ) from error


def _rows(connection: apsw.Connection, table: str) -> list[dict[str, Value]]:
    quoted = table.replace('"', '""')
    cursor = connection.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - an identifier, quoted
    names: list[str] = []
    found = []
    for row in cursor:
        names = names or [str(column[0]) for column in cursor.get_description()]
        found.append(dict(zip(names, row, strict=True)))
    return found
