"""How far long work is, on one line of stderr that is gone when the work is done.

Only people see it: nothing is written unless stderr is a terminal, and nothing in the first second. It needs a
thread, because most of what takes long is one call that comes back at its end.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from vettle.engine.progress import reporting
from vettle.renderers.report.plain.columns import width
from vettle.server.commands.layout import cut, harmless

SILENT_SECONDS = 1.0
_REFRESH_SECONDS = 0.25


@contextmanager
def working(step: str) -> Iterator[None]:
    """Show what is being done and for how long, from the first second on; print nothing else in this block."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    line = _Line(step)
    line.start()
    try:
        with reporting(line.report):
            yield
    finally:
        line.stop()


class _Line(threading.Thread):
    """The line, written again and again until it is stopped."""

    def __init__(self, step: str) -> None:
        super().__init__(name="vettle-progress", daemon=True)
        self._state = (step, 0, 0)
        self._began = time.monotonic()
        self._over = threading.Event()

    def report(self, step: str, done: int, total: int) -> None:
        """Take note of how far the work is."""
        self._state = (step, done, total)

    def run(self) -> None:
        """Write the line until the work is over, and take it away."""
        shown = ""
        if self._over.wait(SILENT_SECONDS):
            return
        while not self._over.is_set():
            text = cut(self._text(), shutil.get_terminal_size().columns - 1)
            self._write(f"\r{text}{' ' * (width(shown) - width(text))}")
            shown = text
            self._over.wait(_REFRESH_SECONDS)
        self._write(f"\r{' ' * width(shown)}\r")

    def stop(self) -> None:
        """Take the line away."""
        self._over.set()
        self.join()

    def _text(self) -> str:
        step, done, total = self._state
        number = f" {done:,} of {total:,}" if total else f" {done:,}" if done else ""
        return harmless(f"vettle: {step}{number}, {time.monotonic() - self._began:.0f} s")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):
            # Whoever closed the terminal does not want to know.
            self._over.set()
