"""Which clients are connected: every entry called vettle in any client's configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vettle.server.clients.catalogue import CLIENTS, NAME, Client
from vettle.server.clients.files import Refused, read_text
from vettle.server.clients.formats import FORMATS
from vettle.server.clients.formats.base import Unusable
from vettle.server.clients.place import Place

__all__ = ["Connection", "Place", "connections"]


@dataclass(frozen=True)
class Connection:
    """One entry, as it stands in the file: nothing in it is expanded. `problem` is "" if the file could be read.

    With a problem, `command` and `args` may be empty. `env` can hold secrets: never show its values.
    """

    client: str
    title: str
    file: Path
    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def connections(place: Place) -> list[Connection]:
    """Return every entry called vettle, and every file that cannot be read, in the order of the catalogue."""
    return [found for client in CLIENTS for found in _of(client, place)]


def _of(client: Client, place: Place) -> Iterator[Connection]:
    unreadable: set[Path] = set()
    for location, keys in (*((one, client.keys) for one in client.locations), *client.read_too):
        file = location.at(place)
        path = tuple(place.root.as_posix() if key == "{root}" else key for key in keys)
        try:
            text = read_text(file)
            servers = FORMATS[client.format].servers(text, path) if text is not None else {}
        except (Refused, Unusable) as error:
            if file not in unreadable:
                yield Connection(client.name, client.title, file, problem=str(error))
            unreadable.add(file)
            continue
        if NAME in servers:
            yield _connection(client, file, servers[NAME])


def _connection(client: Client, file: Path, entry: Any) -> Connection:
    command, args = (entry.get("command"), entry.get("args", [])) if isinstance(entry, dict) else (None, None)
    if not isinstance(command, str) or not isinstance(args, list):
        return Connection(
            client.name, client.title, file, problem="its entry vettle names no command to start"
        )
    env = entry.get("env")
    named = {str(name): str(value) for name, value in env.items()} if isinstance(env, dict) else {}
    return Connection(client.name, client.title, file, command, tuple(map(str, args)), named)
