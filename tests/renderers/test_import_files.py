import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from vettle.engine.arguments import Glob
from vettle.renderers.imports.files import LARGEST, MOST_GLOBS, RuleFile, find, read

GLOB = TypeAdapter(Glob)
BODY = "\n- Use tabs for indentation.\n"


def rule_file(folder: Path, name: str, content: str | bytes) -> RuleFile:
    """Write a file and read it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, name)


def globs(folder: Path, name: str, *frontmatter: str) -> tuple[str, ...] | str:
    """Return the scope that a file with this frontmatter has, or the reason why it has none."""
    found = rule_file(folder, name, "\n".join(["---", *frontmatter, "---", BODY]))
    assert bool(found.taken) != bool(found.reason)
    return found.reason or found.globs


def repository(folder: Path, *names: str) -> list[str]:
    """Make a repository of these files, each with one rule, and return what is found in it."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"- Use {name} only.\n", encoding="utf-8")
    return find(folder)


# --- finding -------------------------------------------------------------------------------------


def test_every_assistants_files_are_found_in_a_stable_order(tmp_path: Path) -> None:
    """What holds everywhere comes first, then the scoped files by assistant, then nested folders."""
    names = [
        "AGENTS.md",
        "CLAUDE.md",
        ".claude/CLAUDE.md",
        "GEMINI.md",
        ".github/copilot-instructions.md",
        ".cursorrules",
        ".windsurfrules",
        ".claude/rules/a.md",
        ".claude/rules/deep/b.md",
        ".cursor/rules/a.mdc",
        ".cursor/rules/deep/b.mdc",
        ".github/instructions/a.instructions.md",
        ".github/instructions/deep/b.instructions.md",
        ".windsurf/rules/a.md",
        ".devin/rules/a.md",
        ".continue/rules/a.md",
        "docs/AGENTS.md",
        "packages/web/CLAUDE.md",
        "packages/web/GEMINI.md",
    ]
    assert repository(tmp_path, *reversed(names)) == names


def test_what_is_no_rule_source_is_not_found(tmp_path: Path) -> None:
    """Private, installed, built, hidden and vettle's own files stay out, as do other kinds of files."""
    (tmp_path / "py").mkdir()
    (tmp_path / "py" / "pyvenv.cfg").touch()
    assert (
        repository(
            tmp_path,
            "CLAUDE.local.md",
            "README.md",
            "docs/CLAUDE.local.md",
            "node_modules/a/AGENTS.md",
            "vendor/AGENTS.md",
            "build/AGENTS.md",
            "py/lib/AGENTS.md",
            ".hidden/AGENTS.md",
            ".git/AGENTS.md",
            ".claude/skills/vettle-rules/SKILL.md",
            ".claude/rules/vettle-python.md",
            ".claude/rules/notes.txt",
            ".cursor/rules/vettle.mdc",
            ".cursor/rules/plain.md",
            ".github/instructions/vettle-python.instructions.md",
            ".github/instructions/other.md",
            ".windsurf/rules/vettle.md",
            ".devin/rules/deep/a.md",
            ".continue/rules/vettle.md",
            "/".join("abcdefghij") + "/AGENTS.md",
        )
        == []
    )
    assert find(tmp_path / "nothing") == []
    assert find(tmp_path / "README.md") == []


def test_one_file_under_two_names_is_found_once(tmp_path: Path) -> None:
    """CLAUDE.md as a link to AGENTS.md is common, and its rules must not come twice."""
    repository(tmp_path, "AGENTS.md", ".claude/rules/a.md", "docs/x.md")
    (tmp_path / "CLAUDE.md").symlink_to("AGENTS.md")
    (tmp_path / ".devin").mkdir()
    (tmp_path / ".devin" / "rules").symlink_to(tmp_path / ".claude" / "rules")
    (tmp_path / "docs" / "AGENTS.md").symlink_to("../AGENTS.md")
    assert find(tmp_path) == ["AGENTS.md", ".claude/rules/a.md"]


def test_links_that_leave_the_repository_or_lead_in_a_circle_are_not_followed(tmp_path: Path) -> None:
    """A repository from strangers cannot make the import read what is elsewhere."""
    root = tmp_path / "root"
    repository(tmp_path / "elsewhere", "AGENTS.md", "rules/a.md")
    repository(root, "sub/AGENTS.md")
    (root / "AGENTS.md").symlink_to(tmp_path / "elsewhere" / "AGENTS.md")
    (root / "GEMINI.md").symlink_to("GEMINI.md")
    (root / "CLAUDE.md").symlink_to("gone.md")
    (root / ".claude").mkdir()
    (root / ".claude" / "rules").symlink_to(tmp_path / "elsewhere" / "rules")
    (root / "sub" / "again").symlink_to(root)
    assert find(root) == ["sub/AGENTS.md"]


# --- scope ---------------------------------------------------------------------------------------

