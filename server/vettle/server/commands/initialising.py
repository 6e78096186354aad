"""`vettle init`: make a folder a project, connect the clients, and take in the rules that are there already."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import click

from vettle.engine.errors import FilesRefused, ProjectNotFound
from vettle.engine.project import Project, prepare_state_folder
from vettle.engine.records import RulesImported
from vettle.engine.records.connecting import ClientConnection, Initialised
from vettle.engine.root import find_root
from vettle.engine.wording import some
from vettle.server import rule_files
from vettle.server.clients import catalogue, detecting, entries, memory, planning, plugin
from vettle.server.clients.applying import Change, carried_out
from vettle.server.clients.catalogue import Client
from vettle.server.clients.memory import Memory
from vettle.server.clients.place import Place
from vettle.server.commands import advising
from vettle.server.commands.common import counted, emit, json_option
from vettle.server.commands.wording import worded
from vettle.server.hooks import joining


class _Wanted(NamedTuple):
    """The options of the command that say how clients are connected."""

    launch: tuple[str, ...]
    as_good: tuple[str, ...]
    user: bool
    undo: bool
    force: bool
    dry_run: bool


@click.command()
@click.argument("clients", nargs=-1, metavar="[CLIENT]...")
@click.option(
    "--user", is_flag=True, help="Write your own configuration, not the one the project's team shares."
)
@click.option(
    "--command", metavar="COMMAND", default="", help="What starts vettle (default: this very installation)."
)
@click.option(
    "--import/--no-import", "take_rules", default=None, help="Import existing rules (a terminal asks)."
)
@click.option("--print", "only_print", is_flag=True, help="Print what belongs into each file; write nothing.")
@click.option("--dry-run", is_flag=True, help="Show what would change in each file; write nothing.")
@click.option("--undo", is_flag=True, help="Take vettle out of the clients again.")
@click.option(
    "--force", is_flag=True, help="Replace (or, with --undo, remove) an entry that init did not write."
)
@click.option("--verbose", "-v", is_flag=True, help="Also list every line of a rule file that is not taken.")
@json_option
def init(
    clients: tuple[str, ...],
    user: bool,
    command: str,
    take_rules: bool | None,
    only_print: bool,
    dry_run: bool,
    undo: bool,
    force: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Example: vettle init claude cursor.

    Make this repository (or the folder of --project, or this folder) a vettle project, and connect claude, cursor,
    copilot (VS Code), copilot-cli, windsurf, devin, continue, codex or gemini; without a name, those that are used
    here. Each client's configuration gets one entry, and nothing else in it changes.

    The rules that CLAUDE.md, AGENTS.md, Cursor, Copilot, Windsurf and Continue files already hold become candidates;
    those files stay as they are. Running it again changes nothing but what is new. Exit code 3: a file, or a client
    that you named, was refused.
    """
    if only_print and (dry_run or undo or as_json):
        raise click.UsageError("--print goes with --user and --command, and with no other option.")
    if undo and (user or command or take_rules):
        raise click.UsageError("--undo goes with --dry-run, --force and --json, and with no other option.")
    root = _root(click.get_current_context().find_root().obj or "")
    place = Place.here(root)
    launch = _launch(command) if command else entries.installed()
    chosen = catalogue.find(clients) if clients else _default(place, undo=undo)
    if only_print:
        _print(chosen, place, launch, user=user)
        return
    if not (dry_run or undo):
        prepare_state_folder(root)
    as_good = () if command else entries.on_path(place)
    connected = _connect(chosen, place, _Wanted(launch, as_good, user, undo, force, dry_run))
    rules = None if undo else _import(root, take_rules, apply=not dry_run)
    if not (undo or dry_run):
        _prepare_ahead(root)
    with_plugin = plugin.enabled(place) is not None
    record = Initialised(
        root=str(root),
        applied=not dry_run,
        clients=connected,
        rules=rules,
        notes=[] if undo else advising.notes(connected, chosen, place, launch, with_plugin=with_plugin),
        next_step=advising.next_step(connected, chosen, with_plugin=with_plugin, undo=undo, dry_run=dry_run),
    )
    emit(record, as_json, lambda: advising.report(worded(record), verbose))
    _raise_if_refused(connected, named=bool(clients))


