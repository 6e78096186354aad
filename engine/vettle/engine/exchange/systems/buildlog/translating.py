"""What buildlog's rows become here, whichever store they stand in."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from vettle.engine.arguments import RequiredLabel, RequiredRuleText
from vettle.engine.exchange.checking import (
    FreeTask,
    FreeText,
    OptionalLabel,
    RequiredFreeText,
    Row,
    Share,
    Time,
    checked,
    nothing,
)
from vettle.engine.exchange.facts import Keys, MistakeFact, Place, Reading, RewardFact, RuleFact, SessionFact
from vettle.engine.exchange.systems.buildlog import believing
from vettle.engine.records import RewardSource, Severity

Placed = tuple[Place, dict[str, Any]]

_SEVERITIES: dict[str, Severity] = {"low": "suggestion", "high": "blocker", "critical": "blocker"}
_SOURCES: tuple[RewardSource, ...] = get_args(RewardSource)

_Id = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one project's store holds, row by row. `rules` are those whose text is known."""

    sessions: list[Placed]
    mistakes: list[Placed]
    rewards: list[Placed]
    rules: list[Placed]
    decisions: list[Placed]
    arms: list[Placed]
    active: list[Placed]


class _Session(Row):
    id: _Id
    started_at: Time
    ended_at: Time
    error_class: OptionalLabel = ""
    notes: FreeTask = ""


class _Mistake(Row):
    id: _Id
    session_id: str = ""
    timestamp: Time
    error_class: RequiredLabel
    description: RequiredFreeText
    corrected_by_rule: str | None = None
    resolution_action: FreeText = ""
    severity: str | None = None


class _Reward(Row):
    id: _Id
    session_id: Annotated[str, BeforeValidator(nothing)] = ""
    timestamp: Time
    outcome: Literal["accepted", "revision", "rejected"]
    reward_value: Share
    notes: FreeText = ""
    source: str | None = None


class _Rule(Row):
    id: _Id
    rule: RequiredRuleText
    category: OptionalLabel = ""
    severity: OptionalLabel = ""
    source: FreeText = ""
    rationale: FreeText = ""
    functional_principle: FreeText = ""
    reinforcement_count: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1


class _Decision(Row):
    skill_id: _Id
    decision: Literal["promoted", "rejected"]


def journal_rule(text: str, category: str, date: str) -> dict[str, Any]:
    """Return a bullet of the journal as a row, with the part of its id that buildlog makes of the text."""
    identity = hashlib.sha256(text.lower().encode()).hexdigest()[:10]
    return {"id": f"-{identity}", "rule": text, "category": category, "rationale": f"the journal of {date}"}


def translate(reading: Reading, recorded: Recorded, owner: str = "") -> None:
    """Add the facts of one project to the reading, and say of every other row why it is none."""
    texts = _rules(reading, recorded, owner)
    sessions = _sessions(reading, recorded, owner)
    _mistakes(reading, recorded.mistakes, sessions, texts, owner)
    _rewards(reading, recorded.rewards, sessions, owner)


def _tail(identity: str | None) -> str:
    """Return what tells rules apart: what stands before the last hyphen is only their category."""
    return (identity or "").rpartition("-")[2]


def _rules(reading: Reading, recorded: Recorded, owner: str) -> dict[str, str]:
    """Add the rules, and return the texts of all that are known, by the end of their id."""
    rows = [(place, checked(reading, _Rule, place, row)) for place, row in recorded.rules]
    texts = {_tail(row.id): row.rule for _, row in rows if row}
    decided = _decisions(reading, recorded.decisions, texts)
    believed = believing.effects(reading, recorded.arms, texts, _tail)
    keys = Keys()
    for place, row in rows:
        if row is None:
            continue
        tail = _tail(row.id)
        reading.facts.append(
            RuleFact(
                key=keys.of("rule", row.id),
                place=place,
                owner=owner,
                text=row.rule,
                category=row.category or "general",
                rationale=_rationale(row, decided.get(tail, "")),
                prior=believed.get(tail, 0.0),
                retired="rejected in buildlog" if decided.get(tail) == "rejected" else "",
                found_again=row.reinforcement_count - 1,
            )
        )
    return texts


