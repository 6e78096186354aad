"""Where facts are kept: `open_store` gives a `Store`, and a `Store` gives transactions.

The modules beside this one hold the SQL, one table or idea each; nothing outside this package does. They are loaded
when they are needed, because one of them, the names that a shell asks for at every key, needs hardly any other.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vettle.engine.store.events import Transaction
    from vettle.engine.store.opening import MEMORY, Store, is_url, open_store, without_secrets

__all__ = ["MEMORY", "Store", "Transaction", "is_url", "open_store", "without_secrets"]


def __getattr__(name: str) -> Any:
    """Return what the package offers, loading the module that has it (AttributeError)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("vettle.engine.store.opening"), name)
