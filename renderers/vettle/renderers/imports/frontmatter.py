"""The frontmatter of other people's rule files, which looks like YAML and often is not.

`globs: **/*.py` is what Cursor's own documentation shows and what a YAML parser refuses. So a part that is
no YAML is read again line by line, alone: one odd description must not cost the scope beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

LONGEST = 20_000
"""The most characters that are read as frontmatter; PyYAML takes seconds for a few hundred thousand."""

_BOM = "\ufeff"
_LINE_END = re.compile(r"\r\n|\r|\n")
_OPENING = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))*---[ \t]*(?:\r\n|\r|\n)")
_CLOSING = re.compile(r"(?<=[\r\n])---[ \t]*(?:\r\n|\r|\n|\Z)")
_KEY = re.compile(r"""(["']?)([A-Za-z_][\w.-]*)\1[ \t]*:[ \t]*(.*)""")
_ELEMENT = re.compile(r"[ \t]*-[ \t]+(.*)")
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
_WORDS: Mapping[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_STANDARD_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Parts:
    """A file cut behind its frontmatter.

    A value is a string, True, False, None or a list of these; numbers and dates stay strings, and `yes` is
    one, because assistants disagree about it. `body_line` is the line of the file where `body` starts,
    counted from 1. `problem` says why the frontmatter could not be read; "" means that it could.
    """

    values: Mapping[str, object]
    body: str
    body_line: int
    problem: str


def split(text: str) -> Parts:
    """Cut the frontmatter off and read it.

    Two rulers around something without any key are Markdown, not frontmatter, and stay in the body. Never
    raises; where the frontmatter cannot be read, `values` is empty and `problem` says why.
    """
    text = text.removeprefix(_BOM)
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end()) if opening else None
    if opening is None or closing is None:
        return Parts({}, text, 1, "")
    body, body_line = text[closing.end() :], 1 + len(_LINE_END.findall(text, 0, closing.end()))
    if closing.start() - opening.end() > LONGEST:
        return Parts({}, body, body_line, f"the frontmatter has more than {LONGEST:,} characters")
    lines = _LINE_END.split(text[opening.end() : closing.start()])
    values = _yaml("\n".join(lines))
    if values is not None:
        return Parts(values, body, body_line, "")
    if not any(_KEY.match(line) for line in lines):
        return Parts({}, text, 1, "")
    values, unread = _line_by_line(lines)
    if unread:
        line = len(_LINE_END.findall(text, 0, opening.end())) + unread
        return Parts({}, body, body_line, f"line {line} of the frontmatter cannot be read")
    return Parts(values, body, body_line, "")


def at_commas(text: str) -> list[str]:
    """Split at the commas that stand outside braces, where a comma joins alternatives of one pattern."""
    parts, depth = [""], 0
    for character in text:
        depth = max(0, depth + (character == "{") - (character == "}"))
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _yaml(text: str) -> dict[str, object] | None:
    """Return the mapping that the text is as YAML, or None; an empty text is an empty mapping.

    Only the tree is built: YAML's constructors would turn `!x` into nothing and dates into exceptions.
    """
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        return None
    return {
        str(key.value): _value(node, text) for key, node in root.value if isinstance(key, yaml.ScalarNode)
    }


def _value(node: yaml.Node, text: str) -> object:
    """Return a node as Parts describes values; what is neither text nor a list stays as it is written."""
    if isinstance(node, yaml.ScalarNode) and node.tag.startswith(_STANDARD_TAG):
        return _WORDS.get(node.value.lower(), node.value) if node.style is None else node.value
    if isinstance(node, yaml.SequenceNode):
        return [
            element.value
            if isinstance(element, yaml.ScalarNode) and element.tag.startswith(_STANDARD_TAG)
            else _written(element, text)
            for element in node.value
        ]
    return _written(node, text)


def _written(node: yaml.Node, text: str) -> str:
    return text[node.start_mark.index : node.end_mark.index].strip()


def _line_by_line(lines: list[str]) -> tuple[dict[str, object], int]:
    """Return the values, and the number of the first line that belongs to none of them (0 if all do)."""
    values: dict[str, object] = {}
    for number, key, first, more in _entries(lines):
        as_yaml = _yaml("\n".join([f"{key}: {first}", *more])) if key else None
        elements = [_ELEMENT.fullmatch(line) for line in more]
        if as_yaml is not None and key in as_yaml:
            values[key] = as_yaml[key]
        elif not key or (more and first) or not all(elements):
            return {}, number
        elif more:
            values[key] = [_bare(element[1]) for element in elements if element]
        else:
            values[key] = _written_value(first)
    return values, 0


def _entries(lines: list[str]) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield line number, key, the rest of its line, and the lines below that belong to it.

    A line before the first key has the key "".
    """
    entry: tuple[int, str, str, list[str]] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if key := _KEY.fullmatch(line):
            if entry:
                yield entry
            entry = (number, key[2], _COMMENT.sub("", key[3]).strip(), [])
        elif entry:
            entry[3].append(line)
        else:
            yield number, "", line, []
    if entry:
        yield entry


def _written_value(text: str) -> object:
    if text.startswith("[") and text.endswith("]"):
        return [_bare(part) for part in at_commas(text[1:-1])]
    return _WORDS.get(text.lower(), _bare(text))


def _bare(text: str) -> str:
    """Return the text without a comment behind it and without the quotes around it."""
    text = _COMMENT.sub("", text).strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text
