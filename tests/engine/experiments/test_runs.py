"""What may be recorded about a variant, and what a refusal says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import JsonValue, ValidationError
from tests.conftest import START, ManualClock
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
)

from vettle.engine.analysis import costs
from vettle.engine.clock import SECOND
from vettle.engine.experiments import lifecycle, results
from vettle.engine.experiments.design import Component, GuardrailInput, MetricInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.store import runs as table

BOTH = MetricInput(
    components=(
        Component(name="passed", direction="higher", kind="binary"),
        Component(name="edits", direction="lower", kind="count", range=(0, 10)),
    )
)


def _at(seconds: float) -> str:
    return (datetime.fromtimestamp(START / SECOND, UTC) + timedelta(seconds=seconds)).isoformat()


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "no unit": ("names no unit", {"assignment_id": ""}),
    "two units": ("differ", {"unit": "another"}),
    "unknown variant": ("no variant 'z'. Variants: a, b", {"assignment_id": "", "unit": "n", "variant": "z"}),
    "wrong variant": ("was given variant", {"variant": "WRONG"}),
    "not assigned": ("no assignment 'n'", {"assignment_id": "n"}),
    "no variant": ("has to name its variant", {"assignment_id": "", "unit": "n"}),
    "NaN": ("finite number", {"metrics": {"passed": float("nan"), "edits": 1}}),
    "infinite": ("finite number", {"metrics": {"passed": 1, "other": float("inf")}}),
    "huge": ("within 1e+100", {"metrics": {"passed": 1, "other": 1e200}}),
    "half a success": ("binary, 0 or 1, not 0.5", {"metrics": {"passed": 0.5}}),
    "a negative count": ("count and cannot be -1", {"metrics": {"passed": 1, "edits": -1}}),
    "NaN in a stage": ("stages", {"stages": {"x": float("nan")}}),
    "30 kB of stages": ("stages", {"stages": {"x": "y" * 30_000}}),
    "before the start": ("before the experiment started", {"produced_at": _at(-1)}),
    "the future": ("in the future", {"produced_at": _at(3 * 3600)}),
    "a naive time": ("no time zone", {"produced_at": "2027-01-15T08:00:00"}),
    "no time": ("no ISO 8601 time", {"produced_at": "yesterday"}),
    "the year 1": ("before the experiment started", {"produced_at": "0001-01-01T00:00:00+14:00"}),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_keeps_the_whole_batch_out_and_says_why(
    project: Project, clock: ManualClock, case: str
) -> None:
    """Of a good and a bad row neither is recorded, and the bad one is named with its reason."""
    create(project, metric=BOTH)
    good, bad = select(project, unit="good"), select(project, unit="bad")
    clock.forward(hours=1)
    reason, changes = BAD[case]
    changes = {"variant": good.variant if changes.get("variant") == "WRONG" else ""} | {
        name: value for name, value in changes.items() if value != "WRONG"
    }
    row = RunInput.model_validate(
        {"assignment_id": bad.assignment_id, "metrics": {"passed": 1, "edits": 1}} | changes
    )
    answer = record(project, RunInput(assignment_id="good", metrics={"passed": 1, "edits": 1}), row)
    assert answer.accepted == 0
    assert [one.row for one in answer.refused] == [1]
    assert reason in answer.refused[0].reason
    assert "Nothing was recorded" in answer.next_step
    assert verdict(project).evidence.scored == []


def test_a_unit_stands_in_a_batch_once(project: Project) -> None:
    """Two rows about one unit contradict each other."""
    create(project)
    row = RunInput(unit="u", variant="a", metrics={"passed": 1})
    answer = record(project, row, row)
    assert "twice" in answer.refused[0].reason
    assert answer.refused[0].row == 1


@pytest.mark.parametrize("action", ["none", "close", "abandon"])
def test_only_an_open_experiment_takes_results(project: Project, action: str) -> None:
    """Nothing counts before the start or after the end."""
    create(project, start=action != "none")
    if action != "none":
        decide(project, action)
    answer = upload(project, {"a": [1.0]})
    assert "from its start until it is closed" in answer.refused[0].reason


@pytest.mark.parametrize("action", ["pause", "stop"])
def test_late_results_count_until_it_is_closed(project: Project, action: str) -> None:
    """What was assigned may still come in while nothing more is assigned."""
    create(project)
    made = select(project)
    decide(project, action)
    row = RunInput(assignment_id=made.assignment_id, metrics={"passed": 1})
    assert record(project, row).accepted == 1


def test_a_time_in_whole_seconds_is_not_before_the_start(project: Project, clock: ManualClock) -> None:
    """A run of the second in which the experiment started counts."""
    clock.forward(seconds=0.7)
    create(project)
    row = RunInput(unit="u", variant="a", metrics={"passed": 1}, produced_at=_at(0))
    assert record(project, row).accepted == 1


@pytest.mark.parametrize(
    "given",
    [
        {"unit": "x" * 10_000},
        {"error": "x" * 10_000},
        {"covariate": float("nan")},
        {"dimensions": {"x": float("inf")}},
        {"dimensions": {"x": "y" * 200}},
        {"metrics": {"": 1}},
        {"metrics": {"x\ny": 1}},
        {"metrics": {"x": "fast"}},
        {"status": "done"},
        {"tokens_in": -1},
        {"cost": float("inf")},
        {"metric": {"x": 1}},
    ],
)
def test_the_types_of_arguments_refuse_what_no_run_is(given: dict[str, Any]) -> None:
    """Sizes, signs, unknown words and numbers that are none never reach the engine."""
    with pytest.raises(ValidationError):
        RunInput(**given)


def test_a_unit_that_is_recorded_again_replaces_what_was_there(project: Project) -> None:
    """The latest counts, once, and the answer says that it was an update."""
    create(project)
    made = select(project, unit="u")
    for value, updated in ((0.0, 0), (1.0, 1)):
        answer = record(project, RunInput(assignment_id="u", metrics={"passed": value}))
        assert (answer.accepted, answer.updated) == (1, updated)
    assert verdict(project).evidence.samples[made.variant] == [1.0]
    with project.read() as transaction:
        [[experiment]] = transaction.execute(
            "SELECT id FROM experiment WHERE project=?", (transaction.project,)
        )
        assert len(table.since(transaction, str(experiment), 0)) == 1


def test_a_unit_nobody_assigned_stays_with_its_variant(project: Project) -> None:
    """The same unit is not recorded under both variants in turn."""
    create(project)
    assert record(project, RunInput(unit="u", variant="a", metrics={"passed": 1})).accepted == 1
    answer = record(project, RunInput(unit="u", variant="b", metrics={"passed": 1}))
    assert "recorded under variant 'a'" in answer.refused[0].reason


def test_retries_record_once_and_refusals_are_not_kept(project: Project, clock: ManualClock) -> None:
    """A retry gets the first answer; a batch that was refused may come again under its client_ref."""
    create(project)
    early = RunInput(unit="u", variant="a", metrics={"passed": 1}, produced_at=_at(3600))
    assert record(project, early, ref="r").accepted == 0
    clock.forward(hours=2)
    first = record(project, early, ref="r")
    assert (first.accepted, first.updated) == (1, 0)
    assert record(project, early, ref="r") == first


@pytest.mark.parametrize(
    ("status", "counted"),
    [
        ("completed", [1.0]),
        ("failed", [0.0]),
        ("timeout", [0.0]),
        ("infrastructure", [None]),
        ("cancelled", [None]),
    ],
)
def test_what_a_status_counts_as(project: Project, status: Any, counted: list[float | None]) -> None:
    """Failing and timing out is the variant's worst result; what was not its fault is no result."""
    create(project)
    record(project, RunInput(unit="u", variant="a", status=status, metrics={"passed": 1}))
    found = verdict(project).evidence
    assert found.samples["a"] == counted
    assert found.missing["a"] == (counted == [None])
    assert found.statuses["a"][status] == 1


