"""The best score wins, whatever its sign; what is not scored is said, and ties are decided by chance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import Choice, Option, Ranked
from vettle.engine.policies.registry import choose


def best(*scores: float | None, seed: int = 0) -> Choice:
    """Choose among options a, b, c, ... of these scores."""
    options = [Option(chr(ord("a") + index), score=score) for index, score in enumerate(scores)]
    return choose("score", options, np.random.default_rng(seed))


def test_nan_does_not_win() -> None:
    """Of 1, NaN and 5 the 5 is chosen, the NaN is listed apart, and the reason says that one is not scored."""
    choice = best(1, math.nan, 5)
    assert (choice.id, choice.propensity, choice.unscored) == ("c", 1.0, ("b",))
    assert choice.reason == "highest score, 5; 1 not scored"
    assert choice.ranking == (Ranked("c", 5), Ranked("a", 1))
    assert not choice.explored


@pytest.mark.parametrize("missing", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_not_scored(missing: float | None) -> None:
    """A missing or infinite score never wins, at whatever position it stands."""
    for position in range(3):
        scores: list[float | None] = [1.0, 2.0]
        scores.insert(position, missing)
        choice = best(*scores)
        assert scores[choice.index] == 2.0
        assert len(choice.unscored) == 1


def test_negative_scores_compete() -> None:
    """Among negative scores the one nearest to zero wins."""
    assert best(-3, -1, -2).id == "b"


def test_a_tie_is_said_and_decided_by_chance() -> None:
    """Three equal best scores each win a third of the time, with propensity 1/3, and are named as tied."""
    choices = [best(4, 4, 1, 4, seed=seed) for seed in range(900)]
    for choice in choices:
        assert choice.ties == ("a", "b", "d")
        assert choice.probabilities == (1 / 3, 1 / 3, 0.0, 1 / 3)
        assert choice.reason == "highest score, 4, a tie of 3, drawn at random"
    wins = [sum(choice.id == id_ for choice in choices) for id_ in "abd"]
    assert sum(wins) == 900
    assert all(250 < count < 350 for count in wins)


def test_everything_is_ranked_on_request() -> None:
    """The ranking holds every scored option, best first, equal ones in the order given."""
    assert [id_ for id_, _ in best(1, 3, None, 3, 2).ranking] == ["b", "d", "e", "a"]


def test_nothing_scored_is_refused() -> None:
    """When no option has a score there is no best, and the error says what to do."""
    with pytest.raises(InvalidArgument, match=r"options\.score: no option has one. Score at least one"):
        best(None, math.nan)
