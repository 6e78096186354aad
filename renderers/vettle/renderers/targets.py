"""The assistants by name: what shows that a repository uses one, and which renderer writes for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vettle.engine.errors import InvalidArgument
from vettle.engine.records import Target
from vettle.renderers import claude, continue_dev, copilot, cursor, windsurf
from vettle.renderers.documents import Document
from vettle.renderers.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Assistant:
    """One assistant. Any of `signs` shows that it is used; `block_path` is the user's file we add to."""

    target: Target
    signs: tuple[str, ...]
    block_path: str = ""


ASSISTANTS: tuple[Assistant, ...] = (
    Assistant("claude", ("CLAUDE.md", ".claude"), claude.BLOCK_PATH),
    Assistant("cursor", (".cursor", ".cursorrules")),
    Assistant("copilot", (".github/copilot-instructions.md", ".github/instructions"), copilot.BLOCK_PATH),
    Assistant("windsurf", (".windsurf", ".devin", ".windsurfrules")),
    Assistant("continue", (".continue",)),
)
NAMES = tuple(assistant.target for assistant in ASSISTANTS)
BLOCK_PATHS = frozenset(assistant.block_path for assistant in ASSISTANTS if assistant.block_path)


def choose(named: Sequence[str], used: Iterable[Target]) -> list[Assistant]:
    """Return the assistants to write for; `auto`, or no name at all, means those in `used`."""
    for name in named:
        if name not in ("auto", *NAMES):
            raise InvalidArgument(
                "targets",
                f"{name[:40]!r} is no assistant that vettle writes for",
                f"Valid: auto, {', '.join(NAMES)}",
            )
    wanted = {*named, *(used if "auto" in named or not named else ())}
    return [assistant for assistant in ASSISTANTS if assistant.target in wanted]


def documents(target: Target, sheet: Sheet, *, devin: bool) -> list[Document]:
    """Write the sheet for one assistant; `devin` says that the repository has a `.devin/` folder."""
    match target:
        case "claude":
            return claude.documents(sheet)
        case "cursor":
            return cursor.documents(sheet)
        case "copilot":
            return copilot.documents(sheet)
        case "windsurf":
            return windsurf.documents(sheet, devin=devin)
        case "continue":
            return continue_dev.documents(sheet)
