"""Call one server for a long time: `python -m benchmarks.soak [--minutes 10] [--store sqlite|postgres]`.

One agent works at full speed over stdio, and an experiment of some hundred runs follows the other. What the
server occupies is looked at on the way: memory, open descriptors, and SQLite's write-ahead log. The first
two fifths of the time are for warming up, since SQLite fills its cache of 16 MiB with pages as the database
grows; after them nothing may grow. Linux only.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from tests import postgres

from benchmarks.startup import Wire, heading, mark, table
from benchmarks.workload import READING, Agent, create_experiment, opened, prepare, stored
from vettle.engine.store import maintenance

MINUTES = 10.0
LOOKS = 40
MEMORY_LIMIT = 3.0  # MB from the first looks after warming up to the last ones
LOG_LIMIT = 20.0  # MB: a checkpoint follows every 16 MB

_WARM_UP = 0.4
_EXPERIMENT = 200  # sessions
_READING = 10  # sessions from one round of reading calls to the next


class Look(NamedTuple):
    """What there is to see of a server at one moment; sizes are in MB."""

    seconds: float
    calls: int
    resident: float
    own: float
    descriptors: int
    log: float
    database: float


def soak(minutes: float, folder: Path, environment: Mapping[str, str]) -> tuple[Agent, list[Look]]:
    """Work for some minutes; return who did, and what was seen of the server."""
    command = (sys.executable, "-m", "vettle", "serve", "--project", str(folder))
    with Wire(command, folder, environment) as wire:
        agent = Agent(wire.call, "soak", prepare(wire.call))
        looks: list[Look] = []
        begun, every = time.perf_counter(), 60 * minutes / LOOKS
        while (passed := time.perf_counter() - begun) < 60 * minutes or len(looks) <= LOOKS:
            if passed >= every * len(looks):
                looks.append(_look(wire, folder, passed, len(agent.seconds)))
            agent.work()
            if agent.sessions % _READING == 0:
                _read(agent)
            if agent.sessions % _EXPERIMENT == 0:
                agent.ask(
                    "experiment_decide", experiment=agent.experiment, action="close", reason="benchmark"
                )
                agent.experiment = create_experiment(wire.call, agent.sessions)
    return agent, looks


def _read(agent: Agent) -> None:
    for tool, arguments in READING:
        agent.ask(tool, **arguments)
    agent.ask("experiment_results", experiment=agent.experiment)
    agent.ask("variant_select", experiment=agent.experiment, unit="read", policy="thompson")


def _look(wire: Wire, folder: Path, passed: float, calls: int) -> Look:
    memory = wire.occupied()
    log, database = (_megabytes(folder / ".vettle" / name) for name in ("vettle.db-wal", "vettle.db"))
    return Look(passed, calls, memory.resident, memory.own, wire.descriptors(), log, database)


def _megabytes(path: Path) -> float:
    return path.stat().st_size / 1e6 if path.exists() else 0.0


# --- what is said about it ------------------------------------------------------------------------


def told(looks: Sequence[Look]) -> str:
    """Return a table of some of the looks, evenly spread."""
    chosen = [looks[round(part * (len(looks) - 1) / 8)] for part in range(9)]
    rows = [
        [
            f"{look.seconds / 60:.1f}",
            f"{look.calls:,}",
            f"{look.resident:.1f}",
            f"{look.own:.1f}",
            f"{look.descriptors}",
            f"{look.log:.1f}",
            f"{look.database:.1f}",
        ]
        for look in chosen
    ]
    return table(("minutes", "calls", "MB", "own MB", "descriptors", "log, MB", "database, MB"), rows)


def promises(agent: Agent, looks: Sequence[Look], lost: int, differing: Sequence[str]) -> list[list[str]]:
    """Return one row for each thing that was promised."""
    warm = [look for look in looks if look.seconds >= _WARM_UP * looks[-1].seconds]
    tenth = max(len(warm) // 10, 2)
    first, last = warm[:tenth], warm[-tenth:]
    grown = statistics.fmean(look.own for look in last) - statistics.fmean(look.own for look in first)
    more = last[-1].descriptors - first[0].descriptors
    log = max(look.log for look in looks)
    return [
        [
            "own memory grown after warming up, MB",
            f"{grown:+.1f}",
            f"<= {MEMORY_LIMIT:.0f}",
            mark(grown <= MEMORY_LIMIT),
        ],
        ["descriptors more", f"{more:+d}", "0", mark(more <= 0)],
        ["largest write-ahead log, MB", f"{log:.1f}", f"<= {LOG_LIMIT:.0f}", mark(log <= LOG_LIMIT)],
        ["errors", f"{len(agent.errors)}", "0", mark(not agent.errors)],
        ["acknowledged and not stored", f"{lost}", "0", mark(not lost)],
        ["tables that differ from a recount", f"{len(differing)}", "0", mark(not differing)],
    ]


def run(store: str, minutes: float) -> bool:
    """Soak a server on one store and print what came of it; return whether every promise held."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vettle-soak-"))).resolve()
        environment = {}
        if store == "postgres":
            url = stack.enter_context(postgres.server())
            environment = {"VETTLE_DATABASE_URL": url, "VETTLE_DATABASE_PROJECT": "soak"}
        with opened(folder, environment) as project, project.read():
            pass  # imports all that the end needs: what changes meanwhile must not be mixed with what runs
        agent, looks = soak(minutes, folder, environment)
        print(heading(f"Soak of {minutes:g} minutes, {store}"))
        rate = len(agent.seconds) / looks[-1].seconds
        print(f"{len(agent.seconds):,} calls over stdio, {rate:.0f} a second, {agent.sessions:,} sessions.\n")
        print(f"{told(looks)}\n", flush=True)
        with opened(folder, environment) as project:
            lost = (agent.acknowledged - stored(project)).total()
            with closing(project.open_again()) as again:
                differing = maintenance.check(again)
    rows = promises(agent, looks, lost, differing)
    print(f"{table(('promise', store, 'at most', ''), rows)}\n", flush=True)
    for problem in (*agent.errors[:5], *differing):
        print(f"- {problem}")
    return all(row[-1] == mark(True) for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak and print its tables; exit with 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"how long (default: {MINUTES:g})")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    options = parser.parse_args(arguments)
    return 0 if run(options.store, options.minutes) else 1


if __name__ == "__main__":
    sys.exit(main())
