"""Files between hooks, which leave them and end, and the process that records what they say.

In the folder of a project's hooks, which is the user's (`locating.hooks_folder`): `spool/` has one file for each event, in
the order of their names, and in `refused/` those that cannot be recorded, with the reason; `prepared/` has sessions
decided ahead, by the time until which they may start; `sessions/` has what is known of each session of an assistant.
"""

from __future__ import annotations

import json
import os
import sys
import time

from vettle.engine import locating

TYPE_CHECKING = False  # type checkers know the name; importing typing would take a fifth of a hook's time
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

LOCK = "worker.lock"
_FOLDERS = ("spool", "prepared", "sessions")

MOST_FILES = 2_500
"""Events that may wait; while so many do, new ones are dropped. They take at most 20 MB."""


def hooks_folder(root: str) -> str:
    """Return the folder of everything here for a project, made if it is not there; other users do not see into it."""
    folder = locating.hooks_folder(root, os.environ)
    own = os.path.dirname(os.path.dirname(folder))
    for made in (own, os.path.dirname(folder), folder, *(os.path.join(folder, name) for name in _FOLDERS)):
        os.makedirs(made, mode=0o700, exist_ok=True)
    return folder


def write(path: str, content: bytes) -> None:
    """Write a file that only its owner may read, in one step."""
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def read(path: str) -> dict[str, Any]:
    """Return the object in a file, or {} where there is none that can be read."""
    try:
        with open(path, "rb") as stream:
            value = json.loads(stream.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def session_file(folder: str, key: str) -> str:
    """Return the file that knows an assistant's session."""
    return os.path.join(folder, "sessions", f"{key}.json")


def waiting(folder: str) -> list[str]:
    """Return the names of the events that wait, oldest first."""
    try:
        names = os.listdir(os.path.join(folder, "spool"))
    except FileNotFoundError:
        return []
    return sorted(name for name in names if name.endswith(".json"))


def leave(folder: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Leave events for the process that records, unless too many wait already."""
    room = MOST_FILES - len(waiting(folder))
    for number, event in enumerate(events[: max(room, 0)]):
        name = f"{time.time_ns():020d}-{os.getpid()}-{number}.json"
        write(os.path.join(folder, "spool", name), json.dumps(event).encode())


def happened(name: str) -> int:
    """Return when an event happened, in nanoseconds since 1970, from the name of its file (ValueError)."""
    return int(name.partition("-")[0])


def start_worker(root: str, folder: str) -> None:
    """Start the process that records, apart from this one, unless it runs already.

    It looks at the spool once more after letting go of its lock, so what was left before it was asked about here
    is not overlooked.
    """
    if being_drained(folder):
        return
    # -P: the repository that it runs in must not lend it modules.
    command = [sys.executable, "-P", "-m", "vettle", "hook", "record", root]
    if hasattr(os, "posix_spawn"):
        devnull = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
        try:
            os.posix_spawn(command[0], command, os.environ, file_actions=devnull, setsid=True)
        except NotImplementedError:
            pass
        else:
            return
    # Imported here because it takes longer than all the rest.
    import subprocess

    apart = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    subprocess.Popen(  # noqa: S603 - our own interpreter
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=apart,
    )


def being_drained(folder: str) -> bool:
    """Tell whether the process that records runs; where that cannot be told, it does not."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        descriptor = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
