"""Measure what starting costs: `python -m benchmarks.startup [--runs 15]`.

The server is timed from spawn to its reply to `initialize`, over raw JSON-RPC, beside a bare server of
two tools on the same SDK; the command line and hooks beside a bare interpreter. Rivals are started in turn, so a
machine that is busy at times is busy for both. Memory is told on Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from vettle.engine.store.lock import FileLock
from vettle.server.hooks import recording, spool

PROTOCOL = "2025-11-25"

BARE_SERVER = '''\
from mcp.server import MCPServer

server = MCPServer("bare")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


server.run()
'''

INITIALIZE_LIMIT = 1.15
MEMORY_LIMIT = 15.0  # MB beyond the bare server
HELP_LIMIT = 5.0
HOOK_LIMIT = 5.0


class Memory(NamedTuple):
    """Megabytes that a process occupies: all of its resident memory, and the part that is its own.

    The rest are pages of libraries, which every process that runs the same program shares.
    """

    resident: float
    own: float


_UNKNOWN = Memory(float("nan"), float("nan"))


class Wire:
    """A server process spoken to in raw JSON-RPC, without an SDK on this side.

    Attributes:
        initialized: Seconds from spawn to the reply to `initialize`.
        memory: What it occupied right after that reply.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start the server in a folder, with these variables beside those of this process."""
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._number = 0
        client = {"name": "benchmark", "version": "1"}
        self._ask("initialize", {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client})
        self.initialized = time.perf_counter() - begun
        self.memory = self.occupied()
        self._send({"method": "notifications/initialized"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close stdin, which ends the server."""
        self._process.communicate(timeout=30)

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._process.stdin.flush()

    def _ask(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdout is not None
        self._number += 1
        self._send({"id": self._number, "method": method, "params": parameters})
        while line := self._process.stdout.readline():
            message = json.loads(line)
            if message.get("id") == self._number:
                result: dict[str, Any] = message["result"]
                return result
        raise RuntimeError(f"the server ended while it was asked {method}")

    def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call a tool; return its structured answer (RuntimeError when it answers with an error)."""
        result = self._ask("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise RuntimeError(f"{tool}: {result['content']}")
        answer: dict[str, Any] = result["structuredContent"]
        return answer

    def descriptors(self) -> int:
        """Return how many files and pipes the server has open (-1 where that cannot be told)."""
        folder = Path(f"/proc/{self._process.pid}/fd")
        return len(list(folder.iterdir())) if folder.exists() else -1

    def occupied(self) -> Memory:
        """Return the memory that the server occupies now (not a number where it cannot be told)."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return _UNKNOWN
        kilobytes = {name: int(value) for name, value in re.findall(r"(Rss\w+|VmRSS):\s+(\d+) kB", status)}
        return Memory(kilobytes["VmRSS"] / 1000, kilobytes["RssAnon"] / 1000)


def heading(title: str) -> str:
    """Return a Markdown heading with the date and the machine that the numbers below it are from."""
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("mcp", "apsw", "numpy"))
    return f"### {title}\n\n{datetime.now(UTC):%Y-%m-%d}, {machine}, {versions}\n"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text and whose others are numbers."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def mark(held: bool) -> str:
    """Return the mark of a promise."""
    return "pass" if held else "**miss**"


# --- the server -----------------------------------------------------------------------------------


class Rival(NamedTuple):
    """A server to start: its command line, and the first tool call it is asked."""

    command: tuple[str, ...]
    tool: str
    arguments: dict[str, Any]


class Started(NamedTuple):
    """One start: seconds to the reply to `initialize`, and memory then and after the first tool call."""

    seconds: float
    memory: Memory
    memory_after_call: Memory


def start(rival: Rival, folder: Path) -> Started:
    """Start a server, call one tool, and stop it."""
    with Wire(rival.command, folder) as wire:
        wire.call(rival.tool, rival.arguments)
        return Started(wire.initialized, wire.memory, wire.occupied())


