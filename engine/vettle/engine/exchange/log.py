"""The whole log as a file of JSON lines, out of one project and into another.

    {"format": "vettle log", "version": 1, "vettle": "...", "schema": 2, "events": 2, "replies": 1}
    {"type": "event", "id": 1, "uid": "...", "ts": ..., "kind": "...", "session": ..., ..., "data": {...}}
    {"type": "reply", "uid": "...", "arguments": "...", "answer": "...", "ts": ...}
    {"type": "end", "events": 2, "replies": 1, "sha256": "..."}

Of a log that was pruned, the tables that were kept (`store/baseline.py`) stand before the events, in lines
{"type": "baseline", "through": 1, "table": "stat", "columns": [...], "rows": [...]}, and the version is 2.

Events stand in the order of their ids, then the answers that were kept for retries: without them, a call that
is sent again after the move would not be recognised. The SHA-256 is that of all bytes before the last line.
Numbers are spelled as Python spells them, shortest first, so they read back to the same bit. Secrets are not
in it, because none gets into the log.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from vettle.engine.clock import DAY
from vettle.engine.errors import FilesRefused, SourceDamaged
from vettle.engine.exchange import log_lines
from vettle.engine.exchange.log_lines import (
    BAD,
    FORMAT,
    VERSION,
    BaselineLine,
    EventLine,
    ReplyLine,
    baseline_line,
    check_header,
    event_line,
    parsed,
    raw_lines,
    reply_line,
    said,
)
from vettle.engine.exchange.payloads import validated
from vettle.engine.exchange.restoring import Restoration
from vettle.engine.files import in_one_step
from vettle.engine.progress import tracked
from vettle.engine.project import Project
from vettle.engine.records.exchange import DataImported, ImportedSource, SkippedRow
from vettle.engine.records.log import LogExported
from vettle.engine.store import MEMORY, Transaction, baseline, caches, events, open_store
from vettle.engine.store.baseline import Part
from vettle.engine.store.caches import Reply
from vettle.engine.store.events import Event
from vettle.engine.store.moments import gathering
from vettle.engine.store.schema import SCHEMA_VERSION

SYSTEM = "vettle"
"""What answers call the system that such a file comes from."""

_MOST_SHOWN = 20


def export_log(project: Project, stream: BinaryIO) -> LogExported:
    """Write the whole log to a stream of bytes, in constant memory, as it stands at this moment."""
    whole = hashlib.sha256()
    counts = {"events": 0, "replies": 0}

    def put(values: dict[str, Any]) -> None:
        line = log_lines.spell(values)
        whole.update(line)
        stream.write(line)

    with project.read() as transaction:
        pruned = baseline.through(transaction)
        number = VERSION if pruned else 1
        header = {"format": FORMAT, "version": number, "vettle": version("vettle"), "schema": SCHEMA_VERSION}
        written = {"events": events.count(transaction), "replies": caches.count_replies(transaction)}
        put({**header, **written})
        for part in baseline.parts(transaction):
            put(baseline_line(part, pruned))
        for event in events.every(transaction):
            counts["events"] += 1
            put(event_line(event))
        for kept in caches.replies(transaction):
            counts["replies"] += 1
            put(reply_line(kept))
    digest = whole.hexdigest()
    put({"type": "end", **counts, "sha256": digest})
    return LogExported(path="", sha256=digest, **counts)


def save(project: Project, path: Path) -> LogExported:
    """Write the whole log to a file that only its owner may read, replacing an earlier log in one step.

    Raises:
        FilesRefused: It cannot be written, or there is something else there.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise FilesRefused(f"{path}: no ordinary file. Name another, or leave it out to write to stdout.")
    if target.name.startswith(project.database.name) and target.parent == project.database.parent.resolve():
        raise FilesRefused(f"{path}: that is the project's database. Name another file.")
    if target.exists() and target.stat().st_size and not recognises(target):
        raise FilesRefused(f"{path}: no log, so it stays. Name another file, or remove this one first.")
    try:
        with in_one_step(target, 0o600) as stream:
            answer = export_log(project, stream)
    except OSError as error:
        raise FilesRefused(f"{path}: cannot be written ({error.strerror}).") from error
    return answer.model_copy(update={"path": str(path)})


