"""Rules and project folders for the renderers' tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from vettle.engine.records import Rule, RuleStatus, Target
from vettle.renderers.assistants.targets import find
from vettle.renderers.documents import Document
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import Sheet

ALL_TARGETS: tuple[Target, ...] = get_args(Target)


def make_rule(text: str, *globs: str, identifier: str = "", status: RuleStatus = "proven") -> Rule:
    """Return a rule; its id is made from its text unless one is given."""
    name = identifier or text.lower()[:30]
    return Rule(id=name, text=text, globs=globs, status=status, created=datetime(2026, 11, 1, tzinfo=UTC))


def three_rules() -> list[Rule]:
    """Return the rule set of the golden files: one global, one for Python, one for tests."""
    return [
        make_rule("Always run the type checker before committing.", identifier="types"),
        make_rule("Annotate every public function.", "*.py", identifier="annotate"),
        make_rule("Never mock the database.", "tests/**", identifier="mock"),
    ]


def documents(target: Target, sheet: Sheet, repository: Repository | None = None) -> list[Document]:
    """Return everything that is written for one target, in an empty repository unless one is given."""
    assistant, place = find(target), repository or Repository()
    return [*assistant.always(sheet, place), *assistant.scoped(sheet, place)]


def snapshot(root: Path) -> dict[str, bytes]:
    """Return every file under `root` with its bytes, but not what vettle keeps for itself."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".vettle" not in path.relative_to(root).parts
    }
