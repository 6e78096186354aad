"""The MCP server: the tools, with the resources and prompts that go with them.

Every anticipated failure reaches the agent as an error whose text says what to do. Nothing is written to
stdout but the protocol; logging goes to stderr.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, get_args

import anyio
import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.server.mcpserver.tools import Tool, ToolManager
from mcp.types import Completion

from vettle.engine.errors import VettleError
from vettle.engine.root import find_root
from vettle.server import transport
from vettle.server.tool import REPORT
from vettle.server.toolsets import TOOLSETS, wanted

if TYPE_CHECKING:
    from vettle.engine.project import Project
    from vettle.server.git.background import Background

INSTRUCTIONS = """\
vettle tests which instructions make coding agents better. Call session_start before you begin a task, \
mistake_log whenever something goes wrong, and session_end when you are done.

1. session_start(task, context) returns session_id and the rules to follow in this session. Follow exactly \
those. Some rules are withheld on purpose, to measure them: do not look for them.
2. mistake_log(error_class, description, session_id) tells whether it happened before and what corrected it.
3. session_end(session_id, outcome) closes the session: accepted, revision or rejected. If a person, CI or \
git judges later, call reward_log then.
4. rule_add when you learn something worth testing. rules_list shows what is proven. rules_render with \
write true brings CLAUDE.md and the other rule files up to date.
5. Which prompt, model or setting is better? experiment_create, then for each piece of work variant_select \
before it and run_record after it. experiment_results gives the verdict; "insufficient" is an answer.

