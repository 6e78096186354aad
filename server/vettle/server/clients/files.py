"""Reading and writing a client's configuration: regular files only, in one step, with the permissions they had."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vettle.engine.files import in_one_step

_LARGEST = 50_000_000
_OWN = 0o600
_SHARED = 0o666


class Refused(Exception):
    """Raised when a file is not one that may be edited; it is left as it is."""


def read(file: Path) -> bytes | None:
    """Return what is in a file, None if it is not there.

    Raises:
        Refused: It is a link, a folder or a device, too large, or cannot be read.
    """
    try:
        found = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror})") from error
    if stat.S_ISLNK(found.st_mode):
        raise Refused("is a link; edit the file that it leads to, or use --print")
    if not stat.S_ISREG(found.st_mode):
        raise Refused("is a folder, not a file" if stat.S_ISDIR(found.st_mode) else "is no regular file")
    if found.st_size > _LARGEST:
        raise Refused(f"is larger than {_LARGEST // 1_000_000} MB")
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror})") from error


def read_text(file: Path) -> str | None:
    """Return the text of a file, None if it is not there; `Refused` if it is not UTF-8 either."""
    content = read(file)
    return None if content is None else decoded(content)


def decoded(content: bytes) -> str:
    """Return bytes as text, with their byte order mark and line ends, so that encoding it gives them back."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refused(f"line {line}: it is not UTF-8") from error


def encoded(text: str) -> bytes:
    """Return a text as bytes; `Refused` if it holds what UTF-8 cannot say, such as some names of files."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused("cannot hold the command, because its path is not valid Unicode") from error


def raise_unless_inside(file: Path, root: Path) -> None:
    """Raise `Refused` if a folder above a file of the project at `root` is a link that leads out of it.

    Files elsewhere, such as in the home folder, are a person's, who may link what they like.
    """
    if file.is_relative_to(root) and not _leads_into(file.parent, root):
        raise Refused("lies outside the project, because a folder above it is a link")


def _leads_into(folder: Path, root: Path) -> bool:
    try:
        return folder.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        # Links in a circle lead nowhere.
        return False


def raise_unless_writable(file: Path) -> None:
    """Raise `Refused` if a file is read-only (replacing it would get around what somebody set) or cannot be made."""
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refused(f"cannot be made ({error.strerror})") from error
    if not mode & stat.S_IWUSR or not os.access(file, os.W_OK):
        raise Refused("is read-only; make it writable, or use --print")


def missing_folders(file: Path) -> list[Path]:
    """Return the folders above a file that are not there, the outermost first."""
    return [folder for folder in reversed(file.parents) if not folder.exists()]


def write(file: Path, content: bytes, *, expected: bytes | None, private: bool) -> None:
    """Put the content into the file in one step, making its folders; `private` files are for their owner's eyes.

    Raises:
        Refused: The file is not what it was `expected` to be any more, or it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if read(file) != expected:
            raise Refused("was changed by another program just now; run this again")
        mode = None if expected is None else stat.S_IMODE(file.stat().st_mode)
        with in_one_step(file, _OWN if private or mode is not None else _SHARED) as stream:
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(stream.fileno(), mode)
            stream.write(content)
    except OSError as error:
        raise Refused(f"cannot be written ({error.strerror})") from error


def delete(file: Path, *, expected: bytes, folders: list[Path]) -> None:
    """Delete the file, and those of the folders that are then empty, the innermost last in the list."""
    try:
        if read(file) != expected:
            raise Refused("was changed by another program just now; run this again")
        file.unlink()
    except OSError as error:
        raise Refused(f"cannot be deleted ({error.strerror})") from error
    for folder in reversed(folders):
        try:
            folder.rmdir()
        except OSError:
            # Something else is in it by now, so it stays.
            return
