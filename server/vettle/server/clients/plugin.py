"""Whether Claude Code has vettle's plugin, which starts the server by itself and needs no entry beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vettle.server.clients.place import Location, Place

CLIENT = "claude"
_SETTINGS = (
    Location("project", ".claude/settings.local.json"),
    Location("project", ".claude/settings.json"),
    Location("home", ".claude/settings.json", "CLAUDE_CONFIG_DIR"),
)
"""The first that names the plugin decides, as in Claude Code."""
_LARGEST = 1_000_000


@dataclass(frozen=True)
class Plugin:
    """The enabled plugin: the file that says so, and the command that it starts."""

    file: Path
    command: str


def enabled(place: Place) -> Plugin | None:
    """Return the plugin that Claude Code runs in this project, None if it has none; what cannot be read says nothing."""
    settings = [(file, _read(file)) for file in (location.at(place) for location in _SETTINGS)]
    for file, found in settings:
        for name, is_on in _object(found, "enabledPlugins").items():
            if name.startswith("vettle@"):
                return Plugin(file, _command(name, [one for _, one in settings])) if is_on is True else None
    return None


def _command(name: str, settings: list[dict[str, Any]]) -> str:
    """Return the command that somebody set for the plugin, or the one that it comes with."""
    for found in settings:
        command = _object(_object(_object(found, "pluginConfigs"), name), "options").get("command")
        if isinstance(command, str):
            return command
    return "vettle"


def _object(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _read(file: Path) -> dict[str, Any]:
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST:
            return {}
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
