"""The simulated sessions: what the agent does in them, and how it went."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass, field

import click
from mcp import Client

from vettle.server.commands.demonstrating.calling import call
from vettle.server.simulation import SimulatedAgent


@dataclass
class Tally:
    """What came of the simulated sessions, in order."""

    accepted: list[bool] = field(default_factory=list)
    mistakes: int = 0
    repeats: int = 0
    changes: list[str] = field(default_factory=list)


async def simulate(client: Client, agent: SimulatedAgent, sessions: int, seed: int) -> None:
    """Let the agent do its sessions, and print what came of them."""
    started, tally = time.monotonic(), Tally()
    for number in range(1, sessions + 1):
        await _work(client, agent, tally, number, seed)
        _progress(number, sessions)
    seconds = time.monotonic() - started
    click.echo(
        f"\n3. {sessions} sessions over stdio in {seconds:.0f} s: {sum(tally.accepted)} accepted, "
        f"{tally.mistakes} mistakes ({tally.repeats} repeated an earlier session's)."
    )
    first, last = tally.accepted[:100], tally.accepted[-100:]
    click.echo(f"   Accepted in the first {len(first)}: {sum(first)}. In the last {len(last)}: {sum(last)}.")
    for change in tally.changes:
        click.echo(f"   {change}")


async def _work(client: Client, agent: SimulatedAgent, tally: Tally, number: int, seed: int) -> None:
    """Do one session as any agent would: start, log mistakes, end."""
    kind, task, file = agent.task()
    reference = f"demo {seed} {number}"
    session = await call(
        client,
        "session_start",
        task=task,
        context=kind,
        paths=[file],
        agent="simulated",
        seed=number,
        client_ref=reference,
    )
    result = agent.work([rule["id"] for rule in session["rules"]])
    for mistake in result.mistakes:
        logged = await call(client, "mistake_log", session_id=session["session_id"], **asdict(mistake))
        tally.mistakes += 1
        tally.repeats += logged["repeat"]
    ended = await call(client, "session_end", session_id=session["session_id"], outcome=result.outcome)
    tally.accepted.append(result.outcome == "accepted")
    for change in ended["status_changes"]:
        tally.changes.append(f"session {number:4}: {change['rule_id']} {change['old']} -> {change['new']}")


def _progress(done: int, total: int) -> None:
    # A line that is written over and over is for terminals; in a pipe it would be a wall.
    if sys.stderr.isatty() and (done % 25 == 0 or done == total):
        end = "\n" if done == total else ""
        click.echo(f"\r   {done} of {total} sessions", nl=False, err=True)
        click.echo(end, nl=False, err=True)
