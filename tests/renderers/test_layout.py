"""Who reads what: one copy of each rule for every program in use, and no file of the user's switched off."""

import json
import re
from itertools import combinations
from pathlib import Path

import pytest
from tests.renderers.support import make_rule, three_rules

from vettle.engine.records import Rendering
from vettle.renderers.render import render

FIVE = ("claude", "cursor", "copilot", "windsurf", "continue")
ALWAYS = make_rule("Run the type checker.", identifier="always")
PYTHON = make_rule("Annotate everything.", "*.py", identifier="python")


def build(root: Path, *signs: str) -> Path:
    """Make files and folders (with a final slash); "a -> b" is a link, "a: text" a file with that text."""
    for sign in signs:
        name, _, content = sign.partition(": ")
        name, _, link = name.partition(" -> ")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if link:
            path.symlink_to(link)
        elif name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text(content or "Mine.\n")
    return root


def copies(rendering: Rendering) -> dict[str, dict[str, int]]:
    """Return the number of copies of each rule by reader."""
    rules = {rule for file in rendering.files for rule in file.rules}
    return {
        one.reader: {rule: one.more.get(rule, 0 if rule in one.never else 1) for rule in sorted(rules)}
        for one in rendering.deliveries
    }


def written(rendering: Rendering) -> list[str]:
    """Return the files that carry rules."""
    return [file.path for file in rendering.files if file.rules]


@pytest.mark.parametrize(
    ("signs", "places"),
    [
        (["AGENTS.md"], ["AGENTS.md"]),
        (["AGENTS.md", ".claude/"], ["AGENTS.md"]),
        (["AGENTS.md", ".claude/", ".cursor/", ".windsurf/", ".continue/", ".github/instructions/"], ["AGENTS.md"]),
        (["CLAUDE.md"], ["CLAUDE.md"]),
        (["CLAUDE.md", ".github/copilot-instructions.md"], ["CLAUDE.md"]),
        (["CLAUDE.md", ".cursor/"], ["CLAUDE.md", ".cursor/rules/vettle.mdc"]),
        (["CLAUDE.md", ".continue/"], ["CLAUDE.md"]),
        (["CLAUDE.md", "AGENTS.md"], ["CLAUDE.md", "AGENTS.md"]),
        (["CLAUDE.md: @AGENTS.md\n", "AGENTS.md"], ["AGENTS.md"]),
        (["CLAUDE.md -> AGENTS.md", "AGENTS.md"], ["CLAUDE.md"]),
        ([".claude/CLAUDE.md"], [".claude/CLAUDE.md"]),
        (["GEMINI.md", "AGENTS.md"], ["AGENTS.md", "GEMINI.md"]),
        (["GEMINI.md: See @./AGENTS.md\n", "AGENTS.md"], ["AGENTS.md"]),
        ([".cursor/"], [".cursor/rules/vettle.mdc"]),
        (["AGENTS.md", ".zed/", ".cursorrules"], ["AGENTS.md"]),
    ],
)  # fmt: skip
def test_auto_chooses_the_fewest_files_that_reach_everybody(
    tmp_path: Path, signs: list[str], places: list[str]
) -> None:
    """Each program in use gets the rule, once where any choice of files can do that."""
    build(tmp_path, *signs)
    rendering = render(tmp_path, [ALWAYS], write=True)
    assert written(rendering) == places
    assert render(tmp_path, [ALWAYS]).in_sync
    assert rendering.hidden == []


@pytest.mark.parametrize(
    ("signs", "places"),
    [
        (["CLAUDE.md", ".github/copilot-instructions.md"], [".claude/rules/vettle-python.md"]),
        (["AGENTS.md", ".github/instructions/"], [".github/instructions/vettle-python.instructions.md"]),
        (["AGENTS.md", ".cursor/", ".windsurf/"],
         [".cursor/rules/vettle-python.mdc", ".windsurf/rules/vettle-python.md"]),
    ],
)  # fmt: skip
def test_rules_about_paths_are_written_once_per_reader(
    tmp_path: Path, signs: list[str], places: list[str]
) -> None:
    """Copilot reads `.claude/rules` too, so it gets files of its own only where Claude Code is not used."""
    rendering = render(build(tmp_path, *signs), [PYTHON], write=True)
    assert written(rendering) == places
    assert all(one.more == {} for one in rendering.deliveries)


