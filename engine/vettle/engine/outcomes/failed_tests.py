"""Failed tests: what makes two reports of one the same, and which of a run become mistakes.

A runner names a test in one way on the screen and in another in its JUnit report: `tests/a.py::TestX::test_y[1]` is
there the class `tests.a.TestX` and the name `test_y[1]`. Whoever logs a failed test as a mistake does it by its
`identity`, so that it is one mistake whichever of them was seen first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from vettle.engine import quarantine

ERROR_CLASS = "test-failure"

MOST_MISTAKES = 20
"""The most failed tests of one run that are logged as mistakes: what broke more than that is one thing."""

_LONGEST_IDENTITY = 500
_LONGEST_DESCRIPTION = 500

_SEPARATORS = re.compile(r"[\s./\\:>\u203a#]+")
_EXTENSION = re.compile(r"\.(?:py|rb)(?::\d+)?(?=::|\s|$)")
_METHOD_IN_CLASS = re.compile(r"(?P<method>[\w$]+) ?\((?P<place>[\w$]+(?:\.[\w$]+)+)\)")


@dataclass(frozen=True)
class FailedTest:
    """A test that failed: its name as its runner writes it, what it said, and its file if that is known."""

    name: str
    message: str = ""
    file: str = ""

    @property
    def identity(self) -> str:
        """What this test is called in every report of it."""
        return identity(self.name)

    @property
    def description(self) -> str:
        """What is logged of it, "tests/x.py::test_y: message", in one line, without secrets and shortened."""
        # Redacted before it is cut: half a key is no longer recognised as one.
        whole = quarantine.redact(f"{self.name}: {self.message}" if self.message else self.name)
        return whole[:_LONGEST_DESCRIPTION]


def identity(name: str) -> str:
    """Return the words of a test's name, joined by spaces: what is left of it when each runner's punctuation is gone.

    Paths, modules, classes and groups of tests are only words, in their order; a file counts without `.py` or `.rb` and a line.
    unittest's "test_y (a.TestX)" is "a TestX test_y". Case counts, and parameters in brackets stay as they are. Secrets are
    redacted.
    """
    name = quarantine.visible(" ".join(name.split()))
    in_class = _METHOD_IN_CLASS.fullmatch(name)
    if in_class:
        place, method = in_class["place"], in_class["method"]
        name = place if place.endswith(f".{method}") else f"{place}.{method}"
    path, bracket, parameters = name.partition("[")
    # Redacted while a URL is still one; but the test of a module `token` is no token with a value.
    path, parameters = (quarantine.redact(part) for part in (path.replace("::", " "), bracket + parameters))
    words = _SEPARATORS.sub(" ", _EXTENSION.sub("", path)).lstrip()
    return (words + parameters).strip()[:_LONGEST_IDENTITY] or name


def distinct(tests: Iterable[FailedTest]) -> list[FailedTest]:
    """Return each failed test of a run once, at most MOST_MISTAKES, and the same ones in whatever order they come.

    A test of which a part failed (Go's `TestX/part`) is left out: its parts tell more.
    """
    by_identity: dict[str, FailedTest] = {}
    for test in tests:
        by_identity.setdefault(test.identity, test)
    names = sorted(test.name for test in by_identity.values())
    whole = [each for each in sorted(by_identity) if not _has_parts(by_identity[each].name, names)]
    return [by_identity[each] for each in whole[:MOST_MISTAKES]]


def _has_parts(name: str, names: list[str]) -> bool:
    """Tell whether one of the sorted names is that of a part."""
    following = bisect_left(names, f"{name}/")
    return following < len(names) and names[following].startswith(f"{name}/")
