"""What an experiment is: its variants, its metrics and its guardrails, checked once and never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from vettle.engine import space
from vettle.engine.arguments import Configuration, Label, Notes, RequiredLabel
from vettle.engine.errors import InvalidArgument
from vettle.engine.identifiers import canonical_json
from vettle.engine.judging.utility import Direction, Kind, Metric, MissingPolicy
from vettle.engine.policies import blocks
from vettle.engine.records import Record
from vettle.engine.suggesting import hint

MOST_VARIANTS = 100
CONFIG_CHARACTERS = 20_000

Finite = Annotated[float, Field(allow_inf_nan=False)]
Range = Annotated[tuple[Finite, ...], Field(max_length=2)]
Mode = Literal["interleaved", "paired"]


class VariantInput(Record):
    """A variant as it is proposed. Without a name it is named after its config.

    `prior_mean` is the utility expected before any result, worth `prior_strength` results: it steers the
    policies that use variants, and no verdict.
    """

    name: Label = ""
    config: Configuration = Field(default_factory=dict)
    weight: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] = 1.0
    control: bool = False
    prior_mean: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.5
    prior_strength: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 2.0
    hint: Notes = ""
    description: Notes = ""


class Component(Record):
    """One of several metrics that make a utility. `range` is [low, high], and empty for a binary one."""

    name: RequiredLabel
    direction: Direction
    kind: Kind = "continuous"
    range: Range = ()
    weight: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] = 1.0


class MetricInput(Record):
    """What decides: one number of a run, or the weighted utility of several `components`.

    `range` is [low, high], or empty for a number without bounds. `minimum_effect` is the smallest difference
    worth finding, in the metric's unit; 0 means that none is declared. With components, name, direction,
    kind and range say nothing: the utility is in [0, 1], and higher is better.
    """

    name: RequiredLabel = "score"
    direction: Direction | Literal[""] = ""
    kind: Kind = "continuous"
    range: Range = ()
    minimum_effect: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    unit: Label = ""
    components: Annotated[tuple[Component, ...], Field(max_length=20)] = ()
    missing: MissingPolicy = "worst"


class GuardrailInput(Record):
    """A metric that must not get worse by more than `margin`, in its own unit; it blocks a win, never makes one."""

    name: RequiredLabel
    direction: Direction
    range: Annotated[tuple[Finite, ...], Field(min_length=2, max_length=2)]
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Variant(Record):
    """One variant. `id` is the SHA-256 of its config, so the same config is the same variant everywhere."""

    id: str
    name: str
    config: dict[str, JsonValue]
    weight: float = 1.0
    control: bool = False
    prior_mean: float = 0.5
    prior_strength: float = 2.0
    hint: str = ""
    description: str = ""


class Design(Record):
    """Everything that is settled before the first run."""

    variants: tuple[Variant, ...]
    metric: MetricInput
    guardrails: tuple[GuardrailInput, ...] = ()
    mode: Mode = "interleaved"
    description: str = ""
    space: tuple[tuple[str, tuple[JsonValue, ...]], ...] = ()

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that make the utility; the one metric, where there are no components."""
        if not self.metric.components:
            return (_metric(self.metric, self.metric.minimum_effect),)
        return tuple(_metric(component, 0.0, component.weight) for component in self.metric.components)

    @property
    def is_binary(self) -> bool:
        """Whether one metric of 0 and 1 decides."""
        return len(self.metrics) == 1 and self.metrics[0].kind == "binary"

    @property
    def minimum_utility(self) -> float | None:
        """The smallest difference worth finding as a difference of utilities, None if it is not declared."""
        if self.metric.components:
            return self.metric.minimum_effect or None
        return self.metrics[0].minimum_utility()

    @property
    def minimum_difference(self) -> float:
        """The same in what is compared, which is the metric itself where it has no range; 0 if not declared."""
        return self.minimum_utility or self.metric.minimum_effect

    @cached_property
    def guards(self) -> tuple[Metric, ...]:
        """The guardrails as metrics, with their margins as minimum effects."""
        return tuple(_metric(guard, guard.margin) for guard in self.guardrails)

    @cached_property
    def served(self) -> tuple[Variant, ...]:
        """The variants that are assigned and judged: those with a weight above 0."""
        return tuple(variant for variant in self.variants if variant.weight > 0)

    @property
    def control(self) -> str:
        """The id of the variant that the others are compared with, or ""."""
        return next((variant.id for variant in self.variants if variant.control), "")

    @cached_property
    def names(self) -> dict[str, str]:
        """The variants' names by id."""
        return {variant.id: variant.name for variant in self.variants}

    def find(self, variant: str) -> Variant:
        """Return the variant with this id or name.

        Raises:
            InvalidArgument: None has it, with the valid names.
        """
        found = next((one for one in self.variants if variant in (one.id, one.name)), None)
        if found is None:
            names = ", ".join(one.name for one in self.variants[:10])
            meant = hint(variant, [one.name for one in self.variants])
            raise InvalidArgument(
                "variant", f"no variant {variant[:80]!r}", f"{meant} Variants: {names}".lstrip()
            )
        return found


