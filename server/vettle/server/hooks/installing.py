"""Letting an assistant call vettle: our hooks go into its file, and come out again, and all else stays."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vettle.engine import locating
from vettle.engine.errors import FilesRefused
from vettle.engine.records.connecting import ConnectionAction
from vettle.engine.records.hooking import HooksInstalled
from vettle.server.clients import files
from vettle.server.clients.applying import Change, carried_out, refused
from vettle.server.clients.formats.base import Segment, Unusable, composed, is_blank, put_in
from vettle.server.clients.formats.jsonc import parse
from vettle.server.clients.memory import Keeper, Memory, Written, checksum
from vettle.server.hooks import groups, spool
from vettle.server.hooks.assistants import Assistant, assistant, document, entry

_OURS = re.compile(r"vettle.* hook (?:claude-code|cursor|codex) \w+$")

_SAID: Mapping[ConnectionAction, Literal["create", "update", "unchanged", "remove", "delete"]] = {
    "create": "create",
    "update": "update",
    "remove": "remove",
    "delete": "delete",
    "unchanged": "unchanged",
    "absent": "unchanged",
}


class _Found(NamedTuple):
    """An assistant's file as it is (`text` is None where there is none), and what we put into it before."""

    of: Assistant
    file: Path
    text: str | None
    kept: Written | None

    def is_ours(self, group: object) -> bool:
        """Tell whether an element is one that we put in, or holds a command as we write it and nothing else."""
        if self.kept is not None and group in self.kept.entry.values():
            return True
        if not isinstance(group, dict):
            return False
        inner = group.get("hooks")
        hooks = inner if isinstance(inner, list) else [group]
        commands = [hook.get("command") if isinstance(hook, dict) else None for hook in hooks]
        return bool(commands) and all(isinstance(one, str) and _OURS.search(one) for one in commands)

    def ours(self) -> dict[str, Any]:
        """Return our element of each event; of several the last."""
        text = self.text or ""
        value = {} if is_blank(text) else parse(text).value
        hooks = value.get("hooks") if isinstance(value, dict) else None
        if not isinstance(hooks, dict):
            return {}
        return {
            event: group
            for event, found in hooks.items()
            for group in (found if isinstance(found, list) else [])
            if self.is_ours(group)
        }

    def without_ours(self) -> str:
        """Return the text without our elements: as it was, byte for byte, if nobody changed the file since."""
        text = self.text or ""
        before = self.kept.taken_out_of(text) if self.kept else None
        if before is not None:
            return before
        for event in self.ours():
            text = groups.remove(text, event, self.is_ours)
        return text


def install(
    root: Path, name: str, launch: Sequence[str], *, apply: bool, windows: bool = False
) -> HooksInstalled:
    """Write our hooks into an assistant's file; those of others, and all else, stay byte for byte.

    Ours that start vettle in another way are replaced. Nothing is written unless `apply`.

    Raises:
        InvalidArgument: There is no such assistant.
        FilesRefused: The file is not one that can be edited.
    """
    of = assistant(name)
    wanted = {event: entry(of, event, launch, windows=windows) for event in of.events}
    if apply:
        spool.hooks_folder(str(root))
    return _changed(root, of, lambda found: _installed(found, wanted), apply=apply)


def undo(root: Path, name: str, *, apply: bool) -> HooksInstalled:
    """Take our hooks out of an assistant's file; one that we made disappears, with its folder.

    As long as nobody changed the file since, the bytes come back that were there before.

    Raises:
        InvalidArgument: There is no such assistant.
        FilesRefused: The file is not one that can be edited.
    """
    return _changed(root, assistant(name), _undone, apply=apply)


def keeper(root: Path) -> Keeper:
    """Return what keeps the memory of hooks: in the user's folder, so that nothing a repository brings is trusted."""
    folder = Path(locating.hooks_folder(str(root), os.environ))
    return Keeper(root, folder / "written.json", folder / "written.lock")


def _changed(
    root: Path, of: Assistant, planned: Callable[[_Found], Change], *, apply: bool
) -> HooksInstalled:
    """Plan for the assistant's file as it is by now, carry that out, and say what was done, or would be."""
    file = root / of.path

    def plan(memory: Memory) -> list[Change]:
        try:
            files.raise_unless_inside(file, root)
            return [planned(_Found(of, file, files.read_text(file), memory.files.get(str(file))))]
        except (Unusable, files.Refused) as error:
            return [refused(of.name, file, error)]

    (change,) = carried_out(plan, keeper(root), apply=apply)
    if change.action == "refused":
        raise FilesRefused(
            f"{of.path}: {change.detail} Mend that, or edit the file by hand: "
            f"'vettle hook install {of.name} --print' prints what belongs into it."
        )
    action = _SAID[change.action]
    return HooksInstalled(
        client=of.name,
        title=of.title,
        file=of.path,
        action=action,
        events=list(of.events),
        applied=apply and action != "unchanged",
        diff=change.diff,
        hint=of.hint if action in ("create", "update") else "",
    )


def _installed(found: _Found, wanted: Mapping[str, dict[str, Any]]) -> Change:
    """Plan to put our hooks, as wanted, into a file."""
    of, file, text, kept = found
    present = found.ours()
    if present == wanted:
        return Change(of.name, file, "unchanged")
    files.raise_unless_writable(file)
    base = found.without_ours()
    segments = _segments(of, base, wanted)
    after = files.encoded(put_in(base, segments))
    # What was made for hooks that are replaced was made for those that replace them.
    before = kept if present else None
    written = Written(
        client=of.name,
        after=checksum(after),
        segments=segments,
        entry=dict(wanted),
        created=before.created if before else text is None,
        folders=before.folders if before else [str(folder) for folder in files.missing_folders(file)],
    )
    action: ConnectionAction = "create" if text is None else "update"
    return Change(of.name, file, action, "", None if text is None else text.encode(), after, written)


def _segments(of: Assistant, text: str, wanted: Mapping[str, dict[str, Any]]) -> list[Segment]:
    """Return what to put into a text so that it has an element for each event."""
    if is_blank(text):
        return [Segment(len(text), document(of, wanted))]
    segments: list[Segment] = []
    for event, group in wanted.items():
        segments = composed(segments, groups.insert(put_in(text, segments), event, group))
    return segments


def _undone(found: _Found) -> Change:
    """Plan to take our hooks out of a file."""
    of, file, text, kept = found
    after = found.without_ours()
    if text is None or after == text:
        content = None if text is None else text.encode()
        return Change(of.name, file, "absent", "there are no hooks of ours", content, content)
    files.raise_unless_writable(file)
    if kept and kept.created and _nothing_left(after):
        return Change(of.name, file, "delete", "", text.encode())
    return Change(of.name, file, "remove", "", text.encode(), files.encoded(after))


def _nothing_left(text: str) -> bool:
    """Tell whether a file holds nothing but what was there around our hooks."""
    return is_blank(text) or not set(parse(text).value) - {"version"}
