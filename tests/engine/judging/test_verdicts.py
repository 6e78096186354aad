"""A judgement claims only what is proven, says why, and says what to do next."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from vettle.engine.judging.blocks import BettingRace
from vettle.engine.judging.checks import Check, sample_ratio
from vettle.engine.judging.estimates import covariate_adjusted, paired
from vettle.engine.judging.guardrails import Guardrail
from vettle.engine.judging.judgement import Judgement, Plan
from vettle.engine.judging.mixture import MixtureRace
from vettle.engine.judging.race import Race
from vettle.engine.judging.verdict import judge_each, judge_race
from vettle.engine.judging.verdict_samples import Samples, judge_estimate, judge_samples

PLAN = Plan(minimum_effect=0.1)


def binary_race(seed: int, blocks: int, margin: float | None = None, **means: float) -> BettingRace:
    """Run a race of binary outcomes with these means until it has a winner or the blocks are spent."""
    draws = np.random.default_rng(seed)
    race = BettingRace(list(means), margin=margin)
    for _ in range(blocks):
        if race.winner is None:
            race.add({name: float(draws.random() < means[name]) for name in race.survivors})
    return race


def all_words(judgement: Judgement) -> str:
    """Return everything that is said."""
    return " ".join((*judgement.reasons, judgement.next_step))


@pytest.mark.parametrize("race", [BettingRace(["a", "b"]), MixtureRace(["a", "b"])])
def test_no_runs_are_no_verdict(race: Race) -> None:
    """Without a block the answer is "no data", with nobody leading."""
    judgement = judge_race(race, PLAN)
    assert (judgement.outcome, judgement.leader, judgement.interval) == ("insufficient", None, None)
    assert "no data" in judgement.reasons[0]
    assert "no data" in judge_each(race, "a", PLAN)["b"].reasons[0]
    assert "no data" in judge_samples({"a": [], "b": [1.0]}, PLAN).reasons[0]


def test_one_run_each_is_insufficient() -> None:
    """0 against 100, or 0 against 1, once each: too early, with what is needed, and no winner."""
    race = BettingRace(["a", "b"])
    race.add({"a": 0.0, "b": 1.0})
    mixture = MixtureRace(["a", "b"])
    mixture.add({"a": 0.0, "b": 100.0})
    samples = judge_samples({"a": [0.0], "b": [100.0]}, Plan(5.0))
    for judgement in (judge_race(race, PLAN), judge_race(mixture, Plan(5.0)), samples):
        assert judgement.outcome == "insufficient"
        assert judgement.leader == "b"
        assert judgement.losers == ()
        assert judgement.more is not None
        assert judgement.more.mean >= 7
        assert "8" in all_words(judgement)
    assert judge_race(race, PLAN).more == pytest.approx((448, 824), rel=0.1)
    assumed = judge_race(mixture, Plan(5.0, expected_variance=200.0))
    assert assumed.more is not None
    assert math.isfinite(assumed.more.ninetieth)


def test_a_winner_is_named_with_its_evidence() -> None:
    """The last survivor is better than the others, with limits above zero and a shrunk difference."""
    judgement = judge_race(binary_race(1, 2000, a=0.5, b=0.8, c=0.4), PLAN)
    assert (judgement.outcome, judgement.leader) == ("better", "b")
    assert sorted(judgement.losers) == ["a", "c"]
    assert judgement.e_value >= 40
    assert judgement.more is None
    assert judgement.interval is not None
    assert judgement.shrunk is not None
    assert 0 < judgement.shrunk.mean < judgement.interval.estimate
    assert "adopt 'b'" in judgement.next_step
    assert not judgement.asymptotic


def test_the_highest_average_is_not_a_winner() -> None:
    """A leader by ten points after 20 blocks leads, and that proves nothing."""
    race = BettingRace(["a", "b"])
    for block in range(20):
        race.add({"a": float(block % 2), "b": float(block % 5 < 3)})
    judgement = judge_race(race, PLAN)
    assert (judgement.outcome, judgement.leader, judgement.losers) == ("insufficient", "b", ())
    assert "proves nothing" in judgement.reasons[0]
    assert "more blocks" in judgement.next_step


def test_level_variants_have_no_leader() -> None:
    """A tie of three is said, and nobody is picked."""
    race = BettingRace(["a", "b", "c"])
    for _ in range(10):
        race.add({"a": 1.0, "b": 1.0, "c": 1.0})
    judgement = judge_race(race, PLAN)
    assert (judgement.outcome, judgement.leader) == ("insufficient", None)
    assert "'a', 'b', 'c' are level" in judgement.reasons[0]


def test_worse_is_for_a_challenger_of_a_control() -> None:
    """If the control wins the challenger is worse; without a control the other one is better."""
    race = binary_race(2, 2000, old=0.8, new=0.5)
    against, free = judge_race(race, PLAN, control="old"), judge_race(race, PLAN)
    assert (against.outcome, against.leader, against.losers) == ("worse", "old", ("new",))
    assert against.compared == ("new", "old")
    assert against.interval is not None
    assert against.interval.high <= 0
    assert "keep 'old'" in against.next_step
    assert (free.outcome, free.leader) == ("better", "old")


def test_every_challenger_has_a_verdict_of_its_own() -> None:
    """Against one control one challenger is better, one is worse and one is undecided."""
    draws = np.random.default_rng(3)
    race = BettingRace(["control", "up", "down", "same"])
    for _ in range(250):
        means = {"control": 0.5, "up": 0.8, "down": 0.2, "same": 0.5}
        race.add({name: float(draws.random() < mean) for name, mean in means.items()})
    found = judge_each(race, "control", PLAN)
    assert {name: judgement.outcome for name, judgement in found.items()} == {
        "up": "better",
        "down": "worse",
        "same": "insufficient",
    }
    assert found["up"].losers == ("control",)
    assert found["down"].leader == "control"
    with pytest.raises(ValueError, match="'x'"):
        judge_each(race, "x", PLAN)


def test_a_tie_says_take_the_cheaper() -> None:
    """Variants proven to differ by less than the margin are equivalent."""
    race = binary_race(4, 500, margin=0.2, a=0.6, b=0.6)
    assert race.tie
    judgement = judge_race(race, PLAN)
    assert judgement.outcome == "equivalent"
    assert "cheaper" in judgement.next_step
    assert judge_each(race, "a", PLAN)["b"].outcome == "equivalent"


def test_a_budget_that_cannot_answer_ends_the_experiment() -> None:
    """If the minimum effect is not findable in what is left of the budget: no difference, and stop."""
    race = binary_race(5, 30, a=0.6, b=0.6)
    judgement = judge_race(race, Plan(0.03, budget=100))
    assert judgement.outcome == "no_difference"
    assert "stop" in judgement.next_step
    assert judge_race(race, Plan(0.03, budget=100_000)).outcome == "insufficient"
    assert judge_race(race, Plan(0.03)).outcome == "insufficient"
    assert judge_race(binary_race(5, 3, a=0.6, b=0.6), Plan(0.03, budget=100)).outcome == "insufficient"


def test_a_breached_guardrail_withholds_a_win() -> None:
    """The winner is not adopted, the guardrail is named; the loser's breach changes nothing."""
    race = binary_race(1, 2000, a=0.5, b=0.8)
    mine, theirs = Guardrail("tokens", "b", 0.05), Guardrail("tokens", "a", 0.05)
    for _ in range(30):
        mine.add(0.6)
        theirs.add(0.6)
    withheld = judge_race(race, PLAN, guardrails=[mine])
    assert (withheld.outcome, withheld.blocked_by) == ("invalid", ("tokens",))
    assert "do not adopt 'b'" in withheld.next_step
    assert judge_each(race, "a", PLAN, guardrails=[mine])["b"].outcome == "invalid"
    fine = judge_race(race, PLAN, guardrails=[theirs])
    assert (fine.outcome, fine.blocked_by) == ("better", ())
    assert any("'tokens': 'a'" in reason for reason in fine.reasons)
    early = judge_race(binary_race(1, 10, a=0.6, b=0.6), PLAN, guardrails=[mine])
    assert early.outcome == "insufficient"


