"""Pieces of text that are put into another one, and come out again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vettle.server.clients.formats.base import Segment, composed, put_in, take_out

TEXTS = st.text("ab\n", max_size=8)


@st.composite
def _segments(draw: st.DrawFn, text: str) -> list[Segment]:
    """Draw pieces for places in a text, in their order."""
    places = draw(st.lists(st.integers(0, len(text)), max_size=4).map(sorted))
    return [Segment(place, draw(st.text("ab\u00e9", max_size=3))) for place in places]


@given(st.data(), TEXTS)
def test_what_is_put_in_comes_out_again(data: st.DataObject, text: str) -> None:
    """Step by step or at once, the text is the same, and so is what was there before."""
    first = data.draw(_segments(text))
    between = put_in(text, first)
    second = data.draw(_segments(between))
    both = composed(first, second)
    assert put_in(text, both) == put_in(between, second)
    assert take_out(put_in(text, both), both) == text
