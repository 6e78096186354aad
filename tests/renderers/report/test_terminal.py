"""The report as text: what it says, that it fits, and that nobody's text acts on the terminal."""

from __future__ import annotations

import math
import re
import unicodedata
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.renderers.report import experiments_made, overviews, rules_made
from tests.renderers.report.test_html import HOSTILE, TEXTS

from vettle.engine.records.overview import Overview
from vettle.renderers.report import words
from vettle.renderers.report.plain import experiments, grids, plots, rules
from vettle.renderers.report.plain.columns import breaks, width
from vettle.renderers.report.plain.glyphs import ASCII, CHARACTERS, UNICODE
from vettle.renderers.report.plain.page import Page
from vettle.renderers.report.plots.intervals import Interval
from vettle.renderers.report.scales import linear
from vettle.renderers.report.terminal import as_text

FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
OURS = re.compile(r"\x1b\[[0-9;]*m")
FLOATS = st.floats() | st.floats(-1, 1) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 5e-324, 1e308])
WIDTHS = st.integers(20, 300)
BASES = (overviews.empty, overviews.small, overviews.rich)
LISTS = (
    "answers",
    "proven",
    "trial",
    "retired",
    "quarantined",
    "discoveries",
    "experiments",
    "decisions",
    "notes",
)


@st.composite
def any_overview(draw: st.DrawFn) -> Overview:
    """Draw an overview of random parts: lists cut or repeated, texts and numbers replaced."""
    made = draw(st.sampled_from(BASES))()
    if draw(st.booleans()):
        text = draw(TEXTS)
        made = overviews.hostile(text) if made.proven else made.model_copy(update={"title": text})
    if draw(st.booleans()):
        made = overviews.with_numbers(made, draw(FLOATS))
    changes: dict[str, Any] = {}
    for name in LISTS:
        own = getattr(made, name)
        changes[name] = own[draw(st.integers(0, 2)) :] * draw(st.integers(0, 2)) if own else own
    if draw(st.booleans()):
        changes["models"] = None
    return made.model_copy(update=changes)


def seen(line: str) -> int:
    """Measure a line as plain terminals do, by the tables of Unicode alone."""
    return sum(
        0
        if unicodedata.category(one) in ("Mn", "Me", "Cf")
        else 1 + (unicodedata.east_asian_width(one) in "WF")
        for one in OURS.sub("", line)
    )


def flowing(text: str) -> str:
    """Return a page without its lines: every run of white space is one space."""
    return " ".join(text.split())


@FEW
@example(overviews.hostile("".join(HOSTILE)), 20, False, True)
@example(overviews.hostile("你好🚀" * 30), 33, True, False)
@example(overviews.with_numbers(overviews.rich(), math.nan), 41, True, True)
@given(any_overview(), WIDTHS, st.booleans(), st.booleans())
def test_every_line_fits_and_none_acts(overview: Overview, columns: int, unicode: bool, colour: bool) -> None:
    """On any terminal no line is too long, and nothing but our own colours is a control character."""
    page = as_text(overview, width=columns, unicode=unicode, colour=colour)
    assert page.endswith("\n")
    assert max(map(seen, page.split("\n"))) <= columns
    rest = OURS.sub("", page) if colour else page
    assert not [
        one for one in rest if one != "\n" and unicodedata.category(one) in ("Cc", "Zl", "Zp", "Cs", "Co")
    ]
    assert not set(rest) & set(
        "\u061c\u200b\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )
    assert unicode or page.isascii()


@FEW
@given(any_overview(), WIDTHS, st.booleans())
def test_colour_only_repeats(overview: Overview, columns: int, unicode: bool) -> None:
    """Without its colours the page is the same page, so nothing is said by colour alone."""
    plain = as_text(overview, width=columns, unicode=unicode, colour=False)
    coloured = OURS.sub("", as_text(overview, width=columns, unicode=unicode, colour=True))
    assert [line.rstrip() for line in coloured.split("\n")] == plain.split("\n")


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 100, 160, 300])
@pytest.mark.parametrize("unicode", [True, False])
def test_the_numbers_of_the_record_are_on_the_page(columns: int, unicode: bool) -> None:
    """Effects, limits, evidence, counts, means, costs and grids can be read at any width."""
    overview = overviews.rich()
    page = flowing(as_text(overview, width=columns, unicode=unicode, colour=False))
    wanted = [words.count(overview.tokens.saved), words.count(overview.tokens.candidates)]
    for standing in (*overview.proven, *overview.trial):
        rule = standing.rule
        wanted += [words.signed(rule.effect), words.limits(rule.low, rule.high), words.evidence(rule.e_works)]
        wanted += [f"shown {rule.shown}", f"withheld {rule.withheld}"]
        wanted += [words.limits(rule.causal_low, rule.causal_high)] if rule.causal_low is not None else []
        wanted += [words.count(standing.sessions_needed)] if standing.sessions_needed else []
    for one in overview.experiments:
        wanted += [words.short(variant.mean) for variant in one.results.leaderboard]
        wanted += [words.short(cell.mean) for grid in one.grids for row in grid.cells for cell in row]
    assert overview.models
    for context in overview.models.contexts:
        wanted += [words.short(variant.cost) for variant in context.variants]
        wanted += [words.percent(variant.low) for variant in context.variants]
    spelled = (
        wanted if unicode else [one.replace(words.MINUS, "-").replace(words.UNKNOWN, "-") for one in wanted]
    )
    assert len(wanted) > 80
    assert not [one for one in spelled if one not in page]


