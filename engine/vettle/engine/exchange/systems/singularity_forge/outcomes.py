"""What Singularity Forge's rows become here: one experiment whose variants are models, and a run per outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from vettle.engine.arguments import RequiredLabel
from vettle.engine.exchange.checking import OptionalLabel, Row, Time
from vettle.engine.exchange.facts import ExperimentFact, Keys, Place, Reading, RunFact
from vettle.engine.experiments.design import MOST_VARIANTS, MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput

MOST_COUNTED = 100_000
"""The most outcomes that one total is taken for."""

_KEY = "models"
_HISTORY = "its router chose which model did which task, and no lot did: history, without a verdict"

Kind = Literal["success", "failure", "timeout"]
_KINDS: tuple[Kind, ...] = ("success", "failure", "timeout")


def _truth(value: object) -> object:
    """Refuse what is no 0 and no 1: a text or another number was not meant as an answer."""
    if value is not None and value not in (0, 1):
        raise ValueError("it is neither 0 nor 1")
    return None if value is None else bool(value)


_Flag = Annotated[bool, BeforeValidator(_truth)]
_OptionalFlag = Annotated[bool | None, BeforeValidator(_truth)]
_Count = Annotated[int, Field(strict=True, ge=0, le=10**12)]
_Counted = Annotated[int, Field(strict=True, ge=0, le=MOST_COUNTED)]
_Amount = Annotated[float, Field(strict=True, ge=0, le=1e12, allow_inf_nan=False)]


class Outcome(Row):
    """One outcome, of llm_task_outcomes or of the guide's model_outcomes; null is not known."""

    model_id: RequiredLabel
    task: RequiredLabel = Field(validation_alias=AliasChoices("unit_type", "task_type"))
    unit_id: OptionalLabel = ""
    provider: OptionalLabel = ""
    succeeded: _Flag = Field(validation_alias=AliasChoices("succeeded", "success"))
    timeout: _OptionalFlag = Field(None, validation_alias=AliasChoices("timeout", "timed_out"))
    retries: _Count = 0
    escalated: _OptionalFlag = None
    verification_passed: _OptionalFlag = None
    blocker_discovered: _OptionalFlag = None
    duration_ms: _Amount | None = None
    tokens: _Count | None = Field(None, validation_alias=AliasChoices("tokens_total", "tokens_used"))
    cost: _Amount | None = Field(None, validation_alias=AliasChoices("cost_usd", "cost"))
    recorded: Time = Field(validation_alias=AliasChoices("recorded_at", "timestamp", "created_at"))

    @property
    def kind(self) -> Kind:
        """What became of the task."""
        return "success" if self.succeeded else "timeout" if self.timeout else "failure"


class Total(Row):
    """What was counted of one model at one type of task. Timeouts are no failures: their rate left them out."""

    model_id: RequiredLabel
    task: RequiredLabel = Field(validation_alias=AliasChoices("task_type", "unit_type"))
    successes: _Counted
    failures: _Counted
    timeouts: _Counted = 0
    tokens: _Count | None = Field(None, validation_alias=AliasChoices("totalTokens", "total_tokens"))
    cost: _Amount | None = Field(None, validation_alias=AliasChoices("totalCost", "total_cost"))
    used: Time = Field(validation_alias=AliasChoices("lastUsed", "last_used"))

    def counted(self, kind: Kind) -> int:
        """Return how many outcomes of the kind were counted."""
        return {"success": self.successes, "failure": self.failures, "timeout": self.timeouts}[kind]


@dataclass(slots=True)
class Found:
    """What was read: outcomes, totals, and by task type and model the outcomes that the totals count as well."""

    outcomes: list[tuple[Place, Outcome]] = field(default_factory=list)
    totals: list[tuple[Place, Total]] = field(default_factory=list)
    told: dict[tuple[str, str], list[Outcome]] = field(default_factory=dict)