def recognises(path: Path) -> bool:
    """Tell whether a file is a log that we wrote, of whatever version; never raise."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            header = json.loads(stream.readline(1_000))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and header.get("format") == FORMAT


class _OnlyLooking(Exception):
    """Raised to take the whole transaction back when nothing shall be recorded."""


def import_log(project: Project, path: Path, *, apply: bool = True) -> DataImported:
    """Restore a log into a project without events, or merge it into one; all of it or nothing.

    Restored, everything is as it was to the last bit, except what is no part of the log: the configuration and
    the rule files. Merged, every fact counts once, but decisions cannot be recomputed, because the evidence of
    the two logs came about without the other. Without `apply` nothing is recorded.

    Raises:
        SourceDamaged: A line is torn, changed, unknown, from a newer version or contradicts what is there.
    """
    name = _shown(project, path)
    if not apply and not project.exists:
        # Looking at a file leaves no trace in the project.
        store = open_store(MEMORY, clock=project.clock)
        try:
            return import_log(Project(project.root, clock=project.clock, store=store), path, apply=False)
        finally:
            store.close()
    try:
        with project.write() as transaction, gathering(transaction):
            work = _Import(project, transaction, name)
            work.run(path)
            if not apply:
                raise _OnlyLooking
    except _OnlyLooking:
        pass
    return work.answer(applied=apply)


def _shown(project: Project, path: Path) -> str:
    """Return what messages call the file: its path in the project, or as it was given."""
    root, resolved = project.root.resolve(), path.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(path)


class _Import:
    """One import under way."""

    def __init__(self, project: Project, transaction: Transaction, name: str) -> None:
        self._name = name
        self._latest = transaction.now + DAY
        self._restoration = Restoration(project, transaction)
        self._events = self._replies = self._left_out = 0
        self._last_id = 0
        self._skipped: list[SkippedRow] = []

    def run(self, path: Path) -> None:
        """Restore every line, and find the file whole (SourceDamaged)."""
        whole, number, ended = hashlib.sha256(), 0, False
        for number, raw in enumerate(tracked(raw_lines(path, self._name), "reading lines"), 1):
            try:
                if ended:
                    raise ValueError("there is more after the last line of the log")
                values = parsed(raw)
                if number == 1:
                    check_header(values)
                elif values.get("type") == "end":
                    self._check_end(values, whole.hexdigest())
                    ended = True
                else:
                    self._restore(number, values)
            except BAD as error:
                raise SourceDamaged(self._name, number, said(error)) from error
            whole.update(raw)
        if not ended:
            raise SourceDamaged(self._name, number, "the log ends here without its last line, so it is torn")
        self._restoration.finish()

    def _restore(self, number: int, values: dict[str, Any]) -> None:
        if values.get("type") == "reply":
            validated(ReplyLine, values)
            uid, arguments = bytes.fromhex(values["uid"]), bytes.fromhex(values["arguments"])
            self._restoration.reply(Reply(uid, arguments, values["answer"], values["ts"]))
            self._replies += 1
            return
        if values.get("type") == "baseline":
            validated(BaselineLine, values)
            if self._last_id:
                raise ValueError("kept tables stand before the events")
            part = Part(values["table"], values["columns"], values["rows"])
            self._restoration.baseline(part, values["through"])
            return
        validated(EventLine, values)
        if values["id"] <= self._last_id:
            raise ValueError("id: not larger than that of the event before")
        if values["ts"] > self._latest:
            raise ValueError("ts: more than a day in the future by this machine's clock")
        self._last_id = values["id"]
        self._events += 1
        fields = {key: value for key, value in values.items() if key not in ("type", "uid")}
        reason = self._restoration.event(Event(uid=bytes.fromhex(values["uid"]), **fields))
        if reason:
            self._left_out += 1
            if len(self._skipped) < _MOST_SHOWN:
                self._skipped.append(SkippedRow(line=number, reason=reason))

    def _check_end(self, values: dict[str, Any], digest: str) -> None:
        if (values.get("events"), values.get("replies")) != (self._events, self._replies):
            raise ValueError(
                "the numbers of events and replies are not those of the log, so lines are missing"
            )
        if values.get("sha256") != digest:
            raise ValueError("the checksum is not that of the lines before, so one of them was changed")

    def answer(self, *, applied: bool) -> DataImported:
        """Return what became of the lines."""
        work = self._restoration
        file = ImportedSource(
            path=self._name,
            rows=self._events + self._replies,
            taken=work.taken,
            known=work.known,
            skipped_rows=self._left_out,
            skipped=self._skipped,
        )
        if not work.taken:
            next_step = "Nothing new: this log is here already."
        elif applied:
            next_step = "See status and rules_list; to write the rule files, vettle render --write."
        else:
            next_step = "Nothing was recorded. To import, a person runs vettle import without --dry-run."
        return DataImported(
            system=SYSTEM,
            files=[file],
            new={"events": work.taken} if work.taken else {},
            known=work.known,
            applied=applied,
            notes=self._notes(),
            next_step=next_step,
        )

    def _notes(self) -> list[str]:
        work = self._restoration
        notes = [_EXACT if work.fresh else _MERGED] if work.taken else []
        flawed = [f"{rule} ({why})" for rule, why in list(work.flawed.items())[:_MOST_SHOWN]]
        if flawed:
            notes.append(f"Rules of the log that a person should look at: {', '.join(flawed)}.")
        if work.rivals:
            names = ", ".join(work.rivals[:_MOST_SHOWN])
            notes.append(
                f"Open beside another experiment on the same variable: {names}. Close one of each two."
            )
        return notes


_EXACT = "There were no events here, so the log is restored as it was: every decision can be recomputed."
_MERGED = (
    "There were events here, so this is a merge: facts are added up and rules that both have keep their standing "
    "here; decisions of the merged sessions cannot be recomputed, because the evidence then known was another."
)
