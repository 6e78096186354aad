"""Drawing configurations: the same seed draws the same ones, on every machine."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

from vettle.engine.errors import InvalidArgument
from vettle.engine.identifiers import digest
from vettle.engine.space.definition import Group, Space
from vettle.engine.space.finding import configuration, count, levels_at
from vettle.engine.space.values import (
    LATIN_MOVES,
    LATIN_MOVES_PER_ROW,
    MOST_SAMPLED,
    Configuration,
    Method,
    shown,
)


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
    return [configuration(space, levels_at(space, index)) for index in indices]


def _hypercube(space: Space, n: int, draws: _Draws) -> list[Configuration]:
    rows: list[dict[str, int]] = [{} for _ in range(n)]
    for group in space.groups:
        column = (
            _balanced(group.admissible, n, draws)
            if len(group.sizes) == 1
            else _balanced_levels(group, n, draws)
        )
        for row, number in zip(rows, column, strict=True):
            row.update({name: group.level(name, number) for name in group.sizes})
    return [configuration(space, row) for row in rows]


def _balanced(numbers: Sequence[int], n: int, draws: _Draws) -> list[int]:
    """Return n of the numbers in random order, each equally often, give or take one."""
    times, extra = divmod(n, len(numbers))
    column = [*numbers] * times + [numbers[place] for place in draws.different(extra, len(numbers))]
    return [column[place] for place in draws.different(n, n)]


def _balanced_levels(group: Group, n: int, draws: _Draws) -> list[int]:
    """Return n admissible combinations that have every usable level equally often, give or take one."""
    moves = LATIN_MOVES_PER_ROW * n
    usable = {name: group.usable(name) for name in group.sizes}
    for _ in range(1 + LATIN_MOVES // moves):
        search = _BalanceSearch(group, usable, [draws.one_of(group.admissible) for _ in range(n)])
        for _ in range(moves):
            if search.is_balanced():
                return search.column
            search.move(draws)
    names = ", ".join(shown(name) for name in list(group.sizes)[:5])
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

    def __init__(self, group: Group, usable: Mapping[str, Sequence[int]], column: list[int]) -> None:
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