@FEW
@given(st.floats(-1, 1), st.floats(0.001, 0.5), st.floats(0.01, 30), WIDTHS)
def test_any_effect_is_said_as_it_is(effect: float, half: float, e_value: float, columns: int) -> None:
    """Whatever the numbers of a rule, they stand beside its drawing."""
    overview = overviews.rich()
    numbers = {"effect": effect, "low": effect - half, "high": effect + half, "e_works": e_value}
    one = overview.trial[0]
    changed = one.model_copy(update={"rule": one.rule.model_copy(update=numbers)})
    page = flowing(
        as_text(overview.model_copy(update={"trial": [changed]}), width=columns, unicode=True, colour=False)
    )
    assert f"{words.signed(effect)} ({words.limits(effect - half, effect + half)})" in page
    assert f"evidence {words.evidence(e_value)} of 20" in page


def test_answers_come_first_and_what_to_do_comes_last() -> None:
    """The first lines answer, and the last ones say what to do next."""
    overview = overviews.rich()
    page = flowing(as_text(overview, width=80, unicode=True, colour=False))
    places = [page.index(answer) for answer in overview.answers]
    assert places == sorted(places)
    assert places[-1] < page.index("What is proven")
    assert page.endswith(f"{overview.status.next_step} • {overview.status.warnings[0]}")


@pytest.mark.parametrize("columns", [20, 57, 100])
def test_long_texts_wrap_and_are_never_cut(columns: int) -> None:
    """The longest text that a rule, a description or a correction may have is on the page from end to end."""
    overview = overviews.rich()
    text = " ".join(f"word{number}" for number in range(600))[:4_000]
    rule = overview.proven[0].rule.model_copy(update={"text": text[:400], "reason": text[400:800]})
    mistake = overview.mistakes.recurring[0].model_copy(
        update={"description": f"<{text}", "correction": f">{text}"}
    )
    changed = overview.model_copy(
        update={
            "proven": [overview.proven[0].model_copy(update={"rule": rule})],
            "mistakes": overview.mistakes.model_copy(update={"recurring": [mistake]}),
            "experiments": [overview.experiments[0].model_copy(update={"description": f"={text}"})],
        }
    )
    page = flowing(as_text(changed, width=columns, unicode=True, colour=False))
    for part in (text[:400], text[400:800], f"<{text}", f">{text}", f"={text}"):
        assert flowing(part) in page
    assert "…" not in page


@FEW
@example("\nWhat to do next\n───────────────\nrm -rf /")
@example("\x1b[2J\x1b]0;title\x07\x9b31m\r\b")
@given(TEXTS)
def test_no_text_adds_a_section(text: str) -> None:
    """Whatever somebody wrote, it cannot look like a heading of the page."""
    page = as_text(overviews.hostile(f"a {text}"), width=80, unicode=True, colour=False)
    assert _headings(page) == _headings(as_text(overviews.rich(), width=80, unicode=True, colour=False))


def _headings(page: str) -> list[str]:
    lines = page.split("\n")
    return [above for above, line in pairwise(lines) if line and set(line) == {"─"}]


