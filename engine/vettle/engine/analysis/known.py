"""Every experiment with what is known of it by now: its verdict, its runs, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from vettle.engine.experiments import verdicts
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.evidence import Evidence, gather
from vettle.engine.experiments.lifecycle import DECIDED, NO_TEST, OPEN
from vettle.engine.experiments.verdicts import Verdict
from vettle.engine.records.base import ExperimentOutcome, ExperimentState
from vettle.engine.store import Transaction, events
from vettle.engine.store import experiments as table
from vettle.engine.store.experiments import Experiment

MOST_EXPERIMENTS = 100
"""The newest experiments that are looked at: each has to be judged again while it is open."""

MOST_RUNS = 20_000
"""Runs after which no further experiment is looked at: all of them are read."""


@dataclass(frozen=True, slots=True)
class Known:
    """One experiment. `said` is its frozen verdict, else that of this moment, {} without runs.

    `proposer` and `expected_effect` are what it was created with, if it came from a proposal.
    """

    row: Experiment
    design: Design
    evidence: Evidence
    said: Mapping[str, Any] = field(default_factory=dict)
    judged: Verdict | None = None
    proposer: str = ""
    expected_effect: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """The verdict of this moment."""
        return self.judged or verdicts.judge(self.design, self.evidence)

    @property
    def runs(self) -> int:
        """How many runs it has."""
        return len(self.evidence.scored)

    @property
    def missing(self) -> int:
        """How many of its runs have no result, or never came back."""
        return sum(self.evidence.missing.values())

    @property
    def cost(self) -> float:
        """What its runs have cost."""
        return sum(float(one.run.data.get("cost") or 0) for one in self.evidence.scored)

    @property
    def outcome(self) -> ExperimentOutcome | Literal["no_runs"]:
        """What the verdict says."""
        found: ExperimentOutcome | Literal["no_runs"] = self.said.get("outcome", "no_runs")
        return found

    @property
    def winner(self) -> str:
        """The name of the variant that is proven best, "" if none is; what was never tested proves nothing."""
        proven = self.outcome in DECIDED and self.row.tier != NO_TEST
        return str(self.said.get("leader") or "") if proven else ""


@dataclass(frozen=True, slots=True)
class Everything:
    """The experiments, newest first, and what has to be said about the list."""

    experiments: list[Known]
    notes: list[str]


def known(transaction: Transaction, context: str = "") -> Everything:
    """Return the newest experiments of a context ("" for all) with what is known of each."""
    rows = [
        row
        for row in reversed(table.in_states(transaction, get_args(ExperimentState), limit=1_000_000))
        if context in ("", row.context)
    ]
    found: list[Known] = []
    read = 0
    for row in rows[:MOST_EXPERIMENTS]:
        if read >= MOST_RUNS:
            break
        found.append(_known(transaction, row))
        read += found[-1].runs
    notes = []
    if len(found) < len(rows):
        notes.append(f"Only the newest {len(found)} of {len(rows)} experiments were looked at.")
    return Everything(found, notes)


def _known(transaction: Transaction, row: Experiment) -> Known:
    design = Design.model_validate(row.design)
    over = row.state not in OPEN
    evidence = gather(transaction, row.id, row.epoch, design, final=over)
    said: Mapping[str, Any] = row.verdict if evidence.scored else {}
    judged = verdicts.judge(design, evidence) if evidence.scored and not said else None
    created = events.of_subject(transaction, row.id, ("experiment_created",), limit=1)
    data = created[0].data if created else {}
    return Known(
        row=row,
        design=design,
        evidence=evidence,
        said=judged.judgement.to_json() if judged else said,
        judged=judged,
        proposer=str(data.get("proposer") or ""),
        expected_effect=float(data.get("expected_effect") or 0.0),
    )
