"""Which programs are of which kind, and so what it means that one of them failed."""

from __future__ import annotations

from vettle.server.hooks.names import names
from vettle.server.hooks.shell import Command

_TYPE_CHECKERS = names("mypy dmypy pyright basedpyright tsc vue-tsc ty pyre pytype flow")

_LINTERS = names(
    "ruff flake8 pylint black isort bandit eslint biome stylelint prettier oxlint xo standard"
    " golangci-lint rubocop shellcheck hadolint markdownlint"
)
_LINT_WORDS = names("clippy vet lint")

_BUILDERS = names("gcc g++ clang cc make cmake ninja javac rustc webpack vite rollup esbuild")
_BUILD_TOOLS = names("npm pnpm yarn bun go cargo dotnet mvn gradle gradlew swift")
_BUILD_WORDS = names("build compile install assemble package")

_SAYS_NO = names(
    "grep egrep fgrep rg ag ack diff cmp comm test [ [[ which type command hash pgrep pidof expr false"
)
"""Programs whose code 1 is an answer, not a failure."""

_GIT_SAYS_NO = names("diff grep merge-base show-ref check-ignore rev-parse")

_HARMLESS = names("echo printf cd cat head tail sort uniq wc cut tr sed awk true xargs pwd ls find")
"""Programs that only pass text on, or show something."""

_NO_PROGRAM = names("exit return true : set fi done wait")
"""Words of the shell after which nothing is named that failed, though they come last."""


def kind(command: Command) -> str:
    """Return the class of the mistake that it is when a command fails, "" where it has none of its own."""
    program, words = command.program, set(command.words[1:4])
    if program in _TYPE_CHECKERS:
        return "type-error"
    if program in _LINTERS or words & _LINT_WORDS:
        return "lint-failure"
    if program in _BUILDERS or (program in _BUILD_TOOLS and words & _BUILD_WORDS):
        return "build-failure"
    return ""


def is_an_answer(commands: list[Command]) -> bool:
    """Tell whether code 1 only says no, such as a search that found nothing."""
    asks = [
        command.program in _SAYS_NO
        or (command.program == "git" and bool(_GIT_SAYS_NO & set(command.words[1:3])))
        for command in commands
    ]
    others = [command.program for command, asked in zip(commands, asks, strict=True) if not asked]
    return any(asks) and set(others) <= _HARMLESS


def only_read(commands: list[Command]) -> bool:
    """Tell whether commands do nothing but show or search what is there."""
    return all(command.program in _HARMLESS | _SAYS_NO for command in commands)


def blamed(commands: list[Command]) -> str:
    """Return the program that probably failed: the last that does more than passing text on."""
    programs = [command.program for command in commands if command.program not in _NO_PROGRAM]
    working = [program for program in programs if program not in _HARMLESS]
    return (working or programs or [""])[-1]
