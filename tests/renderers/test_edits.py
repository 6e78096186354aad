"""Hand edits of rendered text: which lines were added, which rules were deleted, and what cannot be taken over."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.renderers.hostile import HOSTILE
from tests.renderers.support import ALL_TARGETS, make_rule, three_rules

from vettle.engine.errors import FilesRefused
from vettle.renderers.edits import Edit, find_edits
from vettle.renderers.neutral import neutral, plain
from vettle.renderers.render import render

KNOWN = {rule.id: rule.text for rule in three_rules()}


@pytest.fixture(name="rendered")
def _rendered(tmp_path: Path) -> Path:
    """Return a project with the three rules written for every target."""
    (tmp_path / "CLAUDE.md").write_text("# Ours\n\nBe kind.\n")
    render(tmp_path, three_rules(), targets=ALL_TARGETS, write=True)
    return tmp_path


def edit(root: Path, path: str, old: str, new: str) -> None:
    """Replace a piece of a file, as a person with an editor would."""
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))


def summary(edits: list[Edit]) -> dict[str, tuple[list[tuple[str, int]], list[str], tuple[str, ...]]]:
    """Return additions with their lines, removals and scope by path."""
    return {
        one.path: ([(new.text, new.line) for new in one.added], list(one.removed), one.globs) for one in edits
    }


TYPES = "- Always run the type checker before committing.\n"


def test_untouched_files_have_no_edits(rendered: Path) -> None:
    """Right after rendering there is nothing to adopt, whatever line ends git has put in."""
    assert find_edits(rendered, known=KNOWN) == []
    for path in rendered.rglob("*.md*"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert find_edits(rendered, known=KNOWN) == []


def test_added_changed_and_deleted_lines_are_told_apart(rendered: Path) -> None:
    """A changed line is a deleted rule and a new one; each new line keeps its place and its file's paths."""
    edit(rendered, "CLAUDE.md", TYPES, "- Never run the type checker\n  on Fridays.\n* Be `brief`.\n")
    edit(rendered, ".cursor/rules/vettle-python.mdc", "Annotate every public function.\n", "Annotate.\n")
    assert summary(find_edits(rendered, known=KNOWN)) == {
        "CLAUDE.md": ([("Never run the type checker on Fridays.", 8), ("Be `brief`.", 10)], ["types"], ()),
        ".cursor/rules/vettle-python.mdc": ([("Annotate.", 9)], ["annotate"], ("**/*.py",)),
    }


@pytest.mark.parametrize(
    "target", ["claude", "cursor", "copilot", "windsurf", "continue", "agents", "gemini"]
)
def test_edits_of_every_target_are_found(tmp_path: Path, target: str) -> None:
    """A line added to any file of any target is found with that file's paths, beside an AGENTS.md too."""
    (tmp_path / "AGENTS.md").write_text("Ours.\n")
    render(tmp_path, three_rules(), targets=[target], write=True)
    paths = [path for path in tmp_path.rglob("*") if path.is_file() and b"\n- " in path.read_bytes()]
    for path in paths:
        path.write_bytes(path.read_bytes().replace(b"\n- ", b"\n- Be brief.\n- ", 1))
    edits = find_edits(tmp_path, known=KNOWN)
    assert sorted(tmp_path / one.path for one in edits) == sorted(paths)
    assert {(one.text, removed) for edit in edits for one in edit.added for removed in [edit.removed]} == {
        ("Be brief.", ())
    }
    assert {edit.globs for edit in edits} <= {(), ("**/*.py",), ("**/tests/**",)}


def test_edits_of_some_targets_only(rendered: Path) -> None:
    """Naming targets looks at their files alone."""
    edit(rendered, "CLAUDE.md", TYPES, "")
    edit(rendered, "GEMINI.md", TYPES, "")
    assert [one.path for one in find_edits(rendered, ["gemini"], known=KNOWN)] == ["GEMINI.md"]


def test_rules_of_another_database_count_as_added(rendered: Path) -> None:
    """What this database has never heard of can be taken over although nobody edited it."""
    edits = find_edits(rendered, ["claude"], known={"annotate": KNOWN["annotate"], "mock": KNOWN["mock"]})
    assert summary(edits) == {"CLAUDE.md": ([("Always run the type checker before committing.", 8)], [], ())}


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "prose": (lambda root: edit(root, "CLAUDE.md", TYPES, f"{TYPES}\nAnd be nice.\n"), "CLAUDE.md line 10: 'And be"),
    "code": (lambda root: edit(root, "GEMINI.md", TYPES, "```\nmake\n```\n"), "GEMINI.md line 4: '```' is no"),
    "long": (lambda root: edit(root, "CLAUDE.md", TYPES, f"- {'x' * 401}\n"), "CLAUDE.md line 8: cannot become"),
    "secret": (lambda root: edit(root, "CLAUDE.md", TYPES, "- password = hunter2222\n"), "CLAUDE.md line 8: holds what"),
    "scope": (
        lambda root: edit(root, ".cursor/rules/vettle-python.mdc", "any.py,**/*.py", "any.js,**/*.js"),
        "frontmatter or heading was changed",
    ),
    "marker": (lambda root: edit(root, "CLAUDE.md", "<!-- END vettle rules -->", ""), "without an END marker"),
    "skill": (
        lambda root: edit(root, ".claude/skills/vettle-rules/SKILL.md", TYPES, ""), "edits of a skill cannot",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_lost_is_refused(rendered: Path, case: str) -> None:
    """Anything that cannot become a rule whole is refused by file and line, so adopting never loses text."""
    damage, message = REFUSED[case]
    damage(rendered)
    with pytest.raises(FilesRefused, match=message.replace("(", r"\(")):
        find_edits(rendered, known=KNOWN)


@given(st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE)))
def test_a_line_read_back_says_what_the_rule_said(text: str) -> None:
    """Reading a rendered line back and rendering it again gives the same line: no escape is escaped."""
    line = neutral(text)
    assert neutral(plain(line)) == line


def test_adopted_hand_edits_may_be_overwritten_and_others_may_not(rendered: Path) -> None:
    """Rendering takes over exactly the bytes that were read: an edit made since then is refused."""
    edit(rendered, "CLAUDE.md", TYPES, "- Be brief.\n")
    [found] = find_edits(rendered, known=KNOWN)
    rules = [make_rule("Be brief.", identifier="brief"), *three_rules()[1:]]
    adopted = {found.path: found.digest}
    edit(rendered, "CLAUDE.md", "- Be brief.\n", "- Be brief.\n- Be quick.\n")
    assert not render(rendered, rules, write=True, adopted=adopted).written
    edit(rendered, "CLAUDE.md", "- Be quick.\n", "")
    assert render(rendered, rules, write=True, adopted=adopted).written
    assert find_edits(rendered, known={"brief": "Be brief.", **KNOWN}) == []
