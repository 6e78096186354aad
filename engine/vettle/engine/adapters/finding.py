"""Which adapters there are: those that installed packages declare, ours among them."""

from __future__ import annotations

from importlib.metadata import entry_points

from vettle.engine.adapters import DomainAdapter
from vettle.engine.errors import InvalidArgument

GROUP = "vettle.adapters"


def names() -> list[str]:
    """Return the names of all adapters, sorted."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def load(name: str) -> DomainAdapter:
    """Return a new adapter of this name.

    Raises:
        InvalidArgument: None has it, or its package does not offer a DomainAdapter.
    """
    entry = next((one for one in entry_points(group=GROUP) if one.name == name), None)
    if entry is None:
        raise InvalidArgument(
            "adapter", f"no adapter {name[:80]!r}", f"Installed: {', '.join(names()) or 'none'}"
        )
    try:
        adapter = entry.load()()
    except Exception as error:
        # The package is somebody else's: whatever it raises, the caller needs to know whose it is.
        raise InvalidArgument(
            "adapter",
            f"{name!r} of {entry.value} cannot be loaded ({error})",
            "Mend or reinstall its package",
        ) from error
    if not isinstance(adapter, DomainAdapter):
        raise InvalidArgument(
            "adapter",
            f"{name!r} of {entry.value} is no DomainAdapter",
            "It needs metrics, collect, signals and context",
        )
    return adapter
