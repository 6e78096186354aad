"""An option is valid or refused, and one draw is honest to the edge of its rounding."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import pytest

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.options import Option, draw

LEAST, GREATEST = 0.0, 1 - 2**-53


class Stuck:
    """A generator whose uniform is always the same, because no seed is known that gives the ends."""

    def __init__(self, uniform: float) -> None:
        self.uniform = uniform

    def random(self) -> float:
        """Return the same number again."""
        return self.uniform


def stuck(uniform: float) -> np.random.Generator:
    """Return a generator that always draws `uniform`."""
    return cast("np.random.Generator", Stuck(uniform))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("weight", -1.0),
        ("weight", math.nan),
        ("weight", math.inf),
        ("n", -1.0),
        ("n", math.nan),
        ("n", math.inf),
        ("mean", math.nan),
        ("mean", 2.0),
        ("m2", -0.1),
        ("m2", math.nan),
        ("low", -math.inf),
        ("low", 0.9),
        ("high", math.inf),
        ("high", math.nan),
        ("prior_mean", 0.0),
        ("prior_mean", 1.0),
        ("prior_mean", math.nan),
        ("prior_strength", 0.0),
        ("prior_strength", math.nan),
    ],
)
def test_a_value_that_means_nothing_is_refused(field: str, value: object) -> None:
    """Every number that could poison a choice is refused when the option is made, by the field's name."""
    arguments: dict[str, object] = {"id": "a", "n": 3.0, "mean": 0.5, field: value}
    with pytest.raises(InvalidArgument, match="options"):
        Option(**arguments)  # type: ignore[arg-type]


def test_no_prior_is_no_distribution() -> None:
    """Alpha = beta = 0, which made a peer choose the same arm 2,000 times of 2,000, is refused with a remedy."""
    with pytest.raises(InvalidArgument, match=r"options\.prior_strength: 0\.0 of 'a'. Pass a number above 0"):
        Option("a", prior_strength=0.0)


def test_what_is_untried_has_only_its_prior() -> None:
    """An option without results has its prior mean, whatever stands in its other fields."""
    option = Option("a", mean=math.nan, low=math.nan, prior_mean=0.7, prior_strength=10.0)
    assert option.pseudo_counts == pytest.approx((7.0, 3.0))
    assert option.posterior_mean == pytest.approx(0.7)
    assert not option.tried


def test_results_and_prior_add_up() -> None:
    """Eight results of mean .75 on a prior of Beta(1, 1) are Beta(7, 3), and rounding of the mean does no harm."""
    assert Option("a", n=8, mean=0.75).pseudo_counts == pytest.approx((7.0, 3.0))
    alpha, beta = Option("a", n=8, mean=1 + 1e-16, prior_mean=1e-6, prior_strength=1e-6).pseudo_counts
    assert alpha > 0
    assert beta > 0


@pytest.mark.parametrize("uniform", [LEAST, 0.5, GREATEST])
def test_the_impossible_is_never_drawn(uniform: float) -> None:
    """Whatever the uniform, an index of probability 0 is not drawn, at either end or in between."""
    for total in (1.0, 0.1 + 0.2, 1 / 3, 3e-320, 1e300):
        assert draw([0.0, 0.0, total, 0.0], stuck(uniform)) == 2


def test_the_ends_of_the_uniform_draw_the_ends() -> None:
    """The least uniform draws the first possible index and the greatest the last."""
    assert draw([0.0, 0.2, 0.3, 0.5, 0.0], stuck(LEAST)) == 1
    assert draw([0.0, 0.2, 0.3, 0.5, 0.0], stuck(GREATEST)) == 3
