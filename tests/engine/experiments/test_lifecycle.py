"""What an experiment goes through, and what it may not."""

from __future__ import annotations

import itertools
import random
from typing import Any, get_args

import pytest
from tests.conftest import ManualClock
from tests.engine.experiments.world import (
    PASSED,
    create,
    decide,
    record,
    select,
    state,
    upload,
    variants,
    verdict,
    work,
)

from vettle.engine.errors import InvalidArgument, StatusRefused, UnknownExperiment, VettleError
from vettle.engine.experiments import lifecycle, variables
from vettle.engine.experiments.design import VariantInput
from vettle.engine.experiments.listing import listed
from vettle.engine.experiments.results import results
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.records import ExperimentAction
from vettle.engine.settings import ExperimentSettings
from vettle.engine.store.events import of_subject
from vettle.engine.store.maintenance import check, rebuild, tables

WAYS: dict[str, list[Any]] = {
    "proposed": [],
    "running": ["start"],
    "paused": ["start", "pause"],
    "stopped": ["start", "stop"],
    "concluded": ["start", "close"],
    "applied": ["start", "close", "apply"],
    "abandoned": ["start", "abandon"],
}

ALLOWED = {
    "proposed": {"start": "running", "abandon": "abandoned"},
    "accepted": {"start": "accepted", "abandon": "abandoned"},
    "running": {
        "pause": "paused",
        "stop": "stopped",
        "close": "concluded",
        "abandon": "abandoned",
        "restart": "running",
    },
    "paused": {
        "resume": "running",
        "stop": "stopped",
        "close": "concluded",
        "abandon": "abandoned",
        "restart": "running",
    },
    "stopped": {"resume": "running", "close": "concluded", "abandon": "abandoned", "restart": "running"},
    "concluded": {"apply": "applied", "restart": "running"},
    "applied": {"restart": "running"},
    "abandoned": {"restart": "running"},
}


def _bring(project: Project, to: str) -> None:
    """Bring the experiment called "prompt" to a state, with a winner if it is closed."""
    if to == "accepted":
        create(project, name="holder", variable="v")
        create(project, variable="v")
        return
    create(project, variable="v", start=False)
    for action in WAYS[to]:
        if action == "close":
            upload(project, {"a": [0.0] * 60, "b": [1.0] * 60})
        decide(project, action)


@pytest.mark.parametrize(("before", "action"), list(itertools.product(ALLOWED, get_args(ExperimentAction))))
def test_every_action_is_taken_or_refused_as_its_state_allows(
    project: Project, before: str, action: Any
) -> None:
    """Each of the eight states allows exactly its actions; a refusal names them and changes nothing."""
    _bring(project, before)
    assert state(project) == before
    if action in ALLOWED[before]:
        answer = decide(project, action)
        assert (answer.old, answer.new) == (before, ALLOWED[before][action])
        assert answer.next_step
    else:
        with pytest.raises(StatusRefused, match="Possible now: " + ", ".join(ALLOWED[before])):
            decide(project, action)
    assert state(project) == ALLOWED[before].get(action, before)
    assert check(project._opened()) == []


def test_the_reason_and_the_actor_are_logged(project: Project) -> None:
    """Every decision keeps why, and who."""
    made = create(project)
    decide(project, "pause", reason="the model is down")
    with project.read() as transaction:
        last = of_subject(transaction, made.experiment_id, ["experiment_decided"])[-1]
    assert last.data["reason"] == "the model is down"
    assert last.data["by"] == project.actor
    assert (last.data["old"], last.data["new"]) == ("running", "paused")


def test_an_experiment_is_found_by_its_id_and_by_its_name_unless_over(project: Project) -> None:
    """A name means the newest experiment that is not over; an unknown one is answered with those near it."""
    first = create(project)
    decide(project, "abandon", first.experiment_id)
    second = create(project)
    third = create(project)
    decide(project, "abandon", third.experiment_id)
    with project.read() as transaction:
        assert lifecycle.require(transaction, "prompt").id == second.experiment_id
        assert lifecycle.require(transaction, first.experiment_id).state == "abandoned"
        with pytest.raises(UnknownExperiment, match="prompt"):
            lifecycle.require(transaction, "promt")


def test_a_retry_creates_one_experiment(project: Project) -> None:
    """The same client_ref and arguments create once."""
    assert create(project, client_ref="r") == create(project, client_ref="r")
    with project.read() as transaction:
        assert transaction.execute(
            "SELECT count(*) FROM experiment WHERE project=?", (transaction.project,)
        ) == [(1,)]


