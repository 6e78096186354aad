"""What rendering would do to one file: bytes in, a change out, nothing read and nothing written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import unified_diff

from vettle.engine.errors import EditedByHand, FilesRefused
from vettle.engine.paging import tokens
from vettle.engine.records import FileAction, Refusal, RenderedFile, Target
from vettle.renderers import blocks
from vettle.renderers.documents import Document
from vettle.renderers.lock import Entry, hashes


@dataclass(frozen=True, slots=True)
class Place:
    """One path that rendering is about: what is there, what is wanted there, what the lock file knows.

    `wanted` None means that nothing of vettle's should be there.
    """

    path: str
    target: Target
    current: bytes | None
    wanted: Document | None
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Change:
    """What to do at one path: bytes before and after (None: no file), and the lock entry that results."""

    file: RenderedFile
    before: bytes | None
    after: bytes | None
    entry: Entry | None


def refused(place: Place, refusal: Refusal, reason: str, after: bytes | None = None) -> Change:
    """Return the change that is not made; with `after`, its diff shows what it would have been."""
    diff = "" if after is None else _diff(place.path, place.current, after)
    return _change(place, "refused", place.current, place.entry, reason, refusal=refusal, diff=diff)


def unchanged(place: Place, entry: Entry | None, reason: str = "up to date") -> Change:
    """Return the change that changes nothing."""
    return _change(place, "unchanged", place.current, entry, reason)


def plan_file(place: Place, force: bool) -> Change | None:
    """Plan a file that vettle owns whole; None where nothing is wanted and nothing is there.

    A file that is not in the lock file is refused even with `force`, unless it is what would be written.
    """
    current, wanted = place.current, place.wanted
    after = wanted.text.encode() if wanted else None
    entry = _file_entry(place, wanted) if wanted else None
    if current is None:
        return _change(place, "create", after, entry, "not there yet") if after is not None else None
    if after is not None and digest(after) == digest(current):
        return unchanged(place, entry)
    if place.entry is None:
        reason = f"{place.path}: exists, and vettle did not write it. Move or delete it, then render again."
        return refused(place, "not_ours", reason)
    if not is_as_written(place.entry, current) and not force:
        return refused(place, "edited", _edited(place.path), after or b"")
    if after is None:
        return _change(place, "remove", None, None, "no rule of vettle belongs here now")
    return _change(place, "update", after, entry, _difference(place))


def plan_block(place: Place, force: bool) -> Change | None:
    """Plan a user's file that carries a block; None where nothing is wanted and nothing is there."""
    if place.current is None:
        return _create_with_block(place) if place.wanted else None
    if not place.wanted and not place.entry and b"vettle rules" not in place.current:
        return None
    try:
        return _plan_present_block(place, place.current, force)
    except EditedByHand as error:
        return refused(place, "edited", str(error), _with_or_without_block(place, place.current, force=True))
    except FilesRefused as error:
        return refused(place, "damaged", str(error))


def plan_as_written(place: Place) -> Change:
    """Compare a file with the lock file alone, for a machine whose database does not know its rules."""
    current, entry = place.current, place.entry
    assert entry is not None
    if current is None:
        return _change(place, "create", None, entry, "missing, although lock.json says that vettle wrote it")
    if entry.kind == "file":
        if is_as_written(entry, current):
            return unchanged(place, entry, "as it was written")
        return refused(place, "edited", _edited(place.path))
    try:
        body = blocks.written_body(current, place.path)
    except EditedByHand as error:
        return refused(place, "edited", str(error))
    except FilesRefused as error:
        return refused(place, "damaged", str(error))
    if body is None:
        return _change(
            place, "update", current, entry, "its block is gone, although lock.json says that vettle wrote it"
        )
    return unchanged(place, entry, "as it was written")


def is_as_written(entry: Entry, current: bytes) -> bool:
    """Tell whether a whole file is what vettle last wrote, or was about to replace."""
    return digest(current) in (entry.sha256, entry.previous)


def digest(data: bytes) -> str:
    """Hash with LF line ends, because git may check a file out with others."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def _edited(path: str) -> str:
    return (
        f"edited by hand: {path} is not as vettle wrote it. Undo the edit, take it over with --adopt, or overwrite "
        "it with force."
    )


def _create_with_block(place: Place) -> Change:
    after = _with_or_without_block(place, b"", force=False)
    return _change(place, "create", after, _block_entry(place, created=True), "not there yet")


def _plan_present_block(place: Place, current: bytes, force: bool) -> Change | None:
    has_block = blocks.parse(current, place.path).body is not None
    if not place.wanted and not has_block:
        return None
    created = place.entry is not None and place.entry.created and has_block
    after: bytes | None = _with_or_without_block(place, current, force)
    if after == current:
        return unchanged(place, _block_entry(place, created))
    if place.wanted:
        return _change(place, "update", after, _block_entry(place, created), _difference(place))
    reason = "no rule of vettle belongs here now"
    if created and after is not None and not after.split():
        return _change(place, "remove", None, None, reason)
    return _change(place, "update", after, None, reason)


def _with_or_without_block(place: Place, data: bytes, force: bool) -> bytes:
    if place.wanted:
        return blocks.put(data, place.wanted.text, path=place.path, force=force)
    return blocks.take(data, path=place.path, force=force)


def _difference(place: Place) -> str:
    """Say in which rules the file differs from what is wanted, as far as the lock file knows what it holds."""
    assert place.wanted is not None
    old, new = place.entry.rules if place.entry else {}, hashes(place.wanted.lines)
    counts = {
        "to add": len(new.keys() - old.keys()),
        "to take out": len(old.keys() - new.keys()),
        "reworded": sum(old[rule] != new[rule] for rule in old.keys() & new.keys()),
    }
    said = [f"{count} {what}" for what, count in counts.items() if count]
    return f"rules: {', '.join(said)}" if said else "its order or form differs"


def _block_entry(place: Place, created: bool) -> Entry:
    lines = place.wanted.lines if place.wanted else ()
    return Entry(target=place.target, kind="block", created=created, rules=hashes(lines))


def _file_entry(place: Place, wanted: Document) -> Entry:
    return Entry(
        target=place.target,
        kind="file",
        sha256=digest(wanted.text.encode()),
        rules=hashes(wanted.lines),
        globs=wanted.globs,
    )


def _change(
    place: Place,
    action: FileAction,
    after: bytes | None,
    entry: Entry | None,
    reason: str,
    *,
    refusal: Refusal = "",
    diff: str = "",
) -> Change:
    file = RenderedFile(
        path=place.path,
        target=place.target,
        action=action,
        reason=reason,
        refusal=refusal,
        tokens=tokens(place.wanted.text) if place.wanted else 0,
        rules=_rules(place, action),
        diff=diff or _diff(place.path, place.current, after),
    )
    return Change(file, place.current, after, entry)


def _rules(place: Place, action: FileAction) -> list[str]:
    """Return the rules in the file afterwards, as far as they are known."""
    if place.wanted:
        return [line.rule_id for line in place.wanted.lines]
    return list(place.entry.rules) if place.entry and action == "unchanged" else []


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
