"""A server that restarts and a connection that breaks: what was acknowledged is there, a retry counts once."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.faults.support import count, work
from tests.postgres import Server, fresh_name, own_server

from vettle.engine import mistakes
from vettle.engine.errors import StoreUnavailable
from vettle.engine.identifiers import reference_uid
from vettle.engine.project import Project
from vettle.engine.store import caches
from vettle.engine.upkeep.checking import check


class _Wire:
    """A wire to the server that a test cuts: right before the client's COMMIT arrives, or right after it did."""

    def __init__(self, server: str, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen()
        self._threads: list[threading.Thread] = []
        self.cut = ""
        self.cuts = 0
        self._swallows = False
        self._start(self._accept)

    @property
    def url(self) -> str:
        """The URL of the server at the other end."""
        parts = urlsplit(self._server)
        return f"{parts.scheme}://{parts.netloc}{parts.path}?host={self._folder}"

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                behind = socket.socket(socket.AF_UNIX)
                [host] = parse_qs(urlsplit(self._server).query)["host"]
                behind.connect(f"{host}/.s.PGSQL.5432")
                self._start(self._forward, client, behind, True)
                self._start(self._forward, behind, client, False)

    def _forward(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with suppress(OSError), source, target:
            while data := source.recv(65_536):
                commits = is_client and b"COMMIT\0" in data
                if self._swallows or (commits and self.cut == "before"):
                    self.cuts += 1
                    break
                # The server answers once it has committed; that answer never arrives.
                self._swallows = commits and self.cut == "after"
                target.sendall(data)
            self._swallows = False
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of everything."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture(name="wire")
def _wire(postgres: str) -> Iterator[_Wire]:
    with tempfile.TemporaryDirectory(prefix="vettle-") as folder:
        wire = _Wire(postgres, Path(folder))
        yield wire
        wire.close()


def _project(root: Path, url: str, name: str = "") -> Project:
    named = name or fresh_name()
    return Project(root, environment={"VETTLE_DATABASE_URL": url, "VETTLE_DATABASE_PROJECT": named})


def _log(project: Project) -> str:
    return mistakes.log(project, error_class="a", description="it broke", client_ref="once").mistake_id


@pytest.mark.parametrize(("cut", "recorded"), [("before", 0), ("after", 1)])
def test_a_connection_lost_at_the_commit_counts_once(
    tmp_path: Path, postgres: str, wire: _Wire, cut: str, recorded: int
) -> None:
    """Whether the commit arrived or not, the refusal says that it is not known, and the retry makes it one."""
    name = fresh_name()
    # Not over the wire: a statement that is run often is prepared, and its text not sent again.
    project = _project(tmp_path, postgres, name)
    work(project)
    known = count(project)
    agent = _project(tmp_path, wire.url, name)
    assert count(agent) == known
    wire.cut = cut
    with pytest.raises(StoreUnavailable, match=r"not known whether this was recorded.*same client_ref"):
        _log(agent)
    wire.cut = ""
    assert wire.cuts == 1
    assert count(project) == known + recorded
    first = _log(agent)
    assert _log(agent) == first
    assert count(agent) == known + 1
    assert check(agent).findings == []
    agent.close()
    project.close()


def _crash(server: Server) -> None:
    """End all of the server's processes at once and without a checkpoint, as a crash would, and start it again."""
    pid = int((server.folder / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    deadline = time.monotonic() + 20
    while (server.folder / "postmaster.pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.start()


def test_a_server_that_crashes_while_agents_write_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Three agents write while the server crashes: what each was told is there, and a retry of the rest counts once."""
    with own_server() as server:
        agents = [_project(tmp_path, server.url, "crash") for _ in range(3)]
        told: list[str] = []
        lost: list[str] = []

        def log(agent: int, reference: str) -> None:
            mistakes.log(agents[agent], error_class="a", description="it broke", client_ref=reference)
            told.append(reference)

        def work_on(agent: int) -> None:
            for number in itertools.count():
                reference = f"{agent}-{number}"
                try:
                    log(agent, reference)
                except StoreUnavailable:
                    lost.append(reference)
                    return

        threads = [threading.Thread(target=work_on, args=(agent,)) for agent in range(3)]
        for thread in threads:
            thread.start()
        while len(told) < 30:
            time.sleep(0.01)
        _crash(server)
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        for reference in lost:
            log(int(reference[0]), reference)
        project = agents[0]
        assert count(project) == len(told)
        with project.read() as transaction:
            for reference in told:
                assert caches.reply(transaction, reference_uid("mistake_log ", reference)) is not None
        assert check(project).findings == []
        for agent in agents:
            agent.close()
