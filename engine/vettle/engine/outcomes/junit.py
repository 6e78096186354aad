"""A verdict from the reports of a test run, and its failed tests as mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from vettle.engine import quarantine
from vettle.engine.adapters.junit import local_name, test_cases
from vettle.engine.identifiers import digest
from vettle.engine.outcomes.verdicts import Verdict

_FAILED = ("failure", "error")
_LONGEST_NAME = 200
_LONGEST_DESCRIPTION = 500
_LONGEST_READ = 4_000


@dataclass(frozen=True)
class FailedTest:
    """A test that failed: the one name that it has in every run, what it said, and its file if the report knows it."""

    name: str
    message: str
    file: str

    @property
    def description(self) -> str:
        """What is logged of it, "tests/x.py::test_y: message", in one line, without secrets and shortened."""
        # Redacted before it is cut: half a key is no longer recognised as one.
        whole = quarantine.redact(f"{self.name}: {self.message}" if self.message else self.name)
        return whole[:_LONGEST_DESCRIPTION]


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
    place = case.get("file") or case.get("classname") or ""
    name = "::".join(part for part in (place, case.get("name", "")) if part) or "a test without a name"
    said = problem.get("message") or (problem.text or "").strip().partition("\n")[0]
    return FailedTest(
        name=_line(name)[:_LONGEST_NAME], message=_line(said), file=_line(case.get("file", "") or "")
    )


def _line(text: str) -> str:
    """Return any text as one line of visible characters."""
    return quarantine.visible(" ".join(text.split())[:_LONGEST_READ])
