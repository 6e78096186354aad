"""Do two instructions, or two mistakes, say nearly the same? Opposites never do.

Two instructions are alike only if one has all words of the other in the same order, with few more, and both
turn their meaning as often: "use eval" and "never use eval", "prefer tabs over spaces" and "prefer spaces over
tabs", "at most 20 lines" and "at most 40 lines" stay apart. What is missed is one more candidate, which the
evidence sorts out; what is wrongly merged is a rule that nobody ever tries.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from vettle.engine.similarity import REPEAT, dice, normal_form, rule_form, stem, terms, trigrams_of

SHARE = 0.7
"""The least share of the longer instruction's words that the shorter one has."""

_TURNING = frozenset(
    {
        "not", "no", "never", "without", "dont", "cannot", "wont", "neither", "nor", "none", "unless", "except",
        "instead", "only", "rather", "avoid", "stop", "disable", "disallow", "forbid", "prohibit", "ban", "skip",
        "omit", "remove", "exclude", "reject", "refuse", "prevent", "ignore", "unset", "hardly", "seldom", "rarely",
    }
)  # fmt: skip
"""Words that turn what is said around, or limit it."""

_FILLING = frozenset({"always", "must", "should", "please", "remember", "sure", "make", "ensure"})
_TURNING_STEMS = frozenset(map(stem, _TURNING))
_FILLING_STEMS = frozenset(map(stem, _FILLING))
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_APOSTROPHES = re.compile(r"\b(don|won|can|isn|doesn|shouldn|mustn)['\u2019]?t\b", re.IGNORECASE)


def _words(text: str) -> list[str]:
    plain = _APOSTROPHES.sub("not", text).replace("`", " ")
    return [word for word in terms(plain) if word not in _FILLING_STEMS]


def turns(text: str) -> Counter[str]:
    """Return the words of a text that turn or limit its meaning, with how often each stands there."""
    plain = _APOSTROPHES.sub("not", text)
    words = (stem(word) for word in re.findall(r"[^\W_]+", plain.lower()))
    return Counter(word for word in words if word in _TURNING_STEMS)


class _Instruction(NamedTuple):
    """What is compared of an instruction."""

    form: str
    turns: Counter[str]
    numbers: list[str]
    words: list[str]


@lru_cache(maxsize=8_192)
def _instruction(text: str) -> _Instruction:
    return _Instruction(rule_form(text), turns(text), _NUMBER.findall(text), _words(text))


def same_instruction(left: str, right: str) -> bool:
    """Return whether two instructions say the same or nearly the same; see the module for what that takes."""
    a, b = _instruction(left), _instruction(right)
    if a.form == b.form:
        return True
    if a.turns != b.turns or a.numbers != b.numbers:
        return False
    shorter, longer = sorted((a.words, b.words), key=len)
    return bool(shorter) and len(shorter) >= SHARE * len(longer) and _within(shorter, longer)


def _within(shorter: list[str], longer: list[str]) -> bool:
    """Return whether the words stand in the longer list in the same order."""
    rest = iter(longer)
    return all(any(_same_word(word, other) for other in rest) for word in shorter)


def _same_word(left: str, right: str) -> bool:
    """Return whether two stems are forms of one word: "commit" and "committ"."""
    if left == right:
        return True
    shorter, longer = sorted((left, right), key=len)
    return len(shorter) >= 4 and longer == shorter + shorter[-1]


class _Wording(NamedTuple):
    """What is compared of a description."""

    turns: Counter[str]
    terms: frozenset[str]
    trigrams: Counter[str]
    norm: str


@lru_cache(maxsize=512)
def _wording(text: str) -> _Wording:
    norm = normal_form(text)
    return _Wording(turns(text), frozenset(terms(text)), trigrams_of(norm), norm)


def same_mistake(left: str, right: str) -> bool:
    """Return whether two descriptions, perhaps of different error classes, tell of the same mistake.

    Half Jaccard over stemmed words and half Dice over the trigrams of the normal forms, as within a class
    (see `similarity`), and never if one negates what the other says.
    """
    a, b = _wording(left), _wording(right)
    either = len(a.terms | b.terms)
    jaccard = len(a.terms & b.terms) / either if either else 0.0
    # Dice is at most 1, so with fewer words in common the sum cannot reach REPEAT.
    if jaccard < 2 * REPEAT - 1 or a.turns != b.turns:
        return False
    return 0.5 * jaccard + 0.5 * dice(a.norm, a.trigrams, b.norm, b.trigrams) >= REPEAT
