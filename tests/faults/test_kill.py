"""kill -9 at random moments of writing, hundreds of times: nothing acknowledged is lost, and all adds up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tests.places import Place

from vettle.engine.identifiers import reference_uid
from vettle.engine.project import Project
from vettle.engine.store import caches
from vettle.engine.store import rules as rule_table
from vettle.engine.store import sessions as session_table
from vettle.engine.upkeep.checking import check

ROOT = Path(__file__).parents[2]
KILLS = 200


def _killed(place: Place, seed: int, kills: int) -> dict[str, list[str]]:
    """Run and kill the writers; return what they had acknowledged, by kind."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "engine", "renderers", "server"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.writers", str(seed), str(kills), str(place.root)],
        env={**os.environ, **place.environment, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = defaultdict(list)
    for kind, value in json.loads(done.stdout):
        told[kind].append(value)
    return told


def test_whatever_a_killed_writer_acknowledged_is_there(place: Place) -> None:
    """200 writers, four at a time, are killed within 60 ms: every acknowledged fact is found, and the check is clean."""
    told = _killed(place, seed=6, kills=KILLS)
    assert told["failed"] == []
    assert len(told["ready"]) > KILLS / 2 and len(told["session"]) > 5
    project = place.open()
    _find_all(project, told)
    assert check(project).findings == []
    project.close()


def _find_all(project: Project, told: dict[str, list[str]]) -> None:
    with project.read() as transaction:
        for session in told["session"]:
            assert session_table.get(transaction, session) is not None, session
        for session in told["scored"]:
            found = session_table.get(transaction, session)
            assert found is not None and found.state == "scored", session
        for rule in told["rule"]:
            assert rule_table.get(transaction, rule) is not None, rule
        for reference in told["reference"]:
            uid = reference_uid(*reference.split("\t"))
            assert caches.reply(transaction, uid) is not None, reference
