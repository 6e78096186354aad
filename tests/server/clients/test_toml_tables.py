"""TOML: our table goes to the end and out again, and nothing else is touched."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from tests.server.clients.documents import ENTRY, toml

from vettle.server.clients.formats.base import Unusable, put_in, take_out
from vettle.server.clients.formats.toml_tables import TOML

KEYS = ("mcp_servers",)


def _meaning(text: str) -> dict[str, Any]:
    return tomllib.loads(text.removeprefix("\ufeff"))


@given(toml())
def test_adding_and_taking_out_gives_the_original_bytes(text: str) -> None:
    """One table more for any reader; taking out what was put in gives the text back."""
    segments = TOML.insert(text, KEYS, "vettle", ENTRY)
    longer = put_in(text, segments)
    before = _meaning(text)
    assert _meaning(longer) == {**before, "mcp_servers": {**before.get("mcp_servers", {}), "vettle": ENTRY}}
    assert take_out(longer, segments) == text


@given(toml())
def test_taking_out_by_name_leaves_what_others_added(text: str) -> None:
    """Tables and comments that came after ours stay, also when our own lines were edited meanwhile."""
    (segment,) = TOML.insert(text, KEYS, "vettle", ENTRY)
    later = put_in(text, [segment]) + "# about later\n[later]\nx = 1\n"
    assert TOML.remove(later, KEYS, "vettle", segment.text) == text + "# about later\n[later]\nx = 1\n"
    edited = later.replace('"serve"', '"served"')
    shorter = TOML.remove(edited, KEYS, "vettle", segment.text)
    assert "# about later" in shorter
    assert _meaning(shorter)["later"] == {"x": 1}
    assert "vettle" not in _meaning(shorter).get("mcp_servers", {})


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a = 1\nb = \n", 2, "Invalid value"),
        ("a = 1\na = 2\n", 2, "overwrite"),
        ("mcp_servers = 3\n", 1, "not a table"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_by_line(text: str, line: int, said: str) -> None:
    """The line and the reason are named, so that the person finds it."""
    with pytest.raises(Unusable, match=said) as refused:
        TOML.servers(text, KEYS)
    assert refused.value.line == line


def test_a_table_in_braces_is_refused() -> None:
    """Nothing can be added to an inline table without rewriting it, so a person has to."""
    with pytest.raises(Unusable, match=r"\[mcp_servers.vettle\] cannot follow"):
        TOML.insert('mcp_servers = {a = {command = "x"}}\n', KEYS, "vettle", ENTRY)
