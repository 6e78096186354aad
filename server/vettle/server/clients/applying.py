"""Carrying out what was planned: one file at a time, each remembered before it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from vettle.engine.quarantine import redact
from vettle.engine.records.connecting import ConnectionAction
from vettle.server.clients import files
from vettle.server.clients.files import Refused
from vettle.server.clients.memory import Keeper, Memory, Written


@dataclass(frozen=True)
class Change:
    """What is to be done to one file for a client, which is named: its bytes `before` and `after` (None: no file).

    `written` is what to remember then, None to forget the file. `private` files are for their owner's eyes.
    """

    client: str
    file: Path
    action: ConnectionAction
    detail: str = ""
    before: bytes | None = None
    after: bytes | None = None
    written: Written | None = None
    private: bool = False

    @property
    def writes(self) -> bool:
        """Whether anything is to be written, or forgotten."""
        return self.action not in ("unchanged", "kept", "refused")

    @property
    def diff(self) -> str:
        """The changed lines alone, without secrets: the lines around them may hold those of others."""
        old, new = ((content or b"").decode(errors="replace") for content in (self.before, self.after))
        if not self.writes or old == new:
            return ""
        name = str(self.file)
        lines = unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm="", n=0)
        return redact("\n".join(lines))


def refused(client: str, file: Path, error: Exception) -> Change:
    """Return the change that changes nothing, because of an error."""
    return Change(client, file, "refused", f"{error}. Left as it is.")


def carried_out(
    plan: Callable[[Memory], Iterable[Change]], keeper: Keeper, *, apply: bool = True
) -> list[Change]:
    """Plan with what is remembered, write, and return what was done; without `apply`, what would be.

    A change that fails is returned as refused and stops no other.

    Raises:
        FilesRefused: What was written cannot be remembered, so no more is written.
        StoreUnavailable: Another process has been at it for half a minute, or the lock cannot be taken.
    """
    if not apply:
        return list(plan(keeper.load()))
    done = []
    with keeper.locked():
        memory = keeper.load()
        for change in list(plan(memory)):
            if change.writes:
                change, memory = _carried_out(change, memory, keeper)
            done.append(change)
    return done


def _carried_out(change: Change, memory: Memory, keeper: Keeper) -> tuple[Change, Memory]:
    """Remember first: an entry that is remembered and not there is harmless, one that is forgotten is not."""
    remembered = memory.with_file(change.file, change.written)
    try:
        files.raise_unless_inside(change.file, keeper.root)
        if change.written is not None:
            keeper.save(remembered)
        _write(change, memory.files.get(str(change.file)))
        if change.written is None:
            keeper.save(remembered)
    except Refused as error:
        keeper.save(memory)
        return refused(change.client, change.file, error), memory
    return change, remembered


def _write(change: Change, kept: Written | None) -> None:
    if change.after is None and change.before is not None:
        # Only folders above the file: whatever the memory says, no others were made for it.
        made = [Path(folder) for folder in kept.folders] if kept else []
        folders = [folder for folder in made if folder in change.file.parents]
        files.delete(change.file, expected=change.before, folders=folders)
    elif change.after is not None and change.after != change.before:
        files.write(change.file, change.after, expected=change.before, private=change.private)