def make(
    *,
    variants: Sequence[VariantInput],
    dimensions: Mapping[str, Sequence[JsonValue]],
    constraints: Sequence[Mapping[str, JsonValue]],
    metric: MetricInput,
    guardrails: Sequence[GuardrailInput],
    mode: Mode,
    description: str,
    least: int = 2,
) -> Design:
    """Check the parts of a design against each other; `least` is the smallest number of variants.

    Raises:
        InvalidArgument: Fewer than two variants, two with the same config or name, more than one control, a
            space beside variants, a space of too many configurations, weights that fit no block, or metrics
            or guardrails that contradict themselves or each other.
    """
    if dimensions and variants:
        raise InvalidArgument("space", "it comes instead of variants", "Pass one of the two")
    if constraints and not dimensions:
        raise InvalidArgument(
            "constraints", "there is no space to constrain", "Pass a space, or leave them out"
        )
    listed = _of_space(dimensions, constraints) if dimensions else [_variant(one) for one in variants]
    _check_variants(listed, least)
    design = Design(
        variants=tuple(listed),
        metric=metric,
        guardrails=tuple(guardrails),
        mode=mode,
        description=description,
        space=tuple((name, tuple(values)) for name, values in dimensions.items()),
    )
    _check_metrics(design)
    return design


def _variant(given: VariantInput) -> Variant:
    try:
        identity = space.variant_id(given.config or {"name": given.name})
    except InvalidArgument as error:
        raise InvalidArgument("variants.config", *_problem(error)) from None
    if len(canonical_json(given.config)) > CONFIG_CHARACTERS:
        raise InvalidArgument(
            "variants.config",
            f"more than {CONFIG_CHARACTERS:,} characters",
            "Keep large files outside and refer to them",
        )
    values = given.model_dump() | {"name": given.name or space.variant_name(given.config)}
    return Variant(id=identity, **values)


def _problem(error: InvalidArgument) -> tuple[str, str]:
    """Take a refusal apart, to say it of another argument."""
    problem, _, remedy = str(error).partition(": ")[2].rpartition(". ")
    return problem, remedy


def _of_space(
    dimensions: Mapping[str, Sequence[JsonValue]], constraints: Sequence[Mapping[str, JsonValue]]
) -> list[Variant]:
    parsed = space.parse(dimensions, constraints)
    number = space.count(parsed)
    if number > MOST_VARIANTS:
        raise InvalidArgument(
            "space",
            f"it has {number:,} configurations, and an experiment at most {MOST_VARIANTS}",
            "Draw some with space_sample and pass them as variants",
        )
    listed = [_variant(VariantInput(config=config)) for config in space.configurations(parsed)]
    names = Counter(one.name for one in listed)
    # true and "true" read the same, so such names carry the start of the id.
    return [
        one.model_copy(update={"name": f"{one.name} ({one.id[:8]})"}) if names[one.name] > 1 else one
        for one in listed
    ]


