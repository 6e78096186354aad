"""The lab: tools that few sessions need, offered on request (see `toolsets`)."""

from __future__ import annotations

from vettle.server.lab import analysing, experimenting, exporting, importing, proposing, querying, ranking
from vettle.server.tool import Tool

TOOLS: tuple[Tool, ...] = (
    *experimenting.TOOLS,
    *analysing.TOOLS,
    *exporting.TOOLS,
    *importing.TOOLS,
    *proposing.TOOLS,
    *querying.TOOLS,
    *ranking.TOOLS,
)
