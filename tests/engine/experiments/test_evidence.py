"""What an experiment's runs say before anybody judges: blocks, and what never came back."""

from __future__ import annotations

import pytest
from tests.engine.experiments.world import (
    PASSED,
    SECONDS,
    create,
    decide,
    record,
    select,
    upload,
    variants,
    verdict,
    work,
)

from vettle.engine.experiments.design import GuardrailInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project

TOKENS = GuardrailInput(name="tokens", direction="lower", range=(0, 100), margin=5)


def test_blocks_compare_what_was_assigned_together(project: Project) -> None:
    """A block counts from its second variant on, whatever the order in which results come in."""
    create(project, of=variants("a", "b", "c"))
    chosen = [select(project, unit=f"t{index}") for index in range(6)]
    for one in reversed(chosen[:5]):
        record(project, RunInput(assignment_id=one.assignment_id, metrics={"passed": 1}))
    assert sorted(map(len, verdict(project).evidence.blocks)) == [2, 3]


def test_a_unit_recorded_before_it_was_assigned_is_in_no_block(project: Project) -> None:
    """Whoever has a result first and asks for the variant later has not been randomised."""
    create(project)
    upload(project, {"a": [1.0], "b": [0.0]})
    select(project, unit="a 0")
    select(project, unit="b 0")
    found = verdict(project).evidence
    assert found.blocked == 0
    assert found.blocks == []


def test_the_context_of_a_run_is_that_of_its_assignment(project: Project) -> None:
    """A result need not repeat the context for which its variant was selected."""
    create(project)
    work(project, 2, lambda *_: 1.0, context="docs")
    record(project, RunInput(unit="u", variant="a", context="code", metrics={"passed": 1}))
    assert [one.context for one in verdict(project).evidence.scored] == ["docs", "docs", "code"]


def test_work_in_progress_is_not_missing(project: Project) -> None:
    """With 20 agents at work at once, of which b takes three times as long, nothing is suspected."""
    create(project)
    waiting: list[tuple[int, str]] = []
    for index in range(200):
        made = select(project, unit=f"t{index}")
        waiting.append((index + (30 if made.variant == "b" else 10), made.assignment_id))
        for due in [one for one in waiting if one[0] <= index]:
            waiting.remove(due)
            record(project, RunInput(assignment_id=due[1], metrics={"passed": 1}))
        found = verdict(project) if index % 5 == 0 else None
        assert found is None or all(check.ok or not check.fatal for check in found.checks), index


def test_recording_one_variant_after_the_other_is_not_missing(project: Project) -> None:
    """Thirty of each assigned at once, all of a recorded, then b one by one: never an alarm."""
    create(project)
    chosen = [select(project, unit=f"t{index}") for index in range(60)]
    for one in sorted(chosen, key=lambda one: one.variant):
        record(project, RunInput(assignment_id=one.assignment_id, metrics={"passed": 1}))
        found = verdict(project)
        assert all(check.ok for check in found.checks if check.fatal)
    assert found.evidence.lost == 0


@pytest.mark.parametrize("way", ["one by one", "all at once", "by an adaptive policy", "recorded as null"])
def test_25_of_30_lost_in_one_arm_withhold_the_verdict(project: Project, way: str) -> None:
    """Where b crashes and only its five best runs come back, b does not win: the verdict is withheld."""
    create(project, metric=PASSED.model_copy(update={"missing": "skip_run"}))
    policy = "uniform" if "policy" in way else "auto"
    if way == "all at once":
        chosen = [select(project, unit=f"t{index}") for index in range(60)]
        ours = [one for one in chosen if one.variant == "b"][::6]
        came = [one for one in chosen if one.variant == "a"] + ours
        rows = [
            RunInput(assignment_id=one.assignment_id, metrics={"passed": float(one.variant == "b")})
            for one in came
        ]
        assert record(project, *rows).accepted == 35
    else:
        lost = RunInput(metrics={"passed": None}) if "null" in way else None
        work(
            project,
            60,
            lambda name, i: 0.0 if name == "a" else 1.0 if i % 12 < 2 else lost,
            policy=policy,
        )
    found = verdict(project).judgement
    assert (found.outcome, found.leader) == ("invalid", None)
    assert any("missing depends on the arm" in reason for reason in found.reasons)


def test_what_is_still_out_when_it_is_closed_is_lost(project: Project) -> None:
    """Closing turns everything that never came back into missing runs."""
    create(project)
    chosen = [select(project, unit=f"t{index}") for index in range(60)]
    kept = [one for one in chosen if one.variant == "a"] + [one for one in chosen if one.variant == "b"][:8]
    rows = [
        RunInput(assignment_id=one.assignment_id, metrics={"passed": float(one.variant == "b")})
        for one in kept
    ]
    record(project, *rows)
    assert verdict(project).judgement.outcome != "invalid"
    assert decide(project, "close").verdict["outcome"] == "invalid"
    assert verdict(project).evidence.lost == 22


def test_a_failed_run_without_a_range_is_missing(project: Project) -> None:
    """Without a range there is no worst value, so failures of one arm withhold the verdict."""
    create(project, metric=SECONDS)
    work(
        project,
        80,
        lambda name, i: RunInput(status="failed") if name == "b" and i % 8 else 10.0 + i % 7,
        metric="seconds",
    )
    found = verdict(project)
    assert found.judgement.outcome == "invalid"
    assert any("no worst value" in note for note in found.evidence.notes)


def test_guardrails_are_measured_in_the_same_blocks(project: Project) -> None:
    """A guardrail's metric is compared within blocks, and runs that did not complete have none."""
    create(project, guardrails=[TOKENS])
    work(project, 4, lambda name, _: RunInput(metrics={"passed": 1, "tokens": 10 if name == "a" else 30}))
    work(project, 2, lambda *_: RunInput(status="failed", metrics={"tokens": 100}))
    assert verdict(project).evidence.guards["tokens"] == [{"a": 0.9, "b": 0.7}] * 2
