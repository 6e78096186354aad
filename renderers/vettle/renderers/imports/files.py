"""Which rule files a repository has, whose they are, and what part of the repository each is about.

A rule about some paths must never come out as a rule about all of them. So where the scope of a file
cannot be read, nothing of the file is taken, and the reason says so.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from vettle.engine.arguments import Glob
from vettle.renderers.imports import frontmatter
from vettle.renderers.imports.instructions import Instruction, Passage, instructions

LARGEST = 256 * 1024
"""The most bytes of a file that is read; an assistant would not read so long a file either."""
MOST_GLOBS = 20
DEEPEST = 8
MOST_FOLDERS = 20_000

_Kind = Literal["plain", "claude", "cursor", "copilot", "windsurf", "continue", "unknown"]

_NESTED = ("AGENTS.md", "CLAUDE.md", "GEMINI.md")
# CLAUDE.local.md is left out on purpose: it is one person's, and rules are shared.
_SINGLE = (
    "AGENTS.md",
    "CLAUDE.md",
    ".claude/CLAUDE.md",
    "GEMINI.md",
    ".github/copilot-instructions.md",
    ".cursorrules",
    ".windsurfrules",
)
# Folder, end of the name, and whether its subfolders count.
_FOLDERS = (
    (".claude/rules", ".md", True),
    (".cursor/rules", ".mdc", True),
    (".github/instructions", ".instructions.md", True),
    (".windsurf/rules", ".md", False),
    (".devin/rules", ".md", False),
    (".continue/rules", ".md", False),
)
_KINDS: tuple[tuple[str, _Kind], ...] = (
    (".claude/rules/", "claude"),
    (".windsurf/rules/", "windsurf"),
    (".devin/rules/", "windsurf"),
    (".continue/rules/", "continue"),
)
_OWN_NAME = re.compile(r"vettle(?:-.*)?(?:\.instructions)?\.mdc?", re.DOTALL)
_NOT_OURS = frozenset(
    [
        "__pycache__",
        "bower_components",
        "build",
        "coverage",
        "dist",
        "env",
        "node_modules",
        "out",
        "site-packages",
        "target",
        "third_party",
        "vendor",
        "venv",
    ]
)

_SCOPE_KEYS: Mapping[_Kind, tuple[str, ...]] = {
    "plain": (),
    "claude": ("paths",),
    "cursor": ("globs",),
    "copilot": ("applyTo",),
    "windsurf": ("globs",),
    "continue": ("globs",),
    "unknown": ("paths", "globs", "applyTo"),
}
_EVERY_FILE = frozenset({"*", "**", "**/*", "**/**"})
_GLOB: TypeAdapter[str] = TypeAdapter(Glob)
_LEFT_OUT = "a path pattern that rules cannot have, so only the others are used"
_LINE_END = re.compile(r"\r\n|\r|\n")
_SPECIAL = re.compile(r"[*?\[\]{}!,\\]")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What one rule file says.

    `globs` is empty for a file about any path. `reason` says why nothing of the file could be taken, and is
    "" where it could be read, even if it holds no instruction; then `passed` tells what it holds instead.
    """

    path: str
    globs: tuple[str, ...]
    taken: tuple[Instruction, ...]
    passed: tuple[Passage, ...]
    reason: str


class _Unreadable(Exception):
    """Raised with the reason why nothing of a file can be taken."""


def find(root: Path) -> list[str]:
    """Return the rule files of a repository, relative, those about everything first and nested ones last.

    The same file under two names is found once, under the first. Files that vettle wrote are left out, and
    so are symbolic links that leave the repository.
    """
    found: dict[tuple[int, int], str] = {}
    for name in _candidates(root):
        identity = _identity(root, name)
        if identity is not None and not _is_own(name):
            found.setdefault(identity, name)
    return list(found.values())


def read(path: Path, name: str) -> RuleFile:
    """Read one rule file; never raises, whatever the bytes are.

    `name` is what the report calls it, relative to the repository. It decides how the file is read: the
    folder and the ending tell the dialect, and `docs/AGENTS.md` is about `docs/**`.
    """
    try:
        if _is_own(name):
            raise _Unreadable("vettle wrote this file")
        text = _text(path)
        parts = frontmatter.split(text)
        globs, unused = _scope(name, parts)
    except _Unreadable as error:
        return RuleFile(name, (), (), (), str(error))
    reading = instructions(parts.body, first_line=parts.body_line)
    left_out = (Passage(pattern, _line_of(pattern, text), _LEFT_OUT) for pattern in unused)
    return RuleFile(name, globs, reading.taken, (*left_out, *reading.passed), "")


def _line_of(pattern: str, text: str) -> int:
    return 1 + len(_LINE_END.findall(text, 0, max(0, text.find(pattern))))


def _candidates(root: Path) -> Iterator[str]:
    yield from _SINGLE
    for folder, ending, recursive in _FOLDERS:
        names = _files(root, folder, recursive=recursive)
        yield from sorted(name for name in names if name.endswith(ending))
    for folder in _folders(root):
        yield from (f"{folder}/{name}" for name in _NESTED)


def _files(root: Path, folder: str, *, recursive: bool) -> Iterator[str]:
    """Yield the files of a folder; a subfolder that is a symbolic link is left out, it may lead in a circle."""
    waiting = [folder]
    for _ in range(MOST_FOLDERS):
        if not waiting:
            return
        current = waiting.pop()
        for entry in _entries(root / current):
            if not entry.is_dir(follow_symlinks=False):
                yield f"{current}/{entry.name}"
            elif recursive and current.count("/") - folder.count("/") < DEEPEST:
                waiting.append(f"{current}/{entry.name}")


