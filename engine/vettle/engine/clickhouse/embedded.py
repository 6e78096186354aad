"""ClickHouse embedded in a child process, which sees a private folder and nothing else of the project.

Never in this process: chdb brings a SQLite of its own, and two of them in one process break the locks of a
database file that either has open.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vettle.engine.clickhouse.plan import (
    FORMAT,
    MEMORY,
    SECONDS,
    SETTINGS,
    TABLE,
    Found,
    Lines,
    Plan,
    complete,
    with_count,
)
from vettle.engine.errors import ClickHouseUnavailable
from vettle.engine.store import Transaction

INSTALL = "ClickHouse needs another package. Install it: pip install 'vettle[clickhouse]'"

_CHILD = Path(__file__).with_name("child.py")
_ROWS = "rows.jsonl"


@dataclass(frozen=True)
class Embedded:
    """A ClickHouse that lives as long as one analysis; `interpreter` is a Python that has chdb."""

    interpreter: str = sys.executable
    seconds: float = SECONDS
    memory: int = MEMORY

    def ask(self, transaction: Transaction, plan: Plan) -> Found:
        """Answer the plan's questions in a child process, which is killed when its time is over."""
        # Only its owner may enter the folder, and it goes whatever happens.
        with tempfile.TemporaryDirectory(prefix="vettle-") as name:
            folder, lines = Path(name), Lines(transaction, plan)
            try:
                with (folder / _ROWS).open("wb") as stream:
                    stream.writelines(lines)
            except OSError as error:
                raise ClickHouseUnavailable(
                    f"The rows to analyse cannot be written to {folder} ({error.strerror}). Make room there, or set TMPDIR."
                ) from error
            return complete(self._answer(folder, plan), lines)

    def _answer(self, folder: Path, plan: Plan) -> Found:
        answer = self._run(folder, self._order(plan))
        if "missing" in answer:
            raise ClickHouseUnavailable(INSTALL)
        if "error" in answer:
            raise ClickHouseUnavailable(refusal(str(answer["error"]), self.memory, self.seconds))
        found: Found = answer["found"]
        return found

    def _order(self, plan: Plan) -> dict[str, Any]:
        limits = {"max_memory_usage": self.memory, "max_execution_time": max(int(self.seconds), 1)}
        read = f"file('{_ROWS}', '{FORMAT}', '{plan.structure}')"
        settings = ", ".join(f"{name}={value}" for name, value in {**SETTINGS, **limits}.items())
        return {
            "preparations": [
                f"SET {settings}",
                f"CREATE TEMPORARY TABLE {TABLE} ({plan.structure})",
                f"INSERT INTO {TABLE} SELECT * FROM {read}",  # noqa: S608 - constants
            ],
            "questions": with_count(plan),
        }

    def _run(self, folder: Path, order: dict[str, Any]) -> dict[str, Any]:
        # Nothing of our environment goes with it: no key, no URL of a database.
        environment = {name: str(folder) for name in ("HOME", "TMPDIR")} | {"TZ": "UTC", "PATH": os.defpath}
        try:
            done = subprocess.run(  # noqa: S603 - our own program, no shell
                [self.interpreter, "-I", str(_CHILD)],
                input=json.dumps(order).encode(),
                cwd=folder,
                env=environment,
                capture_output=True,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ClickHouseUnavailable(late(self.seconds)) from error
        except OSError as error:
            raise ClickHouseUnavailable(
                f"{self.interpreter}: cannot be started ({error.strerror}). Use --engine default."
            ) from error
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError as error:
            raise ClickHouseUnavailable(
                f"ClickHouse ended without an answer (exit code {done.returncode}). Use --engine default, or a shorter period."
            ) from error
        return answer


def late(seconds: float) -> str:
    """Say that the time is over."""
    return f"ClickHouse took longer than {seconds:g} seconds. Pass a shorter period, or use --engine default."


def refusal(message: str, memory: int, seconds: float) -> str:
    """Say why ClickHouse refused, by its error code, without anything that it may have quoted from the rows."""
    code = message.partition("Code: ")[2].partition(".")[0]
    if code == "241":
        return (
            f"ClickHouse would need more than {memory / 1e9:g} GB of memory. Pass a shorter period, or set "
            "VETTLE_CLICKHOUSE_URL to a server that has more."
        )
    if code in ("159", "160"):
        return late(seconds)
    name = message.rstrip(" .").rpartition("(")[2].rstrip(")") if message.rstrip(" .").endswith(")") else ""
    said = f"code {code}" if code.isdigit() else "no code"
    if name.isascii() and name.replace("_", "").isalpha() and name.isupper():
        said += f", {name}"
    return f"ClickHouse refused the analysis ({said}). Use --engine default."
