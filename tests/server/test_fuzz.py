"""Every tool, through the real server over stdio, with right, wrong and hostile arguments."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.server.hostile import SECRET, SECRETS, arguments, schema_of
from tests.server.wire import Wire

from vettle.engine.project import Project
from vettle.engine.store import maintenance
from vettle.server import transport
from vettle.server.tool import Tool
from vettle.server.toolsets import TOOLSETS

TOOLS: dict[str, Tool] = {tool.name: tool for offered in TOOLSETS.values() for tool in offered()}
LENGTHY = ("judge_calibrate",)
"""Tools that simulate for seconds; they get few calls."""

CALLS = 5_000 if os.environ.get("VETTLE_EXPLORE") else 600

_PROTOCOL_ERRORS = (-32700, -32602, -32600)
"""Unreadable, wrong parameters, no request: what a client itself got wrong."""


@dataclass
class Target:
    """A server on a project with something in it, and a place around it that nothing may touch."""

    wire: Wire
    root: Path
    around: Path
    outside: set[Path] = field(default_factory=set)
    known: dict[str, str] = field(default_factory=dict)

    def call(self, tool: str, given: dict[str, Any]) -> None:
        """Call a tool; everything that holds for every answer is checked here."""
        answer = self.wire.call(tool, self._named(given))
        if "error" in answer:
            assert answer["error"]["code"] in _PROTOCOL_ERRORS, answer
            assert SECRET not in json.dumps(answer)
            return
        result = answer["result"]
        content, *links = result["content"]
        assert all(link["type"] == "resource_link" for link in links), links
        text = content["text"]
        assert len(text) <= 20_000, f"{tool}: {len(text)} characters"
        if not result.get("isError"):
            self._learn(result["structuredContent"])
            return
        assert not text.startswith("Error executing"), self.wire.log.read_text()[-3_000:]
        assert "\n" not in text and "Traceback" not in text, text
        assert ". " in text or ": " in text, f"{tool} says no remedy: {text}"
        assert SECRET not in text, text

    def _named(self, value: Any) -> Any:
        """Put ids of things that are there where the arguments ask for some."""
        if isinstance(value, str):
            return self.known.get(value, value)
        if isinstance(value, list):
            return [self._named(one) for one in value]
        if isinstance(value, dict):
            return {self.known.get(key, key): self._named(one) for key, one in value.items()}
        return value

    def _learn(self, record: dict[str, Any]) -> None:
        for name in ("session_id", "rule_id", "experiment_id", "assignment_id", "variant"):
            if isinstance(record.get(name), str) and record[name]:
                self.known["@" + name.removesuffix("_id")] = record[name]

    def strays(self) -> set[Path]:
        """Return what is around the project now and was not, or the other way round."""
        return self.outside ^ set(_around(self.around, self.root))


def _around(folder: Path, root: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if not path.is_relative_to(root) and path.parent.name != "temporary":
            yield path


@pytest.fixture(name="target", scope="module")
def _target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    around = tmp_path_factory.mktemp("around")
    root = around / "deep" / "project"
    for folder in (root / ".git", around / "home", around / "temporary", around / "outside"):
        folder.mkdir(parents=True)
    (around / "outside" / "kept.md").write_text("- Keep this.\n", encoding="utf-8")
    (root / "out").symlink_to(around / "outside")
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    (root / "data.json").write_text('{"a": [1, {"b": "\\ud800"}]}', encoding="utf-8")
    (root / "journal.md").write_text("# Day\n\n## Improvements\n\n- Sort imports.\n", encoding="utf-8")
    wire = Wire(root, around / "log", HOME=str(around / "home"), TMPDIR=str(around / "temporary"))
    target = Target(wire, root, around, known={"@variant": "a"})
    target.outside = set(_around(around, root))
    target.call("rule_add", {"text": "Always run the type checker."})
    target.call("session_start", {"task": "fix it"})
    variants = [{"name": "a", "config": {"t": 0}}, {"name": "b", "config": {"t": 1}}]
    metric = {"name": "score", "direction": "higher"}
    target.call("experiment_create", {"name": "alpha", "variants": variants, "metric": metric})
    target.call("variant_select", {"experiment": "alpha", "unit": "x"})
    assert len(target.known) == 5
    yield target
    wire.close()


_CALLS = st.sampled_from([name for name in TOOLS if name not in LENGTHY]).flatmap(
    lambda name: st.tuples(st.just(name), arguments(TOOLS[name]))
)


@settings(
    max_examples=CALLS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(call=_CALLS)
def test_every_call_is_answered_as_it_should_be(target: Target, call: tuple[str, dict[str, Any]]) -> None:
    """A record of bounded size, or one line that says what is wrong and what to do, without a secret."""
    target.call(*call)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(given_arguments=arguments(TOOLS["judge_calibrate"]))
def test_the_lengthy_tool_too(target: Target, given_arguments: dict[str, Any]) -> None:
    """Calibration is fuzzed like the others, a few times."""
    target.call("judge_calibrate", {**given_arguments, "simulations": 20})


LINES = [
    b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"status","arguments":'
    + b'{"a":' * 100_000
    + b"1"
    + b"}" * 100_000
    + b"}}",
    b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"status","arguments":{"a":"'
    + b"x" * 10_000_000
    + b'"}}}',
    b'{"method":"tools/call","params":{"name":"status","arguments":{"id":1,"a":"\\ud83d"}},"jsonrpc":"2.0","id":%d}',
    b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"status","arguments":{"a":'
    + b"9" * 5_000
    + b"}}}",
    b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"status","arguments":{"a":\xff}}}',
    b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":[1]}',
    b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":7,"arguments":[]}}',
    b'{"jsonrpc":"2.0","id":%d,"method":"no/such","params":{}}',
    b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"status","arguments":{"a":NaN}}}',
    b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"no_such","arguments":{}}}',
    b'{"jsonrpc":"2.0","id":%d,"method":7}',
]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_a_message_that_cannot_be_read_is_answered_too(target: Target, line: bytes) -> None:
    """Depth, size, half an emoji, endless numbers, broken UTF-8: a client is told and need not wait in vain."""
    number = 1_000_000 + LINES.index(line)
    target.wire.raw(line.replace(b"%d", str(number).encode()))
    answer = target.wire.answer(number)
    assert "error" in answer or answer["result"]["isError"]


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ('{"id":7,"a":', 7),
        ('{"a":{"id":1},"id" : -7}', -7),
        ('{"a":"\\"id\\":1","id":"x"', "x"),
        ('{"id":"\\u00e9 \\"x\\""', 'é "x"'),
        ('{"id":12345678901234567890123}', 12345678901234567890123),
        ('{"id":1.5}', None),
        ('{"id":1e5}', None),
        ('{"id":"\\ud800"}', None),
        ('{"id":' + "9" * 5_000 + "}", None),
        ('{"id":"x', None),
        ('{"id":null}', None),
        ('["id",7]', None),
    ],
)
def test_the_id_of_an_unreadable_request_is_right_or_none(line: str, number: int | str | None) -> None:
    """An answer never goes to another request than the one that was asked."""
    assert transport.request_id(line) == number


def test_noise_on_stdin_changes_nothing(target: Target) -> None:
    """Lines that are no messages have nobody to answer; the next request is answered as ever."""
    for noise in (b"", b"hello", b"\x00\xff", b"{", b"[]", b'"id"', b"[" * 200_000):
        target.wire.raw(noise)
    target.call("status", {})


def test_schemas_here_are_those_that_are_published(target: Target) -> None:
    """What is fuzzed has the arguments that clients see."""
    published = target.wire.request("tools/list", {})["result"]["tools"]
    assert {tool["name"]: set(tool["inputSchema"]["properties"]) for tool in published} == {
        name: set(schema_of(tool)["properties"]) for name, tool in TOOLS.items()
    }


def test_afterwards_everything_adds_up(target: Target) -> None:
    """Aggregates equal a recount, nothing was written around the project, and no secret was kept or logged."""
    for secret in SECRETS:
        target.call("session_start", {"task": secret})
        target.call("rule_add", {"text": "Sort.", "rationale": secret})
    assert target.wire.close() == 0
    assert target.wire.log.read_text() == ""
    assert target.strays() == set()
    assert list((target.around / "temporary").iterdir()) == []
    project = Project(target.root)
    try:
        assert maintenance.check(project.open_again()) == []
    finally:
        project.close()
    for path in target.around.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
