"""Who may be tried beside the best known model, where, and how."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from tests.engine.ranking.models_world import ask, context_of, ran

from vettle.engine.experiments import assignment, lifecycle, runs
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.policies.blocks import MOST_RUNS, proportions
from vettle.engine.project import Project
from vettle.engine.ranking import ranks
from vettle.engine.ranking.beliefs import difference
from vettle.engine.ranking.challenging import whole_share
from vettle.engine.ranking.learned import learn
from vettle.engine.records.ranking import ContextRanking


def _known(project: Project) -> None:
    """Let the incumbent, one that is close, and one that is hopeless work on docs."""
    ask(project, "best", "close", "hopeless")
    ran(project, "best", [1] * 36 + [0] * 4, context="docs")
    ran(project, "close", [1] * 34 + [0] * 6, context="docs")
    ran(project, "hopeless", [0] * 30, context="docs")
    lifecycle.decide(project, experiment="models", action="close", reason="enough")


def _docs(project: Project, *low_risk: str) -> ContextRanking:
    return context_of(ranks.rank(project, low_risk=low_risk), "docs")


def test_a_challenger_is_proposed_only_where_the_risk_is_low(project: Project) -> None:
    """Elsewhere there is none, and the answer says what to declare."""
    _known(project)
    found = _docs(project, "tests")
    assert found.challenger is None and not found.low_risk
    assert "low_risk" in found.no_challenger and "[ranking]" in found.no_challenger
    assert _docs(project, "docs").challenger is not None


def test_the_challenger_is_the_hardest_to_tell_from_the_incumbent(project: Project) -> None:
    """The least transportation cost wins; a demoted model does not challenge."""
    _known(project)
    found = _docs(project, "docs").challenger
    assert found is not None and (found.incumbent, found.value, found.share) == ("best", "close", 0.1)
    expected = difference(learn(project, "model", "all").posterior, "best", "close", "docs")
    assert found.transportation_cost == pytest.approx(expected.transportation_cost, abs=1e-4)
    assert found.chance_better == pytest.approx(1 - expected.chance_positive, abs=1e-4)


def test_an_untried_model_may_challenge(project: Project) -> None:
    """Nobody knows it, so it is hard to tell from the best: that is how new models get their chance."""
    ask(project, "best", "bad", "new")
    ran(project, "best", [1] * 30, context="docs")
    ran(project, "bad", [0, 0, 1] * 10, context="docs")
    found = _docs(project, "docs").challenger
    assert found is not None and found.value == "new"


def test_following_the_call_runs_the_experiment_on_its_share(project: Project) -> None:
    """The arguments are taken as they are, one run in ten goes to the challenger, and results come back here."""
    _known(project)
    found = _docs(project, "docs").challenger
    assert found is not None and "experiment_create" in found.next_step
    call: dict[str, Any] = dict(found.call)
    created = lifecycle.create(
        project,
        **call
        | {
            "variants": [VariantInput(**one) for one in call["variants"]],
            "metric": MetricInput(**call["metric"]),
            "space": {},
        },
    )
    assert created.state == "running"
    given = [assignment.select(project, experiment=created.experiment_id, unit=f"{n}") for n in range(20)]
    assert [one.variant for one in given].count("close") == 2
    before = _docs(project).results
    rows = [RunInput(assignment_id=one.assignment_id, metrics={"success": 1}) for one in given]
    assert runs.record(project, experiment=created.experiment_id, runs=rows).accepted == 20
    again = _docs(project, "docs")
    assert again.results == before + 20
    assert again.challenger is not None and again.challenger.experiment == created.experiment_id
    assert again.challenger.call == {} and "variant_select" in again.challenger.next_step


def test_there_is_none_without_two_to_compare(project: Project) -> None:
    """With no result here, or with nobody else, the answer says so."""
    ask(project, "a", "b")
    ran(project, "a", [1] * 3, context="tests")
    none = context_of(ranks.rank(project, context="docs", low_risk=["docs"]), "docs")
    assert none.challenger is None and "No value has proved itself" in none.no_challenger
    ran(project, "b", [0] * 20, context="docs")
    ran(project, "a", [1] * 20, context="docs")
    alone = _docs(project, "docs")
    assert alone.challenger is None and "no other value than a" in alone.no_challenger


def test_a_long_value_is_not_spelled_out(project: Project) -> None:
    """The call is left to the reader when a config would fill the answer."""
    ask(project, "x" * 100, "y" * 100)
    values: list[dict[str, JsonValue]] = [{"model": {"name": "x" * 500}}, {"model": {"name": "y" * 500}}]
    lifecycle.create(
        project,
        name="long",
        variants=[VariantInput(name=f"v{index}", config=config) for index, config in enumerate(values)],
        space={},
        metric=MetricInput(name="passed", direction="higher", kind="binary"),
    )
    ran(project, "v0", [1] * 20, experiment="long", context="docs")
    ran(project, "v1", [1] * 20, experiment="long", context="docs")
    lifecycle.decide(project, experiment="long", action="close", reason="enough")
    found = _docs(project, "docs").challenger
    assert found is not None and found.call == {} and "with the configs of" in found.next_step


@given(st.floats(min_value=1e-6, max_value=0.5))
def test_any_share_fits_a_block(share: float) -> None:
    """Whatever is configured, there is a block of at most 50 runs that holds nearly that share."""
    exact = whole_share(share)
    assert Fraction(1, MOST_RUNS) <= exact <= Fraction(1, 2)
    assert abs(float(exact) - share) <= 1 / MOST_RUNS
    held = proportions({"old": exact.denominator - exact.numerator, "new": exact.numerator})
    assert sum(held.values()) <= MOST_RUNS
