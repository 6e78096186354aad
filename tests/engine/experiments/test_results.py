"""Results say what is known, rank variants and never runs, and fit into one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from tests.conftest import ManualClock

from vettle.engine import paging
from vettle.engine.clock import moment
from vettle.engine.errors import InvalidArgument, UnknownExperiment
from vettle.engine.experiments import assignment, lifecycle, runs
from vettle.engine.experiments.another_metric import ask
from vettle.engine.experiments.design import Component, GuardrailInput, MetricInput, VariantInput
from vettle.engine.experiments.listing import listed
from vettle.engine.experiments.results import results, verdict_of
from vettle.engine.experiments.runs import RunInput
from vettle.engine.identifiers import new_uid
from vettle.engine.project import Project
from vettle.engine.records import VariantResult
from vettle.engine.store import events
from vettle.engine.store.events import Event

BINARY = MetricInput(name="ok", direction="higher", kind="binary", minimum_effect=0.1)
SCORE = MetricInput(name="score", direction="higher", range=(0, 10))
SECONDS = MetricInput(name="seconds", direction="lower", kind="duration")


def create(project: Project, *names: str, metric: MetricInput = BINARY, **others: Any) -> str:
    """Create a running experiment with these variants, the first one the control if `control`."""
    control = others.pop("control", False)
    variants = [
        VariantInput(name=name, config={"prompt": name}, control=control and name == names[0])
        for name in names
    ]
    name = others.pop("name", "prompt")
    made = lifecycle.create(project, name=name, variants=variants, space={}, metric=metric, **others)
    assert made.state == "running"
    return made.experiment_id


def record(project: Project, experiment: str, rows: Sequence[RunInput]) -> None:
    """Record all rows."""
    answer = runs.record(project, experiment=experiment, runs=rows)
    assert answer.accepted == len(rows), answer.refused


def sample(
    project: Project, experiment: str, columns: Mapping[str, Sequence[float]], metric: str = "ok"
) -> None:
    """Record runs that nobody assigned."""
    rows = [
        RunInput(unit=f"{name}-{number}", variant=name, metrics={metric: value})
        for name, column in columns.items()
        for number, value in enumerate(column)
    ]
    record(project, experiment, rows)


def run_blocks(
    project: Project,
    experiment: str,
    columns: Mapping[str, Sequence[float]],
    metric: str = "ok",
    **others: Any,
) -> None:
    """Log one block for every row of the columns, as `assignment.select` would, and record the results."""
    with project.write() as transaction:
        design = lifecycle.design_of(lifecycle.require(transaction, experiment))
        order = [design.find(name).id for name in columns]
        for number in range(len(next(iter(columns.values())))):
            for served, name in enumerate(columns):
                block = {"number": number, "served": served + 1, "order": order}
                data = {"unit": f"{name}-{number}", "context": "work", "stratum": "", "item": ""}
                data |= {"policy": "blocks", "version": "1", "seed": 0, "block": block}  # type: ignore[dict-item]
                event = Event(
                    kind="variant_assigned",
                    uid=new_uid(transaction.now),
                    subject=experiment,
                    choice=design.find(name).id,
                    metrics={"propensity": 0.5},
                    data=data,
                )
                transaction.append(event)
    rows = [
        RunInput(assignment_id=f"{name}-{number}", metrics={metric: value}, **others)
        for number in range(len(next(iter(columns.values()))))
        for name, column in columns.items()
        for value in [column[number]]
    ]
    for first in range(0, len(rows), 1_000):
        record(project, experiment, rows[first : first + 1_000])


def draws(seed: int, size: int, **means: float) -> dict[str, list[float]]:
    """Draw successes and failures with these chances."""
    random = np.random.default_rng(seed)
    return {name: (random.random(size) < mean).astype(float).tolist() for name, mean in means.items()}


def row(project: Project, name: str, **arguments: Any) -> VariantResult:
    """Return one row of the leaderboard."""
    found = results(project, experiment="prompt", **arguments).leaderboard
    return next(one for one in found if one.name == name)


# --- the verdict ---------------------------------------------------------------------------------


def test_no_runs_are_no_verdict(project: Project) -> None:
    """An experiment without runs answers "no data", with every variant listed and no number made up."""
    create(project, "a", "b")
    found = results(project, experiment="prompt", interval="day")
    assert found.verdict is not None
    assert (found.verdict.outcome, found.verdict.leader, found.runs) == ("insufficient", None, 0)
    assert "no data" in found.verdict.reasons[0]
    assert [(one.n, one.mean, one.low, one.shrunk) for one in found.leaderboard] == [
        (0, None, None, None)
    ] * 2
    assert found.series is not None
    assert found.series.starts == []


def test_unknown_experiments_are_refused_with_what_exists(project: Project) -> None:
    """The refusal names an experiment that is near."""
    made = create(project, "a", "b")
    with pytest.raises(UnknownExperiment, match=made):
        results(project, experiment="promt")


def test_a_winner_has_its_luck_taken_off(project: Project) -> None:
    """The verdict has the raw difference, its limits and the smaller one without luck, and stays when closed."""
    made = create(project, "a", "b")
    run_blocks(project, made, draws(1, 100, a=0.3, b=0.8))
    verdict = results(project, experiment=made).verdict
    assert verdict is not None
    assert (verdict.outcome, verdict.leader, verdict.losers, verdict.unit) == ("better", "b", ["a"], "blocks")
    assert verdict.estimate is not None
    assert verdict.shrunk is not None
    assert verdict.low is not None
    assert 0 < verdict.low < verdict.shrunk < verdict.estimate
    assert row(project, "a").eliminated
    lifecycle.decide(project, experiment=made, action="close", reason="done")
    closed = results(project, experiment=made)
    assert closed.state == "concluded"
    assert closed.frozen is not None
    assert closed.frozen.model_copy(update={"next_step": verdict.next_step}) == verdict


def test_challengers_are_judged_against_the_control(project: Project) -> None:
    """With a control every challenger has an outcome of its own, best first."""
    made = create(project, "control", "good", "bad", control=True)
    run_blocks(project, made, draws(2, 120, control=0.5, good=0.9, bad=0.1))
    found = results(project, experiment=made)
    assert [(one.variant, one.outcome) for one in found.challengers] == [("good", "better"), ("bad", "worse")]
    assert row(project, "control").control


def test_breached_guardrails_and_failed_checks_are_said(project: Project) -> None:
    """A guardrail that the better variant breaches is listed first, in the guarded metric's own unit."""
    rail = GuardrailInput(name="cost", direction="lower", range=(0, 10), margin=1)
    made = create(project, "a", "b", guardrails=[rail], control=True)
    rng = np.random.default_rng(3)
    run_blocks(project, made, draws(3, 60, a=0.2, b=0.9))
    rows = [
        RunInput(
            assignment_id=f"{name}-{number}",
            metrics={"ok": float(rng.random() < share), "cost": cost},
        )
        for name, share, cost in (("a", 0.2, 1.0), ("b", 0.9, 9.0))
        for number in range(60)
    ]
    record(project, made, rows)
    found = results(project, experiment=made)
    assert [(one.metric, one.variant, one.margin, one.breached) for one in found.guardrails] == [
        ("cost", "b", 1.0, True)
    ]
    assert found.verdict is not None
    assert (found.verdict.outcome, found.verdict.blocked_by) == ("invalid", ["cost"])
    assert {one.name for one in found.checks} >= {"missing_outcomes"}


