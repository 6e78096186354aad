"""Whatever happens in whatever order, the aggregates equal a recount of the events."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import ManualClock

from vettle.engine import mistakes, rewards, rules, sessions
from vettle.engine.errors import VettleError
from vettle.engine.project import Project
from vettle.engine.records import RewardOutcome
from vettle.engine.store import MEMORY, open_store
from vettle.engine.store.maintenance import check, rebuild, tables

_OPERATIONS = ("add", "decide", "start", "mistake", "reward", "end", "retry", "wait")
_STEPS = st.lists(st.tuples(st.sampled_from(_OPERATIONS), st.integers(0, 2**16)), max_size=60)


class _Agents:
    """Several agents at work on one project, doing things in any order, sensible or not."""

    def __init__(self, project: Project, clock: ManualClock) -> None:
        self.project, self.clock = project, clock
        self.rules: list[str] = []
        self.sessions: list[str] = []

    def do(self, operation: str, number: int) -> None:
        """Do one thing; refusals are part of life."""
        draw = random.Random(number)
        try:
            getattr(self, f"_{operation}")(draw)
        except VettleError:
            return

    def _any(self, draw: random.Random, known: list[str]) -> str:
        return draw.choice([*known, "", "unknown"])

    def _add(self, draw: random.Random) -> None:
        words = draw.choice(["sort imports", "never use eval", "see https://x.example", "test\u200b first"])
        added = rules.add(self.project, text=f"{words} {draw.randint(0, 9)}", prior=draw.choice([0.0, 0.2]))
        self.rules.append(added.rule_id)

    def _decide(self, draw: random.Random) -> None:
        action: Any = draw.choice(["approve", "pin", "unpin", "retire", "restore", "reject", "reword"])
        text = f"another text {draw.randint(0, 99)}" if action == "reword" else ""
        rules.decide(
            self.project, rule_id=self._any(draw, self.rules), action=action, reason="because", text=text
        )

    def _start(self, draw: random.Random) -> None:
        context = draw.choice(["general", "docs"])
        started = sessions.start(self.project, task="x", context=context, k=draw.randint(0, 4))
        self.sessions.append(started.session_id)

    def _mistake(self, draw: random.Random) -> None:
        mistakes.log(
            self.project,
            error_class=draw.choice(["a", "b"]),
            description=draw.choice(["forgot the test", "forgot a test again", "wrong type in a.py:3"]),
            session_id=self._any(draw, self.sessions),
            corrected_by_rule=self._any(draw, self.rules) if draw.random() < 0.5 else "",
            correction=draw.choice(["", "do better"]),
        )

    def _reward(self, draw: random.Random) -> None:
        outcome: RewardOutcome = draw.choice(["accepted", "revision", "rejected"])
        rewards.log(
            self.project,
            outcome=outcome,
            session_id=self._any(draw, self.sessions),
            revision_distance=draw.random() if outcome == "revision" else rewards.ANY_DISTANCE,
            weight=draw.choice([0.5, 1.0, 3.0]),
        )

    def _end(self, draw: random.Random) -> None:
        outcome: Any = draw.choice(["", "accepted", "rejected"])
        sessions.end(self.project, session_id=self._any(draw, self.sessions), outcome=outcome)

    def _retry(self, draw: random.Random) -> None:
        reference = f"r{draw.randint(0, 3)}"
        mistakes.log(self.project, error_class="a", description="retried", client_ref=reference)

    def _wait(self, draw: random.Random) -> None:
        self.clock.forward(hours=draw.choice([-1, 1, 30, 200]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_STEPS)
def test_aggregates_equal_a_recount_after_any_sequence(steps: list[tuple[str, int]]) -> None:
    """After any sequence of calls, good and bad, check passes and a rebuild changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock()
        store = open_store(MEMORY, clock=clock)
        project = Project(Path(folder), clock=clock, store=store)
        agents = _Agents(project, clock)
        for operation, number in steps:
            agents.do(operation, number)
        assert check(store) == []
        with store.read() as transaction:
            before = tables(transaction)
        rebuild(store)
        with store.read() as transaction:
            assert tables(transaction) == before
        with project.read() as transaction:
            folded = project.learning(transaction)
            replayed = project.learning_as_of(transaction, folded.folded)
            assert folded.learner.to_bytes() == replayed.learner.to_bytes()
        project.close()
