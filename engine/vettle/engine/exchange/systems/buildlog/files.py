"""The files of buildlog in a project: logs as JSON lines, decisions as JSON, and the journal as Markdown.

0.8 has no other store, and 0.23 goes on with files where it finds some and has no database yet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vettle.engine.candidates import journal
from vettle.engine.errors import SourceDamaged
from vettle.engine.exchange import reading as files
from vettle.engine.exchange.facts import Place, Reading
from vettle.engine.exchange.systems.buildlog import translating
from vettle.engine.exchange.systems.buildlog.translating import Placed, Recorded

_SESSIONS, _MISTAKES, _REWARDS, _ACTIVE, _LEARNINGS, _PROMOTED, _REJECTED = (
    f".buildlog/{name}"
    for name in (
        "sessions.jsonl",
        "mistakes.jsonl",
        "reward_events.jsonl",
        "active_session.json",
        "review_learnings.json",
        "promoted.json",
        "rejected.json",
    )
)
_ARMS = "bandit_state.jsonl"
_ALL = (_SESSIONS, _MISTAKES, _REWARDS, _ACTIVE, _LEARNINGS, _PROMOTED, _REJECTED, _ARMS)


def find(path: Path) -> Path | None:
    """Return buildlog's folder, which a path is, holds or is a part of, if it holds anything of buildlog's."""
    candidates = [path.absolute().parent] if path.name == ".buildlog" else [path, path / "buildlog"]
    return next((one for one in candidates if any((one / name).is_file() for name in _ALL)), None)


def read(reading: Reading, folder: Path) -> None:
    """Read every file that is there (SourceDamaged)."""
    active = _document(folder, _ACTIVE)
    if active:
        reading.rows[_ACTIVE] = 1
    recorded = Recorded(
        sessions=_lines(reading, folder, _SESSIONS),
        mistakes=_lines(reading, folder, _MISTAKES),
        rewards=_lines(reading, folder, _REWARDS),
        rules=[*_learnings(reading, folder), *_journal(reading, folder)],
        decisions=[*_decisions(reading, folder, "promoted"), *_decisions(reading, folder, "rejected")],
        arms=_lines(reading, folder, _ARMS),
        active=[(Place(_ACTIVE), active)] if active else [],
    )
    translating.translate(reading, recorded)


def _lines(reading: Reading, folder: Path, name: str) -> list[Placed]:
    path = folder / name
    if not path.exists():
        return []
    rows = [(Place(name, number), row) for number, row in files.json_lines(path, name)]
    reading.rows[name] = len(rows)
    return rows


def _document(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.exists():
        return {}
    found = files.json_document(path, name)
    if not isinstance(found, dict):
        raise SourceDamaged(name, 1, "not a JSON object")
    return found


def _decisions(reading: Reading, folder: Path, decision: str) -> list[Placed]:
    name = f".buildlog/{decision}.json"
    ids = _document(folder, name).get("skill_ids", [])
    if not isinstance(ids, list):
        raise SourceDamaged(name, 0, "skill_ids is not a list")
    if ids:
        reading.rows[name] = len(ids)
    return [(Place(name, row), {"skill_id": one, "decision": decision}) for row, one in enumerate(ids, 1)]


def _learnings(reading: Reading, folder: Path) -> list[Placed]:
    learnings = _document(folder, _LEARNINGS).get("learnings", {})
    if not isinstance(learnings, dict):
        raise SourceDamaged(_LEARNINGS, 0, "learnings is not a JSON object")
    if learnings:
        reading.rows[_LEARNINGS] = len(learnings)
    return [
        (Place(_LEARNINGS, row), {**one, "id": identity} if isinstance(one, dict) else {"id": identity})
        for row, (identity, one) in enumerate(learnings.items(), 1)
    ]


def _journal(reading: Reading, folder: Path) -> list[Placed]:
    """Return the bullets of the entries' Improvements sections."""
    found: list[Placed] = []
    for path in sorted(one for one in folder.iterdir() if journal.entry_date(one.name) and one.is_file()):
        entry = journal.read(path, path.name)
        reading.rows[entry.name] = len(entry.bullets)
        for bullet in entry.bullets:
            place = Place(entry.name, bullet.line)
            if bullet.reason:
                reading.skip(place, bullet.reason)
            else:
                found.append((place, translating.journal_rule(bullet.text, bullet.category, entry.date)))
    return found
