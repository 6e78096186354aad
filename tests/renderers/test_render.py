import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.renderers.support import ALL_TARGETS, make_rule, snapshot, three_rules
from tests.renderers.test_targets import GOLDEN

from vettle.engine.errors import EditedByHand, FilesRefused, InvalidArgument, ProjectNotFound
from vettle.engine.records import Rendering
from vettle.renderers.assistants.targets import BLOCK_PATHS
from vettle.renderers.preview import preview
from vettle.renderers.render import raise_if_refused, render
from vettle.renderers.write import replace

USER_TEXT = b"# Our project\n\nBe kind.\n"


def actions(rendering: Rendering) -> dict[str, str]:
    """Return the action per path."""
    return {file.path: file.action for file in rendering.files}


def refusals(rendering: Rendering) -> dict[str, str]:
    """Return the reason per refused path."""
    return {file.path: file.reason for file in rendering.files if file.action == "refused"}


@pytest.fixture(name="rendered")
def _rendered(tmp_path: Path) -> Path:
    """Return a project with the three rules written for every assistant."""
    (tmp_path / "CLAUDE.md").write_bytes(USER_TEXT)
    render(tmp_path, three_rules(), targets=ALL_TARGETS, write=True)
    return tmp_path


# --- what is written ---------------------------------------------------------------------------


def test_every_assistant_gets_its_files(rendered: Path) -> None:
    """What is on disk is the golden text, in whole files and inside the blocks."""
    found = snapshot(rendered)
    expected = {path: text for golden in GOLDEN.values() for path, text in golden.items()}
    assert found.keys() == expected.keys()
    for path, text in expected.items():
        if path in BLOCK_PATHS:
            assert text in found[path].decode()
        else:
            assert found[path].decode() == text
    assert found["CLAUDE.md"].startswith(USER_TEXT + b"\n<!-- BEGIN vettle rules sha256:")


def test_without_write_nothing_is_touched(tmp_path: Path) -> None:
    """A dry run answers with a diff per file and creates nothing, not even vettle's folder."""
    (tmp_path / "CLAUDE.md").write_bytes(USER_TEXT)
    rendering = render(tmp_path, three_rules(), targets=["claude"])
    assert [path.name for path in tmp_path.iterdir()] == ["CLAUDE.md"]
    assert (rendering.written, rendering.in_sync) == (False, False)
    assert actions(rendering) == {
        ".claude/rules/vettle-python.md": "create",
        ".claude/rules/vettle-tests.md": "create",
        "CLAUDE.md": "update",
    }
    claude = rendering.files[-1]
    assert "--- a/CLAUDE.md\n+++ b/CLAUDE.md\n" in claude.diff
    assert "+- Always run the type checker before committing.\n" in claude.diff
    assert claude.rules == ["types"]
    assert claude.tokens == len(GOLDEN["claude"]["CLAUDE.md"]) // 4


def test_a_second_run_changes_nothing(rendered: Path) -> None:
    """Rendering the same rules again leaves every byte and every time stamp, and says unchanged."""
    before = snapshot(rendered)
    times = {path: (rendered / path).stat().st_mtime_ns for path in before}
    rendering = render(rendered, three_rules(), write=True)
    assert set(actions(rendering).values()) == {"unchanged"}
    assert len(rendering.files) == len(before)
    assert (rendering.in_sync, rendering.written) == (True, True)
    assert snapshot(rendered) == before
    assert {path: (rendered / path).stat().st_mtime_ns for path in before} == times


def test_a_changed_rule_set_updates_and_deletes(rendered: Path) -> None:
    """Files no rule needs any more disappear, others are updated, and the user's text stays."""
    rules = [make_rule("Never push on Fridays."), make_rule("Annotate.", "*.py")]
    rendering = render(rendered, rules, targets=["claude", "cursor"], write=True)
    assert actions(rendering) == {
        ".claude/rules/vettle-python.md": "update",
        ".claude/rules/vettle-tests.md": "remove",
        ".cursor/rules/vettle-python.mdc": "update",
        ".cursor/rules/vettle-tests.mdc": "remove",
        ".cursor/rules/vettle.mdc": "update",
        "CLAUDE.md": "update",
    }
    assert not (rendered / ".claude/rules/vettle-tests.md").exists()
    assert (rendered / ".windsurf/rules/vettle-tests.md").exists()
    assert (rendered / "CLAUDE.md").read_bytes().startswith(USER_TEXT)
    assert b"Fridays" in (rendered / "CLAUDE.md").read_bytes()


