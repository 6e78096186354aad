"""Writers that are killed: run as `python -m tests.faults.writers SEED KILLS ROOT`, with the database in the environment.

This process forks writers, several at once, kills each with SIGKILL after a random time, and prints what they had
acknowledged by then as JSON. Forking spares starting Python some hundred times.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from vettle.engine import learning, mistakes, rules, sessions  # noqa: F401 - imported before forking
from vettle.engine.project import Project
from vettle.engine.store import postgres, sqlite  # noqa: F401 - imported before forking

AT_ONCE = 4
LONGEST = 0.06


def write(root: Path, name: str, pipe: int) -> None:
    """Write facts of every kind for ever, and tell each one that was acknowledged."""
    project = Project(root)
    with project.read():
        _tell(pipe, "ready", name)
    number = 0
    while True:
        number += 1
        key = f"{name}-{number}"
        started = sessions.start(project, task=f"task {key}", client_ref=f"start {key}")
        _tell(pipe, "session", started.session_id)
        mistakes.log(
            project,
            error_class="test",
            description=f"it broke in {key}",
            session_id=started.session_id,
            client_ref=f"mistake {key}",
        )
        _tell(pipe, "reference", f"mistake_log {started.session_id}\tmistake {key}")
        if number % 3 == 0:
            rule = rules.add(project, text=f"Look at {key} first.")
            _tell(pipe, "rule", rule.rule_id)
        sessions.end(project, session_id=started.session_id, outcome="accepted" if number % 2 else "rejected")
        _tell(pipe, "scored", started.session_id)


def _tell(pipe: int, kind: str, value: str) -> None:
    os.write(pipe, f"{kind}\t{value}\n".encode())


def main(seed: int, kills: int, root: Path) -> None:
    """Fork, kill, and print all that was acknowledged as pairs of kind and value."""
    draw = random.Random(seed)
    told: list[list[str]] = []
    for start in range(0, kills, AT_ONCE):
        writers = []
        for number in range(start, min(start + AT_ONCE, kills)):
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reading)
                try:
                    write(root, f"w{number}", writing)
                except Exception as error:  # noqa: BLE001 - whatever fails is told
                    _tell(writing, "failed", f"{type(error).__name__}: {error}".replace("\n", " "))
                finally:
                    os._exit(1)
            os.close(writing)
            writers.append((draw.uniform(0, LONGEST), child, reading))
        if start % (4 * AT_ONCE):
            # Three rounds of four begin when all are connected, the other one while they connect.
            for _, _, reading in writers:
                select.select([reading], [], [], 10)
        began = time.monotonic()
        for when, child, _ in sorted(writers):
            time.sleep(max(began + when - time.monotonic(), 0))
            os.kill(child, signal.SIGKILL)
        for _, child, reading in writers:
            with os.fdopen(reading, "rb") as stream:
                told += [line.split("\t", 1) for line in stream.read().decode().splitlines()]
            os.waitpid(child, 0)
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
