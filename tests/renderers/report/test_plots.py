import math
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.renderers.report.pages import drawings

from vettle.renderers.report import words
from vettle.renderers.report.plots import bars, frame, heat, intervals, lines, scatter, sparkline
from vettle.renderers.report.plots.drawing import Drawing, number
from vettle.renderers.report.plots.intervals import Interval
from vettle.renderers.report.plots.lines import Line
from vettle.renderers.report.plots.scatter import Dot
from vettle.renderers.report.scales import fitting, linear, logarithmic

ANY = st.none() | st.floats()
STARTS = [date(2026, 8, 31) + timedelta(weeks=week) for week in range(30)]


def classes(markup: str) -> list[str]:
    """Return the styles of all shapes of a drawing."""
    [drawing] = drawings(markup)
    return [element.attrib["class"] for element in drawing if "class" in element.attrib]


def texts(markup: str) -> list[str]:
    """Return what is written in a drawing."""
    [drawing] = drawings(markup)
    return [element.text or "" for element in drawing if element.tag == "text"]


@given(st.lists(st.floats(-1e14, 1e14), min_size=1))
def test_a_linear_scale_holds_its_numbers(values: list[float]) -> None:
    """Ticks are round and even, there are few of them, and the first and last embrace all numbers."""
    scale = linear(values, 10, 90)
    assert scale.low <= min(values) and max(values) <= scale.high
    assert 2 <= len(scale.ticks) <= 6
    assert (scale(scale.low), scale(scale.high)) == (10, 90)
    steps = [after - before for before, after in pairwise(scale.ticks)]
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)


def test_ticks_are_the_numbers_a_person_would_choose() -> None:
    """Known ranges have known ticks."""
    assert linear([0.56, 0.77], 0, 1).ticks == (0.5, 0.6, 0.7, 0.8)
    assert linear([0, 43], 0, 1).ticks == (0, 20, 40, 60)
    assert linear([-0.03, 0.24], 0, 1).ticks == (-0.1, 0.0, 0.1, 0.2, 0.3)
    assert linear([0.1 + 0.2, 0.1], 0, 1).high == 0.1 + 0.2
    assert linear([], 0, 1).ticks == (0, 0.5, 1)
    assert linear([5, 5], 0, 1).ticks == (4.5, 5, 5.5)
    assert logarithmic([0.009, 0.412], 0, 1).ticks == (0.01, 0.1)
    assert logarithmic([1, 3], 0, 1).ticks == (1, 2, 5)


@given(st.lists(st.floats(1e-9, 1e14), min_size=1))
def test_a_wide_range_of_positive_numbers_is_logarithmic(values: list[float]) -> None:
    """From a ratio of 30 on a scale is logarithmic; either way every number is inside and order is kept."""
    scale = fitting(values, 0, 100)
    assert scale.logarithmic == (min(values) > 1e-9 and max(values) / min(values) >= 30)
    assert scale.ticks
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places)
    assert places[0] >= 0
    assert places[-1] <= 100 + 1e-6


@given(st.lists(st.floats(-100, 400), min_size=1, max_size=12))
def test_labels_keep_apart_and_in_order(wanted: list[float]) -> None:
    """Labels are 15 units from each other, inside where there is room, and in the order of what they name."""
    found = frame.apart(wanted, 10, 190)
    placed = sorted(found)
    assert all(after - before >= 15 - 1e-9 for before, after in pairwise(placed))
    assert placed[0] >= 10 - 1e-9
    assert placed[-1] <= 190 + 1e-9
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    assert [found[index] for index in order] == placed


def test_labels_that_are_far_from_each_other_stay_where_they_belong() -> None:
    """Nothing moves without need."""
    assert frame.apart([120, 30, 60], 10, 190) == [120, 30, 60]


@given(ANY, ANY, ANY, ANY)
def test_any_interval_is_drawn(
    estimate: float | None, low: float | None, high: float | None, other: float | None
) -> None:
    """Unknown, infinite and reversed limits make no drawing fail."""
    every = [Interval(estimate, low, high), Interval(other, None, high)]
    for zero in (True, False):
        scale = intervals.scale(every, zero=zero, most=0.5)
        for one in every:
            assert classes(str(intervals.row(scale, one, one, "t", zero=zero, labels=True)))
            assert texts(str(intervals.axis(scale, "t", zero=zero)))