def test_secrets_do_not_get_into_the_log(project: Project) -> None:
    """Keys and tokens in an error are redacted before they are stored, and refused in a name."""
    create(project)
    secret = "ghp_" + "a1B2" * 9
    with pytest.raises(ValidationError, match="secret"):
        RunInput(unit="u", variant="a", status="failed", failure_mode=secret)
    row = RunInput(unit="u", variant="a", status="failed", error=f"401 for {secret}")
    assert record(project, row).accepted == 1
    with project.read() as transaction:
        stored = str(
            transaction.execute("SELECT data FROM event WHERE project=?", (transaction.project,))
        ) + str(transaction.execute("SELECT data FROM run WHERE project=?", (transaction.project,)))
    assert "401 for" in stored
    assert secret not in stored


@pytest.mark.parametrize(("policy", "counted"), [("worst", 0.5), ("skip_run", None), ("renormalise", 1.0)])
def test_a_missing_metric_counts_as_declared(project: Project, policy: Any, counted: float | None) -> None:
    """As its worst, as no result, or not at all: what was declared is done, and said."""
    create(project, metric=BOTH.model_copy(update={"missing": policy}))
    record(project, RunInput(unit="u", variant="a", metrics={"passed": 1, "edits": None}))
    found = verdict(project).evidence
    assert found.samples["a"] == [counted]
    assert sum(found.notes.values()) == 1


