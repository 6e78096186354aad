"""The ranking itself: by what is known, complete, and short enough to read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import ManualClock
from tests.engine.ranking.models_world import PASSED, ask, context_of, outcomes, ran, row, worked
from tests.places import Place, untouched

from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments import lifecycle
from vettle.engine.experiments.design import VariantInput
from vettle.engine.paging import REPLY_CHARACTERS
from vettle.engine.project import Project
from vettle.engine.ranking import chains, comparison, learned, ranks
from vettle.engine.ranking.beliefs import beliefs, fold
from vettle.engine.records.ranking import RankedVariant


def _first(rows: dict[str, list[float]], seed: int) -> str:
    """Return the model of the greatest lower limit, after the results came in random order."""
    every = [one for value, rewards in rows.items() for one in outcomes(value, rewards)]
    order = np.random.default_rng(seed).permutation(len(every)).tolist()
    found = beliefs(fold([every[index] for index in order]), list(rows), "general")
    return max(found, key=lambda value: found[value].low)


@pytest.mark.parametrize("order", ["few first", "many first"])
def test_three_of_three_does_not_rank_above_95_of_100(
    project: Project, clock: ManualClock, order: str
) -> None:
    """The lower limit decides, not the raw rate, whichever results came first."""
    ask(project, "many", "few")
    many = [float(index % 20 != 0) for index in range(100)]
    if order == "few first":
        ran(project, "few", [1, 1, 1])
    clock.forward(days=1)
    ran(project, "many", many)
    clock.forward(days=1)
    if order == "many first":
        ran(project, "few", [1, 1, 1])
    found = context_of(ranks.rank(project))
    assert [one.value for one in found.variants] == ["many", "few"] == found.chain
    assert [one.rate for one in found.variants] == [0.95, 1.0]


def test_the_best_is_named_more_often_than_by_raw_rate() -> None:
    """One model of .9 with 100 results among four of .8 with 3: we name it nearly always, the raw rate hardly ever."""
    ours = theirs = 0.0
    for seed in range(60):
        draws = np.random.default_rng((seed, 1))
        rows = {"best": (draws.random(100) < 0.9).astype(float).tolist()}
        rows |= {f"other {index}": (draws.random(3) < 0.8).astype(float).tolist() for index in range(4)}
        rates = {value: float(np.mean(rewards)) for value, rewards in rows.items()}
        top = [value for value, rate in rates.items() if rate == max(rates.values())]
        ours += _first(rows, seed) == "best"
        theirs += ("best" in top) / len(top)
    assert ours >= 57 and theirs <= 12


def test_untried_models_are_listed_with_what_is_believed_of_them(project: Project) -> None:
    """A model that was never asked here, or nowhere, is a row without numbers but with a belief."""
    ask(project, "a", "b", "never")
    ran(project, "a", [1] * 20, context="docs")
    ran(project, "b", [1] * 20, context="tests")
    found = context_of(ranks.rank(project), "docs")
    assert [(one.value, one.tried) for one in found.variants] == [("a", True), ("b", False), ("never", False)]
    elsewhere, never = found.variants[1:]
    assert never.low < elsewhere.low < elsewhere.mean < 1
    assert (elsewhere.n, elsewhere.rate, elsewhere.last_used) == (0, None, None)
    assert found.chain == ["a", "b"]
    new = ranks.rank(project, context="new")
    assert context_of(new, "new").results == 0 and len(context_of(new, "new").variants) == 3


def test_nothing_known_is_an_answer(project: Project) -> None:
    """An empty project says what to do, and a context without results is no error."""
    found = ranks.rank(project)
    assert (found.results, found.contexts, found.default_chain) == (0, [], [])
    assert "session_start" in found.next_step and "experiment_create" in found.next_step
    assert untouched(project)
    assert "session_start" not in ranks.rank(project, variable="prompt", context="x").next_step


def test_demoted_models_come_last_in_the_chain(project: Project) -> None:
    """They stay in it, because a last resort is better than none; the default knows who fails everywhere."""
    ask(project, "a", "b", "c", "never")
    ran(project, "a", [0] * 12, context="docs")
    ran(project, "b", [0, 1], context="docs")
    ran(project, "a", [1] * 12, context="tests")
    ran(project, "c", [0] * 12, context="tests")
    ranked = ranks.rank(project)
    assert context_of(ranked, "docs").chain[-1] == "a" and context_of(ranked, "docs").chain[0] == "b"
    assert context_of(ranked, "tests").chain == ["a", "b", "c"]
    assert ranked.default_chain[-1] == "c" and "never" not in ranked.default_chain
    assert chains.chains(ranked) == {
        "variable": "model",
        "period": "all",
        "default": ranked.default_chain,
        "contexts": {one.context: one.chain for one in ranked.contexts},
    }
    assert json.loads(chains.text(ranked)) == chains.chains(ranked)


def test_the_default_favours_those_who_are_good_in_many_contexts(project: Project) -> None:
    """A generalist comes before one that was lucky in a single context."""
    ask(project, "generalist", "specialist")
    for context in ("a", "b", "c", "d"):
        ran(project, "generalist", [1] * 9 + [0], context=context)
    ran(project, "specialist", [1], context="a")
    ranked = ranks.rank(project)
    assert ranked.default_chain == ["generalist", "specialist"]
    assert [(one.n, one.contexts) for one in ranked.default] == [(40, 4), (1, 1)]


def test_only_what_has_enough_results_is_handed_on(project: Project) -> None:
    """With a minimum, values with fewer results are left out, and contexts in which none is left."""
    ask(project, "a", "b")
    ran(project, "a", [1] * 10, context="docs")
    ran(project, "b", [1] * 9, context="docs")
    ran(project, "b", [1], context="tests")
    found = ranks.rank(project, minimum=10)
    assert [(one.context, [v.value for v in one.variants]) for one in found.contexts] == [("docs", ["a"])]
    assert {one.value for one in found.default} == {"a", "b"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(["accepted", "rejected", "revision"]),
            st.sampled_from(["x", "y"]),
        ),
        max_size=12,
    )
)
@settings(max_examples=8, deadline=None)
def test_every_result_is_counted_once(done: list[tuple[str, str, str]]) -> None:
    """Over contexts and models, the counts add up to what was recorded, and every tried model is in the chain."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        for model, outcome, context in done:
            worked(project, model, outcome, context)  # type: ignore[arg-type]
        ranked = ranks.rank(project)
        project.close()
    rows: list[RankedVariant] = [one for context in ranked.contexts for one in context.variants]
    assert sum(one.n for one in rows) == len(done) == ranked.results
    assert all(one.n == one.successes + one.failures for one in rows)
    for one_context in ranked.contexts:
        assert set(one_context.chain) == {model for model, _, _ in done}
        tried = [one for one in one_context.variants if one.tried]
        assert [one.low for one in tried] == sorted((one.low for one in tried), reverse=True)


