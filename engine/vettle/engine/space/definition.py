"""What a space consists of: dimensions, constraints, and the groups of dimensions that these tie together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from vettle.engine.errors import InvalidArgument
from vettle.engine.identifiers import canonical_json
from vettle.engine.space.values import MOST_TIED, Json, shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Number = TypeVar("Number", int, "npt.NDArray[np.intp]")
Levels: TypeAlias = "Callable[[str], npt.NDArray[np.intp]]"
Mask: TypeAlias = "npt.NDArray[np.bool_]"


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

    def admits(self, levels: Levels) -> Mask:
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

    def admits(self, levels: Levels) -> Mask:
        """Tell, for each combination, whether it is admissible."""
        import numpy as np

        left = np.array(self.ranks[self.left])[levels(self.left)]
        right = np.array(self.ranks[self.right])[levels(self.right)]
        admissible: Mask = left <= right if self.equal_too else left < right
        return admissible


Constraint: TypeAlias = Implication | Ordering


def _matches(wanted: Mapping[str, frozenset[int]], levels: Levels) -> Mask:
    import numpy as np

    masks = (np.isin(levels(name), sorted(allowed)) for name, allowed in wanted.items())
    matching: Mask = np.logical_and.reduce(list(masks))
    return matching


@dataclass(frozen=True)
class Group:
    """Dimensions that constraints tie together, directly or through others; a free dimension is alone.

    A combination of their levels is one number, in mixed radix. `admissible` has the numbers that satisfy
    every constraint, ascending.
    """

    sizes: Mapping[str, int]
    strides: Mapping[str, int]
    admissible: Sequence[int] = ()

    def level(self, name: str, number: Number) -> Number:
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
    def levels(self) -> dict[str, dict[str, int]]:
        """The place of each value in its dimension's list, by the value's spelling."""
        return {
            name: {canonical_json(value): level for level, value in enumerate(values)}
            for name, values in self.dimensions.items()
        }

    @cached_property
    def groups(self) -> list[Group]:
        """The dimensions that constraints tie together, and each of the others alone."""
        tied = {name: {name} for name in self.dimensions}
        for constraint in self.constraints:
            together = set[str]().union(*(tied[name] for name in constraint.names))
            tied.update(dict.fromkeys(together, together))
        ordered = (tuple(name for name in self.dimensions if name in tied[one]) for one in self.dimensions)
        return [self._group(names) for names in dict.fromkeys(ordered)]

    def _group(self, names: Sequence[str]) -> Group:
        sizes = {name: len(self.dimensions[name]) for name in names}
        strides: dict[str, int] = {}
        combinations = 1
        for name in reversed(names):
            strides[name] = combinations
            combinations *= sizes[name]
        group = Group(sizes, strides, range(combinations))
        constraints = [constraint for constraint in self.constraints if constraint.names & set(names)]
        if not constraints:
            return group
        if combinations > MOST_TIED:
            raise _tied_too_much(sizes, combinations)
        return Group(sizes, strides, _admissible(group, constraints))


def _admissible(group: Group, constraints: Sequence[Constraint]) -> list[int]:
    import numpy as np

    numbers = np.array(group.admissible, np.intp)
    for constraint in constraints:
        numbers = numbers[constraint.admits(partial(group.level, number=numbers))]
    found: list[int] = numbers.tolist()
    return found


def _tied_too_much(sizes: Mapping[str, int], combinations: int) -> InvalidArgument:
    largest = sorted(sizes, key=lambda name: -sizes[name])
    names = ", ".join(shown(name) for name in largest[:5])
    more = f" and {len(largest) - 5} more" if len(largest) > 5 else ""
    return InvalidArgument(
        "constraints",
        f"they tie {names}{more} together, which makes {combinations:,} combinations of at most {MOST_TIED:,}",
        "Untie one of these dimensions: drop a constraint that it shares with the others, or give it fewer values",
    )
