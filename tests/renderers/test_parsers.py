"""Parsers that are not ours read what we mean: which rules are always on, and which are about what paths.

The npm part runs where node and npm are: it installs the exact versions of parsers/package.json once into
pytest's cache.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import frontmatter
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from tests.renderers.hostile import TARGETS, hostile_rules, pinned_rules, render_batches
from tests.renderers.support import make_rule
from wcmatch import glob as wcmatch

from vettle.engine.paths import matches
from vettle.engine.records import Rule
from vettle.renderers.globs import NotPortable, canonical

Keys = dict[str, Any]

PARSERS = Path(__file__).parent / "parsers"

# Every kind of glob, with what every assistant is to read for it; () is always on.
INTENDED: dict[tuple[str, ...], tuple[str, ...]] = {
    (): (),
    ("*.py",): ("**/*.py",),
    ("tests/**",): ("**/tests/**",),
    ("*.{py,pyi}",): ("**/*.py", "**/*.pyi"),
    ("src/**/[a-z]*.ts", "-x/?.js"): ("**/-x/?.js", "**/src/**/[a-z]*.ts"),
    ("**",): ("**/*",),
    (".github/**",): ("**/.github/**",),
    ("docs/",): ("**/docs/**",),
    ("./src/*.go",): ("**/src/*.go",),
    ("{src,lib}/**",): ("**/lib/**", "**/src/**"),
    ("a{b,{c,d}e}f",): ("**/abf", "**/acef", "**/adef"),
    ("{s*,lib}/?.rs",): ("**/lib/?.rs", "**/s*/?.rs"),
    ("test_[a-z0-9].py", "Makefile"): ("**/Makefile", "**/test_[a-z0-9].py"),
    ("[_.]x[A-Z].md",): ("**/[_.]x[A-Z].md",),
}
ORIGINAL = tuple(sorted({glob for globs in INTENDED for glob in globs}))
CANONICAL = tuple(sorted({glob for globs in INTENDED.values() for glob in globs}))
BRACES = tuple(glob for glob in ORIGINAL if "{" in glob)
# What other tools write, and no two parsers read alike.
FAULTY = (
    {"path": ".cursor/rules/bare.mdc", "text": "---\nglobs: **/*.py\nalwaysApply: false\n---\n\n- Text.\n"},
    {"path": ".continue/rules/joined.md", "text": '---\nglobs: "**/*.py,**/*.pyi"\n---\n\n- Text.\n'},
    {"path": "AGENTS.md", "text": "- Lost.\n\n---\n\n- Lost too.\n\n---\n\n- Kept.\n"},
)

FOLDERS = (
    "", "src/", "src/deep/", "Src/", "lib/", "tests/", "sub/tests/", "contests/", ".github/", ".github/workflows/",
    "docs/", "docs/docs/", "-x/", "sub/-x/", "srcs/", "a/b/c/",
)  # fmt: skip
NAMES = (
    "a.py", "a.pyi", "A.PY", "b.ts", "B.ts", "1.ts", "a.js", "ab.js", ".hidden", ".xA.md", "_xA.md", "any", "a.rs",
    "ab.rs", "abf", "acef", "adef", "bf", "Makefile", "makefile", "test_1.py", "test_A.py", "test_12.py", "tests",
    "docs", "x.go", "*.py", "[a-z].ts", "name with space.py", "größe.py",
)  # fmt: skip
PATHS = tuple(folder + name for folder, name in product(FOLDERS, NAMES))

_FLAGS = wcmatch.GLOBSTAR | wcmatch.DOTGLOB | wcmatch.CASE | wcmatch.FORCEUNIX
_MARKUP = {
    "html_inline",
    "link_open",
    "image",
    "hr",
    "fence",
    "code_block",
    "ordered_list_open",
    "blockquote_open",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was rendered, how many rules stand in it, and the paths they are meant for.

    A skill holds rules of every scope and is meant for none: an agent decides when to read it.
    """

    folder: Path
    name: str
    text: str
    rules: int
    intended: tuple[str, ...]

    @property
    def path(self) -> str:
        """The path that no other file has."""
        return f"{self.folder.parent.name}/{self.folder.name}/{self.name}"

    @property
    def is_skill(self) -> bool:
        """Whether this is the Agent Skill."""
        return self.name.endswith("/SKILL.md")


def body(text: str) -> str:
    """Return what follows the frontmatter of a file that we wrote."""
    return text.split("\n---\n", 1)[1] if text.startswith("---\n") else text


