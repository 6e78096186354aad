"""What the evidence settled about the rules, beside the truth that only the demo knows."""

from __future__ import annotations

from collections.abc import Mapping

import click
from mcp import Client

from vettle.server.commands.common import signed, table
from vettle.server.commands.demonstrating.calling import call
from vettle.server.simulation import SimulatedAgent


def tell_truth(agent: SimulatedAgent, rules: Mapping[str, str]) -> None:
    """Print the effects that rules, by id with their texts, have on this agent."""
    click.echo(
        "\n2. A simulated agent, whose hidden truth only this demo knows. Effects on its chance of success:"
    )
    for rule, effect in sorted(agent.effects.items(), key=lambda item: -item[1]):
        if effect:
            click.echo(f"   {signed(effect)}  {rules[rule]}")
    nothing = sum(effect == 0 for effect in agent.effects.values())
    click.echo(
        f"    .00  the other {nothing}. (Real effects are several times smaller and take months to prove.)"
    )


async def tell_proof(client: Client, agent: SimulatedAgent) -> None:
    """Print which rules are proven or retired, whether rightly, and how many are neither."""
    page = await call(client, "rules_list", limit=100)
    settled = [row for row in page["rules"] if row["status"] in ("proven", "retired")]
    click.echo("\n4. What the evidence settled, beside the hidden truth:")
    rows = [
        [
            row["status"],
            signed(agent.effects[row["id"]]),
            _judge(row["status"], agent.effects[row["id"]]),
            row["id"],
            row["verdict"],
        ]
        for row in settled
    ]
    for line in table(["verdict", "truth", "", "rule", "why"], rows):
        click.echo(f"   {line}")
    proven = [row for row in settled if row["status"] == "proven"]
    false = [row for row in proven if agent.effects[row["id"]] <= 0]
    unsettled = page["total"] - len(settled)
    click.echo(
        f"   {len(proven)} proven, {len(false)} of them falsely (of rules that do nothing, at most 5 % ever are). "
        f"{unsettled} are still too early to tell."
    )


def _judge(status: str, effect: float) -> str:
    return "right" if (status == "proven") == (effect > 0) else "WRONG"
