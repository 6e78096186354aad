"""How many rules a reader is given at once, and what rules cost it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vettle.engine.records import LeftOut


@dataclass(frozen=True, slots=True)
class Line:
    """A rule as it will stand in a file: its text is neutral already."""

    rule_id: str
    text: str

    @property
    def bullet(self) -> str:
        """The whole line, as it costs its reader."""
        return f"- {self.text}\n"


@dataclass(frozen=True, slots=True)
class Budget:
    """What one file, or the always-on rules together, may hold.

    `characters` counts whole lines: the text with its bullet and its line end.
    """

    rules: int = 25
    characters: int = 2_500


@dataclass(frozen=True, slots=True)
class Room:
    """What a file can still take before an assistant stops reading it.

    `left` is counted by `measure` (characters, or bytes), and `why` ends a sentence that begins with "no room".
    """

    left: int
    measure: Callable[[str], int]
    why: str


def byte_length(text: str) -> int:
    """Measure a text as Codex does."""
    return len(text.encode())


def fit(
    lines: Sequence[Line], budget: Budget, place: str, room: Room | None = None
) -> tuple[tuple[Line, ...], list[LeftOut]]:
    """Keep the strongest lines that fit; `lines` come strongest first.

    A weaker rule never takes the room that a stronger one did not find. Only a rule that no budget
    could hold is passed over. Text is never cut.
    """
    kept: list[Line] = []
    left_out: list[LeftOut] = []
    characters, left, full = budget.characters, room.left if room else 0, ""
    for line in lines:
        cost = len(line.bullet)
        if cost > budget.characters:
            left_out.append(
                _left_out(line, f"takes {cost:,} characters, more than {place} may take together")
            )
            continue
        if len(kept) == budget.rules:
            full = f"the budget of {budget.rules} rules for {place} is used up by stronger rules"
        elif cost > characters:
            full = f"the budget of {budget.characters:,} characters for {place} is used up by stronger rules"
        elif room and room.measure(line.bullet) > left:
            full = f"no room: {room.why}"
        if full:
            left_out.append(_left_out(line, full))
            continue
        kept.append(line)
        characters -= cost
        left -= room.measure(line.bullet) if room else 0
    return tuple(kept), left_out


def _left_out(line: Line, reason: str) -> LeftOut:
    return LeftOut(rule_id=line.rule_id, reason=reason)
