"""Which failed tools are mistakes, and of which class: from what an assistant's hook says about one."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vettle.engine.quarantine import redact
from vettle.engine.records import Severity
from vettle.server.hooks import shell, testing
from vettle.server.hooks.shell import Command

_LONGEST = 200

_EDITORS = {
    "Edit",
    "MultiEdit",
    "Write",
    "NotebookEdit",
    "apply_patch",
    "StrReplace",
    "ApplyPatch",
    "EditNotebook",
}
_TYPES = {"mypy", "dmypy", "pyright", "basedpyright", "tsc", "vue-tsc", "ty", "pyre", "pytype", "flow"}
_LINTERS = {
    *(
        "ruff",
        "flake8",
        "pylint",
        "eslint",
        "biome",
        "stylelint",
        "prettier",
        "black",
        "isort",
        "golangci-lint",
    ),
    *("rubocop", "shellcheck", "hadolint", "markdownlint", "oxlint", "xo", "bandit", "standard"),
}
_BUILDERS = {
    "gcc",
    "g++",
    "clang",
    "cc",
    "cmake",
    "ninja",
    "javac",
    "rustc",
    "webpack",
    "vite",
    "rollup",
    "esbuild",
}
_BUILD_WORDS = {"build", "compile", "install", "assemble", "package"}
_BUILD_TOOLS = {
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "go",
    "cargo",
    "dotnet",
    "mvn",
    "gradle",
    "gradlew",
    "make",
    "swift",
}

_SAYS_NO = {
    *("grep", "egrep", "fgrep", "rg", "ag", "ack", "diff", "cmp", "comm", "test", "[", "[[", "which", "type"),
    *("command", "hash", "pgrep", "pidof", "expr", "false"),
}
"""Commands whose code 1 is an answer, not a failure."""

_GIT_SAYS_NO = {"diff", "grep", "merge-base", "show-ref", "check-ignore", "rev-parse"}
_HARMLESS = {
    *("echo", "printf", "cd", "cat", "head", "tail", "sort", "uniq", "wc", "cut", "tr", "sed", "awk", "true"),
    *("xargs", "pwd", "ls", "find"),
}

_BY_A_PERSON = re.compile(
    r"doesn't want to (?:proceed|take)|permission to use .{0,80}denied|requires? approval|interrupted by (?:the )?user"
    r"|(?:rejected|denied|declined|cancell?ed|aborted|stopped) by (?:the )?user"
    r"|user (?:has )?(?:rejected|denied|declined|cancell?ed|chose|doesn't)"
    r"|(?:blocked|stopped|denied) by .{0,60}hook|hook denied|command was aborted|haven't granted",
    re.IGNORECASE,
)
"""What assistants write where a person, or a person's rule, stopped the tool."""

_NO_PROGRAM = {"exit", "return", "true", ":", "set", "fi", "done", "wait"}
"""Words of the shell after which nothing is named that failed, though they come last."""

_CODE = re.compile(
    r"^(?:error: )?exit code:? (\d+)|exited with (?:exit )?(?:code|status) (\d+)",
    re.IGNORECASE | re.MULTILINE,
)
_NOT_FOUND = re.compile(
    r"command not found|is not recognized as|: not found$|Unknown command: ", re.MULTILINE
)
_SHELL_SAYS_SO = re.compile(r"^\S*sh: (?:line )?[\d: ]*\S+: (?:command )?not found", re.MULTILINE)
_MISSING = (
    re.compile(r"command not found: (?P<name>\S+)"),  # zsh
    re.compile(r"(?P<name>[^\s:]+): (?:command )?not found\s*$", re.MULTILINE),  # bash, dash
    re.compile(r"'(?P<name>[^']+)' is not recognized as"),  # cmd and PowerShell
    re.compile(r"Unknown command: (?P<name>\S+)"),  # fish
)
_INTERRUPTED = (130,)