@pytest.mark.parametrize("how", ["remove", "no rules"])
def test_remove_takes_out_everything(rendered: Path, how: str) -> None:
    """Removing, or rendering no rules, leaves the user's file as it was and no file or folder of ours."""
    rules = three_rules() if how == "remove" else [make_rule("Still on trial.", status="trial")]
    rendering = render(rendered, rules, write=True, remove=how == "remove")
    assert rendering.written
    assert snapshot(rendered) == {"CLAUDE.md": USER_TEXT}
    assert sorted(path.name for path in rendered.iterdir()) == [".vettle", "CLAUDE.md"]
    assert sorted(path.name for path in (rendered / ".vettle").iterdir()) == [".gitignore", "render.lock"]
    assert render(rendered, [], remove=True).in_sync


def test_folders_with_other_files_stay(rendered: Path) -> None:
    """A folder we made is kept when the user has put something into it."""
    mine = rendered / ".cursor/rules/mine.mdc"
    mine.write_text("mine")
    render(rendered, [], write=True, remove=True)
    assert snapshot(rendered) == {"CLAUDE.md": USER_TEXT, ".cursor/rules/mine.mdc": b"mine"}


def test_folders_that_were_there_stay(tmp_path: Path) -> None:
    """An empty folder of the user's is not removed, only what we made inside it."""
    (tmp_path / ".cursor").mkdir()
    render(tmp_path, three_rules(), write=True)
    assert (tmp_path / ".cursor/rules/vettle.mdc").exists()
    render(tmp_path, [], write=True, remove=True)
    assert (tmp_path / ".cursor").is_dir()
    assert not (tmp_path / ".cursor/rules").exists()


def test_remove_can_name_one_target(rendered: Path) -> None:
    """Removing one assistant's rules leaves the others alone."""
    render(rendered, three_rules(), targets=["cursor"], write=True, remove=True)
    assert not (rendered / ".cursor").exists()
    assert render(rendered, three_rules()).in_sync


FILES = st.lists(
    st.sampled_from(["\n", "\r\n", "\r", "x", " ", "\ufeff", "# T", "```\na\n```\n", "é", "- a"]), max_size=8
).map(lambda pieces: "".join(pieces).encode())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(claude=FILES, copilot=FILES)
def test_render_then_remove_restores_the_project(
    tmp_path_factory: pytest.TempPathFactory, claude: bytes, copilot: bytes
) -> None:
    """Whatever is in the user's files, they come back byte for byte, and nothing else is left."""
    root = tmp_path_factory.mktemp("project")
    (root / ".github").mkdir()
    (root / "CLAUDE.md").write_bytes(claude)
    (root / ".github/copilot-instructions.md").write_bytes(copilot)
    before = snapshot(root)
    rendering = render(root, three_rules(), targets=["claude", "copilot"], write=True)
    if rendering.written:
        assert snapshot(root)["CLAUDE.md"].startswith(claude)
        assert render(root, three_rules()).in_sync
        render(root, [], write=True, remove=True)
    assert snapshot(root) == before


# --- files that vettle creates -----------------------------------------------------------------


def test_no_claude_file_is_created_beside_agents_file(tmp_path: Path) -> None:
    """A new CLAUDE.md would switch AGENTS.md off in Claude Code, so the rules go to a rule file instead."""
    (tmp_path / "AGENTS.md").write_text("Read me.")
    render(tmp_path, three_rules(), targets=["claude"], write=True)
    text = (tmp_path / ".claude/rules/vettle.md").read_text()
    assert text == "# Learned rules\n\n- Always run the type checker before committing.\n"
    assert not (tmp_path / "CLAUDE.md").exists()
    render(tmp_path, [], write=True, remove=True)
    assert snapshot(tmp_path) == {"AGENTS.md": b"Read me."}


def test_created_file_stays_once_the_user_wrote_in_it(tmp_path: Path) -> None:
    """A file that we created is deleted with the rules only if nothing but our text is left in it."""
    render(tmp_path, three_rules(), targets=["claude"], write=True)
    with (tmp_path / "CLAUDE.md").open("a") as stream:
        stream.write("\nMine.\n")
    render(tmp_path, three_rules()[1:], write=True)
    assert snapshot(tmp_path)["CLAUDE.md"].split() == [b"Mine."]
    assert render(tmp_path, three_rules()[1:]).in_sync


