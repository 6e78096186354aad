"""Which system a file is of: told by its first bytes, never by two systems, and never by an exception."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.exchange.bringing import survives

from vettle.engine.errors import InvalidArgument
from vettle.engine.exchange import glimpse, sources, systems
from vettle.engine.project import Project

_RECORD = {
    "domain": "posts", "experiment_id": "e", "variable": "tone", "variant": "a",
    "metric_values": {"score": 1.5, "likes": None}, "winner": True, "timestamp": "2026-01-01T00:00:00+00:00",
}  # fmt: skip
_CONFIG = {
    "domain": "posts",
    "primary_metric": "score",
    "winner_hints": {"tone": "Be warm to them"},
    "extra": {},
}
_PLAN = {
    "id": "e", "domain": "posts", "variable": "tone", "description": "d", "status": "active", "items": [],
    "variant_a": {"label": "a", "params": {"x": 1}}, "variant_b": {"label": "b", "params": {}, "hint": "h"},
}  # fmt: skip
_STATE = {"current": _PLAN, "queue": [_PLAN | {"id": "f"}], "history": []}
_TIME = "2026-01-01T00:00:00+00:00"
_ORDAL: list[dict[str, Any]] = [
    {"kind": "domain_config", "config": {"domain": "posts", "rule": "welch", "maturity_hours": 0, "metric": {
        "name": "score", "min_effect": 0.5, "higher_is_better": True, "valid_range": [0, 10]}}},
    {"kind": "experiment", "experiment": _PLAN | {"mode": "interleaved"}},
    {"kind": "experiment_started", "experiment_id": "e", "at": _TIME},
    {"kind": "assignment", "experiment_id": "e", "unit_id": "u", "variant": "a", "stratum": None},
    {"kind": "observation", "experiment_id": "e", "unit_id": "u", "variant": "a", "produced_at": _TIME,
     "observed_at": _TIME, "metrics": {"score": 5.0}, "pair_id": None, "stratum": "s", "covariate": 1.0},
    {"kind": "variable", "domain": "posts", "name": "tone", "description": "", "aliases": [], "execution": None},
    {"kind": "variable_alias", "domain": "posts", "alias": "voice", "name": "tone"},
    {"kind": "decision", "experiment_id": "e", "outcome": "b_better", "checkpoint": 1, "effect": 1.0,
     "interval": [0.5, 1.5], "n_a": 3, "n_b": 3, "reason": "r"},
    {"kind": "applied", "experiment_id": "e", "variant": "b", "outcome": "b_better"},
    {"kind": "legacy_arm_summary", **_RECORD, "original_timestamp": _TIME},
]  # fmt: skip
_EVENTS = [
    {"type": kind, "timestamp": _TIME, "data": {
        "experimentId": "e", "experimentName": "E", "variantId": "a", "variantName": "A", "runId": "r", "duration": 3,
        "metricValue": 0.5, "success": True, "dimensions": {"k": 1}, "error": "x", "bestVariant": "a"}}
    for kind in ("experiment.start", "variant.start", "metric.computed", "variant.complete", "variant.error",
                 "experiment.complete", "decision.made")
]  # fmt: skip
_ROW = {
    "eventType": "variant.complete", "timestamp": _TIME, "experimentId": "e", "variantId": "a", "variantName": "A",
    "dimensions": "{}", "success": 1, "durationMs": 3, "metricValue": 0.5,
}  # fmt: skip
_RUN = {
    "id": "r", "experiment_id": "p", "status": "completed", "config": {"temperature": 0.2, "stop": ["a"]},
    "config_hash": "a" * 64, "scores": [{"scorer_name": "keyword", "value": 0.5}], "tokens_in": 3, "tokens_out": 4,
    "stage_results": [{"stage_name": "s", "output": "o"}], "duration_ms": 7, "created_at": _TIME,
}  # fmt: skip
_LOOP = {"experiment": {"id": "p", "name": "P", "status": "completed", "created_at": _TIME, "parameter_space": {
    "config": [1]}, "scoring_config": {"weights": {"keyword": -1.0}}}, "runs": [_RUN]}  # fmt: skip
_BEST = {
    "experiment_name": "P", "experiment_id": "p", "exported_at": _TIME, "weighted_score": 0.5,
    "scores": {"keyword": 0.5}, "run_id": "r", "config_hash": "a" * 64, "config": {"temperature": 0.2},
}  # fmt: skip


def _lines(rows: list[dict[str, Any]], **more: Any) -> str:
    return "".join(json.dumps(more | row) + "\n" for row in rows)


SAMPLES: dict[str, tuple[str, str, str]] = {
    "ledger": ("adaptive-iteration", ".json", json.dumps([_RECORD, _RECORD | {"variant": "b"}], indent=2)),
    "config": ("adaptive-iteration", ".json", json.dumps(_CONFIG, indent=2)),
    "state": ("adaptive-iteration", ".json", json.dumps(_STATE)),
    "ordal": ("ordal", ".jsonl", _lines(_ORDAL, schema=2, recorded_at=_TIME)),
    "events": ("ai-experiments", ".jsonl", _lines(_EVENTS)),
    "event list": ("ai-experiments", ".json", json.dumps(_EVENTS)),
    "table": ("ai-experiments", ".jsonl", _lines([_ROW])),
    "runs": ("promptlooper", ".json", json.dumps([_RUN])),
    "experiment": ("promptlooper", ".json", json.dumps(_LOOP, indent=2)),
    "dump": ("promptlooper", ".json", json.dumps({"experiments": [_LOOP["experiment"] | {"runs": [_RUN]}]})),  # type: ignore[operator]
    "best": ("promptlooper", ".json", json.dumps(_BEST)),
}
FOREIGN = {
    "our export": '{"format": "vettle-log", "version": 1}\n{"kind": "run_recorded", "data": {}}\n',
    "package": '{"name": "x", "version": "1", "scripts": {"config": "runs"}}',
    "text in text": json.dumps({"note": '"schema": 2, "kind": 1, "recorded_at": 1, "winner_hints": {}'}),
    "numbers": "[1, 2, 3]",
    "empty list": "[]",
    "empty": "",
    "markdown": "# Title\n",
    "csv": "schema,kind,recorded_at\n",
}

hostile: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, -1, 10**400, 1e308, float("nan"), float("inf"), "", " ", "\ud800", "\0", "a\nb", "x" * 5_000,
        "9999-12-31T23:59:59.999999-23:59", "0001-01-01", 10**13, [], {}, [[]], {"": {}}, {"a": {"b": [None]}}, "b",
    ]
)  # fmt: skip
"""Values that stand where a row has another."""


def _theirs(path: Path) -> list[str]:
    return [name for name in systems.NAMES if systems.named(name).recognises(path)]


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_file_is_of_one_system(tmp_path: Path, sample: str) -> None:
    """Each file is recognised by its own system alone, and so is a folder that holds it."""
    system, suffix, text = SAMPLES[sample]
    path = tmp_path / f"some{suffix}"
    path.write_text(text, encoding="utf-8")
    assert _theirs(path) == [system]
    assert _theirs(tmp_path) == [system]
    found = systems.recognise(path)
    assert found is not None and system == found.SYSTEM
    assert systems.read(path).facts


@pytest.mark.parametrize("sample", FOREIGN)
def test_what_is_of_nobody_is_not_recognised(tmp_path: Path, sample: str) -> None:
    """Other files, our own export among them, are nobody's, and the refusal names the systems there are."""
    path = tmp_path / "some.json"
    path.write_text(FOREIGN[sample], encoding="utf-8")
    assert _theirs(path) == []
    with pytest.raises(InvalidArgument, match="ordal, adaptive-iteration"):
        systems.read(path)


