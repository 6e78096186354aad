"""The learner is one deterministic fold: what it saves, it is; what it refuses, it has not seen."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vettle.engine import learner as module
from vettle.engine.effects import CLAIM
from vettle.engine.learner import Learner
from vettle.engine.posterior import Parameters
from vettle.engine.records import RuleStatus, SlateEntry
from vettle.engine.selection import Candidates, choose


def slate(**rules: tuple[float, bool]) -> list[SlateEntry]:
    """Build a slate from rule=(propensity, shown)."""
    return [SlateEntry(rule=rule, propensity=p, shown=shown) for rule, (p, shown) in rules.items()]


def run(learner: Learner, sessions: range, effects: dict[str, float], base: float = 0.5) -> None:
    """Let the learner choose and learn; scores are accepted or rejected."""
    candidates = Candidates(list(effects))
    for session in sessions:
        draws = np.random.default_rng(session)
        context = f"c{session % 2}"
        decision = choose(learner.posterior, candidates, context, k=3, seed=1, session_id=str(session))
        chance = base + sum(effects[entry.rule] for entry in decision.slate if entry.shown)
        if draws.random() < 0.1:
            learner.observe_missing(context, decision.slate)
        else:
            learner.observe(context, float(draws.random() < chance), decision.slate)


EFFECTS = {"good": 0.3, "fair": 0.1, "idle": 0.0, "bad": -0.2} | {f"r{i}": 0.0 for i in range(10)}


def test_a_restored_learner_is_the_same_learner() -> None:
    """Saved, restored and fed on, a learner has the very bytes of one that never was saved."""
    never, saved = Learner(), Learner()
    for start in range(0, 600, 150):
        run(never, range(start, start + 150), EFFECTS)
        run(saved, range(start, start + 150), EFFECTS)
        saved.hint("r1", "c0", shown=False)
        never.hint("r1", "c0", shown=False)
        saved = Learner.from_bytes(saved.to_bytes())
    assert saved.to_bytes() == never.to_bytes()
    assert saved.estimate("good", "c1") == never.estimate("good", "c1")


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("observe"), st.integers(0, 2), st.floats(0, 1), st.integers(0, 63)),
        st.tuples(st.just("missing"), st.integers(0, 2), st.floats(0, 1), st.integers(0, 63)),
        st.tuples(st.just("holdout"), st.integers(0, 2), st.floats(0, 1), st.integers(0, 63)),
        st.tuples(st.just("hint"), st.integers(0, 2), st.floats(0, 1), st.integers(0, 5)),
        st.tuples(st.just("prior"), st.integers(0, 2), st.floats(-1, 1), st.integers(0, 5)),
        st.tuples(st.just("reset"), st.integers(0, 2), st.floats(0, 1), st.integers(0, 5)),
        st.tuples(st.just("forget"), st.integers(0, 2), st.floats(0, 1), st.integers(0, 5)),
    ),
    max_size=40,
)

SMALL = replace(Parameters(), cap=10, decay_every=3, half_life=50, context_limit=2)
"""Parameters under which parking, recalling and decay happen within a few sessions."""


def apply(learner: Learner, kind: str, context: int, value: float, number: int) -> None:
    """Do one operation; `number` says which of six rules take part, or which one."""
    label, rule = ("", "x", "y")[context], f"r{number % 6}"
    coins = [
        SlateEntry(
            rule=f"r{i}", propensity=(1.0, 0.8, 0.98)[i % 3], shown=(i % 3 == 0 or number % (i + 2) > 0)
        )
        for i in range(6)
        if number >> i & 1
    ]
    hidden = [entry.model_copy(update={"shown": False}) for entry in coins]
    operations: dict[str, Callable[[], object]] = {
        "observe": lambda: learner.observe(label, value, coins),
        "missing": lambda: learner.observe_missing(label, coins),
        "holdout": lambda: learner.observe(label, value, hidden, holdout=True),
        "hint": lambda: learner.hint(rule, label, shown=value > 0.5),
        "prior": lambda: learner.set_prior(rule, value),
        "reset": lambda: learner.reset(rule),
        "forget": learner.forget,
    }
    operations[kind]()


@given(OPERATIONS, OPERATIONS)
@settings(max_examples=60, deadline=None)
def test_any_history_survives_saving(
    before: list[tuple[str, int, float, int]], after: list[tuple[str, int, float, int]]
) -> None:
    """After any operations the bytes restore the learner exactly; beliefs stay possible, e-values finite."""
    learner = Learner(SMALL)
    for operation in before:
        apply(learner, *operation)
    restored = Learner.from_bytes(learner.to_bytes())
    assert restored.to_bytes() == learner.to_bytes()
    for operation in after:
        apply(learner, *operation)
        apply(restored, *operation)
    assert restored.to_bytes() == learner.to_bytes()
    _, mean, covariance = learner.posterior.joint()
    assert np.isfinite(mean).all()
    assert (covariance == covariance.T).all()
    assert np.linalg.eigvalsh(covariance).min() > -1e-12
    for index in range(6):
        estimate = learner.estimate(f"r{index}", "x")
        assert min(estimate.e_works, estimate.e_hurts) >= 0
        assert estimate.low < estimate.effect < estimate.high
        assert estimate == restored.estimate(f"r{index}", "x")


def test_evidence_is_judged_by_earlier_beliefs() -> None:
    """The score is compared with what was predicted before it: base, context, the other shown rules, p times its own."""
    learner = Learner()
    learner.set_prior("a", 0.1)
    learner.set_prior("b", -0.05)
    learner.observe("c", 1.0, slate(a=(0.8, True), b=(0.5, True), d=(0.98, False)))
    expected = 0.6 - 0.05 + 0.8 * 0.1
    assert learner.evidence("a").sums.x == pytest.approx(0.2 * (1 - expected))
    assert learner.evidence("b").sums.x == pytest.approx(0.5 * (1 - (0.6 + 0.1 - 0.5 * 0.05)))
    assert learner.evidence("d").sums.x == pytest.approx(-0.98 * (1 - (0.6 + 0.1 - 0.05)))


def test_holdouts_and_certain_showings_prove_nothing() -> None:
    """A holdout leaves all evidence alone but teaches the baseline; a rule shown for certain only counts."""
    learner = Learner()
    for _ in range(50):
        learner.observe("c", 0.1, slate(a=(0.8, False)), holdout=True)
        learner.observe_missing("c", slate(a=(0.8, False)), holdout=True)
    assert not learner.knows("a")
    assert learner.posterior.baseline("c") < 0.2
    assert (learner.sessions, learner.holdouts, learner.unscored) == (50, 100, 50)
    learner.observe("c", 1.0, slate(a=(1.0, True)))
    estimate = learner.estimate("a")
    assert (estimate.shown, estimate.withheld, estimate.e_works, estimate.causal_effect) == (1, 0, 1.0, None)


def test_estimates_say_what_is_known() -> None:
    """An untouched rule has its prior as estimate; a good rule's effect, interval and proof come out right."""
    learner = Learner()
    fresh = learner.estimate("good")
    assert (fresh.effect, fresh.chance_helps, fresh.e_works, fresh.causal_low) == (0.0, 0.5, 1.0, None)
    assert fresh.high == pytest.approx(1.645 * 0.05, abs=1e-3)
    run(learner, range(250), EFFECTS)
    needed = learner.estimate("good", "c0").sessions_needed
    assert needed is not None
    assert 10 < needed < 2000
    run(learner, range(250, 900), EFFECTS)
    good = learner.estimate("good", "c0")
    assert good.e_works >= CLAIM
    assert good.sessions_needed is None
    assert good.chance_helps > 0.99
    assert good.causal_low is not None
    assert good.causal_high is not None
    assert 0 < good.causal_low < 0.3 < good.causal_high
    assert not good.missing_suspected


