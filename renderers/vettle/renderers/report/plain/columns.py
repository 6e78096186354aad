"""How wide a text is on a terminal, and where its lines end."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_AS_EMOJI = "\ufe0f"
_INVISIBLE = frozenset({"Mn", "Me", "Cf"})
_HANGUL_VOWELS = range(0x1160, 0x1200)


def width(text: str) -> int:
    """Return how many columns a text takes: wide characters two, combining and invisible ones none.

    Terminals differ in what they make of joined emoji; this is the most that any of them takes.
    """
    return len(text) if text.isascii() else sum(map(character_width, text))


def character_width(character: str) -> int:
    """Return how many columns one character adds to a text."""
    if character.isascii():
        return 1
    # The selector makes a narrow character before it an emoji, which takes two columns.
    if character == _AS_EMOJI:
        return 1
    if unicodedata.category(character) in _INVISIBLE or ord(character) in _HANGUL_VOWELS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def breaks(text: str, room: int) -> Iterator[slice]:
    """Yield the lines of a text with single spaces as slices, each at most `room` columns wide, 2 or more.

    A line ends at a space, which is left out; only a word that is longer than a line is broken, at no place
    inside of a character that is made of several, unless that alone is wider.
    """
    start = 0
    while start < len(text):
        end = _end(text, start, room)
        if end < len(text):
            space = _space(text, start, end)
            end = space if space > start else end
        yield slice(start, end)
        start = end + 1 if end < len(text) and text[end] == " " else end


def _space(text: str, start: int, end: int) -> int:
    """Return the last space up to `end` at which a line may end, or less than `start`: a number keeps its "%"."""
    space = text.rfind(" ", start, end + 1)
    while space > start and text.startswith("%", space + 1):
        space = text.rfind(" ", start, space)
    return space


def _end(text: str, start: int, room: int) -> int:
    """Return where the characters end that fit; at least one does."""
    used, whole = 0, start
    for place in range(start, len(text)):
        used += character_width(text[place])
        if used > room:
            return whole if whole > start else max(place, start + 1)
        if place + 1 == len(text) or not _continued(text, place + 1):
            whole = place + 1
    return len(text)


def _continued(text: str, place: int) -> bool:
    """Tell whether the character at a place belongs to the one before it."""
    return text[place - 1] == _JOINER or text[place] == _AS_EMOJI or character_width(text[place]) == 0


def padded(text: str, room: int, *, right: bool = False) -> str:
    """Return a text with spaces up to so many columns, before it where it stands on the `right`."""
    spaces = " " * (room - width(text))
    return spaces + text if right else text + spaces
