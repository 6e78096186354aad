"""Markdown as journals and reviews need it: headings, list items with what is nested in them, and tables.

Texts are the raw source in single spaces: code spans and emphasis stay as they were written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_LISTS = ("bullet_list", "ordered_list")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6, and its line, from 1."""

    level: int
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Item:
    """A list item: the text of its first paragraph, and the items nested in it.

    `more` says that it holds something else besides, such as a code block or a second paragraph.
    """

    text: str
    line: int
    nested: tuple[Item, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, as its cells by the lower-case heading of their column."""

    cells: dict[str, str] = field(default_factory=dict)
    line: int = 0


def blocks(text: str) -> Iterator[Heading | Item | Row]:
    """Yield headings, list items and table rows in order; prose, code, quotations and HTML are left out."""
    # Imported here: most processes never read Markdown.
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    parser = MarkdownIt("commonmark").enable("table").disable("inline")
    for node in SyntaxTreeNode(parser.parse(text)).children:
        if node.type == "heading":
            yield Heading(int(node.tag[1:]), _content(node), _line(node))
        elif node.type in _LISTS:
            yield from map(_item, node.children)
        elif node.type == "table":
            yield from _rows(node)


def _line(node: SyntaxTreeNode) -> int:
    return node.map[0] + 1 if node.map else 0


def _content(node: SyntaxTreeNode) -> str:
    return " ".join(" ".join(child.content for child in node.children if child.type == "inline").split())


def _item(node: SyntaxTreeNode) -> Item:
    parts = list(node.children)
    begins = bool(parts) and parts[0].type == "paragraph"
    text = _content(parts.pop(0)) if begins else ""
    nested = tuple(_item(child) for part in parts if part.type in _LISTS for child in part.children)
    return Item(text, _line(node), nested, any(part.type not in _LISTS for part in parts))


def _rows(table: SyntaxTreeNode) -> Iterator[Row]:
    rows = [row for part in table.children for row in part.children]
    names = [_content(cell).lower() for cell in rows[0].children]
    for row in rows[1:]:
        yield Row(dict(zip(names, map(_content, row.children), strict=False)), _line(row))
