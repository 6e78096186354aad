"""What vettle wrote although the lock file does not know it, as in a clone where that file was not committed.

A block says so itself. A file of our own counts if it is, byte for byte, what vettle would write from the bullets in
it, so nothing of anybody else's can be taken for ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from vettle.engine.errors import FilesRefused
from vettle.engine.identifiers import slug
from vettle.engine.records import Target
from vettle.renderers import blocks
from vettle.renderers import lock as lockfile
from vettle.renderers.assistants.targets import ASSISTANTS, BLOCK_PATHS, find
from vettle.renderers.budget import Line
from vettle.renderers.changes import digest
from vettle.renderers.documents import Document
from vettle.renderers.globs import NotPortable, canonical
from vettle.renderers.lock import Entry, Lock, line_hash
from vettle.renderers.naming import Globs
from vettle.renderers.neutral import neutral, plain
from vettle.renderers.repository import Repository, find_file
from vettle.renderers.sheet import Group, Sheet

_BULLET = re.compile(r"- (\S.*)")
# Canonical patterns start with a star, and nothing else in our frontmatter does.
_GLOB = re.compile(r"(?<![^\s\",])\*[^\s\",]*")
# With an AGENTS.md every target that has a file of its own for always-on rules writes that file.
_BESIDE_AGENTS = Repository(present=frozenset({"AGENTS.md"}))


def recognised(root: Path, lock: Lock, repository: Repository, known: Mapping[str, str]) -> dict[str, Entry]:
    """Return an entry for each file that vettle wrote and `lock` does not list.

    `known` are the texts of the database's rules by id. A line that none of them says gets an id that none of them
    has. A skill is not recognised: what is edited in one cannot be taken over either.
    """
    found = {
        path: entry
        for path, target in [*_block_places(repository), *_own_files(root, repository)]
        if path not in lock.files and (entry := _entry(root, path, target))
    }
    # Only here, because the texts of all rules take their time, and most projects have nothing to recognise.
    ids = {line_hash(neutral(text)): rule_id for rule_id, text in known.items()} if found else {}
    return {path: _with_known_ids(entry, ids) for path, entry in found.items()}


def _with_known_ids(entry: Entry, ids: Mapping[str, str]) -> Entry:
    rules = {ids.get(hash_, invented): hash_ for invented, hash_ in entry.rules.items()}
    return entry.model_copy(update={"rules": rules})


def opening(path: str, target: Target, globs: Globs) -> str:
    """Return what a file of our own has before its first bullet."""
    line = Line("", "first")
    return _example(target, globs, _slug(path), line, _BESIDE_AGENTS)[0].text.removesuffix(line.bullet)


def _example(target: Target, globs: Globs, name: str, line: Line, repository: Repository) -> list[Document]:
    if globs:
        return find(target).scoped(Sheet((), (Group(name, globs, (line,)),), ()), repository)
    return find(target).always(Sheet((line,), (), ()), repository)


def _slug(path: str) -> str:
    return re.sub(r"^vettle-?|\.(instructions\.md|mdc|md)$", "", PurePosixPath(path).name)


def _block_places(repository: Repository) -> Iterator[tuple[str, Target]]:
    for assistant in ASSISTANTS:
        for path in assistant.block_paths:
            if path not in repository.same:
                yield path, assistant.target


def _own_files(root: Path, repository: Repository) -> Iterator[tuple[str, Target]]:
    """Yield the files with our names in the folders in which each target's files of our own would be."""
    for assistant in ASSISTANTS:
        written = [
            document
            for globs in ((), ("**/*.py",))
            for document in _example(assistant.target, globs, "any", Line("", "any"), _BESIDE_AGENTS)
        ]
        folders = {PurePosixPath(one.path).parent for one in written if one.kind == "file"}
        if assistant.target == "windsurf":
            folders = {PurePosixPath(assistant.place(repository)).parent}
        for folder in sorted(folders) if assistant.target != "skill" else ():
            for file in sorted((root / folder).glob("vettle*")):
                if lockfile.is_own_name(file.name):
                    yield f"{folder}/{file.name}", assistant.target


def _entry(root: Path, path: str, target: Target) -> Entry | None:
    own = path not in BLOCK_PATHS
    try:
        _, data = find_file(root, path, own=own)
        if data is None:
            return None
        if own:
            return _file_entry(path, target, data)
        body = blocks.parse(data, path).body
    except FilesRefused:
        # What cannot be read or has damaged markers is refused where it is planned.
        return None
    if body is None:
        return None
    bullets = [found[1] for line in body.splitlines() if (found := _BULLET.fullmatch(line))]
    return Entry(target=target, kind="block", rules=_rules(bullets))


def _file_entry(path: str, target: Target, data: bytes) -> Entry | None:
    text = data.decode("utf-8", errors="replace").replace("\r\n", "\n")
    head, _, _ = text.removeprefix("---\n").partition("\n---\n")
    globs = tuple(_GLOB.findall(head)) if text.startswith("---\n") else ()
    try:
        if globs != canonical(globs):
            return None
    except NotPortable:
        return None
    start = opening(path, target, globs)
    lines = text.removeprefix(start).removesuffix("\n").split("\n")
    bullets = [found[1] for line in lines if (found := _BULLET.fullmatch(line))]
    if not (text.startswith(start) and text.endswith("\n") and len(bullets) == len(lines)):
        return None
    return Entry(target=target, kind="file", sha256=digest(data), rules=_rules(bullets), globs=globs)


def _rules(bullets: list[str]) -> dict[str, str]:
    """Return the hashes of the lines by ids that no database has."""
    hashes = {bullet: line_hash(bullet) for bullet in bullets}
    return {f"{slug(plain(bullet))}-{hash_}": hash_ for bullet, hash_ in hashes.items()}
