"""How many rules a reader is given at once, and what rules cost it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vettle.engine.records import LeftOut


@dataclass(frozen=True, slots=True)
class Line:
    """A rule as it will stand in a file: its text is neutral already."""

    rule_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Budget:
    """What one file, or the always-on rules together, may hold.

    `characters` counts whole lines: the text with its bullet and its line end.
    """

    rules: int = 25
    characters: int = 2_500


def fit(lines: Sequence[Line], budget: Budget, place: str) -> tuple[tuple[Line, ...], list[LeftOut]]:
    """Keep the strongest lines that fit; `lines` come strongest first.

    A weaker rule never takes the room that a stronger one did not find. Only a rule that no budget
    could hold is passed over. Text is never cut.
    """
    kept: list[Line] = []
    left_out: list[LeftOut] = []
    room, full = budget.characters, ""
    for line in lines:
        cost = len(line.text) + len("- \n")
        if cost > budget.characters:
            left_out.append(
                _left_out(line, f"takes {cost:,} characters, more than {place} may take together")
            )
            continue
        if len(kept) == budget.rules:
            full = f"the budget of {budget.rules} rules for {place} is used up by stronger rules"
        elif cost > room:
            full = f"the budget of {budget.characters:,} characters for {place} is used up by stronger rules"
        if full:
            left_out.append(_left_out(line, full))
        else:
            kept.append(line)
            room -= cost
    return tuple(kept), left_out


def _left_out(line: Line, reason: str) -> LeftOut:
    return LeftOut(rule_id=line.rule_id, reason=reason)
