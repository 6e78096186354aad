"""What the policies know of an experiment's runs: kept in the process, and brought up to date by newer events.

A tally is a cache of the log: whatever is in it follows from the runs, and another process has the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vettle.engine.experiments.design import Design, Variant
from vettle.engine.experiments.evidence import score_of
from vettle.engine.identifiers import canonical_json
from vettle.engine.policies.options import Option
from vettle.engine.policies.structured import Arm, StructuredPosterior, combination, in_context
from vettle.engine.project import Project
from vettle.engine.store import Transaction, assignments, runs
from vettle.engine.store.experiments import Experiment


@dataclass(frozen=True, slots=True)
class Result:
    """The utility of one unit, or its score where the metric has no range."""

    variant: str
    context: str
    value: float


@dataclass(slots=True)
class Tally:
    """The results of one experiment by unit, in the order in which they were first recorded.

    Variants are called by their ids. `seen` is the newest event that is in it. A result counts half after
    `half_life` later ones (0: it always counts whole), because what was true of a model last month may not be.
    """

    design: Design
    epoch: int
    seen: int
    half_life: int = 0
    results: dict[str, Result | None] = field(default_factory=dict)
    _posterior: StructuredPosterior | None = None
    _folded: int = 0
    _scale: tuple[float, float] = (0.0, 1.0)

    def catch_up(self, transaction: Transaction, experiment: str) -> None:
        """Take in what was recorded since the last look."""
        for run in runs.newer(transaction, experiment, self.seen):
            value, _, _ = score_of(self.design, run)
            assignment = assignments.get(transaction, experiment, run.unit)
            context = assignment.context if assignment else str(run.data.get("context", ""))
            if run.unit in self.results:
                self._posterior = None
            self.results[run.unit] = None if value is None else Result(run.variant, context, value)
            self.seen = max(self.seen, run.event)
        self._rescale()

    def _rescale(self) -> None:
        """Scale by the observed range where none is declared: policies take utilities in [0, 1]."""
        if all(metric.bounded for metric in self.design.metrics):
            return
        values = [result.value for result in self.results.values() if result is not None]
        scale = (min(values), max(values)) if values else (0.0, 1.0)
        if scale != self._scale:
            self._scale, self._posterior = scale, None

    def _utility(self, result: Result) -> float:
        low, high = self._scale
        return min(max((result.value - low) / (high - low), 0.0), 1.0) if high > low else 0.5

    def options(self) -> list[Option]:
        """Return the variants that may be chosen, with the moments of their utilities."""
        columns: dict[str, list[tuple[float, float]]] = {variant.id: [] for variant in self.design.served}
        for age, result in zip(range(len(self.results) - 1, -1, -1), self.results.values(), strict=True):
            if result is not None and result.variant in columns:
                weight = 0.5 ** (age / self.half_life) if self.half_life else 1.0
                columns[result.variant].append((self._utility(result), weight))
        return [_option(one, columns[one.id]) for one in self.design.served]

    def arms(self, context: str) -> Mapping[str, Arm]:
        """Return what each variant's expected utility is made of: levels of a grid, or variant and context."""
        return {variant.id: self._arm(variant.id, context) for variant in self.design.served}

    def _arm(self, variant: str, context: str) -> Arm:
        if not self.design.space:
            return in_context(variant, context)
        config = self.design.find(variant).config
        return combination({name: canonical_json(config.get(name)) for name, _ in self.design.space})

    def posterior(self) -> StructuredPosterior:
        """Return what is believed after all results, in their order."""
        if self._posterior is None:
            self._posterior, self._folded = StructuredPosterior(), 0
        for result in list(self.results.values())[self._folded :]:
            if result is not None:
                self._posterior.observe(self._arm(result.variant, result.context), self._utility(result))
        self._folded = len(self.results)
        return self._posterior


def _option(variant: Variant, results: list[tuple[float, float]]) -> Option:
    """Return a variant with the moments of its results, each with the weight that it still has."""
    known = Option(
        variant.id,
        weight=variant.weight,
        prior_mean=variant.prior_mean,
        prior_strength=variant.prior_strength,
    )
    n = sum(weight for _, weight in results)
    if not results:
        return known
    mean = sum(value * weight for value, weight in results) / n
    values = [value for value, _ in results]
    return replace(
        known,
        n=n,
        mean=mean,
        m2=sum(weight * (value - mean) ** 2 for value, weight in results),
        low=min(values),
        high=max(values),
    )


def of(project: Project, transaction: Transaction, experiment: Experiment, design: Design) -> Tally:
    """Return the experiment's tally, up to date; the transaction has to be one that writes, so one at a time."""
    kept: dict[str, Tally] = project.kept.setdefault("tallies", {})
    tally = kept.get(experiment.id)
    if tally is None or tally.epoch != experiment.epoch:
        half_life = project.settings.experiments.half_life
        tally = kept[experiment.id] = Tally(design, experiment.epoch, experiment.epoch, half_life)
    tally.catch_up(transaction, experiment.id)
    return tally
