"""Which files each program really reads, so that nobody gets a rule twice, never, or instead of their own text.

A target is what we write; a reader is a program, and most read files that were written for others. The table
holds what was measured with the programs themselves, or what their makers document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from vettle.engine.records import Target
from vettle.renderers.repository import Repository

Chain = tuple[frozenset[str], ...]
"""Sets of files in order of preference: only the first set of which a file exists is read."""


def _together(*paths: str) -> Chain:
    return (frozenset(paths),)


def _first_of(*paths: str) -> Chain:
    return tuple(frozenset({path}) for path in paths)


@dataclass(frozen=True, slots=True)
class Reader:
    """One program: the always-on files it reads, and the targets whose files for some paths it reads.

    `target` is the one that is written for it. Any of `signs` shows that a repository uses it; without
    signs it is used where its target is. `expands` are the files whose `@AGENTS.md` it follows, and
    `repeats` says that it does so even if it reads AGENTS.md anyway. `drops_equal` says that it reads the first
    of several files whose whole texts are equal.
    """

    name: str
    target: Target
    always: tuple[Chain, ...]
    scoped: frozenset[Target] = frozenset()
    signs: tuple[str, ...] = ()
    expands: frozenset[str] = frozenset()
    repeats: bool = False
    drops_equal: bool = False

    def files(self, repository: Repository, present: frozenset[str]) -> Counter[str]:
        """Count the copies of each always-on file it reads when those in `present` exist.

        Links count as the file they lead to: programs that read both names drop the second of two equal texts.
        """
        read: set[str] = set()
        for chain in self.always:
            read |= next((found for files in chain if (found := files & present)), frozenset())
        copies = Counter({repository.real(path) for path in read})
        for path in read & self.expands:
            for other in map(repository.real, repository.imports(path) & present):
                copies[other] += self.repeats or not copies[other]
        return copies


_CLAUDE_FILES = frozenset({"CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md"})
_CLAUDE_RULES = ".claude/rules/vettle.md"
_COPILOT = ".github/copilot-instructions.md"
_CONTINUE = (
    _first_of("AGENTS.md", "AGENT.md", "CLAUDE.md", "CODEX.md"),
    _together(".continue/rules/vettle.md"),
)
_CURSOR = (".cursor/rules/vettle.mdc", "AGENTS.md", ".cursorrules")

READERS: tuple[Reader, ...] = (
    Reader(
        "Claude Code",
        "claude",
        ((_CLAUDE_FILES, frozenset({"AGENTS.md"})), _together(_CLAUDE_RULES)),
        frozenset({"claude"}),
        expands=_CLAUDE_FILES,
    ),
    Reader("Cursor", "cursor", (_together(*_CURSOR),), frozenset({"cursor"})),
    Reader(
        "Cursor with third-party files",
        "cursor",
        (_together(*_CURSOR, *_CLAUDE_FILES),),
        frozenset({"cursor"}),
    ),
    Reader(
        "Copilot CLI",
        "copilot",
        (_together(_COPILOT, "AGENTS.md", "CLAUDE.md", "GEMINI.md", _CLAUDE_RULES),),
        frozenset({"copilot", "claude"}),
        expands=frozenset({"AGENTS.md", "CLAUDE.md"}),
        repeats=True,
        drops_equal=True,
    ),
    Reader(
        "VS Code Copilot",
        "copilot",
        (_together(_COPILOT, "AGENTS.md", *_CLAUDE_FILES, _CLAUDE_RULES),),
        frozenset({"copilot", "claude"}),
    ),
    Reader(
        "Devin Desktop (Windsurf)",
        "windsurf",
        (
            _together("AGENTS.md", ".windsurfrules"),
            _first_of(".devin/rules/vettle.md", ".windsurf/rules/vettle.md"),
        ),
        frozenset({"windsurf"}),
    ),
    Reader("Continue", "continue", _CONTINUE, frozenset({"continue"})),
    # Its command line was measured to read no rules about paths at all.
    Reader("Continue CLI", "continue", _CONTINUE),
    Reader("Codex", "agents", (_first_of("AGENTS.override.md", "AGENTS.md"),)),
    Reader("Gemini CLI", "gemini", (_together("GEMINI.md"),), expands=frozenset({"GEMINI.md"})),
    Reader(
        "Zed",
        "agents",
        (
            _first_of(
                ".rules", ".cursorrules", ".windsurfrules", ".clinerules", _COPILOT, "AGENT.md", "AGENTS.md",
                "CLAUDE.md", "GEMINI.md",
            ),
        ),
        signs=(".zed", ".rules"),
    ),
    Reader("Junie", "agents", (_first_of(".junie/AGENTS.md", "AGENTS.md"),), signs=(".junie",)),
)  # fmt: skip


def in_use(targets: Collection[Target], signs: Collection[str]) -> list[Reader]:
    """Return the programs that a repository with these targets and these signs is used with."""
    return [
        reader
        for reader in READERS
        if (set(reader.signs) & set(signs) if reader.signs else reader.target in targets)
    ]


def hidden_by(repository: Repository, added: Iterable[str]) -> list[tuple[Reader, str]]:
    """Return each file of the user's that some reader stops reading when the files in `added` are there too."""
    before, after = repository.present, repository.present | frozenset(added)
    return [
        (reader, path)
        for reader in READERS
        for path in sorted(reader.files(repository, before).keys() - reader.files(repository, after).keys())
    ]