CLAUDE, CURSOR, COPILOT = (
    ".claude/rules/a.md",
    ".cursor/rules/a.mdc",
    ".github/instructions/a.instructions.md",
)
WINDSURF, DEVIN, CONTINUE = ".windsurf/rules/a.md", ".devin/rules/a.md", ".continue/rules/a.md"


@pytest.mark.parametrize(
    ("name", "frontmatter", "expected"),
    [
        (CLAUDE, ["paths:", '  - "**/*.py"', "  - tests/**"], ("**/*.py", "tests/**")),
        (CLAUDE, ["paths: **/*.py"], ("**/*.py",)),
        (CLAUDE, ["paths: src/**, tests/**"], ("src/**", "tests/**")),
        (CLAUDE, ["paths: []"], ()),
        (CLAUDE, ["globs: src/**"], ()),
        (CURSOR, ["description: x", "globs: **/*.ts,**/*.{js,jsx}"], ("**/*.ts", "**/*.{js,jsx}")),
        (CURSOR, ["globs: **/*.ts, docs/**", "alwaysApply: false"], ("**/*.ts", "docs/**")),
        (CURSOR, ['globs: "**/*.ts", "*.js"'], ("**/*.ts", "*.js")),
        (CURSOR, ['globs: ["**/*.ts", "*.js"]'], ("**/*.ts", "*.js")),
        (CURSOR, ["globs:", "  - **/*.ts", "  - *.js"], ("**/*.ts", "*.js")),
        (CURSOR, ["globs: {src,lib}/**"], ("{src,lib}/**",)),
        (CURSOR, ["globs: src/**", "alwaysApply: true"], ()),
        (CURSOR, ["globs: src/**", 'alwaysApply: "true"'], ("src/**",)),
        (CURSOR, ["description: only when asked", "globs:", "alwaysApply: false"], ()),
        (CURSOR, ["description: a: b", "globs: /src/**, ./lib/**"], ("src/**", "lib/**")),
        (CURSOR, ["globs: src/**, **/*"], ()),
        (CURSOR, ["globs: a, a"], ("a",)),
        (COPILOT, ['applyTo: "**/*.py,**/*.pyi"'], ("**/*.py", "**/*.pyi")),
        (COPILOT, ["applyTo: ['**/*.py']"], ("**/*.py",)),
        (COPILOT, ['applyTo: "**"'], ()),
        (COPILOT, ["description: x"], ()),
        (WINDSURF, ["trigger: glob", "globs: **/*.test.ts"], ("**/*.test.ts",)),
        (DEVIN, ["trigger: glob", "globs:", "  - a", "  - b"], ("a", "b")),
        (WINDSURF, ["trigger: always_on", "globs: a"], ()),
        (WINDSURF, ["trigger: manual"], ()),
        (CONTINUE, ["globs: a,b"], ("a,b",)),
        (CONTINUE, ['globs: ["a", "b"]'], ("a", "b")),
        (CONTINUE, ["name: x", "alwaysApply: true", "globs: a", "regex: x"], ()),
        ("rules.md", ["applyTo: src/**"], ("src/**",)),
    ],
)
def test_each_dialect_is_read_as_its_assistant_reads_it(
    tmp_path: Path, name: str, frontmatter: list[str], expected: tuple[str, ...]
) -> None:
    """Patterns that mean every file are no patterns, and a comma in braces does not part them."""
    assert globs(tmp_path, name, *frontmatter) == expected


@pytest.mark.parametrize(
    ("name", "frontmatter", "reason"),
    [
        (CURSOR, ["globs: !src/**"], "'!src/**' is no pattern"),
        (CURSOR, ["globs: ../other/**"], "'../other/**' is no pattern"),
        (CURSOR, ["globs: " + "a" * 201], "is no pattern"),
        (CLAUDE, ["paths: [x"], "'[x' is no pattern"),
        (CLAUDE, ["paths:", "  nonsense", "- a"], "line 2 of the frontmatter cannot be read"),
        (CLAUDE, ["x: y", "paths: a: b", " oops"], "line 3 of the frontmatter cannot be read"),
        (WINDSURF, ["trigger: glob"], "without `globs`"),
        (CONTINUE, ["regex: ^import"], "a regular expression"),
        (CURSOR, ["globs: " + ",".join(f"{n}.py" for n in range(21))], f"at most {MOST_GLOBS}"),
    ],
)
def test_a_scope_that_cannot_be_read_takes_nothing(
    tmp_path: Path, name: str, frontmatter: list[str], reason: str
) -> None:
    """A rule about some paths never becomes a rule about all of them; the reason says why it was left."""
    found = globs(tmp_path, name, *frontmatter)
    assert isinstance(found, str)
    assert reason in found


