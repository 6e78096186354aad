"""Bringing along what Singularity Forge learned about models. It cannot be installed: files follow its documents."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vettle.engine.clock import SECOND
from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.exchange import systems
from vettle.engine.exchange.facts import ExperimentFact, RunFact
from vettle.engine.exchange.importing import import_reading
from vettle.engine.exchange.systems import singularity_forge
from vettle.engine.project import Project
from vettle.engine.records.exchange import DataImported
from vettle.engine.store import MEMORY, events, open_store, runs
from vettle.engine.store import experiments as experiments_table
from vettle.engine.store.maintenance import check
from vettle.engine.store.runs import Run

WHEN = 1_770_000_000_000
"""Milliseconds since 1970, as its recorder writes them."""

OUTCOMES = """
CREATE TABLE llm_task_outcomes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, model_id TEXT NOT NULL, provider TEXT NOT NULL, unit_type TEXT NOT NULL,
  unit_id TEXT NOT NULL, succeeded INTEGER NOT NULL CHECK (succeeded IN (0, 1)), retries INTEGER NOT NULL DEFAULT 0,
  escalated INTEGER NOT NULL DEFAULT 0 CHECK (escalated IN (0, 1)),
  verification_passed INTEGER CHECK (verification_passed IS NULL OR verification_passed IN (0, 1)),
  blocker_discovered INTEGER NOT NULL DEFAULT 0 CHECK (blocker_discovered IN (0, 1)),
  duration_ms INTEGER, tokens_total INTEGER, cost_usd REAL, recorded_at INTEGER NOT NULL)
"""
GUIDE = """
CREATE TABLE model_outcomes (
  id INTEGER PRIMARY KEY, task_type TEXT NOT NULL, model_id TEXT NOT NULL, success INTEGER NOT NULL,
  timeout INTEGER NOT NULL DEFAULT 0, tokens_used INTEGER, cost_usd REAL, timestamp TEXT NOT NULL);
CREATE TABLE model_stats (
  task_type TEXT NOT NULL, model_id TEXT NOT NULL, successes INTEGER NOT NULL, failures INTEGER NOT NULL,
  timeouts INTEGER NOT NULL, total_tokens INTEGER NOT NULL, total_cost REAL NOT NULL, last_used TEXT NOT NULL,
  UNIQUE (task_type, model_id))
