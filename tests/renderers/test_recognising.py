"""What vettle wrote and the lock file does not know: never emptied, never orphaned, and nothing else taken for it."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.renderers.hostile import HOSTILE
from tests.renderers.support import ALL_TARGETS, make_rule, snapshot, three_rules

from vettle.engine.records import Target
from vettle.renderers.edits import find_edits
from vettle.renderers.neutral import neutral
from vettle.renderers.render import render
from vettle.renderers.standing import standing

TARGETS: list[Target] = [target for target in ALL_TARGETS if target != "skill"]
KNOWN = {rule.id: rule.text for rule in three_rules()}


def rendered_without_lock(root: Path, targets: Sequence[Target]) -> dict[str, bytes]:
    """Render the three rules, lose the lock file, and return what stands there."""
    render(root, three_rules(), targets=targets, write=True)
    (root / ".vettle/lock.json").unlink()
    return snapshot(root)


@pytest.mark.parametrize("beside", ["", "AGENTS.md"])
@pytest.mark.parametrize("target", TARGETS)
def test_no_target_is_emptied_where_its_lock_file_is_missing(
    tmp_path: Path, target: Target, beside: str
) -> None:
    """A database that does not know the rules leaves every file as it is, says --adopt, and can take all rules over."""
    if beside:
        (tmp_path / beside).write_text("Ours.\n")
    before = rendered_without_lock(tmp_path, [target])
    ours = {path for path, data in before.items() if b"earned rules" in data}
    for check in (True, False):
        rendering = render(tmp_path, [], known={}, check=check, write=not check)
        assert not rendering.in_sync
        assert {file.refusal for file in rendering.files} == {"unknown_rules"}
        assert {file.path for file in rendering.files} == ours
        assert all("--adopt" in file.reason for file in rendering.files)
    assert snapshot(tmp_path) == before
    found = find_edits(tmp_path, known={})
    texts = {(new.text, one.globs) for one in found for new in one.added}
    assert ("Always run the type checker before committing.", ()) in texts
    assert len(texts) == (1 if target in ("agents", "gemini") else 3)
    assert set(standing(tmp_path, {}).foreign) == {one.path for one in found}


def test_what_this_database_knows_goes_on_as_with_the_lock_file(tmp_path: Path) -> None:
    """Rules that were retired meanwhile leave the files, and no file of ours is left behind."""
    (tmp_path / "CLAUDE.md").write_text("Ours.\n")
    rendered_without_lock(tmp_path, TARGETS)
    rendering = render(tmp_path, [], known=KNOWN, write=True)
    assert rendering.written, rendering
    # Without the lock file nobody knows that vettle made the files that carry its blocks: they stay, empty.
    left = {path: text for path, text in snapshot(tmp_path).items() if text}
    assert left == {"CLAUDE.md": b"Ours.\n"}


def test_in_sync_the_lock_file_comes_back(tmp_path: Path) -> None:
    """Where the files are as they should be, writing changes none of them and records them again."""
    before = rendered_without_lock(tmp_path, TARGETS)
    assert render(tmp_path, three_rules(), targets=TARGETS, known=KNOWN, write=True).written
    assert snapshot(tmp_path) == before
    assert (tmp_path / ".vettle/lock.json").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- Always", "* Always"),
        ("- Always", "Prose.\n\n- Always"),
        ("alwaysApply: true", "alwaysApply: false"),
    ],
)
def test_a_strangers_file_is_not_taken_for_ours(tmp_path: Path, old: str, new: str) -> None:
    """A file with our name that vettle would not write so is nobody's to overwrite, whatever its rules are."""
    rendered_without_lock(tmp_path, ["cursor"])
    file = tmp_path / ".cursor/rules/vettle.mdc"
    file.write_text(file.read_text().replace(old, new))
    theirs = file.read_bytes()
    render(tmp_path, [], known=KNOWN, write=True, force=True)
    assert file.read_bytes() == theirs
    assert ".cursor/rules/vettle.mdc" not in standing(tmp_path, {}).foreign


class _Unread(dict[str, str]):
    def items(self) -> Iterator[tuple[str, str]]:  # type: ignore[override]
        raise AssertionError("the texts of thousands of rules were read for nothing")


def test_texts_are_read_only_where_something_is_to_be_recognised(tmp_path: Path) -> None:
    """`vettle status` looks here each time: with the lock file, and with no file of ours, it costs no time per rule."""
    (tmp_path / "CLAUDE.md").write_text("Ours.\n")
    assert standing(tmp_path, _Unread(KNOWN)).foreign == []
    render(tmp_path, three_rules(), targets=TARGETS, write=True)
    assert standing(tmp_path, _Unread(KNOWN)).foreign == []
    (tmp_path / ".vettle/lock.json").unlink()
    with pytest.raises(AssertionError):
        standing(tmp_path, _Unread(KNOWN))


@settings(max_examples=30)
@given(text=st.sampled_from(HOSTILE) | st.text(max_size=60))
def test_whatever_a_rule_says_its_file_is_recognised(text: str) -> None:
    """The file of any rule that can be written is known as ours again, and its line as that rule's."""
    if not neutral(text) or len(text) > 400:
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        render(
            root,
            [make_rule(text, "*.py", "src/**/[a-z]*.ts", identifier="it")],
            targets=["cursor"],
            write=True,
        )
        (root / ".vettle/lock.json").unlink()
        assert standing(root, {}).foreign == [path for path in snapshot(root) if path.endswith(".mdc")]
        assert standing(root, {"it": text}).foreign == []