def test_created_file_that_the_user_wrote_anew_is_theirs(tmp_path: Path) -> None:
    """A CLAUDE.md without our block is the user's, even if it reads like the one we once created."""
    render(tmp_path, three_rules(), targets=["claude"], write=True)
    (tmp_path / "CLAUDE.md").write_text("")
    render(tmp_path, three_rules(), write=True)
    render(tmp_path, [], write=True, remove=True)
    assert (tmp_path / "CLAUDE.md").read_text() == ""


def test_empty_file_of_the_user_is_not_deleted(tmp_path: Path) -> None:
    """An empty CLAUDE.md that was there before is there afterwards, empty."""
    (tmp_path / "CLAUDE.md").touch()
    render(tmp_path, three_rules(), write=True)
    render(tmp_path, [], write=True, remove=True)
    assert snapshot(tmp_path) == {"CLAUDE.md": b""}


# --- which assistants --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sign", "first_path"),
    [
        ("CLAUDE.md", "CLAUDE.md"),
        (".claude/", "CLAUDE.md"),
        (".cursor/", ".cursor/rules/vettle.mdc"),
        (".cursorrules", ".cursor/rules/vettle.mdc"),
        (".github/copilot-instructions.md", ".github/copilot-instructions.md"),
        (".github/instructions/", ".github/copilot-instructions.md"),
        (".windsurf/", ".windsurf/rules/vettle.md"),
        (".devin/", ".devin/rules/vettle.md"),
        (".windsurfrules", ".windsurf/rules/vettle.md"),
        (".continue/", ".continue/rules/vettle.md"),
    ],
)
def test_auto_finds_the_assistants_in_use(tmp_path: Path, sign: str, first_path: str) -> None:
    """A file or folder that an assistant leaves in a repository is enough to write for it, and for no other."""
    path = tmp_path / sign
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if sign.endswith("/") else path.touch()
    assert list(actions(render(tmp_path, [make_rule("Be kind.")]))) == [first_path]


def test_nothing_in_use_says_how_to_name_targets(tmp_path: Path) -> None:
    """Where no assistant is found nothing is written, and a note names the targets."""
    rendering = render(tmp_path, three_rules(), write=True)
    assert rendering.files == []
    assert "claude, cursor, copilot, windsurf, continue" in rendering.notes[0]
    assert list(tmp_path.iterdir()) == []


def test_devin_takes_over_from_windsurf(rendered: Path) -> None:
    """When `.devin/` appears the files move there."""
    (rendered / ".devin").mkdir()
    render(rendered, three_rules(), write=True)
    assert (rendered / ".devin/rules/vettle.md").exists()
    assert not (rendered / ".windsurf").exists()


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    """An unknown target and a folder that is none are refused before anything is read."""
    with pytest.raises(InvalidArgument, match="targets: 'vim'"):
        render(tmp_path, [], targets=["vim"])
    with pytest.raises(ProjectNotFound, match="not a folder"):
        render(tmp_path / "missing", [])


def test_preview_is_the_text_alone(tmp_path: Path) -> None:
    """A preview answers with the golden text by path and writes nothing."""
    for target in ALL_TARGETS:
        assert preview(tmp_path, three_rules(), target) == GOLDEN[target]
    assert list(tmp_path.iterdir()) == []


# --- refusals ----------------------------------------------------------------------------------


def break_block(root: Path) -> None:
    """Take the END marker out of CLAUDE.md."""
    path = root / "CLAUDE.md"
    path.write_bytes(path.read_bytes().replace(b"<!-- END vettle rules -->", b""))


def edit_block(root: Path) -> None:
    """Change a word inside the block of CLAUDE.md."""
    path = root / "CLAUDE.md"
    path.write_bytes(path.read_bytes().replace(b"Always run", b"Never run"))


def edit_file(root: Path) -> None:
    """Add a line to a file of ours."""
    with (root / ".cursor/rules/vettle.mdc").open("a") as stream:
        stream.write("- mine\n")


def drop_entry(root: Path) -> None:
    """Make a file at our path a stranger: other text, and not in the lock file."""
    lock = root / ".vettle/lock.json"
    content = json.loads(lock.read_text())
    del content["files"][".cursor/rules/vettle.mdc"]
    lock.write_text(json.dumps(content))
    edit_file(root)


