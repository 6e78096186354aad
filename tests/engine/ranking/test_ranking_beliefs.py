"""What is believed of models: strength is shared, differences leave out what is common, and nothing is forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.ranking.models_world import outcomes

from vettle.engine.policies.structured import in_context
from vettle.engine.ranking import beliefs as module
from vettle.engine.ranking.beliefs import Difference, anywhere, beliefs, difference, fold
from vettle.engine.ranking.outcomes import Outcome

ROWS = st.lists(
    st.builds(
        Outcome,
        happened=st.just(0),
        context=st.sampled_from(["x", "y", "z"]),
        value=st.sampled_from(["a", "b", "c"]),
        reward=st.floats(0, 1),
        weight=st.sampled_from([1, 2]),
    ),
    max_size=40,
)


@given(ROWS)
@settings(max_examples=50)
def test_beliefs_are_what_they_say(rows: list[Outcome]) -> None:
    """Limits hold the mean, stay in [0, 1], the chances add up, and the joint variances are those of each arm."""
    posterior = fold(rows)
    for context in ("x", "never seen", None):
        found = beliefs(posterior, ["a", "b", "c", "d"], context)
        assert all(0 <= one.low <= one.mean <= one.high <= 1 for one in found.values())
        assert sum(one.chance_best for one in found.values()) == pytest.approx(1)
        arms = [in_context(value, "x") for value in "abcd"]
        _, covariance = posterior.joint(arms)
        assert np.diagonal(covariance) == pytest.approx([one.sd**2 for one in posterior.beliefs(arms)])
        assert np.linalg.eigvalsh(covariance).min() > -1e-9


@given(ROWS)
@settings(max_examples=30)
def test_a_difference_leaves_out_what_is_common(rows: list[Outcome]) -> None:
    """Two models in the same unseen context differ as they do anywhere, but for what is their own there."""
    posterior = fold(rows)
    found, plain = difference(posterior, "a", "b", "never seen"), difference(posterior, "a", "b", None)
    assert found.mean == pytest.approx(plain.mean)
    assert found.variance == pytest.approx(plain.variance + 2 * 0.05**2)
    back = difference(posterior, "b", "a", None)
    assert back.chance_positive == pytest.approx(1 - plain.chance_positive)


def test_before_any_result_all_are_equal() -> None:
    """Nothing known: every model has the prior, and the same chance."""
    found = beliefs(fold([]), ["a", "b"], "x")
    assert found["a"].mean == found["b"].mean == 0.5 and found["a"].chance_best == pytest.approx(
        0.5, abs=0.03
    )
    assert beliefs(fold([]), [], "x") == {}
    assert difference(fold([]), "a", "a", None) == Difference(0, 0)
    assert Difference(0, 0).chance_positive == 0.5 and Difference(0.1, 0).transportation_cost == float("inf")


def test_the_transportation_cost_is_that_of_its_source() -> None:
    """(difference)^2 / variance (Shang et al. 2020), and nothing for one that is believed better."""
    assert Difference(0.2, 0.04).transportation_cost == pytest.approx(1)
    assert Difference(-0.2, 0.04).transportation_cost == 0


def test_a_result_of_weight_two_is_two_results() -> None:
    """A rating moves the belief exactly as two equal results do."""
    twice = fold([Outcome(0, "x", "a", 1.0, weight=2)])
    assert beliefs(twice, ["a"], "x") == beliefs(fold(outcomes("a", [1, 1], "x")), ["a"], "x")


def test_what_was_learned_in_one_context_helps_in_another() -> None:
    """A model that is good at one kind of work is believed better at another than one that is bad at it."""
    rows = outcomes("good", [1] * 30, "x") + outcomes("bad", [0] * 30, "x") + outcomes("other", [1] * 9, "y")
    found = beliefs(fold(rows), ["good", "bad", "unknown"], "y")
    assert found["good"].mean > found["unknown"].mean > found["bad"].mean


def test_past_the_limit_the_rarest_pairs_keep_their_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    """With too many parts, base, models and contexts are learned first, then the pairs with most results."""
    rows = outcomes("a", [1] * 20, "x") + outcomes("b", [1] * 3, "x") + outcomes("b", [1] * 2, "y")
    monkeypatch.setattr(module, "LEARNED", 6)
    posterior = fold(rows)
    whole = anywhere("b")[1:] + in_context("b", "y")[3:] + in_context("a", "x")[3:]
    moved = [posterior.beliefs([(term,)])[0].sd < term.sd - 1e-6 for term in whole]
    assert moved == [True, False, True]


def test_the_same_results_give_the_same_numbers() -> None:
    """The draws are seeded: a record can be computed again."""
    rows = outcomes("a", [1, 0, 1], "x") + outcomes("b", [1, 1, 0], "x")
    assert beliefs(fold(rows), ["a", "b"], "x") == beliefs(fold(rows), ["a", "b"], "x")
