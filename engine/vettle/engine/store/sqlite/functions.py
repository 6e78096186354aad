"""`instr` and `replace` for a user's SQL, in time that grows with the length of the text alone.

SQLite's own compare at every place, which takes seconds for texts that nearly match, and nothing interrupts a
function. Python's search does not.
"""

from __future__ import annotations

import apsw

from vettle.engine.store.database import Value

LONGEST = 250_000
"""Characters that a text of a user's query may have."""


def add_to(connection: apsw.Connection) -> None:
    """Put them in the place of SQLite's own on this connection."""
    connection.create_scalar_function("instr", lambda *values: _instr(*values), 2, deterministic=True)
    connection.create_scalar_function("replace", lambda *values: _replace(*values), 3, deterministic=True)


def _instr(text: Value, part: Value) -> int | None:
    if text is None or part is None:
        return None
    if isinstance(text, bytes) and isinstance(part, bytes):
        return text.find(part) + 1
    return _as_text(text).find(_as_text(part)) + 1


def _replace(text: Value, old: Value, new: Value) -> Value:
    if text is None or old is None or new is None:
        return None
    whole, part, other = _as_text(text), _as_text(old), _as_text(new)
    if not part:
        return text
    if len(whole) + whole.count(part) * (len(other) - len(part)) > LONGEST:
        raise apsw.TooBigError("string or blob too big")
    return whole.replace(part, other)


def _as_text(value: Value) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return f"{value:.15g}" if isinstance(value, float) and not value.is_integer() else str(value)
