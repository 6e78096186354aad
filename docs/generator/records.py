"""The record reference: what the arguments and the answers of all tools are made of, field by field."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from docs.generator.wording import cell, kind, records
from vettle.server.signatures import signature
from vettle.server.toolsets import TOOLSETS, offered

_TOP = """\
# The records

What the [tools](tools.md) take and return, and what `--json` prints: one record each, by name. Every time is UTC, every
score and every probability lies in [0, 1], and null means that there is nothing to say yet. Where a meaning is empty, the text above the table says it.

This page is written by `python -m docs` from the records themselves and compared by a test.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([_TOP, *("\n".join(_record(model)) for model in models())]).rstrip() + "\n"


def models() -> list[type[BaseModel]]:
    """Return every record that a tool takes or returns, by name."""
    signatures = [signature(tool) for tool in offered(tuple(TOOLSETS))]
    annotations = [each.returns for each in signatures]
    annotations += [parameter.annotation for each in signatures for parameter in each.parameters]
    found = {model for annotation in annotations for model in records(annotation)}
    return sorted(found, key=lambda model: model.__name__)


def _record(model: type[BaseModel]) -> Iterator[str]:
    yield f"## {model.__name__}\n"
    yield f"{inspect.cleandoc(model.__doc__ or '')}\n"
    yield "| field | type | meaning |\n|---|---|---|"
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {cell(kind(field.annotation))} | {cell(meaning(model, name))} |"
    yield ""


@cache
def _meanings() -> dict[str, dict[str, str]]:
    return tomllib.loads((Path(__file__).parent / "meanings.toml").read_text(encoding="utf-8"))


def meaning(model: type[BaseModel], name: str) -> str:
    """Return what a field means: its own description, or the glossary's, or "" where the record's text says it."""
    said = model.model_fields[name].description
    if said:
        return said
    special = _meanings()["records"].get(f"{model.__name__}.{name}")
    if special is None and is_explained(model, name):
        return ""
    return special or _meanings()["fields"].get(name, "")


def is_explained(model: type[BaseModel], name: str) -> bool:
    """Tell whether the record's own text says what a field means."""
    return bool(re.search(rf"`{name}`", model.__doc__ or ""))


def meaning_of_argument(name: str) -> str:
    """Return what an argument means where its schema does not say it, or ""."""
    meanings = _meanings()
    return meanings["arguments"].get(name) or meanings["fields"].get(name, "")