def recode(root: Path) -> None:
    """Save CLAUDE.md as UTF-16."""
    path = root / "CLAUDE.md"
    path.write_bytes(path.read_text().encode("utf-16"))


def link_out(root: Path) -> None:
    """Make CLAUDE.md a link to a file outside the project."""
    outside = root.parent / f"{root.name}-outside.md"
    outside.write_bytes(b"outside")
    (root / "CLAUDE.md").unlink()
    (root / "CLAUDE.md").symlink_to(outside)


def link_to_git(root: Path) -> None:
    """Make CLAUDE.md a link into the git folder."""
    (root / ".git").mkdir()
    (root / ".git/config").write_bytes(b"[core]\n")
    (root / "CLAUDE.md").unlink()
    (root / "CLAUDE.md").symlink_to(".git/config")


def link_nowhere(root: Path) -> None:
    """Make CLAUDE.md a link to nothing."""
    (root / "CLAUDE.md").unlink()
    (root / "CLAUDE.md").symlink_to("missing.md")


def link_loop(root: Path) -> None:
    """Make CLAUDE.md a link to itself."""
    (root / "CLAUDE.md").unlink()
    (root / "CLAUDE.md").symlink_to("CLAUDE.md")


def link_own_file(root: Path) -> None:
    """Replace a file of ours by a link to a file of the user's."""
    path = root / ".cursor/rules/vettle.mdc"
    path.unlink()
    path.symlink_to(root / "CLAUDE.md")


def put_folder(root: Path) -> None:
    """Put a folder where a file of ours belongs."""
    path = root / ".cursor/rules/vettle.mdc"
    path.unlink()
    path.mkdir()


def put_file_for_folder(root: Path) -> None:
    """Put a file where a folder of ours belongs."""
    folder = root / ".continue/rules"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.touch()


REFUSED: dict[Callable[[Path], None], tuple[str, str]] = {
    break_block: ("CLAUDE.md", "without an END marker"),
    edit_block: ("CLAUDE.md", "edited by hand: the block"),
    edit_file: (".cursor/rules/vettle.mdc", "edited by hand: "),
    drop_entry: (".cursor/rules/vettle.mdc", "vettle did not write it"),
    recode: ("CLAUDE.md", "not UTF-8"),
    link_out: ("CLAUDE.md", "no rule file of this project"),
    link_to_git: ("CLAUDE.md", "no rule file of this project"),
    link_nowhere: ("CLAUDE.md", "symbolic link"),
    link_loop: ("CLAUDE.md", "CLAUDE.md"),
    link_own_file: (".cursor/rules/vettle.mdc", "symbolic link"),
    put_folder: (".cursor/rules/vettle.mdc", "not a regular file"),
    put_file_for_folder: (".continue/rules/vettle.md", "cannot be read"),
}


def assert_all_refused(root: Path, path: str, reason: str, remove: bool) -> None:
    """Check that a render is refused because of `path`, and that not a byte changed."""
    before = snapshot(root), (root / ".vettle/lock.json").read_bytes()
    rules = [make_rule("Something else."), make_rule("Annotate.", "*.py")]
    rendering = render(root, rules, write=True, remove=remove)
    assert (rendering.written, rendering.in_sync) == (False, False)
    assert reason in refusals(rendering)[path]
    assert (snapshot(root), (root / ".vettle/lock.json").read_bytes()) == before


@pytest.mark.parametrize("damage", REFUSED)
def test_one_refused_file_stops_everything(rendered: Path, damage: Callable[[Path], None]) -> None:
    """A file that is not safe to write is reported with its reason, and no other file is written either."""
    damage(rendered)
    assert_all_refused(rendered, *REFUSED[damage], remove=False)


@pytest.mark.parametrize("damage", [damage for damage in REFUSED if damage is not drop_entry])
def test_one_refused_file_stops_a_removal(rendered: Path, damage: Callable[[Path], None]) -> None:
    """Removing is as careful as rendering: one unsafe file, and everything stays."""
    damage(rendered)
    assert_all_refused(rendered, *REFUSED[damage], remove=True)


