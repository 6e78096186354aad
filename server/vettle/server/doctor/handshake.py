"""A live handshake: each configured server is really started, as a client would, and asked for its tools and its status."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from vettle.server.doctor.case import Case
from vettle.server.doctor.clients import to_start
from vettle.server.doctor.findings import Said, ok, problem, warning
from vettle.server.doctor.launching import Launch

_STDERR_BYTES = 20_000
_EXCERPT = 300


def handshake(case: Case) -> Iterator[Said]:
    """Start each distinct server and speak with it; find those that cannot, or that are other ones than they should be."""
    if case.root is None:
        return
    launches, held = to_start(case, case.root)
    for connection, found in held:
        yield warning(
            "client-not-started",
            f"{connection.title} ({connection.file}): not started, because a file of the repository names a command "
            "that is not this installation; if you trust it, run",
            f"{found.shown} </dev/null",
        )
    if launches:
        # Imported here because the SDK costs half a second, which --no-handshake saves.
        import anyio

        for said in anyio.run(_all, launches, case, case.root):
            yield from said


async def _all(launches: list[Launch], case: Case, root: Path) -> list[list[Said]]:
    """Speak with all servers at once: together they take as long as the slowest."""
    import anyio

    answers: list[list[Said]] = [[] for _ in launches]

    async def speak(index: int, found: Launch) -> None:
        answers[index] = await _speak(found, case, root)

    with _quiet() as log:
        async with anyio.create_task_group() as group:
            for index, found in enumerate(launches):
                group.start_soon(speak, index, found)
    if log.garbage:
        which = ", ".join(launches[0].titles) if len(launches) == 1 else "one of the servers"
        what = f"{which} writes to stdout what is no message: a client may give up on it"
        answers.append([warning("server-garbage", what, f"{launches[0].shown} </dev/null")])
    return answers


@dataclass
class _Answer:
    """What a server said of itself."""

    version: str
    tools: int
    project: str
    error: str


async def _speak(found: Launch, case: Case, root: Path) -> list[Said]:
    """Speak with one server, and say how that went."""
    import anyio

    titles, begun = ", ".join(found.titles), time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        try:
            with anyio.fail_after(case.seconds):
                answer = await _asked(found, case, root, stderr)
        except Exception as error:  # noqa: BLE001 - a server can fail in any way
            return [_failed(found, titles, _first(error), _last_line(stderr), case.seconds)]
    return _judged(found, titles, answer, root, time.monotonic() - begun)


async def _asked(found: Launch, case: Case, root: Path, stderr: IO[str]) -> _Answer:
    from mcp import Client, StdioServerParameters, stdio_client

    parameters = StdioServerParameters(
        command=found.command,
        args=list(found.arguments),
        # Not from the folder that it is started in: that is the repository.
        env={**case.environment, "PYTHONSAFEPATH": "1", **dict(found.environment)},
        cwd=root,
        encoding_error_handler="replace",
    )
    async with Client(stdio_client(parameters, errlog=stderr), mode="legacy") as client:  # type: ignore[arg-type]
        tools = await client.list_tools()
        status = await client.call_tool("status", {})
        told: dict[str, Any] = status.structured_content or {}
        return _Answer(
            version=client.server_info.version if client.server_info else "",
            tools=len(tools.tools),
            project=str(told.get("project", "")),
            error=_text(status.content) if status.is_error else "",
        )


def _text(content: list[Any]) -> str:
    return " ".join(str(getattr(part, "text", "")) for part in content)[:_EXCERPT]


def _judged(found: Launch, titles: str, answer: _Answer, root: Path, seconds: float) -> list[Said]:
    """Say what is wrong with a server that answered."""
    said = []
    if answer.error:
        said.append(problem("server-tool-failed", f"{titles}: status fails: {answer.error}", "vettle status"))
    if answer.version != version("vettle"):
        said.append(
            warning(
                "client-other-version",
                f"{titles} starts vettle {answer.version[:40]}, and this is {version('vettle')}: {found.command}",
                "vettle init --force",
            )
        )
    if answer.project and Path(answer.project).resolve() != root.resolve():
        what = f"{titles}: the server serves another project: {answer.project[:_EXCERPT]}"
        said.append(warning("client-other-project", what, "vettle init --force"))
    return said or [ok(f"{titles}: {answer.tools} tools in {seconds:.1f} s")]


def _failed(found: Launch, titles: str, error: BaseException, stderr: str, seconds: float) -> Said:
    """Say how a server failed, with the last thing that it wrote to stderr."""
    last = f"; it said: {stderr}" if stderr else ""
    run = f"{found.shown} </dev/null"
    if isinstance(error, TimeoutError):
        return problem("server-hung", f"{titles}: no answer within {seconds:g} s{last}", run)
    reason = " ".join(str(error).split())[:_EXCERPT] or type(error).__name__
    return problem("server-failed", f"{titles}: {reason}{last}", run)


def _first(error: BaseException) -> BaseException:
    """Return what failed first: task groups wrap it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _last_line(stderr: IO[str]) -> str:
    """Return the last line that is not empty."""
    stderr.seek(0, 2)
    stderr.seek(max(stderr.tell() - _STDERR_BYTES, 0))
    lines = [line.strip() for line in stderr.read().splitlines()]
    return next((line for line in reversed(lines) if line), "")[:_EXCERPT]


class _Kept(logging.Handler):
    """Notes that a server wrote garbage, which the SDK only logs, and keeps it all from the terminal."""

    garbage = False

    def emit(self, record: logging.LogRecord) -> None:
        self.garbage = self.garbage or "parse" in record.getMessage().lower()


@contextmanager
def _quiet() -> Iterator[_Kept]:
    log, kept = logging.getLogger("mcp"), _Kept()
    before = log.propagate
    log.addHandler(kept)
    log.propagate = False
    try:
        yield kept
    finally:
        log.removeHandler(kept)
        log.propagate = before