def test_lost_runs_of_samples_withhold_the_verdict(project: Project) -> None:
    """Where one arm loses its outcomes the check that says so is listed and is fatal."""
    made = create(project, "a", "b", metric=SECONDS)
    sample(
        project,
        made,
        {"a": [5.0 + number % 3 for number in range(30)], "b": [1.0, 2.0, 1.5, 1.0, 2.0]},
        "seconds",
    )
    rows = [RunInput(unit=f"lost-{number}", variant="b", status="infrastructure") for number in range(25)]
    record(project, made, rows)
    found = results(project, experiment=made)
    assert found.verdict is not None
    assert found.verdict.outcome == "invalid"
    assert any(one.name == "missing_outcomes" and one.fatal and not one.ok for one in found.checks)
    assert any("25 runs have no result" in note for note in found.notes)


# --- the leaderboard -----------------------------------------------------------------------------


def test_one_lucky_run_does_not_lead(project: Project) -> None:
    """A variant with one perfect run does not come before one with 60 runs that are nearly all good."""
    made = create(project, "lucky", "good", "poor")
    sample(project, made, {"lucky": [1.0], **draws(4, 60, good=0.9, poor=0.3)})
    found = results(project, experiment=made).leaderboard
    assert found[0].name == "good"
    assert next(one for one in found if one.name == "lucky").mean == 1.0
    assert [one.n for one in found if one.name == "lucky"] == [1]


