"""Linters that are not ours accept every file that we write."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.renderers.hostile import HOSTILE, SCOPES, TARGETS, hostile_rules, pinned_rules, render_batches
from tests.renderers.support import make_rule, three_rules

from vettle.engine.records import Rendering
from vettle.renderers.render import render

COMMANDS = {"agnix": ("agnix", "--strict"), "skillsaw": ("skillsaw", "lint", "--strict")}
SOUND = '---\npaths:\n  - "**/*.py"\n---\n\n# Learned rules: python\n\n- Annotate every public function.\n'
WORDS = "Run the narrow checks of a module first, then those of every module that imports it, as step"
MIXTURES = hostile_rules()
RULES = pinned_rules([*HOSTILE, *MIXTURES])

# What the user has beside the code. No linter objects to any of it before we render.
AGENTS = "# Working here\n\n- Run `make check` before every commit.\n"
REPOSITORIES: dict[str, dict[str, str]] = {
    "code only": {},
    "AGENTS.md alone": {"AGENTS.md": AGENTS},
    "files for every assistant": {
        "AGENTS.md": AGENTS,
        "CLAUDE.md": "# Claude Code\n\n@AGENTS.md\n\n- Prefer a smaller diff.\n",
        "GEMINI.md": "# Gemini\n\n- Prefer a shorter answer.\n",
        ".github/copilot-instructions.md": "# Copilot\n\n- Prefer an existing helper.\n",
        ".devin/rules/mine.md": "---\ntrigger: always_on\n---\n\n# Mine\n\n- Keep modules short.\n",
        ".cursor/rules/mine.mdc": "---\ndescription: Mine\nalwaysApply: true\n---\n\n- Keep modules short.\n",
    },
}
CODE = {
    "README.md": "# Example\n\nAn example.\n",
    "pyproject.toml": '[project]\nname = "example"\nversion = "1"\n',
    "src/app.py": "def answer() -> int:\n    return 42\n",
    "tests/test_app.py": "def test_answer() -> None:\n    assert True\n",
}


def lint(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a linter that was installed with the development dependencies: missing, it is a failure."""
    name, *arguments = map(str, command)
    program = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert program, f"{name} is missing: install the development dependencies with pip install -e '.[dev]'"
    environment = {**os.environ, "PYTHONUTF8": "1", "NO_COLOR": "1"}
    return subprocess.run(  # a linter that hangs must not hang the suite
        [program, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=120,
        check=False,
    )


def assert_accepted(result: subprocess.CompletedProcess[str]) -> None:
    """Check that a linter found nothing, and show what it found otherwise."""
    assert result.returncode == 0, result.stdout + result.stderr


def put(folder: Path, files: dict[str, str]) -> Path:
    """Write the files and return the folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Render the three rules of the reference for every target, into each kind of repository."""
    parent = tmp_path_factory.mktemp("reference")
    folders = {kind: put(parent / kind, CODE | files) for kind, files in REPOSITORIES.items()}
    assert all(
        render(folder, three_rules(), targets=TARGETS, write=True).written for folder in folders.values()
    )
    return folders


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Rendering]:
    """Render every hostile text for every target, each as an always-on rule and as one about some paths."""
    return render_batches(tmp_path_factory.mktemp("hostile"), RULES)


def test_hostile_rules_are_many_and_the_same_ones_every_time() -> None:
    """Two hundred different texts, the same for the same seed and others for another."""
    assert len(set(MIXTURES)) == len(MIXTURES) == 200
    assert hostile_rules() == MIXTURES != hostile_rules(seed=1)
    assert {len(text) for text in MIXTURES} >= {390}


def test_every_hostile_rule_is_written_or_left_out_with_a_reason(hostile: dict[Path, Rendering]) -> None:
    """No hostile rule is lost: each stands in every target's files of one folder, or a reason is given."""
    written = {rule for rendering in hostile.values() for file in rendering.files for rule in file.rules}
    *_, last = hostile.values()
    reasons = {one.rule_id: one.reason for one in last.left_out}
    assert written | set(reasons) == {rule.id for rule in RULES}
    assert not written & set(reasons)
    assert all(reasons.values()) and not [reason for reason in reasons.values() if "budget" in reason]
    assert len(written) > len(RULES) * 0.9
    assert {file.target for rendering in hostile.values() for file in rendering.files} == set(TARGETS)


