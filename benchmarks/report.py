"""Measure the page on long histories: `python -m benchmarks.report [--events 10000,100000,1000000] [--keep DIR]`.

The page is gathered and written in this process, by processor time, and `vettle report` is run as a command, by the
clock. What a page reads is bounded, so beyond 100,000 events it should hardly take longer.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.latency import SIZES, p95, prepare
from benchmarks.startup import heading, mark, table
from benchmarks.workload import opened
from vettle.engine.overview import gathering
from vettle.renderers.report.html import as_html

REFERENCE = 100_000
LIMIT = 1.5
RULES = 50

_COMMAND = (sys.executable, "-c", "from vettle.server.entry import main; main()", "report")


def seconds(root: Path, times: int) -> dict[str, list[float]]:
    """Return how long each part took, each time: gathering and writing by processor time, the command by the clock."""
    with opened(root) as project:
        page = gathering.gather(project)
        gathered = [_took(lambda: gathering.gather(project), time.process_time) for _ in range(times)]
    written = [_took(lambda: as_html(page), time.process_time) for _ in range(times)]
    return {
        "gather": gathered,
        "write as HTML": written,
        "vettle report": [_took(lambda: _command(root), time.perf_counter) for _ in range(times)],
    }


def _took(work: Callable[[], object], clock: Callable[[], float]) -> float:
    begun = clock()
    work()
    return clock() - begun


def _command(root: Path) -> None:
    """Run the command with a home of its own, which it finds empty."""
    with tempfile.TemporaryDirectory(prefix="vettle-home-") as home:
        environment = {**os.environ, "HOME": home, "XDG_STATE_HOME": home, "VETTLE_PROJECT": str(root)}
        output = str(Path(home) / "report.html")
        subprocess.run([*_COMMAND, "--output", output], env=environment, check=True, capture_output=True)


def run(folder: Path, sizes: Sequence[int], times: int) -> int:
    """Measure every size and print the table; return 1 if the promise about the largest is missed."""
    found = {size: seconds(prepare(folder, size, RULES), times) for size in sizes}
    held = True
    rows = []
    for name in found[sizes[0]]:
        cells = [
            f"{statistics.median(found[size][name]):.2f} / {p95(found[size][name]):.2f}" for size in sizes
        ]
        ratio = promise = verdict = ""
        if REFERENCE in sizes and sizes[-1] > REFERENCE:
            grown = statistics.median(found[sizes[-1]][name]) / statistics.median(found[REFERENCE][name])
            held = held and grown <= LIMIT
            ratio, promise, verdict = f"{grown:.2f}", f"<= {LIMIT}", mark(grown <= LIMIT)
        rows.append([name, *cells, ratio, promise, verdict])
    print(heading("The page by number of past events"))
    headings = ["median / p95, s", *(f"{size:,}" for size in sizes)]
    print(table([*headings, f"of {REFERENCE:,}", "promise", ""], rows))
    return 0 if held else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--events", default=",".join(map(str, SIZES[1:])), help="sizes, comma-separated")
    parser.add_argument("--times", type=int, default=7, help="how often each is measured")
    parser.add_argument("--keep", type=Path, help="make the projects here, or use those that are there")
    options = parser.parse_args(arguments)
    sizes = sorted({int(size) for size in options.events.split(",")})
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        return run(options.keep.resolve(), sizes, options.times)
    with tempfile.TemporaryDirectory(prefix="vettle-benchmark-") as name:
        return run(Path(name).resolve(), sizes, options.times)


if __name__ == "__main__":
    sys.exit(main())
