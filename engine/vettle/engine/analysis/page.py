"""The evidence as a page of Markdown, for a person or for a model: names are untrusted, so they are escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vettle.engine import quarantine
from vettle.engine.records.evidence import Evidence, Performers, VariableEvidence
from vettle.engine.wording import counted

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$!#])")
_OPENING = re.compile(r"^(\d*)([-+#=:.)])")
_LONGEST = 300


def escaped(text: str) -> str:
    """Return a text as one line that Markdown shows as it is; hidden characters are written out, long text is cut.

    Texts from logs have passed `quarantine.shown` before; a name such as "system prompt" is no instruction.
    """
    line = quarantine.visible(" ".join(text.split())[:_LONGEST])
    return _OPENING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line))


def markdown(evidence: Evidence) -> str:
    """Return the evidence as one page; every list of it has its section, and an empty one says so."""
    title = f"# What is known{f' in the context {escaped(evidence.context)}' if evidence.context else ''}"
    rules = ", ".join(f"{number} {name}" for name, number in evidence.rules.items()) or "none"
    lines = [
        title,
        *_section("Variables", _variables(evidence.variables)),
        *_section("Open experiments", _open(evidence)),
        *_section("Mistakes that come back", _mistakes(evidence)),
        *_section("Rules", [f"{rules}."]),
        *_section("Best and worst runs", _every_performer(evidence.performers)),
        *_section("Proposers", _proposers(evidence)),
        *_section("Notes", [f"- {escaped(note)}" for note in evidence.notes]),
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *(lines or ["None."])]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    return [f"| {' | '.join(cells)} |" for cells in (headings, ["---"] * len(headings), *rows)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _limits(row: VariableEvidence) -> str:
    if row.effect is None:
        return ""
    low, high = (_number(limit) or "?" for limit in (row.low, row.high))
    return f"{row.effect:+.3g} ({low} to {high})"


def _variables(rows: Sequence[VariableEvidence]) -> list[str]:
    headings = [
        "variable",
        "standing",
        "outcome",
        "best",
        "effect (limits)",
        "runs",
        "missing",
        "cost",
        "next",
    ]
    cells = [
        [
            escaped(f"{row.domain}: {row.variable}" if row.domain else row.variable),
            row.standing,
            row.outcome,
            escaped(row.best),
            _limits(row),
            str(row.runs),
            str(row.missing),
            _number(row.cost),
            escaped(row.next_step),
        ]
        for row in rows
    ]
    return _table(headings, cells)


def _open(evidence: Evidence) -> list[str]:
    cells = [
        [
            escaped(one.experiment_id),
            escaped(one.name),
            one.state,
            escaped(one.variable),
            escaped(one.context),
            str(one.runs),
            one.outcome,
        ]
        for one in evidence.open
    ]
    return _table(["experiment", "name", "state", "variable", "context", "runs", "outcome"], cells)


def _mistakes(evidence: Evidence) -> list[str]:
    lines = []
    for one in evidence.mistakes:
        corrected = f" Corrected by: {escaped(one.correction)}" if one.correction else ""
        times = f"{counted(one.occurrences, 'time')} in {counted(one.sessions, 'session')}"
        lines.append(f"- {escaped(one.error_class)}, {times}: {escaped(one.description)}{corrected}")
    return lines


def _every_performer(every: Sequence[Performers]) -> list[str]:
    return [line for one in every for line in _performers(one)]


def _performers(one: Performers) -> Iterator[str]:
    yield f"### {escaped(one.experiment_id)} by {escaped(one.metric)}"
    yield ""
    rows = [("best", run) for run in one.top] + [("worst", run) for run in one.bottom]
    cells = [[where, escaped(run.unit), escaped(run.variant), _number(run.value)] for where, run in rows]
    yield from _table(["", "unit", "variant", "value"], cells)
    yield ""
    for pattern in one.patterns:
        value = escaped(pattern.value) if isinstance(pattern.value, str) else _number(pattern.value)
        yield (
            f"- {escaped(pattern.dimension)} = {value}: {pattern.top:.0%} of the better half, "
            f"{pattern.bottom:.0%} of the worse, {pattern.n} runs (a hint, no finding)"
        )
    yield from (f"- {escaped(note)}" for note in one.notes)
    yield ""


def _proposers(evidence: Evidence) -> list[str]:
    cells = [
        [
            escaped(one.proposer),
            str(one.proposed),
            str(one.won),
            str(one.lost),
            str(one.no_difference),
            str(one.open),
            _number(one.realised),
        ]
        for one in evidence.proposers
    ]
    headings = ["proposer", "proposed", "won", "lost", "no difference", "open", "realised / expected"]
    return _table(headings, cells)
