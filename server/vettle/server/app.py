"""The MCP server: the tools of `tools`, made strict, with the resources and prompts that go with them.

Every anticipated failure reaches the agent as an error whose text says what to do. Nothing is written to
stdout but the protocol; logging goes to stderr.
"""

from __future__ import annotations

import gc
import inspect
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, get_args

import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver import tools as sdk
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.types import CallToolResult, Completion, TextContent, ToolAnnotations
from pydantic import BaseModel, ValidationError

from vettle.engine import reports, standings
from vettle.engine.errors import VettleError
from vettle.engine.project import Project, find_root
from vettle.engine.records import Target
from vettle.server import agreement
from vettle.server.signatures import Signature, problem, signature
from vettle.server.tool import Tool
from vettle.server.toolsets import chosen

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

    @property
    def project(self) -> Project:
        """The open project (ProjectNotFound, ConfigurationInvalid)."""
        with self._lock:
            if self._project is None:
                self._project = Project(find_root(self._folder), actor="agent")
            return self._project

    def close(self) -> None:
        """Let go of the project."""
        with self._lock:
            if self._project is not None:
                self._project.close()
                self._project = None


class StrictTool(sdk.Tool):
    """A tool that refuses unknown arguments, and whose answers and errors are as short as they can be."""

    async def run(self, arguments: dict[str, Any], context: Any, convert_result: bool = False) -> Any:
        """Run the tool; report what is wrong with the arguments without repeating them."""
        try:
            result = await super().run(arguments, context, convert_result)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError) and cause.title.endswith("Arguments"):
                fields, messages, remedy = problem(_SIGNATURES[self.name], cause)
                raise ToolError(f"{fields}: {messages}. {remedy}.") from cause
            if isinstance(cause, ToolError):
                raise cause from cause.__cause__
            raise
        if isinstance(result, CallToolResult) and isinstance(result.structured_content, dict):
            # The SDK's text is the same JSON, indented: a third more tokens for clients that read it.
            text = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
            return result.model_copy(update={"content": [TextContent(type="text", text=text)]})
        return result


def _callable(of: Signature, host: Host) -> Callable[..., BaseModel]:
    """Return the tool's function bound to the host's project, with the signature that the SDK reads."""

    def call(**arguments: Any) -> BaseModel:
        if of.tool.needs_person:
            arguments["confirmed"] = agreement.has_agreed(arguments.pop(agreement.ARGUMENT))
        try:
            answer = of.tool.function(host.project, **arguments)
        except VettleError as error:
            raise ToolError(str(error)) from error
        assert isinstance(answer, BaseModel)
        return answer

    parameters = list(of.parameters)
    if of.tool.needs_person:
        asked = agreement.asks(lambda: host.project)
        parameters.append(
            inspect.Parameter(agreement.ARGUMENT, inspect.Parameter.KEYWORD_ONLY, annotation=asked)
        )
    call.__name__ = of.tool.name
    call.__doc__ = of.tool.function.__doc__
    call.__signature__ = inspect.Signature(parameters, return_annotation=of.returns)  # type: ignore[attr-defined]
    call.__annotations__ = {
        **{parameter.name: parameter.annotation for parameter in parameters},
        "return": of.returns,
    }
    return call


_SIGNATURES: dict[str, Signature] = {}
"""The signatures of the tools that were declared in this process."""


def _strict(tool: Tool, host: Host) -> StrictTool:
    of = _SIGNATURES.setdefault(tool.name, signature(tool))
    strict = StrictTool.from_function(
        _callable(of, host),
        title=tool.title,
        description=inspect.cleandoc(tool.function.__doc__ or ""),
        annotations=ToolAnnotations(
            read_only_hint=tool.reads_only,
            destructive_hint=tool.destroys,
            idempotent_hint=tool.idempotent,
            open_world_hint=tool.reaches_out,
        ),
    )
    model = strict.fn_metadata.arg_model
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    strict.parameters = _short(model.model_json_schema(by_alias=True))
    assert isinstance(strict, StrictTool)
    return strict


_UNSAID = frozenset(
    {
        "title",
        "$defs",
        "maxProperties",
        "minProperties",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "maxItems",
        "minItems",
        "exclusiveMaximum",
    }
)
"""What a schema need not tell a model: titles repeat the names, and limits are named by the error they cause."""


def _short(schema: Any) -> Any:
    """Return the schema without what costs tokens in every conversation and helps in none."""
    if isinstance(schema, list):
        return [_short(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        # A nested record: its fields stand in the description, and a wrong one is named by the error.
        kind = {} if schema["$ref"].endswith("/JsonValue") else {"type": "object"}
        return kind | {key: schema[key] for key in ("description",) if key in schema}
    return {
        key: {name: _short(value) for name, value in entry.items()} if key == "properties" else _short(entry)
        for key, entry in schema.items()
        if key not in _UNSAID and not (key == "default" and entry in ("", [], {}, False))
    }


def create_server(project: str = "", toolsets: str = "") -> MCPServer[None]:
    """Build the server; the project is found when the first tool is called, so starting never fails.

    `toolsets` is a comma-separated list; "" means VETTLE_TOOLSETS, or core alone (InvalidArgument).
    """
    host = Host(project)

    @asynccontextmanager
    async def lifespan(server: MCPServer[None]) -> AsyncIterator[None]:
        # numpy takes 0.1 s to import: not while the client waits for the handshake, but before the first call.
        warming = threading.Timer(_WARM_UP_SECONDS, _warm_up)
        warming.daemon = True
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
        tools=[_strict(tool, host) for tool in chosen(toolsets)],
        lifespan=lifespan,
        log_level="WARNING",
        subscriptions=False,
    )
    _add_resources(server, host)
    _add_prompts(server)
    _add_completions(server, host)
    return server


_WARM_UP_SECONDS = 0.2


def _warm_up() -> None:
    import vettle.engine.learning  # noqa: F401


def _add_resources(server: MCPServer[None], host: Host) -> None:
    @server.resource("vettle://rules/{target}", mime_type="text/markdown", title="Rendered rules")
    async def rules(target: str) -> str:
        """The files that rendering would write for one assistant."""
        return await anyio.to_thread.run_sync(partial(_rendered, host, target))

    @server.resource("vettle://report/{session_id}", mime_type="application/json", title="Session report")
    async def report(session_id: str) -> str:
        """What happened in one session."""
        return await anyio.to_thread.run_sync(partial(_session_report, host, session_id))


def _rendered(host: Host, target: str) -> str:
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


def _session_report(host: Host, session_id: str) -> str:
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
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    server = create_server(project, toolsets)
    gc.freeze()
    gc.enable()
    server.run()
