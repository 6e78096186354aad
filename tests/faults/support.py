"""What fault tests share: a project with some history, what is known of it, and Python programs of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from vettle.engine import mistakes, rules, sessions
from vettle.engine.project import Project
from vettle.engine.store import events

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which a program finds vettle and the tests."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "engine", "renderers", "server"))
    return {**os.environ, "PYTHONPATH": paths, **more}


def run(program: str, *arguments: str, **more: str) -> str:
    """Run a Python program to its end and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def command(root: Path, *arguments: str, code: int = 0) -> str:
    """Run a command as users do and return all that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "vettle", "--project", str(root), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def work(project: Project, times: int = 3) -> None:
    """Record a few sessions with mistakes."""
    rules.add(project, text="Sort the imports.")
    for number in range(times):
        started = sessions.start(project, task=f"task {number}")
        mistakes.log(
            project,
            error_class="test",
            description=f"it broke in {number}",
            session_id=started.session_id,
        )
        sessions.end(project, session_id=started.session_id, outcome="accepted")


def count(project: Project) -> int:
    """Return how many events the project has."""
    with project.read() as transaction:
        return events.count(transaction)
