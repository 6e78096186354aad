"""Confidence in words: it never says more than the verdict, and no opinion raises it."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from vettle.engine import confidence, effects, rules, standings
from vettle.engine.project import Project
from vettle.engine.records import Estimate, RuleDetails, RuleStatus
from vettle.engine.records.rules import Confidence

WORDS = get_args(Confidence)


def _estimate(
    chance: float = 0.9, shown: int = 40, withheld: int = 5, works: float = 1.0, hurts: float = 1.0
) -> Estimate:
    return Estimate(
        effect=0.05, low=-0.02, high=0.12, chance_helps=chance, shown=shown, withheld=withheld,
        e_works=works, e_hurts=hurts,
    )  # fmt: skip


_ESTIMATES = st.builds(
    _estimate,
    st.floats(0, 1),
    st.integers(0, 80),
    st.integers(0, 20),
    st.floats(0, 100),
    st.floats(0, 100),
)
_STATUS = st.sampled_from(get_args(RuleStatus))


def test_each_word_has_its_case() -> None:
    """Untried, tried a little, promising for long, proven: the four words in order."""
    cases = [
        _estimate(chance=0.99, shown=0, withheld=0),
        _estimate(chance=0.7, shown=10, withheld=0),
        _estimate(chance=0.85, shown=30),
        _estimate(works=20.0),
    ]
    assert tuple(confidence.of("trial", one) for one in cases) == WORDS


@given(_STATUS, _ESTIMATES, st.integers(0, 100))
def test_only_proof_makes_a_rule_entrenched(status: RuleStatus, estimate: Estimate, again: int) -> None:
    """A rule in use is entrenched exactly if its e-value proves it, now or when it became proven."""
    proven = status == "proven" or estimate.e_works >= effects.CLAIM
    in_use = status not in ("quarantined", "retired")
    assert (confidence.of(status, estimate, again) == "entrenched") == (proven and in_use)


@given(_STATUS.filter(lambda status: status != "proven"), st.floats(0, 1), st.integers(0, 100))
def test_a_rule_never_tried_is_speculative(status: RuleStatus, chance: float, again: int) -> None:
    """Neither a prior nor any number of reviewers makes up for trying it."""
    assert confidence.of(status, _estimate(chance=chance, shown=0, withheld=0), again) == "speculative"


@given(_STATUS, _ESTIMATES, st.integers(0, 100))
def test_the_word_agrees_with_the_verdict(status: RuleStatus, estimate: Estimate, again: int) -> None:
    """What is said to hurt, to be unpromising or retired is speculative; what is stable is promising."""
    word, verdict = confidence.of(status, estimate, again), effects.verdict(estimate, status)
    claimed = status == "proven" or estimate.e_works >= effects.CLAIM
    if not claimed and any(said in verdict for said in ("hurts", "unpromising", "retired", "no score yet")):
        assert word == "speculative"
    if word == "stable":
        assert "promising" in verdict and "unpromising" not in verdict


@given(_STATUS, _ESTIMATES, st.integers(0, 5), st.integers(0, 5))
def test_finding_a_rule_again_never_lowers_its_word(
    status: RuleStatus, estimate: Estimate, few: int, more: int
) -> None:
    """More findings give the same word or a better one, and never stable or entrenched by themselves."""
    before, after = (confidence.of(status, estimate, n) for n in (few, few + more))
    assert WORDS.index(after) >= WORDS.index(before)
    assert after == before or after == "provisional"


def test_lists_and_explanations_carry_the_word(project: Project) -> None:
    """The list, its detailed rows and the explanation say the same word and the same count."""
    rule_id = rules.add(project, text="Sort imports.", prior=0.3).rule_id
    with project.write() as transaction:
        rules.reinforce(transaction, b"1" * 16, rule_id, "review.json:1", times=3)
        rules.reinforce(transaction, b"2" * 16, rule_id, "review.json:2")
    for detailed in (False, True):
        [row] = standings.page(project, detailed=detailed).rules
        assert (row.confidence, row.found_again) == ("speculative", 4)
        assert isinstance(row, RuleDetails) == detailed
    explained = standings.explain(project, rule_id)
    assert (explained.confidence, explained.found_again) == ("speculative", 4)
