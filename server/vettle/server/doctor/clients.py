"""The clients' configuration: does each entry start a vettle that is there, for this project?"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vettle.server.clients import catalogue, detecting, plugin
from vettle.server.clients.connections import Connection, connections
from vettle.server.clients.place import Place
from vettle.server.doctor.case import Case
from vettle.server.doctor.findings import Said, ok, problem, warning
from vettle.server.doctor.launching import Launch, is_ours, launch, may_start, own, program, project_of

_ELSEWHERE = ("client-unreadable", "client-other-project")
"""Findings about entries that do not serve this project, whatever else is wrong with them."""


def connected(case: Case) -> list[Connection]:
    """Return every entry of ours in any client's configuration, and every file that cannot be read."""
    return connections(_place(case))


def _place(case: Case) -> Place:
    return Place(case.root or case.start, case.home, case.environment, case.platform)


def clients(case: Case) -> Iterator[Said]:
    """Find entries that cannot start, or that serve another project."""
    said = [one for connection in connected(case) for one in _entry(connection, case)]
    yield from said
    found = plugin.enabled(_place(case))
    if found:
        yield from _plugin(found, case)
    elif all(one.name in _ELSEWHERE for one in said):
        yield warning("no-client", "no client is connected to vettle in this project", _connecting(case))


def _connecting(case: Case) -> str:
    """Return the command that connects a client: one has to be named where none is used yet."""
    if detecting.detected(_place(case)):
        return "vettle init"
    return f"vettle init {catalogue.NAMES[0]} # or another of: {', '.join(catalogue.NAMES[1:])}"


def _plugin(found: plugin.Plugin, case: Case) -> Iterator[Said]:
    """Say that the plugin connects Claude Code, and whether an entry of ours starts a second server."""
    yield ok(f"Claude Code, by the plugin ({found.file})")
    for connection in connected(case):
        # Of two servers with the same command Claude Code drops the plugin's.
        if connection.client == plugin.CLIENT and connection.command not in ("", found.command):
            yield warning(
                "client-twice",
                f"Claude Code starts vettle twice, by the plugin and by {connection.file}: agents see each tool twice",
                "vettle init claude --undo",
            )


def _entry(connection: Connection, case: Case) -> Iterator[Said]:
    again = f"vettle init {connection.client} --force"
    where = f"{connection.title} ({connection.file})"
    root = case.root or case.start
    if connection.problem:
        yield problem(
            "client-unreadable",
            f"{where}: {connection.problem}",
            f'"${{EDITOR:-vi}}" {shlex.quote(str(connection.file))}',
        )
        return
    found = program(connection, case, root)
    if not found:
        yield problem("client-command-missing", f"{where}: no command {connection.command[:200]!r}", again)
    elif not os.access(found, os.X_OK):
        yield problem(
            "client-not-executable", f"{where}: {found} cannot be executed", f"chmod +x {shlex.quote(found)}"
        )
    elif case.root and project_of(launch(connection, case, root), root) != root.resolve():
        other = project_of(launch(connection, case, root), root)
        yield warning("client-other-project", f"{where} serves another project: {other}", again)
    else:
        yield ok(f"{where}{'' if is_ours(launch(connection, case, root)) else f' starts {found}'}")


def to_start(case: Case, root: Path) -> tuple[list[Launch], list[tuple[Connection, Launch]]]:
    """Return each distinct command once, and those that only the repository wants to be run."""
    known: dict[tuple[object, ...], Launch] = {}
    held = []
    for connection in connected(case):
        if connection.problem or not os.access(program(connection, case, root) or "", os.X_OK):
            continue
        found = launch(connection, case, root)
        if not may_start(connection, found, case, root):
            held.append((connection, found))
        elif found.key in known:
            titles = tuple(dict.fromkeys((*known[found.key].titles, *found.titles)))
            known[found.key] = replace(known[found.key], titles=titles)
        else:
            known[found.key] = found
    if not known and not held:
        default = own(root)
        known[default.key] = default
    return list(known.values()), held
