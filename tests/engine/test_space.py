"""Parameter spaces: what is counted, listed, drawn and named is what nested loops and a filter would give."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vettle.engine.errors import InvalidArgument
from vettle.engine.space import (
    DEEPEST,
    MOST_CONSTRAINTS,
    MOST_DIMENSIONS,
    MOST_SAMPLED,
    MOST_VALUES,
    NAME_CHARACTERS,
    Json,
    Method,
    at,
    configurations,
    count,
    labels,
    parse,
    sample,
    variant_id,
    variant_name,
)

METHODS: tuple[Method, ...] = get_args(Method)
NASTY: tuple[Json, ...] = (
    "no",
    "1.0",
    "a: b",
    "l1\nl2",
    "- x",
    "a #c",
    "",
    [True, None],
    [[1, 2], [3]],
    {},
    [],
    [{"a": 1, "b": 2}],
    "@x",
    "*",
    "2026-01-01",
    "x\nweighted_score: 99",
)
"""The values that break other systems, without NaN, which is not JSON."""

MODELS: dict[str, list[Json]] = {"model": ["a", "b", "c"], "temperature": [0.2, 0.5, 0.7], "seed": [1, 2]}
LETTERS = "abcdefghij"


# --- the same by hand --------------------------------------------------------------------------


def _spelled(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _agrees(configuration: Mapping[str, Json], wanted: Mapping[str, Any]) -> bool:
    return all(
        _spelled(configuration[name]) in [_spelled(value) for value in values]
        for name, values in wanted.items()
    )


def _allowed(configuration: Mapping[str, Any], constraint: Mapping[str, Any]) -> bool:
    if "exclude" in constraint:
        return not _agrees(configuration, constraint["exclude"])
    if "if" in constraint:
        return not _agrees(configuration, constraint["if"]) or _agrees(configuration, constraint["then"])
    form, (left, right) = next(iter(constraint.items()))
    small, large = configuration[left], configuration[right]
    return bool(small < large or (form == "at_most" and small == large))


def listed(
    dimensions: Mapping[str, Sequence[Json]], constraints: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Json]]:
    """Return every admissible configuration, by nested loops and a filter."""
    rows = (dict(zip(dimensions, values, strict=True)) for values in itertools.product(*dimensions.values()))
    return [row for row in rows if all(_allowed(row, constraint) for constraint in constraints)]


NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -0.25, 2**53, 2**53 + 1])
VALUES: st.SearchStrategy[Json] = NUMBERS | st.sampled_from(["", "1", True, False, None, [1], {"a": 1}])


@st.composite
def spaces(draw: st.DrawFn) -> tuple[dict[str, list[Json]], list[dict[str, Any]]]:
    """Draw up to five dimensions of up to four values, and up to four constraints that fit them."""
    names = draw(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=5, unique=True))
    kinds = st.sampled_from([NUMBERS, VALUES])
    dimensions: dict[str, list[Json]] = {
        name: draw(st.lists(draw(kinds), min_size=1, max_size=4, unique_by=_spelled)) for name in names
    }
    numeric = [name for name in names if all(type(value) in (int, float) for value in dimensions[name])]

    def part(names: list[str]) -> dict[str, Any]:
        named = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
        # Always lists, of which none is a value: what a bare value means has a test of its own.
        subset = {name: st.lists(st.sampled_from(dimensions[name]), min_size=2, max_size=3) for name in named}
        return {name: draw(subset[name]) for name in named}

    constraints: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 4))):
        form = draw(st.sampled_from(["exclude", "if", "less", "at_most"]))
        if form == "exclude":
            constraints.append({"exclude": part(names)})
        elif form == "if":
            constraints.append({"if": part(names), "then": part(names)})
        elif len(numeric) > 1:
            pairs = st.lists(st.sampled_from(numeric), min_size=2, max_size=2, unique=True)
            constraints.append({form: draw(pairs)})
    return dimensions, constraints


# --- counting and finding ----------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(spaces())
def test_a_space_is_its_product_filtered(
    drawn: tuple[dict[str, list[Json]], list[dict[str, Any]]],
) -> None:
    """Count, order and every single index agree with nested loops and a filter, whatever is tied to what."""
    expected = listed(*drawn)
    space = parse(*drawn)
    assert count(space) == len(expected)
    assert _spelled(list(configurations(space))) == _spelled(expected)
    assert _spelled([at(space, index) for index in range(len(expected))]) == _spelled(expected)


def test_the_last_dimension_changes_fastest() -> None:
    """The order is that of nested loops in the order in which the dimensions were given."""
    space = parse({"b": [1, 2], "a": ["x", "y"]})
    assert list(configurations(space)) == [
        {"b": 1, "a": "x"},
        {"b": 1, "a": "y"},
        {"b": 2, "a": "x"},
        {"b": 2, "a": "y"},
    ]
    assert list(at(space, 0)) == ["b", "a"]


def test_a_large_space_is_counted_and_indexed_without_listing_it() -> None:
    """8**20 configurations cost no more than 20 dimensions; the last index is the last value of each."""
    space = parse({f"d{number}": list(range(8)) for number in range(20)})
    assert count(space) == 8**20
    assert at(space, 8**20 - 1) == {f"d{number}": 7 for number in range(20)}
    assert next(configurations(space)) == {f"d{number}": 0 for number in range(20)}


def test_only_what_is_tied_is_listed() -> None:
    """Constraints on a few dimensions of an astronomic space are counted exactly, as a product of groups."""
    dimensions: dict[str, list[Json]] = {f"d{number}": list(range(1_000)) for number in range(50)}
    space = parse(dimensions, [{"less": ["d0", "d49"]}, {"exclude": {"d7": list(range(999))}}])
    assert count(space) == (1_000 * 999 // 2) * 1_000**47
    last = at(space, count(space) - 1)
    assert (last["d0"], last["d49"], last["d7"], last["d8"]) == (998, 999, 999, 999)


def test_too_much_tied_together_is_refused_by_name() -> None:
    """Above a million tied combinations the message names the dimensions to untie, largest first."""
    dimensions: dict[str, list[Json]] = {"few": [1, 2], "many": list(range(1_000)), "more": list(range(501))}
    space = parse({**dimensions, "free": [1, 2]}, [{"less": ["few", "many"]}, {"at_most": ["many", "more"]}])
    for call in (count, configurations, lambda space: at(space, 0)):
        with pytest.raises(
            InvalidArgument, match=r"constraints: .*'many', 'more', 'few'.*1,002,000.*Untie"
        ) as error:
            call(space)
        assert "free" not in str(error.value)


@pytest.mark.parametrize("index", [-1, 18])
def test_an_index_that_is_not_there_is_refused(index: int) -> None:
    """Indices are 0 to count - 1: a negative one does not count from the end."""
    with pytest.raises(InvalidArgument, match="index: there are 18 configurations"):
        at(parse(MODELS), index)


def test_what_is_returned_belongs_to_the_caller() -> None:
    """Changing a configuration, or what the space was made from, does not change the space."""
    values: list[Json] = [{"stop": ["x"]}]
    space = parse({"options": values})
    values.append(1)
    changed: Any = at(space, 0)
    changed["options"]["stop"].append("y")
    assert list(configurations(space)) == [{"options": {"stop": ["x"]}}]


# --- constraints -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("constraint", "left"),
    [
        ({"exclude": {"model": "a"}}, 12),
        ({"exclude": {"model": ["a", "b"], "temperature": 0.2}}, 14),
        ({"if": {"model": "a"}, "then": {"temperature": [0.2, 0.5], "seed": 1}}, 14),
        ({"less": ["temperature", "seed"]}, 18),
        ({"less": ["seed", "temperature"]}, 0),
        ({"at_most": ["seed", "seed 2"]}, 27),
        ({"less": ["seed", "seed 2"]}, 9),
    ],
)
def test_each_form_of_constraint(constraint: dict[str, Json], left: int) -> None:
    """Exclusion needs all its dimensions to match, an implication demands all of "then", an order compares."""
    more: dict[str, list[Json]] = {"seed 2": [1.0, 2]}
    dimensions = {**MODELS, **more} if "seed 2" in str(constraint) else MODELS
    space = parse(dimensions, [constraint])
    assert count(space) == left == len(list(configurations(space)))


def test_a_list_that_is_a_value_means_that_value() -> None:
    """A list stands for its items, except where the dimension has the list itself; wrapping it is plain."""
    dimensions: dict[str, list[Json]] = {"tools": [[], ["read"], ["read", "write"], "read"]}
    cases: list[tuple[Json, Json]] = [
        (["read"], ["read"]),
        ([["read"]], ["read"]),
        ("read", "read"),
        ([], []),
        ([["read", "write"]], ["read", "write"]),
    ]
    for matches, refused in cases:
        space = parse(dimensions, [{"exclude": {"tools": matches}}])
        assert [row["tools"] for row in configurations(space)] == [
            value for value in dimensions["tools"] if value != refused
        ]


def test_numbers_are_compared_exactly() -> None:
    """Large integers that one float would make equal are still in order."""
    space = parse({"low": [2**53, 2**53 + 1], "high": [2**53, 2**53 + 1]}, [{"less": ["low", "high"]}])
    assert list(configurations(space)) == [{"low": 2**53, "high": 2**53 + 1}]


def test_constraints_that_refuse_everything_leave_an_empty_space() -> None:
    """Nothing left is counted as 0 and listed as nothing; only drawing from it is an error."""
    space = parse({"a": [2, 3], "b": [1]}, [{"less": ["a", "b"]}])
    assert (count(space), list(configurations(space))) == (0, [])
    for method in METHODS:
        with pytest.raises(InvalidArgument, match="constraints: together they refuse every configuration"):
            sample(space, 1, seed=1, method=method)


# --- what is refused ---------------------------------------------------------------------------


def _nested(depth: int) -> Json:
    value: Json = 1
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("dimensions", "problem"),
    [
        ({}, "0 dimensions"),
        ([], "not an object"),
        ({"a": []}, "'a' has 0 values"),
        ({"a": "xyz"}, "'a' has no list of values"),
        ({"a": 1}, "'a' has no list of values"),
        ({"a": [1, 2, 1]}, "value 3 of dimension 'a' is there already"),
        ({"a": [1, 1.0]}, "value 2 of dimension 'a' is there already"),
        ({"a": [0, -0.0]}, "is there already"),
        ({"a": [{"x": 1, "y": 2}, {"y": 2, "x": 1}]}, "is there already"),
        ({"a": [float("nan")]}, "value 1 of dimension 'a' is NaN.*as text"),
        ({"a": [1, [float("-inf")]]}, "value 2 of dimension 'a' is NaN, infinite"),
        ({"a": [10**5_000]}, "beyond 1.8e308"),
        ({"a": ["\ud800"]}, "surrogate"),
        ({"a": [{"\udfff": 1}]}, "surrogate"),
        ({"a": [{1: 2}]}, "keys that are not text"),
        ({"a": [b"x"]}, "not JSON but a bytes"),
        ({"a": [_nested(DEEPEST + 1)]}, "nested more than 20 deep"),
        ({"": [1]}, "no name"),
        ({" ": [1]}, "no name"),
        ({1: [1]}, "no name"),
        ({"a" * (NAME_CHARACTERS + 1): [1]}, "121 characters"),
        ({"a\nb": [1]}, r"'a\\nb' has a control character"),
        ({f"d{n}": [1] for n in range(MOST_DIMENSIONS + 1)}, "51 dimensions"),
        ({"a": list(range(MOST_VALUES + 1))}, "'a' has 1,001 values"),
    ],
)
def test_a_malformed_space_is_refused(dimensions: Any, problem: str) -> None:
    """The error names the field, the dimension and the value, says why, and what a space looks like."""
    with pytest.raises(InvalidArgument, match=f"^space: .*{problem}") as error:
        parse(dimensions)
    assert error.value.field == "space"
    assert re.search(r"Pass \{|Leave it out", str(error.value))


@pytest.mark.parametrize(
    ("constraints", "problem"),
    [
        ({"less": ["seed", "temperature"]}, "not a list"),
        ([{}] * (MOST_CONSTRAINTS + 1), "at most 100"),
        ([{"less": ["seed", "temperature"]}, "seed < temperature"], "number 2 has an unknown form"),
        ([{}], "unknown form"),
        ([{"only": {"seed": 1}}], "unknown form"),
        ([{"if": {"seed": 1}}], "unknown form"),
        ([{"exclude": {"seed": 1}, "less": ["seed", "temperature"]}], "unknown form"),
        ([{"exclude": {}}], "names no dimension"),
        ([{"exclude": "seed"}], "names no dimension"),
        ([{"if": {"seed": 1}, "then": {}}], "names no dimension"),
        ([{"exclude": {"sede": 1}}], "names dimension 'sede', which the space does not have"),
        ([{"less": ["seed", "sede"]}], "names dimension 'sede'"),
        ([{"less": ["seed", ["x"]]}], "which the space does not have"),
        ([{"exclude": {"seed": 3}}], "a value that dimension 'seed' does not have"),
        ([{"exclude": {"seed": [1, 3]}}], "a value that dimension 'seed' does not have"),
        ([{"exclude": {"seed": []}}], "a value that dimension 'seed' does not have"),
        ([{"exclude": {"seed": True}}], "a value that dimension 'seed' does not have"),
        ([{"exclude": {"seed": float("nan")}}], "is NaN"),
        ([{"less": ["seed"]}], "does not compare two dimensions"),
        ([{"less": "ab"}], "does not compare two dimensions"),
        ([{"less": ["seed", "seed"]}], "compares a dimension with itself"),
        ([{"at_most": ["seed", "model"]}], "'model', whose values are not all numbers"),
        ([{"at_most": ["seed", "flag"]}], "'flag', whose values are not all numbers"),
    ],
)
def test_a_malformed_constraint_is_refused(constraints: Any, problem: str) -> None:
    """A misspelt dimension or value would refuse nothing, silently: the error names it and shows all forms."""
    with pytest.raises(InvalidArgument, match=f"^constraints: .*{problem}") as error:
        parse({**MODELS, "flag": [True, False]}, constraints)
    assert error.value.field == "constraints"
    assert all(form in str(error.value) for form in ("exclude", "if", "then", "less", "at_most"))


def test_the_limits_themselves_are_allowed() -> None:
    """50 dimensions, 1,000 values, 120 characters and 20 levels are fine, and so are ids of the result."""
    dimensions: dict[str, list[Json]] = {f"{n:0120}": [1, 2] for n in range(MOST_DIMENSIONS - 1)}
    space = parse({**dimensions, "x": [_nested(DEEPEST), *range(MOST_VALUES - 1)]})
    row = at(space, 0)
    assert count(space) == 2 ** (MOST_DIMENSIONS - 1) * MOST_VALUES
    assert set(labels(space, row).values()) == {0}
    assert len(variant_id(row)) == 64
    assert len(variant_name(row)) <= NAME_CHARACTERS
    assert count(parse({"x": [_nested(DEEPEST)]}, [{"exclude": {"x": [_nested(DEEPEST)]}}])) == 0


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE runs; --", "{0}", "__class__", "a.b", "%s", "<b>", "é 🙂", "then"]
)
def test_names_and_values_are_only_data(name: str) -> None:
    """Whatever a name or a value spells, it comes back verbatim and can be constrained."""
    space = parse({name: [name, "other"], "free": [1, 2]}, [{"exclude": {name: "other"}}])
    assert [row[name] for row in configurations(space)] == [name, name]


# --- sampling ----------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(spaces(), st.integers(1, 30), st.integers(-5, 2**63))
def test_samples_are_admissible(
    drawn: tuple[dict[str, list[Json]], list[dict[str, Any]]], n: int, seed: int
) -> None:
    """What is drawn is in the space; unique draws differ, take all if there are no more, and only grow."""
    expected = [_spelled(row) for row in listed(*drawn)]
    if not expected:
        return
    space = parse(*drawn)
    again = [_spelled(row) for row in sample(space, n, seed=seed, method="replacement")]
    assert len(again) == n
    assert set(again) <= set(expected)
    unique = [_spelled(row) for row in sample(space, n, seed=seed, method="unique")]
    assert len(unique) == len(set(unique)) == min(n, len(expected))
    assert set(unique) <= set(expected)
    more = [_spelled(row) for row in sample(space, n + 7, seed=seed, method="unique")]
    assert more[: len(unique)] == unique


def _chi_square(counted: Counter[str], cells: int) -> float:
    expected = counted.total() / cells
    return sum((counted[cell] - expected) ** 2 / expected for cell in counted)


@pytest.mark.parametrize("method", METHODS)
def test_every_configuration_is_as_likely_as_any_other(method: Method) -> None:
    """Over many seeds each of 15 admissible configurations comes first, and comes at all, equally often.

    The bound is the mean of the chi-square distribution plus four standard deviations (Pearson 1900).
    """
    space = parse(
        {"a": [1, 2, 3], "free": ["x", "y", "z"], "b": [1, 2, 3]},
        [{"at_most": ["a", "b"]}, {"exclude": {"a": 1, "b": 3}}],
    )
    cells = count(space)
    n = 1 if method == "latin" else 4
    samples = [sample(space, n, seed=seed, method=method) for seed in range(3_000)]
    bound = cells - 1 + 4 * (2 * (cells - 1)) ** 0.5
    first, all_drawn = (
        Counter(_spelled(rows[0]) for rows in samples),
        Counter(_spelled(row) for rows in samples for row in rows),
    )
    assert cells == 15 == len(first) == len(all_drawn)
    assert _chi_square(first, cells) < bound
    assert _chi_square(all_drawn, cells) < bound


def test_all_of_a_small_space_come_in_every_order() -> None:
    """Asking for more than there are gives all of them, shuffled: each of 3! orders is equally likely."""
    space = parse({"a": [1, 2, 3]})
    orders = Counter(_spelled(sample(space, 9, seed=seed, method="unique")) for seed in range(1_200))
    assert len(orders) == 6
    assert _chi_square(orders, 6) < 5 + 4 * 10**0.5


def test_a_large_space_is_sampled_without_listing_it() -> None:
    """A hundred of 8**20 differ, and spread over the levels of every dimension."""
    space = parse({f"d{number}": list(range(8)) for number in range(20)})
    for method in METHODS:
        rows = sample(space, 100, seed=3, method=method)
        assert len({_spelled(row) for row in rows}) == 100
        assert all({row[name] for row in rows} == set(range(8)) for name in space.dimensions)


def test_replacement_draws_again() -> None:
    """A sample with replacement has the size asked for, however small the space."""
    rows = sample(parse({"a": [1, 2]}), MOST_SAMPLED, seed=1, method="replacement")
    assert len(rows) == MOST_SAMPLED
    assert 4_800 < sum(row["a"] == 1 for row in rows) < 5_200


def _uses(rows: Sequence[Mapping[str, Json]], name: str) -> Counter[str]:
    return Counter(_spelled(row[name]) for row in rows)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 40), st.integers(0, 99))
def test_a_latin_hypercube_is_balanced(sizes: list[int], n: int, seed: int) -> None:
    """Every level of every dimension is used n / levels times, rounded down or up."""
    space = parse({f"d{number}": list(range(size)) for number, size in enumerate(sizes)})
    rows = sample(space, n, seed=seed, method="latin")
    assert len(rows) == n
    for name, size in zip(space.dimensions, sizes, strict=True):
        uses = _uses(rows, name)
        assert all(n // size <= uses[str(level)] <= -(-n // size) for level in range(size))


@pytest.mark.parametrize("n", [1, 2, 5, 8, 20])
@pytest.mark.parametrize(
    ("dimensions", "constraints"),
    [
        ({"a": range(5), "b": range(5)}, [{"less": ["a", "b"]}]),
        ({"a": range(8), "b": range(8)}, [{"at_most": ["a", "b"]}, {"at_most": ["b", "a"]}]),
        ({"a": range(4), "free": "xyz", "b": range(4)}, [{"exclude": {"a": [0, 1], "b": 2}}]),
        ({"a": range(4), "b": range(6)}, [{"if": {"a": 0}, "then": {"b": [1, 3]}}, {"exclude": {"a": 3}}]),
    ],
)
def test_a_latin_hypercube_keeps_constraints(
    dimensions: dict[str, Sequence[Json]], constraints: list[dict[str, Any]], n: int
) -> None:
    """With constraints it stays balanced, over the levels that an admissible configuration can have."""
    space = parse({name: list(values) for name, values in dimensions.items()}, constraints)
    admissible = list(configurations(space))
    for seed in range(3):
        rows = sample(space, n, seed=seed, method="latin")
        assert len(rows) == n
        assert all(row in admissible for row in rows)
        for name in space.dimensions:
            levels = {_spelled(row[name]) for row in admissible}
            uses = _uses(rows, name)
            assert all(n // len(levels) <= uses[level] <= -(-n // len(levels)) for level in levels)


def test_a_latin_hypercube_that_cannot_be_is_refused() -> None:
    """Four of eight rows need the one value that only three may have: an error, not a crooked sample."""
    space = parse({"a": [0, 1], "b": [0, 1, 2]}, [{"if": {"a": 1}, "then": {"b": 0}}])
    with pytest.raises(InvalidArgument, match=r"^method: found no Latin.*'a', 'b'.*Pass another n.*unique"):
        sample(space, 8, seed=1, method="latin")


@pytest.mark.parametrize("n", [0, -1, MOST_SAMPLED + 1])
def test_a_sample_of_no_size_is_refused(n: int) -> None:
    """1 to 10,000 configurations are drawn; -1 does not mean all but one."""
    with pytest.raises(InvalidArgument, match=r"^n: .* Pass 1 to 10,000"):
        sample(parse(MODELS), n, seed=1, method="unique")


def test_an_unknown_method_is_refused() -> None:
    """The error lists the methods there are."""
    unknown: Any = "sobol"
    with pytest.raises(InvalidArgument, match=r"^method: .* Pass one of unique, replacement, latin"):
        sample(parse(MODELS), 1, seed=1, method=unknown)


def test_seeds_and_methods_draw_apart() -> None:
    """A seed repeats its sample; another seed, its negative, or another method draws another."""
    space = parse({f"d{number}": list(range(9)) for number in range(9)})
    drawn = [
        _spelled(sample(space, 5, seed=seed, method=method))
        for seed in (0, 1, -1, 2**70)
        for method in METHODS
    ]
    assert len(set(drawn)) == len(drawn)
    assert drawn[0] == _spelled(sample(space, 5, seed=0, method="unique"))


_PROGRAM = """
import json, sys
from vettle.engine import space as spaces
assert "numpy" not in sys.modules
dimensions, constraints = json.loads(sys.argv[1])
space = spaces.parse(dimensions, constraints)
rows = {m: spaces.sample(space, 6, seed=7, method=m) for m in ("unique", "replacement", "latin")}
print(json.dumps([rows, [spaces.variant_id(row) for row in rows["unique"]]]))
"""


PINNED = {
    "unique": ["a 0.7 22", "c 0.7 11", "b 0.7 22", "b 0.7 11", "c 0.2 12", "c 0.5 12"],
    "replacement": ["b 0.5 22", "a 0.7 22", "b 0.7 22", "c 0.2 11", "b 0.5 22", "c 0.7 11"],
    "latin": ["b 0.7 22", "c 0.2 11", "c 0.2 22", "a 0.5 11", "b 0.7 11", "a 0.5 22"],
}
"""What seed 7 draws, so that a release of Python that changes its generator is noticed."""


def test_samples_are_the_same_in_every_process() -> None:
    """Neither the hash seed of a process nor a release of Python changes a sample; numpy loads when needed."""
    constraints = [{"exclude": {"model": ["a", "b"], "temperature": 0.2}}, {"at_most": ["seed", "seed 2"]}]
    given = json.dumps([{**MODELS, "seed 2": [1, 2]}, constraints])
    outputs = [
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, given],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    rows, ids = json.loads(outputs[0])
    assert ids == [variant_id(row) for row in rows["unique"]]
    assert {method: _places(drawn) for method, drawn in rows.items()} == PINNED


def _places(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{row['model']} {row['temperature']} {row['seed']}{row['seed 2']}" for row in rows]


# --- labels, ids and names ---------------------------------------------------------------------


def test_labels_are_places_in_the_lists() -> None:
    """Every configuration has the labels of its values, by their JSON: objects in any key order, 1 as 1.0."""
    space = parse({"n": [2, 1], "o": [{"x": 1, "y": [2]}, True, "1", 1]})
    assert labels(space, {"o": {"y": [2.0], "x": 1}, "n": 1.0}) == {"n": 1, "o": 0}
    assert [labels(space, row) for row in configurations(space)] == [
        {"n": n, "o": o} for n in range(2) for o in range(4)
    ]


@pytest.mark.parametrize(
    ("configuration", "problem"),
    [
        ({"model": "a", "temperature": 0.2}, "other dimensions"),
        ({"model": "a", "temperature": 0.2, "seed": 1, "top_p": 1}, "other dimensions"),
        ({"model": "a", "temperature": 0.3, "seed": 1}, "value of 'temperature' is not one"),
        ({"model": "a", "temperature": 0.2, "seed": True}, "value of 'seed' is not one"),
        ({"model": "a", "temperature": float("nan"), "seed": 1}, "NaN"),
    ],
)
def test_a_configuration_of_another_space_has_no_labels(configuration: Any, problem: str) -> None:
    """There is no label -1: the error names the dimension whose value is not in its list."""
    with pytest.raises(InvalidArgument, match=f"^configuration: .*{problem}.* Pass"):
        labels(parse(MODELS), configuration)


def test_an_id_is_the_hash_of_the_canonical_json() -> None:
    """Keys are sorted at every depth, without spaces, in UTF-8, so anybody can recompute an id."""
    text = '{"a":{"b":[1,"é"],"c":null},"z":0.2}'
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert variant_id({"z": 0.2, "a": {"c": None, "b": [1.0, "é"]}}) == expected
    assert variant_id({"a": {"b": [1, "é"], "c": None}, "z": 0.2}) == expected


def test_nasty_values_have_different_ids() -> None:
    """Seventeen values that other systems confuse have seventeen ids; NaN has to be written as text."""
    ids = {variant_id({"value": value, "other": 1}) for value in (*NASTY, "NaN")}
    assert len(ids) == 17
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in ids)
    with pytest.raises(InvalidArgument, match=r'^configuration: .*NaN.*as text, such as "NaN"'):
        variant_id({"value": float("nan"), "other": 1})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (0, False),
        (1, "1"),
        (None, "null"),
        ([1, 2], [2, 1]),
        ([], {}),
        ("é", "e\u0301"),
        ("", None),
    ],
)
def test_different_json_is_a_different_variant(left: Json, right: Json) -> None:
    """Types, the order of a list and the code points of a text count."""
    assert variant_id({"x": left}) != variant_id({"x": right})


def test_equal_numbers_are_one_variant() -> None:
    """A client that writes 1.0 and one that writes 1 mean the same, and -0.0 is 0."""
    assert variant_id({"x": [1.0, -0.0, 1e20]}) == variant_id({"x": [1, 0, 10**20]})
    assert variant_id({"x": 0.1 + 0.2}) != variant_id({"x": 0.3})


def test_a_new_value_renames_no_variant() -> None:
    """Ids are of configurations, not of places: a grown space keeps the ids it had."""
    before = {variant_id(row) for row in configurations(parse(MODELS))}
    grown = {**MODELS, "temperature": [0.0, *MODELS["temperature"]]}
    after = {variant_id(row) for row in configurations(parse(grown))}
    assert len(before) == 18
    assert before < after


@pytest.mark.parametrize(
    ("configuration", "name"),
    [
        ({"model": "a", "temperature": 0.2}, "model=a, temperature=0.2"),
        ({"temperature": 1.0, "stop": None, "on": True}, "temperature=1, stop=null, on=true"),
        ({"tools": ["read", {"b": 1, "a": 2}]}, 'tools=["read",{"a":2,"b":1}]'),
        ({"x": "one\ntwo\x00\x1b[31m\u2028three\u202efour\u200b"}, "x=one two [31m three four"),
        ({"x": ""}, "x="),
        ({}, "(no settings)"),
    ],
)
def test_a_name_says_the_settings_on_one_line(configuration: dict[str, Json], name: str) -> None:
    """Names are for people: settings in their order, nothing that moves a cursor or hides."""
    assert variant_name(configuration) == name


def test_a_long_name_shows_something_of_every_setting() -> None:
    """A prompt of any length leaves room for the settings beside it, within 120 characters."""
    name = variant_name({"prompt": "You are careful. " * 500, "temperature": 0.2, "model": "a"})
    assert name.startswith("prompt=You are careful. ")
    assert name.endswith("…, temperature=0.2, model=a")
    assert len(name) <= NAME_CHARACTERS
    assert len(variant_name({f"setting {number}": "x" * 99 for number in range(50)})) == NAME_CHARACTERS


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=30), st.text(max_size=90) | VALUES, max_size=5))
def test_any_configuration_has_a_safe_name(configuration: dict[str, Json]) -> None:
    """A name is never empty, has at most 120 characters, and all of them print."""
    name = variant_name(configuration)
    assert 1 <= len(name) <= NAME_CHARACTERS
    assert name.isprintable()