def intended_rules() -> list[Rule]:
    """Return a rule for each kind of glob."""
    return [make_rule(f"Rule {n}.", *globs, identifier=str(n)) for n, globs in enumerate(INTENDED)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Written]:
    """Render every kind of glob, and 200 hostile texts under some of them, for every target."""
    parent = tmp_path_factory.mktemp("parsers")
    return [
        *rendered_files(parent / "globs", intended_rules()),
        *rendered_files(parent / "hostile", pinned_rules(hostile_rules())),
    ]


def rendered_files(parent: Path, rules: Sequence[Rule]) -> Iterator[Written]:
    """Render the rules and yield every file, with the paths that its rules were given for."""
    given = {rule.id: INTENDED[rule.globs] for rule in rules}
    for folder, rendering in render_batches(parent, rules).items():
        for file in rendering.files:
            scopes = {given[rule] for rule in file.rules}
            is_skill = file.target == "skill"
            assert is_skill or len(scopes) == 1
            text = (folder / file.path).read_text(encoding="utf-8")
            yield Written(folder, file.path, text, len(file.rules), () if is_skill else scopes.pop())


# --- what each assistant would do with the keys ------------------------------------------------


def scope(file: Written, keys: Keys) -> list[str]:
    """Return the paths for which an assistant uses a file with these keys; [] is always, or a skill's choice."""
    if file.name.endswith(".mdc"):
        return cursor_scope(keys)
    if file.name.endswith(".instructions.md"):
        return copilot_scope(keys)
    if file.name.startswith((".windsurf/", ".devin/")):
        return windsurf_scope(keys)
    if file.name.startswith(".continue/"):
        return continue_scope(keys)
    if file.name.startswith(".claude/rules/"):
        assert keys.keys() == {"paths"}
        return strings(keys["paths"])
    if file.is_skill:
        assert keys.keys() == {"name", "description"} and keys["name"] == Path(file.name).parent.name
        assert isinstance(keys["description"], str) and len(keys["description"]) <= 1_024
        return []
    assert keys == {}
    return []


def strings(value: object) -> list[str]:
    """Return a list that is there and holds strings: an empty one would mean always, a bare one another thing."""
    assert isinstance(value, list) and value and all(isinstance(one, str) for one in value)
    return value


def cursor_scope(keys: Keys) -> list[str]:
    """Cursor: one bare string, joined with commas; the first name is the witness, tested on its own."""
    assert keys["description"] and isinstance(keys["description"], str)
    if keys["alwaysApply"] is True:
        assert keys.keys() == {"description", "alwaysApply"}
        return []
    assert keys["alwaysApply"] is False and isinstance(keys["globs"], str)
    return keys["globs"].split(",")[1:]


def copilot_scope(keys: Keys) -> list[str]:
    """Copilot: one string, joined with commas; a list is never applied in VS Code."""
    assert keys.keys() == {"description", "applyTo"} and isinstance(keys["applyTo"], str)
    return keys["applyTo"].split(",")


def windsurf_scope(keys: Keys) -> list[str]:
    """Windsurf and Devin: the trigger is always written, and globs are a list."""
    if keys["trigger"] == "always_on":
        assert keys.keys() == {"trigger"}
        return []
    assert keys.keys() == {"trigger", "globs"} and keys["trigger"] == "glob"
    return strings(keys["globs"])


def continue_scope(keys: Keys) -> list[str]:
    """Continue: without globs, always; with a list of them, on a match."""
    assert isinstance(keys["name"], str)
    if keys.get("alwaysApply") is True:
        assert keys.keys() == {"name", "alwaysApply"}
        return []
    assert keys.keys() == {"name", "description", "globs"}
    return strings(keys["globs"])


def assert_read_as_meant(files: Sequence[Written], read: Callable[[Written], tuple[Keys, str]]) -> None:
    """Check that a parser finds the intended scope in every file, and all of our text behind the keys."""
    assert {tuple(scope(file, read(file)[0])) for file in files} >= set(INTENDED.values())
    for file in files:
        keys, content = read(file)
        assert tuple(scope(file, keys)) == file.intended, file.path
        assert content.strip() == body(file.text).strip(), file.path


# --- parsers from the Python package index -----------------------------------------------------


def test_pyyaml_reads_what_we_mean(written: list[Written]) -> None:
    """PyYAML finds the intended mode and globs in every file."""

    def read(file: Written) -> tuple[Keys, str]:
        has_keys = file.text.startswith("---\n")
        header = file.text.removeprefix("---\n").split("\n---\n", 1)[0] if has_keys else "{}"
        return yaml.safe_load(header), body(file.text)

    assert_read_as_meant(written, read)


def test_python_frontmatter_reads_what_we_mean(written: list[Written]) -> None:
    """The python-frontmatter library finds the intended mode and globs, and no keys where none are."""

    def read(file: Written) -> tuple[Keys, str]:
        post = frontmatter.loads(file.text)
        return post.metadata, post.content

    assert_read_as_meant(written, read)


