"""A verdict from the reports of a test run, and its failed tests as mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from vettle.engine import quarantine
from vettle.engine.adapters.junit import local_name, test_cases
from vettle.engine.identifiers import digest
from vettle.engine.outcomes.failed_tests import FailedTest, identity
from vettle.engine.outcomes.verdicts import Verdict

_FAILED = ("failure", "error")
_CRATE = "crate"
"""What Rust calls the group of the tests that have none."""

_LONGEST_NAME = 1_000
_LONGEST_READ = 4_000


@dataclass(frozen=True)
class TestRun:
    """What all reports say together. Skipped tests count neither as passed nor as failed."""

    __test__ = False  # so that pytest does not take it for a test

    passed: int
    skipped: int
    failed: tuple[FailedTest, ...]
    reference: str

    @property
    def verdict(self) -> Verdict:
        """Accepted if none failed, rejected if none passed; else a revision whose distance is the failed share.

        Without any test that ran there is nothing to judge.
        """
        failed, ran = len(self.failed), self.passed + len(self.failed)
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        if not ran:
            return Verdict("ci", f"no test ran{skipped}: there is nothing to judge the work by")
        passed = "the only test" if ran == 1 else f"all {ran} tests"
        reason = f"{failed} of {ran} tests failed{skipped}" if failed else f"{passed} passed{skipped}"
        if not failed:
            return Verdict("ci", reason, "accepted", reference=self.reference)
        if not self.passed:
            return Verdict("ci", reason, "rejected", 1.0, self.reference)
        return Verdict("ci", reason, "revision", failed / ran, self.reference)


def read(reports: Sequence[Path]) -> TestRun:
    """Read JUnit XML reports as one test run (SourceDamaged).

    A test that failed first and passed when it was run again (Maven's flakyFailure) has passed.
    """
    passed = skipped = 0
    failed = []
    for report in reports:
        for case in test_cases(report):
            children = {local_name(child): child for child in case}
            problem = next((children[name] for name in _FAILED if name in children), None)
            if problem is not None:
                failed.append(_failed(case, problem))
            elif "skipped" in children:
                skipped += 1
            else:
                passed += 1
    contents = sorted(digest(report.read_bytes().hex()).hex() for report in reports)
    return TestRun(passed, skipped, tuple(failed), f"junit-{digest(*contents).hex()[:32]}")


def _failed(case: Element, problem: Element) -> FailedTest:
    said = problem.get("message") or (problem.text or "").strip().partition("\n")[0]
    file, group, test = (_line(case.get(attribute) or "") for attribute in ("file", "classname", "name"))
    if group == _CRATE or (_is_a_sentence(case.get("name") or "") and _ends_with(test, group)):
        group = ""
    return FailedTest(_name(file, group, test)[:_LONGEST_NAME], _line(said), file)


def _is_a_sentence(name: str) -> bool:
    """Tell whether a test's name is one of Jest or Mocha, which begins with the names of its groups.

    Their reporters also put it, or its end, into the classname. Jest's begins with a space where there is no group.
    """
    return " " in name.partition("[")[0]


def _ends_with(test: str, group: str) -> bool:
    return f" {identity(test)}".endswith(f" {identity(group)}")


def _name(file: str, group: str, test: str) -> str:
    """Return a test's whole name, such as "tests/x.py::TestX::test_y"; the group may begin with the file's module."""
    place, within = identity(file), identity(group)
    if file and f"{within} ".startswith(f"{place} "):
        group = "::".join([file, *within.removeprefix(place).split()])
    return "::".join(part for part in (group or file, test) if part) or "a test without a name"


def _line(text: str) -> str:
    """Return any text as one line of visible characters."""
    return quarantine.visible(" ".join(text.split())[:_LONGEST_READ])
