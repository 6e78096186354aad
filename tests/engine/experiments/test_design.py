"""A design is checked once, before the first run, and every refusal says which part and what instead."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.engine.experiments.world import PASSED, SECONDS, create, variants

from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments.design import Component, GuardrailInput, MetricInput, VariantInput
from vettle.engine.project import Project
from vettle.engine.store import events


def _part(name: str = "passed", **given: Any) -> Component:
    return Component.model_validate({"name": name, "direction": "higher", "kind": "binary"} | given)


def _guard(name: str = "tokens", **given: Any) -> GuardrailInput:
    return GuardrailInput.model_validate(
        {"name": name, "direction": "lower", "range": (0, 10), "margin": 1} | given
    )


_SCORE: dict[str, Any] = {"name": "score", "direction": "higher"}

REFUSED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no variant": ("variants", "2 to 100", {"of": []}),
    "one variant": ("variants", "2 to 100", {"of": variants("a")}),
    "101 variants": ("variants", "2 to 100", {"of": variants(*map(str, range(101)))}),
    "a config twice": (
        "variants",
        "different",
        {
            "of": [
                VariantInput(name="a", config={"x": 1, "y": 2}),
                VariantInput(name="b", config={"y": 2, "x": 1}),
            ]
        },
    ),
    "a name twice": (
        "variants",
        "different",
        {"of": [VariantInput(name="a", config={"x": 1}), VariantInput(name="a", config={"x": 2})]},
    ),
    "NaN in a config": (
        "variants.config",
        "text",
        {"of": [*variants("a"), VariantInput(name="b", config={"x": float("nan")})]},
    ),
    "a surrogate in a config": (
        "variants.config",
        "object",
        {"of": [*variants("a"), VariantInput(name="b", config={"x": "\ud800"})]},
    ),
    "a config of 30 kB": (
        "variants.config",
        "outside",
        {"of": [*variants("a"), VariantInput(name="b", config={"x": "y" * 30_000})]},
    ),
    "two controls": (
        "variants.control",
        "at most one",
        {"of": variants("a", "b", a={"control": True}, b={"control": True})},
    ),
    "a control of weight 0": (
        "variants.weight",
        "weight",
        {"of": variants("a", "b", "c", a={"control": True, "weight": 0})},
    ),
    "one weight above 0": ("variants.weight", "two", {"of": variants("a", "b", a={"weight": 0})}),
    "weights that fit no block": (
        "variants.weight",
        "rounder",
        {"of": variants("a", "b", a={"weight": 0.123}, b={"weight": 0.456})},
    ),
    "a space beside variants": (
        "space",
        "one of the two",
        {"of": variants("a", "b"), "space": {"x": [1, 2]}},
    ),
    "a space of one": ("variants", "2 to 100", {"space": {"x": [1]}}),
    "a space of 8^20": ("space", "space_sample", {"space": {str(n): list(range(8)) for n in range(20)}}),
    "constraints without a space": ("constraints", "space", {"constraints": [{"exclude": {"x": 1}}]}),
    "no direction": ("metric.direction", "direction", {"metric": MetricInput(name="score")}),
    "an empty range": ("metric", "low below high", {"metric": MetricInput(range=(1, 1), **_SCORE)}),
    "half a range": ("metric", "[low, high]", {"metric": MetricInput(range=(1,), **_SCORE)}),
    "an unbounded component": (
        "metric.components",
        "range",
        {"metric": MetricInput(components=(_part(), _part("cost", kind="continuous")))},
    ),
    "a component twice": (
        "metric.components",
        "once",
        {"metric": MetricInput(components=(_part(), _part()))},
    ),
    "components of no weight": (
        "metric.components",
        "above 0",
        {"metric": MetricInput(components=(_part(weight=0), _part("b", weight=0)))},
    ),
    "a guardrail of no range": ("guardrails", "low below high", {"guardrails": [_guard(range=(3, 3))]}),
    "a margin of the whole range": ("guardrails", "margin", {"guardrails": [_guard(margin=10)]}),
    "a guardrail twice": ("guardrails", "once", {"guardrails": [_guard(), _guard()]}),
    "a guardrail that decides": ("guardrails", "once", {"guardrails": [_guard("passed")]}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_with_field_and_remedy(project: Project, case: str) -> None:
    """A design that contradicts itself names the argument that does, says what to do, and records nothing."""
    field, remedy, arguments = REFUSED[case]
    with pytest.raises(InvalidArgument) as refused:
        create(project, **arguments)
    assert refused.value.field == field
    assert remedy in str(refused.value)
    with project.read() as transaction:
        assert events.count(transaction) == 0


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x" * 10_000},
        {"name": "two\nlines"},
        {"weight": -1},
        {"weight": float("nan")},
        {"weights": 1},
    ],
)
def test_the_types_of_arguments_refuse_what_no_variant_is(given: dict[str, Any]) -> None:
    """Ten kilobytes, line breaks, weights that are none and unknown fields never reach the engine."""
    with pytest.raises(ValidationError):
        VariantInput(**given)


@pytest.mark.parametrize("name", ["it's", '"; DROP TABLE run; --', "back\\slash", "\N{PARTY POPPER}", "変数"])
def test_names_are_kept_verbatim(project: Project, name: str) -> None:
    """A name may be any line of text, and comes back as it was."""
    made = create(project, name=name, of=variants(name, "other"))
    assert made.variants[0].name == name


def test_a_variant_is_its_config(project: Project) -> None:
    """The id is the hash of the config alone: name, weight and the order of keys change nothing."""
    one = create(project, of=[VariantInput(name="a", config={"x": 1, "y": {"p": 1, "q": 2}}), *variants("b")])
    other = create(
        project, of=[VariantInput(name="z", config={"y": {"q": 2, "p": 1}, "x": 1}, weight=2), *variants("c")]
    )
    assert one.variants[0].id == other.variants[0].id
    assert one.variants[1].id != other.variants[1].id


def test_a_space_makes_the_variants_that_its_constraints_admit(project: Project) -> None:
    """Variants of a space are all admissible combinations, named after their values."""
    made = create(
        project,
        space={"model": ["s", "l"], "temperature": [0.2, 0.7]},
        constraints=[{"exclude": {"model": "l", "temperature": 0.7}}],
    )
    assert [variant.name for variant in made.variants] == [
        "model=s, temperature=0.2",
        "model=s, temperature=0.7",
        "model=l, temperature=0.2",
    ]


def test_values_that_read_the_same_make_different_names(project: Project) -> None:
    """A space may hold true beside "true": the names of the two then carry the start of their ids."""
    first, second = create(project, space={"strict": [True, "true"]}).variants
    assert first.name != second.name
    assert first.id[:8] in first.name


def test_the_plan_is_said_before_the_start(project: Project) -> None:
    """0.6 against 0.7 takes about 430 runs per variant, and about 790 in nine of ten experiments."""
    made = create(project)
    assert made.runs_per_variant == pytest.approx(430, rel=0.02)
    assert made.runs_per_variant_90 == pytest.approx(786, rel=0.02)
    assert made.notes == []


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (PASSED.model_copy(update={"minimum_effect": 0.01}), "runs per variant are needed"),
        (PASSED.model_copy(update={"minimum_effect": 2.0}), "larger than the whole range"),
        (PASSED.model_copy(update={"minimum_effect": 0.0}), "declare minimum_effect"),
        (SECONDS, "declare minimum_effect and a range"),
    ],
)
def test_what_cannot_be_found_or_planned_is_said(project: Project, metric: MetricInput, words: str) -> None:
    """An effect too small or too large to find, and a plan without an effect, are said at creation."""
    assert words in create(project, metric=metric).notes[0]


def test_a_utility_is_planned_in_its_own_scale(project: Project) -> None:
    """With components the minimum effect is one of the utility, whatever the components' units are."""
    parts = (_part(), _part("cost", kind="continuous", direction="lower", range=(0, 5)))
    made = create(project, metric=MetricInput(components=parts, minimum_effect=0.1))
    assert made.runs_per_variant > 100
    assert made.notes == []