def compare_servers(runs: int, folder: Path) -> tuple[str, bool]:
    """Start both servers in turn; return the table, and whether both promises hold."""
    bare_file = folder / "bare.py"
    bare_file.write_text(BARE_SERVER, encoding="utf-8")
    serve = (sys.executable, "-m", "vettle", "serve", "--project", str(folder))
    rivals = {
        "bare server, two tools": Rival((sys.executable, str(bare_file)), "add", {"a": 1, "b": 2}),
        "`vettle serve`": Rival(serve, "session_start", {"task": "Fix the login test"}),
    }
    taken: dict[str, list[Started]] = {name: [] for name in rivals}
    for run in range(-1, runs):  # the first start of each only fills the caches
        for name, rival in rivals.items():
            started = start(rival, folder)
            if run >= 0:
                taken[name].append(started)
    bare, ours = (_summary(starts) for starts in taken.values())
    slower = ours.seconds / bare.seconds
    larger = [ours.memory.resident - bare.memory.resident]
    larger.append(ours.memory_after_call.resident - bare.memory_after_call.resident)
    own = [ours.memory.own - bare.memory.own, ours.memory_after_call.own - bare.memory_after_call.own]
    fastest = [f"{1000 * min(started.seconds for started in starts):.0f}" for starts in taken.values()]
    rows = [
        _server_row(name, row, best) for name, row, best in zip(taken, (bare, ours), fastest, strict=True)
    ]
    gained = [f"+{more:.1f} ({part:+.1f})" for more, part in zip(larger, own, strict=True)]
    rows.append(["difference", f"{slower:.2f} x", f"{int(fastest[1]) / int(fastest[0]):.2f} x", *gained])
    limit = f"<= +{MEMORY_LIMIT:.0f}"
    rows.append(["promise", f"<= {INITIALIZE_LIMIT} x", "", limit, limit])
    held = [slower <= INITIALIZE_LIMIT, *(more <= MEMORY_LIMIT for more in larger)]
    rows.append(["", mark(held[0]), "", mark(held[1]), mark(held[2])])
    headings = ["server", "initialize, median ms", "minimum ms"]
    headings += ["MB after initialize (own)", "MB after the first call (own)"]
    return table(headings, rows), all(held)


def _summary(starts: Sequence[Started]) -> Started:
    """Return the medians over several starts."""

    def memory(taken: Sequence[Memory]) -> Memory:
        return Memory(*(statistics.median(values) for values in zip(*taken, strict=True)))

    return Started(
        statistics.median(started.seconds for started in starts),
        memory([started.memory for started in starts]),
        memory([started.memory_after_call for started in starts]),
    )


def _server_row(name: str, median: Started, fastest: str) -> list[str]:
    memory = (median.memory, median.memory_after_call)
    occupied = (f"{all_.resident:.1f} ({all_.own:.1f})" for all_ in memory)
    return [name, f"{1000 * median.seconds:.0f}", fastest, *occupied]


# --- the command line -----------------------------------------------------------------------------


def compare_help(runs: int, folder: Path) -> tuple[str, bool]:
    """Run `vettle --help` and a bare interpreter in turn; return the table, and whether the promise holds."""
    script = Path(sys.executable).with_name("vettle")
    vettle = [str(script)] if script.exists() else [sys.executable, "-m", "vettle"]
    commands = {"`python -c pass`": [sys.executable, "-c", "pass"], "`vettle --help`": [*vettle, "--help"]}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(-1, runs):
        for name, command in commands.items():
            begun = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            if run >= 0:
                taken[name].append(time.perf_counter() - begun)
    bare, ours = map(statistics.median, taken.values())
    held = ours <= HELP_LIMIT * bare
    rows = [
        [name, f"{1000 * statistics.median(seconds):.1f}", f"{1000 * min(seconds):.1f}", "", "", ""]
        for name, seconds in taken.items()
    ]
    rows[1][3:] = [f"{ours / bare:.2f} x", f"<= {HELP_LIMIT:.0f} x", mark(held)]
    return table(("command", "median ms", "minimum ms", "ratio", "promise", ""), rows), held


# --- hooks ----------------------------------------------------------------------------------------