def test_a_pattern_that_rules_cannot_have_is_left_out_and_said(tmp_path: Path) -> None:
    """The others still hold."""
    found = rule_file(tmp_path, CURSOR, f"---\nglobs: src/**, !src/gen/**\n---\n{BODY}")
    assert found.globs == ("src/**",)
    assert [(entry.text, entry.line) for entry in found.passed] == [("!src/gen/**", 2)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AGENTS.md", ()),
        (".claude/CLAUDE.md", ()),
        (".cursorrules", ()),
        (".github/copilot-instructions.md", ()),
        ("docs/AGENTS.md", ("docs/**",)),
        ("packages/web/CLAUDE.md", ("packages/web/**",)),
        ("/elsewhere/AGENTS.md", ()),
        ("../other/AGENTS.md", ()),
    ],
)
def test_a_nested_file_is_about_its_folder(tmp_path: Path, name: str, expected: tuple[str, ...]) -> None:
    """The nearest AGENTS.md wins for its folder alone; these files have no frontmatter that scopes them."""
    path = tmp_path / "file"
    path.write_text(BODY, encoding="utf-8")
    assert (read(path, name).globs, read(path, name).reason) == (expected, "")


@pytest.mark.parametrize(
    "name", ["app/[id]/AGENTS.md", "a,b/AGENTS.md", "x" * 200 + "/AGENTS.md", " a/AGENTS.md"]
)
def test_a_folder_that_no_pattern_can_name_takes_nothing(tmp_path: Path, name: str) -> None:
    """`[id]` is a folder to the file system and a set of letters to a pattern."""
    path = tmp_path / "file"
    path.write_text(BODY, encoding="utf-8")
    assert "no pattern can name its folder" in read(path, name).reason


# --- bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf---\r\npaths: src/**\r\n---\r\n\r\n- Use tabs.\r\n",
        b"---\npaths: src/**\n---\n\n- Use tabs.",
        b"---\rpaths: src/**\r---\r\r- Use tabs.\r",
    ],
)
def test_marks_and_line_ends_do_not_matter(tmp_path: Path, content: bytes) -> None:
    """The scope and the line in the file are the same however an editor saved it."""
    found = rule_file(tmp_path, CLAUDE, content)
    assert (found.globs, found.reason) == (("src/**",), "")
    assert [(entry.text, entry.line) for entry in found.taken] == [("Use tabs.", 5)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"- Use tabs.\n\xff\n", "not UTF-8 in line 2"),
        ("- Use tabs.\n".encode("utf-16"), "not UTF-8 in line 1"),
        (b"- Use tabs.\n" * (LARGEST // 10), "larger than 256 KiB"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    """Nothing is taken from half a file."""
    assert rule_file(tmp_path, "AGENTS.md", content) == RuleFile("AGENTS.md", (), (), (), reason)


def test_what_is_not_a_readable_file_says_why(tmp_path: Path) -> None:
    """A folder, a pipe, a name that is none and a missing file are reasons, not exceptions."""
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path, "AGENTS.md").reason == "not a file"
    assert read(tmp_path / "pipe", "AGENTS.md").reason == "not a file"
    assert read(tmp_path / "gone", "AGENTS.md").reason == "the file does not exist"
    assert read(Path("a\0b"), "AGENTS.md").reason


def test_our_own_file_is_no_source(tmp_path: Path) -> None:
    """What vettle rendered would otherwise come back as a new rule."""
    assert rule_file(tmp_path, ".cursor/rules/vettle-python.mdc", BODY).reason == "vettle wrote this file"


def test_reading_changes_nothing(tmp_path: Path) -> None:
    """Neither the bytes nor the times of a file."""
    rule_file(tmp_path, CLAUDE, BODY)
    before = (tmp_path / CLAUDE).stat()
    read(tmp_path / CLAUDE, CLAUDE)
    find(tmp_path)
    after = (tmp_path / CLAUDE).stat()
    assert (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".claude", "a.md", "rules"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=40),
        st.lists(
            st.sampled_from(
                [
                    b"---\n",
                    b"globs: ",
                    b"paths:\n",
                    b"applyTo: ",
                    b"trigger: glob\n",
                    b"**/*.py",
                    b"!x",
                    b"{a,b}",
                    b",",
                    b"[",
                    b"]",
                    b"\n",
                    b"- ",
                    b'"',
                    b"Use it well.",
                    b"../x",
                    b"\xff",
                    b"\x00",
                    b"alwaysApply: true\n",
                    b"regex: x\n",
                ]
            ),
            max_size=14,
        ).map(b"".join),
    ),
    st.sampled_from([CLAUDE, CURSOR, COPILOT, WINDSURF, CONTINUE, "AGENTS.md", "a/AGENTS.md", "any.txt"]),
)
def test_any_bytes_are_read(tmp_path: Path, content: bytes, name: str) -> None:
    """Never raises; a reason takes nothing, and every pattern is one that a rule can have."""
    found = rule_file(tmp_path, name, content)
    assert found.path == name
    assert not (found.reason and (found.taken or found.globs))
    assert len(found.globs) <= MOST_GLOBS
    assert [GLOB.validate_python(glob) for glob in found.globs] == list(found.globs)