def test_colour_follows_the_interval_and_not_the_estimate() -> None:
    """Only an interval that excludes zero has the colour of help or harm."""
    scale = intervals.scale([Interval(0.1, -0.2, 0.3)])
    for interval, style in (
        (Interval(0.1, 0.02, 0.2), "helps"),
        (Interval(-0.1, -0.2, -0.01), "hurts"),
        (Interval(0.1, -0.02, 0.2), "open"),
        (Interval(0.1, None, None), "open"),
    ):
        assert f"{style} dot" in classes(str(intervals.row(scale, interval, None, "t")))


def test_an_interval_that_leaves_the_scale_has_an_arrow() -> None:
    """What is cut off is seen to go on; what ends inside has no arrow."""
    scale = intervals.scale([Interval(0.1, -2.0, 0.2)], most=0.5)
    assert "<polygon" in intervals.row(scale, Interval(0.1, -2.0, 0.2), None, "t")
    assert "<polygon" not in intervals.row(scale, Interval(0.1, -0.2, 0.2), None, "t")


@given(st.lists(ANY, max_size=30), st.lists(ANY, max_size=30))
def test_any_series_is_drawn(first: list[float | None], second: list[float | None]) -> None:
    """Lines, bars and sparklines take whatever was recorded: gaps, NaN, infinities, a single number, nothing."""
    size = min(len(first), len(second))
    one, two, starts = first[:size], second[:size], STARTS[:size]
    drawn = [
        lines.lines([Line("a", one), Line("b", two)], starts, "t", "d"),
        sparkline.sparkline(one, "t"),
    ]
    numbers = [value or 0.0 for value in one]
    drawn.append(bars.bars(numbers, numbers, starts, "t", "d"))
    for markup in drawn:
        assert markup == "" or classes(str(markup))


def test_a_line_has_a_gap_where_nothing_is_known() -> None:
    """Two runs of numbers make two lines, and a number between two gaps is a point."""
    values = [1.0, 2.0, None, 3.0, math.nan, 4.0, 5.0]
    markup = str(lines.lines([Line("a", values)], STARTS[:7], "t", "d"))
    assert classes(markup).count("line line-1") == 3
    assert [len(run) for run in lines.segments(values)] == [2, 1, 2]


def test_several_lines_are_named_and_differ_in_more_than_colour() -> None:
    """Each line has its name in the drawing and a style of its own; the fifth is not drawn."""
    drawn = [Line(f"line {place}", [place, place + 1.0]) for place in range(5)]
    markup = str(lines.lines(drawn, STARTS[:2], "t", "d"))
    assert [text for text in texts(markup) if text.startswith("line")] == [
        f"line {place}" for place in range(4)
    ]
    assert {f"line line-{place}" for place in range(1, 5)} <= set(classes(markup))


def test_a_doubtful_point_has_another_shape() -> None:
    """What is advised against is a hollow diamond, not only another colour; what has no cost has no point."""
    dots = [
        Dot("good", 0.4, Interval(0.8, 0.7, 0.9), doubtful=False),
        Dot("bad", 0.01, Interval(0.4, 0.3, 0.5), doubtful=True),
        Dot("free", None, Interval(0.4, 0.3, 0.5), doubtful=False),
    ]
    markup = str(scatter.scatter(dots, "t", "d", "cost"))
    assert classes(markup).count("hollow") == 1
    assert "free" not in texts(markup)
    assert "cost, log scale" in texts(markup)
    assert scatter.scatter(dots[2:], "t", "d", "cost") == ""


@pytest.mark.parametrize("scale", [1e-6, 0.01, 1.0, 100.0, 1e5, 1e9])
def test_ticks_have_room(scale: float) -> None:
    """No number of an axis is cut, whether the metric is a share, a duration in milliseconds or a tiny cost."""
    values = [0.113 * scale, 0.968 * scale]
    drawn = [
        lines.lines([Line("a", values)], STARTS[:2], "t", "d"),
        lines.lines([Line("a", [0.2, 0.97])], STARTS[:2], "t", "d", percent=True),
        bars.bars(values, values, STARTS[:2], "t", "d"),
        scatter.scatter([Dot("a", scale, Interval(0.9, 0.2, 0.97), doubtful=False)], "t", "d", "cost"),
    ]
    assert not [text for markup in drawn for text in texts(str(markup)) if "…" in text]


