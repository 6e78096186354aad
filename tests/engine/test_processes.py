"""Several agents, each with a process of its own, at work on one project at the same time."""

from __future__ import annotations

import multiprocessing
import time

from tests.places import Place

from vettle.engine import mistakes, reports, rules, sessions
from vettle.engine.store.maintenance import check

AGENTS, SESSIONS = 4, 25
PROCESSES = 8


def _work(place: Place, agent: str) -> None:
    project = place.open()
    for index in range(SESSIONS):
        started = sessions.start(project, task="fix the parser", agent=agent)
        mistakes.log(
            project,
            error_class="test",
            description=f"it went wrong for {agent}",
            session_id=started.session_id,
        )
        ended = sessions.end(
            project, session_id=started.session_id, outcome="accepted" if index % 3 else "rejected"
        )
        assert ended.mistakes == 1
    project.close()


def test_agents_at_work_at_once_neither_mix_nor_lose_anything(place: Place) -> None:
    """Every session keeps its own mistakes, aggregates equal a recount, and each decision replays."""
    project = place.open()
    for index in range(12):
        rules.add(project, text=f"Rule number {index} about the parser.", prior=0.05)
    context = multiprocessing.get_context("spawn")
    agents = [context.Process(target=_work, args=(place, f"agent {index}")) for index in range(AGENTS)]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join(120)
        assert agent.exitcode == 0
    assert reports.status(project).sessions["scored"] == AGENTS * SESSIONS
    assert check(project._opened()) == []
    with project.read() as transaction:
        learning = project.learning(transaction)
        replayed = project.learning_as_of(transaction, learning.folded)
    assert learning.learner.to_bytes() == replayed.learner.to_bytes()
    report = reports.report(project, kind="sessions", limit=20).sessions
    assert report is not None
    assert all(sessions.replay(project, row.session_id).identical for row in report.sessions)
    project.close()


def _learn(place: Place, number: int, beliefs: multiprocessing.Queue[tuple[bytes, int]]) -> None:
    """Work beside others, then tell what is believed once all have finished."""
    project = place.open()
    for step in range(12):
        started = sessions.start(project, task="x", context=f"c{step % 3}")
        outcome = "accepted" if (step + number) % 3 else "rejected"
        sessions.end(project, session_id=started.session_id, outcome=outcome)  # type: ignore[arg-type]
    deadline = time.monotonic() + 60
    while reports.status(project).sessions.get("scored", 0) < PROCESSES * 12:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with project.read() as transaction:
        learning = project.learning(transaction)
        beliefs.put((learning.learner.to_bytes(), learning.folded))
    project.close()


def test_all_processes_come_to_believe_the_same(place: Place) -> None:
    """Eight processes that folded one log, each as it came, hold the same posterior to the last bit."""
    project = place.open()
    for index in range(6):
        rules.add(project, text=f"Rule number {index} about the parser.", prior=0.05)
    context = multiprocessing.get_context("spawn")
    beliefs = context.Queue()
    agents = [context.Process(target=_learn, args=(place, number, beliefs)) for number in range(PROCESSES)]
    for agent in agents:
        agent.start()
    told = {beliefs.get(timeout=120) for _ in agents}
    for agent in agents:
        agent.join(60)
        assert agent.exitcode == 0
    assert len(told) == 1
    with project.read() as transaction:
        [(posterior, folded)] = told
        assert project.learning_as_of(transaction, folded).learner.to_bytes() == posterior
    assert check(project._opened()) == []
    beliefs.close()
    beliefs.join_thread()
    project.close()
