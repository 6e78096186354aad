"""Ordal: ledgers written by ordal 0.14.0 itself, through its own service functions."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests import peers
from tests.engine.exchange.bringing import ask, bring, damaged, damages, reasons, survives
from tests.places import untouched

from vettle.engine.errors import SourceDamaged
from vettle.engine.experiments import listing, variables
from vettle.engine.project import Project
from vettle.engine.store import runs

SYSTEM = "ordal"
REQUIREMENTS = ("ordal==0.14.0",)

# One domain with every kind of event, written over 60 days by the clock that Ordal is given.
DRIVER = """
import json, sys
from datetime import datetime, timedelta, timezone
from ordal import service as ordal
from ordal.ledger import Ledger

ledger = sys.argv[1]
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
present = [NOW]
Ledger.__init__.__kwdefaults__["clock"] = lambda: present[0]

def days_ago(number, zone=timezone.utc):
    return (NOW - timedelta(days=number)).astimezone(zone)

def ago(number, zone=timezone.utc):
    return days_ago(number, zone).isoformat()

def propose(variable, a="plain", b="warm", **more):
    proposal = {"variable": variable, "description": f"Does {variable} matter?",
                "variant_a": a, "variant_b": {"label": b, "hint": "Write warmly."},
                "new_variable": {"description": variable, "execution": "the prompt"}}
    accepted = ordal.accept_proposal(ledger, "posts", proposal, **more)
    return accepted["experiment"]["id"]

def row(experiment, variant, unit, metrics, produced=50, observed=45, **more):
    return {"experiment_id": experiment, "variant": variant, "unit_id": unit, "produced_at": ago(produced),
            "observed_at": ago(observed), "metrics": metrics, **more}

present[0] = days_ago(60)
ordal.configure(ledger, "posts", "score", 0.5, valid_min=0, valid_max=10)
ordal.register_variable(ledger, "posts", "voice", "How it sounds")
won = propose("tone")
ordal.merge_variables(ledger, "posts", "voice", "tone")
present[0] = days_ago(40)
ordal.configure(ledger, "posts", "delay", 9, higher_is_better=False)
rows = [row(won, "plain", f"a{n}", {"score": 5 + (n % 5) / 10}) for n in range(30)]
rows += [row(won, "warm", f"b{n}", {"score": 6.5 + (n % 5) / 10}) for n in range(30)]
ordal.record_observations(ledger, rows)
[verdict] = ordal.evaluate(ledger, won)
ordal.mark_applied(ledger, won)

gone = propose("length", "long", "short")
restarted = ordal.restart_experiment(ledger, gone, "the model changed")["experiment"]["id"]
waiting = propose("emoji", "none", "many", start=False)

present[0] = days_ago(5)
ordal.configure(ledger, "posts", "clicked", 0.1, rule="proportion", maturity_hours=24, max_windows=20)
open_one = propose("hook", "question", "claim")
arm = {unit: ordal.assign_variant(ledger, open_one, unit, "news")["label"] for unit in ("u1", "u2")}

present[0] = NOW
def click(unit, variant, value, produced=4, observed=1, **more):
    return row(open_one, variant, unit, {"clicked": value}, produced, observed, **more)

early = [
    click("u1", arm["u1"], 0, stratum="news", covariate=0.25),
    click("u2", arm["u2"], None, stratum="news"),
    click("before", "question", 1, produced=100),
    click("immature", "claim", 1, produced=1.2, observed=1),
    click("odd", "claim", 0.5),
]
# An hour later than the first observation of u1, though its text sorts before it.
later = click("u1", arm["u1"], 1, stratum="news")
later["observed_at"] = ago(1 - 1 / 24, timezone(timedelta(hours=-9)))
early[0]["observed_at"] = ago(1, timezone(timedelta(hours=9)))
assert later["observed_at"] < early[0]["observed_at"]
ordal.record_observations(ledger, early + [later])
print(json.dumps({"won": won, "gone": gone, "restarted": restarted, "waiting": waiting, "open": open_one,
                  "outcome": verdict["decision"]["outcome"], "effect": verdict["decision"]["effect"]}))
