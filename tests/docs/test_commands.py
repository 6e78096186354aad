"""Every command of every page runs, from the top of the page to its end."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.generator.commands import commands, example
from tests.docs.pages import PAGES, ROOT, Block, blocks, inline_code, name
from tests.docs.shell import Ran, Shell, check_usage, is_vettle, statements

GENERATED = {"docs/index.md", "docs/commands.md", "docs/tools.md", "docs/records.md"}
CHECKED = {name(page): page for page in PAGES if name(page) not in GENERATED}
STORIES = [
    path
    for path, page in CHECKED.items()
    if any(block.language in ("sh", "console") for block in blocks(page))
]
LANGUAGES = {
    "sh",
    "console",
    "text",
    "json",
    "toml",
    "yaml",
    "markdown",
    "python",
    "sql",
    "ini",
    "diff",
    "html",
}

ELSEWHERE = ("vettle demo", "python3 -m venv", ".venv/bin/", ".ci/run")
"""What is run by tests/server/test_cli.py (the demo, with its output) and by .ci/run (setting up, testing, linting)."""

FINDS_PROBLEMS = ("vettle render --check", "vettle db check", "vettle doctor")
"""Commands that exit with 1 for what they are asked to find."""


ANSWERS = (0, 1, 2, 3, 4)
"""How a command may end whose error the page shows; an error of ours never is what a page wants to show."""

OTHERS = ("head", "jq", "grep", "less")
"""Programs that a sentence may name behind a pipe."""


def _is_fine(statement: str, ran: Ran, shown: bool = False) -> bool:
    expected = ANSWERS if shown else (0, 1) if statement.startswith(FINDS_PROBLEMS) else (0,)
    return ran.code in expected


def _said(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of a block, each with the output that the page claims."""
    if not block.text.startswith("$ "):
        yield from ((statement, []) for statement in statements(block.text))
        return
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *output = part.splitlines()
        yield command, output


def _appear(lines: list[str], output: str) -> bool:
    wanted = [
        re.escape(line.strip()).replace(r"\.\.\.", ".*") for line in lines if line.strip() not in ("", "...")
    ]
    return re.search(r"[\s\S]*?".join(wanted), output) is not None


@pytest.mark.parametrize("path", STORIES)
def test_every_command_of_a_page_runs(tmp_path: Path, path: str) -> None:
    """Whoever copies a page's commands from top to bottom into a repository gets what the page says."""
    shell = Shell.new(tmp_path)
    for block in blocks(CHECKED[path]):
        if block.not_run or (block.language not in ("sh", "console") and not block.text.startswith("$ ")):
            continue
        for statement, output in _said(block):
            if statement.startswith(ELSEWHERE):
                continue
            ran = shell.run(statement)
            assert _is_fine(statement, ran, bool(output)), (
                f"{block.place}: {statement}\nexit {ran.code}: {ran.output}"
            )
            assert _appear(output, ran.output), f"{block.place}: {statement}\nprinted: {ran.output}"


@pytest.mark.parametrize("path", CHECKED)
def test_commands_that_are_not_run_exist(path: str) -> None:
    """A block that cannot run here says why, and its commands and options exist all the same."""
    for block in blocks(CHECKED[path]):
        assert block.language in LANGUAGES, f"{block.place}: no language, so nobody knows what it is"
        if block.not_run:
            for statement in filter(is_vettle, statements(block.text)):
                check_usage(statement)


@pytest.mark.parametrize("path", CHECKED)
def test_commands_in_sentences_exist(path: str) -> None:
    """A command that a sentence or a table names is one."""
    listed = [
        line.strip()
        for block in blocks(CHECKED[path])
        if block.language == "text"
        for line in block.text.splitlines()
    ]
    said = [re.split(r"\s{2,}", line)[0] for line in listed if line.startswith("vettle ")]
    known = {path for path, _ in commands()}
    groups = {path.rpartition(" ")[0] for path in known}
    for code in (*inline_code(CHECKED[path]), *said):
        for words in _alternatives(code):
            two, three = " ".join(words[:2]), " ".join(words[:3])
            assert two in known or three in known or (two in groups and len(words) == 2), f"{path}: {code}"


