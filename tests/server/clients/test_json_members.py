"""JSON with comments: our entry goes in and out, and nothing else is touched, whatever people wrote around it."""

from __future__ import annotations

import json
from typing import Any

import json5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.clients.documents import COMMENTS, ENTRY, jsonc

from vettle.server.clients.formats.base import Unusable, put_in, take_out
from vettle.server.clients.formats.json_members import JSON
from vettle.server.clients.formats.jsonc import parse

KEYS = ("mcpServers",)
# The other reader is slow.
_FEW = settings(max_examples=50, deadline=None)


def _independent(text: str) -> Any:
    return json5.loads(text.removeprefix("\ufeff"))


def _solid(text: str) -> str:
    return "".join(text.split())


@_FEW
@given(jsonc())
def test_the_reader_agrees_with_another_one(drawn: tuple[str, dict[str, Any]]) -> None:
    """Comments and commas anywhere mean nothing, and every value is what it was written as."""
    text, data = drawn
    assert parse(text).value == data == _independent(text)
    assert JSON.servers(text, KEYS) == data.get("mcpServers", {})


@_FEW
@given(jsonc())
def test_adding_and_taking_out_gives_the_original_bytes(drawn: tuple[str, dict[str, Any]]) -> None:
    """One entry more for any reader, in the old order; taking out what was put in gives the text back."""
    text, data = drawn
    segments = JSON.insert(text, KEYS, "vettle", ENTRY)
    longer = put_in(text, segments)
    servers = {**data.get("mcpServers", {}), "vettle": ENTRY}
    assert _independent(longer) == {**data, "mcpServers": servers}
    assert list(_independent(longer)["mcpServers"]) == list(servers)
    assert take_out(longer, segments) == text
    assert all(longer.count(comment.strip()) >= text.count(comment.strip()) for comment in COMMENTS)


@_FEW
@given(jsonc(with_servers=True))
def test_taking_out_by_name_leaves_everything_else(drawn: tuple[str, dict[str, Any]]) -> None:
    """Without knowing what was put in, the same comes back but for white space, comments included."""
    text, data = drawn
    longer = put_in(text, JSON.insert(text, KEYS, "vettle", ENTRY))
    shorter = JSON.remove(longer, KEYS, "vettle", "")
    assert _independent(shorter) == data
    assert _solid(shorter) == _solid(text)


@_FEW
@given(jsonc(with_servers=True), st.data())
def test_an_entry_in_the_middle_comes_out_alone(
    drawn: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    """Any server can be the one that is taken out; all others, and every comment, stay."""
    text, meaning = drawn
    names = list(meaning["mcpServers"])
    if not names:
        return
    name = data.draw(st.sampled_from(names))
    shorter = JSON.remove(text, KEYS, name, "")
    del meaning["mcpServers"][name]
    assert _independent(shorter) == meaning


@_FEW
@given(jsonc(), st.data())
def test_a_broken_text_is_refused_or_means_the_same_to_others(
    drawn: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    """Whatever was typed by accident, the reader says a line or reads what another reader reads; it never crashes."""
    text, _ = drawn
    at = data.draw(st.integers(0, len(text)))
    typed = data.draw(st.sampled_from(('"', "{", "}", ",", ":", "/", "*", "]", "x", "\\", "")))
    broken = text[:at] + typed + text[at + 1 :]
    try:
        value = parse(broken).value
    except Unusable as error:
        assert 1 <= error.line <= broken.count("\n") + 1
        return
    assert value == _independent(broken)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('{\n  "mcpServers": {\n    "a": 1\n    "b": 2\n  }\n}', 4, "expected"),
        ('{"mcpServers": {}', 1, "expected"),
        ("{\n'mcpServers': {}}", 2, "double quotes"),
        ("{} {}", 1, "follows"),
        ("{\n/* never closed", 2, "expected"),
        ("[]", 1, "the file is not an object"),
        ('{\n"mcpServers": []}', 2, '"mcpServers" is not an object'),
        ("[" * 5_000, 1, "deep"),
        ('{"a": "\\x"}', 1, "value"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_by_line(text: str, line: int, said: str) -> None:
    """The line and the reason are named, so that the person finds it."""
    with pytest.raises(Unusable, match=said) as refused:
        JSON.insert(text, KEYS, "vettle", ENTRY)
    assert refused.value.line == line


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}\n", '{\n  "mcpServers": {\n    "v": {\n      "a": 1\n    }\n  }\n}\n'),
        ('{"mcpServers":{"x":{}}}', '{"mcpServers":{"x":{}, "v": {"a": 1}}}'),
        (
            '{\r\n\t"mcpServers": {\r\n\t\t"x": {} // mine\r\n\t}\r\n}',
            '{\r\n\t"mcpServers": {\r\n\t\t"x": {}, // mine\r\n\t\t"v": {\r\n\t\t\t"a": 1\r\n\t\t}\r\n\t}\r\n}',
        ),
        (
            '{\n    "mcpServers": {\n        "x": {},\n    },\n}',
            '{\n    "mcpServers": {\n        "x": {},\n        "v": {\n            "a": 1\n        },\n    },\n}',
        ),
        ("", '{\n  "mcpServers": {\n    "v": {\n      "a": 1\n    }\n  }\n}\n'),
    ],
)
def test_an_entry_looks_like_its_neighbours(before: str, after: str) -> None:
    """Indentation, line ends, one line or many, a comma after the last member: as the file has it already."""
    assert put_in(before, JSON.insert(before, KEYS, "v", {"a": 1})) == after


def test_lines_that_end_as_on_an_old_mac_are_lines() -> None:
    """A comment ends there for every reader, so what follows it is no part of it."""
    before = '{"mcpServers": {"x": {} // mine\r}}'
    after = put_in(before, JSON.insert(before, KEYS, "v", {"a": 1}))
    assert JSON.servers(after, KEYS) == {"x": {}, "v": {"a": 1}}
    assert "\n" not in after


def test_a_long_comment_before_the_end_takes_no_time() -> None:
    """Blanks inside a comment are not looked at again and again."""
    text = '{"mcpServers": {} /*' + " " * 200_000 + "x*/}"
    assert JSON.insert(text, KEYS, "v", {})[0].offset < 20


def test_of_two_members_with_one_name_the_last_counts() -> None:
    """As for every reader of JSON: taking out a name that is there twice is refused rather than guessed."""
    text = '{"mcpServers": {"vettle": 1, "b": 2, "vettle": 3}}'
    assert JSON.servers(text, KEYS)["vettle"] == 3
    shorter = JSON.remove(text, KEYS, "vettle", "")
    assert json.loads(shorter)["mcpServers"] == {"vettle": 1, "b": 2}
