"""The names that a database file holds, for completion: read without opening the store.

Opening the store may bring an older database up to date, makes files and waits for locks; none of it may happen
because somebody pressed a key.
"""

from __future__ import annotations

from pathlib import Path

import apsw

_SELECT = {
    "rule": "SELECT id FROM rule WHERE status<>'retired' AND substr(id, 1, ?)=? ORDER BY event DESC LIMIT ?",
    "session": "SELECT id FROM session WHERE substr(id, 1, ?)=? ORDER BY started DESC LIMIT ?",
    "experiment": "SELECT name FROM experiment WHERE substr(name, 1, ?)=? GROUP BY name ORDER BY max(event) DESC LIMIT ?",
    "context": "SELECT context FROM session WHERE context<>'' AND substr(context, 1, ?)=? "
    "GROUP BY context ORDER BY max(started) DESC LIMIT ?",
}
_WAIT = 50  # milliseconds


def beginning_with(path: Path, kind: str, prefix: str, *, limit: int) -> list[str]:
    """Return names of one kind that begin with the prefix, newest first; nothing is created beside the file.

    Raises:
        apsw.Error: The file cannot be read as what it should be.
    """
    connection = apsw.Connection(_address(path), flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        connection.set_busy_timeout(_WAIT)
        rows = connection.execute(_SELECT[kind], (len(prefix), prefix, limit)).fetchall()
    finally:
        connection.close()
    return [str(row[0]) for row in rows]


def _address(path: Path) -> str:
    """Return the file's URI; where nobody has it open, as one that does not change, which needs no file beside it."""
    beside = (path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm"))
    options = "mode=ro" if all(file.exists() for file in beside) else "immutable=1"
    return f"{path.absolute().as_uri()}?{options}"
