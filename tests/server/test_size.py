"""Answers stay readable: no tool's reply grows past 20,000 characters, whatever a project holds."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from vettle.engine import mistakes, rules, sessions
from vettle.engine.paging import REPLY_CHARACTERS
from vettle.engine.project import Project
from vettle.engine.records import Target
from vettle.server import tools

LONG = "a rule of many words " * 18


@pytest.fixture(name="crowded")
def _crowded(project: Project) -> Project:
    for index in range(130):
        rule_id = rules.add(project, text=f"{index} {LONG}"[:400], category=LONG[:100], context="").rule_id
        rules.decide(project, rule_id=rule_id, action="pin", reason=LONG[:300])
        sessions.start(project, task=LONG * 5, context=f"{index} {LONG}"[:100], agent=LONG[:100])
        session_id = sessions.start(project, task=LONG * 5, context=f"{index} {LONG}"[:100]).session_id
        mistakes.log(
            project,
            error_class=f"{index} {LONG}"[:100],
            description=LONG * 9,
            correction=LONG * 9,
            session_id=session_id,
        )
        sessions.end(project, session_id=session_id, outcome="accepted")
    return project


CALLS: list[tuple[Any, dict[str, Any]]] = [
    (tools.session_start, {"task": "x", "k": 10}),
    (tools.rules_list, {"limit": 100, "response_format": "detailed"}),
    (tools.rules_render, {"targets": get_args(Target)}),
    (tools.report_get, {"kind": "sessions", "limit": 100}),
    (tools.report_get, {"kind": "mistakes"}),
    (tools.report_get, {"kind": "rewards"}),
    (tools.report_get, {"kind": "rules", "limit": 100, "response_format": "detailed"}),
    (tools.status, {}),
]


def test_no_reply_is_longer_than_20_000_characters(crowded: Project) -> None:
    """Long rows make short pages; what is left out is said."""
    for tool, arguments in CALLS:
        assert len(tool(crowded, **arguments).model_dump_json()) <= REPLY_CHARACTERS, tool


def test_a_rendering_of_many_short_rules_fits_too(project: Project) -> None:
    """Many files, rules and readers make an answer that says that it is shortened."""
    for index in range(150):
        globs = (f"**/part{index % 30}/**",) if index % 2 else ()
        rule_id = rules.add(project, text=f"Short rule {index}.", globs=globs).rule_id
        rules.decide(project, rule_id=rule_id, action="pin", reason="x")
    for arguments in ({}, {"check": True}, {"write": True}):
        rendering = tools.rules_render(project, targets=get_args(Target), **arguments)
        assert len(rendering.model_dump_json()) <= REPLY_CHARACTERS
        assert any("shortened" in note for note in rendering.notes)


def test_pages_cut_by_size_still_cover_every_session(crowded: Project) -> None:
    """Following the cursor through pages cut by size visits each session exactly once."""
    seen, cursor = [], ""
    while True:
        report = tools.report_get(crowded, kind="sessions", limit=100, cursor=cursor)
        assert report.sessions is not None
        seen += [session.session_id for session in report.sessions.sessions]
        cursor = report.sessions.next_cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 260
