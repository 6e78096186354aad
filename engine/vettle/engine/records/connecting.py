"""What connecting agents' clients did: one line per file, and what the person must do next."""

from __future__ import annotations

from typing import Literal

from vettle.engine.records.base import Record
from vettle.engine.records.rendering import RulesImported

ConnectionAction = Literal[
    "create", "add", "update", "remove", "delete", "unchanged", "kept", "absent", "refused"
]


class ClientConnection(Record):
    """What happens, or happened, to one client's configuration file.

    `create` makes the file and `delete` deletes it again; `add`, `update` and `remove` are about our entry in it alone.
    `kept` is an entry with our name that init did not write, which stays. `absent` is one that was to be removed and is
    not there. `detail` says why, or what to know. `diff` has only the changed lines, with secrets replaced. `hint` is
    what the person must do in the client, "" if nothing.
    """

    client: str
    title: str
    file: str
    action: ConnectionAction
    detail: str = ""
    diff: str = ""
    hint: str = ""


class Initialised(Record):
    """The answer to `vettle init`.

    `applied` is false when this only shows what would happen. `rules` is null where no import was wanted.
    """

    root: str
    applied: bool
    clients: list[ClientConnection]
    rules: RulesImported | None
    notes: list[str]
    next_step: str