def test_a_removal_leaves_strangers_alone(rendered: Path) -> None:
    """A file at our path that is not in the lock file is none of our business when we leave."""
    drop_entry(rendered)
    kept = (rendered / ".cursor/rules/vettle.mdc").read_bytes()
    assert render(rendered, [], write=True, remove=True).written
    assert snapshot(rendered) == {"CLAUDE.md": USER_TEXT, ".cursor/rules/vettle.mdc": kept}


@pytest.mark.parametrize("edit", [edit_block, edit_file])
def test_hand_edits_are_shown_and_only_forced_away(rendered: Path, edit: Callable[[Path], None]) -> None:
    """A hand edit is refused with the diff that would undo it; force overwrites it."""
    before = snapshot(rendered)
    edit(rendered)
    rendering = render(rendered, three_rules(), write=True)
    [refused] = [file for file in rendering.files if file.action == "refused"]
    assert "\n-" in refused.diff
    with pytest.raises(EditedByHand, match="edited by hand"):
        raise_if_refused(rendering)
    assert render(rendered, three_rules(), write=True, force=True).written
    assert snapshot(rendered) == before


def test_damage_outweighs_an_edit(rendered: Path) -> None:
    """The exception is about hand edits only when there is nothing worse."""
    break_block(rendered)
    edit_file(rendered)
    with pytest.raises(FilesRefused, match="Nothing was written") as caught:
        raise_if_refused(render(rendered, three_rules()))
    assert not isinstance(caught.value, EditedByHand)
    raise_if_refused(render(rendered, three_rules(), targets=["continue"]))


def test_force_does_not_take_a_stranger_over(rendered: Path) -> None:
    """A file that vettle did not write is never overwritten, not even by force."""
    drop_entry(rendered)
    before = snapshot(rendered)
    assert not render(rendered, three_rules(), write=True, force=True).written
    assert snapshot(rendered) == before


def test_a_lost_lock_file_is_recovered(rendered: Path) -> None:
    """Without the lock file, files that are exactly what would be written are known again as ours."""
    (rendered / ".vettle/lock.json").unlink()
    assert render(rendered, three_rules(), targets=ALL_TARGETS, write=True).written
    render(rendered, [], write=True, remove=True)
    assert not (rendered / ".cursor/rules/vettle.mdc").exists()
    assert (rendered / "CLAUDE.md").read_bytes() == USER_TEXT


def test_other_line_ends_are_no_edit(rendered: Path) -> None:
    """Files that git checked out with Windows line ends are in sync."""
    for path, data in snapshot(rendered).items():
        (rendered / path).write_bytes(data.replace(b"\n", b"\r\n"))
    assert render(rendered, three_rules()).in_sync


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"version": 2, "files": {}, "directories": []}',
        b'{"version": 1, "files": {"src/main.py": {"target": "cursor", "kind": "file"}}, "directories": []}',
        b'{"version": 1, "files": {"../vettle.md": {"target": "cursor", "kind": "file"}}, "directories": []}',
        b'{"version": 1, "files": {"/etc/vettle.md": {"target": "cursor", "kind": "file"}}, "directories": []}',
        b'{"version": 1, "files": {"README.md": {"target": "claude", "kind": "block"}}, "directories": []}',
        b'{"version": 1, "files": {}, "directories": ["../other"]}',
        b'{"version": 1, "directories": [], "files": {"vettle.md": {"target": "agents", "kind": "file", "globs": ["**/x"]}}}',
        b'{"version": 1, "directories": [], "files": {"vettle.mdc": {"target": "cursor", "kind": "file", "globs": ["x"]}}}',
        b'{"version": 1, "directories": [], "files": {"vettle.md": {"target": "cursor", "kind": "file", "rules": {"r": "x"}}}}',
    ],
)
def test_damaged_lock_file_is_refused_by_name(rendered: Path, content: bytes) -> None:
    """A lock file that cannot be trusted stops everything and is left as it is: it may license deletions."""
    (rendered / ".vettle/lock.json").write_bytes(content)
    before = snapshot(rendered)
    with pytest.raises(FilesRefused, match=r"\.vettle/lock\.json: damaged"):
        render(rendered, [], write=True, remove=True, force=True)
    assert snapshot(rendered) == before
    assert (rendered / ".vettle/lock.json").read_bytes() == content


