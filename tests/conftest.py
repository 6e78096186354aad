"""What tests share: a clock that they move, and a project in a real SQLite file."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests import postgres
from tests.places import Place

from vettle.engine.clock import DAY, HOUR, SECOND
from vettle.engine.project import Project

START = 1_800_000_000 * SECOND

# The same examples and ids on every run, and no timing: a pipeline must not fail for what nobody changed, nor for
# being busy. VETTLE_EXPLORE=1 draws new ones.
EXPLORING = bool(os.environ.get("VETTLE_EXPLORE"))
_NO_TIMING = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", _NO_TIMING, derandomize=True)
settings.register_profile("exploring", _NO_TIMING)
settings.load_profile("exploring" if EXPLORING else "repeatable")


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What hooks keep for a user lies in a temporary folder, for every process that tests start as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.delenv("CLAUDE_CODE_SESSION_ID", raising=False)
        yield


@pytest.fixture(autouse=True)
def _repeatable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids and seeds repeat in this process: who is assigned what, and so what a test sees, follows from them."""
    if not EXPLORING:
        drawn = random.Random(request.node.nodeid)
        monkeypatch.setattr(secrets, "randbits", drawn.getrandbits)
        monkeypatch.setattr(secrets, "randbelow", drawn.randrange)


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        """Return the present."""
        return self.now

    def forward(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Let time pass (or go back, with negative numbers)."""
        self.now += int(days * DAY + hours * HOUR + seconds * SECOND)


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="postgres", scope="session")
def _postgres() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(name="place", params=["sqlite", "postgres"])
def _place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a project lives: in a SQLite file of its own, or on a PostgreSQL server that it shares with others."""
    if request.param == "sqlite":
        return Place(tmp_path)
    url = request.getfixturevalue("postgres")
    return Place(tmp_path, {"VETTLE_DATABASE_URL": url, "VETTLE_DATABASE_PROJECT": postgres.fresh_name()})


@pytest.fixture(name="project")
def _project(place: Place, clock: ManualClock) -> Iterator[Project]:
    """A project in each of the two stores."""
    project = place.open(clock=clock)
    yield project
    project.close()
