from itertools import permutations

import pytest
from tests.renderers.support import documents, make_rule, three_rules

from vettle.engine.paging import tokens
from vettle.engine.records import RuleStatus
from vettle.renderers.assistants.targets import NAMES
from vettle.renderers.budget import Budget
from vettle.renderers.sheet import arrange


@pytest.mark.parametrize("status", ["quarantined", "trial", "retired"])
def test_only_proven_rules_are_rendered(status: RuleStatus) -> None:
    """A rule that is not proven or pinned goes nowhere, and is not reported as left out either."""
    sheet = arrange([make_rule("Not yet.", status=status), make_rule("Pinned.", status="pinned")])
    assert [line.text for line in sheet.always] == ["Pinned."]
    assert sheet.left_out == ()


def test_the_twenty_sixth_rule_is_left_out() -> None:
    """Twenty-five always-on rules are kept, the strongest; the next one is listed with the reason."""
    sheet = arrange([make_rule(f"Rule number {number}.") for number in range(26)])
    assert [line.text for line in sheet.always] == [f"Rule number {number}." for number in range(25)]
    assert [(one.rule_id, one.reason) for one in sheet.left_out] == [
        ("rule number 25.", "the budget of 25 rules for always-on rules is used up by stronger rules")
    ]


def test_characters_are_budgeted_too() -> None:
    """Rules stop at 2,500 characters of lines, and a short weak rule does not jump the queue."""
    texts = [f"{letter * 396}." for letter in "abcdefg"]
    sheet = arrange([make_rule(text, identifier=text[0]) for text in texts] + [make_rule("Short.")])
    assert len(sheet.always) == 6
    assert sum(len(line.text) + 3 for line in sheet.always) <= 2_500
    assert [one.rule_id for one in sheet.left_out] == ["g", "short."]
    assert "2,500 characters" in sheet.left_out[0].reason


def test_each_scoped_file_has_its_own_budget() -> None:
    """Rules about some paths do not use up the room of the always-on rules, nor of other paths."""
    rules = [make_rule(f"Python {number}.", "*.py") for number in range(26)]
    rules += [make_rule("Global."), make_rule("Tests.", "tests/**")]
    sheet = arrange(rules)
    assert [(group.slug, len(group.lines)) for group in sheet.scoped] == [("python", 25), ("tests", 1)]
    assert len(sheet.always) == 1
    assert "python files" in sheet.left_out[0].reason


def test_long_text_is_left_out_and_never_cut() -> None:
    """A rule of 401 characters is left out with its length; one of 400 is rendered whole."""
    sheet = arrange([make_rule("x" * 401, identifier="long"), make_rule("y" * 400)])
    assert [line.text for line in sheet.always] == ["y" * 400]
    assert sheet.left_out[0].rule_id == "long"
    assert "401 characters" in sheet.left_out[0].reason


def test_a_rule_no_file_can_hold_does_not_block_the_others() -> None:
    """A rule whose neutral text outgrows the whole budget is passed over, and weaker ones are kept."""
    sheet = arrange([make_rule("\ufdfa" * 400, identifier="huge"), make_rule("Small.")])
    assert [line.rule_id for line in sheet.always] == ["small."]
    assert "more than always-on rules may take" in sheet.left_out[0].reason


@pytest.mark.parametrize(("text", "globs"), [("\u200b", ()), ("Fine.", ("/etc/**",)), ("Fine.", ("a b",))])
def test_what_cannot_be_written_is_left_out_with_a_reason(text: str, globs: tuple[str, ...]) -> None:
    """A rule without visible text, or with paths that are not portable, is reported and not rendered."""
    sheet = arrange([make_rule(text, *globs, identifier="bad"), make_rule("Good.")])
    assert [line.rule_id for line in sheet.always] == ["good."]
    assert sheet.scoped == ()
    assert [one.rule_id for one in sheet.left_out] == ["bad"]


def test_left_out_rules_keep_the_order_they_came_in() -> None:
    """The report lists left-out rules strongest first, whatever the reason."""
    rules = [make_rule("A.", "*.py", identifier="a"), make_rule("B.", "*.py", identifier="b")]
    rules += [make_rule("C.", identifier="c"), make_rule("D.", identifier="d")]
    sheet = arrange([*rules, make_rule("E.", "!", identifier="e")], Budget(rules=1))
    assert [one.rule_id for one in sheet.left_out] == ["b", "d", "e"]


def test_order_matters_only_within_a_file() -> None:
    """Files, names and globs do not depend on the order of the rules."""
    expected = {target: documents(target, arrange(three_rules())) for target in NAMES}
    for order in permutations(three_rules()):
        for target in NAMES:
            assert documents(target, arrange(order)) == expected[target]


def test_rules_with_the_same_paths_share_a_file() -> None:
    """Two ways to write the same set of paths lead to one file, strongest rule first."""
    sheet = arrange([make_rule("Z.", "**/*.py", "*.pyi"), make_rule("A.", "*.{pyi,py}")])
    assert [(group.slug, [line.text for line in group.lines]) for group in sheet.scoped] == [
        ("python", ["Z.", "A."])
    ]


def test_tokens_are_a_quarter_of_the_characters() -> None:
    """The cost of a text is estimated as its length divided by four."""
    assert tokens("x" * 43) == 10


def test_fullest_windsurf_file_stays_under_its_limit() -> None:
    """A file with the most patterns and the most text still has fewer than 6,000 characters."""
    globs = [f"{'p' * 13}{number:03}" for number in range(100)]
    rules = [make_rule(f"{letter * 396}.", *globs) for letter in "abcdefgh"]
    for document in documents("windsurf", arrange(rules)):
        assert 4_000 < len(document.text) < 6_000