def test_the_best_of_twenty_equal_variants_is_undecided(project: Project) -> None:
    """Of 20 variants that all succeed in 6 of 10 runs none wins, and the first one's shrunk mean is near .6."""
    names = [f"v{number}" for number in range(20)]
    made = create(project, *names)
    sample(project, made, draws(5, 40, **dict.fromkeys(names, 0.6)))
    found = results(project, experiment=made)
    assert found.verdict is not None
    assert found.verdict.outcome == "insufficient"
    assert max(one.mean or 0.0 for one in found.leaderboard) >= 0.7
    for one in found.leaderboard:
        assert one.shrunk == pytest.approx(0.6, abs=0.05)
        assert one.chance_best is not None
        assert one.chance_best < 0.3
    assert any("not a stopping rule" in note for note in found.notes)


def test_means_are_in_the_metrics_own_unit(project: Project) -> None:
    """Failed runs count as the worst end of the range, clipped ones as its end, and limits stay inside it."""
    made = create(project, "a", "b", metric=SCORE)
    sample(project, made, {"a": [4.0, 6.0, 8.0], "b": [2.0, 3.0, 40.0]}, "score")
    record(project, made, [RunInput(unit="f", variant="a", status="failed", failure_mode="timeout: 'tool'")])
    found = row(project, "a")
    assert (found.n, found.mean, found.missing) == (4, 4.5, 0)
    assert found.statuses == {"completed": 3, "failed": 1}
    assert found.failure_modes == {"timeout: 'tool'": 1}
    assert row(project, "b").mean == 5.0
    assert (found.low, found.high) == (0.0, 10.0)
    notes = results(project, experiment=made).notes
    assert any("a failed run counts as the worst (runs: 1)" in note for note in notes)
    assert any("1 value lay outside" in note for note in notes)


def test_lower_is_better_ranks_the_smallest_first(project: Project) -> None:
    """A duration without a range is ranked ascending and shown as it was recorded."""
    made = create(project, "slow", "fast", metric=SECONDS)
    sample(project, made, {"slow": [9.0, 10.0, 11.0, 9.5], "fast": [1.0, 2.0, 3.0, 1.5]}, "seconds")
    found = results(project, experiment=made)
    assert [one.name for one in found.leaderboard] == ["fast", "slow"]
    assert found.leaderboard[0].mean == 1.875
    assert found.leaderboard[0].chance_best == pytest.approx(1.0, abs=0.01)
    assert found.leaderboard[0].expected_loss == pytest.approx(0.0, abs=0.01)


def test_level_variants_are_called_level(project: Project) -> None:
    """Three constant equal variants are a tie, and their order is said to mean nothing."""
    made = create(project, "a", "b", "c")
    sample(project, made, {name: [1.0, 1.0, 1.0] for name in "abc"})
    found = results(project, experiment=made)
    assert any("3 variants are level" in note for note in found.notes)
    assert all(one.chance_best is None for one in found.leaderboard)
    assert all(one.low is not None and one.low < 0.9 for one in found.leaderboard)
    assert {one.high for one in found.leaderboard} == {1.0}