def test_untrustworthy_data_withhold_the_verdict() -> None:
    """A fatal check makes any outcome invalid and is the reason; another one is only said."""
    race = binary_race(1, 2000, a=0.5, b=0.8)
    wrong_split = sample_ratio({"a": 400, "b": 200})
    judgement = judge_race(race, PLAN, checks=[wrong_split])
    assert (judgement.outcome, judgement.leader, judgement.losers) == ("invalid", None, ())
    assert wrong_split.detail in judgement.reasons
    odd = Check("outliers", False, "three runs took hours")
    kept = judge_race(race, PLAN, checks=[odd])
    assert kept.outcome == "better"
    assert "three runs took hours" in kept.reasons


def test_lost_runs_withhold_the_verdict() -> None:
    """25 of 30 lost in one arm: the survivors do not win."""
    samples: Samples = {"a": [1.0, 0.9, 1.0, 0.8, 1.0, *[None] * 25], "b": [0.5, 0.6] * 15}
    judgement = judge_samples(samples, PLAN)
    assert (judgement.outcome, judgement.leader) == ("invalid", None)
    assert "'a' 25 of 30" in all_words(judgement)
    gone = judge_samples({"a": [None] * 30, "b": [0.5, 0.6] * 15}, PLAN)
    assert gone.outcome == "invalid"


def test_one_unscored_run_is_reported() -> None:
    """Of the values 1, NaN and 5 the NaN is named by its row and the others count."""
    judgement = judge_samples({"a": [1.0, math.nan, 5.0], "b": [1.0, 2.0, 3.0]}, PLAN)
    assert "'a' row 1 is nan" in all_words(judgement)
    assert judgement.leader == "a"
    assert judgement.outcome == "insufficient"


