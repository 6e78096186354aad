"""What may be said about an experiment at any time, and what may not: no winner by the highest average."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.conftest import ManualClock
from tests.engine.experiments.world import (
    PASSED,
    SECONDS,
    create,
    record,
    select,
    upload,
    variants,
    verdict,
    work,
)

from vettle.engine.experiments.design import Component, GuardrailInput, MetricInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.experiments.verdicts import Verdict
from vettle.engine.project import Project
from vettle.engine.store import MEMORY, events, open_store

TOKENS = GuardrailInput(name="tokens", direction="lower", range=(0, 100), margin=5)


def _said(found: Verdict) -> str:
    return " ".join((*found.judgement.reasons, found.judgement.next_step))


def test_no_runs_are_no_verdict(project: Project) -> None:
    """Without a result there is no data, which is never a verdict, at the end as at the start."""
    create(project)
    select(project)
    for found in (verdict(project), verdict(project, final=True)):
        assert found.judgement.outcome == "insufficient"
        assert found.judgement.leader is None
        assert "no data" in found.judgement.reasons[0]


@pytest.mark.parametrize("blocked", [True, False])
def test_one_run_per_variant_is_too_early(project: Project, blocked: bool) -> None:
    """0 against 100 after one run each is no verdict, and how many more it takes is said."""
    create(project, metric=MetricInput(name="score", direction="higher", range=(0, 100), minimum_effect=10))
    if blocked:
        work(project, 2, lambda name, _: 100.0 * (name == "b"), metric="score")
    else:
        upload(project, {"a": [0.0], "b": [100.0]}, metric="score")
    found = verdict(project)
    assert found.judgement.outcome == "insufficient"
    assert found.judgement.more is not None
    assert found.judgement.more.mean >= 7
    assert "8" in _said(found)


@pytest.mark.parametrize("blocked", [True, False])
def test_0_of_20_against_20_of_20_is_decisive(project: Project, blocked: bool) -> None:
    """Constant arms are no reason to see no difference."""
    create(project)
    if blocked:
        work(project, 40, lambda name, _: float(name == "b"))
    else:
        upload(project, {"a": [0.0] * 20, "b": [1.0] * 20})
    found = verdict(project).judgement
    assert (found.outcome, found.leader, found.losers) == ("better", "b", ("a",))
    assert found.asymptotic is not blocked


@pytest.mark.parametrize("blocked", [True, False])
def test_constant_numbers_that_differ_are_a_deterministic_difference(project: Project, blocked: bool) -> None:
    """5 seconds always against 50 always is decided, and said to be what it is."""
    create(project, metric=SECONDS)
    if blocked:
        work(project, 40, lambda name, _: 5.0 if name == "a" else 50.0, metric="seconds")
    else:
        upload(project, {"a": [5.0] * 20, "b": [50.0] * 20}, metric="seconds")
    found = verdict(project)
    assert (found.judgement.outcome, found.judgement.leader) == ("better", "a")
    assert "deterministic difference" in _said(found)


def test_lower_can_be_better_in_all_metrics(project: Project) -> None:
    """Two components of which less is better make the frugal variant win."""
    parts = tuple(
        Component(name=name, direction="lower", kind="count", range=(0, 10)) for name in ("edits", "calls")
    )
    create(project, metric=MetricInput(components=parts))
    work(
        project,
        120,
        lambda name, i: RunInput(metrics={"edits": i % 5, "calls": 2 if name == "a" else 8}),
    )
    assert verdict(project).judgement.leader == "a"
    assert verdict(project).judgement.outcome == "better"


@pytest.mark.parametrize("bounds", [(), (-100.0, 0.0)])
def test_all_scores_may_be_negative(project: Project, bounds: tuple[float, ...]) -> None:
    """-10 is better than -60 where higher is better, with a range or without."""
    create(project, metric=MetricInput(name="score", direction="higher", range=bounds))
    work(project, 100, lambda name, i: (-10.0 if name == "b" else -60.0) - i % 7, metric="score")
    found = verdict(project).judgement
    assert (found.outcome, found.leader) == ("better", "b")


def test_the_best_of_20_equal_variants_is_undecided(project: Project) -> None:
    """Chance makes one of twenty equals look good: no winner, and the estimate without luck is near zero."""
    create(project, of=variants(*map(str, range(20))))
    draw = random.Random(3)
    names = [str(index) for index in range(20)]
    upload(project, {name: [float(draw.random() < 0.6) for _ in range(30)] for name in names})
    found = verdict(project).judgement
    assert found.outcome == "insufficient"
    assert found.losers == ()
    best = max(
        sum(value or 0 for value in column) / 30 for column in verdict(project).evidence.samples.values()
    )
    assert best > 0.75
    assert found.shrunk is not None
    assert found.interval is not None
    assert abs(found.shrunk.mean) < abs(found.interval.estimate) or found.interval.estimate == 0


def test_level_variants_are_said_to_be_level(project: Project) -> None:
    """A tie names those who share the lead and picks none."""
    create(project, of=variants("a", "b", "c"), metric=PASSED.model_copy(update={"minimum_effect": 0.0}))
    work(project, 30, lambda *_: 1.0)
    found = verdict(project)
    assert found.judgement.leader is None
    assert "'a', 'b', 'c'" in _said(found)


@pytest.mark.parametrize(
    ("metric", "noise"),
    [
        (PASSED.model_copy(update={"minimum_effect": 0.3}), 0.0),
        (SECONDS.model_copy(update={"minimum_effect": 2.0}), 1.0),
    ],
    ids=["bounded", "unbounded"],
)
def test_variants_within_the_margin_are_equivalent(
    project: Project, metric: MetricInput, noise: float
) -> None:
    """Equals are proven to differ by less than the minimum effect, in the metric's own unit."""
    create(project, metric=metric)
    draw = random.Random(5)
    outcome = (lambda *_: 30 + draw.random() * noise) if noise else (lambda _, i: float(i // 2 % 2))
    work(project, 300, outcome, metric=metric.name)
    assert verdict(project).judgement.outcome == "equivalent"


def test_without_a_minimum_effect_nothing_is_equivalent(project: Project) -> None:
    """No margin was declared, so none is invented."""
    create(project, metric=SECONDS)
    draw = random.Random(5)
    work(project, 100, lambda *_: 30 + draw.random(), metric="seconds")
    assert verdict(project).judgement.outcome == "insufficient"


@pytest.mark.parametrize("blocked", [True, False])
def test_a_breached_guardrail_blocks_a_win(project: Project, blocked: bool) -> None:
    """Who wins by spending three times the tokens does not win, however the runs were collected."""
    create(project, guardrails=[TOKENS])

    def outcome(name: str, index: int) -> RunInput:
        good = name == "b"
        return RunInput(metrics={"passed": float(good), "tokens": (60 if good else 20) + index % 3})

    if blocked:
        work(project, 200, outcome)
    else:
        rows = [
            outcome(name, index).model_copy(update={"unit": f"{name}{index}", "variant": name})
            for name in "ab"
            for index in range(100)
        ]
        record(project, *rows)
    found = verdict(project).judgement
    assert found.outcome == "invalid"
    assert found.blocked_by == ("tokens",)
    assert "guardrail" in found.next_step + " ".join(found.reasons)


def test_a_guardrail_without_values_is_said(project: Project) -> None:
    """A guardrail that no run measures guards nothing, and the verdict says so."""
    create(project, guardrails=[TOKENS])
    work(project, 60, lambda name, _: float(name == "b"))
    found = verdict(project)
    assert found.judgement.outcome == "better"
    assert "'tokens' was not measured" in _said(found)


def test_a_control_that_wins_makes_the_others_worse(project: Project) -> None:
    """With a control every challenger is judged against it."""
    create(project, of=variants("a", "b", "c", a={"control": True}))
    work(project, 240, lambda name, i: 1.0 if name == "a" else float(i % 9 == 0))
    found = verdict(project)
    assert (found.judgement.outcome, found.judgement.leader) == ("worse", "a")
    assert {name: one.outcome for name, one in found.challengers.items()} == {"b": "worse", "c": "worse"}


def test_a_variant_of_weight_0_does_not_keep_the_others_from_winning(project: Project) -> None:
    """What is never served is no competitor."""
    create(project, of=variants("a", "b", "c", c={"weight": 0}))
    work(project, 60, lambda name, _: float(name == "b"))
    assert verdict(project).judgement.outcome == "better"


@pytest.mark.parametrize("policy", ["adaptive", "uniform", "weighted"])
def test_what_was_not_collected_in_blocks_is_called_asymptotic(project: Project, policy: str) -> None:
    """Adaptive and independent draws are judged as samples, with the weaker guarantee said."""
    create(project)
    work(project, 100, lambda name, _: float(name == "b"), policy=policy)
    found = verdict(project)
    assert found.judgement.asymptotic
    assert "in large samples" in _said(found)
    assert any(check.name == "sample_ratio" for check in found.checks) is (policy != "adaptive")


def test_a_split_that_was_not_planned_withholds_the_verdict(project: Project) -> None:
    """If half the runs of one arm never arrive, the split of the rest shows it, though none is missing."""
    create(project)
    work(
        project,
        800,
        lambda name, i: RunInput(status="infrastructure") if name == "b" and i % 2 else float(i % 3 == 0),
        policy="uniform",
    )
    assert verdict(project).judgement.outcome == "invalid"
    assert "not split as planned" in _said(verdict(project))


def test_runs_outside_blocks_do_not_count_beside_more_in_blocks(project: Project) -> None:
    """Blocks decide where most runs are in blocks; the others are said to be left out."""
    create(project)
    work(project, 60, lambda name, _: float(name == "b"))
    upload(project, {"a": [1.0] * 20, "b": [0.0] * 20})
    found = verdict(project)
    assert (found.judgement.outcome, found.judgement.unit) == ("better", "blocks")
    assert "40 runs were not assigned in blocks" in _said(found)


def test_a_few_blocks_do_not_hide_many_uploaded_runs(project: Project) -> None:
    """One block beside 200 uploads leaves the verdict to all runs together, as samples."""
    create(project)
    upload(project, {"a": [0.0] * 100, "b": [1.0] * 100})
    work(project, 2, lambda *_: 1.0)
    found = verdict(project).judgement
    assert (found.outcome, found.leader, found.unit) == ("better", "b", "runs per arm")


def test_another_minimum_effect_judges_as_it_would_have_been(project: Project) -> None:
    """A replay with other settings changes the verdict and writes nothing."""
    create(project)
    work(project, 60, lambda _, i: float(i // 2 % 2))
    with project.read() as transaction:
        before = events.count(transaction)
    assert verdict(project).judgement.outcome == "insufficient"
    assert verdict(project, minimum_effect=0.3).judgement.outcome == "equivalent"
    with project.read() as transaction:
        assert events.count(transaction) == before


@pytest.mark.parametrize("by", ["paired_proportion", "stratified", "covariate_adjusted"])
def test_uploads_are_compared_by_what_they_have_in_common(project: Project, by: str) -> None:
    """Items, strata or a covariate take the tasks' difficulty out of two variants' uploads, and this is said."""
    create(project)
    draw = random.Random(11)
    rows = []
    for index in range(300):
        difficulty = draw.random()
        for name, edge in (("a", 0.4), ("b", 0.65)):
            rows.append(
                RunInput(
                    unit=f"{name}{index}",
                    variant=name,
                    metrics={"passed": float(difficulty < edge)},
                    pair_id=f"i{index}" if by == "paired_proportion" else "",
                    stratum=("easy", "hard")[difficulty > 0.5] if by == "stratified" else "",
                    covariate=difficulty if by == "covariate_adjusted" else None,
                )
            )
    assert record(project, *rows).accepted == 600
    found = verdict(project)
    assert (found.judgement.outcome, found.judgement.leader) == ("better", "b")
    assert found.judgement.asymptotic
    assert f"the {by} estimate" in _said(found)


# --- by simulation ------------------------------------------------------------------------------


def _won(folder: Path, seed: int, chances: Sequence[dict[str, float]], *, look: bool = False) -> list[str]:
    """Ask one question of a block per entry of `chances`; return the winners of every look, or of the last."""
    clock = ManualClock()
    project = Project(folder, clock=clock, store=open_store(MEMORY, clock=clock))
    create(project)
    draw = random.Random(seed)
    rows, winners = [], []
    for block, chance in enumerate(chances):
        for turn in range(2):
            made = select(project, unit=f"{seed} {block} {turn}")
            passed = float(draw.random() < chance[made.variant])
            rows.append(RunInput(assignment_id=made.assignment_id, metrics={"passed": passed}))
        if look or block == len(chances) - 1:
            assert record(project, *rows).accepted == len(rows)
            found = verdict(project).judgement
            winners.append(str(found.leader) if found.outcome == "better" else "")
            rows = []
    project.close()
    return winners


def test_the_last_look_knows_what_any_earlier_one_would_have_said(tmp_path: Path) -> None:
    """Who has lost at one look has lost at all later ones, so judging once is judging after every block."""
    for seed in range(3):
        chances = [{"a": 0.2, "b": 0.9}] * 30 + [{"a": 0.9, "b": 0.2}] * 15
        looks = _won(tmp_path, seed, chances, look=True)
        assert "b" in looks
        assert looks[looks.index("b") :] == ["b"] * (45 - looks.index("b"))
        assert _won(tmp_path, seed, chances) == ["b"]


@pytest.mark.parametrize("drift", [0.0, 0.6])
def test_equal_variants_hardly_ever_have_a_winner(tmp_path: Path, drift: float) -> None:
    """Over all looks at 60 blocks, through the whole engine: at most alpha, under drift as well."""
    chances = [dict.fromkeys("ab", 0.6 + drift * (0.5 - block / 60)) for block in range(60)]
    won = sum(_won(tmp_path, seed, chances) != [""] for seed in range(40))
    assert won <= 5  # P(more | 5 %) = 1.4 %; blocks have about 1 % at this length


def test_a_large_difference_is_found(tmp_path: Path) -> None:
    """0.5 against 0.8 is found in most of 10 experiments of 150 blocks, and never the wrong way round."""
    won = [_won(tmp_path, seed, [{"a": 0.5, "b": 0.8}] * 150)[0] for seed in range(10)]
    assert won.count("b") >= 8
    assert "a" not in won
