"""The systems whose data can be brought along, and which of them a path belongs to.

Each module reads one system. It has `SYSTEM`, the system's name in answers; `recognises`, which tells from a
path's name and first bytes whether it is the system's; and `read`, which turns it into a `Reading`.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from vettle.engine.errors import InvalidArgument
from vettle.engine.exchange.facts import Reading

_MODULES: dict[str, str] = {
    "buildlog": "buildlog",
    "singularity-forge": "singularity_forge",
    "ordal": "ordal",
    "adaptive-iteration": "adaptive_iteration",
    "ai-experiments": "ai_experiments",
    "promptlooper": "prompt_looper",
}

NAMES = tuple(_MODULES)
"""The systems that can be named, in the order in which they are asked whether a path is theirs."""


class System(Protocol):
    """What a module of this package offers."""

    SYSTEM: str

    def recognises(self, path: Path) -> bool:
        """Tell whether the file or folder is this system's, without reading it whole; never raise."""
        ...

    def read(self, path: Path) -> Reading:
        """Return what the file or folder says (SourceDamaged where it is damaged)."""
        ...


def named(name: str) -> System:
    """Return the reader of the system with this name."""
    return cast(System, import_module(f"vettle.engine.exchange.systems.{_MODULES[name]}"))


def recognise(path: Path) -> System | None:
    """Return the reader of the system that a path belongs to, None if it is nobody's."""
    return next((system for system in map(named, NAMES) if system.recognises(path)), None)


def read(path: Path, system: str = "") -> Reading:
    """Read a path as a system's, or as that of the one it belongs to.

    Raises:
        InvalidArgument: No system knows it.
        SourceDamaged: It is damaged.
    """
    found = named(system) if system else recognise(path)
    if found is None:
        raise InvalidArgument(
            "path",
            f"{path.name[:100]!r} is not recognised as any system's",
            f"Name one with system: {', '.join(NAMES)}",
        )
    return found.read(path)
