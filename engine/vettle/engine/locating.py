"""Finding the folder that a project is in, with `os.path` alone.

Hooks run at every step of an agent and must cost next to nothing, so this imports nothing that they would
not need anyway; `vettle.engine.root` is the same for everybody else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

STATE_FOLDER = ".vettle"
"""The folder at the root that holds what vettle keeps."""

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_LONGEST_NAME = 150
_LONGEST_PATH = 32_768


def locate(explicit: str, environment: Mapping[str, str], start: str) -> str:
    """Return the absolute path of the project root; the order is that of `root.find_root`.

    `start` is where the search upwards begins, "" the working directory.

    Raises:
        LookupError: Nothing names a folder, or what is named is no folder; its text says which.
    """
    for name, value in (("--project", explicit), ("VETTLE_PROJECT", environment.get("VETTLE_PROJECT", ""))):
        if value:
            return _required(name, value)
    begun = environment.get("CLAUDE_PROJECT_DIR", "")
    if begun:
        # Claude Code says where it was started, which may be a folder deep inside the project.
        folder = _required("CLAUDE_PROJECT_DIR", begun)
        return _marked(folder, environment) or folder
    try:
        here = _real(start or os.getcwd())
    except (OSError, ValueError):
        raise LookupError("the working directory is gone, or is no folder that can be") from None
    found = _marked(here, environment)
    if not found:
        raise LookupError(f"no {STATE_FOLDER}/ or .git at or above {here}")
    return found


def _marked(here: str, environment: Mapping[str, str]) -> str:
    """Return the nearest folder upwards that holds our state, else the nearest repository, else ""."""
    homes = {os.path.normcase(os.path.realpath(os.path.expanduser(home))) for home in _homes(environment)}
    candidates = [
        folder
        for folder in _upwards(here)
        if os.path.normcase(folder) not in homes and folder != os.path.dirname(folder)
    ]
    for marker in (STATE_FOLDER, ".git"):
        for folder in candidates:
            if os.path.exists(os.path.join(folder, marker)):
                return folder
    return ""


def _homes(environment: Mapping[str, str]) -> list[str]:
    """Return what may be the home directory; a shell on Windows has a HOME that Windows does not go by."""
    named = [environment[name] for name in ("HOME", "USERPROFILE") if environment.get(name)]
    return named or ["~"]


def state_home(environment: Mapping[str, str]) -> str:
    """Return the folder of what programs keep for this user, outside of every project (XDG_STATE_HOME).

    Raises:
        FileNotFoundError: Nothing says where the user's home is.
    """
    named = environment.get("XDG_STATE_HOME", "")
    if os.path.isabs(named):
        return named
    if os.name == "nt":
        found = environment.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    else:
        found = os.path.join(environment.get("HOME") or os.path.expanduser("~"), ".local", "state")
    if not os.path.isabs(found):
        raise FileNotFoundError("no home directory: set HOME or XDG_STATE_HOME")
    return found


def hooks_folder(root: str, environment: Mapping[str, str]) -> str:
    """Return the folder of what hooks keep about a project; it need not exist.

    It is the user's and not in the project: whatever a repository brings along, agents are not told it as rules.
    """
    return os.path.join(state_home(environment), "vettle", "hooks", file_name(os.path.realpath(root)))


def file_name(text: str) -> str:
    """Return a name of a file for any text, another one for each text, which every file system can hold."""
    name = "".join(
        chr(byte) if chr(byte) in _PLAIN else f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass")
    )
    if len(name) <= _LONGEST_NAME:
        return name
    # Imported here because it takes longer than all the rest, and hardly any text is so long.
    import hashlib

    return hashlib.sha256(name.encode()).hexdigest()


def _required(name: str, value: str) -> str:
    """Return the folder that a setting names (LookupError)."""
    root = _folder(value)
    if not root:
        raise LookupError(f"{name} names {value[:200]!r}, which is no folder")
    return root


def _folder(value: str) -> str:
    """Return the folder that a text names, or "" where it names none."""
    try:
        found = _real(os.path.expanduser(value))
        return found if os.path.isdir(found) else ""
    except (OSError, ValueError):
        # The name is too long, or holds what no name can.
        return ""


def _real(path: str) -> str:
    """Return a path without links (ValueError for one that no system could have: each of its parts is looked up)."""
    if len(path) > _LONGEST_PATH:
        raise ValueError("too long")
    return os.path.realpath(path)


def _upwards(folder: str) -> list[str]:
    """Return a folder and those that it is in, up to the root of the file system."""
    folders = [folder]
    while (parent := os.path.dirname(folder)) != folder:
        folders.append(folder := parent)
    return folders
