"""What an event of each kind must carry, for events that come from a file and not from our own calls.

Only what later calls read is asked for: an event that passes can be folded, learned from and listed. What
else it carries stays as it is.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vettle.engine.arguments import RequiredRuleText
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.runs import RunInput
from vettle.engine.records import (
    Decision,
    ExperimentAction,
    ExperimentState,
    ExperimentVerdict,
    RewardOutcome,
    RewardSource,
    RuleSource,
    RuleStatus,
    RunStatus,
)
from vettle.engine.settings import SelectionSettings
from vettle.engine.store.events import Event, Kind

LATEST = 253_402_300_799_000_000
"""The last second of the year 9999 in microseconds: later times are no dates."""

Time = Annotated[int, Field(ge=0, le=LATEST)]
_Hash = Annotated[int, Field(ge=0, lt=2**63)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
_Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Named = Annotated[str, Field(min_length=1)]
_NO_VERDICT: Any = None


class _Payload(BaseModel):
    """An event without its uid: `session`, `subject` and `choice` are any text unless a kind says more."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)

    session: str
    subject: str
    choice: str
    happened: Time = 0


class _RuleAdded(_Payload):
    subject: _Named
    choice: RuleSource
    text: RequiredRuleText
    category: str
    context: str
    globs: list[str]
    rationale: str
    prior: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
    hash: _Hash
    status: Literal["trial", "quarantined"]
    reason: str


class _RuleDecided(_Payload):
    old: RuleStatus
    new: RuleStatus
    reason: str
    by: str
    text: RequiredRuleText | None = None
    hash: _Hash | None = None

    @model_validator(mode="after")
    def _text_has_a_hash(self) -> _RuleDecided:
        if (self.text is None) != (self.hash is None):
            raise ValueError("text and hash go together")
        return self


class _RuleReinforced(_Payload):
    n: _Count


class _Decided(_Payload):
    session: _Named
    decision: Decision

    @model_validator(mode="after")
    def _could_have_been_made(self) -> _Decided:
        slate, holdout = self.decision.slate, self.decision.holdout
        sound = len({entry.rule for entry in slate} - {""}) == len(slate)
        for entry in slate:
            sound = sound and 0 < entry.propensity <= 1 and not (holdout and entry.shown)
            sound = sound and (holdout or entry.shown or entry.propensity < 1)
        if not sound:
            raise ValueError("decision: no coin can have fallen so")
        return self


class _SessionStarted(_Decided):
    task: str
    paths: list[str]
    tags: list[str]
    candidates: list[str]
    agent: str
    model: str
    selection: SelectionSettings


class _SessionScored(_Decided):
    named: list[Annotated[list[str | bool], Field(min_length=2, max_length=2)]]
    score: _Unit
    mistakes: _Count
    repeats: _Count


class _SessionClosed(_Decided):
    choice: Literal["abandoned", "unrewarded"]
    named: list[Annotated[list[str | bool], Field(min_length=2, max_length=2)]]


class _SessionImported(_Payload):
    session: _Named
    task: str
    agent: str
    model: str
    ended: Time
    mistakes: _Count
    repeats: _Count
    reward_weight: _Count
    reward_sum: _Count
    seconds: _Count
    score: _Unit | None = None


class _SessionEnded(_Payload):
    session: _Named


class _MistakeLogged(_Payload):
    subject: _Named
    description: str
    severity: str
    file: str
    correction: str
    hash: _Hash
    norm: str
    terms: list[str]
    same_as: _Hash
    context: str
    named_shown: bool
    named_now: bool
    repeat: _Unit


class _RewardLogged(_Payload):
    subject: RewardOutcome
    choice: RewardSource
    value: _Unit
    weight: _Count


class _ExperimentCreated(_Payload):
    subject: _Named
    name: _Named
    context: str
    domain: str
    variable: str
    tier: Annotated[int, Field(ge=0, le=3)]
    design: Design
    proposer: str = ""
    expected_effect: _Number = 0.0

    @model_validator(mode="after")
    def _can_be_judged(self) -> _ExperimentCreated:
        ids = [variant.id for variant in self.design.variants]
        if not ids or len(set(ids)) < len(ids) or not self.design.metrics:
            raise ValueError("design: it has no variants, the same one twice, or no metric")
        return self


class _ExperimentDecided(_Payload):
    subject: _Named
    choice: ExperimentAction
    new: ExperimentState
    reason: str
    # It may be missing, but where there is one it is not null.
    verdict: ExperimentVerdict = _NO_VERDICT


class _VariableRegistered(_Payload):
    subject: _Named
    domain: str
    aliases: list[str]
    description: str
    execution: str


class _Block(BaseModel):
    model_config = ConfigDict(strict=True)

    number: Annotated[int, Field(ge=0, lt=2**31)]
    served: Annotated[int, Field(ge=0, lt=2**31)]
    order: list[str]


class _VariantAssigned(_Payload):
    subject: _Named
    choice: _Named
    unit: str
    context: str
    stratum: str
    item: str
    policy: str
    block: _Block | None
    propensity: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class _RunRecorded(_Payload):
    subject: _Named
    choice: _Named
    unit: str
    status: RunStatus
    missing: list[str]


_PAYLOADS: dict[Kind, type[_Payload]] = {
    "rule_added": _RuleAdded,
    "rule_decided": _RuleDecided,
    "rule_reinforced": _RuleReinforced,
    "session_started": _SessionStarted,
    "session_imported": _SessionImported,
    "mistake_logged": _MistakeLogged,
    "reward_logged": _RewardLogged,
    "session_ended": _SessionEnded,
    "session_scored": _SessionScored,
    "session_closed": _SessionClosed,
    "drift_alarmed": _Payload,
    "experiment_created": _ExperimentCreated,
    "experiment_decided": _ExperimentDecided,
    "variable_registered": _VariableRegistered,
    "variant_assigned": _VariantAssigned,
    "run_recorded": _RunRecorded,
}


def check(event: Event) -> None:
    """Raise ValueError, with words for people, unless the event carries what its kind must."""
    words = {"session": event.session, "subject": event.subject, "choice": event.choice}
    if event.kind == "run_recorded":
        # Metrics may have any name, and everything else of a run is what a call may say of one.
        run = {name: value for name, value in event.data.items() if name in RunInput.model_fields}
        validated(RunInput, run, strict=True)
        validated(_RunRecorded, {**event.data, **words})
    else:
        validated(_PAYLOADS[event.kind], {**event.data, **event.metrics, **words})


def validated(kind: type[BaseModel], values: dict[str, Any], *, strict: bool | None = None) -> None:
    """Raise ValueError naming the first field that is wrong, without repeating what was in it."""
    try:
        kind.model_validate(values, strict=strict)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from error