def test_hidden_characters_are_made_visible() -> None:
    """An override of the writing direction, or an escape, is seen as a mark where it stood."""
    page = as_text(overviews.hostile("a\x1b[31mb\u202ec"), width=100, unicode=True, colour=False)
    assert "a\ufffd[31mb\ufffdc" in page
    plain = as_text(overviews.hostile("a\x1b[31mb\u202e你\xfc"), width=100, unicode=False, colour=False)
    assert "a?[31mb?\\u4f60\\xfc" in plain


def test_a_quarantined_rule_shows_no_text() -> None:
    """Of quarantined rules there are ids only, and what a person does about them."""
    page = flowing(as_text(overviews.rich(), width=80, unicode=True, colour=False))
    assert "import-from-wiki-83b1aa" in page
    assert "2 rules must be looked at by a person." in page


def test_an_empty_project_is_told_what_to_do_first() -> None:
    """Nothing recorded: no section without content, but the three first steps."""
    page = flowing(as_text(overviews.empty(), width=80, unicode=True, colour=False))
    assert "Where to begin" in page and "vettle init" in page and "vettle demo" in page
    assert "What is proven" not in page


def test_what_is_left_out_is_counted() -> None:
    """A project of 5,000 rules is a page that a person can scroll, which says what it does not show."""
    page = as_text(overviews.enormous(), width=100, unicode=True, colour=False)
    assert page.count("\n") < 5_000
    flown = flowing(page)
    for said in (
        "960 rules more",
        "2,872 rules more",
        "993 rules more",
        "190 experiments more",
        "88 variants more",
    ):
        assert said in flown, said


def test_the_same_record_makes_the_same_page() -> None:
    """The page is a function of the record: no clock, no chance, no order of a set."""
    first, second = (as_text(overviews.rich(), width=90, unicode=True, colour=True) for _ in range(2))
    assert first == second


def test_one_rule_and_one_experiment_can_be_shown_alone() -> None:
    """Commands about one rule or one experiment show the same lines as the report."""
    overview = overviews.rich()
    page = Page(100, unicode=True, colour=False)
    rules.effect(page, overview.proven[0].rule)
    experiments.verdict(page, overview.experiments[2].results)
    experiments.variants(page, overview.experiments[2].results)
    text = page.text()
    assert re.search(r"believed .*├─+●─+┤ +\+0\.14 \(\+0\.09 to \+0\.19\)", text)
    assert "A winner: short prompt" in text
    assert re.search(r"long prompt \(control\) +├─+●─+┤ +0\.69 +0\.62 to 0\.76", text)


def test_rows_align_whatever_their_names_are_written_in() -> None:
    """Names of wide characters and emoji move neither the drawings nor the numbers beside them."""
    names = ["plain", "短いプロンプト", "한국어 프롬프트", "rocket 🚀", "e\u0301te\u0301"]
    said = experiments_made.verdict("insufficient", names, 31, ["too early"], "go on")
    one = experiments_made.standing("sweep", names, overviews.NOW, Random(1), said=said, periods=0)
    page = Page(100, unicode=True, colour=False)
    experiments.variants(page, one.results)
    rows = [line for line in page.text().split("\n") if "●" in line]
    assert len(rows) == len(names)
    assert {seen(row) for row in rows} == {seen(rows[0])}
    assert {seen(row[: row.index(" to ")]) for row in rows} == {seen(rows[0][: rows[0].index(" to ")])}


def test_a_heat_map_is_a_grid() -> None:
    """Headings and numbers of a column stand above each other, and every cell has the shade of its number."""
    grid = experiments_made.grid("effort", ["low", "high"], "files", ["a", "b", "c"])
    page = Page(80, unicode=False, colour=False)
    grids.heat_map(page, grid)
    assert page.text().split("\n")[2:-1] == [
        "          a           b           c",
        "low      0.42     :: 0.5 :::      -",
        "       12 runs     13 runs      0 runs",
        "high  :: 0.5 :::  == 0.58 ==  ## 0.66 ##",
        "       13 runs     14 runs     15 runs",
    ]


