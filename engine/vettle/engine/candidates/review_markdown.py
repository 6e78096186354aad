"""Reviews in Markdown: the shapes in which a finding may be written, and nothing guessed beyond them.

    - [major] category: description (file:line) -> rule: text

in a list; the same without "[major]" below a heading that is a severity ("## Major issues"); a heading
"### [major] category: description (file:line)" with fields in the list below it ("- rule: text"); or a row
of a table with the columns severity and description. Items nested in a finding are fields of it too.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from vettle.engine.candidates.markdown import Heading, Item, Row, blocks

FIELDS = {
    "severity": "severity",
    "category": "category",
    "description": "description",
    "finding": "description",
    "issue": "description",
    "rule": "rule_learned",
    "rule learned": "rule_learned",
    "rule_learned": "rule_learned",
    "location": "location",
    "file": "location",
    "why": "why_it_matters",
    "why it matters": "why_it_matters",
    "why_it_matters": "why_it_matters",
    "principle": "functional_principle",
    "functional_principle": "functional_principle",
}
"""What a column or a field may be called, in any case, and the field of the finding that it is."""

_MARKED = re.compile(r"(?:\*\*|__)?\[(?P<severity>[^\]\[]{2,40})\](?:\*\*|__)?:?\s+(?P<rest>\S.*)$")
_RULE = re.compile(r"\s(?:->|=>|\u2192)\s*(?:\*\*)?rule(?:\*\*)?\s*:(?:\*\*)?\s*", re.IGNORECASE)
_WHERE = re.compile(r"\s\(`?(?P<location>[^()\s`]{0,300}[./:][^()\s`]{0,300})`?\)[.;]?$")
_CATEGORY = re.compile(r"(?:\*\*)?(?P<category>\w[\w /&-]{0,59})(?:\*\*)?:(?:\*\*)?\s+(?=\S)")
_FIELD = re.compile(r"(?:\*\*|__)?(?P<name>[A-Za-z_ ]{3,20})(?:\*\*|__)?\s*:(?:\*\*|__)?\s+(?P<value>\S.*)$")
_SECTION = re.compile(r"\W*(?P<severity>[a-z]+?)s?(?:\s+(?:issues?|findings?|problems?))?\W*(?:\(\d+\))?$", re.IGNORECASE)  # fmt: skip
_TASK = re.compile(r"\[[ xX]\]\s")


@dataclass
class RawFindings:
    """Findings as they are written, each with its line; what was passed over and why; and what is wrong."""

    findings: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    passed: list[tuple[int, str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def raw_findings(text: str, severities: Collection[str]) -> RawFindings:
    """Return the findings of a Markdown text, unchecked but for the shape; `severities` are the words known."""
    reader = _Reader(severities)
    for block in blocks(text):
        if isinstance(block, Heading):
            reader.heading(block)
        elif isinstance(block, Item):
            reader.item(block)
        else:
            reader.row(block)
    return reader.raw


class _Reader:
    """Remembers the severity of the section, and the finding whose heading stands above."""

    def __init__(self, severities: Collection[str]) -> None:
        self.raw = RawFindings()
        self._severities = severities
        self._section = ""
        self._level = 0
        self._open: dict[str, Any] | None = None

    def heading(self, block: Heading) -> None:
        marked = _MARKED.match(block.text)
        self._open = None
        if marked:
            self._open = finding(marked["severity"], marked["rest"])
            self.raw.findings.append((block.line, self._open))
            return
        section = _SECTION.match(block.text)
        if section and section["severity"].lower() in self._severities:
            self._section, self._level = section["severity"], block.level
        elif block.level <= self._level:
            self._section, self._level = "", 0

    def item(self, block: Item) -> None:
        if _TASK.match(block.text):
            self.raw.passed.append((block.line, block.text, "a task and not a finding"))
            return
        marked = _MARKED.match(block.text)
        if marked:
            self._add(block, marked["severity"], marked["rest"])
        elif self._open is not None:
            if not _fill(self._open, block.text):
                self.raw.passed.append((block.line, block.text, "no field of the finding above it"))
        elif self._section and block.text:
            self._add(block, self._section, block.text)
        else:
            self.raw.passed.append((block.line, block.text, "no severity, so it is taken for prose"))

    def _add(self, block: Item, severity: str, rest: str) -> None:
        found = finding(severity, rest)
        for nested in block.nested:
            if not _fill(found, nested.text):
                self.raw.passed.append((nested.line, nested.text, "no field of the finding above it"))
        self.raw.findings.append((block.line, found))

    def row(self, block: Row) -> None:
        values = {FIELDS[name]: text for name, text in block.cells.items() if name in FIELDS}
        if "description" not in values:
            self.raw.passed.append((block.line, " ".join(block.cells.values()), "a table without findings"))
        elif "severity" not in values:
            self.raw.problems.append(f"line {block.line}: the table of this finding has no column severity")
        else:
            self.raw.findings.append((block.line, values))


def finding(severity: str, text: str) -> dict[str, Any]:
    """Read "category: description (file:line) -> rule: text", of which only the description must be there."""
    values: dict[str, Any] = {"severity": severity}
    described, *rule = _RULE.split(text, maxsplit=1)
    if rule:
        values["rule_learned"] = rule[0]
    where = _WHERE.search(described)
    if where:
        values["location"] = where["location"]
        described = described[: where.start()]
    category = _CATEGORY.match(described)
    if category:
        values["category"] = category["category"].strip()
        described = described[category.end() :]
    values["description"] = described.strip()
    return values


def _fill(values: dict[str, Any], text: str) -> bool:
    """Take "rule: text" into a finding; a field that it has keeps its first value."""
    named = _FIELD.match(text)
    key = FIELDS.get(" ".join(named["name"].lower().split())) if named else None
    if named is None or key is None or key == "severity":
        return False
    values.setdefault(key, named["value"])
    return True
