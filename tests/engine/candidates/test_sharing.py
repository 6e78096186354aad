"""Rules as a pack for another project: the words come across whole, the proof does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ManualClock

from vettle.engine import rules, sessions, standings
from vettle.engine.candidates import packs, sharing
from vettle.engine.candidates.packs import Pack, PackRule
from vettle.engine.errors import InvalidArgument
from vettle.engine.project import Project


def test_another_project_takes_the_rules_as_beliefs(project: Project, tmp_path: Path) -> None:
    """Text, scope and belief arrive; status and evidence begin anew, and what is retired stays at home."""
    kept = rules.add(project, text="Sort imports.", category="style", globs=["**/*.py"], prior=0.1).rule_id
    gone = rules.add(project, text="Be quick.").rule_id
    rules.decide(project, rule_id=kept, action="pin", reason="team")
    rules.decide(project, rule_id=gone, action="retire", reason="x")
    for _ in range(5):
        session = sessions.start(project, task="x", k=1).session_id
        sessions.end(project, session_id=session, outcome="accepted")
    file = tmp_path / "team.yaml"
    file.write_text(sharing.as_yaml(sharing.pack(project, name="team")), encoding="utf-8")
    (tmp_path / "other").mkdir()
    other = Project(tmp_path / "other", clock=ManualClock())
    [learned] = packs.learn(other, str(file)).rules
    taken = standings.explain(other, learned.rule_id)
    believed = standings.explain(project, kept).estimate.effect
    assert (taken.rule.text, taken.rule.globs) == ("Sort imports.", ("**/*.py",))
    assert (taken.rule.status, taken.estimate.shown) == ("trial", 0)
    assert taken.rule.prior == pytest.approx(believed, abs=1e-4) and taken.rule.prior != 0.1
    other.close()


def test_nothing_to_share_is_said(project: Project) -> None:
    """An empty pack could not be read again, so none is made."""
    with pytest.raises(InvalidArgument, match="0 rules fit"):
        sharing.pack(project, query="x")


def test_a_rule_that_no_pack_can_hold_is_named(project: Project) -> None:
    """A rule about more paths than a pack allows is said to be the reason, with its id."""
    wide = rules.add(
        project, text="Sort imports.", globs=[f"src/{number}.py" for number in range(25)]
    ).rule_id
    with pytest.raises(InvalidArgument, match=wide):
        sharing.pack(project)


def test_a_folder_with_any_name_gives_a_pack(tmp_path: Path) -> None:
    """The name of the pack is that of the project's folder, whatever that is called."""
    (tmp_path / ("a\n" * 70)).mkdir()
    odd = Project(tmp_path / ("a\n" * 70), clock=ManualClock())
    rules.add(odd, text="Sort imports.")
    assert sharing.pack(odd).name.startswith("a<U+000A>a")
    odd.close()


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=60)


@given(st.lists(_TEXT.filter(lambda text: bool(text.strip())), min_size=1, max_size=4), st.floats(-0.3, 0.3))
def test_whatever_rules_say_the_file_says_it_too(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], prior: float
) -> None:
    """Quotes, colons, hashes, dashes and words like "no" come back as the same text."""
    shared = Pack(name="a: b", rules=[PackRule(text=text, rationale=text, prior=prior) for text in texts])
    file = tmp_path_factory.mktemp("pack") / "p.yaml"
    file.write_text(sharing.as_yaml(shared), encoding="utf-8")
    assert packs.load(str(file)) == shared
