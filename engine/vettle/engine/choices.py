"""Choosing among given options, and drawing from a given space: for callers that keep their own books."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, JsonValue

from vettle.engine import space
from vettle.engine.arguments import RequiredLabel
from vettle.engine.errors import InvalidArgument
from vettle.engine.policies import registry
from vettle.engine.policies.options import Option
from vettle.engine.project import Project
from vettle.engine.records import Record

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class OptionInput(Record):
    """One option. `score` is null if nobody scored it; n, mean, low and high describe its past rewards."""

    id: RequiredLabel
    score: _Finite | None = None
    weight: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 1.0
    n: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 0.0
    mean: _Finite = 0.0
    low: _Finite = 0.0
    high: _Finite = 1.0
    prior_mean: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.5
    prior_strength: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 2.0


class RankedOption(Record):
    """An option in the order of preference; null where nothing is known of it."""

    id: str
    value: float | None


class OptionChosen(Record):
    """The answer to `choose`. `propensity` is the chance that this option had; `seed` makes the choice repeatable."""

    id: str
    propensity: float
    policy: str
    seed: int
    explored: bool
    reason: str
    ties: list[str]
    unscored: list[str]
    ranking: list[RankedOption]


class SampledConfiguration(Record):
    """A configuration with the id and the name that it has as a variant."""

    id: str
    name: str
    config: dict[str, JsonValue]
    labels: dict[str, int]


class SpaceSampled(Record):
    """The answer to `space_sample`; `total` is the exact number of admissible configurations, as text."""

    total: str
    seed: int
    configurations: list[SampledConfiguration]
    note: str = ""


def choose(
    project: Project,
    *,
    options: Sequence[OptionInput],
    policy: str = "score",
    epsilon: float = 0.1,
    seed: int = -1,
) -> OptionChosen:
    """Choose one of the options.

    Raises:
        InvalidArgument: The options do not fit the policy, such as none that is scored.
    """
    # Imported here because numpy costs 0.1 s, which nothing else in this module should pay.
    import numpy as np

    drawn = seed if seed >= 0 else secrets.randbits(53)
    given = [Option(**option.model_dump()) for option in options]
    settings = {"epsilon": epsilon} if policy == "epsilon_greedy" else {}
    choice = registry.choose(policy, given, np.random.default_rng(drawn), **settings)
    return OptionChosen(
        id=choice.id,
        propensity=choice.propensity,
        policy=choice.policy,
        seed=drawn,
        explored=choice.explored,
        reason=choice.reason,
        ties=list(choice.ties),
        unscored=list(choice.unscored),
        ranking=[RankedOption(id=one.id, value=one.value) for one in choice.ranking],
    )


def sample(
    project: Project,
    *,
    dimensions: Mapping[str, Sequence[JsonValue]],
    constraints: Sequence[Mapping[str, JsonValue]] = (),
    n: int = 10,
    method: space.Method = "unique",
    seed: int = -1,
) -> SpaceSampled:
    """Draw configurations from a space without listing it.

    Raises:
        InvalidArgument: The space or a constraint means nothing, or no configuration is left.
    """
    drawn = seed if seed >= 0 else secrets.randbits(53)
    parsed = space.parse(dimensions, constraints)
    total = space.count(parsed)
    found = space.sample(parsed, n, seed=drawn, method=method)
    configurations = [
        SampledConfiguration(
            id=space.variant_id(config)[:12],
            name=space.variant_name(config),
            config=config,
            labels=space.labels(parsed, config),
        )
        for config in found
    ]
    kept = _fitting(configurations)
    note = (
        f"{len(found) - len(kept)} more are left out of this answer: ask for fewer."
        if len(kept) < len(found)
        else ""
    )
    return SpaceSampled(total=str(total), seed=drawn, configurations=kept, note=note)


def _fitting(configurations: list[SampledConfiguration]) -> list[SampledConfiguration]:
    from vettle.engine.paging import fit

    kept = fit(configurations)
    if configurations and len(kept[0].model_dump_json()) > 18_000:
        raise InvalidArgument("space", "one configuration alone is too long to answer", "Use shorter values")
    return kept