@pytest.mark.parametrize("kind", REPOSITORIES)
@pytest.mark.parametrize("linter", COMMANDS)
def test_linters_accept_the_reference_rules(linter: str, kind: str, reference: dict[str, Path]) -> None:
    """Strict linters find nothing in what we write for the three rules, beside the user's own files too."""
    assert_accepted(lint(*COMMANDS[linter], reference[kind]))


@pytest.mark.parametrize("linter", COMMANDS)
def test_linters_accept_hostile_rules(linter: str, hostile: dict[Path, Rendering]) -> None:
    """Strict linters find no import, link, command, tag or hidden character in hostile rules."""
    assert_accepted(lint(*COMMANDS[linter], *hostile))


@pytest.mark.parametrize("linter", COMMANDS)
def test_linters_accept_full_budgets(linter: str, tmp_path: Path) -> None:
    """Strict linters find no file too long when every scope has as many rules as it may have."""
    scopes: list[tuple[str, ...]] = [(), *SCOPES]
    rules = [
        make_rule(f"{WORDS} {n:02}.", *globs, identifier=f"{place}-{n}")
        for place, globs in enumerate(scopes)
        for n in range(25)
    ]
    rendering = render(put(tmp_path, CODE), rules, targets=TARGETS, write=True)
    assert rendering.written
    # Only the skill has all rules in one file, and so a budget for all of them together.
    assert {(tuple(one.targets), "whole file" in one.reason) for one in rendering.left_out} == {
        (("skill",), True)
    }
    assert_accepted(lint(*COMMANDS[linter], tmp_path))


def test_skills_are_valid(reference: dict[str, Path], hostile: dict[Path, Rendering]) -> None:
    """The reference implementation of Agent Skills accepts the skill of three rules and of a full budget."""
    folders = (reference["code only"], *list(hostile)[:2])
    skills = [skill.parent for folder in folders for skill in folder.rglob("SKILL.md")]
    assert len(skills) == len(folders)
    for skill in skills:
        assert_accepted(lint("agentskills", "validate", skill))


@pytest.mark.parametrize(
    ("linter", "path", "text", "finding"),
    [
        ("agnix", ".cursor/rules/all.mdc", "---\ndescription: All\nglobs: **/*\n---\n\n- Text.\n", "YAML"),
        ("agnix", "CLAUDE.md", "- Read @docs/secret.md first.\n", "Import target not found"),
        ("skillsaw", ".devin/rules/a.md", "---\ntrigger: glob\nglobs: '**/*.py'\n---\n\n- Text.\n", "YAML list"),
        ("skillsaw", "CLAUDE.md", "- Text\u200b.\n", "Invisible unicode"),
        ("skillsaw", ".claude/skills/x/SKILL.md", "---\nname: y\ndescription: Text.\n---\n\n- Run !`ls`.\n", "'ls'"),
    ],
    ids=["Cursor globs", "import", "Devin globs", "hidden character", "command"],
)  # fmt: skip
def test_linters_look_into_every_folder(
    tmp_path: Path, linter: str, path: str, text: str, finding: str
) -> None:
    """A linter that is given a sound folder and a faulty one finds the fault: its silence means something."""
    sound = put(tmp_path / "sound", {".claude/rules/vettle-python.md": SOUND})
    faulty = put(tmp_path / "faulty", {path: text})
    assert_accepted(lint(*COMMANDS[linter], sound))
    result = lint(*COMMANDS[linter], sound, faulty)
    assert result.returncode == 1
    assert finding in result.stdout and Path(path).name in result.stdout


@pytest.mark.parametrize("linter", COMMANDS)
def test_linters_object_to_hostile_text_as_it_is(tmp_path: Path, linter: str) -> None:
    """The same texts, written as they are, make both linters fail: what they accept is what we neutralised."""
    bullets = "".join(f"- {text}\n" for text in HOSTILE).encode(errors="replace").decode()
    assert lint(*COMMANDS[linter], put(tmp_path, {"CLAUDE.md": bullets})).returncode == 1


def test_an_invalid_skill_is_refused(tmp_path: Path) -> None:
    """A skill whose name is not its folder's is found."""
    skill = put(tmp_path / "one", {"SKILL.md": "---\nname: two\ndescription: Text.\n---\n\n- Text.\n"})
    result = lint("agentskills", "validate", skill)
    assert result.returncode == 1
    assert "must match skill name" in result.stdout + result.stderr
