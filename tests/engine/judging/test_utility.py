"""A utility follows from what was declared before, and says what was done about what is missing."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vettle.engine.judging.utility import Metric, combine, method_for

PASSED = Metric("passed", "higher", "binary", weight=3)
TIME = Metric("time", "lower", "duration", 0, 60, minimum_effect=6, unit="s")


def test_a_metric_is_scaled_and_flipped() -> None:
    """The range is mapped to [0, 1], lower is better is flipped, and values beyond are clipped and counted."""
    assert TIME.utility(15).value == 0.75
    assert (TIME.utility(90).value, TIME.utility(90).clipped) == (0, 1)
    assert (PASSED.utility(1).value, PASSED.utility(0).value) == (1, 0)
    assert TIME.minimum_utility() == 0.1
    assert PASSED.minimum_utility() is None
    assert Metric("x", "higher", low=-9, high=-1).utility(-3).value == 0.75


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_better_values_never_have_lower_utilities(x: float, y: float) -> None:
    """The order of utilities and scores is the declared one, also for negative values."""
    for direction, better in (("higher", max(x, y)), ("lower", min(x, y))):
        metric = Metric("m", direction, low=-100, high=100)  # type: ignore[arg-type]
        worse = x + y - better
        assert (metric.utility(better).value or 0) >= (metric.utility(worse).value or 0)
        assert metric.score(better) >= metric.score(worse) or math.isclose(better, worse)


def test_a_direction_is_required() -> None:
    """There is no default direction, and no other word for one."""
    with pytest.raises(TypeError, match="direction"):
        Metric("m")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="'up'"):
        Metric("m", "up")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [{"low": 1, "high": 1}, {"low": math.nan}, {"minimum_effect": 0}, {"weight": -1}, {"weight": math.inf}],
)
def test_a_contradictory_metric_is_refused(wrong: dict[str, Any]) -> None:
    """An empty range, a number that is none, no minimum effect and a negative weight are refused by name."""
    with pytest.raises(ValueError, match="'m'"):
        Metric("m", "higher", **wrong)


def test_impossible_values_are_refused() -> None:
    """NaN, half a binary value, a negative count, and the utility of an unbounded metric."""
    for metric, value in ((TIME, math.nan), (PASSED, 0.5), (Metric("n", "lower", "count"), -1.0)):
        with pytest.raises(ValueError, match=repr(metric.name)):
            metric.utility(value)
    with pytest.raises(ValueError, match="t-mixture"):
        Metric("ms", "lower").utility(3.0)
    assert Metric("ms", "lower").score(3.0) == -3.0


def test_several_metrics_are_weighed() -> None:
    """The utility is sum w u / sum w, and clips are counted."""
    run = combine([PASSED, TIME], {"passed": 1, "time": 90, "other": 7})
    assert (run.value, run.clipped, run.missing, run.note) == (0.75, 1, (), "")


def test_a_missing_metric_counts_as_declared() -> None:
    """As its worst, as a missing run, or as its weight given to the others; it is always named."""
    values = {"passed": 1.0, "time": None}
    worst = combine([PASSED, TIME], values)
    skipped = combine([PASSED, TIME], values, missing="skip_run")
    others = combine([PASSED, TIME], values, missing="renormalise")
    assert (worst.value, skipped.value, others.value) == (0.75, None, 1.0)
    assert {run.missing for run in (worst, skipped, others)} == {("time",)}
    assert all(run.note for run in (worst, skipped, others))
    assert combine([PASSED, TIME], {}, missing="renormalise").value is None
    assert combine([PASSED, TIME], {}).value == 0


def test_a_failed_run_is_never_dropped_alone() -> None:
    """It counts as the worst although it was quick, or its whole block is run again."""
    assert combine([PASSED, TIME], {"time": 1.0}, failed=True).value == 0
    again = combine([PASSED, TIME], {"time": 1.0}, failed=True, failure="rerun_block")
    assert again.value is None
    assert "block" in again.note


def test_weights_have_to_add_up_to_something() -> None:
    """No metrics, no weight, or two metrics of one name make no utility."""
    for metrics in ([], [Metric("m", "higher", weight=0)], [PASSED, PASSED]):
        with pytest.raises(ValueError, match="utility"):
            combine(metrics, {})


def test_the_race_that_suits_a_metric() -> None:
    """Bets for bounded metrics, the t-mixture for unbounded ones and for little noise."""
    assert method_for(PASSED) == "betting"
    assert method_for(TIME, 20) == "betting"
    assert method_for(TIME, 3) == "mixture"
    assert method_for(Metric("ms", "lower")) == "mixture"
