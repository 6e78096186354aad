"""Several agents, each with a process of its own, at work on the same experiments at the same time."""

from __future__ import annotations

import multiprocessing
from collections import Counter, defaultdict
from collections.abc import Callable

from tests.engine.experiments.world import create, decide, record, select, variants, verdict
from tests.places import Place

from vettle.engine.experiments import lifecycle
from vettle.engine.experiments.runs import RunInput
from vettle.engine.store import assignments
from vettle.engine.store.maintenance import check

AGENTS, UNITS = 4, 200


def _select_all(place: Place, agent: int) -> None:
    """Ask for the same units as all other agents, in an order of its own, and record a quarter of them."""
    project = place.open()
    for step in range(UNITS):
        unit = (step + agent * 7) % UNITS
        made = select(project, unit=f"t{unit}")
        if unit % AGENTS == agent:
            # All do equally well: what is eliminated by bad luck would leave blocks of three.
            row = RunInput(assignment_id=made.assignment_id, metrics={"passed": True})
            assert record(project, row).accepted == 1
    project.close()


def _accept(place: Place, agent: int) -> None:
    """Accept experiments on the same few variables as all other agents, under names of its own."""
    project = place.open()
    for number in range(5):
        name = f"{agent}-{number}"
        spelling = (f"variable {number}", f"Variable-{number}")[agent % 2]
        create(project, name=name, variable=spelling, start=False)
        decide(project, "start", name)
    project.close()


def _run(work: Callable[[Place, int], None], place: Place) -> None:
    context = multiprocessing.get_context("spawn")
    agents = [context.Process(target=work, args=(place, agent)) for agent in range(AGENTS)]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join(120)
        assert agent.exitcode == 0


def test_every_unit_has_one_assignment_and_blocks_stay_balanced(place: Place) -> None:
    """4 processes that each ask for the same 200 units make 200 assignments, in complete blocks."""
    project = place.open()
    made = create(project, of=variants("a", "b", "c", "d"))
    _run(_select_all, place)
    with project.read() as transaction:
        every = assignments.since(transaction, made.experiment_id, 0)
        events = transaction.execute(
            "SELECT count(*) FROM event WHERE project=? AND kind='variant_assigned'", (transaction.project,)
        )
    assert Counter(one.unit for one in every) == {f"t{index}": 1 for index in range(UNITS)}
    assert events == [(UNITS,)]
    blocks = defaultdict(list)
    for one in every:
        blocks[one.block].append(one.variant)
    assert len(blocks) == UNITS / 4
    assert all(len(set(names)) == 4 for names in blocks.values())
    assert len(verdict(project).evidence.scored) == UNITS
    assert check(project._opened()) == []
    project.close()


def test_one_experiment_is_open_per_variable(place: Place) -> None:
    """4 processes that accept experiments on the same variables, spelled differently, open one on each."""
    place.configure("[experiments]\nrunning = 100\n")
    _run(_accept, place)
    project = place.open()
    with project.read() as transaction:
        every = [
            lifecycle.require(transaction, f"{agent}-{number}")
            for agent in range(AGENTS)
            for number in range(5)
        ]
        held = transaction.execute(
            "SELECT variable FROM open_variable WHERE project=?", (transaction.project,)
        )
    assert len(held) == len({str(row[0]).casefold().replace("-", " ") for row in held}) == 5
    assert Counter(one.state for one in every) == {"running": 5, "accepted": 15}
    assert len({one.variable for one in every if one.state == "running"}) == 5
    assert check(project._opened()) == []
    for _ in range(3):
        with project.read() as transaction:
            running = [one.name for one in every if lifecycle.require(transaction, one.id).state == "running"]
        for name in running:
            decide(project, "close", name)
    with project.read() as transaction:
        left = Counter(lifecycle.require(transaction, one.id).state for one in every)
    assert left == {"concluded": 15, "running": 5}
    project.close()
