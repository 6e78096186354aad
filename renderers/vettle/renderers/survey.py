"""What one call of rendering is about: who reads what in this repository, and which files reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vettle.engine.records import Rule, Target
from vettle.engine.settings import RenderSettings
from vettle.renderers import lock as lockfile
from vettle.renderers.assistants.readers import READERS, Reader, in_use
from vettle.renderers.assistants.targets import ASSISTANTS, NAMES, check_names, in_order
from vettle.renderers.layout import Layout, choose, everything
from vettle.renderers.lock import Entry, Lock
from vettle.renderers.recognising import recognised
from vettle.renderers.repository import Repository, find_file, look


@dataclass(frozen=True, slots=True)
class Request:
    """What one call of `render` is about.

    `known` are the texts of the rules that the database knows, by id, or None for "all". `adopted` are the files
    whose hand edits became rules, with the hashes of what was read: only that may be overwritten.
    """

    root: Path
    rules: Sequence[Rule]
    targets: Sequence[str]
    settings: RenderSettings = field(default_factory=RenderSettings)
    known: Mapping[str, str] | None = None
    check: bool = False
    remove: bool = False
    force: bool = False
    adopted: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_auto(self) -> bool:
        """Whether the assistants in use are meant."""
        return not self.targets or "auto" in self.targets


@dataclass(frozen=True, slots=True)
class Survey:
    """A request, once the project has been looked at.

    `written` are the files that vettle wrote: those of the lock file, and those that it does not know and should.
    `asked` are the targets that this call names, `named` those that it or an earlier one did.
    """

    request: Request
    lock_path: Path
    lock_bytes: bytes | None
    lock: Lock
    written: dict[str, Entry]
    repository: Repository
    asked: list[Target]
    named: list[Target]
    readers: list[Reader]
    layout: Layout

    @property
    def standing(self) -> dict[str, Entry]:
        """The files of targets that this call is not about: they are read all the same."""
        if self.request.is_auto:
            return {}
        return {path: entry for path, entry in self.written.items() if entry.target not in self.asked}


def survey(request: Request) -> Survey:
    """Look at the project; raises FilesRefused for a damaged lock file, InvalidArgument for an unknown target."""
    check_names(request.targets)
    lock_path, lock_bytes = find_file(request.root, lockfile.PATH, own=True)
    lock = lockfile.parse(lock_bytes)
    repository = look(request.root)
    written = dict(lock.files)
    if request.known is not None:
        written |= recognised(request.root, lock, repository, request.known)
    asked = in_order(name for name in NAMES if name in request.targets)
    named = _named(request, lock, asked)
    used = _used(request.root, lock, repository)
    readers = in_use({*used, *asked, *named}, _signs(request.root))
    layout = (
        choose(repository.without_private_files(), used, named, readers)
        if request.is_auto
        else everything(asked)
    )
    return Survey(request, lock_path, lock_bytes, lock, written, repository, asked, named, readers, layout)


def _named(request: Request, lock: Lock, asked: Sequence[Target]) -> list[Target]:
    """Return the targets whose files are wanted by name, from now on."""
    if not request.remove:
        return in_order((*lock.named, *asked))
    return [] if request.is_auto else in_order(target for target in lock.named if target not in asked)


def _used(root: Path, lock: Lock, repository: Repository) -> set[Target]:
    """Return the assistants that a repository uses, seen from what vettle did not make itself.

    Where nothing else shows any, they are those that were written for: nobody's files go because another's are not
    here, such as a `.mcp.json` that is not in git.
    """
    created = {path for path, entry in lock.files.items() if entry.created}
    made = {*lock.directories, *(created - repository.present)}
    shown: set[Target] = {
        one.target
        for one in ASSISTANTS
        if any(sign not in made and (root / sign).exists() for sign in one.signs)
    }
    return shown or {entry.target for entry in lock.files.values() if entry.target != "skill"}


def _signs(root: Path) -> set[str]:
    return {sign for reader in READERS for sign in reader.signs if (root / sign).exists()}
