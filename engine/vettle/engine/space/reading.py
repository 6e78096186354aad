"""Reading a space from what somebody passed: every mistake is named with its remedy."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from vettle.engine.errors import InvalidArgument
from vettle.engine.identifiers import canonical_json
from vettle.engine.space.definition import Constraint, Implication, Ordering, Space
from vettle.engine.space.values import (
    MOST_CONSTRAINTS,
    MOST_DIMENSIONS,
    MOST_VALUES,
    NAME_CHARACTERS,
    Json,
    plain,
    shown,
)

_SPACE_FORM = (
    f'Pass {{"name": [value, ...], ...}}: 1 to {MOST_DIMENSIONS} dimensions, each with 1 to {MOST_VALUES:,} different '
    f"JSON values and a name of 1 to {NAME_CHARACTERS} characters on one line"
)
_CONSTRAINT_FORMS = (
    'Valid forms: {"exclude": {name: value or [values], ...}}, {"if": {...}, "then": {...}}, '
    '{"less": [name, name]} and {"at_most": [name, name]}'
)


def parse(dimensions: Mapping[str, Sequence[Json]], constraints: Sequence[Mapping[str, Json]] = ()) -> Space:
    """Read a space: `{"model": ["a", "b"], "temperature": [0.2, 0.7]}`, in the order given, and its constraints.

    Every constraint must hold. There are four, none of them code:

    - `{"exclude": {"model": "a", "temperature": [0.5, 0.7]}}` refuses what matches in every dimension named.
    - `{"if": {"model": "a"}, "then": {"temperature": 0.2}}`: what matches all of "if" must match all of "then".
    - `{"less": ["low", "high"]}`: one dimension's number is less than another's; both have numbers only.
    - `{"at_most": ["low", "high"]}`: the same, or equal.

    A value stands for itself and a list for any of its items, but a list that is itself a value of the
    dimension stands for that value; wrap it in another list to be plain.

    Raises:
        InvalidArgument: "space" or "constraints" is malformed, or a constraint names a dimension or a value
            that the space does not have: a misspelt one would refuse nothing, silently.
    """
    if not isinstance(dimensions, Mapping):
        raise InvalidArgument("space", "not an object", _SPACE_FORM)
    if not 1 <= len(dimensions) <= MOST_DIMENSIONS:
        raise InvalidArgument("space", f"it has {len(dimensions)} dimensions", _SPACE_FORM)
    free = Space({_name(name): _values(name, values) for name, values in dimensions.items()})
    if not isinstance(constraints, list | tuple) or len(constraints) > MOST_CONSTRAINTS:
        raise InvalidArgument(
            "constraints", f"not a list of at most {MOST_CONSTRAINTS} constraints", _CONSTRAINT_FORMS
        )
    parsed = []
    for number, given in enumerate(constraints, 1):
        try:
            parsed.append(_constraint(free, given))
        except ValueError as problem:
            raise InvalidArgument("constraints", f"number {number} {problem}", _CONSTRAINT_FORMS) from None
    return Space(free.dimensions, tuple(parsed))


def _name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise InvalidArgument("space", "a dimension has no name", _SPACE_FORM)
    if len(name) > NAME_CHARACTERS:
        raise InvalidArgument("space", f"a dimension's name has {len(name):,} characters", _SPACE_FORM)
    if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") for one in name):
        raise InvalidArgument("space", f"the name {shown(name)} has a control character", _SPACE_FORM)
    return name


def _values(name: str, values: object) -> tuple[Json, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise InvalidArgument("space", f"dimension {shown(name)} has no list of values", _SPACE_FORM)
    if not 1 <= len(values) <= MOST_VALUES:
        raise InvalidArgument("space", f"dimension {shown(name)} has {len(values):,} values", _SPACE_FORM)
    found: dict[str, Json] = {}
    for number, value in enumerate(values, 1):
        try:
            copied = plain(value)
            spelling = canonical_json(copied)
        except ValueError as problem:
            raise InvalidArgument(
                "space", f"value {number} of dimension {shown(name)} {problem}", _SPACE_FORM
            ) from None
        if spelling in found:
            raise InvalidArgument(
                "space",
                f"value {number} of dimension {shown(name)} is there already (1 and 1.0 are one value)",
                "Leave it out; every value of a dimension is a different one",
            )
        found[spelling] = copied
    return tuple(found.values())


def _constraint(space: Space, given: object) -> Constraint:
    """Read one constraint; ValueError says what is wrong with it."""
    match given:
        case {"exclude": matches, **rest} if not rest:
            return Implication(_wanted(space, matches))
        case {"if": matches, "then": needed, **rest} if not rest:
            return Implication(_wanted(space, matches), _wanted(space, needed))
        case {"less": names, **rest} if not rest:
            return _ordering(space, names, equal_too=False)
        case {"at_most": names, **rest} if not rest:
            return _ordering(space, names, equal_too=True)
    raise ValueError("has an unknown form")


def _wanted(space: Space, given: object) -> dict[str, frozenset[int]]:
    if not isinstance(given, Mapping) or not given:
        raise ValueError("names no dimension")
    return {
        _known(space, name): frozenset(_wanted_levels(space, name, values)) for name, values in given.items()
    }


def _wanted_levels(space: Space, name: str, given: object) -> list[int]:
    levels, copied = space.levels[name], plain(given, depth=0)
    whole = levels.get(canonical_json(copied))
    if whole is not None:
        return [whole]
    items = copied if isinstance(copied, list) else [copied]
    found = [levels.get(canonical_json(item)) for item in items]
    if not found or None in found:
        raise ValueError(f"has a value that dimension {shown(name)} does not have")
    return [level for level in found if level is not None]


def _ordering(space: Space, names: object, *, equal_too: bool) -> Ordering:
    if not isinstance(names, list | tuple) or len(names) != 2:
        raise ValueError("does not compare two dimensions")
    left, right = _known(space, names[0]), _known(space, names[1])
    if left == right:
        raise ValueError("compares a dimension with itself")
    numbers = {name: _numbers(space, name) for name in (left, right)}
    ranks = {value: rank for rank, value in enumerate(sorted({*numbers[left], *numbers[right]}))}
    return Ordering(
        left, right, equal_too, {name: [ranks[value] for value in numbers[name]] for name in numbers}
    )


def _numbers(space: Space, name: str) -> list[int | float]:
    values = space.dimensions[name]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) != len(values):
        raise ValueError(f"compares dimension {shown(name)}, whose values are not all numbers")
    return numbers


def _known(space: Space, name: object) -> str:
    if not isinstance(name, str) or name not in space.dimensions:
        raise ValueError(f"names dimension {shown(name)}, which the space does not have")
    return name
