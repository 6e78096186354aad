"""The rows of Ordal's ledger, by the kind of event."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from vettle.engine.exchange.checking import FreeText, Row, Time
from vettle.engine.exchange.fitting import Name, RequiredName, Values
from vettle.engine.experiments.design import Finite


class Metric(Row):
    """What decides; a range may be open at either end."""

    name: RequiredName
    min_effect: Finite = 0.0
    higher_is_better: bool = True
    valid_range: tuple[Finite | None, Finite | None] = (None, None)


class Settings(Row):
    """How a domain's experiments are judged."""

    domain: Name = ""
    metric: Metric
    rule: str = "welch"
    maturity_hours: Finite = 72.0


class Configured(Row):
    """Settings that count for experiments started from now on."""

    recorded_at: Time
    config: Settings


class Variant(Row):
    """One of the two variants."""

    label: RequiredName
    params: Values = Field(default_factory=dict)
    hint: FreeText = ""


class Definition(Row):
    """What an experiment is."""

    id: RequiredName
    domain: Name = ""
    variable: Name = ""
    description: FreeText = ""
    variant_a: Variant
    variant_b: Variant
    tier: Any = None
    mode: str = "interleaved"
    proposed_by: Name = ""
    expected_effect: Any = None
    restart_of: Name = ""


class Experiment(Row):
    """An experiment was proposed."""

    recorded_at: Any = None
    experiment: Definition


class OfExperiment(Row):
    """Anything that is about one experiment."""

    experiment_id: RequiredName


class Started(OfExperiment):
    """It began."""

    at: Time


class Assignment(OfExperiment):
    """A unit was given a variant."""

    recorded_at: Any = None
    unit_id: RequiredName
    variant: RequiredName
    stratum: Name = ""


class Observation(OfExperiment):
    """What came of a unit, as it stood at `observed_at`."""

    variant: RequiredName
    unit_id: RequiredName
    produced_at: Time
    observed_at: Time
    metrics: Values = Field(default_factory=dict)
    pair_id: Name = ""
    stratum: Name = ""
    covariate: Any = None


class Decision(OfExperiment):
    """A verdict, or that it is too early for one."""

    outcome: RequiredName
    checkpoint: int = 0
    effect: Finite | None = None
    interval: tuple[Finite, Finite] | None = None
    n_a: int = 0
    n_b: int = 0
    reason: FreeText = ""


class Applied(OfExperiment):
    """The verdict was put into force."""

    variant: Name = ""


class Abandoned(OfExperiment):
    """It was given up without a verdict."""

    reason: FreeText = ""


class Variable(Row):
    """A name was registered."""

    domain: Name = ""
    name: RequiredName
    description: FreeText = ""
    aliases: list[RequiredName] = Field(default_factory=list)
    execution: FreeText = ""


class Alias(Row):
    """One name was merged into another."""

    domain: Name = ""
    alias: RequiredName
    name: RequiredName


ROWS: dict[str, type[Row]] = {
    "domain_config": Configured,
    "experiment": Experiment,
    "experiment_started": Started,
    "assignment": Assignment,
    "observation": Observation,
    "decision": Decision,
    "applied": Applied,
    "abandoned": Abandoned,
    "variable": Variable,
    "variable_alias": Alias,
}
