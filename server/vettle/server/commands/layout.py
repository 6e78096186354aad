"""Text for a terminal: how wide it is, cut so that it fits, and unable to act on the terminal.

Piped output gets none of this: there every character arrives as it was stored.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import zip_longest

from vettle.renderers.report.plain.columns import character_width, width

_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves the cursor, rings, recolours or reverses: control characters (but for a tab and the end of a line),
the overrides of writing direction, and halves of characters."""

_LEAST = 12  # columns: a text that is cut further says nothing
_READABLE = 24  # columns: with less, prose is a pillar of words, and it is better to show fewer columns
_GAP = "  "

_LABEL = re.compile(r"\s*(?:\S+(?: \S+){0,2}? {2,})?")
"""What a line begins with: blanks, and a heading with a gap behind it."""

_TO_COPY = re.compile(r"(?<= )fix: .+|(?<=: )vettle [a-z].+")
"""A command, which has to be copied in one piece."""


def columns() -> int:
    """Return how many columns the terminal has, or 0 where the output is piped and nothing has to fit."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def harmless(text: str) -> str:
    """Return the text with every character that would act on a terminal written out as <U+XXXX>."""
    return _ACTING.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


def cut(text: str, room: int) -> str:
    """Return the text in at most so many columns: prose loses its end, a single word (an id, a path) its middle."""
    if width(text) <= room:
        return text
    tail = "" if " " in text else _taken(text[::-1], (room - 1) // 2)[::-1]
    return f"{_taken(text, room - 1 - width(tail))}…{tail}"


def _taken(text: str, room: int) -> str:
    """Return as much of the beginning as fits."""
    used = 0
    for place, character in enumerate(text):
        used += character_width(character)
        if used > room:
            return text[:place]
    return text


def wrapped(lines: Iterable[str]) -> Iterator[str]:
    """Break lines that are longer than the terminal between words, under their own beginning; commands stay whole."""
    room = columns()
    for line in lines:
        label = _LABEL.match(line)
        indent = len(label[0]) if label and len(label[0]) <= room // 2 else 0
        yield from _broken(line, room, " " * indent) if room else [line]


def _broken(text: str, room: int, indent: str = "") -> Iterator[str]:
    """Yield the text in lines of at most so many columns, unless a single word is longer."""
    command = _TO_COPY.search(text)
    words = text[len(indent) : command.start() if command else None].split(" ")
    if command:
        # What is before it ends with a blank, so that the last of the words is none.
        words[-1] = command[0]
    line = [text[: len(indent)] + words[0]]
    used, is_begun = width(line[0]), bool(words[0])
    for word in words[1:]:
        space = 1 + width(word)
        if word and is_begun and used + space > room:
            yield " ".join(line).rstrip()
            line, used = [indent + word], len(indent) + space - 1
        else:
            line.append(word)
            used += space
        is_begun = is_begun or bool(word)
    yield " ".join(line)


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    whole: Collection[str] = (),
    spare: Sequence[str] = (),
) -> Iterator[str]:
    """Align rows under their headings.

    On a terminal that is too narrow the columns of `spare` are left out, the first of them first; then the widest are
    cut, but those of `whole` take several lines. Where that is not enough, each row becomes a list of
    `heading  value`, and nothing is cut or left out.
    """
    if not rows:
        return
    room = columns()
    lines = [[harmless(" ".join(cell.splitlines())) if room else cell for cell in row] for row in rows]
    widths = {
        column: max(width(heading), *(width(row[column]) for row in lines))
        for column, heading in enumerate(headings)
    }
    kept = {column for column, heading in enumerate(headings) if heading in whole}
    if room:
        fitted = _fitted(_affordable(widths, room, [headings.index(one) for one in spare]), room, kept)
        if fitted is None:
            yield from _listed(headings, lines)
            return
        widths = fitted
    for row in (headings, *lines):
        cells = [_cell(row[column], space, column in kept) for column, space in widths.items()]
        for line in zip_longest(*cells, fillvalue=""):
            yield _GAP.join(map(_padded, line, widths.values())).rstrip()


def _cell(text: str, space: int, is_whole: bool) -> list[str]:
    return list(_broken(text, space)) if is_whole and width(text) > space else [cut(text, space)]


def _padded(cell: str, space: int) -> str:
    return cell + " " * (space - width(cell))


def _affordable(widths: dict[int, int], room: int, spare: Sequence[int]) -> dict[int, int]:
    """Return the columns that can be read side by side."""
    found = dict(widths)
    for column in spare:
        if _total(min(space, _READABLE) for space in found.values()) <= room:
            break
        del found[column]
    return found


def _fitted(widths: dict[int, int], room: int, whole: Collection[int]) -> dict[int, int] | None:
    """Return narrower widths that fit, or None where they would be too narrow to read."""
    found = dict(widths)
    least = {column: _READABLE if column in whole else _LEAST for column in found}
    while _total(found.values()) > room:
        widest = max(found, key=lambda column: (found[column] > least[column], found[column]))
        if found[widest] <= least[widest]:
            return None
        found[widest] -= 1
    return found


def _total(widths: Iterable[int]) -> int:
    """Return how many columns of the terminal these columns take."""
    every = list(widths)
    return sum(every) + len(_GAP) * (len(every) - 1)


def _listed(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield each row as lines of its own."""
    longest = max(map(width, headings))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for heading, cell in zip(headings, row, strict=True):
            yield f"{heading}{' ' * (longest - width(heading))}{_GAP}{cell}".rstrip()
