"""Writing on bad days: a process that dies between any two steps, files that may not be written, another database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.renderers.support import ALL_TARGETS, make_rule, snapshot, three_rules

from vettle.engine.settings import RenderSettings, TargetBudget
from vettle.renderers.render import render

USER_TEXT = b"# Our project\n\nBe kind.\n"
REPOSITORY = Path(__file__).parents[2]

# Renders in a process that dies right before its n-th change of the file system.
DYING = """
import os, sys
from pathlib import Path
from tests.renderers.support import *
from vettle.renderers.render import render

left = int(sys.argv[2])

def die(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir"):
        left -= 1
        if left == 0:
            os._exit(9)

sys.addaudithook(die)
rules = {
    "write": three_rules(),
    "rewrite": [make_rule("Something else.", identifier="else"), make_rule("Annotate.", "*.py")],
    "remove": [],
}[sys.argv[3]]
render(Path(sys.argv[1]), rules, targets=ALL_TARGETS, write=True, remove=sys.argv[3] == "remove")
"""


def die(root: Path, step: int, action: str) -> bool:
    """Render in a process that dies at a step; False if it finished before."""
    paths = [str(REPOSITORY / name) for name in ("", "engine", "renderers")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", DYING, str(root), str(step), action]
    code = subprocess.run(command, env=environment, check=False, timeout=60).returncode
    assert code in (0, 9)
    return code == 9


def project(root: Path) -> Path:
    """Make a project with text of the user's in two of the files."""
    (root / ".github").mkdir(parents=True)
    (root / "CLAUDE.md").write_bytes(USER_TEXT)
    (root / ".github/copilot-instructions.md").write_bytes(b"no final newline")
    return root


BEFORE = {"CLAUDE.md": USER_TEXT, ".github/copilot-instructions.md": b"no final newline"}


@pytest.mark.parametrize("action", ["write", "rewrite", "remove"])
def test_a_death_at_any_step_is_mended_by_the_next_run(tmp_path: Path, action: str) -> None:
    """Wherever a process dies, no file is torn, the next render works with other rules, and remove restores all."""
    steps = (1, 2, 3, 5, 8, 13, 18, 23) if action == "write" else (1, 2, 4, 9, 16)
    died = []
    for step in steps:
        root = project(tmp_path / str(step))
        if action != "write":
            render(root, three_rules(), targets=ALL_TARGETS, write=True)
        died.append(die(root, step, action))
        for path, text in BEFORE.items():
            assert (root / path).read_bytes().startswith(text)
        rules = [make_rule("A third set.", identifier="third"), make_rule("Type it.", "*.py")]
        assert render(root, rules, targets=ALL_TARGETS, write=True).written
        assert not list(root.rglob("*.tmp"))
        assert render(root, rules, check=True).in_sync
        assert render(root, [], write=True, remove=True).written
        assert snapshot(root) == BEFORE
        assert sorted(one.name for one in root.iterdir()) == [".github", ".vettle", "CLAUDE.md"]
    assert sum(died) > len(steps) / 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_read_only_file_is_not_written(tmp_path: Path) -> None:
    """A file that nobody may write is refused, although replacing it would be possible; nothing else is written."""
    root = project(tmp_path / "p")
    (root / "CLAUDE.md").chmod(0o444)
    rendering = render(root, three_rules(), targets=["claude", "cursor"], write=True)
    [refused] = [file for file in rendering.files if file.action == "refused"]
    assert (refused.path, refused.refusal) == ("CLAUDE.md", "unusable")
    assert "read-only" in refused.reason
    assert snapshot(root) == BEFORE


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_the_owner_is_kept(tmp_path: Path) -> None:
    """Root rendering somebody's repository does not take their files away from them."""
    root = project(tmp_path / "p")
    os.chown(root / "CLAUDE.md", 12_345, 12_346)
    render(root, three_rules(), targets=["claude"], write=True)
    status = (root / "CLAUDE.md").stat()
    assert (status.st_uid, status.st_gid) == (12_345, 12_346)


# --- another database --------------------------------------------------------------------------


def test_rules_of_another_database_are_not_swept_away(tmp_path: Path) -> None:
    """A teammate's fresh clone has no rules: rendering there refuses instead of emptying the team's files."""
    root = project(tmp_path / "p")
    render(root, three_rules(), targets=ALL_TARGETS, write=True)
    before = snapshot(root)
    rendering = render(root, [], known={}, write=True)
    assert {file.refusal for file in rendering.files} == {"unknown_rules"}
    assert "--adopt" in rendering.files[0].reason
    assert snapshot(root) == before
    assert render(root, [], known={}, write=True, force=True).written
    assert snapshot(root) == BEFORE


def test_a_check_without_the_database_compares_with_the_lock_file(tmp_path: Path) -> None:
    """In a pipeline's fresh clone a check still tells untouched, edited, damaged and missing apart."""
    root = project(tmp_path / "p")
    render(root, three_rules(), targets=ALL_TARGETS, write=True)
    rendering = render(root, [], known={}, check=True)
    assert rendering.in_sync
    assert "only compared with .vettle/lock.json" in rendering.notes[0]
    (root / ".cursor/rules/vettle.mdc").unlink()
    (root / "AGENTS.md").write_text("no block any more\n")
    with (root / ".continue/rules/vettle.md").open("a") as stream:
        stream.write("- mine\n")
    block = (root / "CLAUDE.md").read_bytes()
    (root / "CLAUDE.md").write_bytes(block.replace(b"Always", b"Never"))
    gemini = (root / "GEMINI.md").read_bytes()
    (root / "GEMINI.md").write_bytes(gemini.replace(b"<!-- END vettle rules -->", b""))
    found = {file.path: (file.action, file.refusal) for file in render(root, [], known={}, check=True).files}
    assert {path: one for path, one in found.items() if one != ("unchanged", "")} == {
        ".cursor/rules/vettle.mdc": ("create", ""),
        "AGENTS.md": ("update", ""),
        ".continue/rules/vettle.md": ("refused", "edited"),
        "CLAUDE.md": ("refused", "edited"),
        "GEMINI.md": ("refused", "damaged"),
    }


# --- budgets -----------------------------------------------------------------------------------


def test_budgets_can_be_set_for_all_and_for_one_target(tmp_path: Path) -> None:
    """A target with a budget of its own leaves rules out that others keep, and the report names it."""
    rules = [make_rule(f"Rule number {number}.", identifier=f"r{number}") for number in range(6)]
    settings = RenderSettings(rules=4, targets={"cursor": TargetBudget(rules=2)})
    rendering = render(tmp_path, rules, targets=["claude", "cursor"], settings=settings)
    assert {file.path: len(file.rules) for file in rendering.files} == {
        "CLAUDE.md": 4,
        ".cursor/rules/vettle.mdc": 2,
    }
    left_out = {(one.rule_id, tuple(one.targets)) for one in rendering.left_out}
    assert left_out == {
        ("r2", ("cursor",)), ("r3", ("cursor",)), ("r4", ("claude",)), ("r5", ("claude",)),
        ("r4", ("cursor",)), ("r5", ("cursor",)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("target", "path", "limit", "unit"),
    [
        ("copilot", ".github/copilot-instructions.md", 4_000, "characters"),
        ("agents", "AGENTS.md", 32_768, "bytes"),
    ],
)
def test_what_a_reader_would_cut_off_is_left_out(
    tmp_path: Path, target: str, path: str, limit: int, unit: str
) -> None:
    """Together with the user's own text, our block never reaches past what the program reads of the file."""
    (tmp_path / path).parent.mkdir(exist_ok=True)
    rules = [make_rule(f"{letter * 90}.", identifier=letter) for letter in "abcdefghij"]
    for theirs in (limit - 900, limit - 10, limit + 500):
        (tmp_path / path).write_text("x" * theirs)
        rendering = render(tmp_path, rules, targets=[target], write=True)
        kept = len(rules) - len(rendering.left_out)
        assert kept == (8 if theirs == limit - 900 else 0)
        assert f"read up to {limit:,} {unit}" in rendering.left_out[0].reason
        assert len((tmp_path / path).read_bytes()) <= max(limit, theirs)


def test_a_windsurf_file_stays_short_whatever_is_configured(tmp_path: Path) -> None:
    """No budget makes a file that Windsurf would cut: 6,000 characters with its frontmatter."""
    rules = [make_rule(f"{number:03} {'x' * 200}.", identifier=f"{number}") for number in range(100)]
    settings = RenderSettings(rules=100, characters=50_000)
    render(tmp_path, rules, targets=["windsurf"], settings=settings, write=True)
    assert 3_000 < len((tmp_path / ".windsurf/rules/vettle.md").read_text()) < 6_000
