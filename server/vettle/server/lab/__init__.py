"""The lab: tools that few sessions need, offered on request (see `toolsets`)."""

from __future__ import annotations

from vettle.server.lab import experimenting
from vettle.server.tool import Tool

TOOLS: tuple[Tool, ...] = (*experimenting.TOOLS,)
