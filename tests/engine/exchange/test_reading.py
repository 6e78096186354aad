"""Reading files of others strictly: what is damaged is refused by name and line, and never guessed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vettle.engine.clock import SECOND, moment
from vettle.engine.errors import SourceDamaged
from vettle.engine.exchange import reading
from vettle.engine.exchange.checking import CUT, FreeText, Row, Share, Time, checked
from vettle.engine.exchange.facts import Place, Reading

NOON = 1_767_268_800
"""2026-01-01T12:00:00Z in seconds since 1970."""


@pytest.mark.parametrize(
    ("given_", "seconds"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01T12:00:00", NOON),
        ("2026-01-01T21:00:00+09:00", NOON),
        (" 2026-01-01 12:00:00.25 ", NOON + 0.25),
        (NOON, NOON),
        (NOON + 0.5, NOON + 0.5),
        (NOON * 1_000, NOON),
        (0, 0),
        (-NOON, 0),
        (True, 0),
        (None, 0),
        ("", 0),
        ("noon", 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (10**400, 0),
        (10**20, 0),
        ("0001-01-01T00:00:00Z", 0),
    ],
)
def test_times(given_: object, seconds: float) -> None:
    """ISO 8601 with or without a zone, seconds and milliseconds are times; anything else is none."""
    assert reading.microseconds(given_) == round(seconds * SECOND)


@given(st.one_of(st.floats(), st.integers(), st.text(), st.datetimes().map(str), st.booleans(), st.none()))
def test_every_time_can_be_told(value: object) -> None:
    """Whatever stands in a file, what is read can be written as a date."""
    assert moment(reading.microseconds(value)).year >= 1970


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'{"a": 1}\n{"a": 2', 2),
        (b'{"a": 1}\n\n[1]\n', 3),
        (b'{"a": 1}\n{"a": "\xff"}\n', 2),
        (b'{"a": 1}{"a": 2}\n', 1),
        (b'{"a": ' + b"9" * 5_000 + b"}", 1),
        (b'{"a": 1}\n' + b"[" * 100_000, 2),
    ],
)
def test_damaged_lines_are_refused_by_number(tmp_path: Path, content: bytes, line: int) -> None:
    """Torn, glued, unreadable and monstrous lines are damage, and so is one that is no object."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with pytest.raises(SourceDamaged, match=rf"^log\.jsonl:{line}: "):
        list(reading.json_lines(path, "log.jsonl"))


def test_blank_lines_and_a_byte_order_mark_are_no_damage(tmp_path: Path) -> None:
    """Numbers stay those of the file, also with the line ends of Windows."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": "\xe2\x80\xa8"}\r\n')
    assert list(reading.json_lines(path, "log.jsonl")) == [(1, {"a": 1}), (3, {"a": "\u2028"})]


@pytest.mark.parametrize("content", [b"", b"{", b"[1,", b"9" * 5_000, b"[" * 100_000, b"\xff"])
def test_a_damaged_document_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """Whatever the damage is."""
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(SourceDamaged, match=r"^state\.json"):
        reading.json_document(path, "state.json")


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    """A reader never takes it for an empty one."""
    with pytest.raises(SourceDamaged, match=r"^absent\.json: cannot be read"):
        reading.text(tmp_path / "absent.json", "absent.json")


class _Sample(Row):
    when: Time
    share: Share = 0.0
    note: FreeText = ""


def test_a_row_that_cannot_be_taken_says_why() -> None:
    """The reason names the field, behind the label if there is one, and never shows what stood there."""
    found = Reading("peer")
    assert checked(found, _Sample, Place("log", 3), {"when": NOON, "other": 1}) is not None
    assert checked(found, _Sample, Place("log", 4), {"when": "noon"}, "the fourth") is None
    assert checked(found, _Sample, Place("log", 5), {"when": NOON, "share": "0.5 of my password"}) is None
    assert [str(one.place) for one in found.skipped] == ["log:4", "log:5"]
    assert found.skipped[0].reason == "the fourth: when: it is no time after 1970"
    assert found.skipped[1].reason.startswith("share: ")
    assert "password" not in found.skipped[1].reason


def test_free_text_is_fitted() -> None:
    """Secrets and control characters are replaced, and a long text is cut at ours, with a mark."""
    found = Reading("peer")
    secret = "ghp_" + "a1B2" * 9

    def note(text: object) -> str:
        row = checked(found, _Sample, Place("log"), {"when": NOON, "note": text})
        assert row is not None
        return row.note

    assert note(None) == ""
    assert note("a\x00b\nc ") == "a b\nc"
    assert note("x" * 4_000) == "x" * 4_000
    assert note("x" * 4_001) == "x" * (4_000 - len(CUT)) + CUT
    assert "a1B2" not in note("y" * 3_980 + " " + secret)


def test_a_virtual_table_does_not_hide_the_others(tmp_path: Path) -> None:
    """A database whose search index needs a module that is not here gives all its real tables."""
    path = tmp_path / "peer.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE outcome(model)")
        connection.execute("INSERT INTO outcome VALUES ('small')")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "INSERT INTO sqlite_schema VALUES"
            " ('table', 'near', 'near', 0, 'CREATE VIRTUAL TABLE near USING vec0(embedding float[3])')"
        )
        connection.commit()
    assert reading.tables(path, path.name) == {"outcome": [{"model": "small"}]}
