"""ai-experiments: events that its version 2.1.3 wrote.

The sample was written by the package's own file backend, from runs through its own `Experiment`, at its tag 2.1.3;
it is no longer on npm, so it cannot be installed here. Only the paths in stack traces were shortened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.engine.exchange.bringing import ask, bring, damaged, damages, reasons, survives
from tests.places import untouched

from vettle.engine.errors import SourceDamaged
from vettle.engine.experiments import results
from vettle.engine.project import Project
from vettle.engine.store import runs

SYSTEM = "ai-experiments"
SAMPLE = Path(__file__).parent / "samples" / "ai_experiments_2_1_3.jsonl"


@pytest.fixture(name="events")
def _events(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "experiments.jsonl"
    path.write_bytes(SAMPLE.read_bytes())
    yield path


def _event(kind: str, /, **data: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": "2026-05-01T10:00:00.000Z", "data": data}


def _complete(run: str, value: object = 1.0, variant: str = "a", **more: Any) -> dict[str, Any]:
    return _event(
        "variant.complete", experimentId="e", variantId=variant, variantName=variant.upper(), runId=run,
        duration=5, metricValue=value, success=True, **more,
    )  # fmt: skip


def _lines(path: Path, *events: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


def test_everything_is_taken_once(project: Project, events: Path) -> None:
    """Experiments and runs arrive, what is no run says why, and a second import finds all known."""
    first = bring(project, events, SYSTEM)
    assert first.new == {"experiments": 3, "runs": 13}
    assert (first.files[0].rows, first.files[0].skipped_rows) == (53, 4)
    again = bring(project, events, SYSTEM)
    assert (again.new, again.known) == ({}, 16)


def test_the_better_prompt_leads_without_a_premature_winner(project: Project, events: Path) -> None:
    """Four runs of each lead as they should, and are too few to claim what the system claimed after one."""
    bring(project, events, SYSTEM)
    found = ask(project, "Prompt Engineering Test")
    assert found.verdict is not None
    assert (found.verdict.leader, found.verdict.outcome) == ("Detailed Prompt", "insufficient")
    assert found.verdict.estimate == pytest.approx(0.4025)
    with project.read() as transaction:
        [[design]] = transaction.execute(
            "SELECT design FROM experiment WHERE project=? AND id=?",
            (transaction.project, found.experiment_id),
        )
    assert "detailed (4)" in str(design)


def test_a_failed_run_is_a_failed_run(project: Project, events: Path) -> None:
    """What the system's own analysis could not see is here: a failure with its message, and NaN as no value."""
    bring(project, events, SYSTEM)
    found = ask(project, "Temperature")
    statuses = {one.name: one.statuses for one in found.leaderboard}
    assert statuses["temperature=0.7, model=o"] == {"failed": 1}
    assert next(one for one in found.leaderboard if one.name == "temperature=0.7, model=s").mean is None
    with project.read() as transaction:
        every = runs.since(transaction, found.experiment_id, 0)
    assert [run.data["error"] for run in every if run.status == "failed"] == ["rate limited"]


def test_a_throwing_callback_makes_no_failure(project: Project, events: Path) -> None:
    """A run that was complete before its callback threw is complete."""
    imported = bring(project, events, SYSTEM)
    assert ask(project, "A callback").leaderboard[0].statuses == {"completed": 1}
    assert any("callback" in reason for reason in reasons(imported))


def test_a_run_that_ends_later_is_taken_then(project: Project, events: Path) -> None:
    """A file that grew brings the new ends only."""
    assert "run 'still-running' has no end here" in reasons(bring(project, events, SYSTEM))
    more = _complete("still-running", 0.3)
    more["data"] |= {"experimentId": "sweep", "variantId": "variant-0"}
    with events.open("a", encoding="utf-8") as file:
        file.write(json.dumps(more) + "\n")
    grown = bring(project, events, SYSTEM)
    assert (grown.new, grown.known) == ({"runs": 1}, 16)
    assert not any("still-running" in reason for reason in reasons(grown))


def test_equal_ids_with_other_content_are_other_runs(project: Project, tmp_path: Path) -> None:
    """Two processes that count their runs alike lose none; the very same event twice is one."""
    path = _lines(tmp_path / "e.jsonl", _complete("1", 0.5), _complete("1", 0.7), _complete("1", 0.7, "b"),
                  _complete("1", 0.5))  # fmt: skip
    imported = bring(project, path, SYSTEM)
    assert imported.new == {"experiments": 1, "runs": 3}
    assert reasons(imported) == ["the same as e.jsonl:1"]


