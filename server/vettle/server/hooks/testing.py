"""How a test run went, told from its command, its code and its output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vettle.engine.outcomes.failed_tests import FailedTest
from vettle.server.hooks import shell
from vettle.server.hooks.names import names
from vettle.server.hooks.shell import Command

_RUNNERS = names(
    "pytest py.test unittest nose2 tox nox jest vitest mocha ava rspec phpunit ctest playwright cypress"
)
_BY_WORD = names(
    "npm pnpm yarn bun deno go cargo dotnet mvn mvnw gradle gradlew rake"
    " make just mix swift flutter dart bazel sbt composer rails lein zig task"
)
_WORDS = names("test tests nextest check verify t")
_ONLY_LOOKS = names("--version --help -h --collect-only --co --listTests --list --no-run")

_FAILED = re.compile(
    r"\b[1-9]\d* (?:tests? )?(?:failed|failures?|failing|errors?)\b|^FAILED\b|^--- FAIL|^FAIL\b|^not ok \d"
    r"|test result: FAILED|\b(?:Failures|Errors): [1-9]|BUILD FAILURE|FAILURES!",
    re.MULTILINE,
)
_PASSED = re.compile(
    r"\b[1-9]\d* (?:tests? )?(?:passed|passing|passes)\b|\b[1-9]\d* (?:examples?|tests?), 0 failures"
    r"|^ok\s+\S+|test result: ok|^OK\b|BUILD SUCCESS|^PASS\b",
    re.MULTILINE,
)
_NONE_RAN = re.compile(
    r"no tests ran|collected 0 items|no test files|no tests? found|no module named|command not found"
    r"|^usage: |unrecognized arguments|missing script|is not recognized",
    re.IGNORECASE | re.MULTILINE,
)

_NAMES = (
    re.compile(  # pytest
        r"^(?:FAILED|ERROR|SUBFAILED\([^)\n]*\)) (?P<name>[^\s(\[][^\s\[]*(?:\[.*?\])?)(?: - (?P<message>.+))?$",
        re.MULTILINE,
    ),
    re.compile(r"^(?:FAIL|ERROR): (?P<name>\S+ \(\S+\))", re.MULTILINE),  # unittest
    re.compile(r"^\s*--- FAIL: (?P<name>\S+)", re.MULTILINE),  # go
    re.compile(r"^test (?P<name>\S+) \.\.\. FAILED", re.MULTILINE),  # cargo
    re.compile(r"^\s*FAIL\s+(?P<name>\S+ > .+)$", re.MULTILINE),  # vitest
    re.compile(r"^\s*● (?P<name>\S.+)$", re.MULTILINE),  # jest, then what both list where they show no more
    re.compile(r"^\s*(?:✕|\u00d7) (?P<name>\S.+?)(?: \(?\d+ ?m?s\)?)?$", re.MULTILINE),
    re.compile(r"^rspec (?P<name>\S+(?: # .+)?)$", re.MULTILINE),
    re.compile(  # maven, where it shows each test, then in its summary
        r"^\[ERROR\]\s+(?P<name>\w+\([\w.$]+\)|[\w$]+(?:\.[\w$]+)+)\s.*<<< (?:FAILURE|ERROR)!", re.MULTILINE
    ),
    re.compile(r"^\[ERROR\]\s+(?P<name>[\w.$]+\.\w+)", re.MULTILINE),
    re.compile(r"^(?P<name>\S+ > .+) FAILED$", re.MULTILINE),  # gradle
    re.compile(r"^not ok \d+ -? ?(?P<name>.+)$", re.MULTILINE),  # TAP
    re.compile(r"^  \d+\) (?P<name>\S.*(?:\n {7,}\S.*)*?):$", re.MULTILINE),  # mocha, then its list of tests
    re.compile(r"^\s+\d+\) (?P<name>\S.+)$", re.MULTILINE),
)

_GO_PACKAGE = re.compile(r"^FAIL\t(?P<package>\S+)\t", re.MULTILINE)
_FILE = re.compile(r"(?P<file>\S+?\.(?:py|rb|[cm]?[jt]sx?))(?:::| > | # |$)")


def runs_tests(command: Command) -> bool:
    """Tell whether a simple command runs tests."""
    if _ONLY_LOOKS & set(command.words):
        return False
    words = {word.partition(":")[0] for word in command.words[1:4]}
    return command.program in _RUNNERS or (command.program in _BY_WORD and bool(words & _WORDS))


def test_command(line: str) -> str:
    """Return the program that a line of shell runs tests with, "" if it runs none."""
    ran = [command for command in shell.commands(line) if runs_tests(command)]
    return ran[-1].program if ran else ""


def passed(event: Mapping[str, Any]) -> bool | None:
    """Tell whether the tests that a command ran passed; None when it ran none, or nobody can tell.

    What the output says goes before the exit code, which is that of another command after `| tail` or `; echo`.
    """
    commands = shell.commands(event["command"])
    ran = [index for index, command in enumerate(commands) if runs_tests(command)]
    output = event["output"]
    if not ran:
        return None
    if _FAILED.search(output):
        return False
    if _PASSED.search(output):
        return True
    if _NONE_RAN.search(output) or event["failed"] is None:
        return None
    # Only of a chain of && does the code say how each command went.
    decisive = all(command.then == "&&" for command in commands[ran[-1] : -1])
    if not decisive or (event["failed"] and len(commands) > ran[-1] + 1):
        return None
    return not event["failed"]


def failed_tests(output: str) -> list[FailedTest]:
    """Return the tests that failed, as their runner names them; the same one may come twice."""
    for pattern in _NAMES:
        found = [_failed(match, output) for match in pattern.finditer(output)]
        if found:
            return found
    return []


def _failed(match: re.Match[str], output: str) -> FailedTest:
    name = " ".join(match["name"].split())
    # Go names the package only after all of its tests.
    package = _GO_PACKAGE.search(output, match.end()) if "--- FAIL" in match[0] else None
    if package:
        name = f"{package['package']}::{name}"
    file = _FILE.match(name)
    return FailedTest(name, match.groupdict().get("message") or "", file["file"] if file else "")
