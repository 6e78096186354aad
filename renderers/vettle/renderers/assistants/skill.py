"""An Agent Skill: every rule in one file that an agent opens when it chooses to.

Studies found that such a skill is not opened in most of the sessions that need it, so it is written on
request only. Claude Code runs commands it finds in a skill when it loads it: the text must be neutral.
"""

from __future__ import annotations

from vettle.renderers.budget import Budget
from vettle.renderers.documents import Document, skill_file
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import Sheet

TOTAL = Budget(rules=100, characters=10_000)
PATH = ".claude/skills/vettle-rules/SKILL.md"

_DESCRIPTION = (
    "Rules for this repository that vettle has tested. Use when writing, changing or reviewing code here."
)


def always(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write all rules, those about some paths under a heading of their own."""
    return skill_file(PATH, "skill", ["name: vettle-rules", f"description: {_DESCRIPTION}"], sheet)
