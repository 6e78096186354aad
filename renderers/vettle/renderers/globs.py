"""Path patterns in the one form that every assistant matches in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

MAX_PATTERNS = 100
MAX_LENGTH = 200
# Keeps a full rule file, frontmatter included, under the 6,000 characters that Windsurf reads.
MAX_CHARACTERS = 2_000

_FORBIDDEN = re.compile(r"[^A-Za-z0-9_./*?\[\]-]")
_CLASS = re.compile(r"\[((?:[a-z](?:-[a-z])?|[A-Z](?:-[A-Z])?|[0-9](?:-[0-9])?|[_.])+)\]")
_RANGE = re.compile(r"(.)-(.)")
_WORD_CHARACTER = re.compile(r"\w", re.ASCII)


class NotPortable(ValueError):
    """Raised when a pattern cannot be written so that every assistant matches the same files."""


def canonical(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns sorted, without braces, each starting with `**/`.

    `tests/**` becomes `**/tests/**`, because no form means "at the root only" to every assistant; a
    pattern that insists on the root (`/tests/**`) is therefore refused, as is everything else that some
    assistant reads differently. Raises NotPortable with the reason.
    """
    expanded = [found for pattern in patterns for found in _expanded(pattern)]
    result = tuple(sorted({_canonical(pattern) for pattern in expanded}))
    if len(expanded) > MAX_PATTERNS or sum(map(len, result)) > MAX_CHARACTERS:
        raise NotPortable(
            f"more than {MAX_PATTERNS} patterns or {MAX_CHARACTERS:,} characters of patterns; use fewer, wider ones"
        )
    return result


def witness(pattern: str) -> str:
    """Return a literal path that the canonical pattern matches.

    Cursor reads its globs bare, where a leading `*` is broken YAML; with a witness in front the line is
    sound and the matched files are the same. Every canonical pattern has one.
    """
    segments = [_literal(segment) for segment in pattern.split("/") if segment != "**"]
    if pattern.endswith("/**"):
        segments.append("any")
    path = "/".join(segments)
    return f"any/{path}" if path.startswith("-") else path


def _literal(segment: str) -> str:
    segment = _CLASS.sub(lambda match: _first_word_character(match[1]), segment)
    return segment.replace("*", "any").replace("?", "a")


def _first_word_character(members: str) -> str:
    found = _WORD_CHARACTER.search(members)
    assert found is not None, "a class of dots is refused by canonical()"
    return found[0]


def _expanded(pattern: str) -> list[str]:
    if len(pattern) > MAX_LENGTH:
        raise NotPortable(f"{pattern[:40]!r}... has more than {MAX_LENGTH} characters")
    found = list(islice(_alternatives(pattern), MAX_PATTERNS + 1))
    if len(found) > MAX_PATTERNS:
        raise NotPortable(f"{pattern!r} stands for more than {MAX_PATTERNS} patterns; use a wider one")
    return found


def _alternatives(pattern: str) -> Iterator[str]:
    """Yield what the braces stand for, lazily: twenty pairs of braces stand for a million patterns."""
    opening = pattern.find("{")
    if opening < 0:
        yield pattern
        return
    parts, closing = _brace_group(pattern, opening)
    for part in parts:
        for rest in _alternatives(part + pattern[closing + 1 :]):
            yield pattern[:opening] + rest


def _brace_group(pattern: str, opening: int) -> tuple[list[str], int]:
    """Return the alternatives of the group and the position of its closing brace."""
    depth, start, parts = 0, opening + 1, []
    for position in range(opening, len(pattern)):
        character = pattern[position]
        depth += (character == "{") - (character == "}")
        if depth == 0 or (depth == 1 and character == ","):
            parts.append(pattern[start:position])
            start = position + 1
        if depth == 0:
            if len(parts) < 2:
                raise NotPortable(f"{pattern!r} has braces without a comma; list what they stand for")
            return parts, position
    raise NotPortable(f"{pattern!r} has a brace that is never closed")


def _canonical(pattern: str) -> str:
    segments = _segments(pattern)
    for segment in segments:
        _check_segment(pattern, segment)
    kept = [segment for before, segment in pairwise(["**", *segments]) if (before, segment) != ("**", "**")]
    return "**/" + "/".join(kept or ["*"])


def _segments(pattern: str) -> list[str]:
    forbidden = sorted(set(_FORBIDDEN.findall(pattern)))
    if forbidden:
        raise NotPortable(
            f"{pattern!r} contains {' '.join(map(repr, forbidden))}; "
            "only letters, digits and _ . / * ? [ ] - { , } mean the same everywhere"
        )
    if "---" in pattern:
        raise NotPortable(f"{pattern!r} contains '---', where Cursor would split the file")
    if pattern.startswith("/"):
        raise NotPortable(
            f"{pattern!r} is tied to the root, which not every assistant can express; drop the '/'"
        )
    relative = pattern.removeprefix("./")
    return (relative + "**" if relative.endswith("/") else relative).split("/")


def _check_segment(pattern: str, segment: str) -> None:
    if segment in ("", ".", ".."):
        raise NotPortable(f"{pattern!r} has the path segment {segment!r}; write the path out")
    if "**" in segment and segment != "**":
        raise NotPortable(f"{pattern!r} has '**' beside other text; it must be a whole path segment")
    for members in _CLASS.findall(segment):
        reversed_range = any(first > last for first, last in _RANGE.findall(members))
        if reversed_range or not _WORD_CHARACTER.search(members):
            raise NotPortable(f"{pattern!r} has the class [{members}], which not every assistant can match")
    if set("[]") & set(_CLASS.sub("", segment)):
        raise NotPortable(
            f"{pattern!r} has a class that is not made of letters, digits, '_', '.' and ranges like a-z"
        )