def test_a_misspelt_metric_is_said(project: Project) -> None:
    """A run without the metric that decides is recorded with a note; null says that it was meant."""
    guard = GuardrailInput(name="tokens", direction="lower", range=(0, 10), margin=1)
    create(project, guardrails=[guard])
    answer = record(project, RunInput(unit="u", variant="a", metrics={"pased": 1, "tokens": 1}))
    assert [note[:52] for note in answer.notes] == ["1 of 1 completed runs do not name the metric 'passed"]
    meant = RunInput(unit="v", variant="a", metrics={"passed": None, "tokens": 1})
    assert record(project, meant).notes == []


def test_values_outside_their_range_are_clipped_and_counted(project: Project) -> None:
    """A value beyond the range counts as its end, and the verdict says how many did."""
    create(project, metric=SECONDS.model_copy(update={"range": (0.0, 10.0)}))
    upload(project, {"a": [5.0, 50.0, 10.0], "b": [0.0]}, metric="seconds")
    found = verdict(project)
    assert found.evidence.samples["a"] == [0.5, 0.0, 0.0]
    assert found.evidence.clipped == 1
    assert any("1 value lay outside" in check.detail for check in found.checks)


def test_whatever_else_is_measured_is_kept(project: Project) -> None:
    """Metrics beyond the declared ones, stages, dimensions, tokens and cost come back from the table."""
    create(project, of=variants("a", "b"), metric=PASSED)
    row = RunInput(
        unit="u", variant="a", metrics={"passed": 1, "lines": 7}, stages={"lint": [1, None]}, cost=0.5,
        dimensions={"size": "l", "depth": 2.0}, tokens_in=10, retries=1, source="judge",
    )  # fmt: skip
    assert record(project, row).accepted == 1
    with project.read() as transaction:
        [[experiment]] = transaction.execute(
            "SELECT id FROM experiment WHERE project=?", (transaction.project,)
        )
        kept = table.get(transaction, str(experiment), "u")
    assert kept is not None
    assert kept.metrics == {"passed": 1, "lines": 7}
    assert kept.data["stages"] == {"lint": [1, None]}
    assert (kept.data["dimensions"], kept.data["source"]) == ({"size": "l", "depth": 2.0}, "judge")


def test_what_is_accepted_can_be_read_however_deep_it_is(project: Project) -> None:
    """One run with stages within stages does not take the experiment's results, or the costs, from everybody."""
    create(project)
    stages: JsonValue = 1
    for _ in range(210):
        stages = [stages]
    row = RunInput(unit="u", variant="a", metrics={"passed": 1}, stages={"deep": stages})
    assert record(project, row).accepted == 1
    assert results.results(project, experiment="prompt").runs == 1
    assert costs.costs(project).total.runs == 1
    with project.read() as transaction:
        kept = table.get(transaction, lifecycle.require(transaction, "prompt").id, "u")
    assert kept is not None and kept.data["stages"] == {"deep": stages}