@pytest.mark.parametrize("columns", [20, 45, 80, 200])
def test_the_latest_of_a_long_time_is_drawn(columns: int) -> None:
    """Of ten years of weeks the latest are drawn, as many as there is room for, and the days say which."""
    overview = overviews.rich()
    work = rules_made.work(overviews.NOW, 520, Random(1))
    text = as_text(overview.model_copy(update={"work": work}), width=columns, unicode=True, colour=False)
    assert max(map(seen, text.split("\n"))) <= columns
    section = text[text.index("\nSessions\n") : text.index("\nExperiments\n")]
    assert words.day(work.periods[-1].start) in flowing(section)
    drawn = max(len(found.strip()) for found in re.findall("[▁▂▃▄▅▆▇█ ]*[▁▂▃▄▅▆▇█]", section))
    assert drawn == min(columns - 2, 53)
    assert words.day(work.periods[-drawn].start) in flowing(section)


# --- plots ----------------------------------------------------------------------------------------


@given(st.floats(-0.4, 0.4), st.floats(0.01, 0.3), st.floats(0.01, 0.3), st.integers(17, 120))
def test_an_interval_is_on_its_side_of_zero(estimate: float, below: float, above: float, room: int) -> None:
    """All rows share the column of zero, ends and centre stand in order, and the side is the colour's."""
    scale = linear([-1.0, 1.0], 0, 1)
    of = Interval(estimate, estimate - below, estimate + above)
    [(drawn, style)] = plots.interval(ASCII, scale, of, room, "o")
    zero = plots.place(scale, 0.0, room)
    assert len(drawn) == room
    assert drawn[zero] in ":+o|"
    assert drawn[plots.place(scale, estimate, room)] == "o"
    assert len(drawn.strip(" :")) >= 1
    assert (style == "helps") == (estimate - below > 0)
    assert (style == "hurts") == (estimate + above < 0)


def test_an_interval_looks_like_one() -> None:
    """Ends, centre, zero outside and inside, and arrows where it goes on beyond the scale or has no limit."""
    scale = linear([-1.0, 1.0], 0, 1)

    def drawn(estimate: float | None, low: float | None, high: float | None) -> str:
        [(text, _)] = plots.interval(ASCII, scale, Interval(estimate, low, high), 21, "o")
        return text

    assert drawn(0.5, 0.2, 0.8) == "          : |--o--|  "
    assert drawn(0.1, -0.3, 0.5) == "       |--+o---|     "
    assert drawn(-0.5, -3.0, -0.2) == "<----o--| :          "
    assert drawn(0.5, 0.2, None) == "          : |--o---->"
    assert drawn(7.0, 0.2, 9.0) == "          : |------->"
    assert drawn(0.5, None, math.nan) == "          :    o     "
    assert drawn(None, None, None) == "          :          "
    [(fine, _)] = plots.interval(UNICODE, scale, Interval(0.5, 0.2, 0.8), 21, "●")
    assert fine == "          │ ├──●──┤  "


_LIMIT = st.floats(-5, 5).map(lambda value: round(value, 6))


@given(st.tuples(_LIMIT, _LIMIT, _LIMIT).map(sorted), st.tuples(_LIMIT, _LIMIT, _LIMIT).map(sorted))
def test_the_picture_of_one_rule_is_true(believed: list[float], tossed: list[float]) -> None:
    """Both rows have one width and one zero; each is drawn once, without a hole, its centre between its limits."""
    names = ("low", "effect", "high")
    numbers = dict(zip(names, believed, strict=True))
    numbers |= {f"causal_{name}": value for name, value in zip(names, tossed, strict=True)}
    page = Page(100, unicode=True, colour=False)
    rules.effect(page, overviews.rich().proven[0].rule.model_copy(update=numbers))
    rows = [line[12:72] for line in page.text().split("\n") if line.startswith(("  believed", "  by coins"))]
    assert len(rows) == 2
    for row, mark, (low, effect, high) in zip(rows, "●◆", (believed, tossed), strict=True):
        covers = [index for index, sign in enumerate(row) if sign not in " │"]
        assert covers == list(range(covers[0], covers[-1] + 1))
        assert row.count(mark) == (abs(effect) <= 1)
        assert low >= -1 or covers[0] == 0
        assert high <= 1 or covers[-1] == len(row) - 1
        assert ("<" not in row or low < -1) and (">" not in row or high > 1)
    assert len({row.index(sign) for row in rows for sign in "│┼" if sign in row}) <= 1


