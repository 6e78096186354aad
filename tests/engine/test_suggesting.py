"""Which name was probably meant: only known names, the best one first, and never what was sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vettle.engine.suggesting import VARIABLES, hint, misspelt_variables, nearest

NAMES = ("min_effect", "token_price", "holdout", "reward-share")


def test_the_nearest_name_comes_first() -> None:
    """A slip of the finger, another case or another hyphen find the name; what is like none finds none."""
    assert nearest("min_efect", NAMES) == ["min_effect"]
    assert nearest("MIN-EFFECT", NAMES) == ["min_effect"]
    assert nearest("reward_share", NAMES) == ["reward-share"]
    assert nearest("zzz", NAMES) == []
    assert nearest("", NAMES) == []
    assert hint("holdot", NAMES) == "Did you mean 'holdout'?"
    assert hint("zzz", NAMES) == ""


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=10))
def test_only_known_names_are_suggested(name: str, known: list[str]) -> None:
    """Whatever is sent and whatever is known, the answer is of what is known, without repetition of what was sent."""
    found = nearest(name, known)
    assert len(found) <= 3
    assert set(found) <= set(known)


@given(st.sampled_from(NAMES))
def test_a_name_is_nearest_to_itself(name: str) -> None:
    """A right name is always its own best suggestion."""
    assert nearest(name, NAMES)[0] == name


def test_a_very_long_name_is_answered_at_once() -> None:
    """A pasted file among thousands of names costs nothing: only its beginning is compared."""
    assert nearest("x" * 1_000_000, [f"rule-{number}" for number in range(1_000)]) == []


def test_misspelt_variables_are_told_and_others_left_alone() -> None:
    """Only what looks like one of ours is; the right ones, and those that others make up, are not."""
    assert misspelt_variables(dict.fromkeys(VARIABLES, "x")) == {}
    assert misspelt_variables({"VETTLE_PROJCT": "", "vettle_debug": "", "VETTLE_CONFIG": "", "PATH": ""}) == {
        "VETTLE_PROJCT": "VETTLE_PROJECT",
        "vettle_debug": "VETTLE_DEBUG",
    }
