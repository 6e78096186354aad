"""Histories for both engines: random, hostile, and with everything that may be missing."""

from __future__ import annotations

import math
import random
from typing import Any

from tests.conftest import ManualClock
from tests.engine.experiments.world import create, decide, record, select, variants

from vettle.engine import mistakes, rewards, sessions
from vettle.engine.clock import DAY, HOUR, SECOND
from vettle.engine.exchange import recording
from vettle.engine.exchange.facts import Place, SessionFact
from vettle.engine.experiments import lifecycle, runs
from vettle.engine.experiments.design import Component, MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.identifiers import new_uid
from vettle.engine.project import Project
from vettle.engine.records import RunStatus
from vettle.engine.records.analysis import AnalysisKind

HOSTILE = (
    "'; DROP TABLE recorded; --",
    "back\\slash \\' \\n",
    "🎉 \u202eemoji",
    "{a:String}",
    '%s `x` "y"',
    "x' OR 1=1",
)
"""Names and values that would break, or change, a statement they were put into."""

NEWLINE = "two\nlines\tand more"
"""What the tools refuse, but a log of another version may hold."""

_STATUSES: tuple[RunStatus, ...] = ("completed",) * 6 + ("failed", "timeout", "infrastructure", "cancelled")
_KINDS: tuple[AnalysisKind, ...] = ("costs", "failures", "mistakes", "sessions")


def questions(dimensions: tuple[str, ...] = HOSTILE[:2]) -> list[tuple[AnalysisKind, dict[str, Any]]]:
    """Return everything that is asked of a history, as kind and arguments."""
    asked: list[tuple[AnalysisKind, dict[str, Any]]] = [
        (kind, {"period": "all", "limit": 100}) for kind in _KINDS
    ]
    asked += [
        ("costs", {"context": HOSTILE[0]}),
        ("failures", {"period": "3d"}),
        ("sessions", {"period": "2d"}),
    ]
    about = {"experiment": HOSTILE[0], "limit": 100}
    asked += [
        ("experiment", about | {"by": dimensions, "interval": "week"}),
        ("experiment", about | {"by": ("variant", "model"), "interval": "hour", "metric": "latency"}),
        ("experiment", about | {"by": ("context", "stratum"), "interval": "day", "metric": "cost"}),
        ("experiment", about | {"metric": "success"}),
        ("experiment", {"experiment": "composed", "by": (*dimensions, "variant"), "interval": "day"}),
    ]
    return asked


def history(project: Project, clock: ManualClock, seed: int, *, length: int = 60) -> None:
    """Fill a project with sessions, mistakes and runs of two experiments."""
    chance = random.Random(seed)
    named = [VariantInput(name=name, config={"model": name, "n": at}) for at, name in enumerate(HOSTILE[:3])]
    create(project, name=HOSTILE[0], of=named, context=HOSTILE[1])
    composed = [
        Component(name="latency", direction="lower", range=(0, 10), weight=2),
        Component(name="quality", direction="higher", range=(-1, 1)),
    ]
    create(
        project,
        name="composed",
        of=variants("a", "b"),
        metric=MetricInput(name="both", components=tuple(composed)),
    )
    for number in range(length):
        clock.forward(hours=chance.choice((0, 0.3, 5, 31)), seconds=chance.random())
        _assigned(project, chance, number)
        record(
            project,
            _row(chance, f"u{chance.randrange(length // 2)}", chance.choice("ab")),
            experiment="composed",
        )
        _session(project, clock, chance)
        if number == length // 4:
            decide(project, "restart", HOSTILE[0])
    _from_elsewhere(project, chance)


def _assigned(project: Project, chance: random.Random, number: int) -> None:
    given = select(
        project,
        HOSTILE[0],
        unit=f"{HOSTILE[3]} {number}",
        context=chance.choice(("", *HOSTILE)),
        stratum=chance.choice(("", HOSTILE[2])),
    )
    if chance.random() < 0.9:
        row = _row(chance, "", "").model_copy(update={"assignment_id": given.assignment_id})
        assert record(project, row, experiment=HOSTILE[0]).accepted == 1
        if chance.random() < 0.2:
            record(project, row.model_copy(update={"cost": 0.25, "status": "failed"}), experiment=HOSTILE[0])