def test_twenty_failures_against_twenty_successes_are_decisive() -> None:
    """As proportions, as numbers, in blocks by bets and by the t-mixture."""
    samples = {"a": [0.0] * 20, "b": [1.0] * 20}
    bets, mixture = BettingRace(["a", "b"]), MixtureRace(["a", "b"])
    for _ in range(20):
        bets.add({"a": 0.0, "b": 1.0})
        mixture.add({"a": 0.0, "b": 1.0})
    for judgement in (
        judge_samples(samples, PLAN),
        judge_samples(samples, PLAN, method="proportion"),
        judge_race(bets, PLAN),
        judge_race(mixture, PLAN),
    ):
        assert (judgement.outcome, judgement.leader) == ("better", "b")
    assert "deterministic difference" in all_words(judge_samples(samples, PLAN))
    assert "deterministic difference" in all_words(judge_race(mixture, PLAN))


def test_equal_constants_are_no_difference() -> None:
    """Twenty runs each that always give 3: no difference, or equivalent if a margin was declared."""
    samples = {"a": [3.0] * 20, "b": [3.0] * 20}
    assert judge_samples(samples, PLAN).outcome == "no_difference"
    assert judge_samples(samples, PLAN, margin=0.1).outcome == "equivalent"


def test_samples_of_many_arms() -> None:
    """Without blocks the best of three arms wins by large samples, and a control may win too."""
    draws = np.random.default_rng(6)
    samples = {
        name: draws.normal(mean, 1, 120).tolist() for name, mean in (("a", 0.0), ("b", 1.5), ("c", 0.2))
    }
    judgement = judge_samples(samples, PLAN)
    assert (judgement.outcome, judgement.leader, sorted(judgement.losers)) == ("better", "b", ["a", "c"])
    assert judgement.asymptotic
    assert judgement.unit == "runs per arm"
    assert judge_samples(samples, PLAN, control="b").outcome == "worse"
    equal = {name: draws.normal(0, 1, 400).tolist() for name in "abc"}
    assert judge_samples(equal, PLAN).outcome == "insufficient"
    assert judge_samples(equal, PLAN, margin=0.5).outcome == "equivalent"
    with pytest.raises(ValueError, match="control"):
        judge_samples(samples, PLAN, control="x")


def test_negative_and_low_scores_are_scores() -> None:
    """If all values are negative the largest is the best."""
    draws = np.random.default_rng(7)
    samples = {"a": draws.normal(-100, 1, 60).tolist(), "b": draws.normal(-90, 1, 60).tolist()}
    assert judge_samples(samples, PLAN).leader == "b"


def test_any_estimate_can_be_judged() -> None:
    """Paired and covariate-adjusted differences give the same outcomes, flipped with the control."""
    draws = np.random.default_rng(8)
    x = draws.normal(0, 1, 80)
    a, b = (x + 1 + draws.normal(0, 0.3, 80)).tolist(), (x + draws.normal(0, 0.3, 80)).tolist()
    assert judge_estimate(paired(a, b), "a", "b", PLAN).outcome == "better"
    worse = judge_estimate(paired(b, a), "new", "old", PLAN, control="old")
    assert (worse.outcome, worse.leader, worse.losers) == ("worse", "old", ("new",))
    adjusted = covariate_adjusted(a, x.tolist(), b, x.tolist())
    assert judge_estimate(adjusted, "a", "b", PLAN).leader == "a"
    assert judge_estimate(paired(a[:7], b[:7]), "a", "b", PLAN).outcome == "insufficient"
    with pytest.raises(ValueError, match="control"):
        judge_estimate(adjusted, "a", "b", PLAN, control="a")


def test_twenty_equal_configurations_stay_undecided() -> None:
    """Ten runs each of twenty configurations of true .60: no winner, whoever is the luckiest."""
    draws = np.random.default_rng(9)
    samples = {f"c{index:02}": (draws.random(10) < 0.6).astype(float).tolist() for index in range(20)}
    assert judge_samples(samples, PLAN, method="proportion").outcome == "insufficient"


def test_a_judgement_is_plain_json() -> None:
    """Every judgement goes through strict JSON; infinite limits become null."""
    mixture = MixtureRace(["a", "b"])
    mixture.add({"a": 0.0, "b": 100.0})
    for judgement in (
        judge_race(mixture, PLAN),
        judge_race(BettingRace(["a", "b"]), PLAN),
        judge_race(binary_race(1, 2000, a=0.5, b=0.8), PLAN),
    ):
        plain = json.loads(json.dumps(judgement.to_json(), allow_nan=False))
        assert plain["outcome"] == judgement.outcome
    assert judge_race(mixture, PLAN).to_json()["low"] is None
    assert judge_race(mixture, PLAN).to_json()["more_mean"] == 7
    assert judge_race(mixture, PLAN).to_json()["more_ninetieth"] is None


def test_a_plan_has_to_make_sense() -> None:
    """A minimum effect is above zero and a budget at least one block."""
    for effect in (0.0, -0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="effect"):
            Plan(effect)
    with pytest.raises(ValueError, match="budget"):
        Plan(0.1, budget=0)
