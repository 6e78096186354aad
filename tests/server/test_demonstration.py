"""`vettle demo` ends as any command does, also before its end."""

from __future__ import annotations

import subprocess
import sys


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    """`vettle demo | head -1` says nothing on stderr: a pipe that is closed is not an error of ours."""
    with subprocess.Popen(
        [sys.executable, "-m", "vettle", "demo", "--sessions", "10"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None and started.stderr is not None
        assert started.stdout.readline().startswith("1. ")
        started.stdout.close()
        assert started.stderr.read() == ""
        assert started.wait(60) == 0
