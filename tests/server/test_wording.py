"""People are told commands: no tool is named in what a command says, and nothing that somebody sent is changed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from vettle.engine import errors
from vettle.engine.records import Record
from vettle.server.commands.wording import COMMANDS, for_people, worded
from vettle.server.toolsets import TOOLSETS, offered


class _Said(Record):
    """A record with words of somebody's and words of ours."""

    text: str
    next_step: str
    parts: tuple[_Said, ...] = ()


ROOT = Path(__file__).parents[2]
TOOL = re.compile(rf"\b({'|'.join(COMMANDS)})\b")


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)


def _sentences() -> Iterator[str]:
    """Yield every sentence of the engine and of the commands that names a tool, without what is documentation."""
    for folder in ("engine/vettle/engine", "server/vettle/server/commands"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            silent = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
            silent |= {
                id(part)
                for one in ast.walk(tree)
                if isinstance(one, ast.JoinedStr)
                for part in one.values
                if isinstance(part, ast.Constant)
            }
            for node in ast.walk(tree):
                is_text = isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in silent
                if (
                    is_text
                    and isinstance(node, ast.expr)
                    and " " in (text := _text(node))
                    and TOOL.search(text)
                ):
                    yield text


def test_every_tool_that_has_a_command_is_known_by_it() -> None:
    """A new tool is reworded too: only tools whose command is called alike need no entry."""
    tools = {tool.name for tool in offered(tuple(TOOLSETS))}
    assert tools - set(COMMANDS) == {"status", "choose"}


@pytest.mark.parametrize("sentence", sorted(set(_sentences())))
def test_no_sentence_names_a_tool_to_people(sentence: str) -> None:
    """Whatever the engine says of what to do next is said with commands at the terminal."""
    # The key under which a reply is kept is no sentence.
    if re.fullmatch(r"\w+ X", sentence):
        return
    assert not TOOL.search(for_people(sentence))


@pytest.mark.parametrize(
    ("error", "command"),
    [
        (errors.UnknownRule("rule_id", "x"), "Run vettle rules"),
        (errors.UnknownExperiment("x"), "Run vettle experiment create"),
        (errors.UnknownSession("s", []), "Run vettle session start"),
        (errors.AmbiguousSession([]), "run vettle session start"),
    ],
)
def test_errors_name_the_command_that_helps(error: errors.VettleError, command: str) -> None:
    """The next call of an error is one that can be typed."""
    assert command in for_people(str(error))
    assert not TOOL.search(for_people(str(error)))


def test_what_somebody_sent_stays_as_it_is() -> None:
    """A rule about tools keeps its words, and a quoted name is what was typed."""
    assert "'rules_list'" in for_people(str(errors.UnknownRule("rule_id", "rules_list")))
    for file in (
        "reward_log.xml: is no XML.",
        "data_import.v2.csv: is no table.",
        "run_record/: is no file.",
    ):
        assert for_people(file) == file
    sent = "Call session_end when the task is done."
    found = worded(_Said(text=sent, next_step=sent, parts=(_Said(text=sent, next_step=sent),)))
    for one in (found, *found.parts):
        assert (one.text, one.next_step) == (sent, "Run vettle session end when the task is done.")


def test_the_json_of_a_call_stays_as_it_is() -> None:
    """A rule that names a tool is added with its own words when the step is pasted."""
    call = '{"text":"Call session_end with an outcome; see rules_list."}'
    assert for_people(f"rule_add {call}") == f"vettle rule add {call}"


def test_a_tool_beside_its_command_is_told_once() -> None:
    """Where a sentence names both, people get the command with its arguments."""
    assert for_people("Do it: rules_render (vettle render --write).") == "Do it: vettle render --write."
    assert for_people("Call rules_render with write true.") == "Run vettle render --write."
    assert for_people("See report_get kind evidence.") == "See vettle evidence."
