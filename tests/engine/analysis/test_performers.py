"""The best and the worst runs: the declared direction, nothing missing, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.experiments.world import SECONDS, create, record, select, upload

from vettle.engine.analysis import performers as analysis
from vettle.engine.analysis.patterns import LEAST_RUNS, patterns
from vettle.engine.errors import InvalidArgument, UnknownExperiment
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.paging import REPLY_CHARACTERS
from vettle.engine.project import Project
from vettle.engine.records.evidence import Performers

LOSS = MetricInput(name="loss", direction="lower")
GAIN = MetricInput(name="gain", direction="higher")


def _performers(project: Project, metric: str = "", top: int = 5) -> Performers:
    return analysis.performers(project, experiment="prompt", metric=metric, top=top)


def _values(project: Project, **more: Any) -> tuple[list[float], list[float]]:
    found = _performers(project, **more)
    return [run.value for run in found.top], [run.value for run in found.bottom]


def test_negative_scores_are_ranked_as_numbers(project: Project) -> None:
    """All below zero: the least negative is the best, and a missing result is no zero that beats it."""
    create(project, metric=GAIN)
    upload(project, {"a": [-5.0, -1.0, -3.0], "b": [-2.0, -4.0]}, metric="gain")
    record(project, RunInput(unit="lost", variant="b", metrics={"gain": None}))
    assert _values(project, top=2) == ([-1.0, -2.0], [-5.0, -4.0])
    assert any("1 of 6 runs have no 'gain'" in note for note in _performers(project).notes)


def test_lower_is_better_where_it_was_declared(project: Project) -> None:
    """The fastest run is on top."""
    create(project, metric=SECONDS)
    upload(project, {"a": [10.0, 900.0], "b": [50.0, 2_000.0]}, metric="seconds")
    assert _values(project, top=1) == ([10.0], [2_000.0])


def test_another_metric_keeps_its_own_direction_or_says_that_none_is_known(project: Project) -> None:
    """Cost is better when lower; of a metric that nobody declared the largest come first, which is said."""
    create(project)
    rows = [
        RunInput(unit=f"u{i}", variant="a", metrics={"passed": 1, "length": float(i)}, cost=0.5 + i)
        for i in range(4)
    ]
    record(project, *rows)
    assert _values(project, metric="cost", top=1) == ([0.5], [3.5])
    assert _values(project, metric="length", top=1) == ([3.0], [0.0])
    assert any("never declared" in note for note in _performers(project, metric="length").notes)
    with pytest.raises(InvalidArgument, match=r"Recorded: 'cost', 'length', 'passed'"):
        _performers(project, metric="lenght")


@pytest.mark.parametrize("column", [[], [1.0], [1.0, 1.0, 1.0]])
def test_one_run_or_a_tie_has_neither_top_nor_bottom(project: Project, column: list[float]) -> None:
    """One run is not both the best and the worst, and equal runs are neither."""
    create(project, metric=GAIN)
    if column:
        upload(project, {"a": column}, metric="gain")
    found = _performers(project)
    assert (found.top, found.bottom, found.patterns) == ([], [], [])


def test_a_tie_at_the_edge_is_said(project: Project) -> None:
    """Of ten runs that passed five are listed, and nobody is told that these are better."""
    create(project)
    upload(project, {"a": [1.0] * 10, "b": [0.0] * 3})
    assert any("10 runs share the top value" in note for note in _performers(project).notes)


def test_no_run_is_on_top_and_at_the_bottom(project: Project) -> None:
    """With three runs and five wanted each list has one."""
    create(project, metric=GAIN)
    upload(project, {"a": [1.0, 2.0, 3.0]}, metric="gain")
    assert _values(project) == ([3.0], [1.0])


def test_an_unknown_experiment_is_refused(project: Project) -> None:
    """The error names what there is."""
    create(project)
    with pytest.raises(UnknownExperiment, match="prompt"):
        analysis.performers(project, experiment="promt")


def test_a_spread_does_not_depend_on_the_unit(project: Project) -> None:
    """Milliseconds and seconds spread alike; where values have both signs no relative spread is told."""
    create(project, metric=GAIN)
    rows = [
        RunInput(unit=f"u{i}", variant="a", metrics={"gain": gain, "s": s, "ms": 1_000 * s})
        for i, (gain, s) in enumerate([(-1.0, 2.0), (1.0, 4.0), (2.0, 6.0)])
    ]
    record(project, *rows)
    found = {row.metric: row for row in _performers(project).dispersion}
    assert found["s"].relative == found["ms"].relative == 0.5
    assert found["gain"].relative is None and found["gain"].deviation is not None


def test_one_value_has_no_spread(project: Project) -> None:
    """One value says nothing about dispersion, and 0 seconds means that nobody measured."""
    create(project, metric=GAIN)
    upload(project, {"a": [3.0]}, metric="gain")
    [row] = _performers(project).dispersion
    assert (row.metric, row.n, row.mean, row.deviation, row.relative) == ("gain", 1, 3.0, None, None)


def test_what_the_best_share_is_shown_as_a_hint(project: Project) -> None:
    """A dimension of the config, one of the run and the context of the assignment are all looked at."""
    create(
        project,
        of=[VariantInput(name="a", config={"tone": "calm"}), VariantInput(name="b", config={"tone": "loud"})],
    )
    for index in range(24):
        given = select(project, unit=f"u{index}", context="ci" if index % 2 else "dev")
        calm = given.variant == "a"
        row = RunInput(
            assignment_id=given.assignment_id, metrics={"passed": float(calm)}, dimensions={"size": index % 3}
        )
        record(project, row)
    found = _performers(project)
    assert (found.patterns[0].dimension, found.patterns[0].value) == ("tone", "calm")
    assert (found.patterns[0].top, found.patterns[0].bottom, found.patterns[0].n) == (1.0, 0.0, 12)
    assert any("no findings" in note for note in found.notes)


def test_long_configs_stay_out_of_the_list(project: Project) -> None:
    """A variant may be a whole prompt; the list shows its beginning."""
    create(project, of=[VariantInput(name=n, config={"prompt": n * 5_000}) for n in "ab"], metric=GAIN)
    upload(project, {"a": [1.0] * 5, "b": [2.0] * 5}, metric="gain")
    found = _performers(project)
    assert len(found.model_dump_json()) < 5_000
    assert str(found.top[0].config["prompt"]).startswith("bbb")


def test_an_answer_is_short_whatever_runs_are_made_of(project: Project) -> None:
    """Fifty runs with twenty long dimensions and fifty metrics each: shorter lists, and a note."""
    create(project, of=[VariantInput(name=n * 120, config={n: n * 90}) for n in "ab"], metric=GAIN)
    rows = [
        RunInput(
            unit=f"{i}".ljust(120, "u"),
            variant="ab"[i % 2] * 120,
            metrics={"gain": float(i), **{f"{m}".ljust(120, "m"): float(i) for m in range(40)}},
            dimensions={f"{d}".ljust(120, "d"): "x" * 120 for d in range(20)},
        )
        for i in range(50)
    ]
    assert record(project, *rows).accepted == 50
    found = _performers(project, top=20)
    assert len(found.model_dump_json()) <= REPLY_CHARACTERS
    assert found.top[0].value == 49.0 and any("shortened" in note for note in found.notes)


def test_a_number_with_many_values_is_cut_at_its_median() -> None:
    """Temperatures that are all different are told as a half, and numbers stay apart from equal texts."""
    traits = [{"temperature": i / 10, "model": 1 if i % 2 else "1"} for i in range(20)]
    found, looked_at = patterns(traits, [float(i) for i in range(20)])
    assert [(row.dimension, row.value, row.top, row.bottom) for row in found] == [
        ("temperature", "above 0.95", 1.0, 0.0)
    ]
    assert looked_at == 4


def test_a_number_that_no_float_holds_is_told_as_text() -> None:
    """JSON has whole numbers of any size; an answer with infinity in it would be no JSON."""
    found, _ = patterns([{"n": 10**400}] * 4 + [{"n": 1}] * 4, [1.0] * 4 + [0.0] * 4)
    assert [str(row.value)[:5] for row in found] == ["10000"] and isinstance(found[0].value, str)


def test_few_runs_make_no_pattern() -> None:
    """Three good runs that share something are too few to hint at anything."""
    assert patterns([{"a": "x"}] * 3 + [{"a": "y"}] * 3, [1, 1, 1, 0, 0, 0]) == ([], 0)


_TRAITS = st.dictionaries(
    st.text(max_size=5),
    st.one_of(
        st.text(max_size=3),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.none(),
    ),
    max_size=3,
)


@given(st.lists(st.tuples(_TRAITS, st.sampled_from([-1.0, 0.0, 0.5, 2.0])), max_size=40))
def test_patterns_of_anything_are_shares_with_a_difference(rows: list[tuple[dict[str, Any], float]]) -> None:
    """Whatever the names and values, shares lie in [0, 1], the better half has more, and enough runs have it."""
    found, _ = patterns([traits for traits, _ in rows], [score for _, score in rows])
    for row in found:
        assert 0 <= row.bottom < row.top <= 1
        assert row.n >= LEAST_RUNS


@given(st.lists(st.tuples(_TRAITS, st.floats(-1e6, 1e6)), min_size=8, max_size=30))
def test_patterns_do_not_depend_on_the_order_of_runs(rows: list[tuple[dict[str, Any], float]]) -> None:
    """The same runs in another order make the same patterns."""
    once = patterns([traits for traits, _ in rows], [score for _, score in rows])
    again = patterns([traits for traits, _ in rows[::-1]], [score for _, score in rows[::-1]])
    assert once == again


def test_names_with_empty_configs_are_told_by_their_variant(project: Project) -> None:
    """Where a config says nothing, the variant's name is what the best have in common."""
    create(project, of=[VariantInput(name="a"), VariantInput(name="b")])
    upload(project, {"a": [1.0] * 6, "b": [0.0] * 6})
    [pattern] = _performers(project).patterns
    assert (pattern.dimension, pattern.value) == ("variant", "a")