def test_a_limit_beyond_any_effect_is_an_arrow() -> None:
    """An effect is at most 1 either way; what reaches farther is not drawn as if it ended there."""
    rule = overviews.rich().proven[0].rule.model_copy(update={"effect": 0.5, "low": 0.1})

    def drawn(high: float) -> str:
        page = Page(100, unicode=True, colour=False)
        rules.effect(page, rule.model_copy(update={"high": high}))
        return next(line for line in page.text().split("\n") if line.startswith("  believed"))

    assert re.search(r"├─+●─+> ", drawn(3.0))
    assert re.search(r"├─+●─+┤ ", drawn(0.9))


def test_an_axis_stands_above_its_rows() -> None:
    """The zero of the axis stands in the column in which the rows have theirs."""
    scale = linear([-0.2, 0.4], 0, 1)
    for room in (24, 37, 60):
        axis = plots.axis(scale, room)
        assert len(axis) == room
        assert axis.startswith(f"{words.MINUS}0.20") and axis.endswith("+0.40")
        assert axis[plots.place(scale, 0.0, room)] == "0"


@given(st.lists(st.none() | st.floats(), max_size=60), st.sampled_from([UNICODE, ASCII]))
def test_a_sparkline_rises_with_its_numbers(values: list[float | None], glyphs: Any) -> None:
    """Every number has one character, a larger one never a lower one, and what is unknown is a gap."""
    drawn = plots.sparkline(glyphs, values)
    assert len(drawn) == len(values)
    known = [
        (value, level)
        for value, level in zip(values, drawn, strict=True)
        if value is not None and math.isfinite(value) and abs(value) < 1e15
    ]
    assert drawn.count(" ") == len(values) - len(known)
    levels = [glyphs.levels.index(level) for _, level in sorted(known)]
    assert levels == sorted(levels)
    if known and min(known)[0] < max(known)[0]:
        assert (levels[0], levels[-1]) == (0, len(glyphs.levels) - 1)


@given(st.floats(0, 1), st.integers(2, 80))
def test_a_bar_is_full_only_at_its_goal(share: float, room: int) -> None:
    """What has begun shows, and what has not arrived does not look as if it had."""
    done = plots.bar(ASCII, share, room).count("#")
    assert (done == room) == (share == 1)
    assert (done > 0) == (share > 0)


# --- columns --------------------------------------------------------------------------------------


def test_wide_characters_take_two_columns() -> None:
    """East Asian characters and emoji are wide, accents and joiners take no room."""
    for text, columns in (
        ("abc", 3),
        ("你好", 4),
        ("🚀", 2),
        ("e\u0301", 1),
        ("ｱ", 1),
        ("\uff21", 2),
        ("❤\ufe0f", 2),
    ):
        assert width(text) == columns, text


@given(st.text(alphabet="ab 你e\u0301\u200d🚀👩\ufe0f", max_size=60), st.integers(2, 30))
def test_lines_hold_the_whole_text(text: str, room: int) -> None:
    """Lines fit, lose nothing but spaces between words, and break a word only where it is longer than a line."""
    spaced = " ".join(text.split())
    found = [spaced[line] for line in breaks(spaced, room)]
    assert "".join(found).replace(" ", "") == spaced.replace(" ", "")
    whole = re.compile("\u200d")
    assert all(width(line) <= room for line in found if not whole.search(line))
    if all(width(word) <= room for word in spaced.split()):
        assert " ".join(found) == spaced


def test_a_number_keeps_its_percent_sign() -> None:
    """No line begins with the sign that belongs to the number before it."""
    text = "it is 99 % sure"
    assert [text[line] for line in breaks(text, 8)] == ["it is", "99 %", "sure"]
    assert [text[line] for line in breaks(text, 9)] == ["it is", "99 % sure"]


def test_joined_characters_are_not_torn_apart() -> None:
    """A family of three stays one family at the end of a line."""
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert [f"abc{family}"[line] for line in breaks(f"abc{family}", 6)] == ["abc", family]


def test_the_characters_of_plots_are_narrow() -> None:
    """Each character that is drawn takes one column, so that plots align."""
    assert all(width(one) == 1 for one in CHARACTERS)
    assert "".join(vars(ASCII).values()).isascii()
