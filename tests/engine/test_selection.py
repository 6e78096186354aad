"""A decision replays bit for bit, shows what it says with the probability it says, and never too much."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from vettle.engine.posterior import Posterior
from vettle.engine.records import Decision
from vettle.engine.selection import (
    MOST_PINNED,
    Candidates,
    Preferences,
    choose,
    generator,
    widening,
)

RULES = [f"r{i}" for i in range(8)]


def taught() -> Posterior:
    """Return a posterior that believes in r0 and r1, not in r2, and has no opinion on the rest."""
    posterior = Posterior()
    draws = np.random.default_rng(0)
    for _ in range(400):
        shown = [rule for rule in RULES[:3] if draws.random() < 0.5]
        score = 0.5 + 0.2 * ("r0" in shown) + 0.15 * ("r1" in shown) - 0.3 * ("r2" in shown)
        posterior.observe(shown, "c", score)
    return posterior


def decide(
    posterior: Posterior,
    candidates: Candidates,
    session: int = 0,
    k: int = 3,
    preferences: Preferences | None = None,
) -> Decision:
    """Choose in context "c" with seed 7."""
    return choose(
        posterior, candidates, "c", k=k, seed=7, session_id=str(session), folded=11, preferences=preferences
    )


def test_equal_inputs_give_equal_decisions() -> None:
    """The same seed and session give the same decision, to the bit; another of either gives other draws."""
    posterior, candidates = taught(), Candidates(RULES, proven={"r0"}, pinned={"r5"})
    first, again = (decide(posterior, candidates, session=3) for _ in range(2))
    assert first == again
    assert first.model_dump_json() == again.model_dump_json()
    assert first.model_dump(include={"policy", "seed", "folded", "k", "pool", "offered"}) == {
        "policy": "1",
        "seed": 7,
        "folded": 11,
        "k": 3,
        "pool": 8,
        "offered": 8,
    }
    assert len({decide(posterior, candidates, session=s).slate for s in range(20)}) > 5
    assert generator(1, "a").random() != generator(2, "a").random()
    assert generator(1, "a").random() != generator(1, "b").random()


def test_the_generator_is_pinned() -> None:
    """The draws of a seed and session are these numbers; if a numpy release changes them, POLICY must change."""
    draws = generator(42, "s-1")
    assert (draws.random(), draws.standard_normal()) == (0.2970991391292731, 0.9630407823620032)


def test_rules_are_shown_as_often_as_recorded() -> None:
    """Over many sessions each rule's share of showings equals the mean of its recorded propensities."""
    posterior, candidates = taught(), Candidates(RULES, proven={"r1"}, pinned={"r3"})
    expected: defaultdict[str, float] = defaultdict(float)
    shown: defaultdict[str, float] = defaultdict(float)
    spread: defaultdict[str, float] = defaultdict(float)
    for session in range(3000):
        for entry in decide(posterior, candidates, session).slate:
            expected[entry.rule] += entry.propensity
            spread[entry.rule] += entry.propensity * (1 - entry.propensity)
            shown[entry.rule] += entry.shown
    for rule in expected:
        assert abs(shown[rule] - expected[rule]) <= 4 * spread[rule] ** 0.5
    assert shown["r0"] / expected["r0"] == pytest.approx(1, abs=0.05)


def test_propensities_follow_what_is_known() -> None:
    """Promising rules are withheld in 20 % of sessions, proven and pinned ones in 2 %, mere guesses never."""
    posterior, candidates = taught(), Candidates(RULES, proven={"r1"}, pinned={"r3"})
    propensities: dict[str, set[float]] = {}
    for session in range(300):
        for entry in decide(posterior, candidates, session).slate:
            propensities.setdefault(entry.rule, set()).add(entry.propensity)
    assert propensities["r0"] == {0.8}
    assert propensities["r1"] == propensities["r3"] == {0.98}
    assert propensities["r4"] == {1.0}


