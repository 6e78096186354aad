"""The documentation as tests read it: pages, code blocks, headings and links.

How blocks are written: `sh` and `console` are run from top to bottom in one project per page. In `console` and in a `text`
block that begins with `$ `, what stands below a command is its output: lines have to appear in this order, and `...`
stands for anything. A block after `<!-- not run: WHY -->` is not run; its commands and options have to exist.
RULE, SESSION and EXPERIMENT stand for the newest id of their kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "mcpb").glob("*.md")],
    key=lambda path: str(path),
)
"""Every page of ours that people read."""

_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")


@dataclass(frozen=True)
class Block:
    """A fenced code block; `not_run` says why it is not run, and is empty for one that is."""

    page: Path
    line: int
    language: str
    text: str
    not_run: str

    @property
    def place(self) -> str:
        """Say where it is, as editors understand it."""
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """Return a page's path in the checkout."""
    return page.relative_to(ROOT).as_posix()


@cache
def _tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    found: list[Block] = []
    before = ""
    for token in _tokens(page):
        if token.type == "fence":
            marked = _NOT_RUN.search(before)
            line = (token.map or [0])[0] + 1
            found.append(Block(page, line, token.info.strip(), token.content, marked[1] if marked else ""))
        before = token.content if token.type == "html_block" else ""
    return found


def inline_code(page: Path) -> Iterator[str]:
    """Yield what stands between backticks in running text and tables."""
    for token in _tokens(page):
        yield from (child.content for child in token.children or () if child.type == "code_inline")


def links(page: Path) -> Iterator[str]:
    """Yield the targets of all links and pictures."""
    for token in _tokens(page):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                yield str(target)


def pictures(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the alternative text of every picture."""
    for token in _tokens(page):
        for child in token.children or ():
            if child.type == "image":
                yield str(child.attrGet("src")), child.content


@cache
def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings make, as GitHub makes them."""
    tokens = _tokens(page)
    titles = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    found: set[str] = set()
    for title in titles:
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).lower()).replace(
            " ", "-"
        )
        again = next(number for number in range(len(titles) + 1) if _numbered(plain, number) not in found)
        found.add(_numbered(plain, again))
    return found


def _numbered(anchor: str, number: int) -> str:
    return f"{anchor}-{number}" if number else anchor
