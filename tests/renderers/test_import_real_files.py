"""Rule files as people wrote them: our own, and 128 public ones that are not part of this repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from vettle.engine.arguments import Glob, RequiredRuleText
from vettle.renderers.imports.files import RuleFile, find, read

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parents[3] / "shared" / "data" / "cursor-rules"

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the public rule files are not on this machine ({DATA} is missing)"
)

ITEM = re.compile(r"\W*(?:[-*+•]|\d+[.)]|\*\*\d+)\W*")
# A judge of its own, cruder than the reader: verbs and auxiliaries that start or carry a command.
COMMAND = re.compile(
    r"\b(?:always|never|do not|don.t|must|should|can.t|cannot|avoid|prefer|ensure|use|only|follow|adhere|keep|make|write"
    r"|add|implement|minimize|optimize|utilize|create|wrap|favor|consider|focus|remember|put|stick|validate|verify"
    r"|include|confirm|be sure|prioritize|leverage|maintain|apply|run|treat|respect|reject|replace|choose)\b",
    re.IGNORECASE,
)


@pytest.fixture(name="public", scope="module")
def _public() -> list[tuple[list[str], RuleFile]]:
    return [
        (path.read_text(encoding="utf-8").split("\n"), read(path, f".cursor/rules/{path.name}"))
        for path in sorted(DATA.glob("*.mdc"))
    ]


def fenced_or_tabular(lines: list[str]) -> set[int]:
    """Return the numbers of the lines that stand between fences or in a table, by a plain count."""
    found: set[int] = set()
    fence, indent = "", 0
    for number, line in enumerate(lines, start=1):
        stripped = line.strip()
        if stripped and len(line) - len(line.lstrip()) < indent:
            fence, indent = "", 0  # the list item that holds an open fence has ended
        if fence or stripped.startswith("|"):
            found.add(number)
        if match := re.match(r"(```+|~~~+)", stripped):
            if not fence and "```" not in stripped[3:]:
                fence, indent = match[1], len(line) - len(line.lstrip())
            elif fence and stripped.startswith(fence) and not stripped.strip("`~"):
                fence, indent = "", 0
            found.add(number)
    return found


def squeezed(text: str) -> str:
    """Return the letters and digits of a text."""
    return "".join(character for character in text if character.isalnum())


def test_our_own_files_are_read_as_the_rules_they_are() -> None:
    """AGENTS.md, CLAUDE.md and the three files about some paths: 14, 3 and 10 rules, with their globs."""
    found = {name: read(ROOT / name, name) for name in find(ROOT)[:5]}
    assert list(found) == [
        "AGENTS.md",
        "CLAUDE.md",
        ".claude/rules/engine.md",
        ".claude/rules/renderers.md",
        ".claude/rules/tests.md",
    ]
    assert [len(entry.taken) for entry in found.values()] == [14, 3, 4, 3, 3]
    assert [entry.globs for entry in found.values()] == [
        (),
        (),
        ("**/engine/vettle/**",),
        ("**/renderers/vettle/**",),
        ("**/tests/**",),
    ]
    assert found["AGENTS.md"].taken[1].text == "Run the whole test suite before every commit."
    for name, entry in found.items():
        bullets = [line[2:] for line in (ROOT / name).read_text("utf-8").split("\n") if line.startswith("- ")]
        assert [rule.text for rule in entry.taken] == bullets
    assert [(passage.line, passage.reason) for passage in found["CLAUDE.md"].passed] == [(1, "an import")]


@needs_data
def test_every_public_file_is_read(public: list[tuple[list[str], RuleFile]]) -> None:
    """Nothing is refused, most of the bullets are rules, and the scopes are the ones that are written."""
    files = [file for _, file in public]
    assert len(files) == 128
    assert not [file.reason for file in files if file.reason]
    assert sum(bool(file.globs) for file in files) == 23
    bullets = sum(bool(re.match(r"\s*[-*+]\s+\S", line)) for lines, _ in public for line in lines)
    assert 0.8 * bullets < sum(len(file.taken) for file in files) < 1.2 * bullets
    rule, glob = TypeAdapter(RequiredRuleText), TypeAdapter(Glob)
    for file in files:
        assert [rule.validate_python(found.text) for found in file.taken] == [
            found.text for found in file.taken
        ]
        assert [glob.validate_python(pattern) for pattern in file.globs] == list(file.globs)


@needs_data
def test_every_public_rule_is_an_item_or_a_command_of_its_line(
    public: list[tuple[list[str], RuleFile]],
) -> None:
    """Each text stands in the file from its line on, as a list item or a sentence that commands."""
    for lines, file in public:
        for found in file.taken:
            starts = [0, *(match.end() for match in re.finditer(": ", found.text))]
            rest = squeezed("".join(lines[found.line - 1 : found.line + 12]))
            own = next(found.text[start:] for start in starts if squeezed(found.text[start:]) in rest)
            line = lines[found.line - 1]
            assert squeezed(own.split(". ")[0])[:20] in squeezed(
                "".join(lines[found.line - 1 : found.line + 1])
            )
            assert ITEM.match(line) or COMMAND.search(own), (file.path, found)


@needs_data
def test_no_public_rule_comes_from_code_or_a_table(public: list[tuple[list[str], RuleFile]]) -> None:
    """Counted by hand, so to speak: fences are opened and closed, and tables begin with a bar."""
    for lines, file in public:
        hidden = fenced_or_tabular(lines)
        assert not [found for found in file.taken if found.line in hidden], file.path


@needs_data
def test_no_public_prohibition_is_turned_into_its_opposite(public: list[tuple[list[str], RuleFile]]) -> None:
    """What stands in a list under "Do NOT" still says so, or says it itself."""
    for lines, file in public:
        forbidding = False
        forbidden = set()
        for number, line in enumerate(lines, start=1):
            if line.startswith("#"):
                forbidding = bool(re.fullmatch(r"#+ (?:Do NOT|Forbidden|Prohibited.*)", line.strip()))
            elif forbidding:
                forbidden.add(number)
        for found in file.taken:
            if found.line in forbidden:
                assert re.match(r"(?:Do NOT|Forbidden|Prohibited[\w -]*): |No ", found.text), (
                    file.path,
                    found,
                )


@needs_data
def test_what_was_not_taken_is_reported_line_by_line(public: list[tuple[list[str], RuleFile]]) -> None:
    """Every bullet of every file is a rule or stands in the report, unless it is in code."""
    for lines, file in public:
        known = {entry.line for entry in file.taken} | {entry.line for entry in file.passed}
        hidden = fenced_or_tabular(lines)
        code = {entry.line for entry in file.passed if entry.reason in ("code", "HTML", "quotation")}
        for number, line in enumerate(lines, start=1):
            bullet = re.match(r" {0,3}[-*+] +\w", line)
            if bullet and number not in hidden and number > 5:
                near = any(number - 60 < start <= number for start in code)
                assert number in known or near, (file.path, number, line)
