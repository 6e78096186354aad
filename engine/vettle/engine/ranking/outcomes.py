"""What happened with each value of a variable: runs of experiments on it, and sessions of models."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from pydantic import JsonValue

from vettle.engine.clock import SECOND
from vettle.engine.experiments import variables
from vettle.engine.experiments.design import Design, Variant
from vettle.engine.experiments.evidence import LOST, WORST, score_of
from vettle.engine.identifiers import canonical_json, digest
from vettle.engine.records import ExperimentState
from vettle.engine.records.ranking import Rating
from vettle.engine.store import Transaction, results
from vettle.engine.store import experiments as table
from vettle.engine.store.experiments import HOLDING, Experiment
from vettle.engine.store.runs import Run

MODEL = "model"
"""The variable that sessions name a value of."""

ANY_CONTEXT = "general"
"""The context of a run that names none, as sessions have it."""

SUCCESS = ("success", "passed")
"""Names of the metrics of 0 and 1 that say whether a run succeeded, whatever decides its experiment."""

RATING_WEIGHT = 2
"""How many results a person's rating counts as."""

_VALUE_CHARACTERS = 120

_RATINGS = get_args(Rating)

Basis = Literal["success", "utility", "completion", "rating", "session"]
"""What a reward is taken from: a metric of 0 and 1, the experiment's utility, the status, a person, or a session."""

MOST_RESULTS = 20_000
"""The newest results that are learned from, and are read, so that asking takes as long in a project of any age."""

_NO_UNIT = digest("")
"""What sessions, which name no unit, are sorted by among what happened at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One result of one value. `reward` is in [0, 1] and counts as `weight` results; `happened` in microseconds.

    `unit` names the piece of work, and says nothing but who comes first of those that happened at once. A
    duration, token or cost of 0 is not known; only completed runs have any.
    """

    happened: int
    context: str
    value: str
    reward: float
    weight: int = 1
    basis: Basis = "success"
    unit: str = ""
    timeout: bool = False
    rating: str = ""
    duration_ms: float = 0.0
    tokens: float = 0.0
    cost: float = 0.0
    retries: int | None = None
    escalated: bool | None = None

    @property
    def success(self) -> float:
        """The reward, but 1 where a utility grades what was completed: .4 of a score is no failure."""
        return 1.0 if self.basis == "utility" else self.reward


@dataclass(frozen=True, slots=True)
class OpenExperiment:
    """An experiment that holds these values now."""

    id: str
    context: str
    values: frozenset[str]


@dataclass(slots=True)
class Outcomes:
    """Everything known about a variable. `configs` holds each value as a config spells it.

    `not_counted` are runs without a result, and `left_out` what is older than the newest `MOST_RESULTS`: of runs that
    were recorded so long ago nobody looks whether they have one.
    """

    rows: list[Outcome] = field(default_factory=list)
    configs: dict[str, JsonValue] = field(default_factory=dict)
    not_counted: int = 0
    left_out: int = 0
    open: list[OpenExperiment] = field(default_factory=list)


def gather(transaction: Transaction, variable: str, since: int = 0) -> Outcomes:
    """Return the newest outcomes since the given time, in the order in which they happened.

    Values are known from any time. A variant's value is what its config has under the variable's name, else
    its own name if its experiment is about the variable.
    """
    found = Outcomes()
    asked = _asked(transaction, variable, found)
    recent = results.recent_runs(transaction, [one.experiment.id for one in asked], since, limit=MOST_RESULTS)
    found.left_out = recent.older
    for one in asked:
        _take_runs(transaction, one, since, recent.after, found)
    if variable == MODEL:
        _take_sessions(transaction, since, found)
    # What came in one batch has no order, and counted history comes sorted: all that succeeded, then all that
    # failed, which would look like a model that got worse.
    found.rows.sort(key=lambda row: (row.happened, digest(row.unit) if row.unit else _NO_UNIT))
    too_many = max(len(found.rows) - MOST_RESULTS, 0)
    found.left_out += too_many
    del found.rows[:too_many]
    return found


class _Asked(NamedTuple):
    """An experiment that tries values of the variable: `values` by the id of a variant."""

    experiment: Experiment
    design: Design
    values: dict[str, str]


def _asked(transaction: Transaction, variable: str, found: Outcomes) -> list[_Asked]:
    asked = []
    for experiment in table.in_states(transaction, get_args(ExperimentState), limit=1_000_000):
        about = bool(experiment.variable) and experiment.variable == variables.canonical(
            transaction, experiment.domain, variable
        )
        # A project may have thousands of experiments on something else: their designs are not looked at closely.
        if about or any(variable in variant["config"] for variant in experiment.design["variants"]):
            design = Design.model_validate(experiment.design)
            values = _values(experiment, design, variable, found, about=about)
            asked.append(_Asked(experiment, design, values))
    return asked


