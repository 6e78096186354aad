"""Which variant a unit gets: once, by recorded chance, and balanced."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import get_args

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

from vettle.engine.errors import ClientRefReused, InvalidArgument, UnknownExperiment
from vettle.engine.experiments import assignment, lifecycle, tallies
from vettle.engine.experiments.design import MetricInput, VariantInput, make
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.records import SelectionPolicy
from vettle.engine.store import assignments, events, open_store
from vettle.engine.store.assignments import Assignment
from vettle.engine.store.events import of_subject
from vettle.engine.store.lock import FileLock


def _all(project: Project) -> list[Assignment]:
    with project.read() as transaction:
        [[experiment]] = transaction.execute(
            "SELECT id FROM experiment WHERE name='prompt' AND project=?", (transaction.project,)
        )
        return assignments.since(transaction, str(experiment), 0)


def _events(project: Project) -> int:
    with project.read() as transaction:
        return events.count(transaction)


@pytest.mark.parametrize(
    "unit", ["t1", 'it\'s "quoted"; DROP TABLE run; --', "\N{PARTY POPPER}", "back\\slash"]
)
def test_a_unit_gets_the_same_variant_whenever_it_asks(project: Project, unit: str) -> None:
    """One assignment per unit, whatever its name, whatever else is asked in between, also while paused."""
    create(project)
    first = select(project, unit=unit)
    for index in range(5):
        select(project, unit=f"other {index}")
    again = select(project, unit=unit, policy="uniform", context="docs")
    assert again.repeated
    assert not first.repeated
    assert (again.variant, again.assignment_id) == (first.variant, unit)
    for action in ("pause", "stop"):
        decide(project, action)
        assert select(project, unit=unit).variant == first.variant
    assert Counter(one.unit for one in _all(project))[unit] == 1


def test_units_without_a_name_get_one(project: Project) -> None:
    """Without a unit every call is a new one, and a retry with its client_ref is not."""
    create(project)
    one, other = select(project, client_ref="r"), select(project)
    assert one.assignment_id != other.assignment_id
    assert select(project, client_ref="r") == one
    assert len(_all(project)) == 2
    with pytest.raises(ClientRefReused):
        select(project, client_ref="r", context="docs")


def test_what_was_not_recorded_is_not_the_answer_to_a_retry(project: Project) -> None:
    """A call that found the experiment paused, repeated when it runs, is assigned like any other."""
    create(project)
    decide(project, "pause")
    assert not select(project, client_ref="r").recorded
    decide(project, "resume")
    assert select(project, client_ref="r").recorded


def test_every_assignment_keeps_what_its_chance_was(project: Project) -> None:
    """The log has propensity, policy, seed and policy version of every assignment."""
    made = create(project, of=variants("a", "b", "c"))
    for index in range(6):
        select(project, unit=f"t{index}")
    with project.read() as transaction:
        events = of_subject(transaction, made.experiment_id, ["variant_assigned"])
    assert [event.metrics["propensity"] for event in events] == pytest.approx([1 / 3, 1 / 2, 1] * 2)
    assert all(event.data["policy"] == "blocks" and event.data["version"] for event in events)
    assert len({event.data["seed"] for event in events}) == 6


def test_blocks_are_balanced_within_stratum_and_item(project: Project) -> None:
    """Every block of every stratum and item holds every variant once before any comes again."""
    create(project, of=variants("a", "b", "c"), mode="paired")
    for index in range(72):
        stratum, item = f"s{index % 2}", f"i{index % 4}"
        select(project, unit=f"t{index}", stratum=stratum, pair_id=item)
    held = defaultdict(list)
    for one in _all(project):
        held[one.stratum, one.item, one.block].append(one.variant)
    assert len(held) == 72 / 3
    assert all(len(set(names)) == len(names) == 3 for names in held.values())


def test_the_order_within_blocks_is_random(project: Project) -> None:
    """No variant always comes first: over 100 blocks each does so about half the time."""
    create(project)
    chosen = [select(project, unit=f"t{index}").variant for index in range(200)]
    assert 35 <= chosen[::2].count("a") <= 65


def test_paired_mode_needs_an_item(project: Project) -> None:
    """Without pair_id a paired experiment cannot say what both variants run on."""
    create(project, mode="paired")
    before = _events(project)
    with pytest.raises(InvalidArgument, match="pair_id: it is missing"):
        select(project)
    assert _events(project) == before


def test_weights_make_blocks_in_their_proportion(project: Project) -> None:
    """3 to 1 is 3 of every 4 in blocks, and about 3 of 4 by independent draws; weight 0 is never served."""
    create(project, of=variants("a", "b", "c", a={"weight": 3}, c={"weight": 0}))
    chosen = [select(project, unit=f"t{index}").variant for index in range(40)]
    assert all(Counter(chosen[start : start + 4]) == {"a": 3, "b": 1} for start in range(0, 40, 4))
    drawn = Counter(select(project, unit=f"w{n}", policy="weighted").variant for n in range(200))
    assert 130 <= drawn["a"] <= 170
    assert drawn["c"] == 0


@pytest.mark.parametrize("metric", [PASSED, SECONDS])
def test_an_eliminated_variant_is_no_longer_served_while_two_stay(
    project: Project, metric: MetricInput
) -> None:
    """Runs go to those that may still win; with one left all are served again, so that it can be watched."""
    create(project, of=variants("a", "b", "c"), metric=metric)
    bad = 1.0 if metric is SECONDS else 0.0
    work(
        project,
        90,
        lambda name, i: (
            bad if name == "c" else float(i % 2) * 0.1 + 0.1 if metric is SECONDS else float(i // 3 % 2)
        ),
        metric=metric.name,
    )
    found = verdict(project).judgement
    assert found.losers == ("c",)
    assert {select(project, unit=f"x{index}").variant for index in range(12)} == {"a", "b"}


@pytest.mark.parametrize("before", ["proposed", "paused", "stopped", "abandoned"])
def test_what_does_not_run_answers_and_records_nothing(project: Project, before: str) -> None:
    """Work is never blocked: the control is served with the reason, and the log stays as it was."""
    create(project, of=variants("a", "b", b={"control": True}), start=False)
    if before != "proposed":
        decide(project, "start")
        decide(project, {"paused": "pause", "stopped": "stop", "abandoned": "abandon"}[before])
    events = _events(project)
    answer = select(project, unit="t", client_ref="r")
    assert (answer.variant, answer.recorded, answer.assignment_id) == ("b", False, "")
    assert before in answer.why
    assert _events(project) == events


def test_an_unknown_experiment_is_named(project: Project) -> None:
    """A misspelt experiment is an error, not a silent default."""
    with pytest.raises(UnknownExperiment, match="promt"):
        select(project, "promt")


@pytest.mark.parametrize("metric", [PASSED, SECONDS], ids=["bounded", "unbounded"])
@pytest.mark.parametrize("policy", get_args(SelectionPolicy))
def test_every_policy_chooses_with_and_without_results(
    project: Project, policy: SelectionPolicy, metric: MetricInput
) -> None:
    """Each policy works before the first result, after one, and after many, with a possible propensity."""
    create(project, of=variants("a", "b", "c"), metric=metric)
    many = work(
        project,
        30,
        lambda name, i: float(i % 3 == 0) + (metric is SECONDS) * 1e4,
        metric=metric.name,
        policy=policy,
    )
    many += work(project, 3, lambda *_: RunInput(status="failed"), policy=policy)
    assert all(0 < one.propensity <= 1 and math.isfinite(one.propensity) for one in many)
    assert {one.policy for one in many} == {{"auto": "blocks", "adaptive": "top_two"}.get(policy, policy)}


@pytest.mark.parametrize("policy", ["thompson", "ucb", "best_so_far", "epsilon_greedy"])
@pytest.mark.parametrize("metric", [PASSED, SECONDS], ids=["bounded", "unbounded"])
def test_policies_for_use_prefer_what_works(
    project: Project, policy: SelectionPolicy, metric: MetricInput
) -> None:
    """After clear results the better variant is served most of the time, lower being better or higher."""
    create(project, metric=metric)
    good, bad = (1.0, 90.0) if metric is SECONDS else (1.0, 0.0)
    upload(project, {"a": [bad] * 50, "b": [good] * 50}, metric=metric.name)
    served = Counter(select(project, unit=f"t{index}", policy=policy).variant for index in range(30))
    assert served["b"] >= 20


def test_thompson_learns_what_works_where(project: Project) -> None:
    """With a context each one's own winner is preferred, though both variants are equal over all."""
    create(project)
    work(project, 80, lambda name, _: float(name == "a"), context="docs", policy="uniform")
    work(project, 80, lambda name, _: float(name == "b"), context="code", policy="uniform")
    for context, best in (("docs", "a"), ("code", "b")):
        served = [
            select(project, unit=f"{context} {index}", context=context, policy="thompson").variant
            for index in range(20)
        ]
        assert served.count(best) >= 15


