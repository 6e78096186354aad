"""What rendering would do to a project: which files, for whom, and what stands against it. Reads, never writes."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vettle.engine.errors import FilesRefused
from vettle.engine.records import Delivery, HiddenFile, LeftOut, Target
from vettle.engine.similarity import rule_form
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
from vettle.renderers.survey import Request, Survey, survey


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


def make(request: Request) -> Plan:
    """Plan the whole project; raises FilesRefused for a damaged lock file, InvalidArgument for an unknown target."""
    found = survey(request)
    documents, left_out = compose(found)
    forms = {rule.id: rule_form(rule.text) for rule in request.rules}
    plan = Plan(
        lock=found.lock,
        lock_bytes=found.lock_bytes,
        changes=[],
        places={lockfile.PATH: found.lock_path},
        entries=dict(found.lock.files),
        named=found.named,
        left_out=left_out,
        deliveries=deliveries(found.repository, [*documents, *_standing(found)], found.readers, forms),
        hidden=hidden_files(found.repository, documents),
        notes=[],
    )
    for target in NAMES if request.is_auto else found.asked:
        _plan_target(request, find(target), documents, plan)
    _take_notes(found, plan)
    return plan


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
        real, current = find_file(request.root, path, own=kind == "file")
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


def _take_notes(survey: Survey, plan: Plan) -> None:
    request = survey.request
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
        plan.notes.append(_why_twice(survey))


def _why_twice(survey: Survey) -> str:
    if survey.request.is_auto and not survey.named and {"claude", "agents"} <= survey.layout.always:
        return (
            "Some program reads a rule more than once, because it reads both CLAUDE.md and AGENTS.md. With one of them, "
            "or with CLAUDE.md as a link to AGENTS.md, every program would read each rule once."
        )
    if survey.request.is_auto and not survey.named:
        return "Some program reads a rule more than once, and no choice of files would give each reader one copy."
    return (
        "Some program reads a rule more than once: it reads files that were written for another one. Without named "
        "targets vettle avoids that where it can; --remove takes the named ones out."
    )
