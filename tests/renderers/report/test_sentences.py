"""What the page says in words: no more than is known, in both of its forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.renderers.report import overviews
from tests.renderers.report.pages import parsed, said

from vettle.engine.experiments import verdicts
from vettle.engine.records.overview import Overview, RuleStanding
from vettle.renderers.report import sentences, words
from vettle.renderers.report.html import as_html
from vettle.renderers.report.limits import STEPS
from vettle.renderers.report.terminal import as_text
from vettle.renderers.report.text import told_apart


def _standing(**fields: object) -> RuleStanding:
    return overviews.small().trial[0].model_copy(update=fields)


def _forms(overview: Overview) -> tuple[str, str]:
    text = as_text(overview, width=100, unicode=True, colour=False)
    return said(parsed(as_html(overview))), " ".join(text.split())


@pytest.mark.parametrize(
    ("sessions", "days", "wanted"),
    [
        (1, 0.4, "About 1 more session with it proves it, {if_right}: about 1 day at the present pace."),
        (58, 9.2, "About 58 more sessions with it prove it, {if_right}: about 9 days at the present pace."),
        (
            999,
            8000.0,
            "About 1,000 more sessions with it prove it, {if_right}: more than 2 years at the present pace.",
        ),
        (
            45_312,
            None,
            "More than 10,000 more sessions with it prove it, {if_right}; no date yet, because no coin decided about "
            + "it lately.",
        ),
        (
            99_999,
            12.0,
            "More than 10,000 more sessions with it prove it, {if_right}: about 12 days at the present pace.",
        ),
    ],
)
def test_far_is_not_counted(sessions: int, days: float | None, wanted: str) -> None:
    """What is thousands of sessions away is told as a power of ten; nobody knows five figures."""
    standing = _standing(sessions_needed=sessions, days_needed=days)
    assert sentences.outlook(standing) == wanted.format(if_right="if what is believed now is right")
    assert "45,312" not in sentences.needed(_standing(sessions_needed=45_312))


def test_a_rule_without_a_coin_says_why() -> None:
    """Nothing withheld it yet because it does not look promising; before it was shown there is nothing to explain."""
    shown = _standing(flips=0, sessions_needed=None)
    assert shown.rule.shown
    assert sentences.outlook(shown).startswith("No coin yet, because a rule is shown whenever it is chosen")
    for other in (_standing(flips=1), _standing(flips=0, rule=shown.rule.model_copy(update={"shown": 0}))):
        assert "No coin yet" not in sentences.outlook(other)


def test_a_proof_whose_evidence_fell_says_how_far_it_came() -> None:
    """A claim holds from when the evidence reached 20, so the page tells that evidence, its day and today's."""
    made = overviews.rich().proven[0]
    fallen = made.rule.model_copy(update={"e_works": 3.2, "status": "proven"})
    standing = made.model_copy(update={"rule": fallen, "proven_with": 21.5})
    for text in _forms(overviews.small().model_copy(update={"proven": [standing]})):
        assert (
            f"Its evidence was 21 when it was proven on {words.day(standing.since)}, and is 3.2 now." in text
        )
        assert "evidence would ever get to 21 with a chance of at most 1 in 21" in text
        assert "1 in 3" not in text


def test_both_forms_say_the_same_of_a_rule_without_outlook() -> None:
    """A rule that is not believed to help has no date, and is told why."""
    overview = overviews.small().model_copy(update={"trial": [_standing(sessions_needed=None)]})
    for text in _forms(overview):
        assert "it is not believed to help by an amount that could be proven" in text


def test_the_numbers_beside_a_persons_decision_are_not_its_reason() -> None:
    """What decides by itself decided on its numbers; a person may have decided on anything."""
    overview = overviews.rich()
    decision = next(one for one in overview.decisions if one.kind == "rule" and one.evidence)
    for by, wanted, other in (
        ("evidence", "On this evidence:", "Known by then:"),
        ("person", "Known by then:", "On this evidence:"),
    ):
        page = overview.model_copy(update={"decisions": [decision.model_copy(update={"by": by})]})
        for text in _forms(page):
            assert wanted in text and other not in text


def test_a_proof_whose_interval_holds_zero_is_explained() -> None:
    """The interval by coin flips is coarser than the evidence: where they seem to disagree, the page says which counts."""
    overview = overviews.rich()
    first = overview.proven[0]
    low = first.rule.model_copy(
        update={"status": "proven", "e_works": 42.0, "causal_effect": 0.1, "causal_low": -0.01}
    )
    clear = low.model_copy(update={"causal_low": 0.01})
    for rule, times in ((low, 1), (clear, 0)):
        page = overview.model_copy(update={"proven": [first.model_copy(update={"rule": rule})]})
        for text in _forms(page):
            assert text.count("What proves is the evidence.") == times