def test_thompson_shares_what_it_learns_over_a_grid(project: Project) -> None:
    """In a space a level that works raises every combination that has it, also those never tried."""
    create(project, space={"x": [1, 2, 3], "y": [True, False]})
    rows = [
        RunInput(unit=f"{x} {index}", variant=f"x={x}, y=true", metrics={"passed": float(x == 3)})
        for x in (1, 2, 3)
        for index in range(20)
    ]
    assert record(project, *rows).accepted == 60
    served = [select(project, unit=f"t{index}", policy="thompson") for index in range(20)]
    assert sum(one.config["x"] == 3 for one in served) >= 15


def test_a_tally_is_the_same_in_every_process(project: Project) -> None:
    """What a process has folded step by step equals what another folds at once, updates and restarts included."""
    create(project)
    work(project, 30, lambda name, i: float(i % 2), policy="thompson", context="docs")
    chosen = work(project, 5, lambda *_: 1.0, policy="thompson")
    record(project, RunInput(assignment_id=chosen[0].assignment_id, metrics={"passed": 0}))
    select(project, unit="x", policy="thompson", context="docs")
    other = Project(project.root, clock=project.clock, store=project.open_again())
    with project.write() as transaction:
        from vettle.engine.experiments import lifecycle

        found = lifecycle.require(transaction, "prompt")
        design = lifecycle.design_of(found)
        mine = tallies.of(project, transaction, found, design)
    with other.write() as transaction:
        theirs = tallies.of(other, transaction, found, design)
    assert list(mine.results.items()) == list(theirs.results.items())
    assert mine.options() == theirs.options()
    arms = list(mine.arms("docs").values())
    assert mine.posterior().beliefs(arms) == theirs.posterior().beliefs(arms)
    other.close()
    decide(project, "restart")
    assert select(project, unit="x", policy="ucb").why


