"""`vettle hook`: what assistants' own hooks call, and how they come to call it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from vettle.engine.errors import ProjectNotFound
from vettle.engine.project import Project, prepare_state_folder
from vettle.engine.records.hooking import HooksInstalled
from vettle.engine.root import find_root
from vettle.server.commands.common import counted, emit, json_option, say
from vettle.server.commands.groups import Group
from vettle.server.hooks.payloads import CLIENTS


def _explicit() -> str:
    """Return what --project says, or ""."""
    return str(click.get_current_context().find_root().obj or "")


@click.group(cls=Group)
def hook() -> None:
    """Example: vettle hook install claude-code.

    What the hooks of Claude Code, Cursor and Codex call, so that sessions are measured even when an agent forgets its
    tools. They answer in a few milliseconds, never fail, and leave the rest to a process of its own.
    """


def _of_client(client: str) -> click.Command:
    """Return the command that answers a hook of one assistant."""

    def run(event: str) -> None:
        # Imported here, as in entry.py, which is how assistants get there.
        from vettle.server.hooks import answering

        answering.answer(client, event, _explicit())

    example = f"vettle hook {client} {'sessionStart' if client == 'cursor' else 'SessionStart'} < event.json"
    return click.Command(
        client,
        params=[click.Argument(["event"])],
        callback=run,
        help=f"Example: {example}\n\nAnswer an event of the assistant, which it describes as JSON on stdin.",
        short_help=f"Answer an event of {client} (it calls this).",
    )


for _name in CLIENTS:
    hook.add_command(_of_client(_name))


@hook.command()
def record() -> None:
    """Example: vettle hook record.

    Record what hooks left behind, and prepare the next sessions. Hooks start this themselves; by hand, it says what
    stands against it.
    """
    from vettle.server.hooks import recording

    number = recording.drain(find_root(_explicit()))
    say(f"{counted(number, 'event')} recorded; the next sessions are prepared.")


@hook.command()
@click.argument("client", type=click.Choice(CLIENTS))
@click.option(
    "--command", metavar="NAME", default="", help="The program to start (default: this very installation)."
)
@click.option("--print", "only_print", is_flag=True, help="Print what belongs into the file; write nothing.")
@click.option("--dry-run", is_flag=True, help="Show what would change in the file; write nothing.")
@click.option("--undo", is_flag=True, help="Take the hooks out again.")
@json_option
def install(client: str, command: str, only_print: bool, dry_run: bool, undo: bool, as_json: bool) -> None:
    """Example: vettle hook install claude-code.

    Let an assistant call vettle when a session starts and ends and when a tool fails: claude-code (in
    .claude/settings.local.json), cursor (.cursor/hooks.json) or codex (.codex/hooks.json). Hooks of others stay.
    The command is a path of this machine; to commit the file for a team: --command vettle. Exit code 3: the file was
    refused.
    """
    from vettle.server.clients import entries
    from vettle.server.hooks import assistants, installing, preparing

    root = _root()
    launch = (command,) if command else entries.installed()
    windows = sys.platform == "win32"
    if only_print:
        assistant = assistants.assistant(client)
        say(f"# {assistant.path}")
        say(assistants.whole(assistant, launch, windows=windows), end=False)
        return
    if undo:
        record = installing.undo(root, client, apply=not dry_run)
    else:
        if not dry_run:
            prepare_state_folder(root)
        record = installing.install(root, client, launch, apply=not dry_run, windows=windows)
        if not dry_run:
            project = Project(root)
            try:
                preparing.prepare_ahead(project)
            finally:
                project.close()
    emit(record, as_json, lambda: _installed(record))


def _root() -> Path:
    """Return the project, or the working directory where there is none yet."""
    try:
        return find_root(_explicit())
    except ProjectNotFound:
        if _explicit():
            raise
        return find_root(str(Path.cwd()))


def _installed(record: HooksInstalled) -> Iterator[str]:
    if not record.applied and record.diff:
        yield record.diff.rstrip("\n")
    did = record.action if record.applied or record.action == "unchanged" else f"would {record.action}"
    yield f"{record.title}: {did} {record.file}"
    if record.hint:
        yield f"Next: {record.hint}."