Pass session_id in every call: several agents work on one project at once. Retry a failed call with the same \
client_ref. rule_decide is for decisions that a person made.
"""


def instructions(project: str = "") -> str:
    """Return what agents are told at the start, ending with the project that was found."""
    try:
        return f"{INSTRUCTIONS}\nProject: {find_root(project)}"
    except VettleError as error:
        return f"{INSTRUCTIONS}\n{error}"


class Host:
    """The project of this process, found and opened by the first call that needs it."""

    def __init__(self, project: str = "") -> None:
        self._folder = project
        self._lock = threading.Lock()
        self._project: Project | None = None
        self._background: Background | None = None

    @property
    def background(self) -> Background:
        """What takes the snapshots of sessions."""
        with self._lock:
            if self._background is None:
                from vettle.server.git.background import Background

                self._background = Background()
            return self._background

    @property
    def project(self) -> Project:
        """The open project (ProjectNotFound, ConfigurationInvalid)."""
        with self._lock:
            if self._project is None:
                from vettle.engine.project import Project

                self._project = Project(find_root(self._folder), actor="agent")
            return self._project

    def close(self) -> None:
        """Let go of the project."""
        with self._lock:
            if self._background is not None:
                self._background.close()
            if self._project is not None:
                self._project.close()
                self._project = None


class DeclaredWhenAsked(ToolManager):
    """The tools of some toolsets, declared when a client first asks for them and not before the handshake."""

    def __init__(self, toolsets: Sequence[str], host: Host) -> None:
        super().__init__()
        self._toolsets = toolsets
        self._host = host
        self._declaring = threading.Lock()

    def get_tool(self, name: str) -> Tool | None:
        """Return the tool with this name, if it is offered."""
        self.declare()
        return super().get_tool(name)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Any, convert_result: bool = False
    ) -> Any:
        """Call a tool; say where there may be more of them if it is not offered."""
        if self.get_tool(name) is None:
            raise ToolError(
                f"There is no tool of this name among {', '.join(self._toolsets)}. Call one of the list, or start "
                f"the server with --toolsets {','.join(TOOLSETS)}, which is every tool."
            )
        return await super().call_tool(name, arguments, context, convert_result)

    def list_tools(self) -> list[Tool]:
        """Return every tool that is offered."""
        self.declare()
        return super().list_tools()

    def declare(self) -> None:
        """Declare the tools, once."""
        with self._declaring:
            if not self._tools:
                from vettle.server.declaring import declared
                from vettle.server.toolsets import offered

                background = self._host.background
                tools = [
                    declared(tool, lambda: self._host.project, background) for tool in offered(self._toolsets)
                ]
                self._tools = {tool.name: tool for tool in tools}


def create_server(project: str = "", toolsets: str = "") -> MCPServer[None]:
    """Build the server; the project is found when the first tool is called, so starting never fails.

    `toolsets` is a comma-separated list; "" means VETTLE_TOOLSETS, or core alone (InvalidArgument).
    """
    host = Host(project)
    tools = DeclaredWhenAsked(wanted(toolsets), host)

    @asynccontextmanager
    async def lifespan(server: MCPServer[None]) -> AsyncIterator[None]:
        # numpy takes 0.1 s to import: not while the client waits for the handshake, but before the first call.
        # No daemon: a process that ends in the middle of that import is aborted, so its end waits for it.
        warming = threading.Timer(_WARM_UP_SECONDS, _warm_up, [tools])
        warming.start()
        try:
            yield None
        finally:
            warming.cancel()
            host.close()

    server = MCPServer[None](
        "vettle",
        title="vettle",
        version=version("vettle"),
        instructions=instructions(project),
        lifespan=lifespan,
        log_level="WARNING",
        subscriptions=False,
    )
    # The SDK has no way to be told of tools later that does not announce a change of them to the client.
    server._tool_manager = tools
    _add_resources(server, host)
    _add_prompts(server)
    _add_completions(server, host)
    return server


_WARM_UP_SECONDS = 0.2


def _warm_up(tools: DeclaredWhenAsked) -> None:
    tools.declare()
    import vettle.engine.learning  # noqa: F401


def _add_resources(server: MCPServer[None], host: Host) -> None:
    @server.resource("vettle://rules/{target}", mime_type="text/markdown", title="Rendered rules")
    async def rules(target: str) -> str:
        """The files that rendering would write for one assistant."""
        return await anyio.to_thread.run_sync(partial(_rendered, host, target))

    @server.resource(REPORT, mime_type="text/html", title="Report")
    async def page() -> str:
        """What is proven and why, what is on trial, mistakes, experiments and costs: one HTML page."""
        return await anyio.to_thread.run_sync(partial(_page, host))

    @server.resource("vettle://report/{session_id}", mime_type="application/json", title="Session report")
    async def report(session_id: str) -> str:
        """What happened in one session."""
        return await anyio.to_thread.run_sync(partial(_session_report, host, session_id))


def _rendered(host: Host, target: str) -> str:
    from vettle.engine import standings
    from vettle.renderers.preview import preview

    try:
        project = host.project
        texts = preview(project.root, standings.to_render(project).rules, target, project.settings.render)
    except VettleError as error:
        raise ResourceNotFoundError(str(error)) from error
    return (
        "\n".join(f"=== {path}\n{text}" for path, text in texts.items())
        or "No rule is proven or pinned yet.\n"
    )


def _page(host: Host) -> str:
    from vettle.engine.overview import gathering
    from vettle.renderers.report.html import as_html
    from vettle.server import surroundings
    from vettle.server.commands.wording import worded

    try:
        # Whoever looks at a page is a person, also where a client has fetched it.
        return as_html(worded(gathering.gather(host.project, around=surroundings.of(host.project))))
    except VettleError as error:
        raise ResourceNotFoundError(str(error)) from error


def _session_report(host: Host, session_id: str) -> str:
    from vettle.engine import reports

    try:
        return reports.report(host.project, kind="sessions", session_id=session_id).model_dump_json()
    except VettleError as error:
        raise ResourceNotFoundError(str(error)) from error


def _add_prompts(server: MCPServer[None]) -> None:
    @server.prompt(title="Start work")
    def start_work(task: str, context: str = "general") -> str:
        """Begin a task with the rules worth trying."""
        return (
            f"Call session_start with task {task!r} and context {context!r}. Follow the rules it returns, log every "
            "mistake with mistake_log as it happens, and call session_end with the outcome when the task is done."
        )

    @server.prompt(title="Review rules")
    def review_rules() -> str:
        """Go through what is proven, on trial and waiting for a person."""
        return (
            "Call rules_list and status. Tell me in plain words which rules are proven and by how much, which are "
            "retired and why, and which are too early to tell. Show me each quarantined rule with its reasons and "
            "ask me whether to approve or reject it; only then call rule_decide."
        )


def _add_completions(server: MCPServer[None], host: Host) -> None:
    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]
    async def complete(reference: Any, argument: Any, context: Any) -> Completion:
        """Complete rule targets, contexts and session ids."""
        values = await anyio.to_thread.run_sync(partial(_known, host, argument.name))
        return Completion(values=[value for value in values if value.startswith(argument.value)][:100])


def _known(host: Host, name: str) -> list[str]:
    from vettle.engine import reports
    from vettle.engine.records import Target

    if name == "target":
        return list(get_args(Target))
    try:
        found = reports.report(host.project, kind="sessions", limit=100).sessions
    except VettleError:
        return []
    assert found is not None
    if name == "session_id":
        return [session.session_id for session in found.sessions]
    return sorted(found.by_context) if name == "context" else []


def serve(project: str = "", toolsets: str = "") -> None:
    """Serve on stdin and stdout until stdin closes."""
    transport.log_to_stderr()
    server = create_server(project, toolsets)
    gc.freeze()
    gc.enable()
    anyio.run(transport.run, server)
