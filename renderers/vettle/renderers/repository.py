"""What a repository holds for assistants besides what vettle wrote: the files that decide what is read."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from vettle.engine.errors import FilesRefused
from vettle.engine.similarity import rule_form
from vettle.renderers import blocks

# Files of the user's that assistants read whole and that may carry our block.
SHARED = ("AGENTS.md", "CLAUDE.md", ".claude/CLAUDE.md", "GEMINI.md", ".github/copilot-instructions.md")
# Files and folders whose presence decides what some assistant reads.
_DECISIVE = (
    "AGENT.md", "AGENTS.override.md", "CODEX.md", "CLAUDE.local.md", ".rules", ".cursorrules", ".windsurfrules", ".clinerules", ".junie/AGENTS.md",
    ".devin",
)  # fmt: skip
_PRIVATE = frozenset({"CLAUDE.local.md"})
_FOLDERS = (".windsurf/rules", ".devin/rules")
_OURS = re.compile(r"vettle(-[a-z0-9-]+)?\.md")
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")
_IMPORT = re.compile(r"(?<![\w`/])@(?:\.{1,2}/)?(AGENTS\.md|CLAUDE\.md|GEMINI\.md)(?![\w.])")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Repository:
    """The user's rule files.

    `present` names those that matter and hold anything besides our text and comments: an empty CLAUDE.md hides
    nothing. `texts` is what stands outside our block in each file of SHARED that exists. `same` leads from a path that is a link to the path it stands for.
    """

    present: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)

    def real(self, path: str) -> str:
        """Return the path that this one stands for."""
        return self.same.get(path, path)

    def without_private_files(self) -> Repository:
        """Return what everybody's clone has: a layout that is committed must not depend on one person's files."""
        return replace(self, present=self.present - _PRIVATE)

    def says(self, path: str) -> frozenset[str]:
        """Return the normal forms of what stands in the user's own text of a shared file, line by line."""
        lines = self.texts.get(path, "").splitlines()
        return frozenset(form for line in lines if (form := rule_form(_BULLET.sub("", line))))

    def imports(self, path: str) -> frozenset[str]:
        """Return the shared files whose text the given one pulls in with `@`."""
        return frozenset(_IMPORT.findall(self.texts.get(path, "")))


def look(root: Path) -> Repository:
    """Read what the repository has."""
    texts = {path: text for path in SHARED if (text := _text(root, path)) is not None}
    present = {path for path, text in texts.items() if _without_comments(text).strip("\ufeff \t\r\n")}
    present |= {path for path in _DECISIVE if (root / path).exists()}
    present |= {folder for folder in _FOLDERS if _has_other_files(root / folder)}
    return Repository(frozenset(present), texts, _links(root))


def _without_comments(text: str) -> str:
    # Behind the last end of a comment none is looked for: each beginning there would read the whole rest in vain.
    before, end, rest = text.rpartition("-->")
    return _COMMENT.sub("", before + end) + rest


def _text(root: Path, path: str) -> str | None:
    """Return what stands outside our block; a file that cannot be read or is damaged is refused elsewhere."""
    try:
        if not (root / path).is_file():
            return None
        data = (root / path).read_bytes()
    except OSError:
        return None
    try:
        page = blocks.parse(data, path)
    except FilesRefused:
        return data.decode("utf-8", errors="replace")
    return page.before + page.after


def _has_other_files(folder: Path) -> bool:
    return folder.is_dir() and any(
        file.suffix == ".md" and not _OURS.fullmatch(file.name) for file in folder.iterdir()
    )


def _links(root: Path) -> dict[str, str]:
    """Return which of the shared files are the same file, each pointing to the first one in SHARED."""
    first: dict[Path, str] = {}
    same: dict[str, str] = {}
    for path in SHARED:
        if (root / path).exists():
            real = (root / path).resolve()
            same[path] = first.setdefault(real, path)
    return {path: other for path, other in same.items() if path != other}


def find_file(root: Path, path: str, *, own: bool) -> tuple[Path, bytes | None]:
    """Return where a file really is and its bytes (None: no file); refuse what is no plain file inside the project.

    A link is followed where the file is the user's, and refused where it would be vettle's `own`.
    """
    named = root / path
    try:
        real = named.resolve()
        if not real.is_relative_to(root) or ".git" in real.relative_to(root).parts:
            raise FilesRefused(
                f"{path}: leads to {real}, which is no rule file of this project. Remove the link."
            )
        if named.is_symlink() and (own or not real.exists()):
            raise FilesRefused(
                f"{path}: a symbolic link where vettle writes a file of its own. Remove the link."
            )
        if not stat.S_ISREG(real.stat().st_mode):
            raise FilesRefused(f"{path}: not a regular file. Move it away, then render again.")
        return real, real.read_bytes()
    except FileNotFoundError:
        return real, None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise FilesRefused(f"{path}: cannot be read ({error}).") from None
