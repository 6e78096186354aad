"""Declaring a tool to agents: its signature made strict, its schema made short, its errors made useful.

Imported when the tools are first asked for, because building their schemas takes longer than everything else
of ours that starts.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import tools as sdk
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, ContentBlock, ResourceLink, TextContent, ToolAnnotations
from pydantic import BaseModel, ValidationError

from vettle.engine import quarantine
from vettle.engine.errors import VettleError
from vettle.engine.progress import reporting
from vettle.engine.project import Project
from vettle.server import agreement
from vettle.server.git.background import Background
from vettle.server.signatures import Signature, problem, signature
from vettle.server.telling import to_client
from vettle.server.tool import REPORT, Tool


class StrictTool(sdk.Tool):
    """A tool that refuses unknown arguments, and whose answers and errors are as short as they can be."""

    async def run(self, arguments: dict[str, Any], context: Any, convert_result: bool = False) -> Any:
        """Run the tool; report what is wrong with the arguments without repeating them."""
        try:
            with reporting(to_client(context)):
                result = await super().run(arguments, context, convert_result)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError) and cause.title.endswith("Arguments"):
                fields, messages, remedy = problem(_SIGNATURES[self.name], cause)
                raise ToolError(_line(f"{fields}: {messages}. {remedy}.")) from cause
            if isinstance(cause, ToolError):
                raise ToolError(_line(str(cause))) from cause.__cause__
            raise
        if isinstance(result, CallToolResult) and isinstance(result.structured_content, dict):
            # The SDK's text is the same JSON, indented: a third more tokens for clients that read it.
            text = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
            content: list[ContentBlock] = [TextContent(type="text", text=text)]
            if _SIGNATURES[self.name].tool.links_to_report and _knows_links(context):
                content.append(_LINK)
            return result.model_copy(update={"content": content})
        return result


_LINK = ResourceLink(
    name="report",
    title="Report",
    uri=REPORT,
    description="The whole project on one HTML page, also: vettle report",
    mime_type="text/html",
)


def _knows_links(context: Any) -> bool:
    """Tell whether the client's revision of the protocol has links in results: it does not read others' results."""
    return str(getattr(context, "protocol_version", None) or "") >= "2025-06-18"


def _line(text: str) -> str:
    """Return what an error says as one short line, without secrets: an id or a path may hold what was sent."""
    return quarantine.visible(" ".join(quarantine.redact(text).split()))[:_ERROR_CHARACTERS]


def _callable(
    of: Signature, project: Callable[[], Project], background: Background
) -> Callable[..., BaseModel]:
    """Return the tool's function bound to the project of this process, with the signature that the SDK reads."""

    def call(**arguments: Any) -> BaseModel:
        if of.tool.needs_person:
            arguments["confirmed"] = agreement.has_agreed(arguments.pop(agreement.ARGUMENT))
        try:
            here = project()
            answer: Any = of.tool.function(here, **arguments)
        except VettleError as error:
            raise ToolError(str(error)) from error
        if of.tool.snapshot:
            background.take(of.tool.snapshot, here.root, here.state_folder, answer.session_id)
        assert isinstance(answer, BaseModel)
        return answer

    parameters = list(of.parameters)
    if of.tool.needs_person:
        asked = agreement.asks(project)
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


_ERROR_CHARACTERS = 4_000

_SIGNATURES: dict[str, Signature] = {}
"""The signatures of the tools that were declared in this process."""


def declared(tool: Tool, project: Callable[[], Project], background: Background) -> StrictTool:
    """Return the tool as the SDK offers it; `project` is asked for at each call, `background` takes snapshots after it."""
    of = _SIGNATURES.setdefault(tool.name, signature(tool))
    strict = StrictTool.from_function(
        _callable(of, project, background),
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