def test_long_names_of_units_are_refused_where_arguments_are_checked() -> None:
    """Labels are lines of at most 120 characters, in rows as in calls."""
    for bad in ("x" * 10_000, "two\nlines", "nul\0"):
        with pytest.raises(ValueError, match="unit"):
            RunInput(unit=bad)
    assert VariantInput(name=" a ").name == "a"


def test_priors_and_fading_steer_the_policies_that_use_variants(project: Project) -> None:
    """A strong prior decides before there are results, and with a half-life what was true long ago fades."""
    variants = [
        VariantInput(name="old", config={"m": 1}, prior_mean=0.3, prior_strength=50),
        VariantInput(name="new", config={"m": 2}, prior_mean=0.9, prior_strength=50),
    ]
    metric = MetricInput(name="passed", direction="higher", kind="binary")
    lifecycle.create(project, name="prior", variants=variants, space={}, metric=metric)
    first = assignment.select(project, experiment="prior", unit="u", policy="best_so_far")
    assert first.variant == "new"
    design = make(
        variants=[VariantInput(name="a", config={"m": 1}), VariantInput(name="b", config={"m": 2})],
        dimensions={},
        constraints=(),
        metric=metric,
        guardrails=(),
        mode="interleaved",
        description="",
    )
    a = design.find("a").id
    long_ago = [tallies.Result(a, "", 1.0)] * 50
    lately = [tallies.Result(a, "", 0.0)] * 10
    results = {f"u{number}": result for number, result in enumerate([*long_ago, *lately])}
    means = {}
    for half_life in (0, 5):
        tally = tallies.Tally(design, 0, 0, half_life, dict(results))
        means[half_life] = next(one.mean for one in tally.options() if one.id == a)
    assert means[0] > 0.8 and means[5] < 0.3


def test_a_store_that_takes_no_writes_does_not_stop_the_work(tmp_path: Path) -> None:
    """While another process holds the store, the agent still gets a variant, with the reason why it does not count."""
    path = tmp_path / ".vettle" / "vettle.db"
    path.parent.mkdir()
    project = Project(tmp_path, store=open_store(path, timeout=0.2))
    create(project)
    with FileLock(Path(f"{path}.lock")):
        served = select(project, unit="u")
    assert (served.recorded, served.assignment_id) == (False, "")
    assert "Not recorded" in served.why
    assert select(project, unit="u").recorded
    project.close()