def test_resources_are_means_of_completed_runs(project: Project) -> None:
    """Duration, tokens and cost are averaged over completed runs that measured them."""
    made = create(project, "a", "b")
    rows = [
        RunInput(
            unit="1", variant="a", metrics={"ok": 1}, duration_ms=100, tokens_in=10, tokens_out=5, cost=2
        ),
        RunInput(unit="2", variant="a", metrics={"ok": 1}),
        RunInput(unit="3", variant="a", status="failed", duration_ms=900, cost=50),
    ]
    record(project, made, rows)
    found = row(project, "a")
    assert (found.duration_ms, found.tokens, found.cost) == (100.0, 15.0, 2.0)
    assert row(project, "b").cost is None


def test_several_metrics_are_shown_as_their_utility(project: Project) -> None:
    """Where several metrics decide, the leaderboard is in utilities, and one of them is exploratory."""
    parts = (
        Component(name="ok", direction="higher", kind="binary", weight=3),
        Component(name="cost", direction="lower", range=(0, 10)),
    )
    made = create(project, "a", "b", metric=MetricInput(name="value", components=parts))
    rows = [
        RunInput(unit=f"{name}{number}", variant=name, metrics={"ok": 1, "cost": 10 * (name == "a")})
        for name in "ab"
        for number in range(3)
    ]
    record(project, made, rows)
    found = results(project, experiment=made)
    assert (found.metric, found.metric_unit, found.exploratory) == ("value", "utility", False)
    assert [(one.name, one.mean) for one in found.leaderboard] == [("b", 1.0), ("a", 0.75)]
    assert results(project, experiment=made, metric="cost").exploratory


def test_another_metric_of_unknown_direction_is_exploratory_and_has_no_verdict(project: Project) -> None:
    """A metric that nobody declared is summarised raw, of completed runs, and marked; unknown ones are named."""
    made = create(project, "a", "b")
    rows = [
        RunInput(
            unit=f"{name}{number}", variant=name, metrics={"ok": 1, "bytes \"'`": value + number}, cost=value
        )
        for name, value in (("a", 5.0), ("b", 50.0))
        for number in range(3)
    ]
    record(project, made, [*rows, RunInput(unit="f", variant="a", status="failed")])
    found = results(project, experiment=made, metric="bytes \"'`")
    assert (found.exploratory, found.verdict, found.direction) == (True, None, "unknown")
    assert [(one.name, one.mean, one.missing) for one in found.leaderboard] == [("b", 51.0, 0), ("a", 6.0, 1)]
    assert any("Exploratory" in note and "never declared" in note for note in found.notes)
    cost = results(project, experiment=made, metric="cost")
    assert [one.name for one in cost.leaderboard] == ["a", "b"]
    assert cost.exploratory and cost.verdict is not None
    assert any("nothing is corrected for that" in note for note in cost.notes)
    with pytest.raises(InvalidArgument, match=r"metric: no run has recorded 'byte'.*'cost', 'ok'"):
        results(project, experiment=made, metric="byte")


def test_runs_outside_blocks_and_adaptive_runs_are_said(project: Project) -> None:
    """Runs that the verdict does not compare are in the leaderboard, with their number; so is adaptive data."""
    made = create(project, "a", "b")
    run_blocks(project, made, draws(8, 20, a=0.5, b=0.5))
    chosen = assignment.select(project, experiment=made, unit="z", policy="thompson")
    record(project, made, [RunInput(assignment_id="z", metrics={"ok": 1})])
    record(project, made, [RunInput(unit=unit, variant="a", metrics={"ok": 1}) for unit in "xy"])
    found = results(project, experiment=made)
    assert found.verdict is not None
    assert found.verdict.blocks == 20
    assert sum(one.n for one in found.leaderboard) == 43
    assert chosen.variant in ("a", "b")
    assert any("3 runs were not assigned by randomised blocks" in note for note in found.notes)
    assert any("1 run assigned adaptively" in note for note in found.notes)


