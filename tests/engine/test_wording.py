"""Words that are said in more than one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vettle.engine.wording import counted, equation, estimated, evidence, fallen, until_proof


@pytest.mark.parametrize(
    ("e_value", "words", "formula"),
    [
        (0.0, "0.00", "E=0.00"),
        (0.859, "0.85", "E=0.85"),
        (1.26, "1.2", "E=1.2"),
        (19.99, "19", "E=19"),
        (34.2, "34", "E=34"),
        (1_590.0, "1,590", "E=1,590"),
        (9_999.9, "9,999", "E=9,999"),
        (10_000.0, "over 10,000", "E>10,000"),
        (7.04e6, "over 10,000", "E>10,000"),
        (float("inf"), "over 10,000", "E>10,000"),
    ],
)
def test_evidence_reads_without_exponents(e_value: float, words: str, formula: str) -> None:
    """An e-value has the digits that matter, never an exponent, and beyond doubt it has no more of them."""
    assert (evidence(e_value), equation(e_value)) == (words, formula)


@given(st.floats(min_value=0, max_value=9_999))
def test_evidence_never_says_more_than_there_is(e_value: float) -> None:
    """What is written is at most the e-value: 19.99 does not look like the 20 that proves."""
    assert float(evidence(e_value).replace(",", "")) <= e_value * (1 + 1e-12)


def test_one_is_singular_and_thousands_are_readable() -> None:
    """A number stands with its noun as a person would write both."""
    assert [counted(number, "rule") for number in (0, 1, 2, 1_200)] == [
        "0 rules",
        "1 rule",
        "2 rules",
        "1,200 rules",
    ]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "about 1"),
        (58, "about 58"),
        (712, "about 710"),
        (1_000, "more than 1,000"),
        (17_443, "more than 10,000"),
    ],
)
def test_what_is_estimated_has_no_more_digits_than_are_known(number: int, words: str) -> None:
    """Two digits count, and beyond a thousand only the power of ten."""
    assert estimated(number) == words


def test_a_forecast_always_says_why_there_is_no_date() -> None:
    """Either no provable effect is believed, or no coin decided lately; otherwise it has a time."""
    assert "not believed to help" in until_proof(None, None)
    assert "no date yet, because no coin" in until_proof(17_443, None)
    assert until_proof(58, 400.0).endswith("about 13 months at the present pace.")


def test_evidence_that_fell_says_what_it_was() -> None:
    """Both numbers stand side by side; where nobody wrote the first one down, none is made up."""
    assert fallen(21.5, "18 Jan 2026", 3.29) == (
        "Its evidence was 21 when it was proven on 18 Jan 2026, and is 3.2 now."
    )
    assert "was enough when it was proven" in fallen(None, "2026-01-18", 3.2)
