"""The trend of the repeat rate: nothing said too early, nothing claimed by chance."""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ManualClock

from vettle.engine import mistakes, reports
from vettle.engine.analysis import calendar, recurrence, spans
from vettle.engine.analysis.trends import quantile, slope_of, trend
from vettle.engine.project import Project

MONDAY = date(2026, 6, 1)


def _days(*rows: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Return mistakes and repeats of consecutive days; days without any have no entry, as in the store."""
    return {(MONDAY + timedelta(i)).isoformat(): row for i, row in enumerate(rows) if row[0]}


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ((1, 0),),
        ((2, 1),) * 6,
        ((50, 25),),
        ((20, 0),) * 10,
        ((20, 10),) * 4,
    ],
)
def test_too_little_is_too_early(rows: tuple[tuple[int, int], ...]) -> None:
    """No mistake, few of them, one day, or only new ones: no direction and no number."""
    found = trend(_days(*rows))
    assert (found.direction, found.change, found.low, found.high) == ("too_early", None, None, None)
    assert "Too early to tell" in found.said


def test_a_rate_that_falls_is_told_with_its_limits() -> None:
    """From nine of ten to one of ten in nine days."""
    found = trend(_days(*((10, 9 - i) for i in range(9))))
    assert found.direction == "falling"
    assert found.change == pytest.approx(-0.8, abs=1e-4)
    assert found.low is not None and found.high is not None
    assert -1 <= found.low < -0.8 < found.high < 0
    assert "falling, by -80 points over 9 days" in found.said


def test_a_rise_is_told_of_mistakes_that_were_known_before() -> None:
    """From one of ten to nine of ten in nine days, and most of them known before the period: they come back."""
    days = _days(*((10, 1 + i) for i in range(9)))
    known = _days(*((10, max(i - 1, 0)) for i in range(9)))
    found = trend(days, known)
    assert found.direction == "rising" and "The repeat rate is rising" in found.said
    assert found.low is not None and found.change is not None and 0 < found.low < found.change < 0.8 + 0.01


@pytest.mark.parametrize("known", [{}, _days(*([(10, 0)] * 9))])
def test_nothing_known_before_is_no_rise(known: dict[str, tuple[int, int]]) -> None:
    """A share of repeats that grows from nothing says that it must, and shows its limits all the same."""
    found = trend(_days(*((10, 1 + i) for i in range(9))), known)
    assert found.direction == "unclear" and found.low is not None and found.low > 0
    assert "grew by +80 points" in found.said and "as it must at first" in found.said


def test_a_growth_that_is_all_of_new_kinds_is_no_rise() -> None:
    """Where the share of those known before stays, the share of repeats grew because new kinds were met again."""
    found = trend(_days(*((10, 1 + i) for i in range(9))), _days(*([(10, 4)] * 9)))
    assert found.direction == "unclear" and "met for the first time" in found.said


@pytest.mark.parametrize(("last", "said"), [(20, "all 200 mistakes"), (19, "198 of 200 mistakes")])
def test_where_all_are_repeats_it_is_not_early(last: int, said: str) -> None:
    """After any number of sessions that make known mistakes there is no trend, and no wait for one."""
    found = trend(_days(*([(20, 20)] * 8 + [(20, last)] * 2)))
    assert (found.direction, found.change) == ("unclear", None)
    assert said in found.said and "early to tell" not in found.said


def test_a_steady_rate_is_unclear() -> None:
    """Nothing changes, and that nothing changes is not claimed either."""
    found = trend(_days(*([(10, 5)] * 9)))
    assert (found.direction, found.change) == ("unclear", 0.0)


def test_far_days_cannot_make_a_share_change_by_more_than_one() -> None:
    """Many mistakes in the middle and a few far away make a steep line, which says no more than 100 points."""
    days = [(0, 1, 0), (49, 90, 0), (50, 2, 1), (51, 90, 90), (100, 1, 1)]
    slope, _ = slope_of(days)
    assert slope * 100 > 1
    found = trend({(MONDAY + timedelta(day)).isoformat(): row for day, *row in days})  # type: ignore[misc]
    assert found.change == found.high == 1.0 and found.low is not None and -1 <= found.low <= 1


def test_the_slope_is_cochrans_and_armitages() -> None:
    """The square of slope over its error is their statistic, worked by hand for three doses (10, 10, 10; 1, 3, 6)."""
    # Armitage 1955: N (N sum t r - R sum t n)^2 / (R (N - R) (N sum t^2 n - (sum t n)^2))
    n, r, t_r, t_n, tt_n = 30, 10, 15, 30, 50
    statistic = n * (n * t_r - r * t_n) ** 2 / (r * (n - r) * (n * tt_n - t_n**2))
    slope, error = slope_of([(0, 10, 1), (1, 10, 3), (2, 10, 6)])
    assert (slope / error) ** 2 == pytest.approx(statistic)


def test_students_quantile_is_never_too_small() -> None:
    """Between the entries of the table the larger one holds; with many days it is near the normal's 1.96."""
    assert (quantile(3), quantile(11), quantile(10_000)) == (3.182, 2.228, 1.980)


@pytest.mark.parametrize("clustered", [False, True])
def test_a_trend_is_claimed_by_chance_in_one_look_of_twenty(clustered: bool) -> None:
    """Of 600 months without a trend at most 7 % seem to have one, also if mistakes come in clusters of three."""
    generator, claimed = random.Random(5), 0
    for _ in range(600):
        rows = []
        for _ in range(30):
            drawn = [generator.random() < 0.4 for _ in range(generator.randint(0, 6))]
            rows.append((3 * len(drawn), 3 * sum(drawn)) if clustered else (len(drawn), sum(drawn)))
        claimed += trend(_days(*rows)).direction in ("falling", "rising")
    assert claimed / 600 <= 0.07


def _lived(
    generator: random.Random, kinds: int, *, age: int, days: int, novel: float = 0.0, removed: int = 0
) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Return what a project counts in its last `days` of `age`: four mistakes a day of a fixed behaviour.

    Kinds are as frequent as words are (1, 1/2, 1/3, ...), and a share `novel` are never made again. Rules remove the
    `removed` most frequent ones halfway: sessions that would have made them make none.
    """
    frequent = list(itertools.accumulate(1 / (kind + 1) for kind in range(kinds)))
    seen: set[object] = set()
    before: set[object] = set()
    counts, known = [], []
    for today in range(age):
        if today == age - days:
            before = set(seen)
        gone = removed if today >= age - days // 2 else 0
        drawn = generator.choices(range(kinds), cum_weights=frequent, k=4)
        every = [object() if generator.random() < novel else kind for kind in drawn]
        made = [kind for kind in every if not (isinstance(kind, int) and kind < gone)]
        repeats = 0
        for kind in made:
            repeats += kind in seen
            seen.add(kind)
        if today >= age - days:
            counts.append((len(made), repeats))
            known.append((len(made), sum(kind in before for kind in made)))
    return _days(*counts), _days(*known)


@pytest.mark.parametrize(
    ("kinds", "age", "days", "novel"),
    [
        (10, 14, 14, 0.0),
        (10, 30, 25, 0.0),
        (100, 30, 30, 0.0),
        (100, 90, 90, 0.0),
        (100, 40, 30, 0.0),
        (1_000, 60, 30, 0.0),
        (30, 120, 30, 0.3),
        (1_000, 300, 30, 0.2),
    ],
)
def test_constant_behaviour_rises_and_falls_by_chance_alone(
    kinds: int, age: int, days: int, novel: float
) -> None:
    """Few and many kinds, young and old: each direction in at most 5 % of 200 projects, 2.5 % being nominal."""
    generator = random.Random(11)
    told = [trend(*_lived(generator, kinds, age=age, days=days, novel=novel)).direction for _ in range(200)]
    assert told.count("rising") <= 10
    assert told.count("falling") <= 10


def test_rules_that_remove_kinds_of_mistakes_are_seen() -> None:
    """Of 100 projects in which a third of all mistakes are new ones, most show the fall when the frequent kinds go."""
    generator = random.Random(12)
    lived = [_lived(generator, 30, age=120, days=60, novel=0.3, removed=10) for _ in range(100)]
    assert [trend(*one).direction for one in lived].count("falling") >= 80


def test_empty_days_are_there_and_long_times_are_told_by_weeks() -> None:
    """Ten days apart make eleven rows; a quarter makes weeks that begin on Monday and lose nothing."""
    days = trend({"2026-06-01": (2, 1), "2026-06-11": (1, 0)})
    assert (days.interval, len(days.periods)) == ("day", 11)
    assert (days.periods[1].count, days.periods[1].rate) == (0, None)
    weeks = trend({"2026-06-03": (2, 1), "2026-06-07": (1, 1), "2026-08-30": (5, 0)})
    assert weeks.interval == "week" and {row.start.weekday() for row in weeks.periods} == {0}
    assert (weeks.periods[0].count, weeks.periods[-1].count) == (3, 5)


@given(st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)), max_size=20))
def test_periods_are_consecutive_and_bounded(days: list[date]) -> None:
    """Any days make at most 53 consecutive periods, the last of which holds the last day."""
    interval, starts = calendar.periods([day.isoformat() for day in days])
    step = timedelta(1) if interval == "day" else timedelta(7)
    assert len(starts) <= calendar.MOST_WEEKS and bool(starts) == bool(days)
    assert all(later - earlier == step for earlier, later in itertools.pairwise(starts))
    if days:
        assert starts[-1] == calendar.start_of(interval, max(days))


ROWS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)


@given(ROWS, ROWS)
def test_any_counts_make_a_trend_that_can_be_read(
    rows: list[tuple[int, int]], before: list[tuple[int, int]]
) -> None:
    """Limits hold the change, lie in [-1, 1], and decide the direction; nothing is lost within 53 weeks."""
    known = _days(*((count, min(count, own)) for count, own in before))
    found = trend(_days(*((count, min(count, repeats)) for count, repeats in rows)), known)
    assert sum(row.count for row in found.periods) == sum(count for count, _ in rows)
    if found.change is not None and found.low is not None and found.high is not None:
        assert -1 <= found.low <= found.change <= found.high <= 1
        assert (found.direction == "falling") == (found.high < 0)
        assert found.direction != "rising" or found.low > 0


def test_the_report_on_mistakes_has_the_trend_and_the_severities(
    project: Project, clock: ManualClock
) -> None:
    """Logged on two days, they stand in three periods, and each severity is counted within the period only."""
    mistakes.log(project, error_class="old", description="long ago")
    clock.forward(days=40)
    mistakes.log(project, error_class="import", description="NameError", severity="blocker")
    clock.forward(days=2)
    mistakes.log(project, error_class="import", description="NameError", severity="suggestion")
    found = reports.report(project, kind="mistakes").mistakes
    assert found is not None and found.trend is not None
    assert [row.count for row in found.trend.periods] == [1, 0, 1]
    assert found.severities == {"blocker": 1, "suggestion": 1}
    every = reports.report(project, kind="mistakes", period="all").mistakes
    assert every is not None and every.severities["warning"] == 1


def test_what_was_known_before_the_period_is_counted_by_its_days(
    project: Project, clock: ManualClock
) -> None:
    """A mistake of an earlier time counts in whatever words it is made again; one that is new then does not."""
    mistakes.log(project, error_class="import", description="NameError: name 'os' is not defined in a.py")
    clock.forward(days=40)
    mistakes.log(project, error_class="import", description="NameError: name 'sys' is not defined in b.py")
    mistakes.log(project, error_class="import", description="cannot find the module of the plotting library")
    clock.forward(days=1)
    mistakes.log(project, error_class="import", description="cannot find the module of the plotting library")
    mistakes.log(project, error_class="other", description="NameError: name 'os' is not defined in a.py")
    with project.read() as transaction:
        found = recurrence.known_before(transaction, spans.first_moment(transaction, "30d"))
        assert recurrence.known_before(transaction, spans.first_moment(transaction, "all")) == {}
    assert [found[name] for name in sorted(found)] == [(2, 1), (2, 0)]