def test_standings_follow_the_evidence() -> None:
    """Trial rules are proven or retired, proven ones retired only for harm, others never touched."""
    learner = Learner()
    run(learner, range(900), EFFECTS)
    assert learner.standing("good", "trial")[0] == "proven"
    assert learner.standing("good", "proven") == ("proven", "")
    assert learner.standing("never seen", "trial") == ("trial", "")
    for session in range(400):
        shown = session % 2 == 0
        learner.observe("c", 0.3 if shown else 0.8, slate(worse=(0.5, shown)))
    for status in ("trial", "proven"):
        new, reason = learner.standing("worse", status)
        assert new == "retired"
        assert "hurts" in reason
    frozen: tuple[RuleStatus, ...] = ("pinned", "quarantined", "retired")
    for status in frozen:
        assert learner.standing("worse", status) == (status, "")
        assert learner.standing("good", status) == (status, "")


def test_idle_rules_are_retired_when_they_cannot_matter() -> None:
    """A rule is retired once P(effect > .05) < .05 everywhere it was tried, and not before ten showings."""
    learner = Learner()
    draws = np.random.default_rng(3)
    retired_after = None
    for session in range(600):
        shown = session % 2 == 0
        learner.observe("c", float(draws.binomial(3, 0.5) / 3), slate(idle=(1.0, True)) if shown else [])
        new, reason = learner.standing("idle", "trial")
        if new == "retired":
            retired_after = learner.evidence("idle").shown
            assert "P(effect > 0.05) < 0.05" in reason
            break
    assert retired_after is not None
    assert retired_after >= 10
    assert learner.standing("idle", "proven") == ("proven", "")


