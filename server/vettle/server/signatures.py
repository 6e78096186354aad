"""One signature, two faces: what the MCP server and the command line read from a tool's function."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from vettle.engine.errors import InvalidArgument
from vettle.engine.quarantine import redact
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

    def validate(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments, checked and completed with defaults (InvalidArgument)."""
        try:
            checked = self.model.model_validate(dict(arguments))
        except ValidationError as error:
            raise InvalidArgument(*problem(self, error)) from error
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


def problem(of: Signature, error: ValidationError) -> tuple[str, str, str]:
    """Say which arguments are wrong and what would be right; never repeat what was sent."""
    errors = _causes(error.errors(include_url=False, include_input=False))
    found = [(_where(entry["loc"]), _message(entry["msg"])) for entry in errors]
    fields = list(dict.fromkeys(field for field, _ in found))
    said = [message if len(fields) == 1 else f"{field}: {message}" for field, message in found[:5]]
    names = ", ".join(parameter.name for parameter in of.parameters) or "none"
    return ", ".join(fields), "; ".join(said), f"Arguments of {of.tool.name.lstrip('_')}: {names}"


def _causes(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a list is too short where that is only because its entries are wrong."""
    wrong = {entry["loc"][:-1] for entry in errors}
    return [entry for entry in errors if entry["type"] != "too_short" or entry["loc"] not in wrong]


def _message(text: str) -> str:
    return text.removeprefix("Value error, ").rstrip(".")


def _where(location: tuple[int | str, ...]) -> str:
    """Name the place of an error; pydantic's names for the members of a union say nothing to a caller."""
    parts = [redact(str(part))[:80] for part in location if not (isinstance(part, str) and "[" in part)]
    return ".".join(parts) or "arguments"


def description(parameter: inspect.Parameter) -> str:
    """Return what the signature says about an argument, or ""."""
    metadata = getattr(parameter.annotation, "__metadata__", ())
    said = [entry.description for entry in metadata if isinstance(entry, FieldInfo) and entry.description]
    return said[-1] if said else ""
