"""Nearly the same, and never the opposite."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vettle.engine.proposals.likeness import same_instruction, same_mistake

SAME = [
    ("Run the type checker before committing.", "Always run the type checker before every commit"),
    ("Don't use eval.", "Do not use `eval`"),
    ("Sort the imports.", "Please sort imports!"),
    ("Run all tests before you push", "You must run all the tests before you push."),
    ("Never edit generated files", "Never edit the generated files by hand"),
]
APART = [
    ("Use eval.", "Never use eval."),
    ("Use eval.", "Avoid eval."),
    ("Don't use eval.", "Use eval."),
    ("Run tests with coverage.", "Run tests without coverage."),
    ("Prefer tabs over spaces.", "Prefer spaces over tabs."),
    ("Use tabs for indentation in Python.", "Use spaces for indentation in Python."),
    ("Keep functions under 20 lines.", "Keep functions under 40 lines."),
    ("Enable the cache for tests.", "Disable the cache for tests."),
    ("Run migrations before the deployment starts", "Run migrations after the deployment starts"),
    ("Mock the network in tests.", "Only mock the network in tests."),
    ("Never skip the tests.", "Never skip the tests unless they are slow."),
    ("Run tests.", "Run tests, then delete the branch and push the result."),
    ("Commit often.", "Sort imports."),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_wordings_of_one_instruction_are_the_same(left: str, right: str) -> None:
    """Filling words, endings, emphasis and a few more words do not make another rule."""
    assert same_instruction(left, right) and same_instruction(right, left)


@pytest.mark.parametrize(("left", "right"), APART)
def test_opposites_and_others_stay_apart(left: str, right: str) -> None:
    """A negation, a limit, another order, another number or another word is another rule."""
    assert not same_instruction(left, right) and not same_instruction(right, left)


_WORDS = st.lists(
    st.sampled_from(["run", "tests", "commit", "imports", "files", "sort", "cache"]), min_size=1
)


@given(_WORDS, st.sampled_from(["never", "do not", "don't", "avoid to", "stop to", "without", "no"]))
def test_a_negated_instruction_is_never_the_same(words: list[str], negation: str) -> None:
    """However short or long it is, the opposite of an instruction is not merged with it."""
    text = " ".join(words)
    assert not same_instruction(text, f"{negation} {text}")
    assert not same_mistake(text, f"{negation} {text}")


@given(_WORDS, _WORDS)
def test_the_order_of_the_two_does_not_matter(left: list[str], right: list[str]) -> None:
    """Likeness has no direction, and every text is like itself."""
    a, b = " ".join(left), " ".join(right)
    assert same_instruction(a, b) == same_instruction(b, a)
    assert same_instruction(a, a) and same_mistake(b, b)


@given(st.text(), st.text())
def test_any_text_can_be_compared(left: str, right: str) -> None:
    """Nothing in a text breaks the comparison."""
    assert same_instruction(left, right) == same_instruction(right, left)
    assume(left != right)
    assert isinstance(same_mistake(left, right), bool)


def test_the_same_mistake_in_other_files_is_the_same() -> None:
    """Paths, names and numbers do not matter to what went wrong; what was meant does."""
    assert same_mistake(
        "NameError: name 're' is not defined in src/a.py:12", "NameError: name 'os' is not defined in b.py:7"
    )
    assert not same_mistake("the test passed with the cache", "the test did not pass with the cache")
    assert not same_mistake("missing import of json", "the server timed out twice")
