"""A real HTTP server on this machine that speaks chat completions, well and badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test-abcdefghijklmnopqrstuvwxyz0123"

RULE: dict[str, Any] = {
    "kind": "rule",
    "text": "Run the type checker before committing.",
    "category": "quality",
    "context": "",
    "globs": ["**/*.py"],
    "rationale": "The build fails on types.",
    "evidence": [],
}
EXPERIMENT: dict[str, Any] = {
    "kind": "experiment",
    "name": "prompt length",
    "variable": "system prompt",
    "domain": "",
    "context": "bug-fix",
    "variants": [
        {
            "name": "short",
            "control": True,
            "config": [{"key": "prompt", "value": '"Fix it."'}],
            "hint": "Paste it first.",
        },
        {
            "name": "long",
            "control": False,
            "config": [{"key": "prompt", "value": '"Think, then fix it."'}],
            "hint": "Same.",
        },
    ],
    "metric": {"name": "passed", "direction": "higher", "kind": "binary", "range": [], "minimum_effect": 0.1},
    "expected_effect": 0.15,
    "rationale": "Nobody has tried it.",
}
GOOD = json.dumps({"proposals": [RULE, EXPERIMENT]})


def said(
    content: str | None, *, reason: str = "stop", refusal: str | None = None, status: int = 200
) -> Reply:
    """Return a chat completion with this content."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return Reply(json.dumps(body).encode(), status)


def failed(status: int) -> Reply:
    """Return an error that quotes the key, as some servers do."""
    return Reply(json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode(), status)


@dataclass(frozen=True)
class Reply:
    """What the server answers: after `delay` seconds, and byte by byte with `drip` seconds between."""

    body: bytes
    status: int = 200
    delay: float = 0.0
    drip: float = 0.0


@dataclass
class Loopback:
    """The server's address, what it will answer in turn (the last for ever), and what it was asked."""

    url: str
    replies: list[Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment that makes this the configured endpoint."""
        return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": self.url, "VETTLE_OPENAI_MODEL": "small"} | more


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Answer the next reply."""
        loopback = self.server.loopback
        loopback.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        named = {name.lower(): value for name, value in self.headers.items()}
        loopback.headers.append({"path": self.path, **named})
        reply = loopback.replies[min(len(loopback.requests), len(loopback.replies)) - 1]
        loopback.stopping.wait(reply.delay)
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if not reply.drip:
            self.wfile.write(reply.body)
            return
        for byte in reply.body:
            if loopback.stopping.wait(reply.drip):
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    loopback: Loopback

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone away is what some tests are about."""


@contextmanager
def serving(*replies: Reply) -> Iterator[Loopback]:
    """Serve these replies, one for each request."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.loopback = Loopback(f"http://127.0.0.1:{server.server_port}/v1", list(replies))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.loopback
    finally:
        server.loopback.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
