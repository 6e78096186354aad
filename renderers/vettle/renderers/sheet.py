"""Which rules every assistant is given: filtered, neutral, grouped by path, within the budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from vettle.engine.arguments import RULE_CHARACTERS
from vettle.engine.records import LeftOut, Rule
from vettle.engine.similarity import rule_form
from vettle.renderers.budget import Budget, Line, Room, fit
from vettle.renderers.globs import NotPortable, canonical
from vettle.renderers.naming import Globs, slugs
from vettle.renderers.neutral import neutral

RENDERED_STATUSES = frozenset({"proven", "pinned"})


@dataclass(frozen=True, slots=True)
class Group:
    """The rules about one set of paths. `slug` names their file and is made from `globs` alone."""

    slug: str
    globs: Globs
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an assistant is given, strongest rule first: `always`, and `scoped` to some paths."""

    always: tuple[Line, ...]
    scoped: tuple[Group, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What the user's own text of a file says already, as normal forms of its lines."""

    path: str
    forms: frozenset[str]


class _Unrenderable(ValueError):
    """Raised when a rule cannot stand in any file."""


def arrange(
    rules: Sequence[Rule],
    budget: Budget | None = None,
    room: Room | None = None,
    said: Said | None = None,
    total: Budget | None = None,
) -> Sheet:
    """Choose what is rendered from `rules`, which come strongest evidence first.

    `room` is what the file of the always-on rules can still take, and `said` what its reader is told there
    already. `total` is for all rules together, where one file holds them all. Rules that are neither proven nor pinned are passed over silently; every other rule that does not
    make it is in `left_out` with its reason.
    """
    budget = budget or Budget()
    by_globs: dict[Globs, list[Line]] = defaultdict(list)
    left_out: list[LeftOut] = []
    for rule in rules:
        if rule.status not in RENDERED_STATUSES:
            continue
        try:
            globs = _globs(rule)
            if said and not globs and rule_form(rule.text) in said.forms:
                raise _Unrenderable(f"{said.path} says it already, in your own text")
            by_globs[globs].append(_line(rule))
        except _Unrenderable as problem:
            left_out.append(LeftOut(rule_id=rule.id, reason=str(problem)))
    always, over = fit(by_globs.pop((), []), budget, "always-on rules", room)
    left_out += over
    groups = []
    rest = _rest(total, always) if total else None
    for globs, slug in sorted(slugs(by_globs).items(), key=lambda item: item[1]):
        lines, over = fit(by_globs[globs], budget, f"rules about {slug} files")
        left_out += over
        if total and rest:
            lines, beyond = fit(lines, rest, "the whole file")
            full = f"the budget of {total.rules} rules and {total.characters:,} characters for the whole file is used up"
            left_out += [LeftOut(rule_id=one.rule_id, reason=full) for one in beyond]
            rest = _rest(rest, lines)
        if lines:
            groups.append(Group(slug, globs, lines))
    position = {rule.id: place for place, rule in enumerate(rules)}
    return Sheet(always, tuple(groups), tuple(sorted(left_out, key=lambda one: position[one.rule_id])))


def _rest(budget: Budget, lines: Sequence[Line]) -> Budget:
    """Return what a budget has left after these lines."""
    return Budget(budget.rules - len(lines), budget.characters - sum(len(line.bullet) for line in lines))


def _globs(rule: Rule) -> Globs:
    try:
        return canonical(rule.globs)
    except NotPortable as problem:
        raise _Unrenderable(f"its paths cannot be written for every assistant: {problem}") from None


def _line(rule: Rule) -> Line:
    if len(rule.text) > RULE_CHARACTERS:
        raise _Unrenderable(
            f"its text has {len(rule.text):,} characters and {RULE_CHARACTERS} is the most; "
            "shorten it with rule_decide, action reword"
        )
    text = neutral(rule.text)
    if not text:
        raise _Unrenderable("its text has no visible character; retire it or give it a text with rule_decide")
    return Line(rule.id, text)
