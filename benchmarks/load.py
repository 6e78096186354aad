"""Let many processes work on one project at once: `python -m benchmarks.load [--calls 500] [--servers 16] [--writers 32]`.

Agents do what `workload` says: over stdio, each with a server of its own, or in process, each with the engine
(`writer`). All begin at the same moment. Afterwards the log is compared with what was acknowledged, and every
table with a recount. A wait is the time of one call, so it is also a wait for the processor that all share.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple

from tests import postgres

from benchmarks.startup import Wire, heading, mark, table
from benchmarks.workload import Agent, Fact, in_process, opened, prepare, stored
from vettle.engine.store import maintenance

CALLS = 500
SERVERS = 16
WRITERS = 32
LONGEST_WAIT = 2.0  # seconds, in a file; a server is not promised to be this quick for twice as many
THROUGHPUT = 0.3  # of one writer's


class Where(NamedTuple):
    """A project: its folder, and the environment that names its database (none: a file in the folder)."""

    root: Path
    environment: Mapping[str, str]


@dataclass
class Outcome:
    """What some agents did together, and what the database says afterwards."""

    elapsed: float
    waits: list[float] = field(default_factory=list)
    acknowledged: Counter[Fact] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    lost: int = 0
    twice: int = 0
    differing: list[str] = field(default_factory=list)

    def add(self, agent: Agent) -> None:
        """Add what one agent did."""
        self.waits += agent.seconds
        self.acknowledged += agent.acknowledged
        self.errors += agent.errors

    @property
    def rate(self) -> float:
        """Calls per second, of all agents."""
        return len(self.waits) / self.elapsed

    @property
    def sound(self) -> bool:
        """Whether everything was acknowledged and is stored once, and every table equals a recount."""
        return not (self.errors or self.lost or self.twice or self.differing)

    def quantile(self, percent: int) -> float:
        """Return a percentile of the waits, in milliseconds."""
        return 1000 * statistics.quantiles(self.waits, n=100, method="inclusive")[percent - 1]


def work(agent: Agent, calls: int) -> None:
    """Let an agent work until it has made this many calls."""
    while len(agent.seconds) < calls:
        agent.work()


def warm_up(agent: Agent) -> None:
    """Let an agent do one session that is not timed: its process imports what it needs and learns what is known."""
    agent.work()
    agent.seconds.clear()


# --- through servers ------------------------------------------------------------------------------


def with_servers(where: Where, servers: int, calls: int) -> Outcome:
    """Start a server for each agent and let all work at once."""
    command = (sys.executable, "-m", "vettle", "serve", "--project", str(where.root))
    experiment = _prepared(where)
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(command, where.root, where.environment)) for _ in range(servers)]
        agents = [Agent(wire.call, f"agent {number}", experiment) for number, wire in enumerate(wires)]
        for agent in agents:
            warm_up(agent)
        threads = [threading.Thread(target=work, args=(agent, calls)) for agent in agents]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        outcome = Outcome(time.perf_counter() - begun)
    for agent in agents:
        outcome.add(agent)
    return outcome


# --- with the engine ------------------------------------------------------------------------------


def with_writers(where: Where, writers: int, calls: int) -> Outcome:
    """Start a process with the engine for each agent and let all work at once."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Barrier(writers + 1), context.Queue()
    experiment = _prepared(where)
    processes = [
        context.Process(target=_write, args=(where, f"agent {number}", experiment, calls, ready, done))
        for number in range(writers)
    ]
    for process in processes:
        process.start()
    ready.wait(timeout=300)
    begun = time.perf_counter()
    agents = [done.get(timeout=1_800) for _ in processes]
    outcome = Outcome(time.perf_counter() - begun)
    for process in processes:
        process.join()
    for agent in agents:
        outcome.add(agent)
    return outcome


def _write(where: Where, name: str, experiment: str, calls: int, ready: Barrier, done: Queue[Agent]) -> None:
    with opened(where.root, where.environment) as project:
        agent = Agent(in_process(project), name, experiment)
        warm_up(agent)
        ready.wait(timeout=300)
        work(agent, calls)
    agent.call = _nothing
    done.put(agent)


def _nothing(tool: str, arguments: dict[str, object]) -> dict[str, object]:
    """Stand for a call where an agent is sent to another process, which cannot make it."""
    raise NotImplementedError


# --- what is said about it ------------------------------------------------------------------------


def _prepared(where: Where) -> str:
    with opened(where.root, where.environment) as project:
        return prepare(in_process(project))