def test_restart_counts_from_now_on(project: Project, clock: ManualClock) -> None:
    """Results before a restart do not count, units may be assigned anew, and the log keeps what was."""
    made = create(project)
    chosen = work(project, 40, lambda name, _: float(name == "b"))
    assert verdict(project).judgement.outcome == "better"
    clock.forward(hours=1)
    decide(project, "restart", reason="the task changed")
    assert verdict(project).evidence.scored == []
    again = select(project, unit=chosen[0].assignment_id)
    assert not again.repeated
    old = record(project, RunInput(assignment_id=chosen[1].assignment_id, metrics={"passed": 1}))
    assert "no assignment" in old.refused[0].reason
    with project.read() as transaction:
        assert len(of_subject(transaction, made.experiment_id, ["run_recorded"])) == 40
        assert len(of_subject(transaction, made.experiment_id, ["variant_assigned"])) == 41
    assert check(project._opened()) == []


@pytest.mark.parametrize("waits", [False, True])
def test_restart_forgets_the_frozen_verdict(project: Project, waits: bool) -> None:
    """A concluded experiment that is restarted, even one that has to wait, has no verdict any more."""
    create(project, variable="v")
    upload(project, {"a": [0.0] * 60, "b": [1.0] * 60})
    decide(project, "close")
    if waits:
        create(project, name="holder", variable="v")
    answer = decide(project, "restart")
    assert answer.new == ("accepted" if waits else "running")
    assert answer.verdict == {}
    if waits:
        assert select(project).variant == "a"
        decide(project, "close", "holder")
        assert state(project) == "running"
    assert verdict(project).evidence.scored == []


def test_closing_freezes_the_verdict(project: Project) -> None:
    """The verdict of the moment is kept, and nothing is recorded afterwards."""
    create(project)
    work(project, 60, lambda name, _: float(name == "b"))
    answer = decide(project, "close")
    assert (answer.verdict["outcome"], answer.verdict["leader"]) == ("better", "b")
    refused = upload(project, {"a": [1.0]}).refused
    assert "concluded" in refused[0].reason
    with project.read() as transaction:
        assert lifecycle.require(transaction, "prompt").verdict == answer.verdict
    decide(project, "apply")
    assert select(project).variant == "b"


@pytest.mark.parametrize("rows", [0, 4])
def test_nothing_is_applied_that_no_verdict_proves(project: Project, rows: int) -> None:
    """Neither no data nor the highest average is a winner: apply is refused, and select serves the first."""
    create(project)
    if rows:
        upload(project, {"a": [0.0] * rows, "b": [1.0] * rows})
    assert decide(project, "close").verdict["outcome"] == "insufficient"
    with pytest.raises(InvalidArgument, match=r"without a winner to apply \(insufficient"):
        decide(project, "apply")
    assert select(project).variant == "a"


def test_a_change_of_tier_3_is_applied_without_a_test(project: Project) -> None:
    """A change nobody needs to test is put into force by a decision: the first variant but the control is served."""
    created = create(project, tier=3)
    assert created.state == "proposed" and "not tested" in created.next_step
    with pytest.raises(StatusRefused, match="Possible now: apply, abandon"):
        decide(project, "start")
    assert decide(project, "apply").new == "applied"
    served = select(project)
    assert served.recorded is False
    assert results(project, experiment="prompt").frozen is None
    assert listed(project).experiments[0].state == "applied"


def test_tier_1_runs_alone(project: Project) -> None:
    """A test of tier 1 waits until nothing is open, and while it is open everything else waits."""
    create(project, name="small")
    assert create(project, name="large", tier=1).state == "accepted"
    decide(project, "close", "small")
    assert state(project, "large") == "running"
    assert create(project, name="later").state == "accepted"
    decide(project, "pause", "large")
    assert state(project, "later") == "accepted"
    decide(project, "abandon", "large")
    assert state(project, "later") == "running"


def test_the_limit_of_open_experiments_makes_a_queue(project: Project) -> None:
    """Beyond the limit experiments wait, and the oldest starts first."""
    project.settings = project.settings.model_copy(update={"experiments": ExperimentSettings(running=2)})
    states = [create(project, name=f"e{index}").state for index in range(5)]
    assert states == ["running", "running", "accepted", "accepted", "accepted"]
    decide(project, "abandon", "e3")
    decide(project, "close", "e1")
    assert [state(project, f"e{index}") for index in range(5)] == [
        "running",
        "concluded",
        "running",
        "abandoned",
        "accepted",
    ]