def test_an_answer_stays_readable_whatever_there_is(project: Project) -> None:
    """60 values with long names in 20 contexts, with trends, fit 20,000 characters and say what is missing."""
    names = [f"{index} {'m' * 110}" for index in range(60)]
    variants = [VariantInput(name=name, config={"model": name}) for name in names]
    lifecycle.create(project, name="models", variants=variants, space={}, metric=PASSED)
    contexts = [f"{index} {'c' * 110}" for index in range(20)]
    for index, name in enumerate(names):
        ran(project, name, [0] * 6, context=contexts[index % 20], rating="over")
        ran(project, name, [1] * 2, context=contexts[0])
    whole = ranks.rank(project, period="30d", low_risk=contexts)
    answer = ranks.brief(whole, 100)
    assert len(answer.model_dump_json()) < REPLY_CHARACTERS < len(whole.model_dump_json())
    assert answer.more_contexts + len(answer.contexts) == 20 and answer.contexts[0].more > 0
    assert "raise limit" in answer.notes[-1]
    assert len(whole.contexts[0].variants) == 60


def test_the_settings_name_low_risk_contexts(place: Place, project: Project) -> None:
    """What the project declares holds without an argument, and the argument adds to it."""
    ask(project, "a", "b")
    ran(project, "a", [1] * 5, context="docs")
    place.configure('[ranking]\nlow_risk = ["docs"]\nchallenger_share = 0.25\n')
    again = place.open(clock=project.clock)
    found = context_of(ranks.rank(again, low_risk=["tests"]), "docs")
    again.close()
    assert found.low_risk and found.challenger is not None and found.challenger.share == 0.25


def test_two_models_are_compared_side_by_side(project: Project) -> None:
    """Trials, wins, mean tokens and cost, over all and per context, without dividing by nothing."""
    ask(project, "a", "b", "c")
    ran(project, "a", [1, 1, 0], context="docs", cost=0.2, tokens_in=100)
    ran(project, "b", [0, 0, 0], context="docs", cost=0.1)
    ran(project, "b", [1], context="tests")
    ran(project, "c", [1], context="types")
    found = comparison.compare(project, first="a", second="b")
    assert (found.first.trials, found.first.wins, found.first.cost, found.first.tokens) == (3, 2, 0.2, 100)
    assert (found.second.trials, found.second.wins, found.second.rate) == (4, 1, 0.25)
    assert [one.context for one in found.contexts] == ["docs", "tests"]
    assert found.contexts[1].first.rate is None and found.contexts[0].chance_first_better > 0.5
    only = comparison.compare(project, first="a", second="b", context="tests")
    assert (only.first.trials, only.second.trials) == (0, 1)


@pytest.mark.parametrize(("second", "words"), [("a", "both are 'a'"), ("z", "no model 'z'. Known: a, b")])
def test_a_comparison_takes_two_known_models(project: Project, second: str, words: str) -> None:
    """An unknown model, or the same twice, is refused with those that are known."""
    ask(project, "a", "b")
    with pytest.raises(InvalidArgument, match=words):
        comparison.compare(project, first="a", second=second)


def test_rows_stand_on_their_own_context(project: Project) -> None:
    """A model's numbers in one context are not those of another."""
    ask(project, "a", "b")
    ran(project, "a", [1] * 4, context="docs")
    ran(project, "a", [0] * 2, context="tests")
    assert (row(project, "a", "docs").n, row(project, "a", "tests").n) == (4, 2)


def test_a_context_without_results_is_not_an_empty_project(project: Project) -> None:
    """Whoever misspells a context is told which there are, and not that nothing is known."""
    ask(project, "a", "b")
    ran(project, "a", [1] * 4, context="docs")
    said = ranks.rank(project, context="dosc").next_step
    assert "Nobody has worked in this context" in said and "docs" in said


def test_the_values_with_most_results_are_ranked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions may name any number of models: past the limit the least known are left out, which is said."""
    monkeypatch.setattr(learned, "MOST_VALUES", 2)
    monkeypatch.setattr(ranks, "MOST_VALUES", 2)
    ask(project, "a", "b", "c")
    ran(project, "c", [1] * 3)
    ran(project, "b", [1] * 2)
    ran(project, "a", [1])
    found = ranks.rank(project)
    assert {one.value for one in context_of(found).variants} == {"b", "c"}
    assert any("2 of 3 values" in note for note in found.notes)
    assert comparison.compare(project, first="a", second="b").first.trials == 1
