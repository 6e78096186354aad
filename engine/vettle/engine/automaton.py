"""Matching a glob in time that grows with the path alone.

A regular expression tries one way of sharing the path among the wildcards after the other, and a glob of many
wildcards or braces has more ways than there is time. This follows all of them at once, and remembers for each
set of places in the glob where a character leads.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

Places = frozenset[int]

_MOST_REMEMBERED = 5_000
_ANY_FOLDERS, _ANYTHING, _NO_SLASH = "(?:.*/)?", ".*", "[^/]*"


class Automaton:
    """A glob, given as the pieces of its regular expression: wildcards, groups, and one character each."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._moves: dict[int, list[tuple[re.Pattern[str], int]]] = defaultdict(list)
        self._free: dict[int, list[int]] = defaultdict(list)
        self._count = 1
        self._last = self._built(pieces)
        self._first = self._closed({0})
        self._remembered: dict[tuple[Places, str], Places] = {}

    def matches(self, path: str) -> bool:
        """Return whether the whole path matches."""
        places = self._first
        for character in path:
            found = self._remembered.get((places, character))
            if found is None:
                found = self._after(places, character)
            if not found:
                return False
            places = found
        return self._last in places

    def _built(self, pieces: Sequence[str]) -> int:
        place, groups = 0, []
        for piece in pieces:
            if piece == "(?:":
                groups.append((place, self._new()))
                place = self._reached_from(place)
            elif piece in ("|", ")") and groups:
                before, after = groups[-1]
                self._free[place].append(after)
                place = self._reached_from(before) if piece == "|" else groups.pop()[1]
            elif piece in (_ANYTHING, _NO_SLASH):
                place = self._reached_from(place)
                self._move(place, piece[:-1], place)
            elif piece == _ANY_FOLDERS:
                folders, after = self._reached_from(place), self._reached_from(place)
                self._move(folders, ".", folders)
                self._move(folders, "/", after)
                place = after
            else:
                after = self._new()
                self._move(place, piece, after)
                place = after
        return place

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _reached_from(self, place: int) -> int:
        """Return a new place that is reached from another without any character."""
        after = self._new()
        self._free[place].append(after)
        return after

    def _move(self, place: int, pattern: str, after: int) -> None:
        self._moves[place].append((re.compile(pattern, re.DOTALL), after))

    def _closed(self, places: set[int]) -> Places:
        """Return the places with all that are reached from them without any character."""
        found, waiting = set(places), list(places)
        while waiting:
            more = [place for place in self._free.get(waiting.pop(), ()) if place not in found]
            found.update(more)
            waiting += more
        return frozenset(found)

    def _after(self, places: Places, character: str) -> Places:
        moves = [move for place in places for move in self._moves.get(place, ())]
        found = self._closed({after for pattern, after in moves if pattern.fullmatch(character)})
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[places, character] = found
        return found