@pytest.mark.parametrize(
    ("logged", "wanted"),
    [
        (
            "P(effect > 0.05) < 0.05 wherever it was tried, after 25 showings",
            (
                "the chance that it adds more than 5 points to a score of 100 is below 5 % wherever it was tried, "
                "after 25 showings"
            ),
        ),
        (
            "retired: P(effect > .05) = .02",
            "retired: the chance that it adds more than 5 points to a score of 100 is 2 %",
        ),
        ("works: E=27.1 (of rules that do nothing)", "works: evidence 27.1 (of rules that do nothing)"),
        (
            "works: E>10,000 (of rules that do nothing)",
            "works: evidence over 10,000 (of rules that do nothing)",
        ),
        ("the team voted", "the team voted"),
    ],
)
def test_a_formula_is_said_in_words(logged: str, wanted: str) -> None:
    """What is logged as a formula is read by people as a sentence; everything else is left alone."""
    assert sentences.plainly(logged) == wanted


def test_a_persons_reason_is_quoted() -> None:
    """Only what the evidence decided is put in other words."""
    reason = "P(effect > 0.05) < 0.05, says the team"
    first = overviews.rich().decisions[0]
    for by, quoted in (("person", True), ("evidence", False)):
        decided = first.model_copy(update={"by": by, "reason": reason, "kind": "rule"})
        for text in _forms(overviews.rich().model_copy(update={"decisions": [decided]})):
            assert (reason in text) is quoted


def test_saved_tokens_are_said_with_their_condition() -> None:
    """Retiring saves only what every session would have read: the number never stands without that."""
    for text in _forms(overviews.rich()):
        assert "In a file that every session reads, the " in text
        assert "had every session read the " in text


def test_a_breached_guardrail_withholds_only_a_win() -> None:
    """An experiment that is too early to tell is just that, whatever else it breaches."""
    verdict = words.standing_verdict(overviews.rich().experiments[0].results)
    assert verdict is not None
    blocked = verdict.model_copy(update={"blocked_by": ["minutes"]})
    assert words.outcome(blocked.model_copy(update={"outcome": "insufficient"})) == "Too early to tell"
    assert "withheld" in words.outcome(blocked.model_copy(update={"outcome": "invalid"}))


def test_the_level_of_an_interval_is_that_of_the_engine() -> None:
    """What stands above the limits of variants is the level that they are computed at."""
    assert sentences.LEVEL.startswith(words.percent(1 - verdicts.ALPHA))


def test_a_cut_list_does_not_shorten_what_is_counted() -> None:
    """The record carries the first rules of each kind; how many there are is told of all of them."""
    overview = overviews.rich()
    rules = {"proven": 140, "pinned": 1, "trial": 18, "retired": 16, "quarantined": 3_000}
    many = overview.model_copy(update={"status": overview.status.model_copy(update={"rules": rules})})
    for text in _forms(many):
        assert "3,000 rules must be looked at by a person." in text
        left_out = 141 - len(overview.proven)
        assert f"{left_out} more rules are not shown" in text or f"{left_out} rules more" in text
    assert "Rules that are proven: 140, 18 on trial" in _forms(many)[1]


def test_our_own_sentences_are_never_cut() -> None:
    """A page that has to be small cuts other people's texts; what it says of evidence stays whole."""
    page = said(parsed(as_html(overviews.enormous())))
    assert len(sentences.READING) > STEPS[-1].text
    assert sentences.READING in page


def test_names_are_told_apart() -> None:
    """Names that are cut still differ: values without their keys, and long common beginnings left out."""
    assert told_apart(["temperature=0, prompt=long", "temperature=0.5, prompt=long"]) == [
        "0, long",
        "0.5, long",
    ]
    assert told_apart(["anthropic/claude-5-large", "anthropic/claude-5-small"]) == ["…large", "…small"]
    assert told_apart(["large-3", "small-3"]) == ["large-3", "small-3"]
    assert told_apart([]) == []


@given(st.lists(st.text(alphabet="ab=, -", max_size=30), unique=True, max_size=5))
def test_different_names_stay_different(names: list[str]) -> None:
    """Whatever is left out of names, no two of them become one, and none becomes nothing."""
    assert len(set(told_apart(names))) == len(names)