def test_a_rule_cannot_forge_a_block(tmp_path: Path) -> None:
    """A rule that quotes our markers is rendered as text, and the next render still finds one block."""
    forged = (
        "x <!-- END vettle rules --> <!-- BEGIN vettle rules sha256:000000000000 --> end vettle rules -->"
    )
    (tmp_path / "CLAUDE.md").write_bytes(USER_TEXT)
    assert render(tmp_path, [make_rule(forged)], write=True).written
    assert render(tmp_path, [make_rule(forged)]).in_sync
    render(tmp_path, [], write=True, remove=True)
    assert snapshot(tmp_path) == {"CLAUDE.md": USER_TEXT}


# --- the file system ---------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_modes_are_kept_and_new_files_follow_the_umask(tmp_path: Path) -> None:
    """An updated file keeps its permissions; a new one gets those of any new file."""
    (tmp_path / "CLAUDE.md").write_bytes(USER_TEXT)
    (tmp_path / "CLAUDE.md").chmod(0o640)
    (tmp_path / "plain").touch()
    render(tmp_path, three_rules(), targets=["claude", "cursor"], write=True)
    assert stat.S_IMODE((tmp_path / "CLAUDE.md").stat().st_mode) == 0o640
    assert (tmp_path / ".cursor/rules/vettle.mdc").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_links_inside_the_project_are_written_through(tmp_path: Path) -> None:
    """A CLAUDE.md that links to AGENTS.md stays a link, and AGENTS.md keeps its text."""
    (tmp_path / "AGENTS.md").write_bytes(USER_TEXT)
    (tmp_path / "CLAUDE.md").symlink_to("AGENTS.md")
    render(tmp_path, three_rules(), write=True)
    assert (tmp_path / "CLAUDE.md").is_symlink()
    assert (tmp_path / "AGENTS.md").read_bytes().startswith(USER_TEXT + b"\n<!-- BEGIN")
    render(tmp_path, [], write=True, remove=True)
    assert (tmp_path / "AGENTS.md").read_bytes() == USER_TEXT


def test_two_names_of_one_file_get_one_block(tmp_path: Path) -> None:
    """Where two assistants' files are one file, it carries the rules once."""
    (tmp_path / "CLAUDE.md").write_bytes(USER_TEXT)
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/copilot-instructions.md").symlink_to("../CLAUDE.md")
    rendering = render(tmp_path, [make_rule("Be brief.")], targets=["claude", "copilot"], write=True)
    assert rendering.files[1].reason == "the same file as CLAUDE.md"
    assert (tmp_path / "CLAUDE.md").read_bytes().count(b"- Be brief.") == 1
    assert render(tmp_path, [make_rule("Be brief.")]).in_sync


def test_a_file_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """What was saved between planning and writing survives, and no temporary file is left."""
    path = tmp_path / "CLAUDE.md"
    path.write_bytes(b"newer")
    for expected in (b"older", None):
        with pytest.raises(FilesRefused, match="changed while it was being rendered"):
            replace(path, b"ours", expected=expected)
    assert snapshot(tmp_path) == {"CLAUDE.md": b"newer"}


def test_vettle_keeps_its_own_folder_tidy(rendered: Path) -> None:
    """Writing leaves a lock file, sorted and versioned, and a .gitignore that the user may replace."""
    folder = rendered / ".vettle"
    assert (folder / ".gitignore").read_text() == "vettle.db*\n*.lock\n"
    lock = json.loads((folder / "lock.json").read_text())
    assert lock["version"] == 1
    assert list(lock["files"]) == sorted(snapshot(rendered))
    assert ".cursor/rules" in lock["directories"]
    assert ".vettle" not in lock["directories"]
    (folder / ".gitignore").write_text("*\n")
    render(rendered, [make_rule("New.")], write=True)
    assert (folder / ".gitignore").read_text() == "*\n"


def test_writers_take_turns(tmp_path: Path) -> None:
    """Several processes rendering at once leave one whole result and a lock file that knows it."""
    program = (
        "import sys; from pathlib import Path; from tests.renderers.support import *;"
        "from vettle.renderers.render import render;"
        "print(render(Path(sys.argv[1]), three_rules(), targets=ALL_TARGETS, write=True).written)"
    )
    repository = Path(__file__).parents[2]
    paths = [repository / name for name in ("", "engine", "renderers")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], env=environment, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    assert [process.communicate()[0].strip() for process in processes] == [b"True"] * 3
    assert render(tmp_path, three_rules()).in_sync
    assert not list(tmp_path.rglob("*.tmp"))
