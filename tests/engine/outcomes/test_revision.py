"""How much of a change survived: arithmetic on multisets of lines."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vettle.engine.outcomes import fingerprints, revision
from vettle.engine.outcomes.fingerprints import Lines
from vettle.engine.outcomes.revision import File

_TEXTS = st.lists(st.sampled_from("abcdefg"), max_size=30)
_LINES = _TEXTS.map(Counter)
_FILES = st.lists(st.builds(File, _LINES, _LINES, _LINES), max_size=5)
_SALT = b"salt"


@given(_FILES)
def test_the_distance_is_a_share(files: list[File]) -> None:
    """Whatever became of a change, no more of it survives than was proposed."""
    found = revision.survival(files)
    assert 0 <= found.survived <= found.proposed
    assert 0 <= found.distance <= 1


@given(_FILES)
def test_a_change_accepted_as_it_is_has_no_distance(files: list[File]) -> None:
    """An untouched commit is distance 0, and one without any of the change distance 1."""
    untouched = revision.survival([File(one.before, one.proposed, one.proposed) for one in files])
    assert untouched.distance == 0
    undone = revision.survival([File(one.before, one.proposed, one.before) for one in files])
    assert undone.distance == (1 if undone.proposed else 0)


@given(_TEXTS, _TEXTS, _TEXTS, st.randoms(use_true_random=False))
def test_the_order_of_hunks_does_not_matter(
    before: list[str], proposed: list[str], accepted: list[str], shuffle: random.Random
) -> None:
    """Lines in another order are the same change."""

    def found() -> revision.Survival:
        texts = ("\n".join(lines).encode() for lines in (before, proposed, accepted))
        return revision.survival([File(*(fingerprints.of_text(text, _SALT) for text in texts))])

    first = found()
    for lines in (before, proposed, accepted):
        shuffle.shuffle(lines)
    assert found() == first


@given(_LINES, _LINES, _LINES, _LINES)
def test_what_others_add_does_not_count(before: Lines, proposed: Lines, accepted: Lines, more: Lines) -> None:
    """Lines that are only added to what was accepted neither help nor harm what else survived there."""
    alone = revision.survival([File(before, proposed, accepted)])
    others = Counter({f"other {line}": count for line, count in more.items()})
    assert revision.survival([File(before, proposed, accepted + others)]) == alone


def test_half_of_it_kept_is_half_the_distance() -> None:
    """Two lines replaced by two, one of them mended: three of the four changes are there."""
    lines = [Counter(text) for text in ("abxy", "abcd", "abce")]
    found = revision.survival([File(*lines)])
    assert (found.proposed, found.survived, found.distance) == (4, 3, 0.25)


@pytest.mark.parametrize(
    ("distance", "outcome"),
    [(0, "accepted"), (0.05, "accepted"), (0.06, "revision"), (0.94, "revision"), (0.95, "rejected")],
)
def test_the_limits_of_the_outcomes(distance: float, outcome: str) -> None:
    """Up to 0.05 a change is accepted, from 0.95 rejected."""
    assert revision.outcome(distance) == outcome


def test_whitespace_blank_lines_and_line_endings_do_not_count() -> None:
    """A formatter that indents, or git that stores CRLF as LF, leaves the lines what they are."""
    one = fingerprints.of_text(b"if x:\n  y = 1\n\n", _SALT)
    assert one == fingerprints.of_text(b"if x:\r\n\t\ty=1\r\n", _SALT)
    assert one.total() == 2


def test_a_fingerprint_tells_nothing_without_its_salt() -> None:
    """The lines themselves are not kept, and another salt gives other fingerprints."""
    first, second = (fingerprints.of_text(b"password = hunter2", salt) for salt in (b"1", b"2"))
    assert not set(first) & set(second)
    assert all(len(one) == 16 for one in (*first, *second))


def test_a_file_that_moved_is_found_by_its_lines() -> None:
    """A file pairs with the new one most like it, if at least half of the lines are the same."""
    gone = {"a": Counter("abcdef"), "b": Counter("uvwxyz")}
    new = {"c": Counter("abcdxx"), "d": Counter("abcdef"), "e": Counter("uvw123456")}
    assert revision.moves(gone, new) == {"a": "d"}
    assert revision.moves({"a": Counter()}, {"b": Counter()}) == {}


def test_too_many_pairs_are_not_compared() -> None:
    """A move of thousands of files costs no time: they count as deleted and added."""
    files = {str(number): Counter("abc") for number in range(200)}
    assert revision.moves(files, {f"new/{path}": lines for path, lines in files.items()}) == {}


def test_fifty_thousand_lines_take_no_time() -> None:
    """A large file is compared in less than two seconds."""
    text = b"".join(b"line %d\n" % number for number in range(50_000))
    began = time.process_time()
    lines = fingerprints.of_text(text, _SALT)
    found = revision.survival([File(Counter(), lines, lines)])
    assert time.process_time() - began < 2
    assert found.survived == 50_000
