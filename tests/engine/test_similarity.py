"""Telling whether a mistake, or a rule, is one that was seen before."""

from __future__ import annotations

import random

import pytest

from vettle.engine import mistakes
from vettle.engine.project import Project
from vettle.engine.similarity import REPEAT, normal_form, rule_hash, similar, stem, terms


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("KeyError: 'user_id' in src/app/views.py:88", "KeyError: 'order' in lib/main.py:12"),
        ("timeout after 30 s", "Timeout after 5 s."),
        ("cannot import parse_date", "cannot import parse_time"),
        ("see https://a.example/x?y=1", "see https://b.example/z"),
        ("object 0xdeadbeef leaked", "object 0x12 leaked"),
    ],
)
def test_slots_do_not_make_a_mistake_new(left: str, right: str) -> None:
    """Paths, numbers, names and addresses are replaced before texts are compared."""
    assert normal_form(left) == normal_form(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [("forgot a test for the parser", "forgot a test for the lexer"), ("use eval", "never use eval")],
)
def test_words_that_matter_make_a_mistake_new(left: str, right: str) -> None:
    """A different object, or a negation, is a different mistake."""
    assert normal_form(left) != normal_form(right)


def test_identifiers_are_split_into_their_words() -> None:
    """Words inside snake and camel case identifiers count as words."""
    assert terms("parseDate failed in load_user_profiles") == [
        "pars",
        "date",
        "fail",
        "load",
        "user",
        "profil",
    ]


@pytest.mark.parametrize(
    ("word", "root"),
    [
        ("tests", "test"),
        ("testing", "test"),
        ("class", "class"),
        ("queries", "query"),
        ("is", "is"),
        ("caused", "caus"),
        ("cause", "caus"),
    ],
)
def test_common_endings_do_not_matter(word: str, root: str) -> None:
    """Plurals and tenses fall together; short words stay whole."""
    assert stem(word) == root


def test_the_same_rule_is_recognised_in_other_clothes() -> None:
    """Case, spacing, articles, emphasis and the final full stop do not make another rule."""
    assert rule_hash("Run the **type checker**  first.", "", ()) == rule_hash(
        "run type checker first", "", ()
    )


@pytest.mark.parametrize(
    "other",
    [
        ("never run type checker first", "", ()),
        ("run first type checker", "", ()),
        ("run type checker first", "ci", ()),
        ("run type checker first", "", ("*.py",)),
    ],
)
def test_another_meaning_or_scope_is_another_rule(other: tuple[str, str, tuple[str, ...]]) -> None:
    """A negation, another order, another context or other paths make another rule."""
    assert rule_hash("run type checker first", "", ()) != rule_hash(*other)


def test_asking_for_repeats_alone_finds_the_same_repeats(project: Project) -> None:
    """`least` leaves out what is less alike, and changes neither the order nor a score of the rest."""
    draw, words = (
        random.Random(7),
        [
            "never",
            "close",
            "open",
            "file",
            "read",
            "write",
            "test",
            "user",
            "cache",
            "token",
            "query",
            "index",
        ],
    )
    texts = [" ".join(draw.choices(words, k=draw.randint(2, 6))) for _ in range(80)]
    for text in texts:
        mistakes.log(project, error_class="io", description=text)
    repeats = 0
    with project.read() as transaction:
        for text in texts:
            changed = f"{text} {draw.choice(words)}"
            every = similar(transaction, "io", changed, limit=40)
            strict = similar(transaction, "io", changed, limit=40, least=REPEAT)
            assert strict == [match for match in every if match.score >= REPEAT]
            repeats += len(strict)
            assert len(every) > len(strict)
    assert repeats > 40