def _values(
    experiment: Experiment, design: Design, variable: str, found: Outcomes, *, about: bool
) -> dict[str, str]:
    """Return the value of each variant that has one, by the variant's id."""
    values: dict[str, str] = {}
    for variant in design.variants:
        if variable in variant.config:
            config = variant.config[variable]
        elif about:
            config = variant.name
        else:
            continue
        values[variant.id] = _text(config, variant)
        found.configs.setdefault(values[variant.id], config)
    if values and experiment.state in HOLDING:
        context = experiment.context or ANY_CONTEXT
        found.open.append(OpenExperiment(experiment.id, context, frozenset(values.values())))
    return values


def _text(config: JsonValue, variant: Variant) -> str:
    """Return a value as text; a long one is cut, and its hash keeps it apart from others that begin alike."""
    text = (config if isinstance(config, str) else canonical_json(config)).strip() or variant.name
    if len(text) <= _VALUE_CHARACTERS:
        return text
    return f"{text[: _VALUE_CHARACTERS - 9]}…{digest(text).hex()[:8]}"


def _take_sessions(transaction: Transaction, since: int, found: Outcomes) -> None:
    known = results.models(transaction, since)
    for model in known:
        found.configs.setdefault(model, model)
    sessions = results.scored_sessions(transaction, since, limit=MOST_RESULTS)
    found.left_out += sum(known.values()) - len(sessions)
    found.rows += [
        Outcome(session.started, session.context, session.model, session.score, basis="session")
        for session in sessions
    ]


def _take_runs(transaction: Transaction, asked: _Asked, since: int, after: int, found: Outcomes) -> None:
    experiment, design, values = asked
    for run, assigned in results.runs_after(transaction, experiment.id, experiment.epoch, after):
        happened = _time(run)
        if run.variant not in values or happened < since:
            continue
        said = run.data.get("context") or assigned or experiment.context or ANY_CONTEXT
        reward, basis = _reward(design, run)
        if reward is None:
            # Cancelled, lost to infrastructure, or without what the experiment measures: nobody's failure.
            found.not_counted += 1
            continue
        found.rows.append(_outcome(run, happened, str(said), values[run.variant], reward, basis))


def _time(run: Run) -> int:
    produced = str(run.data.get("produced_at") or "")
    return round(datetime.fromisoformat(produced).timestamp() * SECOND) if produced else run.ts


def _reward(design: Design, run: Run) -> tuple[float | None, Basis]:
    """Return a run's reward, None if it does not count, and what it was taken from.

    What a person said of it stands in the place of what was measured.
    """
    if run.status in LOST:
        return None, "completion"
    if run.data.get("rating") in _RATINGS:
        return float(run.data["rating"] != "under"), "rating"
    if run.status in WORST:
        return 0.0, "completion"
    told = next((run.metrics[name] for name in SUCCESS if run.metrics.get(name) in (0.0, 1.0)), None)
    if told is not None:
        return told, "success"
    if not all(metric.bounded for metric in design.metrics):
        return 1.0, "completion"
    utility, _, _ = score_of(design, run)
    return utility, "success" if design.is_binary else "utility"


def _outcome(run: Run, happened: int, context: str, value: str, reward: float, basis: Basis) -> Outcome:
    data = run.data
    rating = str(data.get("rating") or "")
    done = run.status == "completed"
    return Outcome(
        happened=happened,
        context=context,
        value=value,
        reward=reward,
        unit=run.unit,
        weight=RATING_WEIGHT if basis == "rating" else 1,
        basis=basis,
        timeout=run.status == "timeout",
        rating=rating,
        duration_ms=_amount(data, "duration_ms") if done else 0.0,
        tokens=_amount(data, "tokens_in") + _amount(data, "tokens_out") if done else 0.0,
        cost=_amount(data, "cost") if done else 0.0,
        retries=int(_amount(data, "retries")),
        escalated=_escalated(run),
    )


def _amount(data: dict[str, Any], name: str) -> float:
    return float(data.get(name) or 0)


def _escalated(run: Run) -> bool | None:
    """Return whether the run was passed on to another value, if that was recorded, as a metric or a dimension."""
    said = run.metrics.get("escalated", run.data.get("dimensions", {}).get("escalated"))
    return None if said is None or said == "" else str(said).lower() not in ("0", "0.0", "false", "no")
