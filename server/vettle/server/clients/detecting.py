"""Which clients are used here: their folder is in the home folder or in the repository, or their program is there."""

from __future__ import annotations

import shutil

from vettle.server.clients.catalogue import CLIENTS, Client
from vettle.server.clients.place import Place


def detected(place: Place) -> list[Client]:
    """Return the clients that are used here, in the order of the catalogue."""
    return [client for client in CLIENTS if _used(client, place)]


def _used(client: Client, place: Place) -> bool:
    path = place.environment.get("PATH", "")
    return any(location.at(place).exists() for location in client.folders) or any(
        shutil.which(program, path=path) for program in client.programs
    )
