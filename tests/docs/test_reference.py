"""The generated pages are what the server, the records and the command line say now, and nothing is left out."""

from __future__ import annotations

import json
import re

import pytest
from docs.generator import commands, generated, records, story
from docs.generator.examples import EXAMPLES
from tests.docs.pages import PAGES, ROOT, blocks, name


@pytest.fixture(name="told", scope="module")
def _told() -> story.Told:
    return story.tell()


def test_generated_files_are_current() -> None:
    """What is generated was generated from this code: else run `python -m docs` and look at the difference.

    It was generated at another moment and maybe on another machine, so nothing in it depends on these.
    """
    stale = [path.name for path, text in generated().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, f"stale: {', '.join(stale)}. Run: python -m docs"


def test_every_tool_has_an_example(told: story.Told) -> None:
    """No tool of any toolset is without an example and its real answer."""
    assert {tool.name for tool in told.tools} == set(EXAMPLES) == set(told.answers)


def test_every_argument_and_every_field_has_a_meaning() -> None:
    """Nobody has to guess: a new field needs a line in docs/generator/meanings.toml, or its record's docstring."""
    unsaid = [
        f"{model.__name__}.{field}"
        for model in records.models()
        for field in model.model_fields
        if not records.meaning(model, field) and not records.is_explained(model, field)
    ]
    assert not unsaid
    page = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    assert not re.findall(r"^\| `\w+` \|.*\|  \|$", page, re.MULTILINE)


def test_every_tool_and_command_is_in_a_page_that_a_person_wrote(told: story.Told) -> None:
    """Each of them is explained where its task is, and not only listed."""
    written = "\n".join(page.read_text(encoding="utf-8") for page in PAGES if not _is_generated(name(page)))
    words = {" ".join(words.split()) for words in re.findall(r"vettle(?: [a-z-]+)+", written)}
    missing = [tool.name for tool in told.tools if tool.name not in written]
    missing += [
        path
        for path, _ in commands.commands()
        if not any(f"{each} ".startswith(f"{path} ") for each in words)
    ]
    assert not missing


def _is_generated(page: str) -> bool:
    return page in ("docs/index.md", "docs/tools.md", "docs/records.md", "docs/commands.md")


def test_examples_are_calls_and_answers_in_json() -> None:
    """Every block of the tool reference that says it is JSON is."""
    found = [
        json.loads(block.text) for block in blocks(ROOT / "docs" / "tools.md") if block.language == "json"
    ]
    assert sorted(call["name"] for call in found[::2]) == sorted(EXAMPLES)
