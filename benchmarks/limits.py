"""Show the limits that have no table of their own: `python -m benchmarks.limits [--events 10000,100000,1000000]`.

What is compared is measured in turn: aggregates of a long history beside those of a shorter one, a logged reward
beside the barest durable append, our calls beside two ways that peers keep their facts (one line of JSON for each
fact, all read to decide, and one JSON file that is written anew), and PostgreSQL's writers on one project beside
the same number that only insert. The peers' ways are told from their descriptions and do nothing else.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from tests import postgres

from benchmarks.history import RULES, Words
from benchmarks.latency import p95, prepare
from benchmarks.startup import heading, mark, table
from benchmarks.workload import Call, in_process, opened
from vettle.engine import similarity
from vettle.engine.clock import SECOND
from vettle.engine.identifiers import new_uid
from vettle.engine.project import Project
from vettle.engine.store import moments
from vettle.engine.store.events import Event

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 200
DISTINCT = 100_000
WRITERS, INSERTS = 32, 100

STATISTICS_LIMIT = 1.5  # the largest history beside the one before it
APPEND_LIMIT, FULL_LIMIT = 0.5, 2.0  # of a raw append, median and mean
PEER_LIMITS = {10_000: 50, 100_000: 1_000, 1_000_000: 10_000}  # at least, for what is stored or counted
CALL_LIMIT = 50  # at least, for a whole call of a tool, which does much more
PEER_SIZE = 100_000  # from which on something is promised
SIMILAR_LIMIT = 10.0  # milliseconds
FLOOR_LIMIT = 0.5  # of the writers that only insert
OPEN_LIMIT, OPEN_MEMORY = 30.0, 5.0  # milliseconds, MB
SQLITE = (3, 51, 3)

Row = list[str]


def row(name: str, value: str, beside: str, promise: str, held: bool) -> Row:
    """Return one row of the table."""
    return [name, value, beside, promise, mark(held)]


def pair(
    one: Sequence[float], other: Sequence[float], middle: Callable[[Sequence[float]], float]
) -> tuple[str, str]:
    """Return the medians or means of two measurements, in milliseconds."""
    return f"{1000 * middle(one):,.2f}", f"{1000 * middle(other):,.2f}"


def timed(rounds: int, *actions: Callable[[], object]) -> list[list[float]]:
    """Do all actions in turn; return the seconds of each."""
    taken: list[list[float]] = [[] for _ in actions]
    for number in range(-3, rounds):
        for action, seconds in zip(actions, taken, strict=True):
            begun = time.perf_counter()
            action()
            if number >= 0:
                seconds.append(time.perf_counter() - begun)
    return taken


# --- against longer histories and raw files -------------------------------------------------------


def aggregates(projects: Mapping[int, Project]) -> list[Row]:
    """Read the statistics of all rules in the two longest histories."""
    sizes = sorted(projects)[-2:]
    fast, slow = timed(ROUNDS, *(lambda project=projects[size]: _statistics(project) for size in sizes))
    ratio = statistics.median(slow) / statistics.median(fast)
    name = f"statistics of all rules, {sizes[1]:,} events beside {sizes[0]:,}, ms"
    values = pair(slow, fast, statistics.median)
    held = ratio <= STATISTICS_LIMIT
    return [row(name, *values, f"ratio {ratio:.2f} <= {STATISTICS_LIMIT}", held)]


def _statistics(project: Project) -> list[moments.Stat]:
    with project.read() as transaction:
        return moments.stats(transaction, "rule")


def appends(folder: Path) -> list[Row]:
    """Log a reward beside appending a line to a file and syncing it, in both kinds of durability."""
    rows = []
    for durability, limit, middle in (
        ("normal", APPEND_LIMIT, statistics.median),
        ("full", FULL_LIMIT, statistics.fmean),
    ):
        root = folder / durability
        (root / ".vettle").mkdir(parents=True)
        (root / ".vettle" / "config.toml").write_text(f'durability = "{durability}"\n', encoding="utf-8")
        with opened(root) as project, (root / "raw.jsonl").open("ab", buffering=0) as raw:
            ours, bare = timed(ROUNDS, lambda: _reward(project), lambda: _append(raw.fileno()))
        ratio = middle(ours) / middle(bare)
        values = pair(ours, bare, middle)
        promise = f"ratio {ratio:.2f} <= {limit}"
        rows.append(
            row(
                f"reward stored beside append + fdatasync, {durability}, ms", *values, promise, ratio <= limit
            )
        )
    return rows


def _reward(project: Project) -> None:
    with project.write() as transaction:
        transaction.append(
            Event(
                "reward_logged",
                new_uid(transaction.now),
                subject="accepted",
                choice="manual",
                metrics={"value": 1.0, "weight": 1.0},
                data={"notes": "", "rules_active": [], "counted": False},
            )
        )


def _append(descriptor: int) -> None:
    os.write(descriptor, json.dumps(_fact(0)).encode() + b"\n")
    os.fdatasync(descriptor)


# --- against the peers' ways ----------------------------------------------------------------------


def peers(projects: Mapping[int, Project], folder: Path) -> list[Row]:
    """Decide and log beside peers that read or write all their facts to do so."""
    return [cells for size, project in sorted(projects.items()) for cells in _peers(size, project, folder)]


def _peers(size: int, project: Project, folder: Path) -> list[Row]:
    lines, whole = folder / f"{size}.jsonl", folder / f"{size}.json"
    facts = [_fact(number) for number in range(size)]
    lines.write_text("".join(f"{json.dumps(fact)}\n" for fact in facts), encoding="utf-8")
    whole.write_text(json.dumps(facts), encoding="utf-8")
    del facts
    call, words = in_process(project), Words(f"peers {size}")
    session = str(_start(call, words)["session_id"])
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object], int]] = {
        "statistics beside reading all": (
            lambda: _statistics(project),
            lambda: _scan(lines),
            PEER_LIMITS.get(size, CALL_LIMIT),
        ),
        "session_start beside reading all": (lambda: _start(call, words), lambda: _scan(lines), CALL_LIMIT),
        "a stored reward beside rewriting all": (
            lambda: _reward(project),
            lambda: _rewrite(whole),
            PEER_LIMITS.get(size, CALL_LIMIT),
        ),
        "mistake_log beside rewriting all": (
            lambda: _mistake(call, words, session),
            lambda: _rewrite(whole),
            CALL_LIMIT,
        ),
    }
    rows = []
    for what, (ours, theirs, least) in pairs.items():
        mine, peer = timed(3 if size > 100_000 else 10, ours, theirs)
        faster = statistics.median(peer) / statistics.median(mine)
        values = pair(mine, peer, statistics.median)
        name = f"{what}, {size:,} events, ms"
        if size >= PEER_SIZE:
            rows.append(row(name, *values, f"{faster:,.0f} x faster >= {least:,}", faster >= least))
        else:
            rows.append([name, *values, f"{faster:,.0f} x faster", ""])
    lines.unlink()
    whole.unlink()
    return rows


def _start(call: Call, words: Words) -> dict[str, Any]:
    return call("session_start", {"task": words.task()})


def _fact(number: int) -> dict[str, Any]:
    about = {
        "rule": f"rule-{number % RULES}",
        "context": f"context-{number % 5}",
        "session": f"s{number // 4}",
    }
    return {
        "id": number,
        "ts": 1_800_000_000 + number,
        **about,
        "reward": number % 3 / 2,
        "notes": "as it was",
    }


def _scan(path: Path) -> dict[str, list[float]]:
    """Decide as a peer does: read every reward ever logged."""
    found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            fact = json.loads(line)
            sums = found[fact["rule"]]
            sums[0] += fact["reward"]
            sums[1] += 1
    return found


def _rewrite(path: Path) -> None:
    """Log as a peer does: read the file, add a fact, write the file."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts.append(_fact(len(facts)))
    path.write_text(json.dumps(facts), encoding="utf-8")


