"""What rendering would do to one file: bytes in, a change out, nothing read and nothing written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import unified_diff

from vettle.engine.errors import EditedByHand, FilesRefused
from vettle.engine.paging import tokens
from vettle.engine.records import FileAction, RenderedFile, Target
from vettle.renderers import blocks
from vettle.renderers.documents import Document
from vettle.renderers.lock import Entry

EDITED = "edited by hand"


@dataclass(frozen=True, slots=True)
class Place:
    """One path that rendering is about: what is there, what is wanted there, what the lock file knows.

    `wanted` None means that nothing of vettle's should be there. `preamble` opens the file if vettle has
    to create it.
    """

    path: str
    target: Target
    current: bytes | None
    wanted: Document | None
    entry: Entry | None
    preamble: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What to do at one path: bytes before and after (None: no file), and the lock entry that results."""

    file: RenderedFile
    before: bytes | None
    after: bytes | None
    entry: Entry | None


def refused(place: Place, reason: str, after: bytes | None = None) -> Change:
    """Return the change that is not made; with `after`, its diff shows what it would have been."""
    diff = "" if after is None else _diff(place.path, place.current, after)
    return _change(place, "refused", place.current, place.entry, reason=reason, diff=diff)


def unchanged(place: Place, entry: Entry | None, reason: str = "") -> Change:
    """Return the change that changes nothing."""
    return _change(place, "unchanged", place.current, entry, reason=reason)


def plan_file(place: Place, force: bool) -> Change | None:
    """Plan a file that vettle owns whole; None where nothing is wanted and nothing is there.

    A file that is not in the lock file is refused even with `force`, unless it is what would be written.
    """
    current, wanted = place.current, place.wanted
    after = wanted.text.encode() if wanted else None
    if current is None:
        return _change(place, "create", after, _file_entry(place, after)) if after is not None else None
    if after is not None and _digest(after) == _digest(current):
        return unchanged(place, _file_entry(place, after))
    if place.entry is None:
        return refused(
            place, f"{place.path}: exists, and vettle did not write it. Move or delete it, then render again."
        )
    if _digest(current) != place.entry.sha256 and not force:
        reason = (
            f"{EDITED}: {place.path} is not as vettle wrote it. Undo the edit, or overwrite it with force."
        )
        return refused(place, reason, after or b"")
    return _change(place, "remove" if after is None else "update", after, _file_entry(place, after))


def plan_block(place: Place, force: bool) -> Change | None:
    """Plan a user's file that carries a block; None where nothing is wanted and nothing is there."""
    if place.current is None:
        return _create_with_block(place) if place.wanted else None
    if not place.wanted and not place.entry and b"vettle rules" not in place.current:
        return None
    try:
        return _plan_present_block(place, place.current, force)
    except EditedByHand as error:
        return refused(place, str(error), _with_or_without_block(place, place.current, force=True))
    except FilesRefused as error:
        return refused(place, str(error))


def _create_with_block(place: Place) -> Change:
    after = _with_or_without_block(place, place.preamble.encode(), force=False)
    return _change(place, "create", after, _block_entry(place, place.preamble))


def _plan_present_block(place: Place, current: bytes, force: bool) -> Change | None:
    has_block = blocks.parse(current, place.path).body is not None
    if not place.wanted and not has_block:
        return None
    preamble = place.entry.preamble if place.entry and has_block else None
    after: bytes | None = _with_or_without_block(place, current, force)
    if after == current:
        return unchanged(place, _block_entry(place, preamble))
    if place.wanted:
        return _change(place, "update", after, _block_entry(place, preamble))
    if preamble is not None and after is not None and after.split() == preamble.encode().split():
        return _change(place, "remove", None, None)
    return _change(place, "update", after, None)


def _with_or_without_block(place: Place, data: bytes, force: bool) -> bytes:
    if place.wanted:
        return blocks.put(data, place.wanted.text, path=place.path, force=force)
    return blocks.take(data, path=place.path, force=force)


def _block_entry(place: Place, preamble: str | None) -> Entry:
    return Entry(target=place.target, kind="block", preamble=preamble)


def _file_entry(place: Place, after: bytes | None) -> Entry | None:
    return None if after is None else Entry(target=place.target, kind="file", sha256=_digest(after))


def _digest(data: bytes) -> str:
    """Hash with LF line ends, because git may check a file out with others."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def _change(
    place: Place,
    action: FileAction,
    after: bytes | None,
    entry: Entry | None,
    *,
    reason: str = "",
    diff: str = "",
) -> Change:
    file = RenderedFile(
        path=place.path,
        target=place.target,
        action=action,
        reason=reason,
        tokens=tokens(place.wanted.text) if place.wanted else 0,
        rules=list(place.wanted.rules) if place.wanted else [],
        diff=diff or _diff(place.path, place.current, after),
    )
    return Change(file, place.current, after, entry)


def _diff(path: str, before: bytes | None, after: bytes | None) -> str:
    return "".join(
        unified_diff(
            _diff_lines(before),
            _diff_lines(after),
            "/dev/null" if before is None else f"a/{path}",
            "/dev/null" if after is None else f"b/{path}",
        )
    )


def _diff_lines(data: bytes | None) -> list[str]:
    if not data:
        return []
    lines = [line + "\n" for line in data.decode("utf-8", errors="replace").split("\n")]
    last = lines.pop()
    return lines if last == "\n" else [*lines, last + "\\ No newline at end of file\n"]
