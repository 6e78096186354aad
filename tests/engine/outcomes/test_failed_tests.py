"""What a failed test is called, whoever reports it, and which failed tests of a run are mistakes."""

from __future__ import annotations

import functools
import random
import tempfile
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vettle.engine import mistakes, sessions
from vettle.engine.outcomes import failed_tests, junit
from vettle.engine.outcomes.failed_tests import FailedTest, identity
from vettle.engine.project import Project

_WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
_PARAMETERS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp"), max_codepoint=0xFFFF), max_size=20)


def _reported(**attributes: str) -> FailedTest:
    """Return the failed test that a report with one such test case has."""
    suite = Element("testsuite")
    SubElement(SubElement(suite, "testcase", attributes), "failure", message="no")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        report.write_bytes(tostring(suite))
        [failed] = junit.read([report]).failed
    return failed


@given(
    st.lists(_WORDS, min_size=1, max_size=4), st.lists(_WORDS, max_size=2), _WORDS, st.none() | _PARAMETERS
)
@example(["tests", "test_a"], ["TestX"], "test_y", "x/y.py::z")
@example(["test_a"], [], "test_a", None)
@example(["test_a"], [], "test_a", "a b")
def test_pytest_s_report_and_screen_name_one_test(
    path: list[str], classes: list[str], test: str, parameters: str | None
) -> None:
    """A node id and what pytest makes of it in JUnit XML, of either family, are the same test, whatever its parameters."""
    name = test if parameters is None else f"{test}[{parameters}]"
    file = f"{'/'.join(path)}.py"
    on_screen = "::".join([file, *classes, name])
    classname = ".".join([*path, *classes])
    assert identity(on_screen) == _reported(classname=classname, name=name).identity
    assert identity(on_screen) == _reported(classname=classname, name=name, file=file, line="3").identity


@given(st.lists(_WORDS, min_size=2, max_size=5), st.lists(_WORDS, min_size=2, max_size=5))
def test_different_tests_have_different_identities(one: list[str], other: list[str]) -> None:
    """Another file, class or test is another test; so is one with other parameters."""
    names = ["::".join([f"{each[0]}.py", *each[1:]]) for each in (one, other)]
    assert (identity(names[0]) == identity(names[1])) == (one == other)
    assert identity(f"{names[0]}[1]") != identity(f"{names[0]}[2]") != identity(names[0])


@pytest.mark.parametrize(
    ("on_screen", "report"),
    [
        ("tests/test_b.py", {"classname": "", "name": "tests.test_b"}),  # pytest: it could not be imported
        ("test_y (tests.a.TestX.test_y)", {"classname": "tests.a.TestX", "name": "test_y"}),  # unittest 3.11
        ("test_y (tests.a.TestX)", {"classname": "tests.a.TestX", "name": "test_y"}),  # and before
        (
            "example.com/x::TestAdd/one",
            {"classname": "example.com/x", "name": "TestAdd/one"},
        ),  # go, gotestsum
        ("sums::adds", {"classname": "sums", "name": "adds"}),  # cargo
        ("top", {"classname": "crate", "name": "top"}),
        ("adds \u203a two [x]", {"classname": "adds two [x]", "name": "adds two [x]"}),  # jest
        ("alone", {"classname": " alone", "name": " alone"}),
        ("src/a.test.ts > adds > two", {"classname": "src/a.test.ts", "name": "adds > two"}),  # vitest
        ("adds two", {"classname": "two", "name": "adds two"}),  # mocha-junit-reporter
        ("adds two", {"classname": "adds", "name": "two"}),  # mocha's own
        (
            "./spec/a_spec.rb:3 # Sums adds two",
            {"classname": "spec.a_spec", "name": "Sums adds two", "file": "./spec/a_spec.rb"},
        ),
        ("com.x.AppTest.testApp", {"classname": "com.x.AppTest", "name": "testApp"}),  # maven
        ("testApp(com.x.AppTest)", {"classname": "com.x.AppTest", "name": "testApp"}),
        ("com.x.AppTest > testApp()", {"classname": "com.x.AppTest", "name": "testApp()"}),  # gradle
    ],
)
def test_runners_name_a_test_alike_in_their_reports(on_screen: str, report: dict[str, str]) -> None:
    """What a runner prints and what stands in its JUnit report are the same test."""
    assert identity(on_screen) == _reported(**report).identity


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("src/a.test.ts > connects to postgres://admin:hunter2secret@db.example.com/x", "hunter2secret"),
        (f"reads eyJ{'a' * 20}.eyJ{'b' * 20}.{'c' * 20} well", "c" * 20),
        ("tests/a.py::test_url[postgres://admin:hunter2secret@db.example.com/x]", "hunter2secret"),
        (f"tests/a.py::test_key[ghp_{'0123456789' * 4}]", "0123456789"),
    ],
)
def test_an_identity_holds_no_secret(name: str, secret: str) -> None:
    """It is stored, so a password goes before the punctuation by which it is recognised."""
    assert secret not in identity(name)


