"""`vettle demo`: the whole loop on real rule files, driven through the real server's public tools only."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import click
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import TextResourceContents

from vettle.engine.project import Project
from vettle.server.commands.demonstrating import loop
from vettle.server.commands.demonstrating.repository import imported, temporary_repository
from vettle.server.commands.reporting import free, write
from vettle.server.tool import REPORT


@click.command()
@click.option(
    "--sessions",
    default=loop.SESSIONS,
    show_default=True,
    type=click.IntRange(10, 5_000),
    help="Simulated sessions.",
)
@click.option(
    "--seed",
    default=loop.SEED,
    show_default=True,
    type=click.IntRange(0),
    help="Seed of the simulated agent.",
)
@click.option(
    "--report",
    type=click.Path(),
    default="",
    help="Also write the report of it, one HTML file, to this path.",
)
@click.option("--keep", is_flag=True, help="Keep the temporary project, to look around in it.")
def demo(sessions: int, seed: int, report: str, keep: bool) -> None:
    """Example: vettle demo --report report.html.

    The whole loop in under a minute: a temporary git repository with the rule files that vettle itself is
    developed by, the real server on stdio, a simulated agent, proof, the five assistants' files, an experiment
    between three models, and the report.
    """
    target = free(Path(report)) if report else None
    with temporary_repository(keep) as root:
        project = Project(root)
        try:
            ids = imported(project)
        finally:
            project.close()
        try:
            anyio.run(_run, root, ids, sessions, seed, target)
        except BaseExceptionGroup as group:
            raise _cause(group) from None


def _cause(error: BaseException) -> BaseException:
    """Return what ended the demo: the client's task groups wrap it, and then nobody knows it for what it is."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _run(root: Path, ids: Sequence[str], sessions: int, seed: int, target: Path | None) -> None:
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "vettle", "serve", "--project", str(root)], cwd=root
    )
    async with Client(server) as client:
        await loop.play(client, root, ids, sessions, seed)
        await _report(client, root, target)


async def _report(client: Client, root: Path, target: Path | None) -> None:
    """Read the report as a client does, and write it where the user asked for it."""
    [page] = (await client.read_resource(REPORT)).contents
    assert isinstance(page, TextResourceContents)
    path = target if target is not None else root / "report.html"
    write(path, page.text)
    click.echo(
        f"\n8. The report, one HTML file of {len(page.text.encode()) // 1000} kB, is in {path}."
        if target is not None
        else "\n8. To see all of it on one page, with plots: vettle demo --report report.html"
    )
    click.echo(
        "\nIn your own repository: vettle init connects your assistants and imports the rules you have."
    )