def test_rules_about_paths_that_nobody_can_read_are_left_out_with_a_remedy(tmp_path: Path) -> None:
    """AGENTS.md cannot say "only for these paths", so the rule is listed, not widened."""
    rendering = render(build(tmp_path, "AGENTS.md"), [ALWAYS, PYTHON], write=True)
    assert [one.rule_id for one in rendering.left_out] == ["python"]
    assert "no file that is written can say so" in rendering.left_out[0].reason
    assert "Annotate" not in (tmp_path / "AGENTS.md").read_text()


def test_all_five_targets_deliver_what_was_measured(tmp_path: Path) -> None:
    """Writing every target on request gives Claude Code one copy, and Copilot and Continue two, and says so."""
    rendering = render(build(tmp_path, ".git/"), [ALWAYS, PYTHON], targets=FIVE, write=True)
    assert copies(rendering) == {
        "Claude Code": {"always": 1, "python": 1},
        "Cursor": {"always": 1, "python": 1},
        "Cursor with third-party files": {"always": 2, "python": 1},
        "Copilot CLI": {"always": 1, "python": 2},
        "VS Code Copilot": {"always": 2, "python": 2},
        "Devin Desktop (Windsurf)": {"always": 1, "python": 1},
        "Continue": {"always": 2, "python": 1},
        "Continue CLI": {"always": 2, "python": 0},
        "Zed": {"always": 1, "python": 0},
    }
    assert "more than once" in rendering.notes[0]


def test_copilot_drops_files_with_equal_texts(tmp_path: Path) -> None:
    """Four files that hold nothing but our block are one to Copilot CLI; with different text around it they are four."""
    targets = ["claude", "agents", "copilot", "gemini"]
    four = ["CLAUDE.md", "AGENTS.md", ".github/copilot-instructions.md", "GEMINI.md"]
    build(tmp_path / "same", ".git/")
    assert copies(render(tmp_path / "same", [ALWAYS], targets=targets))["Copilot CLI"] == {"always": 1}
    build(tmp_path / "pairs", "CLAUDE.md", "AGENTS.md")
    assert copies(render(tmp_path / "pairs", [ALWAYS], targets=targets))["Copilot CLI"] == {"always": 2}
    build(tmp_path / "different", *(f"{name}: Text of {name}\n" for name in four))
    assert copies(render(tmp_path / "different", [ALWAYS], targets=targets))["Copilot CLI"] == {"always": 4}


def test_a_rule_that_another_target_carries_is_not_left_out(tmp_path: Path) -> None:
    """Rendering AGENTS.md alone does not call a rule lost that stands in Claude's files from before."""
    build(tmp_path, "README.md")
    render(tmp_path, [ALWAYS, PYTHON], targets=["claude"], write=True)
    assert render(tmp_path, [ALWAYS, PYTHON], targets=["agents"]).left_out == []


def test_named_targets_stay_with_auto(tmp_path: Path) -> None:
    """What somebody once asked for by name is still wanted by a pipeline that names nothing, until it is removed."""
    build(tmp_path, "CLAUDE.md")
    render(tmp_path, [ALWAYS], targets=["copilot", "claude"], write=True)
    assert json.loads((tmp_path / ".vettle/lock.json").read_text())["named"] == ["claude", "copilot"]
    assert render(tmp_path, [ALWAYS], check=True).in_sync
    render(tmp_path, [], targets=["copilot"], remove=True, write=True)
    assert not (tmp_path / ".github").exists()
    assert render(tmp_path, [ALWAYS], check=True).in_sync


def test_what_was_written_earlier_counts_too(tmp_path: Path) -> None:
    """Rendering one target says who reads its rules twice because of another target's file."""
    build(tmp_path, "AGENTS.md", ".cursor/")
    render(tmp_path, [ALWAYS], write=True)
    assert copies(render(tmp_path, [ALWAYS], targets=["cursor"]))["Cursor"] == {"always": 2}


def claude_reads(root: Path) -> list[str]:
    """Return the instruction files that Claude Code loads, by the rules that its makers document."""
    own = [name for name in ("CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md") if (root / name).exists()]
    imported = [name for name in own if re.search(r"(^|\s)@AGENTS\.md", (root / name).read_text())]
    fallback = (imported or not own) and (root / "AGENTS.md").exists()
    return [*own, *(["AGENTS.md"] if fallback else [])]


