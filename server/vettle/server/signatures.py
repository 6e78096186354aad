"""One signature, two faces: what the MCP server and the command line read from a tool's function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from vettle.engine.errors import InvalidArgument
from vettle.engine.quarantine import redact
from vettle.engine.suggesting import hint
from vettle.server.tool import Tool


@dataclass(frozen=True)
class Signature:
    """A tool's arguments: their order, types with constraints, defaults, and what it returns."""

    tool: Tool
    parameters: tuple[inspect.Parameter, ...]
    returns: type[BaseModel]

    @property
    def model(self) -> type[BaseModel]:
        """A model that validates the arguments and refuses unknown ones."""
        fields: dict[str, Any] = {
            parameter.name: (
                parameter.annotation,
                ... if parameter.default is parameter.empty else parameter.default,
            )
            for parameter in self.parameters
        }
        return create_model(f"{self.tool.name}Arguments", __config__=ConfigDict(extra="forbid"), **fields)

    def validate(
        self, arguments: Mapping[str, Any], *, spelled: Mapping[str, str] | None = None, remedy: str = ""
    ) -> dict[str, Any]:
        """Return the arguments, checked and completed with defaults (InvalidArgument).

        `spelled` is how the caller writes the names of arguments, and `remedy` where they are explained, if not as the
        tool has them.
        """
        try:
            checked = self.model.model_validate(dict(arguments))
        except ValidationError as error:
            raise InvalidArgument(*problem(self, error, spelled, remedy)) from error
        return {name: getattr(checked, name) for name in type(checked).model_fields}


def signature(tool: Tool) -> Signature:
    """Read a tool's signature, without what the caller provides: the project, and whether a person agreed."""
    hints = get_type_hints(tool.function, include_extras=True)
    parameters = tuple(
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(tool.function).parameters.items()
        if name not in ("project", "confirmed")
    )
    return Signature(tool, parameters, hints["return"])


def problem(
    of: Signature, error: ValidationError, spelled: Mapping[str, str] | None = None, remedy: str = ""
) -> tuple[str, str, str]:
    """Say which arguments are wrong and what would be right, as for `validate`; never repeat what was sent."""
    errors = _causes(error.errors(include_url=False))
    names = [parameter.name for parameter in of.parameters]
    found = [
        (_where(entry["loc"], spelled or {}), _message(entry) + _meant(entry, names)) for entry in errors
    ]
    fields = list(dict.fromkeys(field for field, _ in found))
    said = [message if len(fields) == 1 else f"{field}: {message}" for field, message in found[:5]]
    return (
        ", ".join(fields),
        "; ".join(said),
        remedy or f"Arguments of {of.tool.name.lstrip('_')}: {', '.join(names) or 'none'}",
    )


def _causes(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a list is too short where that is only because its entries are wrong, and that "" would do."""
    wrong = {entry["loc"][:-1] for entry in errors}
    causes = [entry for entry in errors if entry["type"] != "too_short" or entry["loc"] not in wrong]
    return [entry for entry in causes if entry.get("ctx", {}).get("expected") != "''"] or causes


def _message(entry: ErrorDetails) -> str:
    return _PLAIN.get(entry["type"]) or entry["msg"].removeprefix("Value error, ").rstrip(".")


_PLAIN = {
    "missing": "it is missing",
    "string_unicode": "must be text, without halves of characters",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}
"""What pydantic says in the words of Python, in those of JSON."""


def _meant(entry: ErrorDetails, names: Sequence[str]) -> str:
    """Return which argument, or which of the valid values, was probably meant; what was sent is not said."""
    if entry["type"] == "extra_forbidden" and len(entry["loc"]) == 1:
        said = hint(str(entry["loc"][0]), names)
    elif entry["type"] == "literal_error" and isinstance(entry["input"], str):
        said = hint(entry["input"], re.findall(r"'([^']+)'", entry["ctx"]["expected"]))
    else:
        return ""
    return f" ({said[0].lower()}{said[1:]})" if said else ""


def _where(location: tuple[int | str, ...], spelled: Mapping[str, str]) -> str:
    """Name the place of an error; pydantic's names for the members of a union say nothing to a caller."""
    parts = [redact(str(part))[:80] for part in location if not (isinstance(part, str) and "[" in part)]
    return ".".join([spelled.get(parts[0], parts[0]), *parts[1:]]) if parts else "arguments"


def description(parameter: inspect.Parameter) -> str:
    """Return what the signature says about an argument, or ""."""
    metadata = getattr(parameter.annotation, "__metadata__", ())
    said = [entry.description for entry in metadata if isinstance(entry, FieldInfo) and entry.description]
    return said[-1] if said else ""