def test_losers_of_samples_are_eliminated(project: Project) -> None:
    """20 of 20 against 0 of 20 is decided without blocks, by an argument that is said to be asymptotic."""
    made = create(project, "a", "b")
    sample(project, made, {"a": [0.0] * 20, "b": [1.0] * 20})
    found = results(project, experiment=made)
    assert found.verdict is not None
    assert (found.verdict.outcome, found.verdict.leader, found.verdict.unit) == (
        "better",
        "b",
        "runs per arm",
    )
    assert found.verdict.asymptotic
    assert [(one.name, one.eliminated) for one in found.leaderboard] == [("b", False), ("a", True)]


def test_a_long_list_of_losers_holds_names_alone(project: Project) -> None:
    """Whoever counts the losers of a record counts variants; that there are more is told in words."""
    made = create(project, "a", "b")
    sample(project, made, {"a": [0.0] * 20, "b": [1.0] * 20})
    with project.read() as transaction:
        judgement = ask(transaction, lifecycle.require(transaction, made), "").main.judgement
    names = tuple(f"v{number}" for number in range(13))
    found = verdict_of(replace(judgement, losers=names))
    assert found.losers == list(names[:10])
    assert found.reasons[-1] == "3 more variants lost than are listed here."
    assert not any("are listed here" in reason for reason in verdict_of(judgement).reasons)


def test_variants_without_weight_are_listed_but_not_judged(project: Project) -> None:
    """A variant of weight 0 gets no runs; it stands last, without numbers, and withholds nothing."""
    variants = [VariantInput(name=name, config={"p": name}, weight=float(name != "off")) for name in "ab"]
    off = VariantInput(name="off", config={"p": "off"}, weight=0)
    made = lifecycle.create(
        project, name="prompt", variants=[off, *variants], space={}, metric=BINARY
    ).experiment_id
    sample(project, made, draws(9, 30, a=0.2, b=0.9))
    found = results(project, experiment=made)
    assert found.verdict is not None
    assert found.verdict.outcome == "better"
    assert [(one.name, one.n, one.mean) for one in found.leaderboard][-1] == ("off", 0, None)


def test_single_runs_are_not_ranked(project: Project) -> None:
    """With one run each, 0 against 10, the best comes not first: nothing is known, and that is said."""
    made = create(project, "a", "b", metric=SCORE)
    sample(project, made, {"a": [0.0], "b": [10.0]}, "score")
    found = results(project, experiment=made)
    assert [(one.name, one.shrunk, one.chance_best) for one in found.leaderboard] == [
        ("a", None, None),
        ("b", None, None),
    ]
    assert any("no order is meant" in note for note in found.notes)


# --- by dimension --------------------------------------------------------------------------------


def test_numbers_texts_and_missing_values_are_kept_apart(project: Project) -> None:
    """1 and "1" are two values, numbers sort as numbers, and a missing one is "(none)" and named absent."""
    made = create(project, "a", "b")
    levels: list[dict[str, str | float]] = [{"size": 10}, {"size": 9}, {"size": "9"}, {"size": "(none)"}, {}]
    rows = [
        RunInput(unit=str(number), variant="a", metrics={"ok": number % 2}, dimensions=level)
        for number, level in enumerate(levels)
    ]
    record(project, made, rows)
    found = results(project, experiment=made, by=["size"]).marginals
    assert [one.values for one in found] == [[9.0], [10.0], ["(none)"], ["9"], ["(none)"]]
    assert [one.absent for one in found] == [[], [], [], [], ["size"]]
    assert [one.mean for one in found] == [1.0, 0.0, 1.0, 0.0, 0.0]


def test_hostile_dimensions_come_back_verbatim(project: Project) -> None:
    """Quotes, newlines and SQL in a name or a value are data, in combinations too, however they got in."""
    name, value = "d\"'`]; DROP TABLE run;--\n", "x'\"\\\n; DROP TABLE run; \N{PILE OF POO}"
    made = create(project, "a", "b")
    rows = [
        RunInput(unit=f"{of}{number}", variant=of, metrics={"ok": 1}, context="c").model_copy(
            update={"dimensions": {name: value}}
        )
        for of in "ab"
        for number in range(2)
    ]
    record(project, made, rows)
    found = results(project, experiment=made, by=[name, "context", "variant"])
    assert [(one.values, one.n) for one in found.marginals] == [
        ([value, "c", "a"], 2),
        ([value, "c", "b"], 2),
    ]
    with pytest.raises(
        InvalidArgument, match=r"by: no run has a dimension 'd'.*'context', 'stratum', 'variant'"
    ):
        results(project, experiment=made, by=["d"])


