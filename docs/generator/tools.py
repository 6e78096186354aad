"""The tool reference: what the server lists, what the records say, and the answers to the examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mcp.types import Tool

from docs.generator.examples import EXAMPLES
from docs.generator.records import meaning_of_argument
from docs.generator.story import Told
from docs.generator.wording import accepted, cell, link
from vettle.server.signatures import Signature, signature
from vettle.server.toolsets import TOOLSETS, offered

_TOP = """\
# The tools

Everything an agent can call, with real answers. `core` is always there;
`vettle serve --toolsets core,lab` (or `VETTLE_TOOLSETS=core,lab`) adds `lab`. What comes back is a record; its fields are
explained in [records](records.md).

This page is written by `python -m docs` from a running server and compared by a test. The examples are one story: they
were called in the order of this page, in a project with four rules, three past sessions and two experiments. Numbers
are rounded to four digits, long texts and lists are cut where "…" stands, and `proposals_make` leaves parts out.

Rules for all of them: no argument is ever null ("", 0 and [] mean "not given"), unknown arguments are refused, a refused
call records nothing, a call that is sent again with the same `client_ref` is recorded once, answers stay under 20,000
characters, and an error says what would be valid and what to call next.
"""

_LONGEST = 240
_MOST = 4


def page(told: Told) -> str:
    """Return the whole page."""
    tools = {tool.name: tool for tool in told.tools}
    of = {name: [signature(tool) for tool in offered((name,))] for name in TOOLSETS}
    parts = [_TOP, *_contents(of, tools)]
    for name, signatures in of.items():
        parts.append(f"## {name}\n")
        parts += ["\n".join(_tool(each, tools[each.tool.name], told)) for each in signatures]
    parts += ["## Resources and prompts\n", *_beside(told)]
    return "\n".join(parts).rstrip() + "\n"


def _beside(told: Told) -> Iterator[str]:
    for kind, entries in told.beside.items():
        yield f"| {kind} | what it is |\n|---|---|"
        yield from (f"| `{name}` | {cell(text)} |" for name, text in entries.items())
        yield ""


def _contents(of: Mapping[str, list[Signature]], tools: Mapping[str, Tool]) -> Iterator[str]:
    for name, signatures in of.items():
        yield f"| {name} | what it does |\n|---|---|"
        for each in signatures:
            tool = tools[each.tool.name]
            first = (tool.description or "").split("\n\n")[0]
            yield f"| [`{tool.name}`](#{tool.name}) | {cell(first)} |"
        yield ""


def _tool(of: Signature, tool: Tool, told: Told) -> Iterator[str]:
    example = EXAMPLES.get(tool.name)
    yield f"### {tool.name}\n"
    yield f"**{tool.title}.** {tool.description}\n"
    yield f"{_hints(of, tool)}\n"
    yield from _arguments(of)
    yield f"Answers with {link(of.returns.__name__)}.\n"
    if example is None:
        return
    yield _json({"name": tool.name, "arguments": example.arguments})
    yield _json(_shortened(_without(told.answers[tool.name], example.hidden)))
    if told.errors[tool.name]:
        yield "Errors worth knowing:\n"
        yield "```text\n" + "\n".join(told.errors[tool.name]) + "\n```\n"


def _hints(of: Signature, tool: Tool) -> str:
    hints = tool.annotations
    assert hints is not None
    said = "Only reads" if hints.read_only_hint else "Records"
    if hints.destructive_hint:
        said += "; may overwrite or remove what is there"
    if hints.idempotent_hint and not hints.read_only_hint:
        said += "; the same call again changes nothing"
    if of.tool.needs_person:
        said += "; asks the person in front of the client where that is needed"
    if hints.open_world_hint:
        said += "; may ask a model outside this machine, if one is configured"
    return f"{said}."


def _arguments(of: Signature) -> Iterator[str]:
    schema = of.model.model_json_schema()
    if not of.parameters:
        yield "It takes no arguments.\n"
        return
    yield "| argument | type | default | meaning |\n|---|---|---|---|"
    needed = schema.get("required", [])
    for name, entry in schema["properties"].items():
        default = (
            "required" if name in needed else f"`{json.dumps(entry.get('default'), ensure_ascii=False)}`"
        )
        if isinstance(entry.get("default"), dict):
            default = "none"
        meaning = entry.get("description", "") or meaning_of_argument(name)
        yield f"| `{name}` | {cell(accepted(entry, schema.get('$defs', {})))} | {cell(default)} | {cell(meaning)} |"
    yield ""


def _without(answer: Mapping[str, Any], hidden: tuple[str, ...]) -> dict[str, Any]:
    return {name: "…" if name in hidden else value for name, value in answer.items()}


def _shortened(value: Any) -> Any:
    """Return a value that fits a page: numbers rounded, long texts and lists cut."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
    if isinstance(value, list):
        rest = [f"… {len(value) - _MOST} more"] if len(value) > _MOST else []
        return [*map(_shortened, value[:_MOST]), *rest]
    if isinstance(value, dict):
        return {name: _shortened(entry) for name, entry in value.items()}
    return value


def _json(value: Any) -> str:
    return f"```json\n{_spread(value, '')}\n```\n"


def _spread(value: Any, indent: str) -> str:
    """Return JSON with an object or a list on one line where it fits."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(flat) <= 100 or not isinstance(value, (dict, list)) or not value:
        return flat
    deeper = indent + "  "
    if isinstance(value, dict):
        lines = [f"{deeper}{json.dumps(name)}: {_spread(entry, deeper)}" for name, entry in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{deeper}{_spread(entry, deeper)}" for entry in value) + f"\n{indent}]"