def _rationale(row: _Rule, decision: str) -> str:
    parts = (
        f"learned from {row.source}" if row.source else "",
        f"a {row.severity} finding" if row.severity else "",
        row.functional_principle,
        row.rationale,
        f"{decision} in buildlog" if decision else "",
    )
    return "; ".join(part for part in parts if part)[:4_000]


def _decisions(reading: Reading, rows: list[Placed], texts: dict[str, str]) -> dict[str, str]:
    decided: dict[str, str] = {}
    told: Counter[str] = Counter()
    for place, row in rows:
        found = checked(reading, _Decision, place, row)
        if found is None:
            continue
        if _tail(found.skill_id) in texts:
            decided[_tail(found.skill_id)] = found.decision
            told[place.file] += 1
        else:
            reading.skip(
                place,
                f"{found.skill_id[:80]!r} is only an id: no journal entry, review or table here holds its text",
            )
    reading.notes += [
        f"{file}: rows that became part of the rule that they decide: {number}."
        for file, number in told.items()
    ]
    return decided


def _sessions(reading: Reading, recorded: Recorded, owner: str) -> set[str]:
    """Add the sessions that are over, and return the ids of all sessions that are or will be."""
    known: set[str] = set()
    for place, row in recorded.sessions:
        session = checked(reading, _Session, place, row)
        if session is None:
            continue
        if session.id in known:
            reading.skip(place, f"session {session.id[:80]!r} stands there twice")
            continue
        known.add(session.id)
        reading.facts.append(
            SessionFact(
                key=session.id,
                place=place,
                owner=owner,
                task=session.notes,
                context=session.error_class or "general",
                started=session.started_at,
                ended=session.ended_at,
            )
        )
    for place, row in recorded.active:
        reading.skip(place, "the session has not ended; end it there and import again")
        known.add(str(row.get("id")))
    return known


def _mistakes(
    reading: Reading, rows: list[Placed], sessions: set[str], texts: dict[str, str], owner: str
) -> None:
    keys = Keys()
    homeless: Counter[str] = Counter()
    for place, row in rows:
        mistake = checked(reading, _Mistake, place, row)
        if mistake is None:
            continue
        homeless[place.file] += mistake.session_id not in sessions
        reading.facts.append(
            MistakeFact(
                key=keys.of("mistake", mistake.id),
                place=place,
                owner=owner,
                error_class=mistake.error_class,
                description=mistake.description,
                session=mistake.session_id if mistake.session_id in sessions else "",
                severity=_SEVERITIES.get(mistake.severity or "", "warning"),
                correction=mistake.resolution_action or texts.get(_tail(mistake.corrected_by_rule), ""),
                happened=mistake.timestamp,
            )
        )
    reading.notes += [
        f"{file}: rows of no session that was ended there, kept without one: {number}."
        for file, number in homeless.items()
        if number
    ]


def _rewards(reading: Reading, rows: list[Placed], sessions: set[str], owner: str) -> None:
    keys = Keys()
    for place, row in rows:
        reward = checked(reading, _Reward, place, row)
        if reward is None:
            continue
        source = reward.source or "manual"
        if source.startswith("auto:"):
            reading.skip(place, "buildlog wrote it because nobody had said anything: it is no feedback")
            continue
        reading.facts.append(
            RewardFact(
                key=keys.of("reward", reward.id),
                place=place,
                owner=owner,
                outcome=reward.outcome,
                value=reward.reward_value,
                session=reward.session_id if reward.session_id in sessions else "",
                source=next((one for one in _SOURCES if one == source), "manual"),
                notes=reward.notes,
                happened=reward.timestamp,
            )
        )
