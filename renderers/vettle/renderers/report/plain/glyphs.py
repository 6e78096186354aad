"""The characters that plots are drawn with, for terminals that have them and for those with ASCII only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Glyphs:
    """One character for each thing, and one for each level of a sparkline and each shade of a heat map."""

    levels: str
    shades: str
    line: str
    left: str
    right: str
    cross: str
    zero: str
    belief: str
    proof: str
    full: str
    track: str
    goal: str
    bullet: str
    event: str
    stem: str
    under: str
    between: str


UNICODE = Glyphs(
    levels="▁▂▃▄▅▆▇█",
    shades=" ░░▒▒▓█",
    line="─",
    left="├",
    right="┤",
    cross="┼",
    zero="│",
    belief="●",
    proof="◆",
    full="█",
    track="░",
    goal="│",
    bullet="•",
    event="●",
    stem="│",
    under="─",
    between=" · ",
)
ASCII = Glyphs(
    levels=".:-=+*#",
    shades=" .:-=*#",
    line="-",
    left="|",
    right="|",
    cross="+",
    zero=":",
    belief="o",
    proof="*",
    full="#",
    track=".",
    goal="|",
    bullet="*",
    event="*",
    stem="|",
    under="-",
    between="; ",
)

CHARACTERS = "".join(vars(UNICODE).values())
"""What an encoding must have for the first of both."""

_SPELLED = str.maketrans(
    {"\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2026": "...", "\ufffd": "?", "\u00a0": " "}
    | dict.fromkeys("\u2018\u2019", "'")
    | dict.fromkeys("\u201c\u201d", '"')
)


def spelled(text: str) -> str:
    """Return a text in ASCII: usual punctuation by what looks like it, anything else as Python's escape for it."""
    return (
        text
        if text.isascii()
        else text.translate(_SPELLED).encode("ascii", "backslashreplace").decode("ascii")
    )
