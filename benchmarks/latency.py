"""Measure how long tool calls take on long histories: `python -m benchmarks.latency [--events 0,10000,...]`.

Every core tool is called on projects that differ only in how much was logged before (see `history`), in
turn call by call, so that a machine that is busy at times is busy for all sizes. In process the tool's
function is called with an open project; over stdio the same calls go to servers in raw JSON-RPC. What is
promised is a ratio of medians.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.history import CONTEXTS, RULES, Words, fill, known_mistakes, trial_rules
from benchmarks.startup import Wire, heading, mark, table
from benchmarks.workload import EXPERIMENT, Call, create_experiment, in_process, opened
from vettle.engine.project import Project

SIZES = (0, 10_000, 100_000, 1_000_000)
CALLS = 200
REFERENCE, MISTAKE_REFERENCE = 10_000, 100_000
LIMIT, MISTAKE_LIMIT = 1.5, 2.0
MANY_RULES, MANY_RULES_LIMIT = 5_000, 10.0  # milliseconds
COLD_RUNS = 9
TARGETS = ["claude", "cursor", "copilot", "windsurf", "continue"]

ENOUGH = 30.0
"""Seconds after which a step is no longer repeated: a call that takes long is one whose time is plain."""

_WARM_UP = 5
_FEWEST = 3
_KNOWN = 20
_RUNS = 100

Samples = dict[str, dict[int, list[float]]]
"""Seconds of every call, by step and number of past events."""


# --- what is called -------------------------------------------------------------------------------


@dataclass
class Place:
    """One project under test: how to call its tools, and what the calls refer to."""

    events: int
    call: Call
    rule: str
    experiment: str = ""
    session: str = ""
    unit: str = ""
    created: str = ""

    def note(self, tool: str, answer: dict[str, Any]) -> None:
        """Keep what the next calls name of an answer."""
        if tool == "session_start":
            self.session = answer["session_id"]
        elif tool == "variant_select":
            self.unit = answer["assignment_id"]
        elif tool == "experiment_create":
            self.created = answer["experiment_id"]


class Material:
    """The texts that calls are made with: the same for every project, new ones for every round."""

    def __init__(self, seed: str) -> None:
        self._words = Words(seed)
        self._known = known_mistakes(_KNOWN)
        self.next(0)

    def next(self, number: int) -> None:
        """Draw the texts of the next round."""
        self.number = number
        self.task = self._words.task()
        self.mistake = self._words.mistake()
        self.again = self._known[number % _KNOWN]
        self.rule = self._words.rule()
        self.context = CONTEXTS[number % len(CONTEXTS)]


class Step(NamedTuple):
    """A call of one tool. A step that starts a session is followed by others that name it."""

    name: str
    tool: str
    arguments: Callable[[Place, Material], dict[str, Any]]


def _start(place: Place, material: Material) -> dict[str, Any]:
    return {"task": material.task, "context": material.context, "seed": material.number}


def _session(**arguments: Any) -> Callable[[Place, Material], dict[str, Any]]:
    return lambda place, material: {"session_id": place.session, **arguments}


def _known_mistake(place: Place, material: Material) -> dict[str, Any]:
    error_class, description, _ = material.again
    return {"error_class": error_class, "description": description, "session_id": place.session}


def _new_mistake(place: Place, material: Material) -> dict[str, Any]:
    error_class, description, correction = material.mistake
    about = {"error_class": error_class, "description": description, "correction": correction}
    return {**about, "session_id": place.session}


def _decide(action: str) -> Callable[[Place, Material], dict[str, Any]]:
    return lambda place, material: {"rule_id": place.rule, "action": action, "reason": "benchmark"}


def _experiment(**arguments: Any) -> Callable[[Place, Material], dict[str, Any]]:
    return lambda place, material: {"experiment": place.experiment, **arguments}


def _record(place: Place, material: Material) -> dict[str, Any]:
    run = {"assignment_id": place.unit, "metrics": {"passed": float(material.number % 3 > 0)}}
    return {"experiment": place.experiment, "runs": [run]}


def _create(place: Place, material: Material) -> dict[str, Any]:
    return {"name": f"created {material.number}", **EXPERIMENT}


def _abandon(place: Place, material: Material) -> dict[str, Any]:
    return {"experiment": place.created, "action": "abandon", "reason": "benchmark"}


def _always(**arguments: Any) -> Callable[[Place, Material], dict[str, Any]]:
    return lambda place, material: arguments


STEPS = (
    Step("session_start", "session_start", _start),
    Step("mistake_log (known)", "mistake_log", _known_mistake),
    Step("mistake_log (new)", "mistake_log", _new_mistake),
    Step("reward_log (open session)", "reward_log", _session(outcome="revision")),
    Step("session_end (with outcome)", "session_end", _session(outcome="accepted")),
    Step("session_start", "session_start", _start),
    Step("session_end (no outcome)", "session_end", _session()),
    Step("reward_log (ended session)", "reward_log", _session(outcome="accepted")),
    Step("rule_decide (retire)", "rule_decide", _decide("retire")),
    Step("rule_decide (restore)", "rule_decide", _decide("restore")),
    Step("variant_select", "variant_select", _experiment()),
    Step("run_record", "run_record", _record),
    Step("experiment_results", "experiment_results", _experiment()),
    Step("rules_list", "rules_list", _always()),
    Step("rules_render (dry)", "rules_render", _always(targets=TARGETS)),
    *(Step(f"report_get ({kind})", "report_get", _always(kind=kind)) for kind in ("sessions", "mistakes")),
    *(Step(f"report_get ({kind})", "report_get", _always(kind=kind)) for kind in ("rewards", "rules")),
    *(
        Step(f"report_get ({kind})", "report_get", _always(kind=kind))
        for kind in ("models", "costs", "evidence")
    ),
    Step("report_get (sessions, rare context)", "report_get", _always(kind="sessions", context="rare")),
    Step("status", "status", _always()),
)
ADDING = (
    Step("rule_add", "rule_add", lambda place, material: {"text": material.rule}),
    Step("experiment_create", "experiment_create", _create),
    Step("experiment_decide (abandon)", "experiment_decide", _abandon),
)
"""Last, because every round leaves a rule and an experiment behind, and the other steps shall see the same all the time."""

READ_RUNS = ("report_get (mistakes)", "report_get (models)", "report_get (costs)", "report_get (evidence)")
"""Steps that read the newest runs, at most 10,000: as many there are only in a history of 100,000 events."""


def measure(
    places: Sequence[Place],
    steps: Sequence[Step],
    calls: int,
    seed: str,
    clock: Callable[[], float] = time.perf_counter,
) -> Samples:
    """Run all steps `calls` times, each step on every place before the next; return the seconds of each call."""
    samples: Samples = defaultdict(lambda: defaultdict(list))
    material = Material(seed)
    for number in range(calls + _WARM_UP):
        material.next(number)
        turn = number % len(places)
        for step in steps:
            if number >= _FEWEST and sum(map(sum, samples[step.name].values())) > ENOUGH:
                continue
            for place in (*places[turn:], *places[:turn]):
                arguments = step.arguments(place, material)
                begun = clock()
                answer = place.call(step.tool, arguments)
                seconds = clock() - begun
                samples[step.name][place.events].append(seconds)
                place.note(step.tool, answer)
    return {
        name: {size: taken[min(_WARM_UP, len(taken) - _FEWEST + 1) :] for size, taken in of_size.items()}
        for name, of_size in samples.items()
    }


# --- where it is called ---------------------------------------------------------------------------


def prepare(folder: Path, events: int, rules: int) -> Path:
    """Make a project with a past, if there is none yet; return its folder."""
    root = folder / f"{events}-{rules}"
    if root.exists():
        return root
    root.mkdir()
    begun = time.perf_counter()
    with opened(root) as project:
        fill(project, events, rules=rules)
    print(f"{events:,} events, {rules} rules: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return root


def by_function(roots: dict[int, Path], calls: int) -> Samples:
    """Measure all steps through the functions of the tools."""
    with ExitStack() as stack:
        projects = {events: stack.enter_context(opened(root)) for events, root in roots.items()}
        places = [_place(events, in_process(project), project) for events, project in projects.items()]
        return {**measure(places, STEPS, calls, "in process"), **measure(places, ADDING, calls, "adding")}


def _place(events: int, call: Call, project: Project) -> Place:
    """Return a project to be called, with an experiment that has had some runs."""
    begin = in_process(project)
    place = Place(events, call, trial_rules(project)[0], create_experiment(begin, 0))
    for number in range(_RUNS):
        place.unit = begin("variant_select", {"experiment": place.experiment})["assignment_id"]
        begin("run_record", _record(place, Material(str(number))))
    return place


def over_stdio(roots: dict[int, Path], calls: int) -> Samples:
    """Measure all steps through servers that are spoken to in raw JSON-RPC."""
    with ExitStack() as stack:
        places = []
        for events, root in roots.items():
            command = (sys.executable, "-m", "vettle", "serve", "--project", str(root))
            wire = stack.enter_context(Wire(command, root))
            with opened(root) as project:
                places.append(_place(events, wire.call, project))
        return {**measure(places, STEPS, calls, "stdio"), **measure(places, ADDING, calls, "adding over")}


_FIRST_CALL = """
import sys, time
from pathlib import Path
import vettle.engine.learning
from vettle.engine.project import Project
from vettle.server import tools
begun = time.perf_counter()
tools.session_start(Project(Path(sys.argv[1])), task="Fix the login test", k=3)
print(time.perf_counter() - begun)
"""


def first_calls(roots: dict[int, Path], runs: int) -> Samples:
    """Measure the first session_start of a process: it opens the store and restores what was learned."""
    seconds: dict[int, list[float]] = defaultdict(list)
    for _ in range(runs):
        for events, root in roots.items():
            command = [sys.executable, "-c", _FIRST_CALL, str(root)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds[events].append(float(said))
    return {"session_start, first of a process": seconds}


def with_many_rules(folder: Path, events: int, calls: int, verdicts: Verdicts) -> str:
    """Measure session_start, warm, in a project with MANY_RULES rules, by the clock and in processor time."""
    root = prepare(folder, events, MANY_RULES)
    rows = []
    with opened(root) as project:
        place = Place(events, in_process(project), "")
        for name, clock in (("by the clock", time.perf_counter), ("processor time", time.process_time)):
            samples = measure([place], STEPS[:1], calls, name, clock)[STEPS[0].name][events]
            median = 1000 * statistics.median(samples)
            row = [
                f"session_start, {MANY_RULES:,} rules, {name}",
                f"{median:.2f}",
                f"{1000 * p95(samples):.2f}",
            ]
            rows.append([*row, f"<= {MANY_RULES_LIMIT:.0f}", verdicts.mark(median <= MANY_RULES_LIMIT)])
    return table(("in process", "median ms", "p95 ms", "promise", ""), rows)


# --- what is said about it ------------------------------------------------------------------------


@dataclass
class Verdicts:
    """Whether each promise held, as the tables are made."""

    held: list[bool] = field(default_factory=list)

    def mark(self, held: bool) -> str:
        """Note whether a promise held; return its mark."""
        self.held.append(held)
        return mark(held)


def p95(seconds: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def compare(samples: Samples, sizes: Sequence[int], verdicts: Verdicts) -> str:
    """Return a table of milliseconds by step and size, with the ratios that are promised about."""
    largest = max(sizes)
    headings = ["median / p95, ms", *(f"{size:,}" for size in sizes)]
    headings += ["compared with", "ratio of medians", "of p95", "promise", ""]
    rows = []
    for name, of_size in samples.items():
        reference, limit = _promise(name, sizes)
        row = [name, *(_cell(of_size[size]) for size in sizes)]
        if reference is not None:
            ratio = statistics.median(of_size[largest]) / statistics.median(of_size[reference])
            tail = p95(of_size[largest]) / p95(of_size[reference])
            row += [f"{reference:,}", f"{ratio:.2f}", f"{tail:.2f}", f"<= {limit}"]
            row.append(verdicts.mark(ratio <= limit))
        rows.append([*row, *[""] * (len(headings) - len(row))])
    return table(headings, rows)


def _promise(name: str, sizes: Sequence[int]) -> tuple[int | None, float]:
    """Return the size that the largest is compared with, if it was measured, and the ratio promised."""
    is_mistake = name.startswith("mistake_log")
    reference = MISTAKE_REFERENCE if is_mistake or name in READ_RUNS else REFERENCE
    compared = reference if reference in sizes and reference < max(sizes) else None
    return compared, MISTAKE_LIMIT if is_mistake else LIMIT


def _cell(seconds: Sequence[float]) -> str:
    return f"{1000 * statistics.median(seconds):.2f} / {1000 * p95(seconds):.2f}"


def run(folder: Path, sizes: Sequence[int], calls: int) -> int:
    """Measure everything on projects made in this folder, and print it."""
    verdicts = Verdicts()
    roots = {events: prepare(folder, events, RULES) for events in sizes}
    largest = max(sizes)
    compared = {
        events: roots[events] for events in sizes if events in (REFERENCE, MISTAKE_REFERENCE, largest)
    }
    cold = first_calls(compared, COLD_RUNS)
    print(heading("Tool calls by number of past events"))
    print(f"In process, {calls} calls each:\n\n{compare(by_function(roots, calls), sizes, verdicts)}\n")
    print(f"First call of a process, {COLD_RUNS} processes each, imports not counted:\n")
    print(f"{compare(cold, list(compared), verdicts)}\n")
    print(f"Over stdio, {calls} calls each:\n")
    print(f"{compare(over_stdio(compared, calls), list(compared), verdicts)}\n", flush=True)
    print(with_many_rules(folder, REFERENCE, calls, verdicts))
    return 0 if all(verdicts.held) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables; exit with 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--events", default=",".join(map(str, SIZES)), help="sizes, comma-separated")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"calls of each tool (default: {CALLS})")
    parser.add_argument(
        "--keep", type=Path, help="make the projects in this folder, or use those that are there"
    )
    options = parser.parse_args(arguments)
    sizes = sorted({int(size) for size in options.events.split(",")})
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        return run(options.keep.resolve(), sizes, options.calls)
    with tempfile.TemporaryDirectory(prefix="vettle-benchmark-") as name:
        return run(Path(name).resolve(), sizes, options.calls)


if __name__ == "__main__":
    sys.exit(main())