def _mistake(call: Call, words: Words, session: str) -> None:
    error_class, description, correction = words.mistake()
    about = {"error_class": error_class, "description": description, "correction": correction}
    call("mistake_log", {**about, "session_id": session})


# --- repeats, starting, PostgreSQL ----------------------------------------------------------------


def repeats(folder: Path, distinct: int) -> list[Row]:
    """Look for mistakes like a new one among very many different ones."""
    root = folder / "distinct"
    root.mkdir()
    words = Words("distinct")
    with opened(root) as project:
        call = in_process(project)
        call("status", {})
        for begin in range(0, distinct, 2_000):
            with project.write() as transaction:
                for _ in range(begin, min(begin + 2_000, distinct)):
                    transaction.append(_mistake_event(transaction.now, words))
        seconds = []
        for _ in range(ROUNDS):
            error_class, description, _ = words.mistake()
            with project.read() as transaction:
                begun = time.perf_counter()
                similarity.similar(transaction, error_class, description)
                seconds.append(time.perf_counter() - begun)
    late = 1000 * p95(seconds)
    name = f"earlier mistakes like a new one, {distinct:,} distinct ones, p95 ms (median)"
    value = f"{late:.1f} ({1000 * statistics.median(seconds):.1f})"
    return [row(name, value, "", f"<= {SIMILAR_LIMIT:.0f}", late <= SIMILAR_LIMIT)]


def _mistake_event(now: int, words: Words) -> Event:
    error_class, description, correction = words.mistake()
    norm = similarity.normal_form(description)
    return Event(
        "mistake_logged",
        new_uid(now),
        subject=error_class,
        metrics={"repeat": 0.0},
        data={
            "description": description,
            "severity": "warning",
            "file": "",
            "correction": correction,
            "hash": similarity.text_hash(norm),
            "norm": norm,
            "terms": similarity.terms(description),
            "same_as": 0,
            "context": "",
            "named_shown": False,
            "named_now": False,
        },
    )


_OPENING = """
import json, re, sys, time
from pathlib import Path
def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
import vettle.engine.errors, vettle.engine.records
before = resident()
begun = time.perf_counter()
from vettle.engine.store import open_store
open_store(Path(sys.argv[1])).close()
seconds = time.perf_counter() - begun
import apsw
heavy = [name for name in ("sqlalchemy", "numpy", "pandas") if name in sys.modules]
grown = (resident() - before) / 1000
print(json.dumps([seconds, grown, heavy, apsw.sqlite_lib_version()]))
"""


