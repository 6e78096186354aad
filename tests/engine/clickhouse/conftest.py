"""A real ClickHouse, embedded and behind HTTP, in an environment of its own: 540 MB that nothing else needs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests import peers
from tests.conftest import ManualClock

from vettle.engine.clickhouse.embedded import Embedded
from vettle.engine.clickhouse.plan import Engine
from vettle.engine.clickhouse.server import Server
from vettle.engine.project import Project

# What chdb also requires (pandas, pyarrow) is for its data frames, which nothing here uses.
CHDB = ("chdb==4.4.0", "chdb-core==26.9.0")
USER = "reader:s3cret-word"


class Loopback(NamedTuple):
    """A ClickHouse server: where it is, and the file with every query that it got."""

    address: str
    log: Path

    @property
    def url(self) -> str:
        """The URL with the right password."""
        return f"http://{USER}@{self.address}/default"


@pytest.fixture(name="interpreter", scope="session")
def _interpreter() -> str:
    return str(peers.python(*CHDB, dependencies=False))


@pytest.fixture(name="loopback", scope="session")
def _loopback(interpreter: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    log = tmp_path_factory.mktemp("clickhouse") / "queries.txt"
    log.touch()
    program = Path(__file__).with_name("loopback.py")
    with subprocess.Popen(
        [interpreter, "-I", program, log], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        yield Loopback(f"127.0.0.1:{process.stdout.readline().strip()}", log)
        process.stdin.close()
        process.wait(30)


@pytest.fixture(name="embedded", scope="session")
def _embedded(interpreter: str) -> Engine:
    return Embedded(interpreter)


@pytest.fixture(name="server")
def _server(loopback: Loopback) -> Engine:
    return Server(loopback.url)


@pytest.fixture(name="on_file")
def _on_file(tmp_path: Path, clock: ManualClock) -> Iterator[Project]:
    """A project in a SQLite file: which store it is makes no difference here, and one is quicker."""
    project = Project(tmp_path, clock=clock, environment={})
    yield project
    project.close()