"""
TOTALS: dict[str, dict[str, object]] = {
    "execute-task": {
        "claude-sonnet": {
            "successes": 5,
            "failures": 2,
            "timeouts": 1,
            "totalTokens": 10_007,
            "totalCost": 0.25,
            "lastUsed": "2026-02-02T02:40:00Z",
            "successRate": 0.714,
        },
        "kimi-k2": {"successes": 1, "failures": 0, "totalCost": 0, "lastUsed": WHEN, "successRate": 1},
    },
    "research": {"kimi-k2": {"successes": 0, "failures": 3, "lastUsed": WHEN}},
}


def outcome(number: int = 1, **fields: object) -> dict[str, object]:
    """Return a row of llm_task_outcomes."""
    return {
        "model_id": "claude-sonnet",
        "provider": "anthropic",
        "unit_type": "execute-task",
        "unit_id": f"M001/S01/T{number:02}",
        "succeeded": 1,
        "retries": 2,
        "escalated": 0,
        "verification_passed": None,
        "blocker_discovered": 0,
        "duration_ms": 1_500,
        "tokens_total": 900,
        "cost_usd": 0.02,
        "recorded_at": WHEN + number,
    } | fields


def database(path: Path, schema: str, **rows: list[dict[str, object]]) -> Path:
    """Write a database with these tables and rows; a second call adds rows."""
    with closing(sqlite3.connect(path)) as connection, connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            connection.executescript(schema)
        connection.execute("PRAGMA ignore_check_constraints=ON")
        for table, found in rows.items():
            for row in found:
                marks = ", ".join("?" * len(row))
                connection.execute(
                    f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values())
                )
    return path


def totals(folder: Path, content: object = TOTALS) -> Path:
    """Write model-performance.json."""
    path = folder / "model-performance.json"
    path.write_text(json.dumps(content, indent=2))
    return path


def bring(project: Project, path: Path) -> DataImported:
    """Import a path as whatever it is recognised as."""
    return import_reading(project, systems.read(path))


def recorded(project: Project) -> list[Run]:
    """Return every run of every experiment."""
    with project.read() as transaction:
        found = experiments_table.in_states(transaction, ("abandoned",))
        return [run for one in found for run in runs.since(transaction, one.id, 0)]


def run_facts(path: Path) -> list[RunFact]:
    """Return the runs that a path holds."""
    return [fact for fact in systems.read(path).facts if isinstance(fact, RunFact)]


def test_an_outcome_is_a_run_of_its_model(project: Project, tmp_path: Path) -> None:
    """Task type, provider, retries, time, tokens, cost and every flag are kept, at the time when it happened."""
    path = database(tmp_path / "sf.db", OUTCOMES, llm_task_outcomes=[outcome(verification_passed=1)])
    assert bring(project, path).new == {"experiments": 1, "runs": 1}
    (run,) = recorded(project)
    assert run.metrics == {
        "success": 1.0,
        "verification_passed": 1.0,
        "escalated": 0.0,
        "blocker_discovered": 0.0,
    }
    assert (run.status, run.ts) == ("completed", (WHEN + 1) * SECOND // 1_000)
    expected = {
        "context": "execute-task",
        "dimensions": {"provider": "anthropic"},
        "retries": 2,
        "duration_ms": 1_500.0,
        "tokens_out": 900,
        "cost": 0.02,
    }
    assert {name: run.data[name] for name in expected} == expected
    assert run.unit.startswith("M001/S01/T01 ")


def test_what_is_null_is_missing_and_not_zero(project: Project, tmp_path: Path) -> None:
    """A task that nobody verified has not failed its verification."""
    row = outcome(duration_ms=None, tokens_total=None, cost_usd=None)
    bring(project, database(tmp_path / "sf.db", OUTCOMES, llm_task_outcomes=[row]))
    (run,) = recorded(project)
    assert "verification_passed" not in run.metrics
    assert run.data["missing"] == ["verification_passed"]


def test_the_models_are_one_experiment_without_a_verdict(project: Project, tmp_path: Path) -> None:
    """Its router chose, and no lot did: the history can be looked at and proves no model better."""
    rows = [outcome(n, model_id="good" if n % 2 else "bad", succeeded=n % 2) for n in range(1, 61)]
    bring(project, database(tmp_path / "sf.db", OUTCOMES, llm_task_outcomes=rows))
    with project.read() as transaction:
        (found,) = experiments_table.in_states(transaction, ("abandoned",))
        ends = events.of_subject(transaction, found.id, ("experiment_decided",))
    assert (found.name, found.variable) == ("models", "model")
    assert "no lot" in ends[-1].data["reason"]
    assert check(project._opened()) == []


BAD = [
    ("succeeded", 2, "succeeded: it is neither 0 nor 1"),
    ("succeeded", "yes", "succeeded: it is neither 0 nor 1"),
    ("retries", -1, "retries"),
    ("retries", 1.5, "retries"),
    ("duration_ms", -5, "duration_ms"),
    ("tokens_total", "many", "tokens_total"),
    ("cost_usd", float("inf"), "cost_usd"),
    ("recorded_at", 0, "recorded_at: it is no time"),
    ("recorded_at", "soon", "recorded_at: it is no time"),
    ("model_id", "", "model_id"),
    ("unit_type", "two\nlines", "unit_type"),
    ("unit_type", "x" * 121, "unit_type"),
]


@pytest.mark.parametrize(("field", "value", "reason"), BAD)
def test_a_bad_row_is_left_out_with_its_reason(
    project: Project, tmp_path: Path, field: str, value: object, reason: str
) -> None:
    """Its own recorder dropped such rows without a word."""
    schema = OUTCOMES.replace(" CHECK (succeeded IN (0, 1))", "")
    rows = [outcome(1), outcome(2, **{field: value}), outcome(3)]
    answer = bring(project, database(tmp_path / "sf.db", schema, llm_task_outcomes=rows))
    (file,) = answer.files
    assert (file.rows, file.taken, file.skipped_rows) == (3, 2, 1)
    assert file.skipped[0].line == 2
    assert file.skipped[0].reason.startswith(reason)


def test_totals_become_one_run_per_outcome_and_add_up(project: Project, tmp_path: Path) -> None:
    """Counts, tokens and cost are exactly the file's, also where the file lacks some of them; a note says the rest."""
    answer = bring(project, totals(tmp_path))
    assert answer.new == {"experiments": 1, "runs": 12}
    (file,) = answer.files
    assert (file.rows, file.taken, file.skipped_rows) == (3, 3, 0)
    assert any("outcomes that were only counted: 12." in note for note in answer.notes)
    found = [run for run in recorded(project) if run.data["tokens_out"]]
    assert len(found) == 8
    assert sum(run.data["tokens_out"] for run in found) == 10_007
    assert sum(run.data["cost"] for run in found) == pytest.approx(0.25)
    kinds = sorted((run.status, run.metrics["success"]) for run in found)
    assert kinds == [("completed", 0.0)] * 2 + [("completed", 1.0)] * 5 + [("timeout", 0.0)]
    assert {run.ts for run in found} == {WHEN * SECOND // 1_000}


@settings(max_examples=60, deadline=None)
@given(
    counts=st.tuples(*[st.integers(0, 30)] * 3),
    tokens=st.integers(0, 10**9),
    cost=st.floats(0, 1e6, allow_nan=False),
)
def test_even_shares_add_up_for_any_total(
    counts: tuple[int, int, int], tokens: int, cost: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No token is lost by rounding, and every counted outcome is one run of its kind."""
    row = dict(zip(("successes", "failures", "timeouts"), counts, strict=True))
    given = {**row, "totalTokens": tokens, "totalCost": cost, "lastUsed": WHEN}
    found = run_facts(totals(tmp_path_factory.mktemp("totals"), {"task": {"model": given}}))
    assert len(found) == len({fact.key for fact in found}) == sum(counts)
    assert sum(fact.run.status == "timeout" for fact in found) == counts[2]
    assert sum(fact.run.metrics["success"] or 0 for fact in found) == counts[0]
    if found:
        assert sum(fact.run.tokens_out for fact in found) == tokens
        assert sum(fact.run.cost for fact in found) == pytest.approx(cost)
        shares = {fact.run.tokens_out for fact in found}
        assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"successes": float("nan"), "failures": 0, "lastUsed": WHEN}, "successes"),
        ({"successes": "3", "failures": 0, "lastUsed": WHEN}, "successes"),
        ({"successes": -3, "failures": 0, "lastUsed": WHEN}, "successes"),
        ({"successes": 10**9, "failures": 0, "lastUsed": WHEN}, "successes"),
        ({"successes": 3, "lastUsed": WHEN}, "failures"),
        ({"successes": 3, "failures": 0, "lastUsed": None}, "lastUsed"),
        ({"successes": 3, "failures": 0, "lastUsed": WHEN, "totalCost": -1}, "totalCost"),
        ("excellent", "successes"),
    ],
)
def test_a_bad_total_is_left_out_with_its_reason(
    project: Project, tmp_path: Path, given: object, reason: str
) -> None:
    """The reason names the pair and the field."""
    content = {"research": {"kimi-k2": given}, "execute-task": TOTALS["execute-task"], "typo": 3}
    (file,) = bring(project, totals(tmp_path, content)).files
    assert (file.rows, file.taken, file.skipped_rows) == (4, 2, 2)
    assert file.skipped[0].reason.startswith(f"'research', 'kimi-k2': {reason}")
    assert file.skipped[1].reason == "'typo', '': model_id: String should have at least 1 character"


def test_importing_again_is_nothing_new(project: Project, tmp_path: Path) -> None:
    """Of either kind of file, and what came since is all that is taken; the sources stay as they are."""
    path = database(tmp_path / "sf.db", OUTCOMES, llm_task_outcomes=[outcome(1), outcome(2), outcome(2)])
    other = totals(tmp_path)
    before = [(one.read_bytes(), one.stat().st_mtime_ns) for one in (path, other)]
    assert bring(project, path).new["runs"] == 3
    assert bring(project, other).new["runs"] == 12
    assert (bring(project, path).new, bring(project, other).new) == ({}, {})
    assert [(one.read_bytes(), one.stat().st_mtime_ns) for one in (path, other)] == before
    database(path, OUTCOMES, llm_task_outcomes=[outcome(3, model_id="claude-sonnet")])
    assert bring(project, path).new == {"runs": 1}
    grown = json.loads(json.dumps(TOTALS))
    grown["execute-task"]["claude-sonnet"] |= {"successes": 7, "timeouts": 2}
    assert bring(project, totals(tmp_path, grown)).new == {"runs": 3}


def test_what_the_guide_migrated_is_not_counted_twice(project: Project, tmp_path: Path) -> None:
    """Its totals hold the migrated counts and the outcomes since; the JSON file that stays beside them is known."""
    folder = tmp_path / ".sf"
    folder.mkdir()
    totals(
        folder, {"research": TOTALS["research"] | {"new": {"successes": 1, "failures": 0, "lastUsed": WHEN}}}
    )
    event = {
        "task_type": "research",
        "model_id": "kimi-k2",
        "success": 1,
        "tokens_used": 40,
        "cost_usd": 0.5,
        "timestamp": "2026-02-03T00:00:00Z",
    }
    late = event | {"success": 0, "timeout": 1, "timestamp": "2026-02-04T00:00:00Z"}
    stats = {
        "task_type": "research",
        "model_id": "kimi-k2",
        "successes": 1,
        "failures": 3,
        "timeouts": 1,
        "total_tokens": 100,
        "total_cost": 1.25,
        "last_used": "2026-02-04T00:00:00Z",
    }
    database(folder / "sf.db", GUIDE, model_outcomes=[event, late], model_stats=[stats])
    answer = bring(project, tmp_path)
    assert answer.new == {"experiments": 1, "runs": 2 + 3 + 1}
    found = [run for run in recorded(project) if run.data["context"] == "research"]
    assert sum(run.metrics["success"] for run in found) == 2
    assert sum(run.data["tokens_out"] for run in found) == 100
    assert sum(run.data["cost"] for run in found) == pytest.approx(1.25)
    reasons = [row.reason for file in answer.files for row in file.skipped]
    assert reasons == ["'research', 'kimi-k2': the database counts them already"]
    assert bring(project, tmp_path).new == {}


def test_the_json_file_and_then_its_migration(project: Project, tmp_path: Path) -> None:
    """Whoever imports the file first and the database later has each counted outcome once."""
    assert bring(project, totals(tmp_path, {"research": TOTALS["research"]})).new["runs"] == 3
    stats = {
        "task_type": "research",
        "model_id": "kimi-k2",
        "successes": 0,
        "failures": 3,
        "timeouts": 0,
        "total_tokens": 0,
        "total_cost": 0,
        "last_used": "2026-02-04T00:00:00Z",
    }
    assert bring(project, database(tmp_path / "sf.db", GUIDE, model_stats=[stats])).new == {}


def test_more_models_than_an_experiment_holds(tmp_path: Path, project: Project) -> None:
    """The hundred with most outcomes are taken, and the rows of the others are left out."""
    rows = [outcome(n, model_id=f"model {n // 2}") for n in range(203)]
    answer = bring(project, database(tmp_path / "sf.db", OUTCOMES, llm_task_outcomes=rows))
    assert (answer.new["runs"], answer.files[0].skipped_rows) == (200, 3)


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_cut_json_file_is_refused_by_name_and_line(project: Project, tmp_path: Path, cut: int) -> None:
    """And nothing is imported."""
    path = totals(tmp_path)
    path.write_text(path.read_text()[:-cut])
    with pytest.raises(SourceDamaged, match=r"model-performance\.json:\d+"):
        bring(project, path)
    assert not project.exists or recorded(project) == []


def test_recognition(tmp_path: Path) -> None:
    """The JSON file, the database and the folder are told from others, and a wrong path is refused."""
    other = database(tmp_path / "other.db", "CREATE TABLE t (x)", t=[{"x": 1}])
    (tmp_path / "data.json").write_text('{"successes": 1}')
    for path in (tmp_path, other, tmp_path / "data.json", tmp_path / "absent"):
        assert not singularity_forge.recognises(path)
    with pytest.raises(InvalidArgument, match="nothing of Singularity Forge's"):
        singularity_forge.read(tmp_path)
    (tmp_path / ".sf").mkdir()
    totals(tmp_path / ".sf")
    for path in (tmp_path, tmp_path / ".sf", tmp_path / ".sf" / "model-performance.json"):
        assert systems.recognise(path) is singularity_forge


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_damage_anywhere_is_refused_or_harmless(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever byte of either file is cut or flipped, there is no other exception and no half import."""
    folder = tmp_path_factory.mktemp("damaged")
    rows = [outcome(n) for n in range(1, 6)]
    path = data.draw(
        st.sampled_from([totals(folder), database(folder / "sf.db", OUTCOMES, llm_task_outcomes=rows)])
    )
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    flipped = content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :]
    path.write_bytes(content[:at] if data.draw(st.booleans()) else flipped)
    with closing(open_store(MEMORY)) as store:
        project = Project(folder, clock=lambda: 2_000_000_000 * SECOND, store=store)
        try:
            reading = singularity_forge.read(path)
            import_reading(project, reading)
        except SourceDamaged:
            assert recorded(project) == []
        else:
            assert check(store) == []
            assert len([one for one in reading.facts if isinstance(one, ExperimentFact)]) <= 1
