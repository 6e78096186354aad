"""What `vettle init` says: what was done to each client, what a person should know, and the one thing to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from vettle.engine.records.connecting import ClientConnection, Initialised
from vettle.server.clients import catalogue, entries, plugin
from vettle.server.clients.catalogue import Client
from vettle.server.clients.place import Place
from vettle.server.commands.layout import wrapped
from vettle.server.commands.rule_files import imported, taken


def next_step(
    connected: Sequence[ClientConnection],
    chosen: Sequence[Client],
    *,
    with_plugin: bool,
    undo: bool,
    dry_run: bool,
) -> str:
    """Say the one thing to do next."""
    if dry_run:
        return "Nothing was written. To write: the same without --dry-run."
    if undo:
        return "" if chosen else "Nothing was connected, so there is nothing to undo."
    if not chosen and not with_plugin:
        return f"No client is used here. To connect one: vettle init NAME, of {', '.join(catalogue.NAMES)}."
    hint = next((one.hint for one in connected if one.hint), "")
    if hint:
        return "Do what stands behind each client, then work as always; vettle status tells what is learned."
    return "Work as always; vettle status tells what is learned."


def notes(
    connected: Sequence[ClientConnection],
    chosen: Sequence[Client],
    place: Place,
    launch: Sequence[str],
    *,
    with_plugin: bool,
) -> list[str]:
    """Say what a person should know of the repository, of Claude Code's plugin, and of the command."""
    about_plugin = _about_plugin(chosen) if with_plugin else ()
    return [*_about_repository(place.root), *about_plugin, *_about_command(connected, place, launch)]


def _about_repository(root: Path) -> Iterator[str]:
    """Say so where the repository that the user stands in lies in a larger project."""
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if folder == root or not folder.is_relative_to(root):
            return
        if (folder / ".git").exists():
            name = shlex.quote(str(folder))
            yield (
                f"The repository {folder} belongs to this project, because .vettle/ lies above it. To make it one of "
                f"its own: vettle --project {name} init."
            )
            return


def _about_plugin(chosen: Sequence[Client]) -> Iterator[str]:
    """Say why Claude Code gets no entry where it has our plugin, or that it now starts two servers."""
    if any(client.name == plugin.CLIENT for client in chosen):
        yield (
            "Claude Code has vettle's plugin too, and may start both. To keep the plugin: vettle init claude --undo."
        )
    else:
        yield "Claude Code has vettle's plugin, which connects and measures it: it needs no entry."


def _about_command(
    connected: Sequence[ClientConnection], place: Place, launch: Sequence[str]
) -> Iterator[str]:
    """Warn of a command that may go away, and of a path of this machine in a file that a team shares."""
    written = [Path(one.file) for one in connected if one.action in ("create", "add", "update")]
    if not written or not Path(launch[0]).is_absolute():
        return
    if entries.is_from_cache(launch):
        yield (
            f"The command {launch[0]} lies in uv's cache, which may be cleaned. Install vettle (uv tool install), "
            "and run the installed vettle init."
        )
    shared = [file for file in written if file.is_relative_to(place.root)]
    if shared:
        first = _shown(str(shared[0]), str(place.root))
        yield (
            f"The command {launch[0]} is a path of this machine. To commit {first} for teammates who have vettle on "
            "their PATH: vettle init --command vettle."
        )


def report(record: Initialised, verbose: bool) -> Iterator[str]:
    """Yield the lines of the answer; `verbose` lists every line of a rule file that is not taken, too."""
    yield from wrapped([f"Project: {record.root}"])
    width = max((len(one.title) for one in record.clients), default=0)
    for one in record.clients:
        if one.diff and not record.applied:
            yield one.diff
        said = [text for text in (one.detail, one.hint) if text]
        line = f"{one.action:9}  {one.title.ljust(width)}  {_shown(one.file, record.root)}"
        yield from wrapped([f"{line}: {'; '.join(said)}" if said else line])
    yield from wrapped(_rest(record, verbose))


def _rest(record: Initialised, verbose: bool) -> Iterator[str]:
    if record.rules is not None:
        new = record.rules.added + record.rules.quarantined
        # How to write is said once, for clients and rules together.
        yield from (imported if record.applied or not new else taken)(record.rules, verbose)
    yield from record.notes
    if record.next_step:
        yield record.next_step


def _shown(file: str, root: str) -> str:
    """Return a path as a person would say it: relative to the project."""
    path = Path(file)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file
