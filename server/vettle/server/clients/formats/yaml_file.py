"""YAML: Continue reads every file in a folder, so ours is a file of its own and no other is touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from vettle.server.clients.formats.base import BYTE_ORDER_MARK, Format, Keys, Segment, Unusable, is_blank

_FRAME = ("name", "version", "schema")
"""What Continue asks of every file of its own."""


def _servers(text: str, keys: Keys) -> Mapping[str, Any]:
    found = _parse(text)
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if isinstance(found, dict):
        return dict(found)
    servers = found if isinstance(found, list) else []
    return {str(one["name"]): one for one in servers if isinstance(one, dict) and "name" in one}


def _others(text: str, keys: Keys, name: str) -> Any:
    """Return all but the server and the frame of the file, which goes with it."""
    found = _parse(text)
    if not isinstance(found, dict):
        return found or {}
    servers = {other: one for other, one in _servers(text, keys).items() if other != name}
    rest = {key: value for key, value in found.items() if key not in (*_FRAME, *keys)}
    return {**rest, **({keys[0]: servers} if servers else {})}


def _parse(text: str) -> Any:
    try:
        return yaml.safe_load(text.removeprefix(BYTE_ORDER_MARK))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise Unusable(mark.line + 1 if mark else 1, str(problem)) from error


def _render(keys: Keys, name: str, entry: Mapping[str, Any]) -> str:
    (key,) = keys
    document = {"name": name, "version": "0.0.1", "schema": "v1", key: [dict(entry)]}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1_000_000)


def _insert(text: str, keys: Keys, name: str, entry: Mapping[str, Any]) -> list[Segment]:
    if not is_blank(text):
        raise Unusable(1, f"the file should hold only {name}, and it holds something else")
    return [Segment(len(text), _render(keys, name, entry))]


def _remove(text: str, keys: Keys, name: str, written: str) -> str:
    del written
    if _others(text, keys, name):
        raise Unusable(1, f"the file holds more than {name}; take its entry out by hand")
    return ""


YAML = Format(servers=_servers, others=_others, insert=_insert, remove=_remove, render=_render)
