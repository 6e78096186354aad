"""Rules as people wrote them: every bullet of 128 public rule files goes through the whole product.

The files are public data that is not part of this repository; without them these tests say so and skip.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from pydantic import TypeAdapter, ValidationError

from vettle.engine import rules, sessions, standings
from vettle.engine.arguments import RequiredRuleText
from vettle.engine.errors import InvalidArgument
from vettle.engine.project import Project
from vettle.engine.records import Rule
from vettle.renderers.render import render

DATA = Path(__file__).parents[3] / "shared" / "data" / "cursor-rules"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the public rule files are not on this machine ({DATA} is missing)"
)


def _bullets() -> list[str]:
    text = TypeAdapter(RequiredRuleText)
    found: dict[str, None] = {}
    for file in sorted(DATA.glob("*.mdc")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith(("- ", "* ")):
                try:
                    found[text.validate_python(line[2:])] = None
                except ValidationError:
                    continue  # longer than a rule may be, or nothing but a bullet
    return list(found)


def _add(project: Project, text: str) -> str:
    """Add a rule and return its status, or "refused"."""
    try:
        added = rules.add(project, text=text, source="import")
    except InvalidArgument as error:
        assert "secret" in str(error)
        return "refused"
    assert added.reasons or added.status == "trial"
    return added.status


def test_every_real_bullet_is_added_or_refused_with_a_reason(project: Project) -> None:
    """Thousands of real instructions: each is on trial, quarantined with reasons, or a duplicate."""
    bullets = _bullets()
    assert len(bullets) > 2_000
    answers = [_add(project, bullet) for bullet in bullets]
    counts = Counter(answers)
    assert counts["trial"] > 0.9 * len(bullets)
    assert counts["quarantined"] < 0.02 * len(bullets)
    assert counts["refused"] == 2  # both are passwords of test accounts
    started = sessions.start(project, task="write a component with tests", context="feature", k=5)
    assert started.pool == counts["trial"]
    assert sessions.replay(project, started.session_id).identical
    page = standings.page(project, query="component", limit=5)
    assert page.total > 0


def test_every_real_bullet_renders_as_one_bullet(tmp_path: Path, project: Project) -> None:
    """In every assistant's file each real rule is exactly one list item, and none is lost unsaid."""
    bullets = _bullets()
    created = project.clock()
    parser = MarkdownIt()
    for start in range(0, len(bullets), 400):
        part = [
            Rule.model_validate(
                {"id": f"r{start + index}", "text": text, "status": "pinned", "created": created / 1e6}
            )
            for index, text in enumerate(bullets[start : start + 400])
        ]
        for rule in part[::10]:
            rendering = render(tmp_path, [rule], targets=["claude", "cursor"], write=True)
            assert rendering.written, rendering
            if rendering.left_out:
                assert rendering.left_out[0].reason
                continue
            tokens = parser.parse((tmp_path / "CLAUDE.md").read_text(encoding="utf-8"))
            assert sum(token.type == "list_item_open" for token in tokens) == 1, rule.text
