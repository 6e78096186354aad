"""What a person changed inside the text that vettle wrote: lines that were added, and rules that were deleted."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from vettle.engine import quarantine
from vettle.engine.arguments import RequiredRuleText
from vettle.engine.errors import FilesRefused
from vettle.renderers import blocks
from vettle.renderers import lock as lockfile
from vettle.renderers.assistants.targets import check_names
from vettle.renderers.changes import digest, is_as_written
from vettle.renderers.documents import BLOCK_TITLE, TITLE
from vettle.renderers.lock import Entry, line_hash
from vettle.renderers.neutral import plain
from vettle.renderers.recognising import opening, recognised
from vettle.renderers.repository import find_file, look

_BULLET = re.compile(r"[-*+] +(.*)")
_CONTINUED = re.compile(r"[ \t]+(.*)")
_TEXT = TypeAdapter(RequiredRuleText)


@dataclass(frozen=True, slots=True)
class Added:
    """A line that vettle did not write, as a rule's text, and where it stands."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Edit:
    """What was changed in one file. `globs` are the paths that its rules are about, `digest` is of its bytes."""

    path: str
    digest: str
    globs: tuple[str, ...]
    added: tuple[Added, ...]
    removed: tuple[str, ...]


def find_edits(root: Path, targets: Sequence[str] = ("auto",), *, known: Mapping[str, str]) -> list[Edit]:
    """Compare the files of these targets (`auto`: all) with what vettle wrote there.

    `known` are the texts of the database's rules by id. Rules that are not `known` count as added: they were
    rendered from another database, and somebody wants to keep them. Nothing is repaired or guessed: raises
    FilesRefused, naming file and line, for anything that is not a plain bullet, so that adopting an edit never
    loses a part of it.
    """
    check_names(targets)
    root = root.resolve()
    _, data = find_file(root, lockfile.PATH, own=True)
    lock = lockfile.parse(data)
    files = {**lock.files, **recognised(root, lock, look(root), known)}
    return [
        edit
        for path, entry in files.items()
        if ("auto" in targets or entry.target in targets) and (edit := _edit(root, path, entry, known))
    ]


def _edit(root: Path, path: str, entry: Entry, known: Collection[str]) -> Edit | None:
    _, current = find_file(root, path, own=entry.kind == "file")
    if current is None:
        return None
    unknown = {rule for rule in entry.rules if rule not in known}
    if entry.kind == "file" and is_as_written(entry, current) and not unknown:
        return None
    bullets = _block_bullets(current, path) if entry.kind == "block" else _file_bullets(current, path, entry)
    if bullets is None:
        return None
    ours = {hash_ for rule, hash_ in entry.rules.items() if rule not in unknown}
    there = {line_hash(text) for text, _ in bullets}
    added = tuple(_added(path, text, line) for text, line in bullets if line_hash(text) not in ours)
    removed = tuple(rule for rule, hash_ in entry.rules.items() if rule not in unknown and hash_ not in there)
    return Edit(path, digest(current), entry.globs, added, removed) if added or removed else None


def _block_bullets(current: bytes, path: str) -> list[tuple[str, int]] | None:
    page = blocks.parse(current, path)
    if page.body is None:
        return None
    first = page.before.count("\n") + 2
    return _bullets(page.body, path, first, BLOCK_TITLE)


def _file_bullets(current: bytes, path: str, entry: Entry) -> list[tuple[str, int]]:
    """Read a file of our own, whose frontmatter must be as we wrote it: adopting could not keep another."""
    if entry.target == "skill":
        raise FilesRefused(f"{path}: edits of a skill cannot be taken over. Edit the other rule files.")
    try:
        text = current.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise FilesRefused(f"{path}: not UTF-8. Convert the file, then adopt again.") from None
    start = opening(path, entry.target, entry.globs)
    if not text.startswith(start):
        raise FilesRefused(
            f"{path}: its frontmatter or heading was changed, and only bullets can be taken over. Undo that, "
            "then adopt again."
        )
    return _bullets(text.removeprefix(start), path, start.count("\n") + 1, "")


def _bullets(text: str, path: str, first: int, title: str) -> list[tuple[str, int]]:
    """Return each bullet with its line in the file; raises FilesRefused for any other text."""
    found: list[tuple[str, int]] = []
    for number, line in enumerate(text.splitlines(), start=first):
        if bullet := _BULLET.fullmatch(line):
            found.append((bullet[1].strip(), number))
        elif found and line.strip() and (continued := _CONTINUED.fullmatch(line)):
            before, start = found.pop()
            found.append((f"{before} {continued[1].strip()}", start))
        elif line.strip() and line not in (title, TITLE):
            raise FilesRefused(
                f"{path} line {number}: {line.strip()[:40]!r} is no bullet, so it cannot become a rule. Move it out of "
                "vettle's text, then adopt again."
            )
    return found


def _added(path: str, text: str, line: int) -> Added:
    """Return the line as a rule's text: what a reader sees, without the escapes that rendering adds."""
    try:
        checked = _TEXT.validate_python(plain(text))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise FilesRefused(f"{path} line {line}: cannot become a rule: {problem}.") from None
    if quarantine.redact(checked) != checked:
        raise FilesRefused(f"{path} line {line}: holds what looks like a secret. Take it out of the file.")
    return Added(checked, line)
