import re

import pytest
import yaml
from tests.renderers.support import documents, make_rule, three_rules

from vettle.engine.errors import InvalidArgument
from vettle.engine.records import Target
from vettle.renderers.assistants.targets import NAMES, check_names
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import arrange

TYPES = "- Always run the type checker before committing.\n"
BLOCK = f"## Learned rules\n\n{TYPES}"
ALWAYS = f"\n# Learned rules\n\n{TYPES}"
PYTHON = "\n# Learned rules: python\n\n- Annotate every public function.\n"
TESTS = "\n# Learned rules: tests\n\n- Never mock the database.\n"

GOLDEN: dict[Target, dict[str, str]] = {
    "claude": {
        "CLAUDE.md": BLOCK,
        ".claude/rules/vettle-python.md": f'---\npaths:\n  - "**/*.py"\n---\n{PYTHON}',
        ".claude/rules/vettle-tests.md": f'---\npaths:\n  - "**/tests/**"\n---\n{TESTS}',
    },
    "cursor": {
        ".cursor/rules/vettle.mdc": (
            f"---\ndescription: Rules learned by vettle\nalwaysApply: true\n---\n{ALWAYS}"
        ),
        ".cursor/rules/vettle-python.mdc": (
            "---\ndescription: Rules learned by vettle for python files\n"
            f"globs: any.py,**/*.py\nalwaysApply: false\n---\n{PYTHON}"
        ),
        ".cursor/rules/vettle-tests.mdc": (
            "---\ndescription: Rules learned by vettle for tests files\n"
            f"globs: tests/any,**/tests/**\nalwaysApply: false\n---\n{TESTS}"
        ),
    },
    "copilot": {
        ".github/copilot-instructions.md": BLOCK,
        ".github/instructions/vettle-python.instructions.md": (
            f'---\ndescription: Rules learned by vettle for python files\napplyTo: "**/*.py"\n---\n{PYTHON}'
        ),
        ".github/instructions/vettle-tests.instructions.md": (
            f'---\ndescription: Rules learned by vettle for tests files\napplyTo: "**/tests/**"\n---\n{TESTS}'
        ),
    },
    "windsurf": {
        ".windsurf/rules/vettle.md": f"---\ntrigger: always_on\n---\n{ALWAYS}",
        ".windsurf/rules/vettle-python.md": f'---\ntrigger: glob\nglobs:\n  - "**/*.py"\n---\n{PYTHON}',
        ".windsurf/rules/vettle-tests.md": f'---\ntrigger: glob\nglobs:\n  - "**/tests/**"\n---\n{TESTS}',
    },
    "continue": {
        ".continue/rules/vettle.md": f'---\nname: "vettle"\nalwaysApply: true\n---\n{ALWAYS}',
        ".continue/rules/vettle-python.md": (
            '---\nname: "vettle-python"\ndescription: "Rules learned by vettle for python files"\n'
            f'globs:\n  - "**/*.py"\n---\n{PYTHON}'
        ),
        ".continue/rules/vettle-tests.md": (
            '---\nname: "vettle-tests"\ndescription: "Rules learned by vettle for tests files"\n'
            f'globs:\n  - "**/tests/**"\n---\n{TESTS}'
        ),
    },
    "agents": {"AGENTS.md": BLOCK},
    "gemini": {"GEMINI.md": BLOCK},
    "skill": {
        ".claude/skills/vettle-rules/SKILL.md": (
            "---\nname: vettle-rules\ndescription: Rules for this repository that vettle has tested. "
            f"Use when writing, changing or reviewing code here.\n---\n{ALWAYS}"
            "\n## Rules about python files\n\nFor files that match `**/*.py`:\n\n- Annotate every public function.\n"
            "\n## Rules about tests files\n\nFor files that match `**/tests/**`:\n\n- Never mock the database.\n"
        ),
    },
}

SCOPING = tuple(target for target in NAMES if len(GOLDEN[target]) == 3)

EVERY_KIND_OF_GLOB = [
    make_rule("One.", "*.{py,pyi}"),
    make_rule("Two.", "src/**/[a-z]*.ts", "-x/?.js"),
    make_rule("Three.", "**"),
    make_rule("Four.", ".github/**"),
    make_rule("Five: \"quotes\", # and --- and '@x' in a rule's text.", "docs/"),
]


def frontmatter(text: str) -> dict[str, object]:
    """Return the frontmatter as strict YAML reads it."""
    opening, header, body = text.split("---\n", 2)
    assert opening == "" and body.startswith("\n# Learned rules")
    loaded = yaml.safe_load(header)
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize("target", NAMES)
def test_golden_output(target: Target) -> None:
    """Three rules give exactly the files of the reference, for every assistant."""
    found = {one.path: one.text for one in documents(target, arrange(three_rules()))}
    assert found == GOLDEN[target]


