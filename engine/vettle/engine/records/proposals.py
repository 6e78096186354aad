"""Proposals: what to try next, as a model or an agent says it, and what became of each before anything starts.

The two kinds of proposal are inputs too: their fields, without the limits, are the schema that a model answers
in (see `proposals.schema`).
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from vettle.engine.arguments import Glob, Label, Notes, RequiredLabel, RequiredRuleText
from vettle.engine.judging.utility import Direction, Kind
from vettle.engine.records.base import Record
from vettle.engine.records.evidence import Evidence

CONFIG_CHARACTERS = 4_000
MOST_PROPOSALS = 20

ProposalStatus = Literal["known", "merged", "new", "rejected"]
ProposalFlag = Literal[
    "needs_execution", "slow", "no_expected_effect", "detectability_unknown", "needs_person"
]


def _read_value(text: str) -> JsonValue:
    """Read a value that is written as JSON; what is no JSON is text."""
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value


def _from_pairs(value: Any) -> Any:
    """Take a list of {key, value as JSON text} for the object it stands for: strict schemas know no free objects."""
    if not isinstance(value, list | tuple):
        return value
    pairs: dict[str, JsonValue] = {}
    for entry in value:
        if not isinstance(entry, dict) or set(entry) != {"key", "value"}:
            raise ValueError("must be an object, or a list of {key, value}")
        key, text = entry["key"], entry["value"]
        if not (isinstance(key, str) and isinstance(text, str)):
            raise ValueError("must have a text as every key and value")  # noqa: TRY004 - pydantic's contract
        if key in pairs:
            raise ValueError(f"has the key {key[:80]!r} twice")
        pairs[key] = _read_value(text)
    return pairs


def _small(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(json.dumps(value, allow_nan=False)) > CONFIG_CHARACTERS:
        raise ValueError(f"must not be longer than {CONFIG_CHARACTERS:,} characters")
    return value


Config = Annotated[dict[str, JsonValue], BeforeValidator(_from_pairs), AfterValidator(_small)]


class VariantProposal(Record):
    """One variant: its name, the settings that make it, and how an agent puts it into effect.

    `control` marks the one that is in force today, if one of them is.
    """

    name: RequiredLabel
    control: bool = False
    config: Config = Field(default_factory=dict)
    hint: Notes = ""


class MetricProposal(Record):
    """What decides. `range` is [low, high], or [] for a binary metric or one without bounds.

    `minimum_effect` is the least difference worth finding, in the metric's unit; 0 declares none.
    """

    name: RequiredLabel
    direction: Direction
    kind: Kind = "continuous"
    range: Annotated[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], Field(max_length=2)] = ()
    minimum_effect: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class ExperimentProposal(Record):
    """Compare 2 to 10 variants of one thing.

    `variable` names the one thing that the variants change. `expected_effect` is how much better than the
    control (or than the others) the best one is expected to be, in the metric's unit, 0 if nobody can say.
    `rationale` says which evidence suggests it.
    """

    kind: Literal["experiment"]
    name: RequiredLabel
    variable: Label = ""
    domain: Label = ""
    context: Label = ""
    variants: Annotated[tuple[VariantProposal, ...], Field(min_length=2, max_length=10)]
    metric: MetricProposal
    expected_effect: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    rationale: Notes = ""


class RuleProposal(Record):
    """Try one instruction for agents: one line of at most 400 characters.

    `context` is the kind of work it is about, "" for any; `globs` the paths, [] for any. `evidence` lists the
    ids of the mistakes that it would prevent, such as "m12".
    """

    kind: Literal["rule"]
    text: RequiredRuleText
    category: Label = "general"
    context: Label = ""
    globs: Annotated[tuple[Glob, ...], Field(max_length=20)] = ()
    rationale: Notes = ""
    evidence: Annotated[
        tuple[Annotated[str, Field(pattern=r"^m[1-9][0-9]{0,17}$")], ...], Field(max_length=50)
    ] = ()


Proposal = Annotated[ExperimentProposal | RuleProposal, Field(discriminator="kind")]


class Proposed(Record):
    """What a model answers: nothing but proposals."""

    proposals: Annotated[tuple[Proposal, ...], Field(max_length=MOST_PROPOSALS)]


class ReviewedProposal(Record):
    """What became of one proposal; `number` is its place in the list, from 1.

    `same_as` names what a known or merged one is or belongs to: a rule, an experiment, a variable, or an
    earlier proposal. `runs_per_variant` is how many runs its effect takes to find, on average, 0 where that
    cannot be said. `accepted_as` is the id of the rule or experiment that it became, "" if it became none.
    """

    number: int
    kind: Literal["experiment", "rule"]
    title: str
    status: ProposalStatus
    reasons: list[str] = []
    flags: list[ProposalFlag] = []
    same_as: str = ""
    runs_per_variant: int = 0
    accepted_as: str = ""
    next_step: str = ""


class ProposalsReviewed(Record):
    """The answer to `proposals_review`."""

    proposals: list[ReviewedProposal]
    by_status: dict[ProposalStatus, int]
    accepted: int
    notes: list[str] = []
    next_step: str


class MadeProposal(Record):
    """A proposal with its review; `source` is mistake for a rule distilled from repeated mistakes."""

    source: Literal["mistake", "model"]
    proposal: Proposal
    review: ReviewedProposal


class ProposalsMade(Record):
    """The answer to `proposals_make`; nothing is recorded.

    `source` says where the ideas come from: a model was asked, or the evidence has to do, and then `note` says
    why. `evidence` is what a model is sent, shortened where this answer would be too long. `proposal_schema` is
    the shape of an answer with proposals.
    """

    source: Literal["model", "evidence"]
    model: str = ""
    note: str = ""
    proposals: list[MadeProposal]
    evidence: Evidence
    instructions: str
    proposal_schema: dict[str, JsonValue]
    notes: list[str] = []
    next_step: str
