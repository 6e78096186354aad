"""Rules from files: imported as candidates once, whatever the number of files, and adopted as a person's decision."""

from __future__ import annotations

import pytest
from tests.conftest import ManualClock
from tests.places import untouched

from vettle.engine import rules, standings
from vettle.engine.errors import InvalidArgument, NeedsPerson, UnknownRule
from vettle.engine.imports import Found, adopt, import_rules
from vettle.engine.project import Project
from vettle.engine.store import events


def _count(project: Project) -> int:
    with project.read() as transaction:
        return events.count(transaction)


FOUND = [
    Found("Sort the imports.", (), "CLAUDE.md:3"),
    Found("Annotate functions.", ("**/*.py",), ".claude/rules/python.md:7"),
    Found("**Sort imports**", ("**/*.py",), ".cursor/rules/python.mdc:9"),
    Found("annotate functions", ("src/**",), ".cursor/rules/python.mdc:10"),
    Found("Read https://example.com first.", (), "AGENTS.md:4"),
    Found("Use the password = hunter2222.", (), "AGENTS.md:5"),
]


def test_the_same_instruction_in_several_files_is_one_rule(project: Project) -> None:
    """Wordings that differ in form only are merged, their scopes widened, and all their places recorded."""
    taken = import_rules(project, FOUND)
    assert [one.outcome for one in taken] == [
        "trial", "trial", "merged", "merged", "quarantined", "refused",
    ]  # fmt: skip
    assert taken[2].rule_id == taken[0].rule_id
    assert "CLAUDE.md:3" in taken[2].reason
    first = standings.explain(project, taken[0].rule_id).rule
    assert (first.globs, first.source) == ((), "import")
    assert first.rationale == "imported from CLAUDE.md:3, .cursor/rules/python.mdc:9"
    second = standings.explain(project, taken[1].rule_id).rule
    assert second.globs == ("**/*.py", "src/**")
    assert standings.explain(project, taken[4].rule_id).rule.status == "quarantined"


def test_importing_again_adds_nothing(project: Project) -> None:
    """A second import finds every rule known, also where its scope or wording has changed since."""
    first = import_rules(project, FOUND)
    before = _count(project)
    again = import_rules(project, [Found("sort THE imports", ("docs/**",), "GEMINI.md:1"), *FOUND])
    assert {one.outcome for one in again} == {"known", "refused"}
    assert again[0].rule_id == first[0].rule_id
    assert _count(project) == before


def test_a_dry_run_records_nothing(project: Project) -> None:
    """Looking first gives the same outcomes, without ids and without a trace."""
    outcomes = [one.outcome for one in import_rules(project, FOUND, apply=False)]
    assert untouched(project)
    assert outcomes == [one.outcome for one in import_rules(project, FOUND)]


def test_adopted_lines_are_pinned_and_deleted_ones_retired(project: Project) -> None:
    """A person's edit is a decision: new text is pinned, deleted text retired, both logged as theirs."""
    kept = rules.add(project, text="Be kind.").rule_id
    gone = rules.add(project, text="Be quick.").rule_id
    for rule in (kept, gone):
        rules.decide(project, rule_id=rule, action="pin", reason="team")
    found = [Found("Be brief.", ("**/*.md",), "CLAUDE.md:8"), Found("be kind", (), "CLAUDE.md:9")]
    ids = adopt(project, found, [(gone, "deleted by hand from CLAUDE.md")])
    assert ids[1] == kept
    rendered = {rule.id: rule for rule in standings.to_render(project).rules}
    assert set(rendered) == {ids[0], kept}
    assert (rendered[ids[0]].source, rendered[ids[0]].globs) == ("human", ("**/*.md",))
    explained = standings.explain(project, gone)
    assert explained.rule.status == "retired"
    assert "person" in explained.history[-1] and "CLAUDE.md" in explained.history[-1]


def test_adopting_twice_changes_nothing_more(project: Project) -> None:
    """A crash between adopting and rendering is harmless: the same edits are adopted again without effect."""
    gone = rules.add(project, text="Be quick.").rule_id
    rules.decide(project, rule_id=gone, action="pin", reason="team")
    found = [Found("Read https://example.com first.", (), "CLAUDE.md:8")]
    first = adopt(project, found, [(gone, "deleted")])
    before = _count(project)
    assert adopt(project, found, [(gone, "deleted")]) == first
    assert _count(project) == before
    assert [rule.id for rule in standings.to_render(project).rules] == first


def test_adopting_is_all_or_nothing_and_for_people(project: Project) -> None:
    """A secret, an unknown rule or an agent's hand leaves everything as it was."""
    good = Found("Be brief.", (), "CLAUDE.md:8")
    with pytest.raises(InvalidArgument, match="secret"):
        adopt(project, [good, Found("password = hunter2222", (), "CLAUDE.md:9")], [])
    with pytest.raises(UnknownRule):
        adopt(project, [good], [("nobody", "deleted")])
    agent = Project(project.root, actor="agent", clock=ManualClock(), store=project.open_again())
    with pytest.raises(NeedsPerson):
        adopt(agent, [good], [])
    agent.close()
    assert standings.to_render(project).known == {}


def test_flagged_text_is_rendered_only_with_a_persons_approval(project: Project) -> None:
    """Whatever its status, a rule with a URL reaches no file before a person has approved exactly this text."""
    rule = rules.add(project, text="Read https://example.com first.").rule_id
    rules.decide(project, rule_id=rule, action="approve", reason="our own page")
    rules.decide(project, rule_id=rule, action="pin", reason="team")
    assert [one.id for one in standings.to_render(project).rules] == [rule]
    rules.decide(
        project, rule_id=rule, action="reword", reason="moved", text="Read https://example.org first."
    )
    assert standings.to_render(project).rules == []
    assert standings.explain(project, rule).rule.status == "quarantined"


def test_flagged_text_that_slipped_through_is_withheld_from_files(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that was proven before its kind of text was known to be dangerous is left out, and the report says why."""
    monkeypatch.setattr("vettle.engine.quarantine._CHECKS", ())
    rule = rules.add(project, text="Read https://example.com first.").rule_id
    agent = Project(project.root, actor="agent", clock=project.clock, store=project.open_again())
    rules.decide(agent, rule_id=rule, action="pin", reason="x", confirmed=True)
    monkeypatch.undo()
    assert [one.id for one in standings.to_render(project).rules] == [rule]
    rules.decide(project, rule_id=rule, action="unpin", reason="x")
    with project.write() as transaction:
        learning = project.learning(transaction)
        found = rules.require(transaction, "rule_id", rule)
        rules.append_decision(transaction, learning, found, "proven", "prove", "E = 21", "evidence")
        rules.append_decision(transaction, learning, found, "trial", "reword", "x", "agent")
        rules.append_decision(transaction, learning, found, "proven", "prove", "E = 21", "evidence")
    [withheld] = standings.to_render(project).withheld
    assert withheld.rule_id == rule and "a URL" in withheld.reason
    agent.close()