def test_the_design_is_what_it_was_at_the_start(project: Project) -> None:
    """Nothing can change an experiment's design: the same name makes another experiment."""
    made = create(project, metric=PASSED.model_copy(update={"minimum_effect": 0.2}))
    create(project, metric=PASSED)
    with project.read() as transaction:
        assert lifecycle.require(transaction, made.experiment_id).design["metric"]["minimum_effect"] == 0.2


class _People:
    """Several people at work on several experiments, doing things in any order, sensible or not."""

    def __init__(self, project: Project, clock: ManualClock, seed: int) -> None:
        self.project, self.clock, self.draw = project, clock, random.Random(seed)

    def do(self) -> None:
        """Do one thing; refusals are part of life."""
        what = self.draw.choices(
            [self._create, self._decide, self._select, self._record, self._register, self._wait],
            [2, 6, 30, 30, 1, 2],
        )[0]
        try:
            what()
        except VettleError:
            return

    def _name(self) -> str:
        return f"e{self.draw.randint(0, 4)}"

    def _create(self) -> None:
        draw = self.draw
        given: list[VariantInput] = variants(*"abc"[: draw.randint(2, 3)], a={"weight": draw.choice([1, 3])})
        create(
            self.project,
            name=self._name(),
            of=given,
            variable=draw.choice(["", "", "", "v", "V!", "w"]),
            tier=1 if draw.random() < 0.04 else 2,
            mode=draw.choice(["interleaved", "interleaved", "paired"]),
            start=draw.random() < 0.8,
        )

    def _decide(self) -> None:
        action = self.draw.choice([*get_args(ExperimentAction), *["restart", "resume", "start"] * 2])
        decide(self.project, action, self._name())

    def _select(self) -> None:
        draw = self.draw
        select(
            self.project,
            self._name(),
            unit=f"u{draw.randint(0, 12)}",
            pair_id=draw.choice(["", "i", "j"]),
            stratum=draw.choice(["", "s"]),
            policy=draw.choice(["auto", "auto", "weighted", "thompson"]),
            context=draw.choice(["", "docs"]),
            client_ref=draw.choice(["", "", "", "r1", "r2"]),
        )

    def _record(self) -> None:
        draw = self.draw
        unit = f"u{draw.randint(0, 12)}"
        asked = draw.random() < 0.5
        row = RunInput(
            assignment_id=unit if asked else "",
            unit="" if asked else unit,
            variant=draw.choice(["", "", "a", "b"]),
            status=draw.choice(["completed", "completed", "failed", "infrastructure"]),
            metrics={"passed": draw.choice([0, 1, 1, None])},
        )
        record(self.project, row, experiment=self._name())

    def _register(self) -> None:
        variables.register(self.project, name=self.draw.choice("vw"), aliases=[self.draw.choice("xyz")])

    def _wait(self) -> None:
        self.clock.forward(hours=self.draw.choice([-1, 1, 30]))


@pytest.mark.parametrize("seed", range(3))
def test_tables_equal_a_recount_after_a_busy_history(project: Project, clock: ManualClock, seed: int) -> None:
    """After any history, check passes, a rebuild changes nothing, and a damaged table is found and restored."""
    people = _People(project, clock, seed)
    for _ in range(600):
        people.do()
    store = project._opened()
    folded = ("experiment", "open_variable", "variable", "block", "assignment", "run")
    assert check(store) == []
    with store.read() as transaction:
        before = tables(transaction)
        held = transaction.execute(
            "SELECT domain, variable, experiment FROM open_variable WHERE project=?", (transaction.project,)
        )
        kinds = {
            row[0]
            for row in transaction.execute(
                "SELECT DISTINCT kind FROM event WHERE project=?", (transaction.project,)
            )
        }
    assert kinds >= {"experiment_decided", "variable_registered", "variant_assigned", "run_recorded"}
    assert len(held) == len({row[:2] for row in held})
    with store.write() as transaction:
        for table in folded:
            transaction.execute(f"DELETE FROM {table}")
    assert {line.partition(":")[0] for line in check(store)} == {table for table in folded if before[table]}
    rebuild(store)
    with store.read() as transaction:
        assert tables(transaction) == before