_PROBLEMS = re.compile(r"\berrors?\b|\bproblems?\b", re.IGNORECASE)
_NO_PROBLEM = re.compile(r"no issues found|all checks passed|\b0 (?:errors|problems)", re.IGNORECASE)
_PATCH_REFUSED = re.compile(
    r"verification failed|failed to (?:apply|find)|invalid patch|not found in file", re.IGNORECASE
)

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,:]\d+)*\b")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f]")
_EXCEPTION = re.compile(r"^[\w.]+(?:Error|Exception|Exit|Interrupt|Warning)\b.*")
_TELLS = re.compile(
    r"error|fail|fatal|panic|exception|not found|no such|denied|cannot|can't|could not|unable|invalid|refused"
    r"|expected|undefined|unknown|missing|timed out|✖|✗",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\S+:\d+(?::\d+)?\S* |\S+\(\d+,\d+\): |[A-Z]{1,4}\d{2,4} ")
_SAYS_NOTHING = re.compile(
    r"^(?:error: )?exit code:? \d+$|^\[\.\.\.\]$|^[-=_*~ ]*$|^traceback ", re.IGNORECASE
)


@dataclass(frozen=True)
class Failure:
    """A failed tool that counts as a mistake; the file is as the assistant named it.

    `identities` are what a person would call the same mistake: the tests that failed, the program that is not there,
    or else what was said with numbers aside. `named`: the first of them is a name, which must not be masked.
    """

    error_class: str
    description: str
    severity: Severity
    identities: tuple[str, ...]
    named: bool = False
    file: str = ""


def of_event(event: Mapping[str, Any], root: Path, made: Collection[str] = ()) -> Failure | None:
    """Return the mistake that a tool's event is, or None for one that is none, or was made already.

    No mistakes are: a search that found nothing, an answer that is no, and what a person stopped or forbade. `made`
    holds the identities of earlier ones.
    """
    event = {**event, "output": _ESCAPES.sub("", event["output"])}
    output, code = event["output"], exit_code(event["output"])
    failed = code != 0 if event["failed"] is None and code is not None else event["failed"]
    if failed is False and testing.passed(event) is not False:
        return None
    if event["interrupted"] or code in _INTERRUPTED or _BY_A_PERSON.search(output):
        return None
    commands = shell.commands(event["command"])
    if code == 1 and _is_an_answer(commands):
        return None
    error_class = _class(event, commands)
    if failed is None and not error_class:
        return None
    failure = _failure(event, error_class or "tool-failure", commands, root, made)
    return None if failure.identities[0] in made else failure


def exit_code(output: str) -> int | None:
    """Return the exit code that an assistant wrote into the output, or None."""
    found = _CODE.search(output)
    return int(found[1] or found[2]) if found else None


def _is_an_answer(commands: list[Command]) -> bool:
    """Tell whether code 1 only says no, such as a search that found nothing."""
    asks = [
        command.program in _SAYS_NO
        or (command.program == "git" and bool(_GIT_SAYS_NO & set(command.words[1:3])))
        for command in commands
    ]
    others = [command.program for command, asked in zip(commands, asks, strict=True) if not asked]
    return any(asks) and set(others) <= _HARMLESS


def _class(event: Mapping[str, Any], commands: list[Command]) -> str:
    """Return the class of a mistake, "" for a failed tool of no special kind, or where no failure shows."""
    tool, output = event["tool"], event["output"]
    sure = bool(event["failed"] or exit_code(output))
    if tool in _EDITORS and not output.startswith("InputValidationError"):
        return "edit-failed" if sure or _PATCH_REFUSED.search(output) else ""
    # What only may have failed could be a text about failures that somebody reads.
    if (_NOT_FOUND if sure else _SHELL_SAYS_SO).search(output):
        return "command-not-found"
    if testing.passed(event) is False:
        return "test-failure"
    wrong = sure or _PROBLEMS.search(output)
    kinds = [kind for kind in map(_kind, reversed(commands)) if kind]
    if kinds and wrong and not _NO_PROBLEM.search(output):
        return kinds[0]
    reads = all(command.program in _HARMLESS | _SAYS_NO for command in commands)
    return "tool-failure" if not sure and not reads and "Traceback (most recent" in output else ""


def _kind(command: Command) -> str:
    program, words = command.program, set(command.words[1:4])
    if program in _TYPES:
        return "type-error"
    if program in _LINTERS or words & {"clippy", "vet", "lint"}:
        return "lint-failure"
    if program in _BUILDERS or (program in _BUILD_TOOLS and words & _BUILD_WORDS) or program == "make":
        return "build-failure"
    return ""


def _failure(
    event: Mapping[str, Any], error_class: str, commands: list[Command], root: Path, made: Collection[str]
) -> Failure:
    """Return what failed; of several tests, the first that had not failed before is described."""
    output = event["output"]
    severity: Severity = "suggestion" if error_class == "tool-failure" else "warning"
    about = functools.partial(Failure, error_class=error_class, severity=severity)
    runner = testing.test_command(event["command"]) if error_class == "test-failure" else ""
    tests = [relative(test, root) for test in testing.failed_tests(output)] if runner else []
    if tests:
        return about(**_of_tests(runner, tests, made))
    missing = missing_program(output) if error_class == "command-not-found" else ""
    if missing:
        told = relative(f"{missing}: command not found", root)[:_LONGEST]
        return about(description=told, identities=(_identity(error_class, told),), named=True)
    program = runner or _blamed(commands) or event["tool"]
    line = telling_line(output, located=error_class in ("type-error", "lint-failure")) or "failed"
    told = relative(line if line.startswith(f"{program}: ") else f"{program}: {line}", root)[:_LONGEST]
    where = relative(event["file"], root)
    return about(description=told, identities=(_identity(error_class, told, where),), file=event["file"])


def _of_tests(runner: str, tests: list[str], made: Collection[str]) -> dict[str, Any]:
    """Return what is said of failed tests: each is a mistake of its own, whatever it failed with."""
    by_identity = {redact(f"{runner}: {test.partition(' - ')[0]}")[:_LONGEST]: test for test in tests}
    first = next((identity for identity in by_identity if identity not in made), next(iter(by_identity)))
    test, more = by_identity[first], f" (and {len(by_identity) - 1} more)" if len(by_identity) > 1 else ""
    others = [identity for identity in by_identity if identity != first]
    return {
        "description": f"{runner}: {test}"[: _LONGEST - len(more)] + more,
        "identities": (first, *others),
        "named": True,
        "file": test.partition("::")[0] if "::" in test else "",
    }


def _identity(error_class: str, told: str, file: str = "") -> str:
    """Return what makes two descriptions the same mistake in one session: all but numbers that stand alone."""
    return f"{error_class}: {_NUMBER.sub('#', redact(told).lower())}{f' ({file})' if file else ''}"


def missing_program(output: str) -> str:
    """Return the program that a shell did not find, in whichever words it says so; "" where none says it."""
    for pattern in _MISSING:
        found = pattern.search(output)
        if found:
            return found["name"].rstrip(":")
    return ""


def _blamed(commands: list[Command]) -> str:
    """Return the program that probably failed: the last that does more than passing text on."""
    programs = [command.program for command in commands if command.program not in _NO_PROGRAM]
    working = [program for program in programs if program not in _HARMLESS]
    return (working or programs or [""])[-1]


def telling_line(output: str, *, located: bool = False) -> str:
    """Return the line of an output that says most about what went wrong, "" of an empty one.

    With `located`, one that begins with a place or with the code of a check goes first.
    """
    lines = [line.strip() for line in output.splitlines() if not _SAYS_NOTHING.match(line.strip())]
    places = [line for line in lines if _PLACE.match(line)] if located else []
    if places:
        return places[0]
    if "Traceback (most recent" in output:
        raised = [line for line in lines if _EXCEPTION.match(line)]
        if raised:
            return raised[-1]
    telling = [line for line in lines if _TELLS.search(line)]
    return (telling or lines[-1:] or [""])[0]


def relative(text: str, root: Path) -> str:
    """Return a text of one line with the project's own paths relative to its root, and those at home below ~."""
    home = os.path.expanduser("~")  # noqa: PTH111 - a text
    for prefix, instead in (
        (f"{root}{os.sep}", ""),
        (f"{root.resolve()}{os.sep}", ""),
        (home + os.sep, "~/"),
    ):
        if len(prefix) > 2:
            text = text.replace(prefix, instead)
    return " ".join(text.encode("utf-8", "replace").decode().split())
