"""The schema that a model answers in, by the strict rules of structured output.

Every object names all of its fields, requires them and allows no others; limits, defaults and free objects are
not allowed, so a config is a list of {key, value as JSON text}. What the schema cannot say is checked when
the answer is read.
"""

from __future__ import annotations

from typing import Any

from vettle.engine.records.proposals import Proposed

NAME = "proposals"

_KEPT = frozenset({"type", "properties", "items", "anyOf", "enum", "const", "description", "$ref", "$defs"})

_PAIRS: dict[str, Any] = {
    "type": "array",
    "description": "The settings of the variant: a key each, and its value written as JSON.",
    "items": {
        "type": "object",
        "properties": {"key": {"type": "string"}, "value": {"type": "string"}},
        "required": ["key", "value"],
        "additionalProperties": False,
    },
}


def strict_schema() -> dict[str, Any]:
    """Return the schema of an answer with proposals, the same on every call."""
    schema: dict[str, Any] = strict(Proposed.model_json_schema())
    schema["$defs"].pop("JsonValue")
    return schema


def strict(schema: Any) -> Any:
    """Return a schema that pydantic made, by the strict rules."""
    if isinstance(schema, list):
        return [strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if schema.get("type") == "object" and "properties" not in schema:
        return _PAIRS
    if "oneOf" in schema:
        schema = {**schema, "anyOf": schema["oneOf"]}
    result = {key: _part(key, value) for key, value in schema.items() if key in _KEPT}
    if "properties" in result:
        result |= {"required": list(result["properties"]), "additionalProperties": False}
    return result


def _part(key: str, value: Any) -> Any:
    if key in ("properties", "$defs"):
        return {name: strict(entry) for name, entry in value.items()}
    if key == "description":
        return " ".join(value.split())
    return strict(value) if key in ("items", "anyOf") else value
