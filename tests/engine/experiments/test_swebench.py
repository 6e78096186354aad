"""Real results as an experiment: 4 models on 500 SWE-bench Verified tasks, against exact tests of the whole.

The facts are those published with the SWE-bench leaderboard (swebench.com).
"""

from __future__ import annotations

import csv
import math
import random
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import pytest
from tests.conftest import ManualClock
from tests.engine.experiments.world import PASSED, create, select, variants, verdict

from vettle.engine.experiments import runs
from vettle.engine.experiments.runs import RunInput
from vettle.engine.experiments.verdicts import Verdict
from vettle.engine.project import Project
from vettle.engine.store import MEMORY, open_store

DATA = Path(__file__).parents[4] / "shared" / "data" / "swebench_verified_mini.csv"
ALPHA = 0.05

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not on this machine")

Resolved = dict[str, dict[str, bool]]


def _resolved() -> tuple[Resolved, dict[str, str]]:
    """Return what each model resolved by instance, and the repository of each instance."""
    resolved: Resolved = defaultdict(dict)
    repositories = {}
    with DATA.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            resolved[row["model"]][row["instance"]] = row["resolved"] == "1"
            repositories[row["instance"]] = row["repository"]
    return dict(resolved), repositories


def _mcnemar(a: dict[str, bool], b: dict[str, bool]) -> tuple[int, float]:
    """Return which of two is better by the items they disagree on, and its exact two-sided p-value."""
    only_a = sum(a[item] and not b[item] for item in a)
    only_b = sum(b[item] and not a[item] for item in a)
    n, least = only_a + only_b, min(only_a, only_b)
    tail = sum(math.comb(n, count) for count in range(least + 1)) / 2**n
    return (1 if only_a > only_b else -1), min(1.0, 2 * tail)


def _significant(resolved: Resolved) -> set[tuple[str, str]]:
    """Return the pairs (better, worse) that Holm's correction over all pairs leaves significant."""
    tests = []
    for a, b in combinations(resolved, 2):
        sign, p = _mcnemar(resolved[a], resolved[b])
        tests.append((p, (a, b) if sign > 0 else (b, a)))
    found: set[tuple[str, str]] = set()
    for position, (p, pair) in enumerate(sorted(tests)):
        if p > ALPHA / (len(tests) - position):
            break
        found.add(pair)
    return found


def _replay(
    folder: Path, resolved: Resolved, repositories: dict[str, str], models: list[str], seed: int
) -> Verdict:
    """Run all models on every item in a random order of items, as the engine asks for them, and judge."""
    clock = ManualClock()
    project = Project(folder, clock=clock, store=open_store(MEMORY, clock=clock))
    create(
        project, of=variants(*models), metric=PASSED.model_copy(update={"minimum_effect": 0.0}), mode="paired"
    )
    items = list(repositories)
    random.Random(seed).shuffle(items)
    rows: list[RunInput] = []
    for item in items:
        for turn in range(len(models)):
            made = select(
                project,
                unit=f"{item} {turn}",
                pair_id=item,
                stratum=repositories[item],
                context=repositories[item],
            )
            value = float(resolved[made.variant][item])
            rows.append(RunInput(assignment_id=made.assignment_id, metrics={"passed": value}))
    for start in range(0, len(rows), runs.MOST_RUNS):
        batch = rows[start : start + runs.MOST_RUNS]
        assert runs.record(project, experiment="prompt", runs=batch).accepted == len(batch)
    found = verdict(project)
    project.close()
    return found


def test_the_verdict_on_four_models_is_that_of_exact_tests_on_all_data(tmp_path: Path) -> None:
    """Leader and eliminations follow from the significant pairs, and no pair is decided against them."""
    resolved, repositories = _resolved()
    assert {len(column) for column in resolved.values()} == {500}
    significant = _significant(resolved)
    found = _replay(tmp_path, resolved, repositories, list(resolved), seed=1)
    assert len(found.evidence.blocks) == 500
    assert all(len(block) == 4 for block in found.evidence.blocks)
    most = max(resolved, key=lambda model: sum(resolved[model].values()))
    assert found.judgement.leader == most
    beaten = {worse for better, worse in significant if better == most}
    assert set(found.judgement.losers) == beaten
    assert found.judgement.outcome == ("better" if len(beaten) == 3 else "insufficient")
    race = found.race
    assert race is not None
    pairs = {(a, b) for a in resolved for b in resolved if a != b and race.beats(a, b, comparisons=6)}
    assert pairs <= significant
    for a, b in combinations(resolved, 2):
        difference = sum(resolved[a].values()) / 500 - sum(resolved[b].values()) / 500
        interval = race.interval(a, b)
        assert interval.estimate == pytest.approx(difference)
        assert interval.low <= difference <= interval.high


def test_the_verdict_on_every_two_models_is_that_of_the_exact_test(tmp_path: Path) -> None:
    """Each pair as an experiment of its own: what is decided is significant, and what is clear is decided."""
    resolved, repositories = _resolved()
    for a, b in combinations(resolved, 2):
        sign, p = _mcnemar(resolved[a], resolved[b])
        found = _replay(tmp_path, resolved, repositories, [a, b], seed=2).judgement
        if found.outcome == "better":
            assert p < ALPHA
            assert found.leader == (a if sign > 0 else b)
        else:
            assert p > 1e-3  # always-valid evidence costs more than one look
