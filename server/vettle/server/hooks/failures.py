"""Which failed tools are mistakes, and of which class: from what an assistant's hook says about one."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vettle.engine.outcomes import failed_tests
from vettle.engine.outcomes.failed_tests import FailedTest
from vettle.engine.quarantine import redact
from vettle.engine.records import Severity
from vettle.server.hooks import outputs, programs, shell, testing
from vettle.server.hooks.names import names
from vettle.server.hooks.outputs import relative
from vettle.server.hooks.shell import Command

_LONGEST = 200

_EDITORS = names("Edit MultiEdit Write NotebookEdit apply_patch StrReplace ApplyPatch EditNotebook")

_BY_A_PERSON = re.compile(
    r"doesn't want to (?:proceed|take)|permission to use .{0,80}denied|requires? approval|interrupted by (?:the )?user"
    r"|(?:rejected|denied|declined|cancell?ed|aborted|stopped) by (?:the )?user"
    r"|user (?:has )?(?:rejected|denied|declined|cancell?ed|chose|doesn't)"
    r"|(?:blocked|stopped|denied) by .{0,60}hook|hook denied|command was aborted|haven't granted",
    re.IGNORECASE,
)
"""What assistants write where a person, or a person's rule, stopped the tool."""

_NOT_FOUND = re.compile(
    r"command not found|is not recognized as|: not found$|Unknown command: ", re.MULTILINE
)
_SHELL_SAYS_SO = re.compile(r"^\S*sh: (?:line )?[\d: ]*\S+: (?:command )?not found", re.MULTILINE)
_INTERRUPTED = (130,)

_PROBLEMS = re.compile(r"\berrors?\b|\bproblems?\b", re.IGNORECASE)
_NO_PROBLEM = re.compile(r"no issues found|all checks passed|\b0 (?:errors|problems)", re.IGNORECASE)
_PATCH_REFUSED = re.compile(
    r"verification failed|failed to (?:apply|find)|invalid patch|not found in file", re.IGNORECASE
)

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,:]\d+)*\b")


@dataclass(frozen=True)
class Failure:
    """A failed tool that counts as a mistake; the file is as the assistant named it.

    `identity` is what a person would call the same mistake: the test that failed, the program that is not there, or
    else what was said with numbers aside. `named`: it is a name, which must not be masked.
    """

    error_class: str
    description: str
    severity: Severity
    identity: str
    named: bool = False
    file: str = ""


def of_event(event: Mapping[str, Any], root: Path, made: Collection[str] = ()) -> list[Failure]:
    """Return the mistakes that a tool's event is and that were not made already: one, or one for each failed test.

    No mistakes are: a search that found nothing, an answer that is no, and what a person stopped or forbade. `made`
    holds the identities of earlier ones.
    """
    event = {**event, "output": outputs.plain(event["output"])}
    output, code = event["output"], outputs.exit_code(event["output"])
    failed = code != 0 if event["failed"] is None and code is not None else event["failed"]
    if failed is False and testing.passed(event) is not False:
        return []
    if event["interrupted"] or code in _INTERRUPTED or _BY_A_PERSON.search(output):
        return []
    commands = shell.commands(event["command"])
    if code == 1 and programs.is_an_answer(commands):
        return []
    error_class = _class(event, commands)
    if failed is None and not error_class:
        return []
    found = _failures(event, error_class or "tool-failure", commands, root)
    return [failure for failure in found if failure.identity not in made]


def _class(event: Mapping[str, Any], commands: list[Command]) -> str:
    """Return the class of a mistake, "" for a failed tool of no special kind, or where no failure shows."""
    tool, output = event["tool"], event["output"]
    sure = bool(event["failed"] or outputs.exit_code(output))
    if tool in _EDITORS and not output.startswith("InputValidationError"):
        return "edit-failed" if sure or _PATCH_REFUSED.search(output) else ""
    # What only may have failed could be a text about failures that somebody reads.
    if (_NOT_FOUND if sure else _SHELL_SAYS_SO).search(output):
        return "command-not-found"
    if testing.passed(event) is False:
        return "test-failure"
    wrong = sure or _PROBLEMS.search(output)
    kinds = [kind for kind in map(programs.kind, reversed(commands)) if kind]
    if kinds and wrong and not _NO_PROBLEM.search(output):
        return kinds[0]
    raised = not sure and "Traceback (most recent" in output and not programs.only_read(commands)
    return "tool-failure" if raised else ""


def _failures(
    event: Mapping[str, Any], error_class: str, commands: list[Command], root: Path
) -> list[Failure]:
    """Return what failed: each test by itself where the output names them, or else one failure of the tool."""
    output = event["output"]
    severity: Severity = "suggestion" if error_class == "tool-failure" else "warning"
    about = functools.partial(Failure, error_class=error_class, severity=severity)
    runner = testing.test_command(event["command"]) if error_class == failed_tests.ERROR_CLASS else ""
    tests = _tests(runner, output, root) if runner else []
    if tests:
        return tests
    missing = outputs.missing_program(output) if error_class == "command-not-found" else ""
    if missing:
        told = relative(f"{missing}: command not found", root)[:_LONGEST]
        return [about(description=told, identity=_identity(error_class, told), named=True)]
    program = runner or programs.blamed(commands) or event["tool"]
    line = outputs.telling_line(output, located=error_class in ("type-error", "lint-failure")) or "failed"
    told = relative(line if line.startswith(f"{program}: ") else f"{program}: {line}", root)[:_LONGEST]
    where = relative(event["file"], root)
    return [about(description=told, identity=_identity(error_class, told, where), file=event["file"])]


def _tests(runner: str, output: str, root: Path) -> list[Failure]:
    """Return the tests that failed: each is a mistake of its own, whatever it failed with."""
    tests = failed_tests.distinct(
        FailedTest(relative(test.name, root), relative(test.message, root), relative(test.file, root))
        for test in testing.failed_tests(output)
    )
    return [
        Failure(
            error_class=failed_tests.ERROR_CLASS,
            # Redacted before it is cut: half a key is no longer recognised as one.
            description=redact(f"{runner}: {test.name} - {test.message}".removesuffix(" - "))[:_LONGEST],
            severity="warning",
            identity=test.identity,
            named=True,
            file=test.file,
        )
        for test in tests
    ]


def _identity(error_class: str, told: str, file: str = "") -> str:
    """Return what makes two descriptions the same mistake in one session: all but numbers that stand alone."""
    return f"{error_class}: {_NUMBER.sub('#', redact(told).lower())}{f' ({file})' if file else ''}"