def test_several_extensions_of_one_language_share_a_pattern_list() -> None:
    """Copilot gets one comma-joined string and Cursor a single witness, as in the reference."""
    sheet = arrange([make_rule("Annotate.", "*.{py,pyi}")])
    [copilot] = documents("copilot", sheet)
    [cursor] = documents("cursor", sheet)
    assert frontmatter(copilot.text)["applyTo"] == "**/*.py,**/*.pyi"
    assert "\nglobs: any.py,**/*.py,**/*.pyi\n" in cursor.text


def test_devin_folder_is_used_where_it_exists() -> None:
    """With a `.devin/` folder the same text goes there, because Devin prefers it."""
    repository = Repository(present=frozenset({".devin"}))
    found = {one.path: one.text for one in documents("windsurf", arrange(three_rules()), repository)}
    assert found == {path.replace(".windsurf", ".devin"): text for path, text in GOLDEN["windsurf"].items()}


@pytest.mark.parametrize("target", NAMES)
def test_without_rules_there_is_nothing_to_write(target: Target) -> None:
    """An empty set of rules gives no file and no block."""
    assert documents(target, arrange([])) == []


@pytest.mark.parametrize("target", SCOPING)
def test_frontmatter_reads_back(target: Target) -> None:
    """Strict YAML finds the intended keys and globs in every file, whatever the paths."""
    sheet = arrange(EVERY_KIND_OF_GLOB)
    globs = {group.slug: list(group.globs) for group in sheet.scoped}
    assert len(globs) == len(EVERY_KIND_OF_GLOB)
    for document, group in zip(documents(target, sheet), sheet.scoped, strict=True):
        found = frontmatter(document.text)
        listed = found.get("paths") or found.get("globs") or found.get("applyTo")
        if target == "cursor":
            assert isinstance(listed, str)
            assert listed.split(",")[1:] == list(group.globs)
            assert found["alwaysApply"] is False
        elif target == "copilot":
            assert listed == ",".join(group.globs)
        else:
            assert listed == list(group.globs)
        if target == "windsurf":
            assert found["trigger"] == "glob"
        assert (document.lines, document.globs) == (group.lines, group.globs)


def test_cursor_values_are_bare() -> None:
    """Cursor's line reader sees what YAML sees: no quotes, no brackets around lists, no `---` inside."""
    for document in documents("cursor", arrange([*three_rules(), *EVERY_KIND_OF_GLOB])):
        header = document.text.split("---\n")[1]
        values = dict(line.split(": ", 1) for line in header.splitlines())
        assert values == {key: str(value).replace("True", "true").replace("False", "false")
                          for key, value in frontmatter(document.text).items()}  # fmt: skip
        assert re.fullmatch(r"[A-Za-z0-9 ,.()/_-]+", values["description"])
        assert re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_./*?\[\],-]*", values.get("globs", "none"))
        assert document.text.count("---") == 2


@pytest.mark.parametrize("target", NAMES)
def test_rule_text_stands_in_its_bullet_only(target: Target) -> None:
    """Neither a file's name, nor its frontmatter, nor its heading carries rule text."""
    sheet = arrange([make_rule("Zebra crossing.", "*.py"), make_rule("Zebra always.")])
    for document in documents(target, sheet):
        lines = [line for line in document.text.splitlines() if "ebra" in line]
        assert all(line.startswith("- Zebra") for line in lines)
        assert "ebra" not in document.path
        assert document.text.endswith("\n")
        assert not document.text.endswith("\n\n")


def test_unknown_targets_are_refused_with_the_valid_names() -> None:
    """A misspelt target is an error that lists what would be valid."""
    names = "auto, claude, cursor, copilot, windsurf, continue, agents, gemini, skill"
    with pytest.raises(InvalidArgument, match=rf"'cluade'.*{names}"):
        check_names(["auto", "cluade"])


@pytest.mark.parametrize(
    ("present", "folder"),
    [
        ({".devin"}, ".devin/rules"),
        ({".windsurf/rules"}, ".windsurf/rules"),
        ({".devin", ".devin/rules", ".windsurf/rules"}, ".devin/rules"),
        ({".devin", ".windsurf/rules"}, ".windsurf/rules"),
    ],
)
def test_rules_of_the_old_windsurf_folder_stay_alive(present: set[str], folder: str) -> None:
    """Our file never makes Devin give up the user's `.windsurf/rules/` for a new `.devin/rules/`."""
    repository = Repository(present=frozenset(present))
    paths = [one.path for one in documents("windsurf", arrange(three_rules()), repository)]
    assert {path.rpartition("/")[0] for path in paths} == {folder}


def test_the_block_goes_where_claude_code_looks() -> None:
    """A repository whose only CLAUDE.md is in `.claude/` gets the block there."""
    repository = Repository(present=frozenset({".claude/CLAUDE.md"}))
    paths = [one.path for one in documents("claude", arrange(three_rules()), repository)]
    assert paths[0] == ".claude/CLAUDE.md"