def _folders(root: Path) -> list[str]:
    """Return the folders of the repository's own code, sorted, without hidden, installed and built ones."""
    found: list[str] = []
    waiting = [""]
    for folder in waiting:
        entries = _entries(root / folder)
        if folder and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        if folder:
            found.append(folder)
        if len(waiting) < MOST_FOLDERS and len(PurePosixPath(folder).parts) < DEEPEST:
            waiting += [f"{folder}/{entry.name}".lstrip("/") for entry in entries if _is_own_code(entry)]
    return sorted(found)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_own_code(entry: os.DirEntry[str]) -> bool:
    return (
        not entry.name.startswith(".") and entry.name not in _NOT_OURS and entry.is_dir(follow_symlinks=False)
    )


def _identity(root: Path, name: str) -> tuple[int, int] | None:
    """Return what a file has in common with its other names, or None unless it is a file of the repository."""
    try:
        real = (root / name).resolve(strict=True)
        status = real.stat()
        inside = real.is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if inside and stat.S_ISREG(status.st_mode) else None


def _is_own(name: str) -> bool:
    return _OWN_NAME.fullmatch(PurePosixPath(name).name) is not None


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise _Unreadable("not a file" if path.exists() else "the file does not exist")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) and error.strerror else "its path is no path"
        raise _Unreadable(f"cannot be read: {problem}") from None
    if len(data) > LARGEST:
        raise _Unreadable(f"larger than {LARGEST // 1024} KiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f"not UTF-8 in line {line}") from None


def _scope(name: str, parts: frontmatter.Parts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the globs of a file, empty for any path, and the patterns that had to be left out."""
    kind = _kind(name)
    if kind == "plain":
        return _folder_scope(name), ()
    if parts.problem:
        raise _Unreadable(f"its scope cannot be read: {parts.problem}")
    if _always(kind, parts.values):
        return (), ()
    key = next((key for key in _SCOPE_KEYS[kind] if key in parts.values), "")
    patterns = _patterns(parts.values.get(key), joined=kind != "continue")
    if kind == "windsurf" and parts.values.get("trigger") == "glob" and not patterns:
        raise _Unreadable("its scope cannot be read: `trigger: glob` without `globs`")
    if kind == "continue" and parts.values.get("regex"):
        raise _Unreadable("its scope is a regular expression over file contents, which paths cannot express")
    return _usable(patterns)


def _kind(name: str) -> _Kind:
    path = PurePosixPath(name)
    if path.name in _NESTED or name in _SINGLE or path.name in (".cursorrules", ".windsurfrules"):
        return "plain"
    if path.suffix == ".mdc":
        return "cursor"
    if path.name.endswith(".instructions.md"):
        return "copilot"
    return next((kind for folder, kind in _KINDS if folder in f"/{name}"), "unknown")


def _folder_scope(name: str) -> tuple[str, ...]:
    """Return the folder that a nested AGENTS.md is about; a file from elsewhere is about everything."""
    folder = PurePosixPath(name).parent.as_posix()
    if name in _SINGLE or folder == "." or folder.startswith("/") or ".." in PurePosixPath(folder).parts:
        return ()
    pattern = f"{folder}/**"
    try:
        if _SPECIAL.search(folder) or _GLOB.validate_python(pattern) != pattern:
            raise ValueError
    except ValueError:
        raise _Unreadable("its scope cannot be read: no pattern can name its folder") from None
    return (pattern,)


def _always(kind: _Kind, values: Mapping[str, object]) -> bool:
    """Tell whether the file says that its globs do not matter."""
    if kind == "windsurf":
        return values.get("trigger") == "always_on"
    return kind in ("cursor", "continue") and values.get("alwaysApply") is True


def _patterns(value: object, *, joined: bool) -> list[str]:
    """Return the patterns of a value as they are written; `joined` says that commas may separate them."""
    elements = value if isinstance(value, list) else [value]
    written = [str(element) for element in elements if element not in (None, "")]
    separate = [
        part for element in written for part in (frontmatter.at_commas(element) if joined else [element])
    ]
    return [pattern for part in separate if (pattern := part.strip(" \t\"'"))]


def _usable(patterns: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the patterns that a rule can have, and the others; no pattern at all means every path."""
    globs: dict[str, None] = {}
    unused: list[str] = []
    for pattern in patterns:
        if glob := _glob(pattern):
            globs[glob] = None
        else:
            unused.append("".join(sign if sign.isprintable() else "?" for sign in pattern[:80]))
    if unused and not globs:
        raise _Unreadable(f"its scope cannot be read: {unused[0]!r} is no pattern that rules can have")
    if _EVERY_FILE & globs.keys():
        return (), tuple(unused)
    if len(globs) > MOST_GLOBS:
        raise _Unreadable(f"its scope has {len(globs)} patterns, and a rule has at most {MOST_GLOBS}")
    return tuple(globs), tuple(unused)


def _glob(pattern: str) -> str:
    """Return the pattern as a rule has it, or "" if a rule cannot have it, as a negation."""
    relative = pattern.removeprefix("./").lstrip("/")
    balanced = all(relative.count(opening) == relative.count(closing) for opening, closing in ("[]", "{}"))
    if relative.startswith("!") or not balanced:
        return ""
    try:
        return _GLOB.validate_python(relative)
    except ValidationError:
        return ""
