"""Calibration tells how the judge does on somebody's own data, and writes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.experiments.test_results import (
    BINARY,
    SECONDS,
    create,
    draws,
    run_blocks,
    sample,
)

from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments.calibration import calibrate, race_many, wilson
from vettle.engine.experiments.design import MetricInput
from vettle.engine.judging.blocks import BettingRace
from vettle.engine.judging.mixture import MixtureRace
from vettle.engine.judging.race import Race
from vettle.engine.project import Project
from vettle.engine.store import events


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("arms", [2, 4])
def test_many_races_at_once_are_the_races_of_life(bounded: bool, arms: int) -> None:
    """Winner and moment are those of the race that judges experiments, for each simulated one."""
    random = np.random.default_rng(1)
    means = np.linspace(0.2, 0.8, arms)
    scores = (random.random((12, 80, arms)) < means).astype(float)
    if not bounded:
        scores += random.normal(0, 0.3, scores.shape)
    raced = race_many(scores, 0.05, bounded=bounded)
    for number, experiment in enumerate(scores):
        names = [str(arm) for arm in range(arms)]
        race: Race = (BettingRace if bounded else MixtureRace)(names, alpha=0.05)
        for block in experiment:
            if race.winner is None:
                race.add({name: block[int(name)] for name in race.survivors})
        assert raced.winners[number] == (-1 if race.winner is None else int(race.winner))
        assert raced.moments[number] == race.blocks


def test_no_false_winners_on_data_with_a_real_difference(project: Project) -> None:
    """Shuffled within blocks, clearly different variants name a winner in at most 5 % of cases, up to noise."""
    made = create(project, "a", "b", "c")
    run_blocks(project, made, draws(1, 120, a=0.3, b=0.8, c=0.5))
    found = calibrate(project, experiment=made)
    assert found.enough
    assert found.simulations == 200
    assert found.false_winner_rate is not None
    assert found.false_winner_low is not None
    assert found.false_winner_low <= found.false_winner_rate <= 0.05 + 2 * 0.0155
    assert found.verdict.outcome == "better"


def test_power_is_found_and_grows_with_blocks(project: Project) -> None:
    """The declared effect is taken by default; a large one is found nearly always, a small one rarely."""
    made = create(project, "a", "b")
    run_blocks(project, made, draws(2, 100, a=0.5, b=0.5))
    declared = calibrate(project, experiment=made, simulations=100)
    middle = calibrate(project, experiment=made, simulations=100, effect=0.2)
    large = calibrate(project, experiment=made, simulations=100, effect=0.4)
    assert declared.effect == BINARY.minimum_effect
    assert declared.power is not None
    assert declared.power_twice is not None
    assert declared.power <= declared.power_twice < 0.5
    assert declared.median is None
    assert middle.power is not None
    assert middle.power_twice is not None
    assert middle.power + 0.2 < middle.power_twice
    assert large.power is not None
    assert large.power > 0.9
    assert large.median is not None
    assert 8 <= large.median <= 100
    assert large.applied == pytest.approx(0.4, abs=0.03)


def test_an_effect_that_does_not_fit_is_said(project: Project) -> None:
    """Near the end of the range only a part of the effect is left, and the answer says how much."""
    made = create(project, "a", "b", metric=MetricInput(name="ok", direction="higher", range=(0, 1)))
    values = [0.9 + number % 5 / 50 for number in range(40)]
    run_blocks(project, made, {"a": values, "b": values[::-1]})
    found = calibrate(project, experiment=made, simulations=20, effect=0.5)
    assert found.applied is not None
    assert found.applied < 0.1
    assert any("was clipped" in note for note in found.notes)
    assert calibrate(project, experiment=made, simulations=20).power is None


def test_too_little_data_is_an_answer(project: Project) -> None:
    """Below 8 complete blocks, or with no run at all, there are no rates and the answer says what is missing."""
    made = create(project, "a", "b")
    empty = calibrate(project, experiment=made)
    run_blocks(project, made, draws(3, 5, a=0.5, b=0.5))
    few = calibrate(project, experiment=made)
    assert (empty.enough, few.enough, few.blocks) == (False, False, 5)
    assert (few.false_winner_rate, few.power, few.simulations) == (None, None, 0)
    assert "Too little data: 5 of at least 8 complete blocks." in few.notes
    assert "at least 3 more" in few.next_step


@pytest.mark.parametrize("metric", [BINARY, SECONDS])
def test_samples_without_blocks_are_calibrated_too(project: Project, metric: MetricInput) -> None:
    """Runs that nobody assigned are drawn together; the rate keeps to alpha and a large effect is found."""
    made = create(project, "a", "b", metric=metric)
    columns = draws(4, 80, a=0.5, b=0.5)
    sample(project, made, columns, metric.name)
    found = calibrate(project, experiment=made, simulations=100, effect=0.45)
    assert found.unit == "runs per arm"
    assert found.false_winner_rate is not None
    assert found.false_winner_rate <= 0.1
    assert found.power is not None
    assert found.power > 0.7


def test_other_settings_are_replayed_and_nothing_is_written(project: Project) -> None:
    """A stricter alpha takes a winner back in the replay only, and no event is logged."""
    made = create(project, "a", "b")
    run_blocks(project, made, draws(5, 60, a=0.3, b=0.75))
    with project.read() as transaction:
        before = events.count(transaction)
    found = calibrate(project, experiment=made, simulations=20, alpha=1e-9)
    assert (found.verdict.outcome, found.replay.outcome) == ("better", "insufficient")
    with project.read() as transaction:
        assert events.count(transaction) == before


def test_the_same_seed_gives_the_same_answer(project: Project) -> None:
    """Everything that is drawn comes from the seed in the answer."""
    made = create(project, "a", "b", metric=SECONDS)
    random = np.random.default_rng(6)
    run_blocks(project, made, {name: random.normal(5, 1, 30).tolist() for name in "ab"}, "seconds")
    first, again, other = (
        calibrate(project, experiment=made, simulations=50, effect=1.0, seed=seed) for seed in (7, 7, 8)
    )
    assert first == again
    assert (first.power, first.median) != (other.power, other.median)


def test_many_variants_are_sampled_and_blocks_with_gaps_left_out(project: Project) -> None:
    """Twelve variants are calibrated eight at a time, from complete blocks only, and both is said."""
    names = [f"v{number}" for number in range(12)]
    made = create(project, *names)
    columns = draws(8, 20, **dict.fromkeys(names, 0.6))
    run_blocks(project, made, columns)
    found = calibrate(project, experiment=made, simulations=20)
    assert found.blocks == 20
    assert any("8 of the 12 variants" in note for note in found.notes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("simulations", 1),
        ("alpha", 0.0),
        ("alpha", float("nan")),
        ("effect", -1.0),
        ("minimum_effect", float("inf")),
    ],
)
def test_settings_out_of_range_are_named(project: Project, field: str, value: float) -> None:
    """A setting that makes no sense is refused by name."""
    made = create(project, "a", "b")
    with pytest.raises(InvalidArgument, match=field):
        calibrate(project, experiment=made, **{field: value})  # type: ignore[arg-type]


def test_wilson_limits_are_the_published_ones() -> None:
    """0 of 200 gives 0 to .0188, and 10 of 200 gives .0274 to .0896."""
    assert wilson(0, 200) == pytest.approx((0.0, 0.0188), abs=1e-4)
    assert wilson(10, 200) == pytest.approx((0.0274, 0.0896), abs=1e-4)
