"""The assistants by name: what shows that a repository uses one, and which writer writes for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from vettle.engine.errors import InvalidArgument
from vettle.engine.records import Target
from vettle.renderers.assistants import (
    agents_md,
    claude,
    continue_dev,
    copilot,
    cursor,
    gemini,
    skill,
    windsurf,
)
from vettle.renderers.budget import Budget, byte_length
from vettle.renderers.documents import Document
from vettle.renderers.repository import Repository
from vettle.renderers.sheet import Sheet

Writer = Callable[[Sheet, Repository], list[Document]]


def _nothing(sheet: Sheet, repository: Repository) -> list[Document]:
    """Write nothing, for assistants that cannot tie rules to paths."""
    return []


@dataclass(frozen=True, slots=True)
class FileLimit:
    """The longest file that an assistant reads to its end, with the user's text, counted by `measure`."""

    size: int
    measure: Callable[[str], int] = len


@dataclass(frozen=True, slots=True)
class Assistant:
    """One assistant, or a file that several read.

    Any of `signs` shows that a repository uses it: its rule files, or the configuration of its MCP servers, as
    everybody's clone has it; without signs it is written on request only. The always-on rules go to the place that
    `place` names, and into one of `block_paths` if the user's own file carries them. `total` is for all rules
    together, where one file holds them all.
    """

    target: Target
    signs: tuple[str, ...]
    place: Callable[[Repository], str]
    always: Writer
    scoped: Writer = _nothing
    block_paths: tuple[str, ...] = ()
    limit: FileLimit | None = None
    total: Budget | None = None


ASSISTANTS: tuple[Assistant, ...] = (
    Assistant(
        "claude",
        ("CLAUDE.md", ".claude", ".mcp.json"),
        claude.place,
        claude.always,
        claude.scoped,
        claude.BLOCK_PATHS,
    ),
    Assistant(
        "cursor", (".cursor", ".cursorrules"), lambda _: cursor.ALWAYS_PATH, cursor.always, cursor.scoped
    ),
    Assistant(
        "copilot",
        (copilot.BLOCK_PATH, ".github/instructions", ".vscode/mcp.json"),
        lambda _: copilot.BLOCK_PATH,
        copilot.always,
        copilot.scoped,
        (copilot.BLOCK_PATH,),
        FileLimit(4_000),
    ),
    Assistant(
        "windsurf",
        (".windsurf", ".devin", ".windsurfrules"),
        windsurf.always_path,
        windsurf.always,
        windsurf.scoped,
        limit=FileLimit(6_000),
    ),
    Assistant(
        "continue",
        (".continue",),
        lambda _: continue_dev.ALWAYS_PATH,
        continue_dev.always,
        continue_dev.scoped,
    ),
    Assistant(
        "agents",
        (agents_md.BLOCK_PATH, ".codex/config.toml"),
        lambda _: agents_md.BLOCK_PATH,
        agents_md.always,
        block_paths=(agents_md.BLOCK_PATH,),
        limit=FileLimit(32 * 1_024, byte_length),
    ),
    Assistant(
        "gemini",
        (gemini.BLOCK_PATH, ".gemini/settings.json"),
        lambda _: gemini.BLOCK_PATH,
        gemini.always,
        block_paths=(gemini.BLOCK_PATH,),
    ),
    Assistant("skill", (), lambda _: skill.PATH, skill.always, total=skill.TOTAL),
)
NAMES = tuple(assistant.target for assistant in ASSISTANTS)
SCOPING = tuple(assistant.target for assistant in ASSISTANTS if assistant.scoped is not _nothing)
BLOCK_PATHS = frozenset(path for assistant in ASSISTANTS for path in assistant.block_paths)
_BY_NAME = {assistant.target: assistant for assistant in ASSISTANTS}


def find(target: Target) -> Assistant:
    """Return the assistant of this name."""
    return _BY_NAME[target]


def check_names(named: Sequence[str]) -> None:
    """Refuse names that are no target (InvalidArgument)."""
    for name in named:
        if name not in ("auto", *NAMES):
            raise InvalidArgument(
                "targets",
                f"{name[:40]!r} is no assistant that vettle writes for",
                f"Valid: auto, {', '.join(NAMES)}",
            )


def in_order(targets: Iterable[Target]) -> list[Target]:
    """Return the targets in the order in which they are always listed."""
    wanted = set(targets)
    return [name for name in NAMES if name in wanted]
