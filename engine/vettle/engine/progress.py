"""How far long work is: what the engine tells whoever wants to know, without knowing who that is.

    with reporting(callback):
        ...  # any call of the engine

The callback is that of the call under way and of no other: a server answers several at once, in threads, and each
thread that a call starts through anyio has it too. Without one, telling costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Progress = Callable[[str, int, int], None]
"""Is told what is being done ("reading events"), how many are done, and of how many (0: nobody knows)."""

Item = TypeVar("Item")

_EVERY = 250  # items between two reports

_CALLBACK: ContextVar[Progress | None] = ContextVar("vettle_progress", default=None)


@contextmanager
def reporting(callback: Progress) -> Iterator[None]:
    """Have the work in this block tell the callback how far it is; it must be quick, and raising ends the work."""
    before = _CALLBACK.set(callback)
    try:
        yield
    finally:
        _CALLBACK.reset(before)


def is_wanted() -> bool:
    """Tell whether anybody asked, so that work counts beforehand only then."""
    return _CALLBACK.get() is not None


def report(step: str, done: int = 0, total: int = 0) -> None:
    """Tell how far the work is, if anybody asked."""
    callback = _CALLBACK.get()
    if callback is not None:
        callback(step, done, total)


def tracked(items: Iterable[Item], step: str, total: int = 0) -> Iterator[Item]:
    """Yield the items, telling at the first, at every 250th and at the end how many there were."""
    callback = _CALLBACK.get()
    if callback is None:
        yield from items
        return
    callback(step, 0, total)
    done = 0
    for done, item in enumerate(items, 1):
        yield item
        if done % _EVERY == 0:
            callback(step, done, total)
    callback(step, done, total)
