"""What rendering would do to a project: which files, for whom, and what stands against it. Reads, never writes."""

from __future__ import annotations

import stat
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vettle.engine.errors import FilesRefused
from vettle.engine.records import Delivery, HiddenFile, LeftOut, Rule, Target
from vettle.engine.settings import RenderSettings, TargetBudget
from vettle.engine.similarity import rule_form
from vettle.renderers import lock as lockfile
from vettle.renderers.assistants.readers import READERS, Reader, in_use
from vettle.renderers.assistants.targets import ASSISTANTS, NAMES, Assistant, check_names, find, in_order
from vettle.renderers.budget import Budget, Room
from vettle.renderers.changes import (
    Change,
    Place,
    digest,
    plan_as_written,
    plan_block,
    plan_file,
    refused,
    unchanged,
)
from vettle.renderers.delivery import deliveries, hidden_files
from vettle.renderers.documents import Document, Kind
from vettle.renderers.layout import Layout, choose, everything
from vettle.renderers.lock import Entry, Lock
from vettle.renderers.repository import Repository, look
from vettle.renderers.sheet import RENDERED_STATUSES, Said, Sheet, arrange

# What the markers and the heading of a block take, and the longest frontmatter of a file of our own.
_BLOCK_OVERHEAD = 120
_FILE_OVERHEAD = 2_300


