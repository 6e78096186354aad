"""The lines of a Markdown text before it is parsed: line ends, odd characters, vettle's own block, and tags.

Lines are only emptied, never added or removed, so every number stays the number in the file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

from vettle.renderers.imports.labels import Labels, heading_labels

EXCERPT = 80
"""The most characters of a text that are shown where it is reported."""
DEEPEST = 3
"""The most tags around a line that are looked at."""

# Spaces that are letters to Markdown and spaces to Python, and the one character that Markdown replaces.
_PLAIN = {code: " " for code in range(0x3001) if chr(code).isspace() and chr(code) not in "\t\r\n"}
_PLAIN[0] = "\x01"

_BEGIN = re.compile(r"[ \t]*<!--[ \t]*BEGIN[ \t]+vettle[ \t]+rules\b.*-->[ \t]*", re.IGNORECASE)
_END = re.compile(r"[ \t]*<!--[ \t]*END[ \t]+vettle[ \t]+rules[ \t]*-->[ \t]*", re.IGNORECASE)
# A tag alone on its line, but for those around what is no prose, which Markdown leaves unread.
_TAG = re.compile(
    r"[ \t]*<(?P<closing>/?)(?!(?:script|style|pre|code|textarea|svg|math|template"
    r"|table|caption|colgroup|col|thead|tbody|tfoot|tr|th|td)\b)"
    r"(?P<name>[a-z][\w.: -]*)(?:\s[\w:-]+=[^<>]*)?(?<!/)>[ \t]*",
    re.IGNORECASE,
)


def split(markdown: str) -> list[str]:
    """Return the lines of a text, those of the managed block empty: vettle wrote them itself."""
    lines = re.split(r"\r\n|\r|\n", markdown.translate(_PLAIN))
    begin = None
    for index, line in enumerate(lines):
        if _BEGIN.fullmatch(line):
            begin = index
        elif begin is not None and _END.fullmatch(line):
            lines[begin : index + 1] = [""] * (index + 1 - begin)
            begin = None
    return lines


def without_tags(lines: Sequence[str]) -> tuple[list[str], list[Labels]]:
    """Return the lines with the tags that prompts use emptied, and what the tags around each line say.

    Markdown takes `<rules>` for HTML and would leave unread what is below it. A tag is like a heading up to
    its end: `<forbidden>` is kept with its items, and nothing is taken out of an `<example>`.
    """
    kept: list[str] = []
    around: list[Labels] = []
    open_tags: dict[str, Labels] = {}
    current: Labels = ()
    for line in lines:
        tag = _TAG.fullmatch(line)
        if tag and (meaning := heading_labels(re.sub(r"[\W_]+", " ", tag["name"]))):
            open_tags.pop(tag["name"], None)
            if not tag["closing"]:
                open_tags[tag["name"]] = meaning
            innermost = [*islice(reversed(open_tags.values()), DEEPEST)]
            current = tuple(label for found in reversed(innermost) for label in found)
        kept.append("" if tag else line)
        around.append(current)
    return kept, around


def excerpt(text: str) -> str:
    """Return the beginning of a text as one line that may be printed."""
    line = " ".join(text[: EXCERPT * 4].split())
    shown = "".join("\ufffd" if is_control(character) else character for character in line)
    return shown if len(shown) <= EXCERPT else shown[: EXCERPT - 1].rstrip() + "…"


def is_control(character: str) -> bool:
    """Tell whether a character is one that no rule may hold."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
