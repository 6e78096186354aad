"""PromptLooper: runs as its API is documented to return them; it cannot be installed, so no file is its own."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.engine.exchange.bringing import ask, bring, damaged, damages, reasons, survives
from tests.places import untouched

from vettle.engine.errors import SourceDamaged
from vettle.engine.experiments import listing
from vettle.engine.experiments.design import MetricInput
from vettle.engine.experiments.lifecycle import design_of, require
from vettle.engine.project import Project
from vettle.engine.store import runs

SYSTEM = "promptlooper"
COLD = {"model": "m", "temperature": 0.2, "prompt": "Explain.\nBriefly."}
WARM = {"model": "m", "temperature": 0.9, "prompt": "Explain.\nBriefly."}
EXPERIMENT = {
    "id": "7b0c", "name": "Summaries", "description": "Which prompt?", "status": "completed",
    "scoring_config": {"weights": {"keyword": 2.0, "latency": -1.0, "never": 1.0}},
    "parameter_space": {"temperature": [0.2, 0.9]},
}  # fmt: skip


def _run(
    number: int, config: dict[str, Any], keyword: object, latency: object = 0.5, **more: Any
) -> dict[str, Any]:
    return {
        "id": f"run-{number}", "experiment_id": "7b0c", "status": "completed", "config": config,
        "config_hash": f"{config['temperature']}".ljust(64, "0"), "tokens_in": 100, "tokens_out": 20,
        "duration_ms": 1500, "created_at": f"2026-05-01T10:00:{number:02}",
        "scores": [{"scorer_name": "keyword", "value": keyword}, {"scorer_name": "latency", "value": latency}],
    } | more  # fmt: skip


def _many() -> list[dict[str, Any]]:
    draw = random.Random(7)
    return [
        _run(n, COLD if n % 2 else WARM, round((0.8 if n % 2 else 0.3) + draw.uniform(-0.1, 0.1), 3))
        for n in range(40)
    ]


def _write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return path


def _metric(project: Project) -> MetricInput:
    [found] = listing.listed(project).experiments
    with project.read() as transaction:
        return design_of(require(transaction, found.id)).metric


@pytest.mark.parametrize("shape", ["experiment", "list", "items", "dump"])
def test_every_shape_is_taken_once(project: Project, tmp_path: Path, shape: str) -> None:
    """Runs alone, with their experiment, a page of them, or a dump of experiments: each is known the second time."""
    every = _many()
    document = {
        "experiment": {"experiment": EXPERIMENT, "runs": every},
        "list": every,
        "items": {"items": every, "total": 40},
        "dump": {"experiments": [EXPERIMENT | {"runs": every}]},
    }[shape]
    path = _write(tmp_path / "runs.json", document)
    first = bring(project, path, SYSTEM)
    assert first.new == {"experiments": 1, "runs": 40}
    assert (first.files[0].rows, first.files[0].skipped_rows) == (40, 0)
    again = bring(project, path, SYSTEM)
    assert (again.new, again.known) == ({}, sum(file.taken for file in first.files))


def test_runs_of_one_configuration_are_one_variant(project: Project, tmp_path: Path) -> None:
    """Twenty runs of each configuration are compared as two variants, named after what differs."""
    bring(project, _write(tmp_path / "runs.json", {"experiment": EXPERIMENT, "runs": _many()}), SYSTEM)
    found = ask(project, "Summaries")
    assert {one.name: one.n for one in found.leaderboard} == {"temperature=0.2": 20, "temperature=0.9": 20}
    assert found.verdict is not None
    assert (found.verdict.leader, found.verdict.outcome) == ("temperature=0.2", "better")


def test_the_best_of_many_single_runs_is_no_winner(project: Project, tmp_path: Path) -> None:
    """Twenty configurations with one run each are too early to tell, whichever scored highest."""
    every = [_run(n, {"temperature": n / 20}, 0.6 + (n == 7) * 0.2) for n in range(20)]
    bring(project, _write(tmp_path / "runs.json", {"experiment": EXPERIMENT, "runs": every}), SYSTEM)
    verdict = ask(project, "Summaries").verdict
    assert verdict is not None and verdict.outcome == "insufficient"


def test_weights_become_parts_of_one_utility(project: Project, tmp_path: Path) -> None:
    """A negative weight means lower is better, a scorer that never scored is left out and named."""
    imported = bring(
        project, _write(tmp_path / "r.json", {"experiment": EXPERIMENT, "runs": _many()}), SYSTEM
    )
    parts = {one.name: one for one in _metric(project).components}
    assert {name: (one.direction, one.weight, one.range) for name, one in parts.items()} == {
        "keyword": ("higher", 1.0, (0, 1)), "latency": ("lower", 0.5, (0, 1)),
    }  # fmt: skip
    assert any("'never'" in note for note in imported.notes)


def test_a_run_without_a_weighted_score_cannot_win(project: Project, tmp_path: Path) -> None:
    """A run that lacks the scorer which others did badly on has no result; there it won by lacking it."""
    lacking = [{"scorer_name": "keyword", "value": 0.95}]
    every = [_run(1, COLD, 0.9, 0.8), _run(2, WARM, 0, scores=lacking)]
    bring(project, _write(tmp_path / "r.json", {"experiment": EXPERIMENT, "runs": every}), SYSTEM)
    rows = {one.name: (one.n, one.missing) for one in ask(project, "Summaries").leaderboard}
    assert rows == {"temperature=0.2": (1, 0), "temperature=0.9": (0, 1)}


def test_scores_outside_0_to_1_get_the_range_seen(project: Project, tmp_path: Path) -> None:
    """A latency of 900 is not taken for a share; the range that is assumed is said."""
    every = [_run(1, COLD, 0.5, 100), _run(2, WARM, 0.6, 900)]
    imported = bring(project, _write(tmp_path / "r.json", {"experiment": EXPERIMENT, "runs": every}), SYSTEM)
    assert {one.name: one.range for one in _metric(project).components}["latency"] == (0, 900)
    assert any("900" in note for note in imported.notes)


def test_statuses_tokens_stages_and_odd_scores(project: Project, tmp_path: Path) -> None:
    """Failures are failures, unfinished runs wait, the last of two scores counts, and what is no number says so."""
    twice = [{"scorer_name": "keyword", "value": 0.1}, {"scorer_name": "keyword", "value": 0.9}]
    stages = [{"stage_name": "draft", "output": "x" * 9_000, "tokens_in": 7}, {"stage_name": "final"}]
    every = [
        _run(1, COLD, 0.5, scores=twice, stage_results=stages),
        _run(2, WARM, None, float("nan")),
        _run(3, WARM, 0.5, status="failed", scores=None, error="rate limited"),
        _run(4, WARM, 0.5, status="running"),
        _run(5, WARM, 0.5, status="cancelled", config_hash=None),
        _run(6, WARM, 0.5, status="odd"),
        "text",
    ]
    imported = bring(project, _write(tmp_path / "r.json", every), SYSTEM)
    assert imported.new == {"experiments": 1, "runs": 4}
    why = reasons(imported)
    for part in ("it is no object", "import again when it has ended", "'odd' is not known", "the last one counts",
                 "'latency' is 'nan'"):  # fmt: skip
        assert any(part in one for one in why), part
    [experiment] = listing.listed(project).experiments
    with project.read() as transaction:
        first, *rest = runs.since(transaction, experiment.id, 0)
    assert [run.status for run in rest] == ["completed", "failed", "cancelled"]
    assert (first.metrics, first.data["tokens_in"], first.data["duration_ms"]) == (
        {"keyword": 0.9},
        100,
        1500,
    )
    assert first.data["stages"]["draft"]["tokens_in"] == 7
    assert len(first.data["stages"]["draft"]["output"]) == 500
    assert first.data["dimensions"]["temperature"] == 0.2


def test_a_run_that_was_scored_again_is_brought_up_to_date(project: Project, tmp_path: Path) -> None:
    """A human score that was added later replaces the run's result; new runs are added; a new name changes nothing."""
    path = tmp_path / "runs.json"
    bring(
        project,
        _write(path, {"experiment": EXPERIMENT, "runs": [_run(1, COLD, 0.5), _run(2, WARM, 0.4)]}),
        SYSTEM,
    )
    more = [_run(3, COLD, 0.7), _run(1, COLD, 0.9), _run(2, WARM, 0.4)]
    renamed = EXPERIMENT | {"name": "Renamed"}
    grown = bring(project, _write(path, {"experiment": renamed, "runs": more}), SYSTEM)
    assert (grown.new, grown.known) == ({"runs": 2}, 2)
    found = ask(project, "Summaries")
    assert found.runs == 3
    with project.read() as transaction:
        first = runs.get(transaction, found.experiment_id, "run-1")
    assert first is not None and first.metrics["keyword"] == 0.9