@dataclass(frozen=True, slots=True)
class Request:
    """What one call of `render` is about.

    `known` are the ids that the database knows, or None for "all". `adopted` are the files whose hand edits
    became rules, with the hashes of what was read: only that may be overwritten.
    """

    root: Path
    rules: Sequence[Rule]
    targets: Sequence[str]
    settings: RenderSettings = field(default_factory=RenderSettings)
    known: Collection[str] | None = None
    check: bool = False
    remove: bool = False
    force: bool = False
    adopted: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_auto(self) -> bool:
        """Whether the assistants in use are meant."""
        return not self.targets or "auto" in self.targets


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change of one call, where each file really is, and the lock file before and after."""

    lock: Lock
    lock_bytes: bytes | None
    changes: list[Change]
    places: dict[str, Path]
    entries: dict[str, Entry]
    named: list[Target]
    left_out: list[LeftOut]
    deliveries: list[Delivery]
    hidden: list[HiddenFile]
    notes: list[str]

    @property
    def is_refused(self) -> bool:
        """Whether any file must not be written, so that none will be."""
        return any(change.file.action == "refused" for change in self.changes)

    @property
    def in_sync(self) -> bool:
        """Whether every file is as it should be."""
        return all(change.file.action == "unchanged" for change in self.changes)

    @property
    def lock_after(self) -> Lock:
        """What the lock file says when everything is carried out, without the folders made meanwhile."""
        return Lock(files=self.entries, directories=self.lock.directories, named=self.named)


@dataclass(frozen=True, slots=True)
class _Survey:
    """What a call is about, once the project has been looked at."""

    lock_path: Path
    lock_bytes: bytes | None
    lock: Lock
    repository: Repository
    asked: list[Target]
    named: list[Target]
    readers: list[Reader]
    layout: Layout


def make(request: Request) -> Plan:
    """Plan the whole project; raises FilesRefused for a damaged lock file, InvalidArgument for an unknown target."""
    survey = _survey(request)
    documents, left_out = _documents(request, survey)
    forms = {rule.id: rule_form(rule.text) for rule in request.rules}
    plan = Plan(
        lock=survey.lock,
        lock_bytes=survey.lock_bytes,
        changes=[],
        places={lockfile.PATH: survey.lock_path},
        entries=dict(survey.lock.files),
        named=survey.named,
        left_out=left_out,
        deliveries=deliveries(survey.repository, documents, survey.readers, forms),
        hidden=hidden_files(survey.repository, documents),
        notes=[],
    )
    for target in NAMES if request.is_auto else survey.asked:
        _plan_target(request, find(target), documents, plan)
    _take_notes(request, survey, plan)
    return plan


def texts(request: Request) -> dict[str, str]:
    """Return what would stand in each file, by path."""
    documents, _ = _documents(request, _survey(request))
    return {document.path: document.text for document in documents}


def _survey(request: Request) -> _Survey:
    check_names(request.targets)
    lock_path, lock_bytes = find_file(request.root, lockfile.PATH, "file")
    lock = lockfile.parse(lock_bytes)
    repository = look(request.root)
    asked = in_order(name for name in NAMES if name in request.targets)
    named = _named(request, lock, asked)
    used = _used(request.root, lock, repository)
    readers = in_use({*used, *asked, *named}, _signs(request.root))
    layout = choose(repository, used, named, readers) if request.is_auto else everything(asked)
    return _Survey(lock_path, lock_bytes, lock, repository, asked, named, readers, layout)


def _named(request: Request, lock: Lock, asked: Sequence[Target]) -> list[Target]:
    """Return the targets whose files are wanted by name, from now on."""
    if not request.remove:
        return in_order((*lock.named, *asked))
    return [] if request.is_auto else in_order(target for target in lock.named if target not in asked)


def _used(root: Path, lock: Lock, repository: Repository) -> set[Target]:
    """Return the assistants that a repository uses, seen from what vettle did not make itself."""
    created = {path for path, entry in lock.files.items() if entry.created}
    made = {*lock.directories, *(created - repository.present)}
    return {
        one.target
        for one in ASSISTANTS
        if any(sign not in made and (root / sign).exists() for sign in one.signs)
    }


def _signs(root: Path) -> set[str]:
    return {sign for reader in READERS for sign in reader.signs if (root / sign).exists()}


# --- which rules, in which documents ------------------------------------------------------------


def _documents(request: Request, survey: _Survey) -> tuple[list[Document], list[LeftOut]]:
    """Write everything that the layout asks for, and list what did not make it."""
    repository, layout = survey.repository, survey.layout
    targets = in_order(layout.always | layout.scoped) if not request.remove else []
    documents: list[Document] = []
    missing: dict[tuple[str, str], list[Target]] = {}
    for target in targets:
        sheet = _sheet(request, repository, find(target))
        documents += find(target).always(sheet, repository) if target in layout.always else []
        documents += find(target).scoped(sheet, repository) if target in layout.scoped else []
        for one in sheet.left_out:
            missing.setdefault((one.rule_id, one.reason), []).append(target)
    there = {line.rule_id for document in documents for line in document.lines}
    there |= {rule_id for rule_id, _ in missing}
    for rule in request.rules:
        if targets and rule.status in RENDERED_STATUSES and rule.id not in there:
            missing[rule.id, _NO_SCOPE] = targets
    position = {rule.id: place for place, rule in enumerate(request.rules)}
    left_out = [
        LeftOut(rule_id=rule_id, reason=reason, targets=[] if where == targets else where)
        for (rule_id, reason), where in sorted(missing.items(), key=lambda item: position[item[0][0]])
    ]
    return documents, left_out


_NO_SCOPE = (
    "it is about some paths only, and no file that is written can say so. Render a target that can: claude, cursor, "
    "copilot, windsurf or continue"
)


def _sheet(request: Request, repository: Repository, assistant: Assistant) -> Sheet:
    """Arrange the rules within the target's budget, and within what its reader reads of a file."""
    own = request.settings.targets.get(assistant.target, TargetBudget())
    rules = request.settings.rules if own.rules is None else own.rules
    characters = request.settings.characters if own.characters is None else own.characters
    budget = Budget(rules, characters)
    place = assistant.place(repository)
    said = Said(place, repository.says(place)) if assistant.block_paths else None
    limit = own.file_limit or (assistant.limit.size if assistant.limit else None)
    if limit is None:
        return arrange(request.rules, budget, said=said, total=assistant.total)
    if not assistant.block_paths:
        return arrange(request.rules, Budget(rules, max(0, min(characters, limit - _FILE_OVERHEAD))))
    measure = assistant.limit.measure if assistant.limit else len
    theirs = measure(repository.texts.get(place, ""))
    why = f"{place} is read up to {limit:,} {'characters' if measure is len else 'bytes'}"
    why += f", and your own text takes {theirs:,} of them" if theirs else ""
    room = Room(limit - theirs - _BLOCK_OVERHEAD, measure, why)
    return arrange(request.rules, budget, room, said)


