"""In simulated worlds the whole loop beats the peer's policy, claims little that is false, and notices change.

Small versions of `benchmarks/rules.py`, with seeds fixed and limits several standard errors from what
is measured there.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from benchmarks import rules, worlds
from benchmarks.peer_policy import PeerPolicy
from benchmarks.rules import Engine, Run, engine_runs, false_claims, peer_runs, ratio, simulate


def total_ratio(ours: list[Run], theirs: list[Run]) -> float:
    """Return the ratio of cumulative regrets."""
    return ratio([run.regret[-1] for run in ours], [run.regret[-1] for run in theirs])[0]


def test_plain_worlds_cost_less_than_with_the_peer() -> None:
    """With 50 rules and one context, regret over 500 sessions is below the peer's (0.79 of it at 60 seeds)."""
    ours, theirs = engine_runs(worlds.plain, 12, 500), peer_runs(worlds.plain, 12, 500)
    assert total_ratio(ours, theirs) < 0.95
    assert np.mean([run.regret[-1] for run in ours]) < 150


def test_confounded_worlds_cost_much_less_than_with_the_peer() -> None:
    """With four contexts and hidden differences, regret is far below the peer's, and its intervals hold."""
    ours, theirs = engine_runs(worlds.confounded, 6, 1000), peer_runs(worlds.confounded, 6, 1000)
    assert total_ratio(ours, theirs) < 0.85
    assert np.mean([run.covered for run in ours]) > 0.75
    assert false_claims(worlds.confounded, ours) <= 0.02


def test_relevance_helps_in_a_big_pool() -> None:
    """With 500 rules, a weakly informative order saves regret over an uninformative one, and over the peer."""
    blind = engine_runs(worlds.pool500, 3, 800, order=worlds.shuffled)
    helped = engine_runs(worlds.pool500, 3, 800, order=worlds.relevance)
    assert total_ratio(helped, blind) < 0.95
    assert total_ratio(helped, peer_runs(worlds.pool500, 3, 800)) < 0.85


def test_nothing_is_claimed_where_nothing_works() -> None:
    """Among rules that do nothing at most 5 % are ever claimed, no change is reported, and fewer rules are shown."""
    runs = engine_runs(worlds.null, 6, 1200)
    assert false_claims(worlds.null, runs) <= 0.05
    assert sum(len(run.alarms) for run in runs) == 0
    assert np.mean([run.shown[-200:].mean() for run in runs]) < rules.K


def test_good_rules_are_proven() -> None:
    """After 1,500 sessions of a plain world the top rules are good ones, and some are proven."""
    runs = engine_runs(worlds.plain, 3, 1500)
    assert np.mean([run.precision for run in runs]) >= 0.85
    assert rules.good_claims(worlds.plain, runs) >= 0.3
    assert false_claims(worlds.plain, runs) <= 0.02


def test_a_change_of_all_effects_is_noticed() -> None:
    """When all effects are dealt anew after 1,000 sessions the alarm mostly sounds within 100, and never before."""
    caught = 0
    for seed in range(5):
        world = worlds.plain(seed)
        world.redraw_at = 1000
        alarms = simulate(world, Engine(world, seed), 1100).alarms
        assert all(alarm > 1000 for alarm in alarms)
        caught += bool(alarms)
    assert caught >= 3


def test_naming_the_rule_helps_and_does_not_prove() -> None:
    """Naming the right rule in 70 % of mistakes saves regret; naming rules at random costs little."""
    without, right, wrong = (
        engine_runs(worlds.plain, 6, 500, hints_right=share) for share in (None, 0.7, 0.0)
    )
    assert total_ratio(right, without) < 0.85
    assert total_ratio(wrong, without) < 1.25
    assert false_claims(worlds.plain, right) <= 0.02


def test_the_best_set_has_no_regret() -> None:
    """Playing the best three rules costs nothing; playing none costs what they bring."""
    world = worlds.plain(1)
    world.start()
    best = np.argsort(-world.effects[0])[:3].tolist()
    assert world.play(best).regret == 0
    assert world.play([]).regret == pytest.approx(0.375)


def test_interacting_rules_do_not_add_up() -> None:
    """Redundant rules count once, a synergy needs both, a conflict costs, and the best set is the stated one."""
    world = worlds.interact(1)
    world.start()
    assert world.total([0, 1, 2]) == pytest.approx(0.10)
    assert world.total([3]) == 0
    assert world.total([3, 4]) == pytest.approx(0.12)
    assert world.total([5, 6]) == pytest.approx(-0.06)
    assert world.play([0, 7, 8]).regret == pytest.approx(0)


def test_the_expected_score_is_the_mean_score() -> None:
    """The closed form of the mean session score agrees with playing many sessions."""
    world = worlds.plain(2)
    scores = []
    for _ in range(20_000):
        world.start()
        scores.append(world.play([]).score)
    assert np.mean(scores) == pytest.approx(worlds.expected_score(0.6), abs=0.01)
    values = [worlds.expected_score(chance) for chance in (0.0, 0.3, 0.6, 1.0)]
    assert values[-1] == 1.0
    assert all(low < high for low, high in pairwise(values))


def test_the_peer_credits_everybody() -> None:
    """The peer adds the reward to every chosen rule and one failure per mistake, in that context only."""
    peer = PeerPolicy(10, np.random.default_rng(0))
    for _ in range(200):
        peer.learn("a", [1, 2], reward=1.0, mistakes=0)
        peer.learn("a", [3], reward=1.0, mistakes=2)
    assert 3 not in peer.choose("a", 5)
    assert set(peer.ranking("a")[:2]) == {1, 2}
    assert peer.ranking("a")[-1] == 3
    assert len(set(peer.choose("b", 10))) == 10
    assert peer.claimed() <= {1, 2}


def test_the_command_prints_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """The benchmark prints a Markdown table per scenario and refuses scenarios that do not exist."""
    assert rules.main(["--only", "missing", "--scale", "0.03"]) in (0, 1)
    printed = capsys.readouterr().out
    assert printed.startswith("### missing")
    assert "| flagged, 15 % missing at random |" in printed
    with pytest.raises(SystemExit):
        rules.main(["--only", "nonsense"])
