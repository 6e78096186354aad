"""A model API on loopback that says what a test told it to: the other end of a real Claude Code."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

_USAGE = {
    "input_tokens": 5,
    "output_tokens": 5,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
}


class Call(NamedTuple):
    """A tool that the model is going to call."""

    tool: str
    arguments: dict[str, Any]


class Model:
    """What the model will call, one tool per answer, and what it was sent. With nothing left to call it says "ok"."""

    def __init__(self) -> None:
        self.plan: list[Call] = []
        self.requests: list[dict[str, Any]] = []
        self.address = ""
        self._lock = threading.Lock()

    def told(self) -> str:
        """Return everything that the conversations held so far, as JSON."""
        return json.dumps([request["messages"] for request in self.requests])

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the next message: a call of the plan if its tool is offered, else a word."""
        offered = {tool["name"] for tool in request.get("tools", ())}
        with self._lock:
            if offered:
                self.requests.append(request)
            call = self.plan.pop(0) if self.plan and self.plan[0].tool in offered else None
            number = len(self.requests)
        block: dict[str, Any] = {"type": "text", "text": "ok"}
        if call:
            block = {"type": "tool_use", "id": f"toolu_{number}", "name": call.tool, "input": call.arguments}
        return {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": request.get("model", ""),
            "content": [block],
            "stop_reason": "tool_use" if call else "end_turn",
            "stop_sequence": None,
            "usage": _USAGE,
        }


@contextmanager
def serving(plan: Sequence[Call] = ()) -> Iterator[Model]:
    """Serve a model with this plan until the block ends; `address` is its base URL."""
    model = Model()
    model.plan.extend(plan)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(model))
    server.daemon_threads = True
    model.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(model: Model) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = json.loads(gzip.decompress(body) if self.headers.get("content-encoding") else body)
            if not self.path.partition("?")[0].endswith("/messages"):
                self._send("application/json", b"{}")
                return
            message = model.answer(request)
            if request.get("stream"):
                lines = (
                    f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in _events(message)
                )
                self._send("text/event-stream", "".join(lines).encode())
            else:
                self._send("application/json", json.dumps(message).encode())

        def do_GET(self) -> None:
            self._send("application/json", b"{}")

        def do_HEAD(self) -> None:
            self._send("application/json", b"")

        def _send(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    [block] = message["content"]
    begun, delta = dict(block, text=""), {"type": "text_delta", "text": block.get("text", "")}
    if block["type"] == "tool_use":
        begun = dict(block, input={})
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield {"type": "message_start", "message": dict(message, content=[], stop_reason=None)}
    yield {"type": "content_block_start", "index": 0, "content_block": begun}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": message["stop_reason"]}, "usage": _USAGE}
    yield {"type": "message_stop"}
