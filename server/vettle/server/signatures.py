"""One signature, two faces: what the MCP server and the command line read from a tool's function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from vettle.engine.errors import InvalidArgument
from vettle.engine.quarantine import redact
from vettle.engine.suggesting import hint
from vettle.engine.wording import some
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
    """Say which arguments are wrong and what would be right, as for `validate`; never repeat what was sent.

    Each thing that is wrong is said once, with all the places where it is.
    """
    names = [parameter.name for parameter in of.parameters]
    places: dict[str, list[str]] = {}
    for entry in _causes(error.errors(include_url=False)):
        said = _message(entry) + _meant(of, entry)
        places.setdefault(said, []).append(_where(entry["loc"], spelled or {}))
    (first, where), *others = [(said, some(list(dict.fromkeys(found)))) for said, found in places.items()]
    return (
        where,
        "; ".join([first, *(f"{field}: {said}" for said, field in others[: _MOST_SAID - 1])]),
        remedy or f"Arguments of {of.tool.name.lstrip('_')}: {', '.join(names) or 'none'}",
    )


_MOST_SAID = 5


def _causes(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a list is too short where that is only because its entries are wrong, and that "" would do."""
    wrong = {entry["loc"][:length] for entry in errors for length in range(1, len(entry["loc"]))}
    causes = [entry for entry in errors if entry["type"] != "too_short" or entry["loc"] not in wrong]
    return [entry for entry in causes if entry.get("ctx", {}).get("expected") != "''"] or causes


def _message(entry: ErrorDetails) -> str:
    if entry["type"] == "too_short":
        least = entry["ctx"]["min_length"]
        return "must not be empty" if least == 1 else f"must have at least {least}"
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


def _meant(of: Signature, entry: ErrorDetails) -> str:
    """Return which name, or which of the valid values, was probably meant; what was sent is not said.

    The names of arguments are said by the remedy; those of a nested record's fields are said here.
    """
    if entry["type"] == "extra_forbidden":
        names = _names(of, entry["loc"][:-1])
        said = hint(str(entry["loc"][-1]), names)
        valid = f"; valid: {', '.join(names)}" if names and len(entry["loc"]) > 1 else ""
    elif entry["type"] == "literal_error" and isinstance(entry["input"], str):
        said, valid = hint(entry["input"], re.findall(r"'([^']+)'", entry["ctx"]["expected"])), ""
    else:
        return ""
    return (f" ({said[0].lower()}{said[1:]})" if said else "") + valid


def _names(of: Signature, location: tuple[int | str, ...]) -> list[str]:
    """Return the names that are valid at a place: arguments at (), else the fields of the record there."""
    if not location:
        return [parameter.name for parameter in of.parameters]
    record = next((_record(one.annotation) for one in of.parameters if one.name == location[0]), None)
    for part in location[1:]:
        if isinstance(part, str) and record is not None and part in record.model_fields:
            record = _record(record.model_fields[part].annotation)
    return list(record.model_fields) if record is not None else []


def _record(annotation: Any) -> type[BaseModel] | None:
    """Return the record that a value is, or that it holds; None where there is none, or several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = {record for part in get_args(annotation) if (record := _record(part)) is not None}
    return found.pop() if len(found) == 1 else None


def _where(location: tuple[int | str, ...], spelled: Mapping[str, str]) -> str:
    """Name the place of an error; pydantic's names for the members of a union say nothing to a caller."""
    parts = [redact(str(part))[:80] for part in location if not (isinstance(part, str) and "[" in part)]
    return ".".join([spelled.get(parts[0], parts[0]), *parts[1:]]) if parts else "arguments"


def description(parameter: inspect.Parameter) -> str:
    """Return what the signature says about an argument, or ""."""
    metadata = getattr(parameter.annotation, "__metadata__", ())
    said = [entry.description for entry in metadata if isinstance(entry, FieldInfo) and entry.description]
    return said[-1] if said else ""
