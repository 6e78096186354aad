"""Which tools a server offers: the core ones always, the others by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from vettle.engine.errors import InvalidArgument
from vettle.server import experiment_tools, tools
from vettle.server.tool import Tool

CORE = (*tools.TOOLS[:-2], *experiment_tools.TOOLS, *tools.TOOLS[-2:])
"""What every session may need."""


def _lab() -> tuple[Tool, ...]:
    # Imported here: declaring these tools costs time that a server spends only if somebody wants them.
    from vettle.server import lab

    return lab.TOOLS


TOOLSETS: dict[str, Callable[[], tuple[Tool, ...]]] = {"core": lambda: CORE, "lab": _lab}


def chosen(names: str = "") -> tuple[Tool, ...]:
    """Return the tools of a comma-separated list of toolsets; "" means VETTLE_TOOLSETS, or core alone.

    Raises:
        InvalidArgument: A name is no toolset.
    """
    given = names or os.environ.get("VETTLE_TOOLSETS", "")
    wanted = [name.strip() for name in given.split(",") if name.strip()] or ["core"]
    unknown = next((name for name in wanted if name not in TOOLSETS), None)
    if unknown is not None:
        raise InvalidArgument("toolsets", f"no toolset {unknown[:40]!r}", f"Valid: {', '.join(TOOLSETS)}")
    return tuple(tool for name, offered in TOOLSETS.items() if name in wanted for tool in offered())


def find(function: Callable[..., Any]) -> Tool:
    """Return the tool of a function."""
    return next(tool for offered in TOOLSETS.values() for tool in offered() if tool.function is function)
