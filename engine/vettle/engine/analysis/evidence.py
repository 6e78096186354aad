"""What is known by now, in one page: the evidence from which a person or a model proposes what to try next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vettle.engine import mistakes, paging
from vettle.engine.analysis import performers, proposers
from vettle.engine.analysis.known import Known, known
from vettle.engine.experiments import next_steps
from vettle.engine.experiments.lifecycle import DECIDED, NO_TEST, OPEN
from vettle.engine.experiments.measures import rounded
from vettle.engine.project import Project
from vettle.engine.records.base import Record
from vettle.engine.records.evidence import (
    Evidence,
    OpenExperiment,
    Performers,
    RecurringMistake,
    VariableEvidence,
    VariableStanding,
)
from vettle.engine.store import Transaction, history
from vettle.engine.store import experiments as table
from vettle.engine.store import mistakes as mistakes_table
from vettle.engine.store import rules as rules_table
from vettle.engine.store.experiments import HOLDING
from vettle.engine.wording import shortened

_MOST_PERFORMERS = 2
_TOP = 3
_LEAST_RUNS = 4
_MOST_SHORT = 5
_RUNS_CHARACTERS = 2_500
_MOST_MISTAKES = 10
_ROOM = {"variables": 7_000, "open": 2_500, "mistakes": 2_500, "performers": 4_500, "proposers": 1_000}
"""Characters that each list may take, so that the whole page stays readable."""

_STANDINGS: Mapping[str, VariableStanding] = {
    "better": "concluded",
    "worse": "concluded",
    "equivalent": "equivalent",
    "no_difference": "no_difference",
}


def summary(project: Project, *, context: str = "", limit: int = 20) -> Evidence:
    """Sum up what experiments, mistakes and rules have shown, for whoever proposes what to try next.

    `context` narrows the experiments. `limit` is the most rows of each list; what is left out is said.
    """
    with project.read() as transaction:
        every = known(transaction, context)
        untested = [] if context else _untested(transaction, every.experiments)
        lists: dict[str, Sequence[Record]] = {
            "variables": [*_variables(every.experiments), *untested],
            "open": [_open(one) for one in every.experiments if one.row.state in OPEN],
            "mistakes": _mistakes(transaction),
            "performers": _performers(every.experiments),
            "proposers": proposers.records(every.experiments),
        }
        by_status = rules_table.count_by_status(transaction)
    notes = list(every.notes)
    kept: dict[str, Sequence[Record]] = {}
    for name, rows in lists.items():
        kept[name] = paging.fit(rows[:limit], _ROOM[name])
        if len(kept[name]) < len(rows):
            notes.append(f"{name}: {len(kept[name])} of {len(rows)} are shown.")
    if context:
        notes.append("Mistakes and rules are those of all contexts.")
    if not every.experiments:
        where = f" in the context {context!r}" if context else ""
        notes.append(f"No experiment yet{where}: experiment_create asks the first question.")
    return Evidence.model_validate({"context": context, "rules": by_status, "notes": notes, **kept})


@dataclass(frozen=True, slots=True)
class _Group:
    """The experiments on one variable, newest first."""

    variable: str
    domain: str
    members: list[Known]


def _variables(experiments: Sequence[Known]) -> list[VariableEvidence]:
    groups: dict[tuple[str, str, str], _Group] = {}
    for one in experiments:
        row = one.row
        key = (row.domain, row.variable, "" if row.variable else row.name)
        group = groups.setdefault(key, _Group(row.variable or row.name, row.domain, []))
        group.members.append(one)
    return [_variable(group) for group in groups.values()]


def _variable(group: _Group) -> VariableEvidence:
    """Sum up one variable; an experiment that has said something stands for those that have not."""
    told = next((one for one in group.members if one.outcome != "no_runs"), group.members[0])
    said = told.said
    standing = _standing(group.members, told)
    needed = said.get("more_mean") if told.outcome == "insufficient" else None
    return VariableEvidence(
        variable=group.variable,
        domain=group.domain,
        standing=standing,
        experiments=[one.row.id for one in group.members][:5],
        best=next((one.winner for one in group.members if one.winner), ""),
        outcome=told.outcome,
        effect=_number(said.get("estimate")),
        low=_number(said.get("low")),
        high=_number(said.get("high")),
        needed=needed,
        runs=sum(one.runs for one in group.members),
        missing=sum(one.missing for one in group.members),
        cost=rounded(sum(one.cost for one in group.members)),
        next_step=_next_step(standing, told, group.members[0], needed),
    )


def _number(value: float | None) -> float | None:
    return None if value is None else rounded(value)


def _standing(members: Sequence[Known], told: Known) -> VariableStanding:
    if any(one.row.state in OPEN for one in members):
        return "open"
    if told.row.tier == NO_TEST:
        return "untested"
    if told.row.state == "abandoned":
        return "abandoned"
    return _STANDINGS.get(told.outcome, "undecided")


def _next_step(standing: VariableStanding, told: Known, newest: Known, needed: int | None) -> str:
    if standing in ("open", "concluded") and told.outcome in DECIDED and _is_last(told, newest):
        return next_steps.after(told.row.id, told.row.state, told.said)
    if standing == "open":
        if newest.row.state == "proposed":
            return f"To start it: experiment_decide {newest.row.id} start 'why'"
        more = f" About {needed} more {told.said.get('unit', 'runs')} are needed." if needed else ""
        return f"Wait for {newest.row.id} to end before another change.{more}"
    return {
        "untested": "Nothing is known: ask with experiment_create.",
        "concluded": f"{told.winner!r} is the best so far: try to beat it.",
        "equivalent": "Take the cheapest; more of the same will not help.",
        "no_difference": "Leave it, or try a bolder change.",
        "undecided": f"Plan for more runs, and ask again: experiment_decide {told.row.id} restart 'too early to tell'",
        "abandoned": "It was given up, so nothing is known: read its reason before asking again.",
    }[standing]


def _is_last(told: Known, newest: Known) -> bool:
    """Tell whether what is proven is the last word: after the end, a later experiment takes its place."""
    return told.row.state in HOLDING or told is newest


def _untested(transaction: Transaction, experiments: Sequence[Known]) -> list[VariableEvidence]:
    """Return the registered variables that no experiment has changed yet."""
    used = {(one.row.domain, one.row.variable) for one in experiments}
    found = []
    for domain in history.variable_domains(transaction):
        names = dict.fromkeys(one.canonical for one in table.variables(transaction, domain))
        found += [_never_tested(name, domain) for name in names if (domain, name) not in used]
    return found


def _never_tested(variable: str, domain: str) -> VariableEvidence:
    return VariableEvidence(
        variable=variable,
        domain=domain,
        standing="untested",
        experiments=[],
        best="",
        outcome="no_runs",
        effect=None,
        low=None,
        high=None,
        needed=None,
        runs=0,
        missing=0,
        cost=0.0,
        next_step="Nothing is known: ask with experiment_create.",
    )


def _open(one: Known) -> OpenExperiment:
    return OpenExperiment(
        experiment_id=one.row.id,
        name=one.row.name,
        state=one.row.state,
        variable=one.row.variable,
        context=one.row.context,
        runs=one.runs,
        outcome=one.outcome,
    )


def _mistakes(transaction: Transaction) -> list[RecurringMistake]:
    found = []
    for mistake in mistakes_table.recurring(transaction, limit=_MOST_MISTAKES):
        past = mistakes.past(mistake)
        found.append(
            RecurringMistake(
                mistake_id=past.mistake_id,
                error_class=past.error_class,
                description=past.description,
                correction=past.correction,
                occurrences=past.occurrences,
                sessions=mistake.sessions,
            )
        )
    return found


def _performers(experiments: Sequence[Known]) -> list[Performers]:
    """Return the performers of the newest experiments that have enough runs to speak of."""
    found: list[Performers] = []
    for one in experiments:
        if one.runs >= _LEAST_RUNS and len(found) < _MOST_PERFORMERS:
            every = performers.of(one.row.id, one.verdict, top=_TOP)
            found.append(_brief(every))
    return found


def _brief(every: Performers) -> Performers:
    """Return the same in short; what long configs hold is told by `performers` of that experiment alone."""
    runs = {"top": every.top, "bottom": every.bottom}
    if sum(len(run.model_dump_json()) for own in runs.values() for run in own) > _RUNS_CHARACTERS:
        bare: dict[str, object] = {"config": {}, "dimensions": {}}
        runs = {name: [run.model_copy(update=bare) for run in own] for name, own in runs.items()}
    lists = {"dispersion": every.dispersion[:_MOST_SHORT], "patterns": every.patterns[:_MOST_SHORT]}
    return every.model_copy(update={**runs, **lists, "notes": [shortened(note, 300) for note in every.notes]})