def checked(where: Where, outcome: Outcome) -> Outcome:
    """Compare the database with what was acknowledged, and every table with a recount."""
    with opened(where.root, where.environment) as project:
        found = stored(project)
        outcome.lost = (outcome.acknowledged - found).total()
        outcome.twice = (found - outcome.acknowledged).total()
        with closing(project.open_again()) as store:
            outcome.differing = maintenance.check(store)
    return outcome


@contextmanager
def places(folder: Path) -> Iterator[dict[str, Where]]:
    """Run a PostgreSQL server, and yield where a new project can be made, by store."""
    with postgres.server() as url:
        found = {
            "SQLite": Where(folder / "sqlite", {}),
            "SQLite, durability full": Where(folder / "full", {}),
            "PostgreSQL": Where(folder / "postgres", {"VETTLE_DATABASE_URL": url}),
        }
        for where in found.values():
            where.root.mkdir()
        settings = found["SQLite, durability full"].root / ".vettle"
        settings.mkdir()
        settings.joinpath("config.toml").write_text('durability = "full"\n', encoding="utf-8")
        yield found


def _fresh(where: Where, name: str) -> Where:
    """Return a place of its own for one measurement."""
    if where.environment:
        return where._replace(environment={**where.environment, "VETTLE_DATABASE_PROJECT": name})
    root = where.root / name
    root.mkdir()
    settings = where.root / ".vettle" / "config.toml"
    if settings.exists():
        (root / ".vettle").mkdir()
        (root / ".vettle" / "config.toml").write_bytes(settings.read_bytes())
    return where._replace(root=root)


def row(store: str, who: str, outcome: Outcome, alone: Outcome | None) -> tuple[list[str], bool]:
    """Return a row of the table, and whether its promises hold; `alone` is what one writer did."""
    longest = max(outcome.waits)
    held = outcome.sound and (longest <= LONGEST_WAIT or store == "PostgreSQL")
    share = ""
    if alone is not None:
        share = f"{outcome.rate / alone.rate:.2f}"
        held = held and outcome.rate >= THROUGHPUT * alone.rate
    cells = [store, who, f"{outcome.acknowledged.total():,}", f"{outcome.lost}", f"{outcome.twice}"]
    cells += [f"{len(outcome.errors)}", f"{len(outcome.differing)}"]
    cells += [f"{outcome.quantile(percent):.1f}" for percent in (50, 95, 99)]
    return [*cells, f"{1000 * longest:.0f}", f"{outcome.rate:.0f}", share, mark(held)], held


_COUNTED = ("store", "who", "events", "lost", "twice", "errors", "tables that differ")
HEADINGS = (*_COUNTED, "p50, ms", "p95", "p99", "longest", "calls/s", "of one alone", "")


def run(folder: Path, calls: int, servers: int, writers: int) -> bool:
    """Measure all stores and print one table; return whether every promise held."""
    rows: list[list[str]] = []
    told: list[Outcome] = []
    all_held = True
    with places(folder) as found:
        plan = [("SQLite", servers), ("SQLite, durability full", servers), ("PostgreSQL", writers)]
        for store, number in plan:
            alone: Outcome | None = None
            for count in (1, number):
                where = _fresh(found[store], f"writers-{count}")
                outcome = checked(where, with_writers(where, count, calls))
                cells, held = row(store, _number(count, "writer"), outcome, alone)
                alone = outcome
                rows, told, all_held = [*rows, cells], [*told, outcome], all_held and held
        for store in ("SQLite", "PostgreSQL"):
            where = _fresh(found[store], "servers")
            outcome = checked(where, with_servers(where, servers, calls))
            cells, held = row(store, _number(servers, "server"), outcome, None)
            rows, told, all_held = [*rows, cells], [*told, outcome], all_held and held
    print(heading("Many processes on one project"))
    print(
        f"{calls} calls each, after one session that is not timed; a call logs one event or several.\n\n{_table(rows)}\n",
        flush=True,
    )
    for problem in [text for outcome in told for text in (*outcome.errors[:3], *outcome.differing)]:
        print(f"- {problem}")
    return all_held


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    return table(HEADINGS, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load and print its table; exit with 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help=f"calls of each agent (default: {CALLS})")
    parser.add_argument("--servers", type=int, default=SERVERS, help=f"on each store (default: {SERVERS})")
    parser.add_argument("--writers", type=int, default=WRITERS, help=f"on PostgreSQL (default: {WRITERS})")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="vettle-load-") as name:
        held = run(Path(name).resolve(), options.calls, options.servers, options.writers)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
