"""What a system's files say, in our nouns, before anything is recorded.

A reader turns the files of one system into facts and says of every row that it leaves out why. `importing`
records facts; a fact's `key` makes it the same fact at every import, wherever the file lies by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Literal

from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.identifiers import canonical_json, digest
from vettle.engine.records import RewardSource, Severity

Ending = Literal["running", "concluded", "abandoned", "proposed"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact stands: a file, as the reading names it, and a line, or a row or entry where it has no lines.

    0 is the whole file.
    """

    file: str
    line: int = 0

    def __str__(self) -> str:
        """Return it as "file:line"."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that a system recorded. Times are microseconds since 1970, UTC, and 0 where none is known.

    `owner` is the folder of the project that it belongs to, where one store serves several; else "".
    """

    key: str
    place: Place
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFact(Fact):
    """A rule. `retired` is why it was rejected there, or ""; `found_again` counts where else it was learned."""

    text: str
    category: str = "general"
    context: str = ""
    rationale: str = ""
    prior: float = 0.0
    retired: str = ""
    found_again: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFact(Fact):
    """A session that is over. Its score is computed from its mistakes and rewards, as ours are."""

    task: str = ""
    context: str = "general"
    agent: str = ""
    model: str = ""
    started: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MistakeFact(Fact):
    """A mistake; `session` is the key of its session, or "". `correction` is what would have prevented it."""

    error_class: str
    description: str
    session: str = ""
    severity: Severity = "warning"
    file: str = ""
    correction: str = ""
    happened: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardFact(Fact):
    """A reward in [0, 1]; `session` is the key of its session, or ""."""

    outcome: Literal["accepted", "revision", "rejected"]
    value: float
    session: str = ""
    source: RewardSource = "manual"
    weight: float = 1.0
    notes: str = ""
    happened: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableFact(Fact):
    """Something that experiments change, with its other names."""

    name: str
    domain: str = ""
    aliases: tuple[str, ...] = ()
    description: str = ""
    execution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentFact(Fact):
    """An experiment. `said` is what the other system concluded, kept as text and never as our verdict."""

    name: str
    variants: tuple[VariantInput, ...]
    metric: MetricInput
    context: str = ""
    domain: str = ""
    variable: str = ""
    description: str = ""
    ending: Ending = "concluded"
    said: str = ""
    created: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFact(Fact):
    """A unit that was given a variant (by name) of the experiment with the key `experiment`."""

    experiment: str
    unit: str
    variant: str
    stratum: str = ""
    happened: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFact(Fact):
    """A result of the experiment with the key `experiment`; `run` names its unit and its variant."""

    experiment: str
    run: RunInput
    happened: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that became no fact, and why."""

    place: Place
    reason: str


@dataclass(slots=True)
class Reading:
    """What a reader made of a system's files. `rows` counts what each file holds, taken or not.

    `identity` tells apart two stores of one system whose keys could be equal ("" where keys are unique).
    """

    system: str
    identity: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def skip(self, place: Place, reason: str) -> None:
        """Leave a row out, and say why."""
        self.skipped.append(Skipped(place, reason))


def for_project(reading: Reading, root: Path) -> Reading:
    """Return the reading without the facts of other projects, if one of its projects is the one at `root`.

    A project is recognised by its folder, or by the folder's name where that tells one from the others. If
    none is, all are taken, with a note that names them.
    """
    owners = sorted({fact.owner for fact in reading.facts} - {""})
    here = [one for one in owners if one == str(root)] or [
        one for one in owners if PurePath(one).name == root.name
    ]
    if not owners or here == owners:
        return reading
    if len(here) != 1:
        note = (
            f"None of its projects is told to be this one, so all were taken: {', '.join(owners[:10])[:500]}."
        )
        return replace(reading, notes=[*reading.notes, note])
    others = [fact for fact in reading.facts if fact.owner not in ("", here[0])]
    reason = "it belongs to another project: "
    return replace(
        reading,
        facts=[fact for fact in reading.facts if fact.owner in ("", here[0])],
        skipped=[*reading.skipped, *(Skipped(fact.place, reason + fact.owner[:200]) for fact in others)],
    )


class Keys:
    """Keys for rows that have no id of their own: their content, and how many equal ones came before."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, *parts: object) -> str:
        """Return a key that is the same whenever the same rows are read in the same order."""
        content = digest(canonical_json(_finite(parts))).hex()[:24]
        number = self._seen.get(content, 0)
        self._seen[content] = number + 1
        return f"{content}-{number}" if number else content


def _finite(value: object) -> object:
    """Return the value with what JSON has no spelling for written as text."""
    if isinstance(value, float) and value - value != 0:
        return repr(value)
    if isinstance(value, dict):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_finite(one) for one in value]
    return value