def _row(chance: random.Random, unit: str, variant: str) -> RunInput:
    def maybe(value: float) -> float | None:
        return None if chance.random() < 0.2 else value

    metrics = {
        "passed": maybe(float(chance.random() < 0.6)),
        "latency": maybe(chance.expovariate(0.3)),
        "quality": maybe(chance.uniform(-1.5, 1.5)),
    }
    named = {name: value for name, value in metrics.items() if chance.random() < 0.9}
    status = chance.choice(_STATUSES)
    if status == "completed":
        # Each of the two experiments needs a metric of its own there, were it only to say that it was not measured.
        named = {"passed": None, **({} if "quality" in named else {"latency": None}), **named}
    return RunInput(
        unit=unit,
        variant=variant,
        status=status,
        metrics=named,
        failure_mode=chance.choice(("", "", *HOSTILE)),
        error=chance.choice(("", f"{HOSTILE[0]}\n{HOSTILE[1]}")),
        duration_ms=chance.choice((0.0, chance.expovariate(0.001))),
        tokens_in=chance.choice((0, chance.randrange(10**6))),
        tokens_out=chance.randrange(1_000),
        cost=chance.choice((0.0, chance.expovariate(5))),
        dimensions={
            name: chance.choice((*HOSTILE, 1, -0.0, 0.0, 0.1, 1e300, "1"))
            for name in (*HOSTILE, "model")
            if chance.random() < 0.6
        },
        context=chance.choice(("", "", *HOSTILE)),
    )


def _session(project: Project, clock: ManualClock, chance: random.Random) -> None:
    started = sessions.start(project, task="work", context=chance.choice(HOSTILE[:3]), agent=str(clock.now))
    for _ in range(chance.choice((0, 0, 1, 2))):
        mistakes.log(
            project,
            error_class=chance.choice(HOSTILE),
            description=chance.choice(
                ("forgot the import", "wrote to the wrong file", "no test for the parser")
            ),
            session_id=started.session_id,
        )
    if chance.random() < 0.8:
        sessions.end(project, session_id=started.session_id)
        if chance.random() < 0.8:
            rewards.log(
                project, outcome=chance.choice(("accepted", "rejected")), session_id=started.session_id
            )


def _from_elsewhere(project: Project, chance: random.Random) -> None:
    """Bring runs and a session from other times: before 1970, after 2106, and with names of another version."""
    with project.write() as transaction:
        found = lifecycle.require(transaction, HOSTILE[0])
        variant = found.design["variants"][0]["id"]
        times = (
            -80 * 365 * DAY - 1,
            -1,
            HOUR,
            transaction.now,
            transaction.now - 7 * DAY,
            5_000_000_000 * SECOND,
        )
        for number, happened in enumerate(times):
            row = _row(chance, "", "")
            strange = row.model_copy(
                update={
                    "dimensions": {HOSTILE[0]: NEWLINE, NEWLINE: float(number)},
                    "failure_mode": NEWLINE,
                    "metrics": {"passed": 1.0},
                }
            )
            runs.append(transaction, found, f"{NEWLINE} {number}", variant, strange, happened=happened)
        for number, weight in enumerate((1.0, 0.0)):
            fact = SessionFact(key=str(number), place=Place("a.jsonl", 1), started=transaction.now - DAY)
            recording.session(
                project,
                transaction,
                new_uid(transaction.now),
                fact,
                recording.Tally(weight=weight, reward=weight / 2),
            )


def same(one: Any, other: Any, path: str = "") -> None:
    """Assert that two answers are the same; numbers but for what the order of a sum may do.

    That is a billionth, or a step of the last of four digits: of a half, records round one sum up and the other down.
    """
    if isinstance(one, dict):
        assert isinstance(other, dict) and list(one) == list(other), (path, one, other)
        for key, value in one.items():
            same(value, other[key], f"{path}.{key}")
    elif isinstance(one, list):
        assert isinstance(other, list) and len(one) == len(other), (path, one, other)
        for at, (left, right) in enumerate(zip(one, other, strict=True)):
            same(left, right, f"{path}[{at}]")
    elif isinstance(one, float) and isinstance(other, float):
        step = 1.01e-4 if round(one, 4) == one and round(other, 4) == other else 0.0
        assert math.isclose(one, other, rel_tol=1e-9, abs_tol=step), (path, one, other)
    else:
        assert one == other and type(one) is type(other), (path, one, other)
