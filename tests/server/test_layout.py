"""Text on a terminal: as wide as it looks, whole where it can be, and harmless."""

from __future__ import annotations

import re
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vettle.renderers.report.plain.columns import width
from vettle.server.commands import layout
from vettle.server.commands.layout import cut, harmless, table, wrapped


def _table(columns: int, headings: list[str], rows: list[list[str]], *whole: str) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "columns", lambda: columns)
        return list(table(headings, rows, whole=whole))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("plain", 5),
        ("日本語", 6),
        ("\uff46\uff55\uff4c\uff4c", 8),
        ("🎉", 2),
        ("e\u0301", 1),
        ("\u05e9\u05c1", 1),
        ("a\u200db", 2),
        ("…", 1),
        ("", 0),
    ],
)
def test_text_is_as_wide_as_it_looks(text: str, columns: int) -> None:
    """Wide characters take two columns, combining and joining ones none."""
    assert width(text) == columns


@given(st.text(), st.integers(1, 60))
def test_what_is_cut_fits_and_says_so(text: str, room: int) -> None:
    """Any text fits any room; what fits anyway stays as it is, and what was cut shows it."""
    short = cut(text, room)
    assert width(short) <= room
    assert (short == text) == (width(text) <= room)
    assert short == text or "…" in short


def test_prose_loses_its_end_and_an_id_its_middle() -> None:
    """The hash at the end of an id is what tells it from others."""
    assert cut("run the type checker before committing", 12) == "run the typ…"
    assert cut("run-the-type-checker-1a2b3c", 15) == "run-the…-1a2b3c"


@given(st.text())
def test_nothing_acts_on_a_terminal(text: str) -> None:
    """Of control characters only the tab and the end of a line are left; what is harmless stays as it is."""
    safe = harmless(text)
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", safe
    )
    assert harmless(safe) == safe


def test_emoji_and_joined_scripts_are_not_spoilt() -> None:
    """Joiners and selectors make one picture or word of several characters, and do nothing else."""
    for text in ("👩\u200d💻 ❤\ufe0f", "\u0645\u06cc\u200c\u062e\u0648", "tab\tand\nline"):
        assert harmless(text) == text


def test_a_pipe_gets_every_row_whole_and_aligned() -> None:
    """Without a terminal nothing is cut, however wide; columns begin below their headings, by what is seen."""
    rows = [["日本", "x" * 500], ["plain", "\x1b[31m"]]
    lines = _table(0, ["name", "text"], rows)
    assert lines == ["name   text", f"日本   {'x' * 500}", "plain  \x1b[31m"]


def test_the_widest_columns_give_way_and_the_verdict_stays() -> None:
    """A terminal of 60 columns gets 60; the columns that shall stay whole are."""
    rows = [["run-the-type-checker-before-committing-1a2b3c", "a task of many words " * 5, "works (proven)"]]
    lines = _table(60, ["rule", "task", "verdict"], rows, "verdict")
    assert all(width(line) <= 60 for line in lines)
    assert "works (proven)" in lines[1]
    assert "-1a2b3c" in lines[1]
    assert len(lines) == 2


def test_a_terminal_that_is_too_narrow_gets_a_list() -> None:
    """Where cutting would leave nothing to read, each row is a list, and every word is there."""
    rows = [["one" * 10, "a b " * 10, "early"], ["two", "c", "works"]]
    assert _table(30, ["rule", "task", "verdict"], rows, "rule", "verdict") == [
        f"rule     {'one' * 10}",
        f"task     {('a b ' * 10).rstrip()}",
        "verdict  early",
        "",
        "rule     two",
        "task     c",
        "verdict  works",
    ]


@given(
    st.lists(st.lists(st.text(max_size=60), min_size=3, max_size=3), min_size=1, max_size=5),
    st.integers(20, 200),
)
def test_any_table_fits_or_becomes_a_list(rows: list[list[str]], columns: int) -> None:
    """For any rows and any terminal: no line of a table is too long, and no line holds two."""
    lines = _table(columns, ["one", "two", "three"], rows)
    assert not any("\n" in line or "\r" in line for line in lines)
    if lines[0].startswith("one") and "two" in lines[0]:
        assert len(lines) == len(rows) + 1
        assert all(width(line) <= columns for line in lines)
    else:
        assert len(lines) == len(rows) * 4 - 1


def test_what_matters_least_is_left_out_first() -> None:
    """Columns go in the given order until the rest can be read; what is whole takes several lines, and loses nothing."""
    headings = ["rule", "status", "found", "verdict"]
    rows = [["sort-the-imports-1a2b3c", "trial", "twice", "early (shown 6 times, never withheld so far)"]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "columns", lambda: 60)
        lines = list(table(headings, rows, whole=("verdict",), spare=("found", "status")))
    assert lines == [
        "rule                     status  verdict",
        "sort-the-imports-1a2b3c  trial   early (shown 6 times, never",
        "                                 withheld so far)",
    ]
    assert _table(200, headings, rows)[0] == "rule                     status  found  verdict"


def _wrapped(columns: int, *lines: str) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "columns", lambda: columns)
        return list(wrapped(lines))


def test_prose_breaks_between_words_under_its_beginning() -> None:
    """A label stands alone on the left; a line that fits and a pipe are left alone."""
    line = "evidence  e-value 42 that it works, 0.27 that it hurts"
    assert _wrapped(40, line) == ["evidence  e-value 42 that it works, 0.27", "          that it hurts"]
    assert _wrapped(0, line) == _wrapped(60, line) == [line]
    assert _wrapped(10, "x" * 30) == ["x" * 30]


def test_wrapping_takes_time_in_proportion() -> None:
    """A line of hundreds of thousands of blanks or words, which somebody logged, is done at once."""
    begun = time.process_time()
    for line in (" " * 300_000 + "x", "a " * 150_000, "x" * 300_000, "fix: " * 60_000, "a b c  " * 40_000):
        _wrapped(80, line)
    assert time.process_time() - begun < 3.0


def test_a_command_can_be_copied_in_one_piece() -> None:
    """However narrow the terminal: a line break in it would run its first half."""
    command = "vettle rule decide sort-the-imports-1a2b3c approve 'why'"
    assert _wrapped(30, f"person  approve: {command}") == ["person  approve:", f"        {command}"]
    assert _wrapped(30, f"           fix: {command} | cat") == [f"           fix: {command} | cat"]
    assert _wrapped(30, f"next  To try it again some day: {command}") == [
        "next  To try it again some",
        "      day:",
        f"      {command}",
    ]


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=200), st.integers(1, 80))
def test_wrapping_loses_nothing(text: str, columns: int) -> None:
    """The same words come in the same order, and only a single word, a label or a command is ever too long."""
    assert " ".join(_wrapped(columns, text)).split() == text.split()


def test_no_rows_are_no_table() -> None:
    """Headings alone would say nothing."""
    assert _table(80, ["one"], []) == []


def test_columns_are_those_of_the_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS of the environment does not make a terminal of a pipe."""
    monkeypatch.setenv("COLUMNS", "40")
    assert layout.columns() == 0
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert layout.columns() == 40
