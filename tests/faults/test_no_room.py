"""No room on the disk, no right to write, a stranger's lock, a clock that goes back: bounded, said, nothing lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import ManualClock
from tests.faults.support import count, environment, run, work

from vettle.engine import mistakes, rewards, sessions
from vettle.engine.errors import StoreUnavailable
from vettle.engine.project import Project
from vettle.engine.store import events, open_store
from vettle.engine.upkeep.checking import check

_FILL = """
import json, resource, sys
from pathlib import Path
from vettle.engine import mistakes
from vettle.engine.errors import StoreUnavailable
from vettle.engine.project import Project

project = Project(Path(sys.argv[1]))
mistakes.log(project, error_class="a", description="the first", client_ref="first")
told, refusals = ["first"], []
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
if sys.argv[2] == "quota":
    log = project.database.with_name("vettle.db-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 60_000, hard))
for number in range(3_000):
    try:
        mistakes.log(project, error_class="a", description=f"failure {number} " + "x" * 500, client_ref=str(number))
        told.append(str(number))
    except StoreUnavailable as error:
        refusals.append(str(error))
        if len(refusals) == 3:
            break
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
for junk in Path(sys.argv[1]).glob("junk"):
    junk.unlink()
mistakes.log(project, error_class="a", description="there is room again", client_ref="last")
print(json.dumps([told + ["last"], refusals]))
"""


def _require_all(root: Path, told: list[str]) -> None:
    project = Project(root)
    with project.read() as transaction:
        assert events.count(transaction) == len(told)
    assert check(project).findings == []
    for reference in told[-2:]:
        before = count(project)
        description = {"first": "the first", "last": "there is room again"}.get(
            reference, f"failure {reference} " + "x" * 500
        )
        mistakes.log(project, error_class="a", description=description, client_ref=reference)
        assert count(project) == before
    project.close()


def test_a_full_quota_refuses_what_does_not_fit_and_keeps_the_rest(tmp_path: Path) -> None:
    """A file that may not grow: each refusal says that nothing was recorded, and with room again work goes on."""
    told, refusals = json.loads(run(_FILL, str(tmp_path), "quota"))
    assert len(told) > 2
    assert len(refusals) == 3
    assert all("Nothing was recorded" in refusal for refusal in refusals)
    _require_all(tmp_path, told)


def test_a_full_disk_refuses_what_does_not_fit_and_keeps_the_rest(tmp_path: Path) -> None:
    """A disk of 2 MB, filled: the same."""
    mounted = 'mount -t tmpfs -o size=2m none "$0" && head -c 1700000 /dev/zero > "$0/junk" && "$@" && cp -r "$0/.vettle" "$0.kept"'
    root = tmp_path / "disk"
    root.mkdir()
    done = subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted),
            *(str(root), sys.executable, "-c", _FILL, str(root), "disk"),
        ],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode and ("unshare" in done.stderr or "mount" in done.stderr):
        pytest.skip(f"this machine lets nobody mount: {done.stderr.strip()[:100]}")
    assert done.returncode == 0, done.stderr
    told, refusals = json.loads(done.stdout)
    assert len(refusals) == 3
    assert all("the disk is full. Nothing was recorded" in refusal for refusal in refusals)
    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / "disk.kept").rename(kept / ".vettle")
    _require_all(kept, told)


_READ_ONLY = """
import os, sys
from pathlib import Path
from vettle.engine import learning, mistakes, reports, sessions
from vettle.engine.errors import StoreUnavailable
from vettle.engine.project import Project
from vettle.engine.records import reports as _
from vettle.engine.store.sqlite import driver

root = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
project = Project(root)
try:
    mistakes.log(project, error_class="a", description="b")
except StoreUnavailable as error:
    print(error)
print(sessions.start(project, task="x").session_id == "")
"""


@pytest.fixture(name="public")
def _public() -> Iterator[Path]:
    """A folder that every user of this machine can reach."""
    folder = Path(tempfile.mkdtemp(prefix="vettle-"))
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("recorded", [False, True])
def test_a_folder_that_may_not_be_written_is_said_and_holds_up_no_agent(public: Path, recorded: bool) -> None:
    """A record is refused with what to do, a session starts all the same, and the files keep their bytes."""
    if recorded:
        project = Project(public)
        work(project)
        project.close()
    paths = [public, *public.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.read_bytes() for path in paths if path.is_file()}
    said, started = run(_READ_ONLY, str(public)).splitlines()
    assert "Make the" in said and "writable" in said
    assert started == "True"
    assert {path: path.read_bytes() for path in public.rglob("*") if path.is_file()} == before


_STRANGER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


def test_a_strangers_lock_is_waited_for_only_so_long_and_holds_up_no_agent(tmp_path: Path) -> None:
    """Another program that locks the file: a bounded wait, one clear line, and a session that starts all the same."""
    (tmp_path / ".vettle").mkdir()
    path = tmp_path / ".vettle" / "vettle.db"
    project = Project(tmp_path, store=open_store(path, timeout=0.3))
    work(project)
    before = count(project)
    stranger = subprocess.Popen(
        [sys.executable, "-c", _STRANGER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert stranger.stdout is not None and stranger.stdout.readline() == "held\n"
        began = time.monotonic()
        with pytest.raises(
            StoreUnavailable, match=r"another program holds the database.*Nothing was recorded"
        ):
            mistakes.log(project, error_class="a", description="b")
        assert sessions.start(project, task="x").session_id == ""
        assert time.monotonic() - began < 5
        assert count(project) == before
    finally:
        stranger.communicate("")
    mistakes.log(project, error_class="a", description="b")
    assert count(project) == before + 1
    project.close()
    assert check(Project(tmp_path)).findings == []


def test_a_clock_that_goes_back_years_reorders_and_closes_nothing(
    project: Project, clock: ManualClock
) -> None:
    """Times never go back in the log, open sessions stay open, and all adds up; the same when it jumps ahead."""
    started = sessions.start(project, task="x").session_id
    for days in (-4_000, 1, -90, 0.1, 3, -1):
        clock.forward(days=days)
        mistakes.log(project, error_class="a", description=f"{days}", session_id=started)
        rewards.log(project, outcome="accepted", session_id=started)
    clock.forward(hours=1)
    assert sessions.end(project, session_id=started).score is not None
    with project.read() as transaction:
        times = [event.ts for event in events.every(transaction)]
    assert times == sorted(times)
    clock.forward(days=8_000)
    work(project)
    assert check(project).findings == []