def test_markdown_has_one_bullet_for_each_rule(written: list[Written]) -> None:
    """CommonMark sees our headings and one plain bullet for each rule; comments are only our two markers."""
    for file in written:
        tokens = list(flat(MarkdownIt("commonmark").enable("table").parse(body(file.text))))
        types = [token.type for token in tokens]
        assert types.count("list_item_open") == file.rules, file.path
        assert not _MARKUP & set(types) and "table_open" not in types, file.path
        assert [token.level for token in tokens if token.type == "heading_open"].count(0) >= 1
        assert file.is_skill or types.count("heading_open") == types.count("bullet_list_open") == 1, file.path
        comments = [token.content.strip() for token in tokens if token.type == "html_block"]
        assert comments == ([file.text.splitlines()[0], "<!-- END vettle rules -->"] if comments else [])


def flat(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens and what is inside them."""
    for token in tokens:
        yield token
        yield from token.children or ()


# --- parsers from npm --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Npm:
    """What the npm parsers answered; see parsers/read.mjs."""

    files: dict[str, dict[str, Keys]]
    matched: dict[str, list[str]]
    attached: dict[str, list[str]]
    expanded: dict[str, list[str]]


@pytest.fixture(scope="module")
def npm(pytestconfig: pytest.Config, written: list[Written]) -> Npm:
    """Ask all npm parsers about everything, in one process."""
    node, manager = shutil.which("node"), shutil.which("npm")
    if not node or not manager:
        pytest.skip("node and npm are not installed: the npm parsers are not asked")
    folder = installed(pytestconfig, manager)
    shutil.copy(PARSERS / "read.mjs", folder)
    asked = {
        "files": [*FAULTY, *({"path": file.path, "text": file.text} for file in written)],
        "globs": [*ALL_CANONICAL, *BRACES],
        "paths": PATHS,
    }
    answer = subprocess.run(
        [node, str(folder / "read.mjs")],
        input=json.dumps(asked), capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return Npm(**json.loads(answer.stdout))


def installed(config: pytest.Config, manager: str) -> Path:
    """Return a folder with the pinned packages; a failed install fails where CI asks for it, else it skips."""
    manifest = (PARSERS / "package.json").read_bytes()
    assert config.cache is not None
    folder = config.cache.mkdir(f"rule-file-parsers-{hashlib.sha256(manifest).hexdigest()[:12]}")
    done = folder / "installed"
    if done.exists():
        return folder
    (folder / "package.json").write_bytes(manifest)
    options = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
    try:
        result = subprocess.run(
            [manager, "install", *options],
            cwd=folder, capture_output=True, encoding="utf-8", timeout=300, check=False,
        )  # fmt: skip
        problem = result.stderr[-1_000:] if result.returncode else ""
    except subprocess.TimeoutExpired:
        problem = "npm install took more than five minutes"
    if problem:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"npm parsers were not installed: {problem}")
    done.touch()
    return folder


@pytest.mark.parametrize("parser", ["gray-matter", "js-yaml", "yaml"])
def test_npm_yaml_parsers_read_what_we_mean(parser: str, written: list[Written], npm: Npm) -> None:
    """The YAML parsers that JavaScript tools use find the intended mode and globs in every file."""

    def read(file: Written) -> tuple[Keys, str]:
        answer = npm.files[file.path][parser]
        assert answer["keys"] is not None, (file.path, answer["error"])
        return answer["keys"], answer["body"]

    assert_read_as_meant(written, read)


def test_continue_reads_what_we_mean(written: list[Written], npm: Npm) -> None:
    """Continue's own reader attaches scoped files on a match and always uses the others, text complete.

    It reads AGENTS.md and CLAUDE.md with the same function, which takes `---` for the end of frontmatter.
    """
    for file in written:
        answer = npm.files[file.path]["continue"]
        assert answer["body"].strip() == body(file.text).strip(), file.path
        if file.name.startswith(".continue/"):
            assert answer["keys"]["type"] == ("Auto Attached" if file.intended else "Always")
            assert tuple(answer["keys"].get("globs", ())) == file.intended
            assert answer["keys"].get("alwaysApply", False) is (not file.intended)
        elif not file.text.startswith("---\n"):
            assert answer["keys"]["type"] == "Always"


def test_npm_parsers_see_faults(npm: Npm) -> None:
    """What other tools write is not read as they mean it, so the agreement of the parsers means something."""
    bare, joined, ruled = (npm.files[file["path"]] for file in FAULTY)
    assert [bare[name]["keys"] for name in ("gray-matter", "js-yaml", "yaml")] == [None] * 3
    assert bare["continue"]["keys"]["type"] == "Always"
    assert joined["continue"]["keys"]["globs"] == "**/*.py,**/*.pyi"
    assert "Lost" not in ruled["continue"]["body"]


def test_every_target_was_read(written: list[Written]) -> None:
    """The parsers are given every place of every target, and a target that is new has to be added here."""
    names = {file.name for file in written}
    assert names >= {
        "CLAUDE.md", "AGENTS.md", "GEMINI.md", ".github/copilot-instructions.md", ".cursor/rules/vettle.mdc",
        ".windsurf/rules/vettle.md", ".continue/rules/vettle.md", ".claude/skills/vettle-rules/SKILL.md",
        ".claude/rules/vettle-python.md", ".github/instructions/vettle-python.instructions.md",
        ".cursor/rules/vettle-python.mdc", ".windsurf/rules/vettle-python.md", ".continue/rules/vettle-python.md",
    }  # fmt: skip
    assert len(TARGETS) == 8


# --- matching ----------------------------------------------------------------------------------


def some_canonical(count: int = 60, seed: int = 7) -> list[str]:
    """Return canonical patterns made of every kind of segment."""
    generator, found = Random(seed), set[str]()
    segments = (
        "**",
        "*",
        "src",
        "tests",
        "*.py",
        "[a-z]*",
        "test_?.py",
        ".github",
        "[A-Z0-9_]*.ts",
        "?b.*",
        "docs",
    )
    while len(found) < count:
        try:
            found |= set(canonical(["/".join(generator.choices(segments, k=generator.randint(1, 3)))]))
        except NotPortable:
            continue
    return sorted(found)


ALL_CANONICAL = tuple(sorted({*CANONICAL, *some_canonical()}))


@lru_cache
def matched_by_us(glob: str) -> list[str]:
    """Return the paths that vettle takes the glob to be about."""
    return [path for path in PATHS if matches(glob, path)]


def test_wcmatch_matches_the_same_paths() -> None:
    """A Python matcher agrees with vettle on every canonical pattern and every path, hidden ones too."""
    for glob in ALL_CANONICAL:
        assert matched_by_us(glob) == wcmatch.globfilter(PATHS, glob, flags=_FLAGS), glob
    assert all(matched_by_us(glob) for glob in CANONICAL)


def test_minimatch_matches_the_same_paths(npm: Npm) -> None:
    """The matcher of Continue and many others agrees with vettle on every canonical pattern and every path."""
    for glob in ALL_CANONICAL:
        assert matched_by_us(glob) == npm.matched[glob], glob


def test_continue_attaches_the_same_paths(npm: Npm) -> None:
    """Matched as Continue does it, against a file's address and never hidden files, the paths are the same.

    A pattern that opens with any one folder (`*/x`) is not among these: the address has folders above ours.
    """
    for glob in CANONICAL:
        visible, attached = (
            [path for path in paths if not path.startswith(".") and "/." not in path]
            for paths in (matched_by_us(glob), npm.attached[glob])
        )
        assert visible == attached, glob


def test_expanded_patterns_match_what_the_braces_match() -> None:
    """The patterns that we write for a brace pattern match what a Python matcher finds for the braces."""
    for original in BRACES:
        found = {path for glob in canonical([original]) for path in matched_by_us(glob)}
        assert found == set(wcmatch.globfilter(PATHS, f"**/{original}", flags=_FLAGS | wcmatch.BRACE)), (
            original
        )


def test_expanded_patterns_are_the_set_that_the_braces_stand_for(npm: Npm) -> None:
    """The expander that minimatch uses gives the patterns that we write for a brace pattern, and no others."""
    for original in BRACES:
        assert {f"**/{one}" for one in npm.expanded[original]} == set(canonical([original])), original


@pytest.mark.parametrize("original", ORIGINAL)
def test_a_pattern_means_to_vettle_what_is_rendered_from_it(original: str) -> None:
    """When vettle picks rules for paths it takes a pattern as the assistants take the rendered ones."""
    rendered = {path for glob in canonical([original]) for path in matched_by_us(glob)}
    assert set(matched_by_us(original)) == rendered


def test_the_witness_of_cursor_adds_no_path(written: list[Written]) -> None:
    """The literal name that opens Cursor's globs is matched by a pattern the user gave."""
    for globs in filter(None, INTENDED):
        asked = [f"**/{glob.removeprefix('./')}{'**' if glob.endswith('/') else ''}" for glob in globs]
        [text] = {
            file.text for file in written
            if file.name.endswith(".mdc") and file.intended == INTENDED[globs] and "- Rule" in file.text
        }  # fmt: skip
        witness = yaml.safe_load(text.split("---\n")[1])["globs"].split(",")[0]
        assert wcmatch.globmatch(witness, asked, flags=_FLAGS | wcmatch.BRACE), (globs, witness)
