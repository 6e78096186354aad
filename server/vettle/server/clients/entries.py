"""Our entry: the command that starts this very installation, with the arguments that a client needs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from vettle.server.clients.catalogue import NAME, Client
from vettle.server.clients.formats import FORMATS
from vettle.server.clients.place import Place


def installed(
    program: str = sys.argv[0], interpreter: str = sys.executable, platform: str = sys.platform
) -> tuple[str, ...]:
    """Return the absolute command of this installation: `vettle`, or its interpreter with `-m vettle`.

    Never another `vettle` that happens to be on the PATH: it may be an older one.
    """
    name = "vettle.exe" if platform == "win32" else "vettle"
    # Launchers on Windows take the ending off before the program sees its name.
    ending = ".exe" if platform == "win32" and not program.lower().endswith(".exe") else ""
    for found in (Path(program + ending), Path(interpreter).with_name(name)):
        # Absolute, not resolved: pipx and virtual environments put links where a path stays valid.
        absolute = found.absolute()
        if found.name.lower() == name and absolute.is_file() and os.access(absolute, os.X_OK):
            return (str(absolute),)
    return (str(Path(interpreter).absolute()), "-m", "vettle")


def on_path(place: Place) -> tuple[str, ...]:
    """Return the command that a team shares, `vettle` by its name, or nothing where the PATH has none."""
    return (NAME,) if shutil.which(NAME, path=place.environment.get("PATH", "")) else ()


def is_from_cache(launch: Sequence[str]) -> bool:
    """Tell whether a command lies where `uvx` unpacks what it runs, which `uv cache clean` deletes."""
    return "archive-v0" in PurePath(launch[0]).parts


def entry(client: Client, place: Place, launch: Sequence[str], *, user: bool) -> dict[str, Any]:
    """Return our entry as the client's configuration holds it; `user` says that it is for the user's own file."""
    wanted = client.user_arguments if user else client.arguments
    arguments = [str(place.root) if argument == "{root}" else argument for argument in wanted]
    built = {**client.members, "command": launch[0], "args": [*launch[1:], *arguments]}
    if client.format == "yaml":
        # Continue keeps a list of servers, each with its name inside.
        return {"name": NAME, **built}
    # A list of tools last, as Copilot writes it itself.
    return {key: built[key] for key in ("type", "command", "args", "tools") if key in built}


def snippet(client: Client, place: Place, launch: Sequence[str], *, user: bool = False) -> tuple[Path, str]:
    """Return the file that the client reads, and what it holds when nothing but our entry is in it."""
    location = client.location(user=user)
    built = entry(client, place, launch, user=location.base != "project")
    return location.at(place), FORMATS[client.format].render(client.keys, NAME, built)