def test_a_reset_rule_starts_again() -> None:
    """A reworded rule loses beliefs and proof, and keeps its prior."""
    learner = Learner()
    learner.set_prior("good", 0.04)
    run(learner, range(300), EFFECTS)
    learner.reset("good")
    assert not learner.knows("good")
    assert learner.estimate("good").effect == 0.04
    assert learner.estimate("good").shown == 0


def test_missing_outcomes_are_suspected_by_rule() -> None:
    """A rule whose coin decides whether there is an outcome is suspected; the estimate says so."""
    learner = Learner()
    draws = np.random.default_rng(4)
    for _ in range(1500):
        entries = slate(a=(0.8, bool(draws.random() < 0.8)), b=(0.8, bool(draws.random() < 0.8)))
        if draws.random() < (0.1 if entries[0].shown else 0.3):
            learner.observe_missing("c", entries)
        else:
            learner.observe("c", 0.5, entries)
    assert learner.estimate("a").missing_suspected
    assert not learner.estimate("b").missing_suspected


def test_alarms_are_reported() -> None:
    """A collapse of scores is reported by the session at which it is noticed."""
    learner = Learner()
    assert not any(learner.observe("c", 0.8, []).alarm for _ in range(100))
    assert any(learner.observe("c", 0.0, []).alarm for _ in range(50))
    assert learner.alarms == 1


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.1])
def test_unusable_scores_leave_no_trace(score: float) -> None:
    """A score outside [0, 1] is refused and nothing is folded."""
    learner = Learner()
    before = learner.to_bytes()
    with pytest.raises(ValueError, match="score"):
        learner.observe("c", score, slate(a=(0.8, True)))
    assert learner.to_bytes() == before


def entry(rule: str, propensity: float, shown: bool) -> SlateEntry:
    """Build an entry without the checks of the record."""
    return SlateEntry.model_construct(rule=rule, propensity=propensity, shown=shown)


@pytest.mark.parametrize(
    ("entries", "holdout"),
    [
        ([entry("a", float("nan"), True)], False),
        ([entry("a", 0.0, False)], False),
        ([entry("a", 1.2, True)], False),
        ([entry("a", 1.0, False)], False),
        ([entry("a", 0.8, True)], True),
        ([entry("a", 0.8, True), entry("a", 0.8, False)], False),
        ([entry("", 0.8, True)], False),
    ],
)
def test_impossible_slates_leave_no_trace(entries: list[SlateEntry], holdout: bool) -> None:
    """A slate that no decision can have made is refused and nothing is folded."""
    learner = Learner()
    before = learner.to_bytes()
    with pytest.raises(ValueError, match="slate"):
        learner.observe("c", 0.5, entries, holdout=holdout)
    with pytest.raises(ValueError, match="slate"):
        learner.observe_missing("c", entries, holdout=holdout)
    assert learner.to_bytes() == before


def test_damaged_bytes_are_refused() -> None:
    """Truncated, altered and foreign bytes are refused with a ValueError, whatever the damage."""
    learner = Learner()
    run(learner, range(50), EFFECTS)
    data = learner.to_bytes()
    for length in (0, 5, 20, 30, 400, len(data) - 8, len(data) - 1):
        with pytest.raises(ValueError, match="learner"):
            Learner.from_bytes(data[:length])
    for position in range(0, len(data), 997):
        with pytest.raises(ValueError, match="learner"):
            Learner.from_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
    with pytest.raises(ValueError, match="learner"):
        Learner.from_bytes(data + b"\0")


def resealed(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace part of the header (same length) and correct the checksum."""
    assert len(old) == len(new)
    assert old in data
    body = data[:-4].replace(old, new, 1)
    return body + zlib.crc32(body).to_bytes(4, "little")


def test_another_policy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of another policy version, or of another header, are refused, so that the log is folded again."""
    learner = Learner()
    run(learner, range(20), EFFECTS)
    data = learner.to_bytes()
    with pytest.raises(ValueError, match="policy"):
        Learner.from_bytes(resealed(data, b'"policy":"1"', b'"policy":"0"'))
    with pytest.raises(ValueError, match="header"):
        Learner.from_bytes(resealed(data, b'"holdouts"', b'"holdings"'))
    monkeypatch.setattr(module, "POLICY", "2")
    with pytest.raises(ValueError, match="policy '1', this is policy '2'"):
        Learner.from_bytes(data)


def test_the_header_is_json() -> None:
    """The bytes begin with a magic line, a length and a JSON header that says which policy wrote them."""
    data = Learner().to_bytes()
    assert data.startswith(b"vettle learner\n")
    length = int.from_bytes(data[15:23], "little")
    assert json.loads(data[23 : 23 + length])["policy"] == "1"


def test_parameters_are_saved() -> None:
    """A learner with other parameters is restored with them."""
    assert Learner.from_bytes(Learner(SMALL).to_bytes()).posterior.parameters == SMALL