def _check_variants(variants: Sequence[Variant], least: int) -> None:
    if not least <= len(variants) <= MOST_VARIANTS:
        raise InvalidArgument(
            "variants",
            f"{len(variants)} given",
            f"An experiment takes 2 to {MOST_VARIANTS}: pass variants, or a space",
        )
    for field in ("id", "name"):
        counts = Counter(getattr(variant, field) for variant in variants)
        twice = next((value for value, count in counts.items() if count > 1), None)
        if twice is not None:
            what = "config" if field == "id" else f"name {twice[:80]!r}"
            raise InvalidArgument("variants", f"two have the same {what}", "Make every variant different")
    if sum(variant.control for variant in variants) > 1:
        raise InvalidArgument("variants.control", "more than one control", "Mark at most one")
    if sum(variant.weight > 0 for variant in variants) < least:
        raise InvalidArgument("variants.weight", "fewer than two above 0", "Give two variants a weight")
    if any(variant.control and variant.weight == 0 for variant in variants):
        raise InvalidArgument(
            "variants.weight", "the control has 0, so it would never run", "Give it a weight"
        )
    try:
        blocks.proportions({variant.id: variant.weight for variant in variants})
    except InvalidArgument as error:
        raise InvalidArgument("variants.weight", *_problem(error)) from None


def _check_metrics(design: Design) -> None:
    if not design.metric.components and not design.metric.direction:
        raise InvalidArgument(
            "metric.direction",
            "it is missing",
            'Say which is better, such as {"name": "passed", "direction": "higher", "kind": "binary", '
            '"minimum_effect": 0.1}',
        )
    components = design.metric.components
    field = "metric.components" if components else "metric"
    try:
        metrics = design.metrics
    except ValueError as error:
        raise InvalidArgument(field, str(error), "Pass a range as [low, high], low below high") from None
    unbounded = [metric.name for metric in metrics if not metric.bounded]
    if unbounded and components:
        raise InvalidArgument(
            field, f"{unbounded[0]!r} has no range", "Give every component a range: [low, high]"
        )
    if sum(metric.weight for metric in metrics) <= 0:
        raise InvalidArgument(field, "every weight is 0", "Give at least one component a weight above 0")
    _check_different(field, [metric.name for metric in metrics])
    _check_guardrails(design)


def _check_guardrails(design: Design) -> None:
    try:
        for guard, metric in zip(design.guardrails, design.guards, strict=True):
            if guard.margin >= guard.range[1] - guard.range[0]:
                raise ValueError(f"the margin of guardrail {metric.name!r} is its whole range")
    except ValueError as error:
        remedy = "Pass a range as [low, high], low below high, and a margin smaller than it"
        raise InvalidArgument("guardrails", str(error), remedy) from None
    _check_different("guardrails", [metric.name for metric in (*design.metrics, *design.guards)])


def _check_different(field: str, names: Sequence[str]) -> None:
    """Refuse a metric that is declared twice, or that decides and guards."""
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InvalidArgument(field, f"metric {twice[:80]!r} is declared twice", "Declare every metric once")


def _metric(given: MetricInput | Component | GuardrailInput, minimum: float, weight: float = 1.0) -> Metric:
    if len(given.range) == 1:
        raise ValueError(f"{given.name!r}: a range is [low, high], or empty")
    low, high = given.range if given.range else (None, None)
    kind: Kind = "continuous" if isinstance(given, GuardrailInput) else given.kind
    return Metric(
        name=given.name,
        direction=given.direction or "higher",
        kind=kind,
        low=low,
        high=high,
        minimum_effect=minimum or None,
        unit=given.unit if isinstance(given, MetricInput) else "",
        weight=weight,
    )