def test_levels_of_a_space_and_contexts_of_assignments_count(project: Project) -> None:
    """A dimension of the space needs not be recorded with every run, nor a context that the assignment has."""
    made = lifecycle.create(
        project, name="grid", space={"model": ["x", "y"], "effort": [1, 2]}, metric=BINARY
    ).experiment_id
    units = [assignment.select(project, experiment=made, context="docs") for _ in range(4)]
    rows = [
        RunInput(assignment_id=one.assignment_id, metrics={"ok": one.config["model"] == "x"}) for one in units
    ]
    record(project, made, rows)
    found = results(project, experiment=made, by=["model"]).marginals
    assert [(one.values, one.n, one.mean) for one in found] == [(["x"], 2, 1.0), (["y"], 2, 0.0)]
    assert len(results(project, experiment=made, by=["model", "effort"]).marginals) == 4
    assert results(project, experiment=made, by=["context"]).marginals[0].values == ["docs"]


def test_more_values_than_the_limit_are_said(project: Project) -> None:
    """At most `limit` rows are shown, the first ones in order, and the rest is counted."""
    made = create(project, "a", "b")
    rows = [
        RunInput(unit=str(number), variant="a", metrics={"ok": 1}, dimensions={"n": number})
        for number in range(30)
    ]
    record(project, made, rows)
    found = results(project, experiment=made, by=["n"], limit=5)
    assert [one.values for one in found.marginals] == [[0.0], [1.0], [2.0], [3.0], [4.0]]
    assert any("marginals: 5 of 30 rows" in note for note in found.notes)


# --- over time -----------------------------------------------------------------------------------


def test_empty_days_appear(project: Project, clock: ManualClock) -> None:
    """Days without a run stand between the others with 0 runs and no mean, in UTC."""
    made = create(project, "a", "b")
    record(project, made, [RunInput(unit="1", variant="a", metrics={"ok": 1})])
    clock.forward(days=3)
    record(project, made, [RunInput(unit=str(n), variant="b", metrics={"ok": n % 2}) for n in range(2, 4)])
    found = results(project, experiment=made, interval="day").series
    assert found is not None
    assert [start.day - found.starts[0].day for start in found.starts] == [0, 1, 2, 3]
    assert all((start.hour, start.tzinfo) == (0, UTC) for start in found.starts)
    series = {one.variant: (one.n, one.mean) for one in found.variants}
    assert series["a"] == ([1, 0, 0, 0], [1.0, None, None, None])
    assert series["b"] == ([0, 0, 0, 2], [None, None, None, 0.5])


def test_a_run_counts_when_it_was_produced(project: Project, clock: ManualClock) -> None:
    """The time of production decides about the hour, not that of recording; weeks begin on Mondays."""
    made = create(project, "a", "b")
    produced = moment(clock.now).isoformat()
    clock.forward(hours=5)
    record(project, made, [RunInput(unit="1", variant="a", metrics={"ok": 1}, produced_at=produced)])
    hours = results(project, experiment=made, interval="hour").series
    weeks = results(project, experiment=made, interval="week").series
    assert hours is not None
    assert weeks is not None
    start = datetime.fromisoformat(produced)
    assert hours.starts == [start.replace(minute=0, second=0)]
    assert weeks.starts[0].isoweekday() == 1
    assert 0 <= (start - weeks.starts[0]).days < 7


def test_long_series_end_with_the_newest_periods(project: Project, clock: ManualClock) -> None:
    """At most 400 points are shown, the newest, and the rest is said."""
    made = create(project, "a", "b")
    record(project, made, [RunInput(unit="1", variant="a", metrics={"ok": 1})])
    clock.forward(days=300)
    record(project, made, [RunInput(unit="2", variant="b", metrics={"ok": 1})])
    answer = results(project, experiment=made, interval="hour")
    assert answer.series is not None
    assert len(answer.series.starts) == 200
    assert answer.series.variants[1].n[-1] + answer.series.variants[0].n[-1] == 1
    assert any("last 200 of 7,201 hours" in note for note in answer.notes)


