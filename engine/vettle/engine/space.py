"""The parameter space of an experiment: which configurations there are, counted and drawn without listing them.

A space is a set of named dimensions with the values each may take, minus the configurations that its
constraints refuse. The configurations are in the order of nested loops, last dimension fastest, and
`at(space, index)` finds any one of them directly: constraints tie dimensions into groups, a group is
listed once, and the space is the product of its groups, however large that is.

Values are JSON, compared by their canonical spelling. 1 and 1.0 are one value, as in RFC 8785 (section
3.2.2.3), so it does not matter which client wrote it; 1, "1" and true are three. Whole floats are kept as
integers. Names and values are data: nothing here evaluates or interprets them.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, get_args

from pydantic import JsonValue

from vettle.engine.errors import InvalidArgument
from vettle.engine.identifiers import canonical_json, digest
from vettle.engine.quarantine import hidden_characters

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Json: TypeAlias = JsonValue
Configuration: TypeAlias = dict[str, Json]
Method = Literal["unique", "replacement", "latin"]

MOST_DIMENSIONS = 50
MOST_VALUES = 1_000
MOST_CONSTRAINTS = 100
MOST_SAMPLED = 10_000
NAME_CHARACTERS = 120

MOST_TIED = 1_000_000
"""Combinations of the dimensions that constraints tie together, admissible or not: they are listed in memory."""

DEEPEST = 20
"""How deep a value may be nested; text and numbers are 1 deep."""

LATIN_MOVES = 100_000
"""Moves that the search for a Latin hypercube may make in one group of tied dimensions, over all its starts."""

LATIN_MOVES_PER_ROW = 50
"""Moves from one start, for each row; the first start is always given all of them."""

_SPACE_FORM = (
    f'Pass {{"name": [value, ...], ...}}: 1 to {MOST_DIMENSIONS} dimensions, each with 1 to {MOST_VALUES:,} different '
    f"JSON values and a name of 1 to {NAME_CHARACTERS} characters on one line"
)
_CONSTRAINT_FORMS = (
    'Valid forms: {"exclude": {name: value or [values], ...}}, {"if": {...}, "then": {...}}, '
    '{"less": [name, name]} and {"at_most": [name, name]}'
)

_HALF_PAIR = re.compile("[\ud800-\udfff]")

_Number = TypeVar("_Number", int, "npt.NDArray[np.intp]")
_Levels: TypeAlias = "Callable[[str], npt.NDArray[np.intp]]"
_Mask: TypeAlias = "npt.NDArray[np.bool_]"


# --- what a space consists of ------------------------------------------------------------------


@dataclass(frozen=True)
class Implication:
    """Where all of `given` match, all of `then` must; without a `then` nothing may match all of `given`.

    Both give the levels (places in the list of values) that match, for each dimension they speak of.
    """

    given: Mapping[str, frozenset[int]]
    then: Mapping[str, frozenset[int]] | None = None

    @property
    def names(self) -> frozenset[str]:
        """The dimensions that it ties together."""
        return frozenset({*self.given, *(self.then or {})})

    def admits(self, levels: _Levels) -> _Mask:
        """Tell, for each combination, whether it is admissible."""
        elsewhere = ~_matches(self.given, levels)
        return elsewhere if self.then is None else elsewhere | _matches(self.then, levels)


@dataclass(frozen=True)
class Ordering:
    """The number in `left` must be less than the one in `right`, or at most that one if `equal_too`.

    `ranks` has each level's rank among the numbers of both: exact, where numpy would round large integers.
    """

    left: str
    right: str
    equal_too: bool
    ranks: Mapping[str, Sequence[int]]

    @property
    def names(self) -> frozenset[str]:
        """The dimensions that it ties together."""
        return frozenset({self.left, self.right})

    def admits(self, levels: _Levels) -> _Mask:
        """Tell, for each combination, whether it is admissible."""
        import numpy as np

        left = np.array(self.ranks[self.left])[levels(self.left)]
        right = np.array(self.ranks[self.right])[levels(self.right)]
        admissible: _Mask = left <= right if self.equal_too else left < right
        return admissible


Constraint: TypeAlias = Implication | Ordering


def _matches(wanted: Mapping[str, frozenset[int]], levels: _Levels) -> _Mask:
    import numpy as np

    masks = (np.isin(levels(name), sorted(allowed)) for name, allowed in wanted.items())
    matching: _Mask = np.logical_and.reduce(list(masks))
    return matching


@dataclass(frozen=True)
class _Group:
    """Dimensions that constraints tie together, directly or through others; a free dimension is alone.

    A combination of their levels is one number, in mixed radix. `admissible` has the numbers that satisfy
    every constraint, ascending.
    """

    sizes: Mapping[str, int]
    strides: Mapping[str, int]
    admissible: Sequence[int] = ()

    def level(self, name: str, number: _Number) -> _Number:
        """Return the level of one dimension in a combination, or in each of an array of them."""
        return number // self.strides[name] % self.sizes[name]

    def admits(self, number: int) -> bool:
        """Tell whether a combination satisfies every constraint."""
        place = bisect_left(self.admissible, number)
        return place < len(self.admissible) and self.admissible[place] == number

    def usable(self, name: str) -> list[int]:
        """Return the levels of a dimension that an admissible combination has."""
        import numpy as np

        found: list[int] = np.unique(self.level(name, np.array(self.admissible, np.intp))).tolist()
        return found


@dataclass(frozen=True)
class Space:
    """Named dimensions with their values, in order, and what may not be combined; made by `parse`.

    Nothing is listed until it is asked for, so constraints that tie too much together are refused only by
    the functions that need to know which configurations there are: `count`, `at` and `sample`.
    """

    dimensions: Mapping[str, Sequence[Json]]
    constraints: Sequence[Constraint] = ()

    @cached_property
    def _levels(self) -> dict[str, dict[str, int]]:
        return {
            name: {canonical_json(value): level for level, value in enumerate(values)}
            for name, values in self.dimensions.items()
        }

    @cached_property
    def _groups(self) -> list[_Group]:
        tied = {name: {name} for name in self.dimensions}
        for constraint in self.constraints:
            together = set[str]().union(*(tied[name] for name in constraint.names))
            tied.update(dict.fromkeys(together, together))
        ordered = (tuple(name for name in self.dimensions if name in tied[one]) for one in self.dimensions)
        return [self._group(names) for names in dict.fromkeys(ordered)]

    def _group(self, names: Sequence[str]) -> _Group:
        sizes = {name: len(self.dimensions[name]) for name in names}
        strides: dict[str, int] = {}
        combinations = 1
        for name in reversed(names):
            strides[name] = combinations
            combinations *= sizes[name]
        group = _Group(sizes, strides, range(combinations))
        constraints = [constraint for constraint in self.constraints if constraint.names & set(names)]
        if not constraints:
            return group
        if combinations > MOST_TIED:
            raise _tied_too_much(sizes, combinations)
        return _Group(sizes, strides, _admissible(group, constraints))


def _admissible(group: _Group, constraints: Sequence[Constraint]) -> list[int]:
    import numpy as np

    numbers = np.array(group.admissible, np.intp)
    for constraint in constraints:
        numbers = numbers[constraint.admits(partial(group.level, number=numbers))]
    found: list[int] = numbers.tolist()
    return found


def _tied_too_much(sizes: Mapping[str, int], combinations: int) -> InvalidArgument:
    largest = sorted(sizes, key=lambda name: -sizes[name])
    names = ", ".join(_shown(name) for name in largest[:5])
    more = f" and {len(largest) - 5} more" if len(largest) > 5 else ""
    return InvalidArgument(
        "constraints",
        f"they tie {names}{more} together, which makes {combinations:,} combinations of at most {MOST_TIED:,}",
        "Untie one of these dimensions: drop a constraint that it shares with the others, or give it fewer values",
    )


# --- reading -----------------------------------------------------------------------------------


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
        raise InvalidArgument("space", f"the name {_shown(name)} has a control character", _SPACE_FORM)
    return name


def _values(name: str, values: object) -> tuple[Json, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise InvalidArgument("space", f"dimension {_shown(name)} has no list of values", _SPACE_FORM)
    if not 1 <= len(values) <= MOST_VALUES:
        raise InvalidArgument("space", f"dimension {_shown(name)} has {len(values):,} values", _SPACE_FORM)
    found: dict[str, Json] = {}
    for number, value in enumerate(values, 1):
        try:
            plain = _plain(value)
            spelling = canonical_json(plain)
        except ValueError as problem:
            raise InvalidArgument(
                "space", f"value {number} of dimension {_shown(name)} {problem}", _SPACE_FORM
            ) from None
        if spelling in found:
            raise InvalidArgument(
                "space",
                f"value {number} of dimension {_shown(name)} is there already (1 and 1.0 are one value)",
                "Leave it out; every value of a dimension is a different one",
            )
        found[spelling] = plain
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
    levels, plain = space._levels[name], _plain(given, depth=0)
    whole = levels.get(canonical_json(plain))
    if whole is not None:
        return [whole]
    items = plain if isinstance(plain, list) else [plain]
    found = [levels.get(canonical_json(item)) for item in items]
    if not found or None in found:
        raise ValueError(f"has a value that dimension {_shown(name)} does not have")
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
        raise ValueError(f"compares dimension {_shown(name)}, whose values are not all numbers")
    return numbers


def _known(space: Space, name: object) -> str:
    if not isinstance(name, str) or name not in space.dimensions:
        raise ValueError(f"names dimension {_shown(name)}, which the space does not have")
    return name


def _plain(value: object, depth: int = 1) -> Json:
    """Copy a JSON value, whole floats as integers; ValueError says what JSON cannot say in it.

    `depth` is 1 for a value, and 0 for an object or a list of values.
    """
    if depth > DEEPEST:
        raise ValueError(f"is nested more than {DEEPEST} deep")
    match value:
        case None:
            return None
        case str():
            if _HALF_PAIR.search(value):
                raise ValueError("has half a surrogate pair, which UTF-8 cannot say")
            return value
        case int() if value.bit_length() <= 1_024:
            return value
        case float() if math.isfinite(value):
            return int(value) if value.is_integer() else value
        case int() | float():
            raise ValueError('is NaN, infinite or beyond 1.8e308; write it as text, such as "NaN"')
        case list() | tuple():
            return [_plain(item, depth + 1) for item in value]
        case Mapping() if all(isinstance(key, str) for key in value):
            return {str(_plain(key)): _plain(item, depth + 1) for key, item in value.items()}
    raise ValueError(f"is not JSON but a {type(value).__name__}, or an object with keys that are not text")


def _shown(name: object) -> str:
    """Return a name as a message may show it: quoted, escaped and short."""
    return repr(name[:40] if isinstance(name, str) else type(name).__name__)


# --- finding configurations --------------------------------------------------------------------


def count(space: Space) -> int:
    """Return how many configurations there are, exactly; 0 if the constraints refuse all of them.

    Raises:
        InvalidArgument: Constraints tie more than 1,000,000 combinations together.
    """
    return math.prod(len(group.admissible) for group in space._groups)


def at(space: Space, index: int) -> Configuration:
    """Return the configuration with this index (from 0), in the order of `configurations`, without the others.

    An index means another configuration as soon as a value is added: identify by `variant_id`.

    Raises:
        InvalidArgument: There is no such index, or constraints tie too much together.
    """
    total = count(space)
    if not 0 <= index < total:
        raise InvalidArgument(
            "index", f"there are {total:,} configurations", "Pass at least 0 and less than that"
        )
    return _configuration(space, _levels_at(space, index))


def configurations(space: Space) -> Iterator[Configuration]:
    """Return all configurations one by one, in the order of nested loops, last dimension fastest.

    Raises:
        InvalidArgument: Constraints tie too much together; at once, before the first is asked for.
    """
    return (_configuration(space, _levels_at(space, index)) for index in range(count(space)))


def _levels_at(space: Space, index: int) -> dict[str, int]:
    """Find a configuration by its index, one dimension after the other.

    What is left of a group once its first dimensions are decided is a slice of its sorted combinations. The
    groups are independent, so every combination in the slice stands for equally many configurations.
    """
    slices = [(0, len(group.admissible)) for group in space._groups]
    remaining = math.prod(high for _, high in slices)
    place = {name: number for number, group in enumerate(space._groups) for name in group.sizes}
    levels: dict[str, int] = {}
    for name in space.dimensions:
        group, (low, high) = space._groups[place[name]], slices[place[name]]
        others = remaining // (high - low)
        number = group.admissible[low + index // others]
        stride = group.strides[name]
        # Combinations that begin alike are neighbours: `stride` numbers, as later dimensions vary.
        first = number - number % stride
        start = bisect_left(group.admissible, first, low, high)
        end = bisect_left(group.admissible, first + stride, start, high)
        levels[name] = group.level(name, number)
        slices[place[name]] = (start, end)
        index -= (start - low) * others
        remaining = others * (end - start)
    return levels


def _configuration(space: Space, levels: Mapping[str, int]) -> Configuration:
    """Return the values at these levels; the receiver may change them without changing the space."""
    return {name: _plain(values[levels[name]]) for name, values in space.dimensions.items()}


def labels(space: Space, configuration: Mapping[str, Json]) -> dict[str, int]:
    """Return the level of each value: its place, from 0, in its dimension's list. Constraints do not matter.

    Raises:
        InvalidArgument: A dimension is missing or unknown, or has a value that is not in its list.
    """
    remedy = "Pass exactly one value of every dimension of the space"
    if set(configuration) != set(space.dimensions):
        raise InvalidArgument("configuration", "it has other dimensions than the space", remedy)
    spelled = {name: _spelled(configuration[name]) for name in space.dimensions}
    for name, spelling in spelled.items():
        if spelling not in space._levels[name]:
            problem = f"its value of {_shown(name)} is not one that the dimension has"
            raise InvalidArgument("configuration", problem, remedy)
    return {name: space._levels[name][spelling] for name, spelling in spelled.items()}


# --- sampling ----------------------------------------------------------------------------------


class _Draws:
    """Whole numbers drawn from a seed.

    Only the generator's bits are used, by rejection and by Fisher and Yates, because `randrange`, `sample` and
    `shuffle` may change with a release of Python. A test pins what comes out.
    """

    def __init__(self, method: str, seed: int) -> None:
        # Random() takes the absolute value of a number: seeds 1 and -1 would draw the same.
        seeded = int.from_bytes(digest("space", method, str(seed)))
        self._bits = random.Random(seeded).getrandbits  # noqa: S311 - the draws must repeat, not be secret

    def below(self, limit: int) -> int:
        """Return one of 0 .. limit - 1, each with the same probability, however large the limit is."""
        length = limit.bit_length()
        while (drawn := self._bits(length)) >= limit:
            pass
        return drawn

    def one_of(self, numbers: Sequence[int]) -> int:
        """Return one of the numbers, each with the same probability."""
        return numbers[self.below(len(numbers))]

    def different(self, n: int, limit: int) -> list[int]:
        """Return n different ones of 0 .. limit - 1, in random order: the first n of a shuffle of them all."""
        moved: dict[int, int] = {}
        drawn = []
        for place in range(n):
            other = place + self.below(limit - place)
            drawn.append(moved.get(other, other))
            moved[other] = moved.get(place, place)
        return drawn


def sample(space: Space, n: int, *, seed: int, method: Method) -> list[Configuration]:
    """Draw n configurations; equal seeds give equal samples on every machine.

    - "unique": n different ones, each set of n equally likely; all of them, shuffled, if there are no more
      than n. A larger sample from the same seed begins with the smaller one.
    - "replacement": n independent draws, so one may come again. A larger sample begins with the smaller one.
    - "latin": a Latin hypercube (McKay, Beckman & Conover 1979) over levels: of any dimension, the levels that
      constraints leave possible are used equally often, give or take one. One configuration may come again.
      Where constraints tie dimensions, it is searched for, in at most about 100,000 moves or 50 per row.

    Raises:
        InvalidArgument: n is not 1 to 10,000, the method is unknown, the constraints refuse everything or
            tie too much together, or no Latin hypercube that satisfies them was found.
    """
    if not 1 <= n <= MOST_SAMPLED:
        raise InvalidArgument("n", f"{n} is not a size of a sample", f"Pass 1 to {MOST_SAMPLED:,}")
    if method not in get_args(Method):
        raise InvalidArgument("method", "unknown", f"Pass one of {', '.join(get_args(Method))}")
    total = count(space)
    if not total:
        raise InvalidArgument(
            "constraints", "together they refuse every configuration", "Drop or relax one of them"
        )
    draws = _Draws(method, seed)
    if method == "latin":
        return _hypercube(space, n, draws)
    if method == "unique":
        indices = draws.different(min(n, total), total)
    else:
        indices = [draws.below(total) for _ in range(n)]
    return [_configuration(space, _levels_at(space, index)) for index in indices]


def _hypercube(space: Space, n: int, draws: _Draws) -> list[Configuration]:
    rows: list[dict[str, int]] = [{} for _ in range(n)]
    for group in space._groups:
        column = (
            _balanced(group.admissible, n, draws)
            if len(group.sizes) == 1
            else _balanced_levels(group, n, draws)
        )
        for row, number in zip(rows, column, strict=True):
            row.update({name: group.level(name, number) for name in group.sizes})
    return [_configuration(space, row) for row in rows]


def _balanced(numbers: Sequence[int], n: int, draws: _Draws) -> list[int]:
    """Return n of the numbers in random order, each equally often, give or take one."""
    times, extra = divmod(n, len(numbers))
    column = [*numbers] * times + [numbers[place] for place in draws.different(extra, len(numbers))]
    return [column[place] for place in draws.different(n, n)]


def _balanced_levels(group: _Group, n: int, draws: _Draws) -> list[int]:
    """Return n admissible combinations that have every usable level equally often, give or take one."""
    moves = LATIN_MOVES_PER_ROW * n
    usable = {name: group.usable(name) for name in group.sizes}
    for _ in range(1 + LATIN_MOVES // moves):
        search = _BalanceSearch(group, usable, [draws.one_of(group.admissible) for _ in range(n)])
        for _ in range(moves):
            if search.is_balanced():
                return search.column
            search.move(draws)
    names = ", ".join(_shown(name) for name in list(group.sizes)[:5])
    raise InvalidArgument(
        "method",
        f"found no Latin hypercube of {n:,}: constraints leave few ways to use the values of {names} equally often",
        'Pass another n, relax a constraint, or use method "unique"',
    )


class _BalanceSearch:
    """A search for a column of combinations that uses levels evenly; all of them are admissible all the time.

    Levels are used evenly exactly when the sum of the squares of how often each is used is as small as it
    can be. A move that would enlarge the sum is not made.
    """

    def __init__(self, group: _Group, usable: Mapping[str, Sequence[int]], column: list[int]) -> None:
        self.column = column
        self._group = group
        self._usable = usable
        self._names = list(usable)
        self._uses = {name: Counter(group.level(name, number) for number in column) for name in usable}
        squares = sum(times * times for uses in self._uses.values() for times in uses.values())
        self._excess = squares - sum(_least_squares(len(column), len(levels)) for levels in usable.values())

    def is_balanced(self) -> bool:
        """Tell whether the search is over."""
        return not self._excess

    def move(self, draws: _Draws) -> None:
        """Try another combination in one row: any, or one that differs in a single dimension."""
        row = draws.below(len(self.column))
        old = new = self.column[row]
        if draws.below(2):
            new = draws.one_of(self._group.admissible)
        else:
            name = self._names[draws.below(len(self._names))]
            change = draws.one_of(self._usable[name]) - self._group.level(name, old)
            new = old + change * self._group.strides[name]
            if not self._group.admits(new):
                return
        level = self._group.level
        pairs = [(name, level(name, old), level(name, new)) for name in self._names]
        changes = [(self._uses[name], before, after) for name, before, after in pairs if before != after]
        growth = sum(2 * (uses[after] - uses[before] + 1) for uses, before, after in changes)
        if growth <= 0:
            for uses, before, after in changes:
                uses[before] -= 1
                uses[after] += 1
            self.column[row] = new
            self._excess += growth


def _least_squares(n: int, levels: int) -> int:
    """Return the least sum of squares of whole numbers, one for each level, that add up to n."""
    times, extra = divmod(n, levels)
    return levels * times**2 + extra * (2 * times + 1)


# --- naming ------------------------------------------------------------------------------------


def variant_id(configuration: Mapping[str, Json]) -> str:
    """Return what identifies a variant: the SHA-256 of its canonical JSON in UTF-8, 64 lower-case hex digits.

    The order of keys does not matter, the order of a list does; 1 and 1.0 are the same. Ids do not depend on
    a space, so adding a value or a constraint renames nothing.

    Raises:
        InvalidArgument: The configuration is not JSON: NaN, for one, has to be written as text.
    """
    return hashlib.sha256(_spelled(configuration, depth=0).encode()).hexdigest()


def variant_name(configuration: Mapping[str, Json]) -> str:
    """Return a name for people, such as "model=a, temperature=0.2", in the order of the keys given.

    One line of at most 120 characters: control and invisible characters become spaces, and where it would be
    too long, every value gets a fair share, so that a long prompt does not hide the rest. Names need not
    differ; ids do.

    Raises:
        InvalidArgument: The configuration is not JSON.
    """
    _spelled(configuration, depth=0)
    parts = [_one_line(f"{name}={_as_text(value)}"[:1_000]) for name, value in configuration.items()]
    if len(", ".join(parts)) > NAME_CHARACTERS:
        share = max(12, (NAME_CHARACTERS + 2) // len(parts) - 2)
        parts = [_cut(part, share) for part in parts]
    return _cut(", ".join(parts), NAME_CHARACTERS) or "(no settings)"


def _spelled(value: object, depth: int = 1) -> str:
    try:
        return canonical_json(_plain(value, depth))
    except ValueError as problem:
        raise InvalidArgument(
            "configuration", f"a value {problem}", "Pass an object of names and JSON values"
        ) from None


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else canonical_json(_plain(value))


def _one_line(text: str) -> str:
    return " ".join("".join(" " if hidden_characters(one) else one for one in text).split())


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