def opening(folder: Path) -> list[Row]:
    """Import the store and open a database in a process of its own."""
    path = folder / "opened" / "vettle.db"
    path.parent.mkdir()
    command = [sys.executable, "-c", _OPENING, str(path)]
    told = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(12)
    ][1:]
    milliseconds = 1000 * statistics.median(seconds for seconds, *_ in told)
    grown = statistics.median(megabytes for _, megabytes, *_ in told)
    heavy, version = told[0][2], str(told[0][3])
    modern = tuple(map(int, version.split("."))) >= SQLITE
    return [
        row(
            "store: import and open, ms",
            f"{milliseconds:.1f}",
            "",
            f"<= {OPEN_LIMIT:.0f}",
            milliseconds <= OPEN_LIMIT,
        ),
        row("store: import and open, MB", f"{grown:.1f}", "", f"<= {OPEN_MEMORY:.0f}", grown <= OPEN_MEMORY),
        row("of SQLAlchemy, numpy and pandas, imported", f"{len(heavy)}", "", "0", not heavy),
        row("SQLite", version, "", ">= 3.51.3", modern),
    ]


def floor(folder: Path) -> list[Row]:
    """Let writers store rewards in one project on PostgreSQL, beside as many that only insert rows."""
    with postgres.server() as url:
        environment = {"VETTLE_DATABASE_URL": url, "VETTLE_DATABASE_PROJECT": "floor"}
        with opened(folder, environment) as project:
            _reward(project)
        rates = {name: _together(name, folder, environment) for name in ("insert", "reward")}
    share = rates["reward"] / rates["insert"]
    name = f"PostgreSQL, {WRITERS} writers on one project: rewards/s beside bare inserts/s"
    values = f"{rates['reward']:,.0f}", f"{rates['insert']:,.0f}"
    return [row(name, *values, f"share {share:.2f} >= {FLOOR_LIMIT}", share >= FLOOR_LIMIT)]


def _together(what: str, folder: Path, environment: Mapping[str, str]) -> float:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Barrier(WRITERS, timeout=120), context.Queue()
    processes = [
        context.Process(target=_insert, args=(what, folder, environment, ready, done)) for _ in range(WRITERS)
    ]
    for process in processes:
        process.start()
    spans = [done.get(timeout=180) for _ in processes]
    for process in processes:
        process.join()
    elapsed: float = max(end for _, end in spans) - min(begun for begun, _ in spans)
    return WRITERS * INSERTS / elapsed


def _insert(
    what: str, folder: Path, environment: Mapping[str, str], ready: Barrier, done: Queue[tuple[float, float]]
) -> None:
    import psycopg

    with ExitStack() as stack:
        project = stack.enter_context(opened(folder, environment))
        with project.read() as transaction:
            number = transaction.project
        connection = stack.enter_context(psycopg.connect(environment["VETTLE_DATABASE_URL"], autocommit=True))
        statement = (
            "INSERT INTO event(project, uid, ts, kind, session, subject, choice, metrics, data)"
            " VALUES (%s, %s, %s, 'reward_logged', '', 'accepted', 'manual', %s, %s)"
        )
        ready.wait()
        begun = time.time()
        for _ in range(INSERTS):
            if what == "reward":
                _reward(project)
            else:
                now = int(time.time() * SECOND)
                connection.execute(statement, (number, new_uid(now), now, '{"value":1.0}', '{"notes":""}'))
        done.put((begun, time.time()))


# --- the command ----------------------------------------------------------------------------------


def run(folder: Path, sizes: Sequence[int], distinct: int) -> bool:
    """Measure all limits and print one table; return whether every one held."""
    with tempfile.TemporaryDirectory(prefix="vettle-limits-") as name, ExitStack() as stack:
        own = Path(name).resolve()
        projects = {size: stack.enter_context(opened(prepare(folder, size, RULES))) for size in sizes}
        rows = [*aggregates(projects), *appends(own), *peers(projects, own)]
        rows += [*repeats(own, distinct), *opening(own), *floor(own)]
    print(heading("Other limits"))
    print(table(("", "vettle", "beside it", "promise", ""), rows), flush=True)
    return all(cells[-1] in ("", mark(True)) for cells in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Show all limits; exit with 1 when one is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__)
    parser.add_argument("--events", default=",".join(map(str, SIZES)), help="sizes, comma-separated")
    parser.add_argument("--distinct", type=int, default=DISTINCT, help="mistakes to look among")
    parser.add_argument(
        "--keep", type=Path, help="make the projects in this folder, or use those that are there"
    )
    options = parser.parse_args(arguments)
    sizes = sorted({int(size) for size in options.events.split(",")})
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        return 0 if run(options.keep.resolve(), sizes, options.distinct) else 1
    with tempfile.TemporaryDirectory(prefix="vettle-benchmark-") as name:
        return 0 if run(Path(name).resolve(), sizes, options.distinct) else 1


if __name__ == "__main__":
    sys.exit(main())
