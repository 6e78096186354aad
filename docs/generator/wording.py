"""Types and limits in words, and text that is safe in a cell of a Markdown table."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue

_WORDS: dict[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "time",
    date: "day",
    NoneType: "null",
    Any: "any JSON",
}


def cell(text: str) -> str:
    """Return a text on one line in which nothing ends a cell or begins a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def link(name: str) -> str:
    """Return the link to a record's own section."""
    return f"[{name}](records.md#{name.lower()})"


def kind(annotation: Any) -> str:
    """Say what type an annotation is, with links to records."""
    if annotation is JsonValue:
        return "any JSON"
    if hasattr(annotation, "__metadata__"):
        return kind(annotation.__origin__)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" if value else '""' for value in inner)
    if origin in (Union, UnionType):
        return " or ".join(kind(part) for part in inner)
    if origin in (list, tuple):
        return f"list of {kind(inner[0])}"
    if origin is dict:
        return f"mapping of {kind(inner[0])} to {kind(inner[1])}"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return link(annotation.__name__)
    return _WORDS[annotation]


def records(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the records that an annotation names, and then those that they name."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from records(field.annotation)
    for part in get_args(annotation):
        yield from records(part)


def accepted(schema: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    """Say what a JSON schema accepts; `models` are its definitions, named and not repeated."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name == "JsonValue" or name not in models:
            return "any JSON"
        return link(name)
    if "const" in schema or "enum" in schema:
        return " or ".join(
            f"`{value}`" if value else '""' for value in schema.get("enum", [schema.get("const")])
        )
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(accepted(part, models) for part in schema["anyOf"]))
    match schema.get("type"):
        case "array":
            what = accepted(schema.get("items", {}), models)
            return f"list of {what}{_sizes(schema, 'Items', 'entries')}"
        case "object":
            inside = schema.get("additionalProperties", {})
            what = accepted(inside, models) if isinstance(inside, dict) else "any JSON"
            return f"mapping of text to {what}{_sizes(schema, 'Properties', 'entries')}"
        case "string":
            return f"text{_sizes(schema, 'Length', 'characters')}"
        case "integer" | "number" as name:
            return f"{_WORDS[int if name == 'integer' else float]}{_limits(schema)}"
        case "boolean":
            return "true or false"
        case "null":
            return "null"
    return "any JSON"


def _sizes(schema: Mapping[str, Any], of: str, unit: str) -> str:
    least, most = schema.get(f"min{of}", 0), schema.get(f"max{of}")
    if most is None:
        return f", at least {least:,} {unit}" if least else ""
    return f", {least:,} to {most:,} {unit}" if least else f", at most {most:,} {unit}"


def _limits(schema: Mapping[str, Any]) -> str:
    said = [
        f"{words} {_number(schema[key])}"
        for key, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return f", {', '.join(said)}" if said else ""


def _number(value: float) -> str:
    return (
        "2^53" if value == 2**53 else f"{value:,}" if isinstance(value, int) or value >= 1 else f"{value:g}"
    )
