"""adaptive-iteration: ledgers, configs and states written by adaptive-iteration 0.1.0 itself."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests import peers
from tests.engine.exchange.bringing import ask, bring, damaged, damages, reasons, survives
from tests.places import untouched

from vettle.engine.errors import SourceDamaged
from vettle.engine.experiments import listing
from vettle.engine.project import Project
from vettle.engine.store import rules

SYSTEM = "adaptive-iteration"
REQUIREMENTS = ("adaptive-iteration==0.1.0",)

DRIVER = """
import json, sys
from pathlib import Path
from adaptive_iteration.core.config import AdaptiveConfig
from adaptive_iteration.core.experiment import Experiment, ExperimentState, Variant
from adaptive_iteration.core.ledger import Ledger

folder = Path(sys.argv[1])
ledger = Ledger(folder / "ledger.json")

def add(experiment, variable, variant, winner=None, day=1, **metrics):
    ledger.append("short_video", experiment, variable, variant, metrics, winner, f"2026-03-{day:02}T10:00:00+00:00")

for week in range(1, 13):
    add("hook1", "hook_type", "question", True, week, avg_view_pct=52 + week % 3, likes=3.0, reach=100 + week)
    add("hook1", "hook_type", "statement", week == 1, week, avg_view_pct=41 + week % 3, likes=2.0, reach=100)
add("cta1", "cta_style", "control", None, 1, likes=1.5)
add("cta1", "cta_style", "challenger", None, 1, likes=float("nan"), reach=7)
add("cta1", "cta_style", "challenger", None, 2, likes="12%", passed=True)
add("cta1", "cta_style", "challenger", None, 3, likes=None)
add("hook0", "hook_type", "question", True, 1, avg_view_pct=50)

config = AdaptiveConfig(folder / "config.json")
config.update({"domain": "short_video", "primary_metric": "avg_view_pct"})
config.set_winner_hint("hook_type", "question")
config.set_winner_hint("cta_style", "Ask for the subscription at the end")
config.set_winner_hint("music", "calm")

state = ExperimentState(
    current=Experiment(id="hook1", domain="short_video", variable="hook_type", description="Which opening?",
                       variant_a=Variant("statement", {"hook": "statement"}),
                       variant_b=Variant("question", {"hook": "question"}, "Open with a question."),
                       status="active", items=[{"item_id": "v1", "variant": "question"}]),
    queue=[Experiment(id="next1", domain="short_video", variable="length", description="Shorter?")],
)
(folder / "state.json").write_text(json.dumps(state.to_dict()))
"""


@cache
def _written() -> dict[str, bytes]:
    """Return the three files by name."""
    interpreter = peers.python(*REQUIREMENTS, dependencies=False)
    with tempfile.TemporaryDirectory() as folder:
        peers.run(interpreter, DRIVER, folder, folder=Path(folder))
        return {file.name: file.read_bytes() for file in Path(folder).iterdir()}


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "adaptive"
    folder.mkdir()
    for name, data in _written().items():
        (folder / name).write_bytes(data)
    yield folder


def test_a_ledger_alone_is_taken_once(project: Project, folder: Path) -> None:
    """Every experiment and record arrives; a second import finds all of them known."""
    ledger = folder / "ledger.json"
    first = bring(project, ledger, SYSTEM)
    assert first.new == {"experiments": 3, "runs": 28}
    assert (first.files[0].rows, first.files[0].taken, first.files[0].skipped_rows) == (29, 28, 4)
    again = bring(project, ledger, SYSTEM)
    assert (again.new, again.known) == ({}, 28)


def test_without_a_config_the_most_recorded_metric_decides(project: Project, folder: Path) -> None:
    """Which metric decides is said, and that higher is only assumed to be better."""
    imported = bring(project, folder / "ledger.json", SYSTEM)
    assert ask(project, "hook_type hook1").metric == "avg_view_pct"
    assert ask(project, "cta_style cta1").metric == "likes"
    assert any("'likes', recorded most often, decides" in note for note in imported.notes)
    assert any("higher is assumed" in note for note in imported.notes)


def test_a_folder_brings_config_and_state_along(project: Project, folder: Path) -> None:
    """The config's metric decides, hints become candidate rules, and the state tells what is open or waits."""
    imported = bring(project, folder, SYSTEM)
    assert imported.new == {"experiments": 4, "runs": 28, "rules": 3}
    assert {file.path: file.rows for file in imported.files} == {
        "config.json": 3, "ledger.json": 29, "state.json": 2
    }  # fmt: skip
    states = {one.name: one.state for one in listing.listed(project).experiments}
    assert states == {
        "hook_type hook1": "running", "hook_type hook0": "concluded",
        "cta_style cta1": "concluded", "length next1": "proposed",
    }  # fmt: skip
    with project.read() as transaction:
        found = {rule.text: rule for rule in rules.every(transaction)}
    assert set(found) == {
        "Open with a question.", "Ask for the subscription at the end", "For music, use calm."
    }  # fmt: skip
    rule = found["Open with a question."]
    assert (rule.category, rule.context, rule.status) == ("hook_type", "short_video", "trial")