# --- what becomes of each file ------------------------------------------------------------------


def _plan_target(
    request: Request,
    assistant: Assistant,
    documents: Sequence[Document],
    plan: Plan,
) -> None:
    """Add the target's changes: what is wanted, and what was written before and is wanted no more."""
    wanted = {one.path: one for one in documents if one.target == assistant.target}
    written = {path for path, entry in plan.lock.files.items() if entry.target == assistant.target}
    for path in sorted({*wanted, *written, *assistant.block_paths}):
        place = Place(path, assistant.target, None, wanted.get(path), plan.lock.files.get(path))
        change = _plan_place(request, place, "block" if path in assistant.block_paths else "file", plan)
        if change:
            plan.changes.append(change)
        if change and change.entry:
            plan.entries[path] = change.entry
        else:
            plan.entries.pop(path, None)


def _plan_place(request: Request, place: Place, kind: Kind, plan: Plan) -> Change | None:
    path, unknown = place.path, _unknown(request, place.entry)
    try:
        real, current = find_file(request.root, path, kind)
    except FilesRefused as error:
        return refused(place, "unusable", str(error))
    for other, taken in plan.places.items():
        if taken == real:
            return unchanged(place, None, f"the same file as {other}")
    plan.places[path] = real
    place = Place(path, place.target, current, place.wanted, place.entry)
    if unknown and request.check:
        return plan_as_written(place)
    force = request.force or (current is not None and request.adopted.get(path) == digest(current))
    if unknown and not (force or request.remove):
        return refused(
            place,
            "unknown_rules",
            f"{path}: written from another database; this one does not know {', '.join(unknown[:3])}"
            f"{' and others' if len(unknown) > 3 else ''}. Take its rules over with --adopt, or overwrite it with force.",
        )
    change = plan_block(place, force) if kind == "block" else plan_file(place, force)
    if change and change.file.action in ("update", "remove") and _is_read_only(real):
        return refused(place, "unusable", f"{path}: is read-only. Make it writable, then render again.")
    return change


def _is_read_only(path: Path) -> bool:
    """Tell whether nobody may write the file: root could all the same, but somebody meant it."""
    return path.exists() and not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def _unknown(request: Request, entry: Entry | None) -> list[str]:
    """Return the rules in a file that the database has never heard of."""
    if request.known is None or entry is None:
        return []
    return [rule for rule in entry.rules if rule not in request.known]


def find_file(root: Path, path: str, kind: Kind) -> tuple[Path, bytes | None]:
    """Return where the file really is and its bytes; refuse what is no plain file inside the project."""
    named = root / path
    try:
        real = named.resolve()
        if not real.is_relative_to(root) or ".git" in real.relative_to(root).parts:
            raise FilesRefused(
                f"{path}: leads to {real}, which is no rule file of this project. Remove the link."
            )
        if named.is_symlink() and (kind == "file" or not real.exists()):
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


def _take_notes(request: Request, survey: _Survey, plan: Plan) -> None:
    if not survey.layout.always and not plan.changes:
        plan.notes.append(
            f"No assistant is set up in this project. Name the targets to render: {', '.join(NAMES)}."
        )
    if request.check and any(_unknown(request, entry) for entry in plan.lock.files.values()):
        plan.notes.append(
            "This database does not know every rule in these files, so those files were only compared with "
            f"{lockfile.PATH}."
        )
    if any(delivery.more for delivery in plan.deliveries):
        plan.notes.append(_why_twice(request, survey))


def _why_twice(request: Request, survey: _Survey) -> str:
    always = survey.layout.always
    if {"claude", "agents"} <= always and "AGENTS.md" not in survey.repository.imports("CLAUDE.md"):
        return (
            "Some program reads a rule more than once, because it reads both CLAUDE.md and AGENTS.md. With the line "
            "@AGENTS.md in CLAUDE.md, the rules in AGENTS.md reach everybody once."
        )
    if request.is_auto and not survey.named:
        return "Some program reads a rule more than once, and no choice of files would give each reader one copy."
    return (
        "Some program reads a rule more than once: it reads files that were written for another one. Without named "
        "targets vettle avoids that where it can; --remove takes the named ones out."
    )