"""

MIGRATION = """
import sys
from ordal import service as ordal
ordal.migrate_ledger(sys.argv[1], sys.argv[2])
"""


@cache
def _written() -> tuple[bytes, dict[str, str]]:
    """Return a ledger as Ordal writes it, and what Ordal answered."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.jsonl"
        answered = peers.run(peers.python(*REQUIREMENTS), DRIVER, ledger, folder=Path(folder))
        return ledger.read_bytes(), json.loads(answered)


@pytest.fixture(name="ledger")
def _ledger(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(_written()[0])
    yield path


def _event(kind: str, /, **more: object) -> str:
    recorded = datetime.now(UTC).isoformat()
    return json.dumps({"schema": 2, "kind": kind, "recorded_at": recorded, **more}) + "\n"


def test_everything_is_taken_once(project: Project, ledger: Path) -> None:
    """Experiments, variables, assignments and observations arrive; a second import finds them all known."""
    first = bring(project, ledger, SYSTEM)
    assert first.new == {"variables": 4, "experiments": 5, "assignments": 2, "runs": 62}
    [file] = first.files
    assert file.path == "ledger.jsonl"
    assert file.rows == len(ledger.read_bytes().splitlines())
    again = bring(project, ledger, SYSTEM)
    assert (again.new, again.known) == ({}, 73)


def test_a_winner_there_leads_here_by_the_same_effect(project: Project, ledger: Path) -> None:
    """What Ordal called b_better is better here too, with Ordal's own effect; its verdict stays as text."""
    bring(project, ledger, SYSTEM)
    answered = _written()[1]
    assert answered["outcome"] == "b_better"
    found = ask(project, "tone")
    assert found.state == "concluded"
    assert found.verdict is not None and found.verdict.outcome == "better"
    assert found.verdict.leader == "warm"
    # Ordal says it in the metric's unit, we as a share of its range, which is 0 to 10.
    assert found.verdict.estimate == pytest.approx(float(answered["effect"]) / 10, abs=1e-6)
    with project.read() as transaction:
        [design] = transaction.execute(
            "SELECT design FROM experiment WHERE project=? AND id=?",
            (transaction.project, found.experiment_id),
        )[0]
    for part in ("b_better", "Write warmly.", "Applied: warm", "Does tone matter?", "Tier 2 in Ordal"):
        assert part in str(design)


def test_the_settings_of_the_start_count(project: Project, ledger: Path) -> None:
    """The metric is the one that was configured when the experiment started, not a later one."""
    bring(project, ledger, SYSTEM)
    assert (ask(project, "tone").metric, ask(project, "tone").direction) == ("score", "higher")
    assert (ask(project, f"length {_written()[1]['restarted']}").direction) == "lower"
    assert ask(project, "hook").metric == "clicked"


def test_states_are_those_of_the_ledger(project: Project, ledger: Path) -> None:
    """Open stays open, abandoned abandoned, and what never started is proposed."""
    bring(project, ledger, SYSTEM)
    answered = _written()[1]
    states = {one.name: one.state for one in listing.listed(project).experiments}
    assert states == {
        f"tone {answered['won']}": "concluded",
        f"length {answered['gone']}": "abandoned",
        f"length {answered['restarted']}": "running",
        f"emoji {answered['waiting']}": "proposed",
        f"hook {answered['open']}": "running",
    }


def test_what_ordal_would_not_count_is_left_out_with_its_reason(project: Project, ledger: Path) -> None:
    """Too early, too fresh, neither 0 nor 1, or observed again later: each row says why it is not there."""
    why = reasons(bring(project, ledger, SYSTEM))
    assert len(why) == 4
    for part in (
        "before the experiment started",
        "mature after 24 h",
        "a proportion counts",
        "later observation",
    ):
        assert any(part in one for one in why), part


def test_the_latest_observation_is_the_latest_in_time(project: Project, ledger: Path) -> None:
    """An observation an hour later wins although its time zone makes its text sort first; a gap stays a gap."""
    bring(project, ledger, SYSTEM)
    experiment = ask(project, "hook").experiment_id
    with project.read() as transaction:
        first, second = (runs.get(transaction, experiment, unit) for unit in ("u1", "u2"))
    assert first is not None and second is not None
    assert first.metrics == {"clicked": 1.0}
    assert first.data["stratum"] == "news"
    assert (second.metrics, second.data["missing"]) == ({}, ["clicked"])


def test_merged_variables_are_one(project: Project, ledger: Path) -> None:
    """A name that was merged there leads to the other one here."""
    bring(project, ledger, SYSTEM)
    with project.read() as transaction:
        assert variables.canonical(transaction, "posts", "voice") == "tone"


def test_a_grown_ledger_adds_only_what_is_new(project: Project, ledger: Path) -> None:
    """A later observation replaces the unit's result, a verdict that came since is told, and nothing is doubled."""
    bring(project, ledger, SYSTEM)
    experiment = _written()[1]["open"]
    now = datetime(2026, 6, 1, tzinfo=UTC)
    row = {
        "experiment_id": experiment, "unit_id": "new", "variant": "claim", "metrics": {"clicked": 1},
        "produced_at": (now - timedelta(days=3)).isoformat(), "observed_at": now.isoformat(),
    }  # fmt: skip
    decision = {"experiment_id": experiment, "outcome": "equivalent", "metric": "clicked", "checkpoint": 1}
    with ledger.open("a", encoding="utf-8") as file:
        file.write(_event("observation", **row) + _event("decision", **decision))
    grown = bring(project, ledger, SYSTEM)
    assert (grown.new, grown.known) == ({"runs": 1}, 73)
    assert any("concluded there by now and open here" in note for note in grown.notes)


def test_a_torn_line_is_refused_by_its_number(project: Project, ledger: Path) -> None:
    """A line cut in the middle names itself, and nothing at all is recorded."""
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join([*lines[:7], lines[7][:20], b"\n", *lines[8:]]))
    with pytest.raises(SourceDamaged, match=r"ledger\.jsonl:8"):
        bring(project, ledger, SYSTEM)
    assert untouched(project)


