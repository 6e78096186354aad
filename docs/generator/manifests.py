"""The parts of the packaging manifests that repeat what stands elsewhere: the version and the list of tools."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcp.types import Tool

from docs.generator import ROOT
from vettle.server.toolsets import offered

SERVER = ROOT / "server.json"
MANIFEST = ROOT / "mcpb" / "manifest.json"


def version() -> str:
    """Return the version of pyproject.toml, the only place where a person writes it."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def manifests(tools: Sequence[Tool]) -> dict[Path, str]:
    """Return both manifests with this version, and the bundle's with the tools that it offers by default."""
    server = json.loads(SERVER.read_text(encoding="utf-8"))
    server["version"] = version()
    for package in server["packages"]:
        package["version"] = version()
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    manifest["version"] = version()
    core = {tool.name for tool in offered(("core",))}
    manifest["tools"] = [
        {"name": tool.name, "description": (tool.description or "").split("\n\n")[0]}
        for tool in tools
        if tool.name in core
    ]
    return {SERVER: _text(server), MANIFEST: _text(manifest)}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
