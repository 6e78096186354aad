"""A server as a hostile client speaks to it: raw lines on stdin, every line of stdout checked."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 30.0

_HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "fuzz", "version": "0"},
}


class Wire:
    """A server process with all tools; `log` is where its stderr goes."""

    def __init__(self, root: Path, log: Path, **environment: str) -> None:
        self.log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vettle", "serve", "--project", str(root), "--toolsets", "core,lab"],
                cwd=root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **environment},
            )
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._number = 0
        self.request("initialize", _HELLO)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def send(self, message: Any) -> None:
        """Send one message as JSON; NaN, infinity and lone surrogates go out as Python spells them."""
        self.raw(json.dumps(message).encode())

    def raw(self, line: bytes) -> None:
        """Send one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def request(self, method: str, parameters: Any) -> dict[str, Any]:
        """Send a request and return its answer; fail where none comes, or what comes is no JSON-RPC."""
        self._number += 1
        self.send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": parameters})
        return self.answer(self._number)

    def answer(self, number: int | None) -> dict[str, Any]:
        """Return the answer to the request with this number; None is to a request whose number cannot be read."""
        while True:
            try:
                line = self._lines.get(timeout=ANSWER_SECONDS)
            except queue.Empty:
                raise AssertionError(
                    f"no answer; the process ended with {self._process.poll()}: {self.log.read_text()[-2_000:]}"
                ) from None
            message: dict[str, Any] = json.loads(line)
            assert message["jsonrpc"] == "2.0"
            if "id" in message and message["id"] == number:
                return message

    def call(self, tool: str, arguments: Any) -> dict[str, Any]:
        """Call a tool and return the whole answer."""
        return self.request("tools/call", {"name": tool, "arguments": arguments})

    def close(self) -> int:
        """Close stdin and return how the process ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        code = self._process.wait(timeout=ANSWER_SECONDS)
        self._reader.join(timeout=ANSWER_SECONDS)
        self._process.stdout.close()
        return code