def _alternatives(code: str) -> Iterator[list[str]]:
    """Yield the commands that `vettle a b | c` names."""
    if not code.startswith("vettle ") or code.startswith("vettle --") or "COMMAND" in code or "..." in code:
        return
    first, *others = (part.split() for part in code.split(" | ") if not part.startswith(OTHERS))
    yield first
    for other in others:
        yield (
            [*first[:2], *other]
            if len(first) > 2 and not other[0].startswith("vettle")
            else ["vettle", *other]
        )


PREPARATION = """
vettle rule add 'Run the type checker.'
vettle session start 'an earlier task' --client-ref a --model small
vettle session end --outcome accepted
vettle experiment create wording --variants '[{"name": "short"}, {"name": "long"}]' --metric '{"name": "passed", "direction": "higher", "kind": "binary"}'
vettle experiment select wording --unit task-7
vettle session start 'the task at hand' --client-ref b
cat > review.json <<'EOF'
[{"severity": "major", "description": "The search builds SQL from strings."}]
EOF
cat > junit.xml <<'EOF'
<testsuite name="t" tests="1" failures="0" time="1.5"><testcase classname="a" name="b" time="1.5"/></testsuite>
EOF
cat > coverage.xml <<'EOF'
<coverage line-rate="0.5" lines-valid="10" lines-covered="5" branches-valid="0" branches-covered="0"/>
EOF
cat > event.json <<'EOF'
{"session_id": "c0ffee", "hook_event_name": "SessionStart", "source": "startup", "cwd": "."}
EOF
vettle db backup ../vettle-monday.db
"""
"""What the examples of the help texts talk about."""

NEEDS_A_SERVER = ("vettle db copy", "vettle analyse experiment")
BEFORE = {
    "vettle db restore": ["rm -r .vettle"],
    "vettle db backup": ["rm ../vettle-monday.db"],
    "vettle experiment create": ["rm -r .vettle"],
}
"""What has to happen first, where an example cannot follow the preparation."""


@pytest.fixture(name="prepared", scope="module")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("examples")
    shell = Shell.new(place)
    for statement in statements(PREPARATION):
        ran = shell.run(statement)
        assert ran.code == 0, f"{statement}: {ran.output}"
    return place


@pytest.mark.parametrize("path", [path for path, command in commands() if example(command)])
def test_the_example_of_every_command_runs(prepared: Path, tmp_path: Path, path: str) -> None:
    """The line that a command's help begins with can be copied, with ids of one's own."""
    line = {path: example(command) for path, command in commands()}[path]
    check_usage(line)
    if line.startswith((*NEEDS_A_SERVER, *ELSEWHERE)):
        return
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    shell = Shell.at(tmp_path)
    for statement in BEFORE.get(path, []):
        assert shell.run(statement).code == 0
    line = re.sub(
        r"\bs-[0-9a-f]{12}\b", "SESSION", re.sub(r"\brun-the-type-checker-[0-9a-f]{6}\b", "RULE", line)
    )
    ran = shell.run(line)
    assert _is_fine(line, ran), f"{line}\nexit {ran.code}: {ran.output}"


def test_the_runner_notices_a_command_that_fails(tmp_path: Path) -> None:
    """A command that does not exist, or ends badly, or prints something else, is found: silence means something."""
    shell = Shell.new(tmp_path)
    assert shell.run("vettle rule ad 'x'").code == 2
    assert shell.run("vettle explain no-such-rule").code == 1
    ran = shell.run("vettle rule add 'Sort imports.'")
    assert _appear(["status ... trial"], ran.output) and not _appear(["status ... proven"], ran.output)
    with pytest.raises(AssertionError, match="not run"):
        shell.run("pip install vettle")
    block = Block(
        ROOT / "README.md",
        1,
        "sh",
        "vettle rule add 'a \\\nb'\ncat > f <<'EOF'\n# x\nEOF\n# only a comment\n",
        "",
    )
    assert [statement for statement, _ in _said(block)] == [
        "vettle rule add 'a b'",
        "cat > f <<'EOF'\n# x\nEOF",
    ]
