"""What a path means that somebody wrote on Windows, macOS or Linux, told without asking a file system.

The root says whose rules hold: a PureWindowsPath those of Windows (drives, UNC shares, backslashes, any case), a
PurePosixPath those of the others. Agents mix both, and a path has to mean the same file however it is spelled.
"""

from __future__ import annotations

import ntpath
import posixpath
import re
from pathlib import PurePath, PurePosixPath, PureWindowsPath

_EXTENDED = re.compile(r"^[\\/]{2}\?[\\/](?:(UNC)[\\/])?", re.IGNORECASE)
_GIT_BASH = re.compile(r"^/([A-Za-z])(?=/|$)")
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE
)
_FORBIDDEN = frozenset('<>:"|?*') | {chr(code) for code in range(32)}
_PARTS = re.compile(r"[\\/]")


def inside(root: PurePath, given: str) -> str | None:
    """Return a path relative to the root, with forward slashes; None if it lies elsewhere, or means nothing there.

    `given` is absolute, or relative to the root; `..` is taken back by the text alone, so links are not followed.
    """
    if isinstance(root, PureWindowsPath):
        return _relative(root, PureWindowsPath(ntpath.normpath(_without_ends(_windows(root, given)))))
    posix = _posix(root, given)
    return None if posix is None else _relative(root, PurePosixPath(posixpath.normpath(posix)))


def _relative(root: PurePath, path: PurePath) -> str | None:
    if path.is_absolute() or path.anchor:
        if not (path.is_absolute() and path.is_relative_to(root)):
            return None
        path = path.relative_to(root)
    return None if ".." in path.parts else path.as_posix()


def _windows(root: PureWindowsPath, given: str) -> str:
    """Return a path of Windows without the prefix for long ones, and with the drive as Windows writes it."""
    prefix = _EXTENDED.match(given)
    if prefix:
        return ("\\\\" if prefix[1] else "") + given[prefix.end() :]
    shell = _GIT_BASH.match(given)
    if shell and root.drive.casefold() == f"{shell[1]}:".casefold():
        return f"{shell[1]}:\\{given[3:]}"
    return given


def _without_ends(path: str) -> str:
    """Leave out the dots and spaces at the end of each name, as Windows does when it opens a file."""
    parts = _PARTS.split(path)
    return "\\".join(part if part in (".", "..") else part.rstrip(". ") or part for part in parts)


def _posix(root: PurePath, given: str) -> str | None:
    """Return a path with forward slashes; one with a drive is known where that drive is mounted as WSL does it."""
    windows = PureWindowsPath(given)
    if not windows.drive:
        return given.replace("\\", "/")
    letter = windows.drive.rstrip(":").casefold()
    if not windows.root or root.parts[:3] != ("/", "mnt", letter):
        return None
    return "/".join((f"/mnt/{letter}", *windows.parts[1:]))


def unusable(path: PurePath) -> str:
    """Return why no file of this name can be made on the system that the path is of, or ""."""
    if not isinstance(path, PureWindowsPath):
        return ""
    for part in path.parts[1:] if path.anchor else path.parts:
        if _RESERVED.fullmatch(part.partition(".")[0].rstrip()):
            return f"{part!r} is the name of a device on Windows"
        if part != part.rstrip(". ") and part not in (".", ".."):
            return f"{part!r} ends with a dot or a space, which Windows drops"
        if bad := next((character for character in part if character in _FORBIDDEN), ""):
            return f"{part!r} holds {bad!r}, which Windows has no file names with"
    return ""
