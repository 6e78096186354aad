"""Instructions in Markdown that people wrote for an agent: list items, and sentences that command.

What is taken becomes a rule on trial, so a wrong one costs more than a lost one, and the worst is one that
says the opposite: "use `any`" from a list under "Do not". Hence an item keeps the words above it that
change what it means, and whatever is not taken is reported with its line and the reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from vettle.engine.arguments import RULE_CHARACTERS
from vettle.engine.similarity import rule_form
from vettle.renderers.imports import source, vocabulary
from vettle.renderers.imports.labels import (
    UNCLEAR,
    Labels,
    completed,
    heading_labels,
    item_labels,
    needed,
    only_names,
    sentence_labels,
    turned,
)
from vettle.renderers.imports.sentences import Chunk, Line, Sentence, chunks, joined, sentences
from vettle.renderers.imports.source import excerpt
from vettle.renderers.imports.wording import bare, cut, masked, objection

# Blocks only: nothing here needs the inline tree, which takes as long again.
_PARSER = MarkdownIt("commonmark").enable("table").disable("inline")

_FENCE = re.compile(r"[ \t]*(?:`{3,}[^`]*|~{3,}.*)")
_TABLE_RULE = re.compile(r"\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+(?:[ \t]*:?-{2,}:?)?")
# Old `.cursorrules` are often written as code comments.
_COMMENT_SIGN = re.compile(r"^[ \t]*//[ \t]+")
_COMMENT = re.compile(r"<!--.*?-->")
# An item that was once YAML or JSON has quotes around all of it.
_QUOTED = re.compile(r"([\"'])((?:(?!\1).)+)\1,?")

_INTRODUCES = "the label of the items below it"
_TOO_LONG = f"longer than {RULE_CHARACTERS} characters"
_LISTS = ("bullet_list", "ordered_list")
_SKIPPED = {"html_block": "HTML", "table": "table", "blockquote": "quotation"}
_SKIPPED |= dict.fromkeys(("fence", "code_block"), "code")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One candidate rule: a single line of text, and the line of the file where it starts, from 1."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Something that was not taken, and why; `text` is only its beginning, fit to be shown."""

    text: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was taken and what was passed over, each in the order of the file."""

    taken: tuple[Instruction, ...]
    passed: tuple[Passage, ...]


def instructions(markdown: str, *, first_line: int = 1) -> Reading:
    """Read the instructions in a Markdown text that starts in line `first_line` of its file.

    Never raises. The managed block is skipped without a word: it is what vettle wrote itself. A text that
    says the same as an earlier one is passed over, but texts are compared within this file only.
    """
    lines, around = source.without_tags(source.split(markdown))
    reader = _Reader(lines, around, first_line)
    reader.blocks(SyntaxTreeNode(_PARSER.parse("\n".join(lines))).children, ())
    unique, repeated = _without_repetitions(sorted(reader.taken, key=lambda found: found.line))
    passed = sorted([*reader.passed, *repeated], key=lambda found: found.line)
    return Reading(tuple(unique), tuple(passed))


def _without_repetitions(taken: Sequence[Instruction]) -> tuple[list[Instruction], list[Passage]]:
    first: dict[str, Instruction] = {}
    repeated: list[Passage] = []
    for found in taken:
        earlier = first.setdefault(rule_form(found.text), found)
        if earlier is not found:
            repeated.append(Passage(excerpt(found.text), found.line, f"the same as line {earlier.line}"))
    return list(first.values()), repeated


@dataclass
class _Reader:
    """Walks the blocks of one text and sorts what it finds into taken and passed.

    `around` is what the tags around each line of `source` say.
    """

    source: Sequence[str]
    around: Sequence[Labels]
    first_line: int
    taken: list[Instruction] = field(default_factory=list)
    passed: list[Passage] = field(default_factory=list)

    def blocks(self, nodes: Sequence[SyntaxTreeNode], labels: Labels) -> None:
        """Read blocks that stand side by side, each under the headings and the label before it."""
        headings: list[tuple[int, Labels]] = []
        label: Labels = ()
        for node, following in zip_longest(nodes, nodes[1:]):
            introduces = following is not None and following.type in _LISTS
            above = labels + tuple(found for _, of_one in headings for found in of_one)
            if node.type == "heading":
                level = int(node.tag[1:])
                headings = [entry for entry in headings if entry[0] < level]
                headings.append((level, heading_labels(joined(self._lines(node)))))
                label = ()
            elif node.type == "paragraph":
                label = self._text(chunks(self._readable(node)), self._within(node, above), introduces)
            elif node.type in _LISTS:
                label = self._list(node, above + label, introduces)
            else:
                self._skipped(node)
                label = ()

    def _within(self, node: SyntaxTreeNode, labels: Labels) -> Labels:
        """Return the labels with those of the tags around a block; a list may go on behind the end of a tag."""
        return tuple(dict.fromkeys((*self.around[node.map[0] if node.map else 0], *labels)))

    def _skipped(self, node: SyntaxTreeNode) -> None:
        begin, end = node.map or (0, 0)
        content = node.content or " ".join(self.source[begin:end])
        if node.type in _SKIPPED and not content.lstrip().startswith("<!--"):
            self._pass(content, self.first_line + begin, _SKIPPED[node.type])

    def _pass(self, text: str, line: int, reason: str) -> None:
        self.passed.append(Passage(excerpt(text), line, reason))

    def _lines(self, node: SyntaxTreeNode) -> list[Line]:
        """Return the lines of a paragraph or a heading, without the marker of the item it starts."""
        content = node.children[0].content if node.children else ""
        return [
            Line(
                self.first_line + index,
                _COMMENT_SIGN.sub("", text),
                _indent(self.source[index]),
            )
            for index, text in enumerate(content.split("\n"), start=node.map[0] if node.map else 0)
        ]

    def _readable(self, node: SyntaxTreeNode) -> list[Line]:
        """Return the lines of a paragraph without code and tables, which are text when indented too far."""
        kept: list[Line] = []
        closing = ""
        lines = self._lines(node)
        for line, following in zip_longest(lines, lines[1:]):
            text = line.text.strip()
            if closing:
                closing = "" if text.startswith(closing) else closing
            elif line is not lines[0] and _FENCE.fullmatch(text):
                closing = text[:3]
                self._pass(text, line.number, "code")
            elif "|" in text and following and _TABLE_RULE.fullmatch(following.text.strip()):
                self._pass(text, line.number, "table")
            elif not text.startswith("|"):
                kept.append(line)
        return kept

    def _list(self, node: SyntaxTreeNode, labels: Labels, introduces: bool) -> Labels:
        """Read a list; returns the label that its last item is for a list that is not indented under it."""
        label: Labels = ()
        for item in node.children:
            label = self._item(item, labels, introduces and item is node.children[-1])
        return label

    def _item(self, node: SyntaxTreeNode, labels: Labels, introduces: bool) -> Labels:
        """Read an item and what is nested in it."""
        starts = bool(node.children) and node.children[0].type == "paragraph"
        parts = chunks(self._readable(node.children[0]), in_item=True) if starts else []
        if not parts:
            self.blocks(node.children[starts:], labels)
            return ()
        own, rest = parts[0], parts[1:]
        text, line = joined(own.lines), own.lines[0].number
        labels = self._within(node, labels)
        hanging = bool(rest) and rest[0].bullet
        nested = hanging or any(child.type in _LISTS for child in node.children)
        label: Labels = ()
        if (nested or introduces) and only_names(text, nested=nested):
            label = item_labels(text)
            self._pass(text, line, _INTRODUCES)
        else:
            self._judge(text, line, labels)
        # Below a mistake stands the mistake in detail or the advice against it, and nobody can tell which.
        inner = (*labels, UNCLEAR) if turned(labels) and not label else labels + label
        self._text(rest, inner if hanging else _behind(rest, labels), introduces=False)
        self.blocks(node.children[1:], inner)
        return () if nested else label

    def _text(self, parts: Sequence[Chunk], labels: Labels, introduces: bool) -> Labels:
        """Read a paragraph, in which bullets may hide; returns the label it ends in."""
        label: Labels = ()
        for chunk, following in zip_longest(parts, parts[1:]):
            if chunk.bullet:
                self._judge(joined(chunk.lines), chunk.lines[0].number, labels + label)
            else:
                label = self._prose(chunk.lines, labels, following is not None or introduces)
        return label

    def _prose(self, lines: Sequence[Line], labels: Labels, introduces: bool) -> Labels:
        """Take the commands out of a paragraph; returns the label that its end is for a list below it."""
        found = sentences(lines)
        label: Labels = ()
        others: list[Sentence] = []
        reason = "an import" if vocabulary.IMPORT.match(joined(lines)) else "prose"
        if introduces and bare(found[-1].text[-9:]).endswith(":"):
            last = found.pop()
            label = sentence_labels(last.text, below_turning=turned(labels))
            others, reason = ([last], _INTRODUCES) if not found else ([], reason)
        for sentence in found:
            negated = vocabulary.NEGATED.match(sentence.text) is not None
            if sentence.commands and (negated or not turned(labels)):
                self._judge(sentence.text, sentence.line, labels, from_prose=True)
            else:
                others.append(sentence)
        if others:
            self._pass(others[0].text, others[0].line, reason)
        return label

    def _judge(self, own: str, line: int, labels: Labels, *, from_prose: bool = False) -> None:
        """Take a candidate, or pass it over with the reason."""
        if len(own) > RULE_CHARACTERS * 4:  # far too long, comments and all: the rest need not be linear
            self._pass(own, line, _TOO_LONG)
            return
        own = cut(own, _COMMENT)
        if quoted := _QUOTED.fullmatch(own):
            own = quoted[2].strip()
        if not own:
            return
        above = needed(labels, own)
        text = ": ".join([*(label.text for label in above if label.text), own])
        reason = _unfit(text, labels)
        if not (reason or from_prose):
            reason = objection(own, completes=completed(above))
        if reason:
            self._pass(own, line, reason)
        else:
            self.taken.append(Instruction(text, line))


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip(" "))


def _behind(parts: Sequence[Chunk], labels: Labels) -> Labels:
    """Return the labels that hold for text behind an item: at the margin, no longer those of its parents."""
    at_margin = bool(parts) and parts[0].lines[0].indent == 0
    return tuple(
        label for label in labels if not (at_margin and (label.force == "parent" or label is UNCLEAR))
    )


def _unfit(text: str, labels: Labels) -> str:
    """Return why this text cannot be a rule whatever it says, or ""."""
    if hidden := next((label.reason for label in labels if label.reason), ""):
        return hidden
    if len(text) > RULE_CHARACTERS:
        return _TOO_LONG
    if any(map(source.is_control, text)):
        return "a control character in it"
    return "an HTML comment that does not end in it" if "<!--" in masked(text) else ""