def record(reading: Reading, found: Found) -> None:
    """Turn what was found into one experiment, whose variants are the models, and its runs."""
    runs = [*_single(found), *_spread(reading, found)]
    models = Counter(fact.run.variant for fact in runs)
    known = dict(models.most_common(MOST_VARIANTS))
    if not known:
        return
    reading.facts.append(
        ExperimentFact(
            key=_KEY,
            place=runs[0].place,
            name=_KEY,
            variants=tuple(VariantInput(name=name, config={"model": name}) for name in sorted(known)),
            metric=MetricInput(name="success", direction="higher", kind="binary"),
            variable="model",
            description="Outcomes of Singularity Forge, by model; the context of a run is its task type.",
            ending="abandoned",
            said=_HISTORY,
            created=min(fact.happened for fact in runs),
        )
    )
    for fact in runs:
        if fact.run.variant in known:
            reading.facts.append(fact)
        else:
            reading.skip(fact.place, f"an experiment holds {MOST_VARIANTS} models, and this is none of them")
    if any(outcome.tokens for _, outcome in found.outcomes):
        reading.notes.append("Tokens are known in all only, so they stand under tokens_out.")


def _single(found: Found) -> Iterator[RunFact]:
    keys = Keys()
    for place, one in found.outcomes:
        key = keys.of(one.model_id, one.task, one.unit_id, one.recorded)
        yield RunFact(
            key=key,
            place=place,
            experiment=_KEY,
            run=_run(one, f"{one.unit_id[:80]} {key}".strip()),
            happened=one.recorded,
        )


def _run(one: Outcome, unit: str) -> RunInput:
    said = {
        name: None if value is None else float(value)
        for name, value in (
            ("verification_passed", one.verification_passed),
            ("escalated", one.escalated),
            ("blocker_discovered", one.blocker_discovered),
        )
        if name in one.model_fields_set
    }
    return RunInput(
        unit=unit,
        variant=one.model_id,
        status="timeout" if one.kind == "timeout" else "completed",
        metrics={"success": float(one.succeeded), **said},
        retries=one.retries,
        duration_ms=one.duration_ms or 0.0,
        tokens_out=one.tokens or 0,
        cost=one.cost or 0.0,
        dimensions={"provider": one.provider} if one.provider else {},
        context=one.task,
    )


def _spread(reading: Reading, found: Found) -> Iterator[RunFact]:
    """Yield a run for every outcome that a total counts and no row of the same store tells."""
    number = 0
    for place, total in found.totals:
        rows = found.told.get((total.task, total.model_id), [])
        kinds = list(_untold(total, rows))
        number += len(kinds)
        yield from _even(place, total, kinds, rows)
    if number:
        reading.notes.append(
            f"Runs that stand for outcomes that were only counted: {number}. Each has an even share of the tokens "
            "and the cost that were left at this import, and the time of the last use. Sums are right, spread and "
            "trend are not known."
        )


def _untold(total: Total, rows: Sequence[Outcome]) -> Iterator[tuple[Kind, int]]:
    """Yield the kind of every outcome that no row tells, and which of its kind it is."""
    told = Counter(row.kind for row in rows)
    for kind in _KINDS:
        yield from ((kind, index) for index in range(total.counted(kind) - told[kind]))


def _even(
    place: Place, total: Total, kinds: Sequence[tuple[Kind, int]], rows: Sequence[Outcome]
) -> Iterator[RunFact]:
    tokens = max((total.tokens or 0) - sum(row.tokens or 0 for row in rows), 0)
    cost = max((total.cost or 0.0) - sum(row.cost or 0.0 for row in rows), 0.0)
    keys = Keys()
    for position, (kind, index) in enumerate(kinds):
        key = keys.of("total", total.task, total.model_id, kind, index)
        run = RunInput(
            unit=key,
            variant=total.model_id,
            status="timeout" if kind == "timeout" else "completed",
            metrics={"success": float(kind == "success")},
            tokens_out=tokens // len(kinds) + (position < tokens % len(kinds)),
            cost=cost / len(kinds),
            context=total.task,
        )
        yield RunFact(key=key, place=place, experiment=_KEY, run=run, happened=total.used)
