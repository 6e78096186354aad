"""Measure when ClickHouse is worth it: `python -m benchmarks.clickhouse [--events 100000,1000000] [--python PATH]`.

One experiment with that many runs over 60 days is analysed by the default engine and by embedded ClickHouse, each
in a process of its own, in turn. `--python` is a Python that has chdb (default: this one). The default engine reads
the newest 10,000 recordings for costs and failures, so there it answers another question; that is said, not hidden.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.startup import heading, table
from vettle.engine.analysis.analysing import analyse
from vettle.engine.clickhouse.embedded import Embedded
from vettle.engine.clock import DAY, system_clock
from vettle.engine.experiments import lifecycle
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.identifiers import canonical_json, new_uid
from vettle.engine.project import Project
from vettle.engine.store.database import Value

SIZES = (100_000, 1_000_000)
ROUNDS = 3
DAYS = 60
VARIANTS = 4
MODELS = ("small", "medium", "large")

QUESTIONS: dict[str, dict[str, Any]] = {
    "costs": {"period": "all"},
    "failures": {"period": "all"},
    "experiment": {"experiment": "prompt", "by": ("model",), "interval": "day"},
}
_BATCH = 1_000
_MEGABYTE = 1024


class Measured(NamedTuple):
    """One analysis: seconds, those of processors, and the most memory of the process and its child, in megabytes."""

    seconds: float
    processor: float
    memory: float
    child: float


def fill(folder: Path, events: int) -> None:
    """Record that many runs of one experiment, as `run_record` would have, but many at a time."""
    project = Project(folder, environment={})
    lifecycle.create(
        project,
        name="prompt",
        variants=[VariantInput(name=f"v{at}", config={"n": at}) for at in range(VARIANTS)],
        metric=MetricInput(name="score", direction="higher", range=(0, 1)),
        space={},
    )
    chance = random.Random(events)
    now = system_clock()
    with project.read() as transaction:
        found = lifecycle.require(transaction, "prompt")
    ids = [one["id"] for one in found.design["variants"]]
    for first in range(0, events, _BATCH):
        with project.write() as transaction:
            rows: list[Value] = []
            runs: list[Value] = []
            for number in range(first, min(first + _BATCH, events)):
                ts = now + 1_000_000 + number * DAY * DAYS // events
                variant, run = ids[number % VARIANTS], _run(chance)
                data = run.model_dump(mode="json", exclude={"assignment_id", "unit", "variant", "metrics"})
                text = canonical_json({**data, "unit": f"u{number}", "missing": []})
                values = canonical_json(run.metrics)
                event = number + 1_000
                rows += (
                    event,
                    transaction.project,
                    new_uid(ts),
                    ts,
                    "run_recorded",
                    "",
                    found.id,
                    variant,
                    values,
                    text,
                )
                runs += (
                    transaction.project,
                    found.id,
                    f"u{number}",
                    event,
                    event,
                    variant,
                    run.status,
                    values,
                    text,
                    ts,
                )
            marks = ",".join(["(?,?,?,?,?,?,?,?,?,?)"] * (len(rows) // 10))
            columns = "id, project, uid, ts, kind, session, subject, choice, metrics, data"
            transaction.execute(f"INSERT INTO event({columns}) VALUES {marks}", rows)
            columns = "project, experiment, unit, event, first, variant, status, metrics, data, ts"
            transaction.execute(f"INSERT INTO run({columns}) VALUES {marks}", runs)
    project.close()


def _run(chance: random.Random) -> RunInput:
    failed = chance.random() < 0.05
    return RunInput(
        status="failed" if failed else "completed",
        metrics={} if failed else {"score": chance.random()},
        failure_mode=chance.choice(("timeout", "crash", "refused")) if failed else "",
        error="it did not work" if failed else "",
        duration_ms=chance.expovariate(0.001),
        tokens_in=chance.randrange(10_000),
        tokens_out=chance.randrange(1_000),
        cost=chance.expovariate(50),
        dimensions={"model": chance.choice(MODELS), "temperature": chance.choice((0.0, 0.5, 1.0))},
    )


def one(folder: Path, kind: str, engine: str, python: str) -> Measured:
    """Answer one question in this process, which did nothing before."""
    project = Project(folder, environment={})
    began = time.perf_counter()
    analyse(project, kind, engine=Embedded(python) if engine == "clickhouse" else None, **QUESTIONS[kind])  # type: ignore[arg-type]
    seconds = time.perf_counter() - began
    project.close()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    busy = sum(own.ru_utime + own.ru_stime for own in used)
    return Measured(seconds, busy, *(own.ru_maxrss / _MEGABYTE for own in used))


def measure(folder: Path, kind: str, engine: str, python: str) -> Measured:
    """Answer one question in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.clickhouse",
        "--one",
        str(folder),
        kind,
        engine,
        "--python",
        python,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Measured(*json.loads(done.stdout))


def rows_of(events: int, python: str, rounds: int) -> list[list[str]]:
    """Return the rows of one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, events)
        found = []
        for kind in QUESTIONS:
            taken: dict[str, list[Measured]] = {"default": [], "clickhouse": []}
            for _ in range(rounds):
                for engine, own in taken.items():
                    own.append(measure(folder, kind, engine, python))
            found.append(_row(events, kind, taken))
    return found


def _row(events: int, kind: str, taken: dict[str, list[Measured]]) -> list[str]:
    default, counted = (statistics.median(one.seconds for one in taken[name]) for name in taken)
    busy, ours_busy = (statistics.median(one.processor for one in taken[name]) for name in taken)
    memory = statistics.median(one.memory for one in taken["default"])
    ours, child = (statistics.median(one[at] for one in taken["clickhouse"]) for at in (2, 3))
    newest = " (newest 10,000)" if kind != "experiment" and events > 10_000 else ""
    return [
        f"{kind}, {events:,} runs",
        f"{default:.2f} s{newest}",
        f"{counted:.2f} s",
        f"{counted / default:.2f}",
        f"{ours_busy / busy:.2f}",
        f"{memory:.0f}",
        f"{ours:.0f} + {child:.0f}",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", default=",".join(map(str, SIZES)))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--one", nargs=3)
    given = parser.parse_args(arguments)
    if given.one:
        folder, kind, engine = given.one
        print(json.dumps(one(Path(folder), kind, engine, given.python)))
        return
    print(heading("ClickHouse"))
    names = [
        "question",
        "default engine",
        "ClickHouse",
        "ratio",
        "ratio of CPU time",
        "MB, default",
        "MB, ClickHouse: ours + child",
    ]
    rows = [row for size in given.events.split(",") for row in rows_of(int(size), given.python, given.rounds)]
    print(table(names, rows))


if __name__ == "__main__":
    main()
