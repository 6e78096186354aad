"""Show every promise in one command: `python -m benchmarks [--quick] [--only load,soak]`.

Runs each benchmark in a process of its own, prints what it prints, and at the end one table with what was kept
and what was missed. `--quick` takes minutes on a quiet machine and shows that everything runs: histories are
shorter and simulations have fewer seeds, so a miss may be noise. Without it, it takes two hours.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.startup import heading, mark, table


class Benchmark(NamedTuple):
    """A module, what it shows, and its arguments, all of them and in a hurry. KEEP stands for a folder."""

    module: str
    shows: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()


KEEP = "KEEP"
"""Where the long histories are made, once for all benchmarks that need them."""

_KEPT = ("--keep", KEEP)

BENCHMARKS = (
    Benchmark("startup", "starting, memory", (), ("--runs", "5")),
    Benchmark(
        "latency", "calls on long histories", _KEPT, (*_KEPT, "--events", "10000,100000", "--calls", "20")
    ),
    Benchmark(
        "report", "the page on long histories", _KEPT, (*_KEPT, "--events", "10000,100000", "--times", "3")
    ),
    Benchmark("limits", "store, peers", _KEPT, (*_KEPT, "--events", "10000,100000", "--distinct", "5000")),
    Benchmark("load", "many processes", (), ("--calls", "50", "--servers", "4", "--writers", "8")),
    Benchmark("soak", "ten minutes, SQLite", (), ("--minutes", "1")),
    Benchmark(
        "soak", "ten minutes, PostgreSQL", ("--store", "postgres"), ("--store", "postgres", "--minutes", "1")
    ),
    Benchmark("rules", "choosing and proving rules", (), ("--scale", "0.1", "--only", "plain,null,latency")),
    Benchmark("variants", "comparing variants", (), ("--scale", "0.1")),
    Benchmark("models", "ranking models", (), ("--scale", "0.1")),
)


class Result(NamedTuple):
    """What a benchmark said: promises kept, what those missed are called, and whether it ran to its end."""

    benchmark: Benchmark
    kept: int
    missed: list[str]
    ended: bool
    minutes: float


def run(benchmark: Benchmark, arguments: Sequence[str]) -> Result:
    """Run a benchmark and print what it prints as it does."""
    command = [sys.executable, "-m", f"benchmarks.{benchmark.module}", *arguments]
    said: list[str] = []
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            said.append(line)
    print(flush=True)
    kept = sum(line.count("| pass ") for line in said)
    missed = _missed(said)
    # A benchmark exits with 1 when a promise is missed, and also when it fails.
    ended = process.returncode == (1 if missed else 0)
    return Result(benchmark, kept, missed, ended, (time.perf_counter() - begun) / 60)


def _missed(said: Sequence[str]) -> list[str]:
    """Return what each missed promise is about: its row, or its column where the row has no name."""
    found: list[str] = []
    headings: list[str] = []
    for line, after in zip(said, [*said[1:], ""], strict=True):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if after.startswith("| ---"):
            headings = cells
        for number, cell in enumerate(cells):
            if cell == mark(False):
                # Tables by store or by size name what they measure in their first two cells.
                found.append(
                    (cells[0] if len(cells[0]) > 12 else " ".join(cells[:2]))
                    if cells[0]
                    else headings[number]
                )
    return found


def summary(results: Sequence[Result]) -> str:
    """Return one row for each benchmark."""
    rows = [
        [
            f"`{result.benchmark.module}`: {result.benchmark.shows}",
            f"{result.kept}",
            f"{len(result.missed)}",
            f"{result.minutes:.1f}",
            "; ".join(dict.fromkeys(result.missed)) if result.ended else "**did not run to its end**",
        ]
        for result in results
    ]
    return table(("benchmark", "kept", "missed", "minutes", "which"), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and print the summary; exit with 1 when a promise is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="minutes instead of hours, less certain")
    names = ", ".join(dict.fromkeys(benchmark.module for benchmark in BENCHMARKS))
    parser.add_argument("--only", default="", help=f"modules, comma-separated: {names}")
    options = parser.parse_args(arguments)
    chosen = [one for one in BENCHMARKS if not options.only or one.module in options.only.split(",")]
    if not chosen:
        parser.error(f"no benchmark {options.only!r}; there are {names}")
    results = []
    with tempfile.TemporaryDirectory(prefix="vettle-benchmark-") as folder:
        histories = str(Path(folder).resolve())
        for benchmark in chosen:
            given = benchmark.quick if options.quick else benchmark.full
            results.append(run(benchmark, [histories if one == KEEP else one for one in given]))
    print(heading("Every promise"))
    print(summary(results))
    return 0 if all(result.ended and not result.missed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
