"""Paragraphs cut where their authors cut them: into bullets that Markdown does not know, and into sentences.

Line ends are the difficulty. To Markdown they are spaces; to authors who forgot a blank line or a full stop
they end a thought.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vettle.engine.arguments import RULE_CHARACTERS
from vettle.renderers.imports import vocabulary
from vettle.renderers.imports.wording import is_command, is_whole_command, masked

USUAL_WIDTH = 72
"""Nobody fills text to fewer columns."""

# A bullet that Markdown does not know, one that is indented too far to be a list, or a number in bold.
_BULLET = re.compile(
    r"[ \t]*(?:[•◦‣\u2043▪▫●○∙·■□►▸➤➢]|[-*+](?=[ \t])|\*\*\d{1,2}[.)]?\*\*(?=[ \t]))[ \t]*(?=\S)"
)
_CHECKBOX = re.compile(r"^\s*\[[ xX]\][ \t]+")
# A line of somebody's YAML.
_SETTING = re.compile(r"[\w-]+:(?:\s|$)")
# Where a sentence may end, but not behind a numeral, an initial or "e.g."; the lookbehind keeps a row of
# dots from being tried dot by dot.
_STOP = re.compile(
    r"(?<![.!?…])(?<!\b\w)(?<!\betc)(?<!\bvs)[.!?…]+[\"'”\u2019)\]*_]*\s+(?=[^\W\d_a-z]|[`*_\"“'\[(❌✅])"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a paragraph, its number in the file, and how far it is indented there."""

    number: int
    text: str
    indent: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of a paragraph that belong together: those of one bullet, or prose."""

    bullet: bool
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, with those behind it that say nothing alone; `commands` is whether one of them does."""

    text: str
    line: int
    commands: bool


def joined(lines: Sequence[Line]) -> str:
    """Return the lines as one line with single spaces, without a checkbox."""
    return " ".join(_CHECKBOX.sub("", " ".join(line.text for line in lines)).split())


def chunks(lines: Sequence[Line], *, in_item: bool = False) -> list[Chunk]:
    """Part a paragraph into its bullets, each with its continued lines, and the prose between them.

    Markdown lets a line without indentation continue the item above it. Authors who forgot the blank line
    did not mean that, and "React Query for server state Never use Zustand" is nobody's rule. `in_item` says
    that the paragraph is a list item's, so its first lines are a bullet's.
    """
    found: list[Chunk] = []
    for line, begins in zip(lines, _beginnings(lines), strict=False):
        if bullet := _BULLET.match(line.text):
            found.append(Chunk(True, [Line(line.number, line.text[bullet.end() :], line.indent)]))
        elif not found or (found[-1].bullet and begins and line.indent <= found[-1].lines[0].indent):
            found.append(Chunk(in_item and not found, [line]))
        else:
            found[-1].lines.append(line)
    return found


def _beginnings(lines: Sequence[Line]) -> list[bool]:
    """Tell of each line whether it begins a new thought rather than continuing the line before it.

    A paragraph was filled by an editor if a line begins in lower case or if no line had room for the next
    word. Then a line end alone means nothing; otherwise a capital letter behind it begins something new.
    """
    texts = [line.text.strip() for line in lines]
    width = max([USUAL_WIDTH, *map(len, texts)])
    filled = any(text[:1].islower() for text in texts[1:]) or all(
        len(text) + 1 + len(following.split(" ", 1)[0]) > width for text, following in pairwise(texts)
    )
    found = [True]
    for before, text in pairwise(texts):
        if before.endswith((".", "!", "?", ":")) or not vocabulary.LETTER.search(text):
            found.append(not text[:1].islower())
        else:
            capital = text[:1].isupper() and not before.endswith(",")
            found.append((capital and (not filled or is_command(text))) or bool(_SETTING.match(text)))
    return found


def sentences(lines: Sequence[Line]) -> list[Sentence]:
    """Return the sentences of a paragraph; one that says nothing alone is kept with the one before it."""
    found: list[Sentence] = []
    for text, line in _plain_sentences(lines):
        commands = is_whole_command(text)
        dependent = vocabulary.DEPENDS.match(text) or (commands and vocabulary.POINTS_BACK.match(text))
        before = found[-1] if found else None
        if before and dependent and len(before.text) <= RULE_CHARACTERS:
            found[-1] = Sentence(f"{before.text} {text}", before.line, before.commands or commands)
        else:
            found.append(Sentence(text, line, commands))
    return found


def _plain_sentences(lines: Sequence[Line]) -> Iterator[tuple[str, int]]:
    for run in _runs(lines):
        text = "\n".join(line.text for line in run)
        begin = index = 0
        for end in [*(stop.end() for stop in _STOP.finditer(masked(text))), len(text)]:
            if sentence := " ".join(text[begin:end].split()):
                yield sentence, run[index].number
            index += text.count("\n", begin, end)
            begin = end


def _runs(lines: Sequence[Line]) -> list[list[Line]]:
    """Part a paragraph at the line ends that end a sentence although no full stop says so."""
    runs: list[list[Line]] = []
    for line, begins in zip(lines, _beginnings(lines), strict=False):
        if begins:
            runs.append([])
        runs[-1].append(line)
    return runs