def test_rows_that_make_no_sense_are_left_out(project: Project, tmp_path: Path) -> None:
    """Unknown kinds and schemas, rows without an experiment and rows without fields say so, each by its line."""
    path = tmp_path / "odd.jsonl"
    path.write_text(
        _event("gossip")
        + _event("observation", experiment_id="nobody", unit_id="u", variant="a", produced_at="2026-01-01",
                 observed_at="2026-01-02")
        + _event("assignment", unit_id="u")
        + '{"schema": 3, "kind": "experiment"}\n'
        + _event("decision", experiment_id=None, outcome=7)
    )  # fmt: skip
    imported = bring(project, path, SYSTEM)
    assert (imported.new, imported.files[0].rows, imported.files[0].skipped_rows) == ({}, 5, 5)
    assert [row.line for row in imported.files[0].skipped] == [1, 2, 3, 4, 5]


def test_a_migrated_ledger_brings_the_old_averages(project: Project, tmp_path: Path) -> None:
    """What Ordal carried over from adaptive-iteration 0.1 arrives as the same experiments would from there."""
    old = tmp_path / "old.json"
    record = {
        "domain": "posts",
        "experiment_id": "e1",
        "variable": "tone",
        "winner": None,
        "timestamp": "2026-01-01",
    }
    arms = [
        record | {"variant": name, "metric_values": {"score": value}} for name, value in [("a", 1), ("b", 2)]
    ]
    old.write_text(json.dumps(arms))
    path = tmp_path / "new.jsonl"
    peers.run(peers.python(*REQUIREMENTS), MIGRATION, old, path, folder=tmp_path)
    imported = bring(project, path, SYSTEM)
    assert imported.new == {"variables": 1, "experiments": 1, "runs": 2}
    assert ask(project, "tone e1").runs == 2


@settings(max_examples=40, deadline=None)
@given(damages)
def test_damage_is_refused_or_harmless(damage: tuple[str, float, int]) -> None:
    """However a ledger is cut or a byte of it changed, it is refused by name or soundly read; never another error."""
    survives(damaged(_written()[0], damage), ".jsonl", SYSTEM)
