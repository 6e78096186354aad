"""Untrusted text made visible: no control character acts, none hides, and no text is longer than its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import takewhile

_JOINERS = "\u200c\u200d"
"""Invisible, but parts of Persian words and of emoji."""

_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs"})
_LOOKED_AT = 4
_BROAD = frozenset("MWmw@%")
_LAST_LATIN = 0x24F

_LONG = 8
"""The characters that names must share before it is worth to leave them out."""


def clean(text: str, most: int) -> str:
    """Return a text as one line of at most `most` characters, "…" where more was cut.

    Runs of white space become one space. Every other character that prints nothing or turns the direction of
    what follows becomes U+FFFD, so that a reader sees that something is there.
    """
    whole = text[: most * _LOOKED_AT + 1]
    spaced = " ".join(whole.split())
    if not spaced.isprintable():
        spaced = "".join(map(_visible, spaced))
    if len(spaced) <= most and len(whole) == len(text):
        return spaced
    return spaced[: most - 1].rstrip() + "…"


def _visible(character: str) -> str:
    if character in _JOINERS:
        return character
    hidden = unicodedata.category(character) in _UNSEEN or ord(character) & 0xFFFE == 0xFFFE
    return "\ufffd" if hidden else character


def told_apart(names: Sequence[str]) -> list[str]:
    """Return the names without what all of them share, so that what is left still differs when it is cut.

    Names like "temperature=0, prompt=long" that have the same keys are their values, "0, long"; others lose whole
    words at their beginning, "…2" and "…3" of "model-a-2" and "model-a-3".
    """
    parts = [[part.partition("=") for part in name.split(", ")] for name in names]
    keys = {tuple(key for key, _, _ in own) for own in parts}
    if len(names) > 1 and len(keys) == 1 and all(sign for own in parts for _, sign, _ in own):
        return [", ".join(value for _, _, value in own) for own in parts]
    alike = takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False))
    begins = 1 + max((place for place, (one, *_) in enumerate(alike) if not one.isalnum()), default=-1)
    if len(names) < 2 or begins < _LONG or any(len(name) <= begins for name in names):
        return list(names)
    return ["…" + name[begins:] for name in names]


def width(text: str) -> float:
    """Estimate how wide a text is, in ems of a wide plain typeface, rather too wide than too narrow."""
    return sum(map(_ems, text))


def _ems(character: str) -> float:
    if character in _BROAD or ord(character) > _LAST_LATIN:
        return 1.05
    return 0.78 if character.isupper() else 0.64


def fitted(text: str, ems: float) -> str:
    """Return a text cut so that it is at most `ems` wide, as far as that can be estimated."""
    cleaned = clean(text, max(int(ems / 0.64), 2))
    while len(cleaned) > 1 and width(cleaned) > ems:
        cleaned = cleaned[:-2].rstrip() + "…"
    return cleaned
