"""An experiment between three simulated models."""

from __future__ import annotations

import click
from mcp import Client

from vettle.server.commands.common import table
from vettle.server.commands.demonstrating.calling import call
from vettle.server.simulation import MODELS, SimulatedAgent


async def compare(client: Client, agent: SimulatedAgent, sessions: int) -> None:
    """Let the server compare three models on simulated bugs, in randomised blocks."""
    runs = min(3 * sessions // 4, 360)
    name = "which model fixes bugs"
    await call(
        client,
        "experiment_create",
        name=name,
        variants=[{"name": model, "config": {"model": model}} for model in MODELS],
        metric={"name": "fixed", "direction": "higher", "kind": "binary", "minimum_effect": 0.1},
        context="bug-fix",
        variable="model",
    )
    for number in range(runs):
        chosen = await call(client, "variant_select", experiment=name, unit=f"bug {number}")
        run = {"assignment_id": chosen["assignment_id"], **agent.fix(chosen["variant"])}
        await call(client, "run_record", experiment=name, runs=[run])
    results = await call(client, "experiment_results", experiment=name)
    click.echo(
        f"\n7. An experiment: which of three models fixes most bugs? {runs} runs in randomised blocks:"
    )
    rows = [
        [row["name"], str(row["n"]), f"{row['mean']:.2f}", f"{row['cost']:.4f}"]
        for row in results["leaderboard"]
    ]
    for line in table(["model", "runs", "fixed", "cost of a run"], rows):
        click.echo(f"   {line}")
    verdict = results["verdict"]
    click.echo(f"   Verdict: {verdict['outcome'].replace('_', ' ')}. {'; '.join(verdict['reasons'][:1])}")
    if verdict["outcome"] == "better":
        for action in ("close", "apply"):
            await call(client, "experiment_decide", experiment=name, action=action, reason="proven best")
        click.echo(f"   The experiment is closed, and {verdict['leader']} put into force.")