def test_a_harmful_rule_is_left_out() -> None:
    """A rule that is believed to harm is never chosen, and a slate may be smaller than k, or empty."""
    posterior = taught()
    for session in range(200):
        assert "r2" not in [entry.rule for entry in decide(posterior, Candidates(RULES), session, k=8).slate]
    assert decide(posterior, Candidates(["r2"])).slate == ()
    assert decide(posterior, Candidates([])).slate == ()


@pytest.mark.parametrize("k", [0, 1, 3, 8])
def test_at_most_k_rules_compete_in(k: int) -> None:
    """A slate has at most k rules, best first, unless some are pinned."""
    posterior = taught()
    sizes = {len(decide(posterior, Candidates(RULES), session, k).slate) for session in range(100)}
    assert max(sizes) == min(k, max(sizes))
    assert min(k, 2) in sizes or k > 2


def test_pinned_rules_come_on_top() -> None:
    """Pinned candidates are always on the slate, first, and take no place from the k others; at most ten."""
    posterior = taught()
    slate = decide(posterior, Candidates(RULES, pinned={"r2", "r6", "elsewhere"}), k=1).slate
    assert [entry.rule for entry in slate] == ["r2", "r6", "r0"]
    many = [f"p{i}" for i in range(15)]
    slate = decide(posterior, Candidates(many, pinned=set(many)), k=0).slate
    assert [entry.rule for entry in slate] == many[:MOST_PINNED]


def test_pinned_rules_need_not_be_relevant() -> None:
    """A pinned candidate is on the slate even when it is beyond the widening limit."""
    pool = [f"r{i}" for i in range(500)]
    decision = decide(Posterior(), Candidates(pool, pinned={"r499"}))
    assert decision.slate[0].rule == "r499"
    assert decision.offered == 100


def test_big_pools_widen_with_evidence() -> None:
    """Only the first max(100, 8 sqrt(t + 1)) candidates are offered after t sessions."""
    assert [widening(t) for t in (0, 155, 2000, 10_000)] == [100, 100, 358, 801]
    pool = [f"r{i}" for i in range(5000)]
    chosen = {
        int(entry.rule[1:])
        for s in range(100)
        for entry in decide(Posterior(), Candidates(pool), s, k=10).slate
    }
    assert max(chosen) < 100
    assert len(chosen) > 90


def test_a_holdout_shows_nothing() -> None:
    """A holdout has the slate and the propensities of an ordinary session, and shows none of it."""
    posterior, candidates = taught(), Candidates(RULES, pinned={"r3"})
    kept = Preferences(holdout=0.1)
    holdouts = 0
    for session in range(1000):
        with_holdout = decide(posterior, candidates, session, preferences=kept)
        without = decide(posterior, candidates, session)
        assert [(e.rule, e.propensity) for e in with_holdout.slate] == [
            (e.rule, e.propensity) for e in without.slate
        ]
        holdouts += with_holdout.holdout
        if with_holdout.holdout:
            assert not any(entry.shown for entry in with_holdout.slate)
        else:
            assert with_holdout == without
    assert 70 < holdouts < 130


def test_dear_rules_must_earn_their_tokens() -> None:
    """A rule whose tokens cost more than it is believed to bring is not chosen, and neither is a tiny effect."""
    posterior = taught()
    dear = Candidates(["r0", "r1"], tokens={"r0": 5000, "r1": 10})
    priced = [e.rule for e in decide(posterior, dear, preferences=Preferences(price=1e-4)).slate]
    assert priced == ["r1"]
    assert not decide(posterior, dear, preferences=Preferences(minimum_effect=0.5)).slate


def test_impossible_requests_are_refused() -> None:
    """A negative k and a rule listed twice are refused."""
    with pytest.raises(ValueError, match="k"):
        decide(Posterior(), Candidates(RULES), k=-1)
    with pytest.raises(ValueError, match="twice"):
        decide(Posterior(), Candidates(["a", "a"]))
