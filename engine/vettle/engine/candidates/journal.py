"""Journal entries: what their Improvements sections say, bullet by bullet, and as people wrote it.

A bullet becomes a rule word for word. "Money is in cents" is worth telling an agent; "Always money is in
cents" is not, so nothing is reworded, and what is no advice is passed over with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath

from vettle.engine.candidates.markdown import Heading, Item, blocks
from vettle.engine.candidates.taking import objection
from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.exchange import reading

MOST_BYTES = 1_000_000
"""The longest entry that is read."""

CATEGORIES = {
    "architectural": "architectural",
    "architecture": "architectural",
    "workflow": "workflow",
    "tool usage": "tool_usage",
    "domain knowledge": "domain_knowledge",
}
"""The headings of the template, and the category of the rules below them. Other headings are their own."""

_SECTION = "improvements"
_NAMES = "|".join(name.replace(" ", "[ _]") for name in CATEGORIES)
_LABEL = re.compile(rf"\*{{0,2}}(?P<name>{_NAMES})\*{{0,2}}:?\*{{0,2}}$", re.IGNORECASE)
_LABELLED = re.compile(
    rf"\*\*(?P<name>{_NAMES})(?:\*\*\s*[:\u2013\u2014-]|:\*\*)\s*(?P<text>\S.*)$", re.IGNORECASE
)
_ENTRY = re.compile(r"(\d{4}-\d{2}-\d{2})-.+\.md", re.IGNORECASE)

_NESTED = "what it means depends on the bullet above it; as a bullet of its own it can be a rule"
_OBJECTIONS = (
    (re.compile(r"$"), "it is empty"),
    (re.compile(r"\[(?![ xX]\]).*\]\.?$|<[^<>]*>$|\(?e\.g\.,|\.\.\.$|TODO\b|TBD\b"), "a placeholder of the template"),
    (re.compile(r"\[[ xX]\]"), "a task and not advice"),
    (re.compile(r".*<!--"), "it holds an HTML comment, which people do not see"),
    (re.compile(r".*\?[\"'*_]*$"), "a question"),
    (re.compile(r".*:[*_]*$"), "it only introduces what is below it"),
    (re.compile(r"[\W\d_]*$"), "no words"),
    (re.compile(r"(?:n/?a|none|nothing(?: new)?)\W*$", re.IGNORECASE), "nothing was noted"),
    (re.compile(r"\S+$"), "one word is no advice"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bullet:
    """One bullet: advice if `reason` is "", else something that was passed over for that reason."""

    text: str
    category: str
    line: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry: the name that reports call it by, its date or "", and the bullets of Improvements."""

    name: str
    date: str
    bullets: tuple[Bullet, ...]


def find(paths: Sequence[Path]) -> list[Path]:
    """Return the entries that are meant: files as given, and of folders those named YYYY-MM-DD-slug.md.

    Raises:
        InvalidArgument: A path does not exist or cannot be read, or a folder holds no entry.
    """
    try:
        return list(dict.fromkeys(entry.resolve() for path in paths for entry in _entries(path)))
    except OSError as error:
        raise InvalidArgument(
            "from-journal",
            f"{str(error.filename)[:200]!r} cannot be read ({error.strerror})",
            "Name journal entries or their folder",
        ) from error


def _entries(path: Path) -> list[Path]:
    if not path.is_dir():
        if not path.exists():
            raise InvalidArgument(
                "from-journal", f"{str(path)!r} does not exist", "Name journal entries or their folder"
            )
        return [path]
    inside = sorted(entry for entry in path.iterdir() if entry_date(entry.name))
    if not inside:
        raise InvalidArgument(
            "from-journal",
            f"{str(path)!r} holds no entry named YYYY-MM-DD-slug.md",
            "Name the entries themselves",
        )
    return inside


def entry_date(name: str) -> str:
    """Return the date in the name of an entry (YYYY-MM-DD-slug.md), or "" if it is none."""
    named = _ENTRY.fullmatch(PurePath(name).name)
    try:
        return date.fromisoformat(named[1]).isoformat() if named else ""
    except ValueError:
        return ""


def read(path: Path, name: str) -> Entry:
    """Read one entry; `name` is what reports call it.

    Raises:
        SourceDamaged: It cannot be read, is longer than a megabyte, or is no UTF-8.
    """
    text = reading.text(path, name)
    if len(text) > MOST_BYTES:
        raise SourceDamaged(name, 0, f"longer than {MOST_BYTES:,} characters, which no journal entry is")
    return Entry(name, entry_date(name), tuple(bullets(text)))


def bullets(text: str) -> Iterator[Bullet]:
    """Yield the bullets of every section named Improvements, at any level, up to the next one of its level.

    A heading inside it is the category, and so is a bold label ("- **architectural**: ...", or
    "- **Workflow**" with bullets below). Without one the category is "general".
    """
    section, category = 0, "general"
    for block in blocks(text):
        if isinstance(block, Heading):
            if block.text.strip("*_: ").lower() == _SECTION:
                section, category = block.level, "general"
            elif block.level <= section:
                section = 0
            elif section:
                category = _category(block.text)
        elif isinstance(block, Item) and section:
            yield from _bullets(block, category)


def _category(heading: str) -> str:
    name = " ".join(heading.strip("*_: ").replace("_", " ").lower().split())
    return CATEGORIES.get(name, name[:120]) or "general"


def _bullets(item: Item, category: str) -> Iterator[Bullet]:
    label = _LABEL.match(item.text)
    if label and item.nested:
        for nested in item.nested:
            yield from _bullets(nested, _category(label["name"]))
        return
    labelled = _LABELLED.match(item.text)
    text = labelled["text"] if labelled else item.text
    category = _category(labelled["name"]) if labelled else category
    # The length first: no pattern is tried on a text that no rule can have.
    reason = (text and objection(text)) or next(
        (why for pattern, why in _OBJECTIONS if pattern.match(text)), ""
    )
    if not reason and (item.more or _limits(item.nested)):
        reason = "what stands below it belongs to it; say it in one bullet"
    yield Bullet(text, category, item.line, reason)
    yield from _passed(item.nested, category)


def _passed(nested: Sequence[Item], category: str) -> Iterator[Bullet]:
    for item in nested:
        yield Bullet(item.text, category, item.line, _NESTED)
        yield from _passed(item.nested, category)


def _limits(nested: Sequence[Item]) -> bool:
    """Tell whether nested bullets change what the one above them says: "but not in tests"."""
    return any(
        re.match(r"(?:but|except|unless|only|not|never|however|without|if|when)\b", one.text, re.IGNORECASE)
        for one in nested
    )