def test_dimensions_break_results_down(project: Project, tmp_path: Path) -> None:
    """What the events carry as dimensions is there to group by, whatever characters its names have."""
    cold = [
        _complete(f"c{n}", 0.2 + n / 100, "a", dimensions={"max-tokens": 100, "model": "s"}) for n in range(3)
    ]
    warm = [
        _complete(f"w{n}", 0.6 + n / 100, "b", dimensions={"max-tokens": 500, "model": "s"}) for n in range(3)
    ]
    bring(project, _lines(tmp_path / "e.jsonl", *cold, *warm), SYSTEM)
    found = results.results(project, experiment=ask(project, "e").experiment_id, by=["max-tokens"])
    assert sorted(mean.mean for mean in found.marginals if mean.mean is not None) == pytest.approx(
        [0.21, 0.61]
    )


def test_a_sweep_of_more_variants_than_fit_comes_in_parts(project: Project, tmp_path: Path) -> None:
    """A grid of 150 variants becomes two experiments, and growth does not double what was there."""
    path = tmp_path / "sweep.jsonl"
    every = [_complete(f"r{n}", n / 200, f"variant-{n}") for n in range(150)]
    assert bring(project, _lines(path, *every[:90]), SYSTEM).new == {"experiments": 1, "runs": 90}
    grown = bring(project, _lines(path, *every), SYSTEM)
    assert grown.new["runs"] == 60 and grown.known == 89
    assert bring(project, path, SYSTEM).new == {}


def test_an_export_of_the_table_is_the_same_events(project: Project, tmp_path: Path) -> None:
    """Rows of the ClickHouse table, one JSON object a line, give runs with their dimensions."""
    row = {
        "eventId": "evt-1-1", "eventType": "variant.complete", "timestamp": "2026-01-01 10:00:00.000",
        "experimentId": "e", "experimentName": "", "variantId": "a", "variantName": "A", "runId": "r",
        "dimensions": '{"model":"s"}', "success": 1, "durationMs": 12, "metricValue": 0.5, "metricName": "",
        "errorMessage": "",
    }  # fmt: skip
    failed = row | {"runId": "r2", "success": 0, "errorMessage": "boom"}
    imported = bring(project, _lines(tmp_path / "t.jsonl", row, failed), SYSTEM)
    assert imported.new == {"experiments": 1, "runs": 2}
    assert ask(project, "e").leaderboard[0].statuses == {"completed": 1, "failed": 1}


def test_rows_that_make_no_sense_are_left_out(project: Project, tmp_path: Path) -> None:
    """Unknown types, no experiment, no variant, a metric that is text: each says so."""
    path = _lines(
        tmp_path / "odd.jsonl",
        _event("variant.paused", experimentId="e"),
        _event("variant.complete", variantId="a"),
        _event("variant.complete", experimentId="e"),
        _complete("r", "n/a"),
        {"type": 5},
    )
    imported = bring(project, path, SYSTEM)
    assert imported.new == {"experiments": 1, "runs": 1}
    assert [row.line for row in imported.files[0].skipped] == [1, 2, 3, 5, 4]


def test_a_torn_line_is_refused_by_its_number(project: Project, events: Path) -> None:
    """The last line, torn by a crash, names itself; nothing is recorded."""
    events.write_bytes(events.read_bytes()[:-30])
    with pytest.raises(SourceDamaged, match=r"experiments\.jsonl:53"):
        bring(project, events, SYSTEM)
    assert untouched(project)


@settings(max_examples=40, deadline=None)
@given(damages)
def test_damage_is_refused_or_harmless(damage: tuple[str, float, int]) -> None:
    """However a file is cut or a byte of it changed, it is refused by name or soundly read; never another error."""
    survives(damaged(SAMPLE.read_bytes(), damage), ".jsonl", SYSTEM)


def test_many_runs_of_one_id_are_many_runs(project: Project, tmp_path: Path) -> None:
    """A caller that names every run alike loses none, and the same line twice is still one run."""
    events = [_complete("r", number / 100) for number in range(100)]
    answer = bring(project, _lines(tmp_path / "e.jsonl", *events, events[7]), SYSTEM)
    assert answer.new == {"experiments": 1, "runs": 100}
    assert reasons(answer) == ["the same as e.jsonl:8"]