SIGNS = (
    "AGENTS.md",
    ".claude/",
    ".cursor/",
    ".github/copilot-instructions.md",
    ".windsurf/",
    "GEMINI.md",
    ".continue/",
)


@pytest.mark.parametrize("targets", [("auto",), FIVE, ("claude",), ("agents", "gemini", "skill")])
def test_agents_file_stays_alive_for_claude_code(tmp_path: Path, targets: tuple[str, ...]) -> None:
    """Whatever is in use and whatever is written, an AGENTS.md that Claude Code read before it still reads."""
    for number, others in enumerate(combinations(SIGNS[1:], 3)):
        root = build(tmp_path / str(number), "AGENTS.md", *others)
        assert claude_reads(root) == ["AGENTS.md"]
        render(root, three_rules(), targets=targets, write=True)
        reads = claude_reads(root)
        assert "AGENTS.md" in reads
        blocks = sum("Always run the type checker" in (root / name).read_text() for name in reads)
        assert blocks == (1 if "auto" in targets or len(reads) == 2 or "agents" in targets else 0)


@pytest.mark.parametrize("content", ["", "\n\n", "<!-- nothing\nyet -->\n"])
def test_an_empty_claude_file_hides_nothing_until_we_fill_it(tmp_path: Path, content: str) -> None:
    """Claude Code reads AGENTS.md beside a CLAUDE.md without text, so our block does not go into that file."""
    build(tmp_path, "AGENTS.md")
    (tmp_path / "CLAUDE.md").write_text(content)
    assert written(render(tmp_path, [ALWAYS])) == ["AGENTS.md"]
    assert written(render(tmp_path, [ALWAYS], targets=["claude"])) == [".claude/rules/vettle.md"]


def test_an_import_that_copilot_follows_too_counts_twice(tmp_path: Path) -> None:
    """Copilot CLI reads AGENTS.md itself and again where CLAUDE.md imports it; Claude Code reads it once."""
    build(tmp_path, "AGENTS.md", "CLAUDE.md: @AGENTS.md\n", ".github/copilot-instructions.md")
    found = copies(render(tmp_path, [ALWAYS]))
    assert (found["Claude Code"]["always"], found["Copilot CLI"]["always"]) == (1, 2)


def test_what_would_be_switched_off_is_reported(tmp_path: Path) -> None:
    """A new copilot-instructions.md hides AGENTS.md from Zed, and a new AGENTS.md hides CLAUDE.md from Continue."""
    build(tmp_path / "zed", "AGENTS.md")
    [hidden] = render(tmp_path / "zed", [ALWAYS], targets=["copilot"]).hidden
    assert (hidden.reader, hidden.path) == ("Zed", "AGENTS.md")
    assert hidden.remedy
    build(tmp_path / "continue", "CLAUDE.md")
    hidden_files = render(tmp_path / "continue", [ALWAYS], targets=["agents"]).hidden
    assert ("Continue", "CLAUDE.md") in [(one.reader, one.path) for one in hidden_files]


def test_a_reader_that_looks_elsewhere_is_told_to_get_nothing(tmp_path: Path) -> None:
    """Junie reads its own AGENTS.md and no other, so it gets none of the rules, and the report says that."""
    rendering = render(build(tmp_path, "AGENTS.md", ".junie/AGENTS.md"), [ALWAYS], write=True)
    assert copies(rendering)["Junie"] == {"always": 0}
    assert copies(rendering)["Codex"] == {"always": 1}


def test_what_the_user_says_already_is_not_said_twice(tmp_path: Path) -> None:
    """A rule that stands in the user's own text of a file is not added below it, and counts as a copy."""
    build(tmp_path, "AGENTS.md: # Us\n\n* run the **type checker**\n", ".cursor/")
    rendering = render(tmp_path, [ALWAYS, make_rule("Be kind.")], write=True)
    assert "says it already" in rendering.left_out[0].reason
    assert (tmp_path / "AGENTS.md").read_text().lower().count("type checker") == 1
    forced = render(tmp_path, [ALWAYS], targets=["cursor"])
    assert copies(forced)["Cursor"] == {"always": 2}