def test_an_export_of_the_best_is_one_run(project: Project, tmp_path: Path) -> None:
    """What "export best" gave is kept beside the experiment it came from, and claims nothing alone."""
    best = {
        "experiment_name": "Summaries", "experiment_id": "7b0c", "exported_at": "2026-05-02T00:00:00",
        "weighted_score": 0.66, "scores": {"keyword": 0.9, "format": 0.4}, "run_id": "run-1",
        "config_hash": "a" * 64, "config": COLD,
    }  # fmt: skip
    bring(project, _write(tmp_path / "runs.json", {"experiment": EXPERIMENT, "runs": _many()}), SYSTEM)
    path = _write(tmp_path / "best.json", best)
    assert bring(project, path, SYSTEM).new == {"experiments": 1, "runs": 1}
    assert bring(project, path, SYSTEM).new == {}
    found = ask(project, "Summaries, best run")
    assert found.verdict is not None and found.verdict.outcome == "insufficient"


def test_a_file_of_something_else_is_refused(project: Project, tmp_path: Path) -> None:
    """A JSON file that holds neither runs nor a best run is refused by name, as is one that is cut."""
    with pytest.raises(SourceDamaged, match=r"x\.json.*neither"):
        bring(project, _write(tmp_path / "x.json", {"models": {}}), SYSTEM)
    path = _write(tmp_path / "r.json", _many())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceDamaged, match=r"r\.json:\d+"):
        bring(project, path, SYSTEM)
    assert untouched(project)


@settings(max_examples=40, deadline=None)
@given(damages)
def test_damage_is_refused_or_harmless(damage: tuple[str, float, int]) -> None:
    """However a file is cut or a byte of it changed, it is refused by name or soundly read; never another error."""
    document = {
        "experiment": EXPERIMENT,
        "runs": [_run(1, COLD, 0.5), _run(2, WARM, 0.25, stage_results=[{"a": 1}])],
    }
    survives(damaged(json.dumps(document).encode(), damage), ".json", SYSTEM)