def test_shades_run_from_the_lowest_to_the_highest() -> None:
    """The extremes have the extreme shades, the unknown has none, and a flat grid has the middle one."""
    assert heat.shades([[0.0, 0.5], [None, 1.0]]) == [[0, 3], [None, 6]]
    assert heat.shades([[2.0, 2.0]]) == [[3, 3]]
    assert heat.shades([[math.nan, None]]) == [[None, None]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_drawing_refuses_what_is_no_place(value: float) -> None:
    """The last gate: a coordinate that is not finite is an error, not a broken picture."""
    with pytest.raises(ValueError, match="no place"):
        Drawing(10, 10, "t").circle(value, 0, 1)
    with pytest.raises(ValueError, match="no place"):
        number(value)


def test_ticks_are_told_apart() -> None:
    """An axis has as many digits as its step needs, and large numbers in thousands or millions."""
    assert words.ticks([0.5, 0.6, 0.7]) == ["0.5", "0.6", "0.7"]
    assert words.ticks([0.9990, 0.9992, 0.9994]) == ["0.9990", "0.9992", "0.9994"]
    assert words.ticks([0.0, 0.5, 1.0]) == ["0", "0.5", "1.0"]
    assert words.ticks([41_200, 41_250, 41_300]) == ["41.20k", "41.25k", "41.30k"]
    assert words.ticks([0.0, 2e-6, 4e-6]) == ["0", "2e-6", "4e-6"]
    assert words.ticks([0, 20_000_000]) == ["0", "20M"]
    assert words.ticks([0.0, 0.2, 0.4], percent=True) == ["0 %", "20 %", "40 %"]
    assert words.ticks([0.86, 0.865], percent=True) == ["86.0 %", "86.5 %"]


@given(st.lists(st.floats(-1e14, 1e14), min_size=1))
def test_no_two_ticks_read_alike(values: list[float]) -> None:
    """Whatever the range is, different places on an axis have different names."""
    for percent in (False, True):
        said = words.ticks(linear(values, 0, 1).ticks, percent=percent)
        assert len(set(said)) == len(said)


def test_numbers_in_words() -> None:
    """What is written is what a person would write, and nothing is rounded to a certainty."""
    assert [words.short(value) for value in (0.0614, 4.1, 1240.4, 0, None, math.nan, 1e-9)] == [
        "0.0614", "4.1", "1,240", "0", words.UNKNOWN, words.UNKNOWN, "about 0",
    ]  # fmt: skip
    assert [words.signed(value) for value in (0.142, -0.02, 0.001, -0.001)] == [
        "+0.14",
        "\u22120.02",
        "0.00",
        "0.00",
    ]
    assert [words.chance(value) for value in (0.9999, 0.5, 0.0001)] == ["over 99 %", "50 %", "under 1 %"]
    assert [words.pace(value) for value in (2.42, 0.3, None, math.nan)] == [
        "2.4 a day", "2.1 a week", words.UNKNOWN, words.UNKNOWN,
    ]  # fmt: skip
    assert [words.period(value) for value in ("90d", "1d", "all", "x")] == [
        "the last 90 days", "the last 1 day", "all time", "x",
    ]  # fmt: skip
    assert [words.evidence(value) for value in (0.4, 9.96, 19.99, 23.9, 4e9)] == [
        "0.40",
        "9.9",
        "19",
        "23",
        "over 10,000",
    ]


@given(st.floats(0, 1e300))
def test_evidence_fills_the_bar_at_twenty_and_never_before(e_value: float) -> None:
    """The bar is empty up to 1, full from 20 on, and on the way in the proportion of logarithms."""
    share = words.share_of_claim(e_value)
    assert (share >= 1) == (e_value >= 20)
    assert (share <= 0) == (e_value <= 1)
    assert words.share_of_claim(math.sqrt(20)) == pytest.approx(0.5)


def test_a_count_has_no_half() -> None:
    """Bars count things: an axis up to one has no tick between nothing and one."""
    assert linear([0.0, 1.0], 0, 100, whole=True).ticks == (0.0, 1.0)
    assert linear([0.0, 3.0], 0, 100, whole=True).ticks == (0.0, 1.0, 2.0, 3.0)


def test_what_is_not_told_has_no_colour() -> None:
    """An interval beyond zero of an experiment without a verdict is drawn as neither good nor bad."""
    of, interval = intervals.scale([Interval(0.1, 0.05, 0.2)]), Interval(0.1, 0.05, 0.2)
    assert 'class="helps"' in intervals.row(of, interval, None, "x")
    assert 'class="helps"' not in intervals.row(of, interval, None, "x", told=False)
