"""What an agent calls while it works, mixed as in life, and whether all of it is stored afterwards."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.history import CONTEXTS, Words, known_mistakes
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.server import experiment_tools, tools

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Calls a tool by its name, and returns its answer."""

Fact = tuple[str, str]
"""The kind of an event, and the session or the unit of work that it is about."""

RULES = 10
EXPERIMENT: dict[str, Any] = {
    "variants": [{"name": "old"}, {"name": "new"}],
    "metric": {"name": "passed", "kind": "binary", "direction": "higher"},
}
READING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {}),
    ("rules_list", {}),
    ("report_get", {"kind": "sessions"}),
    ("report_get", {"kind": "mistakes"}),
    ("report_get", {"kind": "rewards"}),
    ("report_get", {"kind": "rules"}),
)

_KNOWN = 50
_NEW = 0.1  # share of mistakes that nobody made before


@contextmanager
def opened(root: Path, environment: Mapping[str, str] | None = None) -> Iterator[Project]:
    """Open a project, whose database is in its folder or named by the environment, and close it again."""
    project = Project(root, environment=environment or {})
    try:
        yield project
    finally:
        project.close()


def in_process(project: Project) -> Call:
    """Return what calls the functions of the tools, as the server does after it has checked the arguments."""

    def call(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        function = getattr(tools, tool, None) or getattr(experiment_tools, tool)
        if tool == "run_record":
            arguments = {**arguments, "runs": tuple(map(RunInput.model_validate, arguments["runs"]))}
        if tool == "experiment_create":
            checked = function.__globals__
            arguments = {
                **arguments,
                "variants": tuple(map(checked["VariantInput"].model_validate, arguments["variants"])),
                "metric": checked["MetricInput"].model_validate(arguments["metric"]),
            }
        answer: dict[str, Any] = function(project, **arguments).model_dump(mode="json")
        return answer

    return call


def prepare(call: Call) -> str:
    """Add some rules and one experiment; return its id."""
    words = Words("rules of the workload")
    for _ in range(RULES):
        call("rule_add", {"text": words.rule()})
    return create_experiment(call, 0)


def create_experiment(call: Call, number: int) -> str:
    """Create one more experiment and start it; return its id."""
    return str(call("experiment_create", {"name": f"experiment {number}", **EXPERIMENT})["experiment_id"])


@dataclass
class Agent:
    """Works one session after the other, and notes how long every call took and what was acknowledged."""

    call: Call
    name: str
    experiment: str
    seconds: list[float] = field(default_factory=list)
    acknowledged: Counter[Fact] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    sessions: int = 0

    def __post_init__(self) -> None:
        """Draw from the agent's name, so that equal names do equal work."""
        self._random = random.Random(self.name)
        self._words = Words(self.name)
        self._known = known_mistakes(_KNOWN)

    def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Make one call, timed; {} when it failed."""
        begun = time.perf_counter()
        try:
            return self.call(tool, arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted and told
            self.errors.append(f"{tool}: {type(error).__name__}: {error}"[:300])
            return {}
        finally:
            self.seconds.append(time.perf_counter() - begun)

    def work(self) -> None:
        """Do one session: start it, err, take part in the experiment, be rewarded, end it."""
        self.sessions += 1
        started = self.ask("session_start", task=self._words.task(), context=self._random.choice(CONTEXTS))
        session = str(started.get("session_id", ""))
        if not session:
            return
        self._acknowledge(started, "session_started", session)
        selected = self.ask("variant_select", experiment=self.experiment, unit=f"{self.name} {self.sessions}")
        self._acknowledge(selected, "variant_assigned", selected.get("assignment_id", ""))
        for _ in range(self._random.choice((0, 1, 1, 2))):
            self._err(session)
        if self._random.random() < 0.5:
            answer = self.ask("reward_log", outcome="revision", session_id=session)
            self._acknowledge(answer, "reward_logged", session)
        self._record(str(selected.get("assignment_id", "")))
        outcome = self._random.choice(("accepted", "accepted", "rejected"))
        answer = self.ask("session_end", session_id=session, outcome=outcome)
        self._acknowledge(answer, "reward_logged", session)
        self._acknowledge(answer, "session_ended", session)
        self._acknowledge(answer, "session_scored", session)

    def _err(self, session: str) -> None:
        new = self._random.random() < _NEW
        error_class, description, correction = (
            self._words.mistake() if new else self._random.choice(self._known)
        )
        about = {"error_class": error_class, "description": description, "correction": correction}
        self._acknowledge(self.ask("mistake_log", session_id=session, **about), "mistake_logged", session)

    def _record(self, unit: str) -> None:
        run = {"assignment_id": unit, "metrics": {"passed": float(self._random.random() < 0.7)}}
        answer = self.ask("run_record", experiment=self.experiment, runs=[run])
        self._acknowledge(answer, "run_recorded", unit)

    def _acknowledge(self, answer: Mapping[str, Any], kind: str, about: str) -> None:
        if answer:
            self.acknowledged[kind, about] += 1


def stored(project: Project) -> Counter[Fact]:
    """Return how often the log tells each fact that agents are acknowledged."""
    with project.read() as transaction:
        rows = transaction.execute(
            "SELECT kind, session, count(*) FROM event WHERE project=? AND kind IN ('session_started',"
            " 'mistake_logged', 'reward_logged', 'session_ended', 'session_scored') GROUP BY kind, session",
            (transaction.project,),
        )
        units = [
            (kind, unit)
            for kind, table in (("variant_assigned", "assignment"), ("run_recorded", "run"))
            for [unit] in transaction.execute(
                f"SELECT unit FROM {table} WHERE project=?", (transaction.project,)
            )
        ]
    return Counter({(str(kind), str(session)): int(n) for kind, session, n in rows}) + Counter(units)
