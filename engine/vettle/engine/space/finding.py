"""Finding configurations by their place, without listing those before them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from vettle.engine.errors import InvalidArgument
from vettle.engine.space.definition import Space
from vettle.engine.space.naming import spelled
from vettle.engine.space.values import Configuration, Json, plain, shown


def count(space: Space) -> int:
    """Return how many configurations there are, exactly; 0 if the constraints refuse all of them.

    Raises:
        InvalidArgument: Constraints tie more than 1,000,000 combinations together.
    """
    return math.prod(len(group.admissible) for group in space.groups)


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
    return configuration(space, levels_at(space, index))


def configurations(space: Space) -> Iterator[Configuration]:
    """Return all configurations one by one, in the order of nested loops, last dimension fastest.

    Raises:
        InvalidArgument: Constraints tie too much together; at once, before the first is asked for.
    """
    return (configuration(space, levels_at(space, index)) for index in range(count(space)))


def levels_at(space: Space, index: int) -> dict[str, int]:
    """Find a configuration by its index, one dimension after the other.

    What is left of a group once its first dimensions are decided is a slice of its sorted combinations. The
    groups are independent, so every combination in the slice stands for equally many configurations.
    """
    slices = [(0, len(group.admissible)) for group in space.groups]
    remaining = math.prod(high for _, high in slices)
    place = {name: number for number, group in enumerate(space.groups) for name in group.sizes}
    levels: dict[str, int] = {}
    for name in space.dimensions:
        group, (low, high) = space.groups[place[name]], slices[place[name]]
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


def configuration(space: Space, levels: Mapping[str, int]) -> Configuration:
    """Return the values at these levels; the receiver may change them without changing the space."""
    return {name: plain(values[levels[name]]) for name, values in space.dimensions.items()}


def labels(space: Space, configuration: Mapping[str, Json]) -> dict[str, int]:
    """Return the level of each value: its place, from 0, in its dimension's list. Constraints do not matter.

    Raises:
        InvalidArgument: A dimension is missing or unknown, or has a value that is not in its list.
    """
    remedy = "Pass exactly one value of every dimension of the space"
    if set(configuration) != set(space.dimensions):
        raise InvalidArgument("configuration", "it has other dimensions than the space", remedy)
    spellings = {name: spelled(configuration[name]) for name in space.dimensions}
    for name, spelling in spellings.items():
        if spelling not in space.levels[name]:
            problem = f"its value of {shown(name)} is not one that the dimension has"
            raise InvalidArgument("configuration", problem, remedy)
    return {name: space.levels[name][spelling] for name, spelling in spellings.items()}
