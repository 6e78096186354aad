"""The adapter of CI reports, on reports that pytest and coverage wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vettle.engine.adapters.junit import JUnitAdapter
from vettle.engine.errors import SourceDamaged

TESTS = """
import pytest
import code_under_test

def test_passes(): assert code_under_test.sign(1) == 1
def test_fails(): assert code_under_test.sign(1) == 2
@pytest.mark.skip
def test_skipped(): ...
@pytest.fixture
def broken(): raise RuntimeError("no")
def test_error(broken): ...
"""
CODE = """
def sign(number):
    if number < 0:
        return -1
    return 1
"""


@pytest.fixture(name="reports", scope="module")
def _reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ci")
    (folder / "test_it.py").write_text(TESTS)
    (folder / "code_under_test.py").write_text(CODE)
    coverage = [sys.executable, "-m", "coverage"]
    run = [
        *coverage,
        "run",
        "--branch",
        "--include=code_under_test.py",
        "-m",
        "pytest",
        "-q",
        "--junitxml=junit.xml",
    ]
    subprocess.run(
        [*run, "-p", "no:cacheprovider", "test_it.py"], cwd=folder, capture_output=True, check=False
    )
    subprocess.run([*coverage, "xml"], cwd=folder, capture_output=True, check=True)
    return folder


def _metrics(*sources: Path) -> dict[str, float | None]:
    adapter = JUnitAdapter()
    [signal] = adapter.signals(adapter.collect(sources))
    return signal.run.metrics


def test_what_pytest_and_coverage_wrote_becomes_one_run(reports: Path) -> None:
    """Tests are counted by outcome, a skipped one neither passed nor failed, and coverage is a share."""
    metrics = _metrics(reports / "junit.xml", reports / "coverage.xml")
    assert metrics == {
        "tests_run": 3.0,
        "tests_failed": 2.0,
        "tests_skipped": 1.0,
        "tests_flaky": 0.0,
        "pass_rate": pytest.approx(1 / 3),
        "all_passed": 0.0,
        "line_coverage": pytest.approx(0.75),
        "branch_coverage": pytest.approx(0.5),
    }


def test_several_reports_are_one_run(reports: Path) -> None:
    """A build that splits its tests over reports is counted as a whole."""
    metrics = _metrics(reports / "junit.xml", reports / "junit.xml")
    assert (metrics["tests_run"], metrics["tests_failed"]) == (6.0, 4.0)


def test_no_test_is_not_a_pass(tmp_path: Path) -> None:
    """Where nothing ran, whether everything passed is missing, and not 1 or 0."""
    report = tmp_path / "junit.xml"
    report.write_text('<testsuites tests="0"><testsuite name="a" tests="0"/></testsuites>')
    metrics = _metrics(report)
    assert metrics["pass_rate"] is None
    assert metrics["all_passed"] is None


def test_coverage_alone_says_nothing_about_tests(tmp_path: Path) -> None:
    """A coverage report without test reports gives coverage and no counts of 0; a rate over nothing is left out."""
    report = tmp_path / "coverage.xml"
    report.write_text('<coverage line-rate="0.8" branch-rate="0" branches-valid="0"/>')
    assert _metrics(report) == {"line_coverage": 0.8}


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "gbk", "no-such-encoding"])
def test_the_declared_encoding_does_not_matter(tmp_path: Path, encoding: str) -> None:
    """A report is UTF-8 or refused; what it says of itself beyond that neither breaks nor garbles it."""
    report = tmp_path / "junit.xml"
    report.write_text(
        f'<?xml version="1.0" encoding="{encoding}"?><testsuite name="é"><testcase/></testsuite>',
        encoding="utf-8",
    )
    assert _metrics(report)["tests_run"] == 1.0


def test_an_empty_rate_is_missing(tmp_path: Path) -> None:
    """A rate that a report leaves empty is not a coverage of 0."""
    report = tmp_path / "coverage.xml"
    report.write_text('<coverage line-rate="" branch-rate="0.5" lines-valid="5"/>')
    assert _metrics(report) == {"branch_coverage": 0.5}


def test_coverage_of_several_reports_is_pooled_by_lines(tmp_path: Path) -> None:
    """Ten covered lines beside fifty of a hundred are 60 of 110, whichever report is named last."""
    large, small = tmp_path / "large.xml", tmp_path / "small.xml"
    large.write_text('<coverage line-rate="0.5" lines-valid="100" branch-rate="0.25"/>')
    small.write_text('<coverage line-rate="1" lines-valid="10"/>')
    for sources in ((large, small), (small, large)):
        assert _metrics(*sources) == {"line_coverage": pytest.approx(60 / 110), "branch_coverage": 0.25}


def test_coverage_without_its_size_is_not_pooled(tmp_path: Path) -> None:
    """Nobody can say what two rates are together when one does not say of how many lines it is."""
    known, unknown = tmp_path / "known.xml", tmp_path / "unknown.xml"
    known.write_text('<coverage line-rate="0.5" lines-valid="100"/>')
    unknown.write_text('<coverage line-rate="1"/>')
    with pytest.raises(SourceDamaged, match=r"unknown\.xml.*share of"):
        _metrics(known, unknown)


@pytest.mark.parametrize(("time", "seconds"), [("1,234.5", 1234.5), ("0,012", 0.012), ("2.5", 2.5)])
def test_a_comma_groups_thousands_or_is_the_decimal_point(tmp_path: Path, time: str, seconds: float) -> None:
    """Maven writes 1,234.5 seconds, other tools 0,012 in some locales: neither becomes another number."""
    report = tmp_path / "junit.xml"
    report.write_text(f'<testsuite><testcase time="{time}"/></testsuite>')
    adapter = JUnitAdapter()
    [signal] = adapter.signals(adapter.collect([report]))
    assert signal.run.duration_ms == pytest.approx(seconds * 1_000)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<testsuites>", "not XML"),
        ("", "not XML"),
        ("<html/>", "its root is <html>"),
        ('<testsuite><testcase time="soon"/></testsuite>', "not a number"),
        ('<testsuite><testcase time="nan"/></testsuite>', "not a number"),
        ('<coverage line-rate="7"/>', "beyond 1"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuite name="&b;"/>', "declares entities"),
    ],
)
def test_what_is_no_report_is_refused_by_name(tmp_path: Path, text: str, problem: str) -> None:
    """A report that is cut off, foreign or hostile is refused with the file's name and what is wrong."""
    report = tmp_path / "junit.xml"
    report.write_text(text)
    with pytest.raises(SourceDamaged, match=r"junit\.xml.*") as caught:
        _metrics(report)
    assert problem in str(caught.value)


def test_a_document_type_without_entities_is_read(tmp_path: Path) -> None:
    """Cobertura's own reports name their document type, which is no reason to refuse them."""
    report = tmp_path / "coverage.xml"
    report.write_text(
        '<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'
        '<coverage line-rate="0.5"/>'
    )
    assert _metrics(report) == {"line_coverage": 0.5}
