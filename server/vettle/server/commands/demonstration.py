"""`vettle demo`: the whole loop on real rule files, driven through the real server's public tools only."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import anyio
import click
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import TextResourceContents

from vettle.engine.project import Project
from vettle.server import rule_files
from vettle.server.commands.common import signed, table
from vettle.server.commands.reporting import free, write
from vettle.server.simulation import MODELS, SimulatedAgent
from vettle.server.tool import REPORT

_STATE = ".vettle"
_TARGETS = ("claude", "cursor", "copilot", "windsurf", "continue")


@click.command()
@click.option(
    "--sessions", default=500, show_default=True, type=click.IntRange(10, 5_000), help="Simulated sessions."
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="Seed of the simulated agent."
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
    with _project(keep) as root:
        anyio.run(_run, root, sessions, seed, target)


@contextmanager
def _project(keep: bool) -> Iterator[Path]:
    """Make a temporary git repository that holds our rule files."""
    folder = Path(tempfile.mkdtemp(prefix="vettle-demo-")).resolve()
    root = folder / "demo"
    try:
        root.mkdir()
        source = _rule_files()
        for name in ("AGENTS.md", "CLAUDE.md"):
            shutil.copy(source / name, root / name)
        shutil.copytree(source / ".claude" / "rules", root / ".claude" / "rules")
        git = shutil.which("git")
        if git:
            subprocess.run([git, "init", "--quiet", str(root)], check=True, stdout=sys.stderr)  # noqa: S603 - our folder
        else:
            (root / ".git").mkdir()
        yield root
    finally:
        if keep:
            click.echo(f"\nThe project is kept in {root}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _rule_files() -> Path:
    """Return the folder with our rule files: in the wheel, or at the root of a checkout."""
    here = Path(__file__).resolve().parents[1]
    packaged = here / "demonstration_files"
    return packaged if packaged.is_dir() else here.parents[2]


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool and return its record; a failing tool ends the demo with its own words."""
    result = await client.call_tool(tool, arguments)
    if result.is_error or not isinstance(result.structured_content, dict):
        raise click.ClickException(f"{tool}: {result.content[0].text if result.content else 'no answer'}")  # type: ignore[union-attr]
    return result.structured_content


async def _run(root: Path, sessions: int, seed: int, report: Path | None) -> None:
    ids = _import(root)
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "vettle", "serve", "--project", str(root)], cwd=root
    )
    async with Client(server) as client:
        rules = await _texts(client, ids)
        agent = SimulatedAgent(list(rules), seed)
        _tell_truth(agent, rules)
        await _simulate(client, agent, sessions, seed)
        await _tell_proof(client, agent)
        await _render(client, root)
        await _compare(client, agent, sessions)
        await _report(client, root, report)


def _import(root: Path) -> list[str]:
    """Import the rules as `vettle import` does, and return their ids in the order of the files."""
    project = Project(root)
    try:
        record = rule_files.rules_imported(project, paths=(), apply=True)
    finally:
        project.close()
    files = {file.path: file.rules for file in record.files if file.rules}
    click.echo(f"1. {record.added} candidate rules from {len(files)} rule files: {', '.join(files)}")
    click.echo(
        "   Their lines are taken out of those files: what every session reads anyway cannot be tested."
    )
    for path in files:
        text = (root / path).read_text(encoding="utf-8")
        kept = [line for line in text.splitlines(keepends=True) if not line.startswith("- ")]
        (root / path).write_text("".join(kept).rstrip() + "\n", encoding="utf-8")
    return list(dict.fromkeys(rule for found in files.values() for rule in found))


async def _texts(client: Client, ids: list[str]) -> dict[str, str]:
    page = await _call(client, "rules_list", limit=100)
    texts = {row["id"]: row["text"] for row in page["rules"]}
    return {rule: texts[rule] for rule in ids}


def _tell_truth(agent: SimulatedAgent, rules: dict[str, str]) -> None:
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


@dataclass
class Tally:
    """What came of the simulated sessions, in order."""

    accepted: list[bool] = field(default_factory=list)
    mistakes: int = 0
    repeats: int = 0
    changes: list[str] = field(default_factory=list)


async def _simulate(client: Client, agent: SimulatedAgent, sessions: int, seed: int) -> None:
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
    session = await _call(
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
        logged = await _call(client, "mistake_log", session_id=session["session_id"], **asdict(mistake))
        tally.mistakes += 1
        tally.repeats += logged["repeat"]
    ended = await _call(client, "session_end", session_id=session["session_id"], outcome=result.outcome)
    tally.accepted.append(result.outcome == "accepted")
    for change in ended["status_changes"]:
        tally.changes.append(f"session {number:4}: {change['rule_id']} {change['old']} -> {change['new']}")


def _progress(done: int, total: int) -> None:
    # A line that is written over and over is for terminals; in a pipe it would be a wall.
    if sys.stderr.isatty() and (done % 25 == 0 or done == total):
        end = "\n" if done == total else ""
        click.echo(f"\r   {done} of {total} sessions", nl=False, err=True)
        click.echo(end, nl=False, err=True)


async def _tell_proof(client: Client, agent: SimulatedAgent) -> None:
    page = await _call(client, "rules_list", limit=100)
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


async def _render(client: Client, root: Path) -> None:
    before = _files(root)
    rendering = await _call(client, "rules_render", targets=list(_TARGETS), write=True)
    refused = [file for file in rendering["files"] if file["action"] == "refused"]
    if refused:
        raise click.ClickException(f"rules_render refused {refused[0]['path']}: {refused[0]['reason']}")
    click.echo("\n5. The proven rules in the files of five assistants:")
    for path in sorted(_files(root)):
        mark = "" if path in before else "  new"
        written = [
            file for file in rendering["files"] if file["path"] == path and file["action"] != "unchanged"
        ]
        click.echo(f"   {path}{mark or ('  changed' if written else '')}")
    click.echo("\n6. CLAUDE.md as Claude Code reads it now:")
    for line in (root / "CLAUDE.md").read_text(encoding="utf-8").splitlines():
        click.echo(f"   | {line}".rstrip())


async def _compare(client: Client, agent: SimulatedAgent, sessions: int) -> None:
    """Let the server compare three models on simulated bugs, in randomised blocks."""
    runs = min(3 * sessions // 4, 360)
    name = "which model fixes bugs"
    await _call(
        client,
        "experiment_create",
        name=name,
        variants=[{"name": model, "config": {"model": model}} for model in MODELS],
        metric={"name": "fixed", "direction": "higher", "kind": "binary", "minimum_effect": 0.1},
        context="bug-fix",
        variable="model",
    )
    for number in range(runs):
        chosen = await _call(client, "variant_select", experiment=name, unit=f"bug {number}")
        run = {"assignment_id": chosen["assignment_id"], **agent.fix(chosen["variant"])}
        await _call(client, "run_record", experiment=name, runs=[run])
    results = await _call(client, "experiment_results", experiment=name)
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


def _files(root: Path) -> list[str]:
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return [path.as_posix() for path in found if path.parts[0] not in (".git", _STATE)]