_LISTING = {"tool_calls": [{"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": "a"}]}
_FAILING = {"tool_name": "Bash", "tool_input": {"command": "make"}, "error": "Exit code 2\nerror: no rule"}
HOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    "a session starts": ("SessionStart", {"source": "startup"}),
    "a person asks": ("UserPromptSubmit", {"prompt": "please"}),
    "a command worked": ("PostToolBatch", _LISTING),
    "a command failed": ("PostToolUseFailure", _FAILING),
    "a session ends": ("SessionEnd", {"reason": "other"}),
}


def processor_seconds(command: Sequence[str], folder: Path, given: bytes = b"") -> float:
    """Return the processor time of a command, without that of processes which it leaves behind."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, input=given, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare_hooks(runs: int, folder: Path) -> tuple[str, bool]:
    """Run each hook and a bare interpreter in turn; return the table of processor time, and whether the promise holds.

    The process that records, which nobody waits for, is kept from running by its own lock.
    """
    hooks = Path(spool.hooks_folder(str(folder)))
    recording.record(str(folder))
    taken: dict[str, list[float]] = defaultdict(list)
    with FileLock(hooks / spool.LOCK):
        for run in range(-1, runs):
            spent = {"`python -c pass`": processor_seconds([sys.executable, "-c", "pass"], folder)}
            for name, (event, more) in HOOKS.items():
                given = json.dumps({"session_id": f"benchmark-{run}", "cwd": str(folder), **more}).encode()
                command = [sys.executable, "-m", "vettle", "hook", "claude-code", event]
                spent[name] = processor_seconds(command, folder, given)
            for name, seconds in spent.items() if run >= 0 else ():
                taken[name].append(seconds)
    recording.record(str(folder))
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    bare = medians["`python -c pass`"]
    held = all(seconds <= HOOK_LIMIT * bare for seconds in medians.values())
    rows = [[name, f"{1000 * seconds:.1f}", f"{seconds / bare:.2f} x"] for name, seconds in medians.items()]
    rows.append(["promise", "", f"<= {HOOK_LIMIT:.0f} x, {mark(held)}"])
    return table(("`vettle hook`", "processor, median ms", "ratio"), rows), held


# --- imports --------------------------------------------------------------------------------------


def import_times(statement: str) -> dict[str, float]:
    """Return the milliseconds of its own that each top-level package takes to import, in one cold process."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    spent: dict[str, float] = defaultdict(float)
    for microseconds, module in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", said, re.MULTILINE):
        spent[module.partition(".")[0]] += int(microseconds) / 1000
    return spent


def imports(shown: int = 10) -> str:
    """Return what importing takes by package: the costliest of our server, beside the bare one's."""
    ours, bare, help_ = (
        import_times(statement)
        for statement in (
            "import vettle.server.app",
            "from mcp.server import MCPServer",
            "import vettle.server.cli",
        )
    )
    columns = (ours, bare, help_)
    rows = [["all", *(f"{sum(column.values()):.0f}" for column in columns)]]
    for package in sorted(ours, key=ours.__getitem__, reverse=True)[:shown]:
        rows.append([f"`{package}`", *(f"{column.get(package, 0):.0f}" for column in columns)])
    return table(("package", "server, ms", "bare server, ms", "--help, ms"), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all comparisons and print their tables; exit with 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="starts of each program (default: 15)")
    runs = parser.parse_args(arguments).runs
    with tempfile.TemporaryDirectory(prefix="vettle-benchmark-") as name:
        # What hooks keep goes with the rest.
        os.environ["XDG_STATE_HOME"] = name
        folder = Path(name).resolve()
        servers, servers_held = compare_servers(runs, folder)
        help_, help_held = compare_help(3 * runs, folder)
        hooks, hooks_held = compare_hooks(runs, folder)
    print(heading("Starting"))
    print(
        f"{runs} starts of each server, {3 * runs} runs of each command, in turn.\n\n{servers}\n\n{help_}\n\n{hooks}\n"
    )
    print(f"Import time by package (self time, one process, `-X importtime`):\n\n{imports()}")
    return 0 if servers_held and help_held and hooks_held else 1


if __name__ == "__main__":
    sys.exit(main())