def test_a_winner_flag_is_text_and_the_numbers_judge(project: Project, folder: Path) -> None:
    """Twelve averages of an arm that was always ahead lead here too; a single flagged record proves nothing."""
    bring(project, folder / "ledger.json", SYSTEM)
    hook, single = ask(project, "hook_type hook1"), ask(project, "hook_type hook0")
    assert hook.verdict is not None and single.verdict is not None
    assert (hook.verdict.leader, hook.runs) == ("question", 24)
    assert hook.verdict.outcome == "better"
    assert hook.verdict.estimate == pytest.approx(11, abs=0.01)
    assert single.verdict.outcome == "insufficient"
    with project.read() as transaction:
        [[design]] = transaction.execute(
            "SELECT design FROM experiment WHERE project=? AND id=?",
            (transaction.project, hook.experiment_id),
        )
    assert "question (12 of 12), statement (1 of 12)" in str(design)


def test_values_that_are_no_numbers_are_left_out_alone(project: Project, folder: Path) -> None:
    """NaN, "12%" and true are left out with the reason; the record stays if it has another value, null for one."""
    imported = bring(project, folder / "ledger.json", SYSTEM)
    assert reasons(imported) == [
        "metric 'likes' is 'nan', which is not a finite number",
        "metric 'likes' is '12%', which is not a finite number",
        "metric 'passed' is 'True', which is not a finite number",
        "it has no metric value that can be taken",
    ]
    assert ask(project, "cta_style cta1").runs == 3


def test_a_grown_ledger_adds_only_what_is_new(project: Project, folder: Path) -> None:
    """Records that came since are added to the experiments that are there."""
    ledger = folder / "ledger.json"
    bring(project, ledger, SYSTEM)
    records = json.loads(ledger.read_text(encoding="utf-8"))
    more = [records[0] | {"timestamp": "2026-04-01T00:00:00"}, records[0], records[0] | {"variant": "third"}]
    ledger.write_text(json.dumps([*records, *more]), encoding="utf-8")
    grown = bring(project, ledger, SYSTEM)
    assert (grown.new, grown.known) == ({"experiments": 1, "runs": 3}, 27)
    assert ask(project, "hook_type hook1 (2)").runs == 1


def test_a_truncated_ledger_is_refused(project: Project, folder: Path) -> None:
    """Five bytes less, which the system itself takes for an empty ledger, are refused by file and line."""
    ledger = folder / "ledger.json"
    ledger.write_bytes(ledger.read_bytes()[:-5])
    with pytest.raises(SourceDamaged, match=r"ledger\.json:\d+"):
        bring(project, ledger, SYSTEM)
    with pytest.raises(SourceDamaged, match=r"ledger\.json:\d+"):
        bring(project, folder, SYSTEM)
    assert untouched(project)


def test_what_is_no_ledger_is_refused(project: Project, tmp_path: Path) -> None:
    """A JSON file of something else, named as this system's, is refused and not half understood."""
    other = tmp_path / "other.json"
    other.write_text('{"records": []}')
    with pytest.raises(SourceDamaged, match="neither a ledger"):
        bring(project, other, SYSTEM)


@settings(max_examples=40, deadline=None)
@given(damages)
def test_damage_is_refused_or_harmless(damage: tuple[str, float, int]) -> None:
    """However a file is cut or a byte of it changed, it is refused by name or soundly read; never another error."""
    for data in _written().values():
        survives(damaged(data, damage), ".json", SYSTEM)
