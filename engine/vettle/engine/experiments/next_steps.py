"""What to do next about an experiment: one sentence, the same in every answer, with a call that can be made as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vettle.engine.clock import DAY
from vettle.engine.experiments.lifecycle import DECIDED, next_step, to_apply, winner
from vettle.engine.records import ExperimentState
from vettle.engine.store import Transaction, runs
from vettle.engine.store import experiments as table
from vettle.engine.store.experiments import HOLDING, Experiment
from vettle.engine.wording import one_line

MOST_RUNS = 2_000
"""Runs that are judged to look for a verdict nobody has asked for: about a fifth of a second."""

LEAST_RUNS = 16
"""Runs of an experiment with fewer of which nothing is ever proven: eight blocks of two variants."""

NEWS = 7 * DAY
"""How long a proven variant that nobody put into force is worth a word, in microseconds."""


def after(experiment: str, state: ExperimentState, verdict: Mapping[str, Any]) -> str:
    """Return what to do about an experiment in this state with this verdict, as a judgement gives it.

    A verdict that proves a variant best asks for it to be frozen, then for the variant to be put into force; any other
    keeps its own next step, unless no result can come any more.
    """
    outcome, leader = verdict["outcome"], verdict["leader"]
    if outcome in DECIDED and leader:
        if state in HOLDING:
            return f"{leader!r} is proven best. End the experiment: experiment_decide {experiment} close 'proven best'"
        if state == "concluded":
            return to_apply(experiment, leader)
        if state == "applied":
            return f"{leader!r} is in force: watch whether it stays as good."
    if outcome == "insufficient" and state in ("concluded", "abandoned"):
        return f"It ended too early to tell. To ask again: experiment_decide {experiment} restart 'too early to tell'"
    return str(verdict["next_step"])


_MOST_LOSERS = 4


class Proven(NamedTuple):
    """An experiment that has proven a variant best: its id, what it found, and what to do about that."""

    experiment: str
    finding: str
    next_step: str


def finding(experiment: str, leader: str, losers: Sequence[str]) -> str:
    """Say what an experiment, which is named, has proven."""
    beaten = ", ".join(map(one_line, losers[:_MOST_LOSERS]))
    # How many more there are is not known here: a record's list of losers is cut too.
    beaten += " and others" if len(losers) > _MOST_LOSERS else ""
    return f'In the experiment "{one_line(experiment)}", {one_line(leader)} is proven better than {beaten}.'


def proven(transaction: Transaction) -> Proven | None:
    """Return an experiment that has proven a variant best and waits for a decision, None if none does.

    One that is under way comes before one that ended in the last week; after its end, a later experiment on the same
    variable takes its place. Longer experiments than 2,000 runs are left to `experiment_results`, so that it takes as
    long in a project of any age.
    """
    room = MOST_RUNS
    for found in table.in_states(transaction, HOLDING):
        number = runs.count(transaction, found.id)
        if LEAST_RUNS <= number <= room:
            room -= number
            verdict = _verdict(transaction, found)
            if verdict["outcome"] in DECIDED and verdict["leader"]:
                return _proven(found, verdict)
    for found in table.ended_since(transaction, "concluded", transaction.now - NEWS):
        if winner(found) and not table.has_successor(transaction, found):
            return _proven(found, found.verdict)
    return None


def under_way(transaction: Transaction) -> str:
    """Return what to do for the newest running experiment, "" if none runs."""
    running = table.in_states(transaction, ("running",))
    return next_step(running[-1]) if running else ""


def _proven(found: Experiment, verdict: Mapping[str, Any]) -> Proven:
    said = finding(found.name, verdict["leader"], verdict["losers"])
    return Proven(found.id, said, after(found.id, found.state, verdict))


def _verdict(transaction: Transaction, found: Experiment) -> Mapping[str, Any]:
    # Imported here because of numpy, which a server loads only after the handshake.
    from vettle.engine.experiments import verdicts

    return verdicts.of(transaction, found).judgement.to_json()
