"""The parameter space of an experiment: which configurations there are, counted and drawn without listing them.

A space is a set of named dimensions with the values each may take, minus the configurations that its
constraints refuse. The configurations are in the order of nested loops, last dimension fastest, and
`at(space, index)` finds any one of them directly: constraints tie dimensions into groups, a group is
listed once, and the space is the product of its groups, however large that is.

Values are JSON, compared by their canonical spelling. 1 and 1.0 are one value, as in RFC 8785 (section
3.2.2.3), so it does not matter which client wrote it; 1, "1" and true are three. Whole floats are kept as
integers. Names and values are data: nothing here evaluates or interprets them.
"""

from vettle.engine.space.definition import Space
from vettle.engine.space.finding import at, configurations, count, labels
from vettle.engine.space.naming import variant_id, variant_name
from vettle.engine.space.reading import parse
from vettle.engine.space.sampling import sample
from vettle.engine.space.values import (
    DEEPEST,
    LATIN_MOVES,
    LATIN_MOVES_PER_ROW,
    MOST_CONSTRAINTS,
    MOST_DIMENSIONS,
    MOST_SAMPLED,
    MOST_TIED,
    MOST_VALUES,
    NAME_CHARACTERS,
    Configuration,
    Json,
    Method,
)

__all__ = [
    "DEEPEST",
    "LATIN_MOVES",
    "LATIN_MOVES_PER_ROW",
    "MOST_CONSTRAINTS",
    "MOST_DIMENSIONS",
    "MOST_SAMPLED",
    "MOST_TIED",
    "MOST_VALUES",
    "NAME_CHARACTERS",
    "Configuration",
    "Json",
    "Method",
    "Space",
    "at",
    "configurations",
    "count",
    "labels",
    "parse",
    "sample",
    "variant_id",
    "variant_name",
]
