"""The order of the demo: truth, sessions, proof, rule files, models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mcp import Client

from vettle.server.commands.demonstrating.calling import call
from vettle.server.commands.demonstrating.files import render
from vettle.server.commands.demonstrating.models import compare
from vettle.server.commands.demonstrating.proof import tell_proof, tell_truth
from vettle.server.commands.demonstrating.sessions import simulate
from vettle.server.simulation import SimulatedAgent

SESSIONS = 500
SEED = 1


async def play(client: Client, root: Path, ids: Sequence[str], sessions: int, seed: int) -> None:
    """Play all of it on a server of the project in `root`, whose rules have these ids, and print every step.

    The same seed makes the same sessions, at whatever time; only the experiment between models is drawn anew.
    """
    rules = await _texts(client, ids)
    agent = SimulatedAgent(list(rules), seed)
    tell_truth(agent, rules)
    await simulate(client, agent, sessions, seed)
    await tell_proof(client, agent)
    await render(client, root)
    await compare(client, agent, sessions)


async def _texts(client: Client, ids: Sequence[str]) -> dict[str, str]:
    page = await call(client, "rules_list", limit=100)
    texts = {row["id"]: row["text"] for row in page["rules"]}
    return {rule: texts[rule] for rule in ids}
