"""A page of text under construction: lines no longer than the terminal, harmless, and with colour only if asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal

from vettle.renderers.report.limits import STEPS
from vettle.renderers.report.plain.columns import breaks, width
from vettle.renderers.report.plain.glyphs import ASCII, UNICODE, spelled
from vettle.renderers.report.text import clean
from vettle.renderers.report.words import counted

Style = Literal[
    "", "strong", "soft", "helps", "hurts", "accent",
    "heat-0", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5", "heat-6",
]  # fmt: skip
Span = tuple[str, Style]
Line = list[Span]

PLAIN: Style = ""

_NARROWEST, _WIDEST = 20, 200
_PROSE = 110
"""Lines of prose are not longer than this many columns on however wide a terminal: longer ones are hard to read."""

_LONGEST = 5_000
"""Texts are stored with at most 4,000 characters, so this cuts none, nor the words before it."""

_SGR: dict[Style, str] = {
    "strong": "1", "soft": "2", "helps": "32", "hurts": "31", "accent": "36",
    "heat-0": "30;48;5;231", "heat-1": "30;48;5;195", "heat-2": "30;48;5;159", "heat-3": "30;48;5;116",
    "heat-4": "30;48;5;80", "heat-5": "97;48;5;30", "heat-6": "97;48;5;23",
}  # fmt: skip
"""Colours of the terminal's own palette where they mean something, so that light and dark ones are readable."""


class Page:
    """Lines of text; `width` is the most columns of a line, at least 20.

    Whatever is said is made harmless here, so no section has to think of it.
    """

    limits = STEPS[0]

    def __init__(self, width: int, *, unicode: bool, colour: bool) -> None:
        self.width = min(max(width, _NARROWEST), _WIDEST)
        self.glyphs = UNICODE if unicode else ASCII
        self._unicode, self._colour = unicode, colour
        self._lines: list[Line] = []

    def plain(self, text: str) -> str:
        """Return a text as it may stand on a line: nothing in it acts or hides, and ASCII if that is all there is."""
        # Word by word, because the spaces at both ends separate a span from its neighbours.
        whole = " ".join(clean(word, _LONGEST) if word else "" for word in text[: _LONGEST + 1].split(" "))
        if len(text) > _LONGEST:
            whole += "…"
        return whole if self._unicode else spelled(whole)

    def wrapped(self, spans: Iterable[Span], room: int) -> list[Line]:
        """Return spans as lines of at most so many columns, broken at spaces; white space becomes one space."""
        parts: list[str] = []
        styles: list[Style] = []
        last = " "
        for said, style in spans:
            for character in self.plain(said):
                if character != " " or last != " ":
                    parts.append(character)
                    styles.append(style)
                    last = character
        text = "".join(parts).rstrip(" ")
        return [_regrouped(text[found], styles[found]) for found in breaks(text, max(room, 2))]

    def say(self, *spans: Span | str, first: str = "", rest: str | None = None) -> None:
        """Add a paragraph; `first` stands before its first line and `rest` before all others, spaces by default."""
        hanging = " " * width(first) if rest is None else rest
        room = min(self.width, _PROSE) - max(width(first), width(hanging))
        styled = [(span, PLAIN) if isinstance(span, str) else span for span in spans]
        for number, line in enumerate(self.wrapped(styled, room)):
            self.draw([(hanging if number else first, "soft"), *line])

    def bullet(self, *spans: Span | str) -> None:
        """Add a paragraph as an entry of a list."""
        self.say(*spans, first=f"{self.glyphs.bullet} ")

    def heading(self, text: str) -> None:
        """Begin a section."""
        self.gap()
        self.gap()
        self.say((text, "strong"))
        self.draw([(self.glyphs.under * min(width(self.plain(text)), self.width), "soft")])

    def subheading(self, text: str) -> None:
        """Begin a part of a section."""
        self.gap()
        self.say((text, "strong"))

    def gap(self) -> None:
        """Add an empty line, but never a third one."""
        if self._lines[-2:] != [[], []]:
            self._lines.append([])

    def draw(self, line: Line) -> None:
        """Add a line as it is: one that was wrapped, or drawn by a plot."""
        self._lines.append(line)

    def left_out(self, number: int, noun: str, first: str = "") -> None:
        """Say how many are not shown, if any."""
        if number > 0:
            be = "is" if number == 1 else "are"
            self.say((f"{counted(number, noun)} more {be} not shown here.", "soft"), first=first)

    def joined(self, facts: Sequence[str]) -> str:
        """Return facts on one line, with a mark between them."""
        return self.glyphs.between.join(fact for fact in facts if fact)

    def text(self) -> str:
        """Return the page; every line ends with a newline, and no escape sequence crosses one."""
        return "".join(f"{self._encoded(line)}\n" for line in self._lines)

    def _encoded(self, line: Line) -> str:
        if not self._colour:
            return "".join(text for text, _ in line).rstrip(" ")
        while line and line[-1][1] == PLAIN and not line[-1][0].strip(" "):
            line = line[:-1]
        return "".join(
            f"\x1b[{_SGR[style]}m{text}\x1b[0m" if style and text else text for text, style in line
        )


def _regrouped(text: str, styles: Sequence[Style]) -> Line:
    pairs = groupby(zip(text, styles, strict=True), key=lambda pair: pair[1])
    return [("".join(character for character, _ in group), style) for style, group in pairs]
