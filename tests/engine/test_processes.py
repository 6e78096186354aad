"""Several agents, each with a process of its own, at work on one project at the same time."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from vettle.engine import mistakes, reports, rules, sessions
from vettle.engine.project import Project
from vettle.engine.store.maintenance import check

AGENTS, SESSIONS = 4, 25


def _work(root: str, agent: str) -> None:
    project = Project(Path(root))
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


def test_agents_at_work_at_once_neither_mix_nor_lose_anything(tmp_path: Path) -> None:
    """Every session keeps its own mistakes, aggregates equal a recount, and each decision replays."""
    project = Project(tmp_path)
    for index in range(12):
        rules.add(project, text=f"Rule number {index} about the parser.", prior=0.05)
    context = multiprocessing.get_context("spawn")
    agents = [
        context.Process(target=_work, args=(str(tmp_path), f"agent {index}")) for index in range(AGENTS)
    ]
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