def test_a_test_about_secrets_is_named_alike_everywhere() -> None:
    """A module or group that is named after a secret holds none: its tests are told apart, on the screen as in a report."""
    names = ["test_login_works", "test_logout_works"]
    for module in ("test_password", "test_token"):
        on_screen = [identity(f"tests/{module}.py::{name}") for name in names]
        assert on_screen == [_reported(classname=f"tests.{module}", name=name).identity for name in names]
        assert len(set(on_screen)) == 2
    assert identity("token::adds_two_numbers") != identity("token::adds_six_numbers")


def test_a_report_with_a_file_is_told_like_a_node_id() -> None:
    """People see the name that they can pass to pytest, with the class."""
    failed = _reported(file="tests/test_a.py", classname="tests.test_a.TestX", name="test_y[1]")
    assert failed.description == "tests/test_a.py::TestX::test_y[1]: no"


@given(st.text(max_size=700))
def test_any_name_has_an_identity(name: str) -> None:
    """It is one line that can be kept, is never empty where the name is not, and spacing does not matter."""
    found = identity(name)
    assert bool(found) == bool(name.split())
    assert len(found) <= 500
    assert found == " ".join(found.split()) == identity(f"  {'  '.join(name.split())}\n")
    found.encode()


@given(st.lists(_WORDS, max_size=40), st.randoms(use_true_random=False))
def test_the_same_tests_of_a_run_are_kept_in_any_order(names: list[str], draws: random.Random) -> None:
    """Each test once, at most 20, and which ones depends only on which failed."""
    tests = [FailedTest(f"a.py::{name}") for name in names]
    kept = failed_tests.distinct(tests)
    assert len(kept) == min(len(set(names)), failed_tests.MOST_MISTAKES)
    draws.shuffle(tests)
    assert [test.identity for test in failed_tests.distinct(tests)] == [test.identity for test in kept]


def test_a_test_is_told_by_its_parts() -> None:
    """Where parts of a Go test failed, the whole, which failed for them, is no mistake beside them."""
    tests = [FailedTest(f"x::{name}") for name in ("TestAdd", "TestAdd/one", "TestAdder", "TestAdd/one/deep")]
    kept = [test.name for test in failed_tests.distinct(tests)]
    assert kept == ["x::TestAdd/one/deep", "x::TestAdder"]


def test_a_named_mistake_is_logged_once_in_a_session(project: Project) -> None:
    """Told again in other words it is not logged, a retry gets its answer again, and the next session repeats it."""
    for number in range(2):
        session = sessions.start(project, task="work").session_id
        log = functools.partial(
            mistakes.log_named, project, error_class="test-failure", session_id=session, identity="a t"
        )
        first = log(description="pytest: a.py::t - 1 == 2")
        assert first is not None and (first.repeat, first.occurrences) == (bool(number), number + 1)
        assert log(description="a::t: 3 == 4") is None
        assert log(description="pytest: a.py::t - 1 == 2") == first
    other = log(description="pytest: a.py::u - 1 == 2", identity="a u")
    assert other is not None and (other.repeat, other.occurrences) == (False, 1)
