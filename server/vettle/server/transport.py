"""Stdin and stdout for the server: a line that cannot be read is answered, and the log holds no secrets.

The SDK drops a line that is no JSON-RPC without a word, and then its client waits until it gives up. Agents
send such lines: half an emoji is a lone surrogate, which JSON's grammar allows and UTF-8 does not.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any, Self

from mcp.server import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

from vettle.engine.quarantine import redact

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\]]|-?\d++', re.DOTALL)
_PROBLEM_CHARACTERS = 200
_FRACTION = (".", "e", "E")


class _Formatter(logging.Formatter):
    """Formats what is logged, tracebacks and all, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def log_to_stderr() -> None:
    """Send warnings to stderr: stdout belongs to the protocol."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(levelname)s:%(name)s:%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


async def run(server: MCPServer[None]) -> None:
    """Serve on stdin and stdout until stdin closes."""
    inner = server._lowlevel_server  # what its own run_stdio_async runs
    async with stdio_server() as (received, sent):
        await inner.run(_Answering(received, sent), sent, inner.create_initialization_options())


class _Answering:
    """The messages that are received; what is none is answered here, if it tells the number of its request."""

    def __init__(self, received: Any, sent: Any) -> None:
        self._received = received
        self._sent = sent

    @property
    def last_context(self) -> Any:
        """The context in which the last message was sent."""
        return self._received.last_context

    async def receive(self) -> Any:
        """Return the next message."""
        while isinstance(item := await self._received.receive(), Exception):
            await self._answer(item)
        return item

    async def _answer(self, problem: Exception) -> None:
        if not isinstance(problem, ValidationError):
            return
        errors = problem.errors(include_url=False)
        numbers = (_id_of(entry["input"]) for entry in errors)
        number = next((one for one in numbers if one is not None), None)
        if number is None:
            return
        said = redact(" ".join(errors[0]["msg"].split()))[:_PROBLEM_CHARACTERS]
        error = ErrorData(
            code=PARSE_ERROR,
            message=f"The request cannot be read: {said}. Nothing was done. Send JSON of plain text (no half emoji), "
            "of numbers that are finite and short, and of few levels.",
        )
        await self._sent.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=number, error=error)))

    async def aclose(self) -> None:
        """Stop receiving."""
        await self._received.aclose()

    def __aiter__(self) -> _Answering:
        return self

    async def __anext__(self) -> Any:
        from anyio import EndOfStream

        try:
            return await self.receive()
        except EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _id_of(message: object) -> int | str | None:
    """Return the id of a message that was refused: its line where that is no JSON, else what it says."""
    if isinstance(message, str):
        return request_id(message)
    found = message.get("id") if isinstance(message, dict) else None
    return found if isinstance(found, (int, str)) and not isinstance(found, bool) else None


def request_id(line: str) -> int | str | None:
    """Return the id of a request that is no valid JSON, if its outermost object has one where it can be told."""
    depth, before, named = 0, "", False
    for match in _PIECE.finditer(line):
        piece = match[0]
        if depth == 1 and named and before == '"id"' and piece not in "{}[]":
            return None if line[match.end() : match.end() + 1] in _FRACTION else _read(piece)
        depth += (piece in "{[") - (piece in "}]")
        named = line[match.end() : match.end() + 8].lstrip().startswith(":")
        before = piece
    return None


def _read(piece: str) -> int | str | None:
    """Return a text or a whole number as JSON means it, if an answer can carry it."""
    try:
        found: int | str = json.loads(piece, strict=False)
        str(found).encode()
    except ValueError:
        return None
    return found
