"""Verdicts of test reports and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.outcomes import exit_code, junit

_PASSED = '<testcase classname="tests.test_a" name="test_one"/>'
_FAILED = '<testcase classname="tests.test_a" name="test_two"><failure message="assert 1 == 2">x</failure></testcase>'
_SKIPPED = '<testcase name="test_three"><skipped/></testcase>'
_ERROR = '<testcase file="tests/test_b.py" name="test_four"><error>\nKeyError: 1\nmore</error></testcase>'


def _report(folder: Path, *cases: str, name: str = "junit.xml") -> Path:
    path = folder / name
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return path


@pytest.mark.parametrize(
    ("cases", "outcome", "distance"),
    [
        ([_PASSED, _PASSED], "accepted", 0),
        ([_PASSED, _SKIPPED], "accepted", 0),
        ([_PASSED, _PASSED, _PASSED, _FAILED], "revision", 0.25),
        ([_PASSED, _ERROR, _SKIPPED], "revision", 0.5),
        ([_FAILED, _ERROR], "rejected", 1),
        ([_FAILED, _SKIPPED], "rejected", 1),
    ],
)
def test_the_outcome_is_the_share_that_failed(
    tmp_path: Path, cases: list[str], outcome: str, distance: float
) -> None:
    """All passed is accepted, none passed rejected, and between them the failed share; skipped does not count."""
    verdict = junit.read([_report(tmp_path, *cases)]).verdict
    assert (verdict.outcome, verdict.revision_distance, verdict.source) == (outcome, distance, "ci")


@pytest.mark.parametrize("cases", [[], [_SKIPPED, _SKIPPED]])
def test_without_a_test_there_is_no_verdict(tmp_path: Path, cases: list[str]) -> None:
    """A report in which no test ran rewards nobody."""
    verdict = junit.read([_report(tmp_path, *cases)]).verdict
    assert verdict.outcome is None
    assert "no test ran" in verdict.reason


def test_several_reports_are_one_run(tmp_path: Path) -> None:
    """Reports are added up, in whatever order they are named."""
    one, two = _report(tmp_path, _PASSED), _report(tmp_path, _FAILED, name="two.xml")
    first, second = junit.read([one, two]).verdict, junit.read([two, one]).verdict
    assert first == second
    assert first.revision_distance == 0.5


def test_another_report_is_another_reference(tmp_path: Path) -> None:
    """What was judged is told by the content of the report, not by its name."""
    same = [junit.read([_report(tmp_path, _PASSED, name=name)]).reference for name in ("a.xml", "b.xml")]
    assert same[0] == same[1]
    assert junit.read([_report(tmp_path, _PASSED, _PASSED)]).reference != same[0]


def test_a_failed_test_is_named_as_a_person_would(tmp_path: Path) -> None:
    """The file (or class) and the test, then what it said in one line."""
    one, two = junit.read([_report(tmp_path, _FAILED, _ERROR)]).failed
    assert one.description == "tests.test_a::test_two: assert 1 == 2"
    assert (two.description, two.file) == ("tests/test_b.py::test_four: KeyError: 1", "tests/test_b.py")


def test_what_a_test_said_is_redacted_and_shortened(tmp_path: Path) -> None:
    """No secret gets through, whole or cut in half, and no message fills a screen."""
    secret = "ghp_" + "a1B2" * 10
    for filler in (0, 460):
        message = f"{'x ' * (filler // 2)}{secret} {'y' * 3_000}"
        case = f'<testcase name="t"><failure message="{message}"/></testcase>'
        [failed] = junit.read([_report(tmp_path, case)]).failed
        assert "ghp_" not in failed.description
        assert len(failed.description) <= 500


def test_hostile_reports_are_refused(tmp_path: Path) -> None:
    """Entities, other documents and broken ones are refused by name."""
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><testsuite><testcase name="&b;"/></testsuite>'
    for text in (bomb, "<coverage/>", "<testsuite>", "no XML"):
        path = tmp_path / "report.xml"
        path.write_text(text)
        with pytest.raises(SourceDamaged, match=r"report\.xml"):
            junit.read([path])


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(0, "accepted"), (1, "rejected"), (5, "rejected"), (139, "rejected"), (0xC0000005, "rejected")],
)
def test_exit_codes_judge_the_work(code: int, outcome: str) -> None:
    """0 is accepted; a failure, or a program that crashed, is rejected."""
    assert exit_code.verdict(code).outcome == outcome


@pytest.mark.parametrize("code", [124, 125, 126, 127, 129, 130, 137, 143, -2, -9, -15, 0xC000013A])
def test_a_run_that_was_stopped_judges_nothing(code: int) -> None:
    """A time limit, an interruption, a kill or a missing command is no verdict, and says so."""
    verdict = exit_code.verdict(code)
    assert verdict.outcome is None
    assert "says nothing about the work" in verdict.reason


@pytest.mark.parametrize("code", [-65, 2**32])
def test_what_is_no_exit_code_is_refused(code: int) -> None:
    """Numbers that no system gives are refused."""
    with pytest.raises(InvalidArgument, match="exit code"):
        exit_code.verdict(code)
