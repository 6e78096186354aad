"""When a model is to be demoted, when it comes back, and what else is said about it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.engine.ranking.models_world import SCORE, ask, outcomes, ran, row

from vettle.engine.judging.degradation import ALARM, Degradation
from vettle.engine.policies.demotion import standing
from vettle.engine.policies.options import Option
from vettle.engine.project import Project
from vettle.engine.ranking.advice import REFERENCE, degraded, demotion, words


def _ever_demoted(rate: float, tasks: int, worlds: int = 2_000) -> float:
    draws = np.random.default_rng(1).random((worlds, tasks)) < rate
    return sum(demotion(outcomes("m", line)).times > 0 for line in draws.tolist()) / worlds


@pytest.mark.parametrize(("rate", "most"), [(0.9, 0.005), (0.8, 0.02), (0.7, 0.03)])
def test_good_models_are_hardly_ever_demoted(rate: float, most: float) -> None:
    """A model of success rate .8 is demoted in under 2 % of 30 tasks, looked at after each of them."""
    assert _ever_demoted(rate, 30) < most


def test_bad_models_are_demoted() -> None:
    """One of success rate .2 is demoted in nearly all of 30 tasks."""
    assert _ever_demoted(0.2, 30, worlds=300) > 0.95


def test_every_step_is_what_the_two_levels_say() -> None:
    """Looking only where something can change gives the same as looking after every result."""
    for line in (np.random.default_rng(2).random((60, 60)) < 0.5).tolist():
        demoted, times, total = False, 0, 0.0
        for n, passed in enumerate(line, start=1):
            total += passed
            before, demoted = demoted, standing(Option("m", n=n, mean=total / n), demoted=demoted).demoted
            times += demoted and not before
        found = demotion(outcomes("m", line))
        assert (found.now.demoted, found.times) == (demoted, times)


def test_a_demoted_model_comes_back_only_when_it_is_clearly_better() -> None:
    """Between the two levels it stays what it was, so the advice does not flicker."""
    failures = [0.0] * 8
    assert demotion(outcomes("m", failures)).now.demoted
    assert demotion(outcomes("m", failures + [1.0] * 4)).now.demoted
    assert not demotion(outcomes("m", [0.0] * 4 + [1.0] * 2 + [0.0] * 2)).now.demoted
    back = demotion(outcomes("m", failures + [1.0] * 8))
    assert not back.now.demoted and back.times == 1


def test_too_few_results_say_so() -> None:
    """Three failures of three are too early to demote, and the advice says it."""
    rows = outcomes("m", [0, 0, 0])
    now = demotion(rows).now
    assert not now.demoted
    assert "Too early to tell from 3" in words("m", rows, now, {})[0]
    assert demotion([]).now.demoted is False


def test_the_advice_says_what_and_why(project: Project) -> None:
    """A model that fails is advised against in its context with the probability, and still listed."""
    ask(project, "a", "b")
    ran(project, "a", [0] * 9, context="docs")
    ran(project, "a", [1] * 9, context="tests")
    found = row(project, "a", "docs")
    assert found.demoted and "P(success rate < 0.5) = 0.999 after 9 results" in found.advice[0]
    assert not row(project, "a", "tests").demoted


def test_a_model_that_got_worse_is_noticed() -> None:
    """From .9 to .4 rings in nine of ten cases after 60 more; one that stays at .8 hardly ever, in 200."""
    draws = np.random.default_rng(3)
    worse = [np.r_[draws.random(REFERENCE) < 0.9, draws.random(60) < 0.4].tolist() for _ in range(200)]
    same = [(draws.random(200) < 0.8).tolist() for _ in range(500)]
    assert sum(degraded(outcomes("m", line)) for line in worse) > 180
    assert sum(degraded(outcomes("m", line)) for line in same) <= 10
    assert not degraded(outcomes("m", [1.0] * REFERENCE))
    assert not degraded([])
    line = outcomes("m", [1.0] * REFERENCE + [0.0] * 40)
    assert any("It got worse" in said for said in words("m", line, demotion(line).now, {}))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.floats(0, 1))
def test_the_alarm_is_that_of_looking_after_every_result(later: list[float], usual: float) -> None:
    """However long the history, one look at the end says what the alarm would say that was fed one by one."""
    first = [usual] * REFERENCE
    mean = (sum(first) + 2) / (REFERENCE + 4)
    watch = Degradation(max(mean - math.sqrt(mean * (1 - mean) / (REFERENCE + 4)), 0.0))
    for reward in later:
        watch.add(reward)
    assume(abs(watch.log_evidence - math.log(ALARM)) > 1e-9)
    assert degraded(outcomes("m", [*first, *later])) == watch.ringing


def test_many_ratings_over_point_to_a_cheaper_model(project: Project) -> None:
    """When most ratings say "more than needed", the cheapest other model is named with both costs."""
    ask(project, "big", "small")
    ran(project, "small", [1] * 3, cost=0.01)
    ran(project, "big", [1, 1], cost=0.2, rating="over")
    assert not any("cheaper" in said for said in row(project, "big").advice)
    ran(project, "big", [1], cost=0.2, rating="over")
    [said] = [said for said in row(project, "big").advice if "cheaper" in said]
    assert said.startswith("3 of 3 ratings") and "small at 0.01 a run instead of 0.2" in said
    for _ in range(3):
        ran(project, "big", [1], cost=0.2, rating="ok")
    assert not any("cheaper" in said for said in row(project, "big").advice)


def test_a_cheaper_model_that_fails_is_not_advised(project: Project) -> None:
    """Being cheap is no merit of a model that is to be demoted: the next cheapest is named."""
    ask(project, "big", "small", "broken")
    ran(project, "big", [1] * 3, cost=0.2, rating="over")
    ran(project, "small", [1] * 3, cost=0.1)
    ran(project, "broken", [0] * 9, cost=0.01)
    [said] = [said for said in row(project, "big").advice if "cheaper" in said]
    assert "such as small at 0.1" in said


def test_a_low_score_is_no_failure(project: Project) -> None:
    """Where a score from 0 to 10 decides, 3 is 3: what is demoted is what does not deliver."""
    ask(project, "a", "b", metric=SCORE)
    ran(project, "a", [3.0] * 30, metric="score")
    ran(project, "b", status="failed")
    for _ in range(8):
        ran(project, "b", status="timeout")
    graded, broken = row(project, "a"), row(project, "b")
    assert (graded.successes, graded.failures, graded.rate, graded.demoted) == (30, 0, 0.3, False)
    assert (broken.successes, broken.failures, broken.demoted) == (0, 9, True)
