"""Which tools a server offers: the core ones always, the others by name.

Tools are imported when they are asked for: declaring them takes time that a handshake need not wait for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from vettle.engine.errors import InvalidArgument
from vettle.engine.suggesting import hint

if TYPE_CHECKING:
    from vettle.server.tool import Tool


def _core() -> tuple[Tool, ...]:
    from vettle.server import experiment_tools, tools

    return (*tools.TOOLS[:-2], *experiment_tools.TOOLS, *tools.TOOLS[-2:])


def _lab() -> tuple[Tool, ...]:
    from vettle.server import lab

    return lab.TOOLS


TOOLSETS: dict[str, Callable[[], tuple[Tool, ...]]] = {"core": _core, "lab": _lab}
"""What every session may need, and what few sessions do."""


def wanted(names: str = "") -> tuple[str, ...]:
    """Return the toolsets of a comma-separated list; "" means VETTLE_TOOLSETS, or core alone.

    Raises:
        InvalidArgument: A name is no toolset.
    """
    given = names or os.environ.get("VETTLE_TOOLSETS", "")
    found = [name.strip() for name in given.split(",") if name.strip()] or ["core"]
    unknown = next((name for name in found if name not in TOOLSETS), None)
    if unknown is not None:
        remedy = f"{hint(unknown, TOOLSETS)} Valid: {', '.join(TOOLSETS)}".lstrip()
        raise InvalidArgument("toolsets", f"no toolset {unknown[:40]!r}", remedy)
    return tuple(name for name in TOOLSETS if name in found)


def offered(toolsets: Sequence[str]) -> tuple[Tool, ...]:
    """Return the tools of these toolsets, in order."""
    return tuple(tool for name in toolsets for tool in TOOLSETS[name]())


def find(function: Callable[..., Any]) -> Tool:
    """Return the tool of a function."""
    return next(tool for tool in offered(tuple(TOOLSETS)) if tool.function is function)