# --- what fits, and lists ------------------------------------------------------------------------


def test_every_answer_fits(project: Project) -> None:
    """A hundred variants with long names, long values and many failures still fit, and the rest is said."""
    names = [f"{number:03}" + "'\\\U0001f4a9" * 35 for number in range(100)]
    rail = GuardrailInput(name="cost", direction="lower", range=(0, 10), margin=1)
    made = create(project, *names, guardrails=[rail], control=True)
    rows = [
        RunInput(
            unit=f"{name}-{number}",
            variant=name,
            status="completed" if number else "failed",
            metrics={"ok": number % 2} if number else {},
            failure_mode="" if number else "\\" * 120,
        ).model_copy(update={"dimensions": {f"d{n}": "\n" * 900 + name for n in range(5)}})
        for name in names
        for number in range(3)
    ]
    record(project, made, rows)
    found = results(project, experiment=made, by=[f"d{n}" for n in range(5)], interval="hour", limit=100)
    assert len(found.model_dump_json()) < paging.REPLY_CHARACTERS
    assert found.leaderboard
    assert found.marginals
    assert found.series is not None
    assert found.series.variants
    assert any(f"leaderboard: {len(found.leaderboard)} of 100 rows" in note for note in found.notes)


def test_asking_writes_nothing(project: Project) -> None:
    """Results are read, never logged: the newest event stays the newest."""
    made = create(project, "a", "b")
    run_blocks(project, made, draws(6, 10, a=0.5, b=0.5))
    with project.read() as transaction:
        before = events.count(transaction)
    assert results(project, experiment=made) == results(project, experiment=made)
    with project.read() as transaction:
        assert events.count(transaction) == before


def test_experiments_are_listed_newest_first(project: Project) -> None:
    """Each with its runs and outcome so far; those without runs say so; pages follow each other."""
    first = create(project, "a", "b", name="first", context="docs")
    run_blocks(project, first, draws(7, 60, a=0.1, b=0.9))
    for number in range(3):
        create(project, "a", "b", name=f"later {number}")
    lifecycle.decide(project, experiment=first, action="close", reason="done")
    page = listed(project, limit=3)
    assert [one.name for one in page.experiments] == ["later 2", "later 1", "later 0"]
    assert {one.outcome for one in page.experiments} == {"no_runs"}
    assert "3 of these have no runs yet" in page.note
    assert (page.total, page.by_state) == (4, {"running": 3, "concluded": 1})
    rest = listed(project, limit=3, cursor=page.next_cursor)
    assert [(one.name, one.outcome, one.leader, one.runs) for one in rest.experiments] == [
        ("first", "better", "b", 120)
    ]
    assert rest.next_cursor == ""
    concluded = listed(project, state="concluded")
    assert [one.name for one in concluded.experiments] == ["first"]
    assert (concluded.total, concluded.by_state) == (1, {"running": 3, "concluded": 1})
    assert listed(project, context="docs").total == 1
    with pytest.raises(InvalidArgument, match="cursor"):
        listed(project, cursor="x")


def test_a_reader_is_told_what_plus_means(project: Project) -> None:
    """Where lower is better, or a utility is compared, the answer says what the verdict's sign and unit are."""
    lower = MetricInput(name="ms", direction="lower", kind="duration")
    scaled = MetricInput(name="stars", direction="higher", range=(1, 5))
    plain = MetricInput(name="passed", direction="higher", kind="binary")
    for name, metric, words in (("l", lower, "'ms' is lower"), ("s", scaled, "utilities"), ("p", plain, "")):
        create(project, "a", "b", name=name, metric=metric)
        notes = " ".join(results(project, experiment=name).notes)
        assert words in notes
        assert ("+ is better" in notes) == bool(words)
