"""What rendering would do to a project: which files, for whom, and what stands against it. Reads, never writes."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vettle.engine.errors import FilesRefused
from vettle.engine.records import Delivery, HiddenFile, LeftOut, Target
from vettle.engine.similarity import rule_form
from vettle.engine.wording import counted
from vettle.renderers import lock as lockfile
from vettle.renderers.assistants.targets import NAMES, Assistant, find
from vettle.renderers.budget import Line
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
from vettle.renderers.compose import compose
from vettle.renderers.delivery import deliveries, hidden_files
from vettle.renderers.documents import Document, Kind
from vettle.renderers.lock import Entry, Lock
from vettle.renderers.repository import find_file
from vettle.renderers.sheet import RENDERED_STATUSES
from vettle.renderers.survey import Request, Survey, survey

NO_BETTER_CHOICE = (
    "Some program reads a rule more than once, and no choice of files would give each reader one copy."
)
ONLY_COMPARED = (
    "This database does not know every rule in these files, so those files were only compared with "
    f"{lockfile.PATH}."
)
NOTHING_TO_WRITE = "No rule is proven or pinned, so there is nothing to write."
NOTHING_TO_REMOVE = "No file holds anything that vettle wrote, so there is nothing to take out."


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change of one call, where each file really is, and the lock file before and after.

    `written` are the files that vettle wrote until now (see `Survey`). `has_place` says whether anything shows which
    assistant is used, and `unreached` counts the rules that should be rendered and are not because nothing does.
    """

    lock: Lock
    lock_bytes: bytes | None
    written: dict[str, Entry]
    changes: list[Change]
    places: dict[str, Path]
    entries: dict[str, Entry]
    named: list[Target]
    left_out: list[LeftOut]
    deliveries: list[Delivery]
    hidden: list[HiddenFile]
    notes: list[str]
    has_place: bool
    unreached: int

    @property
    def is_refused(self) -> bool:
        """Whether any file must not be written, so that none will be."""
        return any(change.file.action == "refused" for change in self.changes)

    @property
    def in_sync(self) -> bool:
        """Whether every file is as it should be, and none is missing for want of an assistant."""
        return self.changes_nothing and not self.unreached

    @property
    def changes_nothing(self) -> bool:
        """Whether every file stays as it is."""
        return all(change.file.action == "unchanged" for change in self.changes)

    @property
    def lock_after(self) -> Lock:
        """What the lock file says when everything is carried out, without the folders made meanwhile."""
        return Lock(files=self.entries, directories=self.lock.directories, named=self.named)


def make(request: Request) -> Plan:
    """Plan the whole project; raises FilesRefused for a damaged lock file, InvalidArgument for an unknown target."""
    found = survey(request)
    documents, left_out = compose(found)
    forms = {rule.id: rule_form(rule.text) for rule in request.rules}
    plan = Plan(
        lock=found.lock,
        lock_bytes=found.lock_bytes,
        written=found.written,
        changes=[],
        places={lockfile.PATH: found.lock_path},
        entries=dict(found.lock.files),
        named=found.named,
        left_out=left_out,
        deliveries=deliveries(found.repository, [*documents, *_standing(found)], found.readers, forms),
        hidden=hidden_files(found.repository, documents),
        notes=[],
        has_place=bool(found.layout.always or found.layout.scoped),
        unreached=_unreached(found),
    )
    for target in NAMES if request.is_auto else found.asked:
        _plan_target(request, find(target), documents, plan)
    _take_notes(found, plan)
    return plan


def _unreached(found: Survey) -> int:
    if found.layout.always or found.layout.scoped or found.request.remove:
        return 0
    return sum(rule.status in RENDERED_STATUSES for rule in found.request.rules)


def _standing(found: Survey) -> list[Document]:
    return [
        Document(
            path, entry.target, entry.kind, "", tuple(Line(rule, "") for rule in entry.rules), entry.globs
        )
        for path, entry in found.standing.items()
    ]


def _plan_target(
    request: Request,
    assistant: Assistant,
    documents: Sequence[Document],
    plan: Plan,
) -> None:
    """Add the target's changes: what is wanted, and what was written before and is wanted no more."""
    wanted = {one.path: one for one in documents if one.target == assistant.target}
    written = {path for path, entry in plan.written.items() if entry.target == assistant.target}
    for path in sorted({*wanted, *written, *assistant.block_paths}):
        place = Place(path, assistant.target, None, wanted.get(path), plan.written.get(path))
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
        real, current = find_file(request.root, path, own=kind == "file")
    except FilesRefused as error:
        return refused(place, "unusable", str(error))
    for other, taken in plan.places.items():
        if taken == real:
            return unchanged(place, None, f"the same file as {other}")
    plan.places[path] = real
    place = Place(path, place.target, current, place.wanted, place.entry)
    if unknown and request.check and path in plan.lock.files:
        return plan_as_written(place)
    force = request.force or (current is not None and request.adopted.get(path) == digest(current))
    if unknown and not (force or request.remove):
        return refused(
            place,
            "unknown_rules",
            f"{path}: written from another database; this one does not know {', '.join(unknown[:3])}"
            f"{' and others' if len(unknown) > 3 else ''}. Take its rules over (vettle render --adopt --write), or overwrite it with force.",
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


def _take_notes(survey: Survey, plan: Plan) -> None:
    request = survey.request
    if plan.unreached:
        plan.notes.append(
            f"No assistant is set up in this project, so {counted(plan.unreached, 'rule')} "
            f"{'reaches' if plan.unreached == 1 else 'reach'} no file. Name the targets to render, of "
            f"{', '.join(NAMES)}; most assistants read AGENTS.md: vettle render agents --write"
        )
    elif not plan.changes and not plan.left_out:
        plan.notes.append(NOTHING_TO_REMOVE if request.remove else NOTHING_TO_WRITE)
    if request.check and any(_unknown(request, entry) for entry in plan.lock.files.values()):
        plan.notes.append(ONLY_COMPARED)
    if any(delivery.more for delivery in plan.deliveries):
        plan.notes.append(_why_twice(survey))


def _why_twice(survey: Survey) -> str:
    if survey.request.is_auto and not survey.named and {"claude", "agents"} <= survey.layout.always:
        return (
            "Some program reads a rule more than once, because it reads both CLAUDE.md and AGENTS.md. With one of them, "
            "or with CLAUDE.md as a link to AGENTS.md, every program would read each rule once."
        )
    if survey.request.is_auto and not survey.named:
        return NO_BETTER_CHOICE
    return (
        "Some program reads a rule more than once: it reads files that were written for another one. Without named "
        "targets vettle avoids that where it can. To take the named ones out: vettle render "
        f"{' '.join(survey.named or survey.asked)} --remove --write"
    )