def _launch(command: str) -> tuple[str, ...]:
    """Return a command as words: a path with blanks in it is one, and "uvx vettle" is two."""
    if Path(command).exists() or len(command.split()) == 1:
        return (command.strip(),)
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise click.UsageError(f"--command: a quotation mark is not closed in {command[:80]!r}.") from error
    if not words:
        raise click.UsageError("--command: name a program, such as vettle.")
    return words


def _raise_if_refused(connected: Sequence[ClientConnection], *, named: bool) -> None:
    # Whoever names a client wants it connected; an entry of their own is no failure where they name none.
    failed = ("refused", "kept") if named else ("refused",)
    refused = [one for one in connected if one.action in failed]
    if refused:
        raise FilesRefused("; ".join(f"{one.file}: {one.detail}" for one in refused))


def _root(named: str) -> Path:
    """Return the folder to begin in: the project that is here already, else the working directory."""
    try:
        return find_root(named)
    except ProjectNotFound:
        told = named or any(os.environ.get(name) for name in ("VETTLE_PROJECT", "CLAUDE_PROJECT_DIR"))
        here = None if told else _here()
        if here is None:
            raise
        return here


def _here() -> Path | None:
    """Return the working directory, None if it is gone, or if nothing would find a project in it again."""
    try:
        here = Path.cwd().resolve()
    except OSError:
        return None
    # The walk upwards never counts these two.
    return None if here in (Path.home().resolve(), Path(here.anchor)) else here


def _default(place: Place, *, undo: bool) -> list[Client]:
    """Return the clients that are meant without a name: those used here, or to undo, those that were connected."""
    if not undo:
        without = plugin.CLIENT if plugin.enabled(place) else ""
        return [client for client in detecting.detected(place) if client.name != without]
    connected = {written.client for written in memory.of_project(place.root).load().files.values()}
    return [client for client in catalogue.CLIENTS if client.name in connected]


def _connect(clients: Sequence[Client], place: Place, wanted: _Wanted) -> list[ClientConnection]:
    """Plan, and unless it is a dry run, carry out."""

    def plan(known: Memory) -> Iterator[Change]:
        for client in clients:
            if wanted.undo:
                yield from planning.disconnect(client, place, known, force=wanted.force)
            else:
                yield planning.connect(
                    client,
                    place,
                    wanted.launch,
                    known,
                    user=wanted.user,
                    force=wanted.force,
                    as_good=wanted.as_good,
                )

    changes = carried_out(plan, memory.of_project(place.root), apply=not wanted.dry_run)
    return [planning.reported(change) for change in changes]


def _print(clients: Sequence[Client], place: Place, launch: Sequence[str], *, user: bool) -> None:
    """Print each client's entry on stdout, and on stderr which file it belongs into."""
    if not clients:
        raise click.UsageError(f"No client is used here. Name some of: {', '.join(catalogue.NAMES)}.")
    for client in clients:
        file, text = entries.snippet(client, place, launch, user=user)
        click.echo(f"# {client.title}: {file}", err=True)
        click.echo(text, nl=False)


def _import(root: Path, wanted: bool | None, *, apply: bool) -> RulesImported | None:
    """Import the rules of the repository, after asking if a person sits at the terminal and has not said."""
    if wanted is False:
        return None
    project = Project(root)
    try:
        if wanted is None and apply and sys.stdin.isatty():
            found = rule_files.rules_imported(project, paths=(), apply=False)
            new, holding = found.added + found.quarantined, [file.path for file in found.files if file.taken]
            if not new or not click.confirm(_question(new, holding), default=True, err=True):
                return None
        return rule_files.rules_imported(project, paths=(), apply=apply)
    finally:
        project.close()


def _prepare_ahead(root: Path) -> None:
    """Decide sessions ahead where there are rules, so that the first that a hook begins is told some."""
    with closing(Project(root)) as project:
        joining.offer_first_rules(project, expected=True)


def _question(new: int, holding: Sequence[str]) -> str:
    return f"Import {counted(new, 'rule')} found in {some(holding, 3)}?"