def test_looking_takes_only_the_head_of_a_file(tmp_path: Path) -> None:
    """A first row longer than what is looked at is recognised by the names before its long value."""
    path = tmp_path / "long.json"
    path.write_text(json.dumps([_RUN | {"stage_results": "x" * 2 * glimpse.HEAD_BYTES}]), encoding="utf-8")
    assert _theirs(path) == ["promptlooper"]
    assert _theirs(tmp_path / "missing.json") == []


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='{}[]":,\\ab \n', max_size=60))
def test_an_outline_never_fails(text: str) -> None:
    """Whatever the head of a file is, its outline is made; names are only told of what looks like JSON."""
    seen = glimpse.outline_of(text)
    assert seen.opening == text.lstrip()[:1]
    assert seen.opening in ("{", "[") or not seen.names


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for name, one in inside for found in _places(one, (*path, name))]


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("sample", SAMPLES)
@settings(max_examples=25, deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), hostile), min_size=1, max_size=3))
def test_hostile_values_are_left_out_or_fitted(sample: str, changes: list[tuple[float, Any]]) -> None:
    """Any value of a row may be anything: the row is left out or made to fit, and importing it again finds it known."""
    system, suffix, text = SAMPLES[sample]
    is_lines = suffix == ".jsonl"
    rows = [json.loads(line) for line in text.splitlines()] if is_lines else json.loads(text)
    for share, value in changes:
        places = _places(rows)
        if places:
            rows = _with(rows, places[int(share * len(places))], value)
    changed = "".join(json.dumps(row) + "\n" for row in rows) if is_lines else json.dumps(rows)
    survives(changed.encode(), suffix, system)


def test_what_cannot_be_looked_at_is_nobodys(project: Project, tmp_path: Path) -> None:
    """A path that the system refuses to look at is refused as an argument, and looking at it raises nothing."""
    path = tmp_path / ("a" * 300)
    assert not sources.is_known(path)
    with pytest.raises(InvalidArgument, match="cannot be read"):
        sources.bring(project, path)


def test_a_pipe_is_refused_and_not_waited_for(project: Project, tmp_path: Path) -> None:
    """Opening it would wait for a writer, and what is read of it to recognise it would be gone."""
    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)
    assert not sources.is_known(path)
    with pytest.raises(InvalidArgument, match="neither a file nor a folder"):
        sources.bring(project, path, system="ordal")
