"""The adapter of tables, on CSV and JSONL."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vettle.engine.adapters import Signal
from vettle.engine.adapters.tabular import TableAdapter
from vettle.engine.errors import SourceDamaged


def _signals(*sources: Path) -> list[Signal]:
    adapter = TableAdapter()
    return adapter.signals(adapter.collect(sources))


def _csv(folder: Path, text: str) -> Path:
    file = folder / "rows.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_columns_of_numbers_are_metrics_and_others_dimensions(tmp_path: Path) -> None:
    """Names of a run's fields are fields; a column that is all numbers is a metric, and a mixed one is not."""
    file = _csv(
        tmp_path,
        "unit,variant,status,duration_ms,score,passed,size,note\n"
        "u1,short,completed,12.5,.75,true,3,\n"
        "u2,long,failed,,,false,big,late\n",
    )
    first, second = (signal.run for signal in _signals(file))
    assert (first.unit, first.variant, first.duration_ms) == ("u1", "short", 12.5)
    assert first.metrics == {"score": 0.75, "passed": 1.0}
    assert first.dimensions == {"size": 3.0}
    assert second.status == "failed"
    assert second.metrics == {"score": None, "passed": 0.0}
    assert second.dimensions == {"size": "big", "note": "late"}


def test_a_prefix_says_which_it_is(tmp_path: Path) -> None:
    """A number that is a setting, such as a temperature, can be named a dimension."""
    file = _csv(tmp_path, "unit,dimension:temperature,metric:score\na,0.5,1\n")
    [signal] = _signals(file)
    assert signal.run.dimensions == {"temperature": 0.5}
    assert signal.run.metrics == {"score": 1.0}


def test_json_lines_are_rows_too(tmp_path: Path) -> None:
    """JSONL gives the same runs as CSV, and null means not measured."""
    file = tmp_path / "rows.jsonl"
    file.write_text('{"unit": "a", "score": 1, "kind": "x"}\n\n{"unit": "b", "score": null, "kind": "y"}\n')
    first, second = _signals(file)
    assert (first.run.metrics, second.run.metrics) == ({"score": 1.0}, {"score": None})
    assert second.place == "rows.jsonl:3"


def test_a_word_in_a_dimension_stays_a_word(tmp_path: Path) -> None:
    """Words that Python could take for numbers (nan, inf, true) are what the column says."""
    file = _csv(tmp_path, "unit,name\na,nan\nb,inf\nc,true\nd,bob\ne,7\n")
    assert [signal.run.dimensions["name"] for signal in _signals(file)] == ["nan", "inf", "true", "bob", 7.0]


def test_a_number_beyond_all_floats_is_refused_by_its_line(tmp_path: Path) -> None:
    """JSON allows whole numbers that no metric can hold."""
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"unit": "a", "score": 10**400}) + "\n")
    with pytest.raises(SourceDamaged, match=r"rows\.jsonl:1.*not a finite number"):
        _signals(file)


def test_a_dimension_that_is_too_long_is_named_and_no_more(tmp_path: Path) -> None:
    """The message names the column, and nothing of how it was checked."""
    with pytest.raises(SourceDamaged, match=r"dimensions\.note: String should have at most 120"):
        _signals(_csv(tmp_path, f"unit,note\na,{'x' * 200}\n"))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("unit,score\na,1\nb\n", "rows.csv:3"),
        ("unit,score\na,1,2\n", "rows.csv:2"),
        ("unit,unit\na,1\n", "rows.csv:1"),
        ("unit,score,score \na,1,0\n", "rows.csv:1"),
        ("unit,score\na,nan\n", "rows.csv:2"),
        ("unit,score\na,1\nb,inf\n", "rows.csv:3"),
        ("unit,metric:score\na,high\n", "rows.csv:2"),
        ("unit,status\na,done\n", "rows.csv:2"),
        ('unit,score\na,"1\n', "rows.csv:"),
    ],
)
def test_a_bad_row_is_refused_by_its_line(tmp_path: Path, text: str, where: str) -> None:
    """Nothing is guessed: a row that cannot be a run is named by file and line."""
    with pytest.raises(SourceDamaged) as caught:
        _signals(_csv(tmp_path, text))
    assert where in str(caught.value)


_NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12).map(
    str.strip
)
_NUMBERS = st.floats(-1e9, 1e9)


@given(st.lists(st.tuples(_NAMES.filter(bool), _NUMBERS), min_size=1, max_size=5))
def test_any_written_table_reads_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]]
) -> None:
    """Units of any text and numbers of any size come back exactly, from CSV and from JSONL."""
    folder = tmp_path_factory.mktemp("table")
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["unit", "score"])
        writer.writerows([unit, repr(score)] for unit, score in rows)
    (folder / "rows.jsonl").write_text(
        "".join(json.dumps({"unit": unit, "score": score}) + "\n" for unit, score in rows), encoding="utf-8"
    )
    for name in ("rows.csv", "rows.jsonl"):
        found = [(signal.run.unit, signal.run.metrics["score"]) for signal in _signals(folder / name)]
        assert found == rows
