"""The database of buildlog 0.23, which holds all projects of a home folder, and what its learners keep beside it."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any

from vettle.engine.errors import InvalidArgument
from vettle.engine.exchange import reading as files
from vettle.engine.exchange.facts import Place, Reading
from vettle.engine.exchange.systems.buildlog import translating
from vettle.engine.exchange.systems.buildlog.translating import Placed, Recorded

_NAME = "buildlog.db"
_READ = ("sessions", "mistakes", "reward_events", "review_learnings", "skill_decisions", "active_sessions")
_REVIEWER = "a reviewer's rule that many projects share: vettle learn --pack takes the seed file it came from"


def find(path: Path) -> Path | None:
    """Return the database that a path is, or that lies in the home folder or in .buildlog there."""
    candidates = (path, path / _NAME, path / ".buildlog" / _NAME)
    return next((one for one in candidates if one.is_file() and _is_ours(one)), None)


def _is_ours(path: Path) -> bool:
    if path.name == _NAME:
        # Also where its first bytes are damaged: then it is refused, and not taken for nobody's.
        return True
    with path.open("rb") as stream:
        begin = stream.read(100_000)
    return begin.startswith(b"SQLite format 3\0") and b"skill_decisions" in begin


def read(reading: Reading, path: Path) -> None:
    """Read every project of the database (SourceDamaged)."""
    if not path.is_file():
        raise InvalidArgument(
            "path",
            f"{path.name[:100]!r} holds nothing of buildlog's",
            "Name a project with a folder buildlog/, or buildlog.db in .buildlog of the home folder",
        )
    tables = files.tables(path, path.name)
    placed = {name: _placed(reading, path.name, name, tables) for name in (*_READ, "bandit_arms")}
    learned = _placed(reading, path.name, "gauntlet_rules", tables)
    decided = {row.get("skill_id") for _, row in placed["skill_decisions"]}
    for place, row in learned:
        if row.get("rule_id") not in decided:
            reading.skip(place, _REVIEWER)
    learners = _learners(reading, path)
    for project in tables.get("projects", []):
        mine = {name: [one for one in rows if _belongs(one, project)] for name, rows in placed.items()}
        mine["learned"] = _promoted(learned, mine["skill_decisions"])
        folder = str(project.get("path") or "")
        mine["bandit_arms"] += [
            one for name, rows in learners.items() if name in ("", PurePath(folder).name) for one in rows
        ]
        translating.translate(reading, _recorded(mine), owner=folder)


def _placed(reading: Reading, file: str, name: str, tables: dict[str, list[dict[str, Any]]]) -> list[Placed]:
    rows = tables.get(name, [])
    if rows:
        reading.rows[f"{file}: {name}"] = len(rows)
    return [(Place(f"{file}: {name}", number), row) for number, row in enumerate(rows, 1)]


def _belongs(one: Placed, project: dict[str, Any]) -> bool:
    return bool(one[1].get("project_id") == project.get("id"))


def _promoted(learned: list[Placed], decisions: list[Placed]) -> list[Placed]:
    """Return the promoted rules that the project decided about; their table is shared by all projects."""
    decided = {row.get("skill_id") for _, row in decisions}
    return [(place, {**row, "id": row["rule_id"]}) for place, row in learned if row.get("rule_id") in decided]


def _recorded(mine: dict[str, list[Placed]]) -> Recorded:
    return Recorded(
        sessions=mine["sessions"],
        mistakes=mine["mistakes"],
        rewards=mine["reward_events"],
        rules=[*mine["review_learnings"], *mine["learned"]],
        decisions=mine["skill_decisions"],
        arms=mine["bandit_arms"],
        active=[(place, _object(row.get("data"))) for place, row in mine["active_sessions"]],
    )


def _object(value: object) -> dict[str, Any]:
    """Return the JSON object that a column holds, an empty one if it holds none."""
    try:
        found = json.loads(value) if isinstance(value, str) else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _learners(reading: Reading, path: Path) -> dict[str, list[Placed]]:
    """Return what the learners keep, by the folder name of their project ("" for the one that all share)."""
    folder = path.absolute().parent.parent / ".qortex" / "learning"
    found = {}
    for learner in sorted(folder.glob("buildlog-*.db")):
        rows = _placed(reading, learner.name, "arm_states", files.tables(learner, learner.name))
        arms = [
            (place, {**row, "context": row.get("context_hash"), "rule_id": row.get("arm_id")})
            for place, row in rows
        ]
        found[learner.stem.removeprefix("buildlog-")] = arms
    return found
