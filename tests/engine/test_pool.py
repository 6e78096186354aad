"""Which rules are candidates for a piece of work, and in which order."""

from __future__ import annotations

from vettle.engine import rules, sessions
from vettle.engine.pool import Pool, Work
from vettle.engine.project import Project
from vettle.engine.store import rules as table


def _pool(project: Project) -> Pool:
    with project.read() as transaction:
        return project.learning(transaction).pool


def _order(project: Project, work: Work) -> list[str]:
    return [rule.text for rule in _pool(project).candidates(work)]


def test_rules_that_share_words_with_the_task_come_first(project: Project) -> None:
    """Rare shared words weigh more than common ones; without any, the oldest rule is first."""
    for text in ("Write tests.", "Write tests for parsers.", "Keep imports sorted.", "Write short tests."):
        rules.add(project, text=text)
    work = Work(context="general", task="fix the parser and its tests")
    assert _order(project, work)[0] == "Write tests for parsers."
    assert _order(project, Work(context="general")) == [
        "Write tests.",
        "Write tests for parsers.",
        "Keep imports sorted.",
        "Write short tests.",
    ]


def test_context_paths_and_tags_count(project: Project) -> None:
    """A rule for this kind of work, for these paths or of a tagged category precedes one for anything."""
    rules.add(project, text="Anything.")
    rules.add(project, text="Tagged.", category="style")
    rules.add(project, text="Here.", context="docs")
    rules.add(project, text="There.", globs=["*.md"])
    work = Work(context="docs", paths=("a.md",), tags=("style",))
    assert _order(project, work) == ["Here.", "There.", "Tagged.", "Anything."]


def test_a_reworded_rule_is_found_by_its_new_words(project: Project) -> None:
    """The words of the old text no longer lead to it."""
    rules.add(project, text="Something else entirely.")
    rule_id = rules.add(project, text="Mind the parser.").rule_id
    rules.decide(project, rule_id=rule_id, action="reword", reason="x", text="Mind the lexer.")
    assert _order(project, Work(context="general", task="parser"))[0] == "Something else entirely."
    assert _order(project, Work(context="general", task="lexer"))[0] == "Mind the lexer."


def test_a_pool_from_the_table_equals_one_from_the_log(project: Project) -> None:
    """A process that restored a snapshot draws from the same pool, in the same order."""
    ids = [rules.add(project, text=f"Rule {word}.").rule_id for word in ("one", "two", "three", "four")]
    rules.decide(project, rule_id=ids[1], action="retire", reason="x")
    rules.decide(project, rule_id=ids[2], action="reword", reason="x", text="Rule five.")
    with project.read() as transaction:
        folded = project.learning(transaction).pool
        stored = Pool(table.with_status(transaction, ("trial", "retired")))
    work = Work("general", task="five")
    assert [rule.id for rule in stored.candidates(work)] == [rule.id for rule in folded.candidates(work)]
    assert [rule.text for rule in stored.candidates(work)] == ["Rule five.", "Rule one.", "Rule four."]


def test_a_big_pool_is_opened_gradually(project: Project) -> None:
    """Of 150 rules the first session is offered the 100 most relevant."""
    for index in range(150):
        rules.add(project, text=f"Rule number {index} of many.")
    started = sessions.start(project, task="x")
    replay = sessions.replay(project, started.session_id)
    assert (started.pool, replay.recorded.offered) == (150, 100)
