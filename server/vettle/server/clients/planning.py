"""What would be done to each client's configuration; nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vettle.engine.quarantine import redact, visible
from vettle.engine.records.connecting import ClientConnection, ConnectionAction
from vettle.server.clients import files
from vettle.server.clients.applying import Change, refused
from vettle.server.clients.catalogue import NAME, Client, find
from vettle.server.clients.entries import entry
from vettle.server.clients.files import Refused
from vettle.server.clients.formats import FORMATS
from vettle.server.clients.formats.base import Unusable, is_blank, put_in
from vettle.server.clients.memory import Memory, Written, checksum
from vettle.server.clients.place import Place


@dataclass(frozen=True)
class _Found:
    """A file as it is: its bytes and text, the entry that has our name, and everything else that it says."""

    content: bytes | None
    text: str
    present: Any
    others: Any


def connect(
    client: Client,
    place: Place,
    launch: Sequence[str],
    memory: Memory,
    *,
    user: bool,
    force: bool,
    as_good: Sequence[str] = (),
) -> Change:
    """Plan to put our entry into a client's configuration.

    `launch` is the command that starts vettle, `as_good` another one that stays where it is in use already. `user`
    prefers the file of the person over the project's. An entry with our name that we did not write stays, unless forced.
    """
    location = client.location(user=user)
    file = location.at(place)
    private = location.base != "project"
    wanted = entry(client, place, launch, user=private)
    try:
        found = _read(client, file, place)
        if as_good and not force and found.present == entry(client, place, as_good, user=private):
            return Change(client.name, file, "unchanged", f"starts {as_good[0]} from the PATH")
        kept = memory.files.get(str(file))
        return _connected(client, file, found, wanted, kept, private=private, force=force)
    except (Refused, Unusable) as error:
        return refused(client.name, file, error)


def _connected(
    client: Client,
    file: Path,
    found: _Found,
    wanted: dict[str, Any],
    kept: Written | None,
    *,
    private: bool,
    force: bool,
) -> Change:
    """Plan to put our entry, as wanted, into a file that was read; `kept` is what we put there before."""
    if found.present == wanted:
        return Change(client.name, file, "unchanged", _about(wanted))
    ours = kept is not None and found.present == kept.entry
    if found.present is not None and not ours and not force:
        return Change(client.name, file, "kept", f"{_foreign(found.present)} To replace it: --force.")
    files.raise_unless_writable(file)
    base = found.text
    if found.present is not None:
        base = _taken_out(client, found, kept if ours else None)
    segments = FORMATS[client.format].insert(base, client.keys, NAME, wanted)
    text = put_in(base, segments)
    _raise_unless_safe(client, found, text, wanted)
    after = files.encoded(text)
    replaced = found.present is not None and not ours
    # A file that held nothing but the entry that was replaced is all ours now.
    created = found.content is None or (kept.created if kept and ours else replaced and is_blank(base))
    written = Written(
        client=client.name,
        after=checksum(after),
        segments=segments,
        entry=wanted,
        created=created,
        folders=kept.folders if kept and ours else [str(folder) for folder in files.missing_folders(file)],
        replaced=replaced,
    )
    action: ConnectionAction = (
        "create" if found.content is None else "add" if found.present is None else "update"
    )
    detail = _about(wanted)
    return Change(client.name, file, action, detail, found.content, after, written, private)


def disconnect(client: Client, place: Place, memory: Memory, *, force: bool) -> list[Change]:
    """Plan to take our entry out of every file that it was put into; if forced, also out of those that others wrote."""
    kept = {Path(file): written for file, written in memory.files.items() if written.client == client.name}
    changes = [_disconnected(client, file, place, written, force=force) for file, written in kept.items()]
    others = [file for one in client.locations if (file := one.at(place)) not in kept]
    if force or not kept:
        changes += [
            change for file in others if (change := _never_connected(client, file, place, force=force))
        ]
    return changes or [Change(client.name, others[0], "unchanged", "init put nothing there")]


def _never_connected(client: Client, file: Path, place: Place, *, force: bool) -> Change | None:
    """Plan for a file that we put nothing into; None where nothing in it has our name."""
    try:
        found = _read(client, file, place)
    except (Refused, Unusable):
        return None
    if found.present is None:
        return None
    if force:
        return _without_entry(client, file, found, None)
    said = f"{_foreign(found.present)} To take it out all the same: --undo --force."
    return Change(client.name, file, "kept", said)


def _disconnected(client: Client, file: Path, place: Place, kept: Written, *, force: bool) -> Change:
    try:
        found = _read(client, file, place)
    except (Refused, Unusable) as error:
        return refused(client.name, file, error)
    if found.present is None:
        return Change(client.name, file, "absent", "the entry is gone already", found.content, found.content)
    if found.present != kept.entry and not force:
        return Change(
            client.name, file, "refused", "its entry vettle was changed by hand. To remove it: --force."
        )
    return _without_entry(client, file, found, kept)


def _without_entry(client: Client, file: Path, found: _Found, kept: Written | None) -> Change:
    try:
        files.raise_unless_writable(file)
        text = _taken_out(client, found, kept)
        _raise_unless_safe(client, found, text, None)
    except (Refused, Unusable) as error:
        return refused(client.name, file, error)
    # Where we did not make the file, one that is empty now held nothing but the entry.
    ours = _nothing_left(client, text) if kept and kept.created else kept is None and is_blank(text)
    detail = (
        "the entry that was there before init --force is not known any more" if kept and kept.replaced else ""
    )
    after = None if ours else files.encoded(text)
    return Change(client.name, file, "delete" if ours else "remove", detail, found.content, after)


def _read(client: Client, file: Path, place: Place) -> _Found:
    files.raise_unless_inside(file, place.root)
    content = files.read(file)
    text = "" if content is None else files.decoded(content)
    form = FORMATS[client.format]
    present = form.servers(text, client.keys).get(NAME)
    return _Found(content, text, present, form.others(text, client.keys, NAME))


def _taken_out(client: Client, found: _Found, kept: Written | None) -> str:
    """Return the text without our entry: as it was, byte for byte, if nobody changed the file since."""
    before = kept.taken_out_of(found.text) if kept else None
    if before is not None:
        return before
    return FORMATS[client.format].remove(found.text, client.keys, NAME, kept.text if kept else "")


def _nothing_left(client: Client, text: str) -> bool:
    """Tell whether a file holds nothing but what was there around our entry."""
    if is_blank(text):
        return True
    bare = FORMATS[client.format].render(client.keys, NAME, {})
    empty = FORMATS[client.format].remove(bare, client.keys, NAME, "")
    return "".join(text.split()) == "".join(empty.split())


def _raise_unless_safe(client: Client, found: _Found, text: str, wanted: Mapping[str, Any] | None) -> None:
    """Read a text that was made as the client will: our entry as wanted (None: no more), all else as it was."""
    form = FORMATS[client.format]
    present = form.servers(text, client.keys).get(NAME)
    if present != wanted or form.others(text, client.keys, NAME) != found.others:
        raise Refused("cannot be edited without touching something else in it")


def _foreign(present: Any) -> str:
    """Show an entry that we did not write, without its environment, which may hold secrets."""
    command = present.get("command", "") if isinstance(present, dict) else ""
    arguments = present.get("args", []) if isinstance(present, dict) else []
    words = [str(command), *(map(str, arguments) if isinstance(arguments, list) else ())]
    # It may come from somebody else's repository, so it is one line in which nothing is hidden.
    said = visible(redact(" ".join(" ".join(words).split()))[:200])
    return f"has an entry {NAME} that init did not write here: {said or '(no command)'}."


def _about(wanted: Mapping[str, Any]) -> str:
    """Say what a person should know about an entry."""
    if "--project" in wanted["args"] and "${workspaceFolder}" not in wanted["args"]:
        return "serves only this project; in another one, init asks for --force to move it there"
    return ""


def reported(change: Change) -> ClientConnection:
    """Return what a change does, or did, as a record."""
    (client,) = find([change.client])
    return ClientConnection(
        client=client.name,
        title=client.title,
        file=str(change.file),
        action=change.action,
        detail=change.detail,
        diff=change.diff,
        hint=client.hint if change.action in ("create", "add", "update") else "",
    )
