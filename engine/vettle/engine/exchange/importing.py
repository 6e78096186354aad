"""Recording what a reader found: all of it in one transaction, and every fact once however often it is read.

A fact's event has a uid made of the system and the fact's key, so a second import finds it there. What was
imported is history: its sessions were not given rules by our coin flips, so they count in reports and are
no evidence about any rule.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from vettle.engine import imports, rules
from vettle.engine.exchange import recording
from vettle.engine.exchange.facts import (
    AssignmentFact,
    ExperimentFact,
    Fact,
    MistakeFact,
    Place,
    Reading,
    RewardFact,
    RuleFact,
    RunFact,
    SessionFact,
    VariableFact,
)
from vettle.engine.exchange.recording import Tally
from vettle.engine.experiments import lifecycle as experiments
from vettle.engine.experiments.design import Design
from vettle.engine.identifiers import reference_uid
from vettle.engine.imports import Found, Taken
from vettle.engine.project import Project
from vettle.engine.records.exchange import DataImported, ImportedSource, SkippedRow
from vettle.engine.store import MEMORY, Transaction, events, open_store
from vettle.engine.store import experiments as experiments_table
from vettle.engine.store import rules as rules_table
from vettle.engine.store.experiments import Experiment

MOST_SHOWN = 20
"""Left-out rows that are shown of each file."""


Placed = tuple[Experiment, Design]
AnyFact = TypeVar("AnyFact", bound=Fact)


class _OnlyLooking(Exception):
    """Raised to take the whole transaction back when nothing shall be recorded."""


def import_reading(project: Project, reading: Reading, *, apply: bool = True) -> DataImported:
    """Record the facts that are not recorded yet, all of them or none; without `apply` only tell what would be.

    Raises:
        InvalidArgument: A fact that no call could have recorded. Nothing is recorded then.
    """
    work = _Import(project, reading)
    if not apply and not project.exists:
        # Looking at a repository leaves no trace in it.
        project = Project(project.root, clock=project.clock, store=open_store(MEMORY, clock=project.clock))
    try:
        with project.write() as transaction:
            work.run(transaction)
            if not apply:
                raise _OnlyLooking
    except _OnlyLooking:
        pass
    return work.answer(applied=apply)


class _Import:
    """One import under way: what is new, what was known, and what is left out."""

    def __init__(self, project: Project, reading: Reading) -> None:
        self.project = project
        self.reading = reading
        self.new: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.skipped: dict[str, list[SkippedRow]] = defaultdict(list)
        self.notes = list(reading.notes)
        self.created: list[tuple[ExperimentFact, str]] = []
        self.tallies: dict[str, Tally] = defaultdict(Tally)
        for one in reading.skipped:
            self._skip(one.place, one.reason)

    def run(self, transaction: Transaction) -> None:
        """Record every fact in an order in which each finds what it refers to."""
        facts = self.reading.facts
        for variable in _of(facts, VariableFact):
            self._count(variable, recording.variable(transaction, self._uid(variable), variable))
        self._rules(transaction, list(_of(facts, RuleFact)))
        for mistake in sorted(_of(facts, MistakeFact), key=lambda one: one.happened):
            uid, session = self._uid(mistake), self._session(mistake.session)
            tally = self.tallies[mistake.session]
            self._count(mistake, recording.mistake(transaction, uid, session, mistake, tally))
        for reward in _of(facts, RewardFact):
            self.tallies[reward.session].weight += reward.weight
            self.tallies[reward.session].reward += reward.weight * reward.value
        for session_fact in sorted(_of(facts, SessionFact), key=lambda one: one.started):
            tally = self.tallies[session_fact.key]
            uid = self._uid(session_fact)
            self._count(session_fact, recording.session(self.project, transaction, uid, session_fact, tally))
        for reward in sorted(_of(facts, RewardFact), key=lambda one: one.happened):
            session = self._session(reward.session)
            self._count(reward, recording.reward(transaction, self._uid(reward), session, reward))
        self._experiments(transaction)

    def answer(self, *, applied: bool) -> DataImported:
        """Return what became of every row."""
        files = [
            ImportedSource(
                path=path,
                rows=rows,
                taken=self.taken[path],
                known=self.known[path],
                skipped_rows=len(self.skipped[path]),
                skipped=self.skipped[path][:MOST_SHOWN],
            )
            for path, rows in self.reading.rows.items()
        ]
        known = sum(self.known.values())
        if not self.new:
            next_step = (
                "Nothing new: everything in these files was imported before."
                if known
                else "Nothing to import."
            )
        elif applied:
            next_step = "See status, experiments_list and rules_list; the files can stay where they are."
        else:
            next_step = "Nothing was recorded. To import: data_import with apply true, or vettle import without --dry-run."
        return DataImported(
            system=self.reading.system,
            files=files,
            new=dict(self.new),
            known=known,
            applied=applied,
            notes=self.notes,
            next_step=next_step,
        )

    def _uid(self, fact: Fact) -> bytes:
        return self._uid_of(type(fact).__name__, fact.key)

    def _uid_of(self, kind: str, key: str) -> bytes:
        return reference_uid(f"import {self.reading.system} {self.reading.identity}", f"{kind} {key}")

    def _session(self, key: str) -> bytes:
        return self._uid_of(SessionFact.__name__, key) if key else b""

    def _count(self, fact: Fact, is_new: bool) -> None:
        if is_new:
            self.new[f"{type(fact).__name__.removesuffix('Fact').lower()}s"] += 1
            self.taken[fact.place.file] += 1
        else:
            self.known[fact.place.file] += 1

    def _skip(self, place: Place, reason: str) -> None:
        self.skipped[place.file].append(SkippedRow(line=place.line, reason=reason))

    def _rules(self, transaction: Transaction, facts: list[RuleFact]) -> None:
        """Add rules that no rule of the project says yet; retire those that were rejected there."""
        found = [
            Found(
                text=fact.text,
                globs=(),
                origin=f"{self.reading.system} {fact.place}",
                category=fact.category,
                context=fact.context,
                prior=fact.prior,
                rationale=fact.rationale,
            )
            for fact in facts
        ]
        for fact, taken in zip(facts, imports.take(transaction, found, apply=True), strict=True):
            if taken.outcome == "refused":
                self._skip(fact.place, taken.reason)
                continue
            self._count(fact, taken.outcome in ("trial", "quarantined"))
            self._standing(transaction, fact, taken)

    def _standing(self, transaction: Transaction, fact: RuleFact, taken: Taken) -> None:
        uid = self._uid_of("support", fact.key)
        if fact.found_again and not events.with_uid(transaction, uid):
            origin = f"{self.reading.system} {fact.place}"
            rules.reinforce(transaction, uid, taken.rule_id, origin, fact.found_again)
        rule = rules_table.get(transaction, taken.rule_id)
        if fact.retired and rule is not None and taken.outcome == "trial":
            learning = self.project.learning(transaction)
            rules.append_decision(
                transaction, learning, rule, "retired", "retire", fact.retired, self.project.actor
            )

    def _experiments(self, transaction: Transaction) -> None:
        """Create experiments, record their runs, and end those that had ended."""
        facts = self.reading.facts
        places: dict[str, list[Placed]] = {}
        for fact in _of(facts, ExperimentFact):
            places[fact.key], new = self._places(transaction, fact)
            self._count(fact, new)
        for assignment in sorted(_of(facts, AssignmentFact), key=lambda one: one.happened):
            place = _holding(places[assignment.experiment], assignment.variant)
            uid = self._uid(assignment)
            self._count(assignment, recording.assignment(transaction, uid, *place, assignment))
        for run in sorted(_of(facts, RunFact), key=lambda one: one.happened):
            place = _holding(places[run.experiment], run.run.variant)
            self._count(run, recording.run(transaction, self._uid(run), *place, run))
        for fact, identity in self.created:
            recording.end(self.project, transaction, experiments.require(transaction, identity), fact)

    def _places(self, transaction: Transaction, fact: ExperimentFact) -> tuple[list[Placed], bool]:
        """Return the experiments that hold the fact's variants, and whether the last of them is new.

        A design never changes, so variants that came up since the last import get an experiment of their own.
        """
        design = recording.design_of(fact)
        wanted = {variant.id for variant in design.variants}
        found: list[Placed] = []
        while True:
            name = fact.name if not found else f"{fact.name} ({len(found) + 1})"
            uid = self._uid_of(ExperimentFact.__name__, f"{fact.key} {len(found)}" if found else fact.key)
            there = experiments_table.get(transaction, experiments.id_of(uid, name))
            if there is None:
                break
            found.append((there, experiments.design_of(there)))
            wanted -= {variant.id for variant in found[-1][1].variants}
        if found and not wanted:
            return found, False
        ending = fact.ending
        if ending == "running" and (why := self._obstacle(transaction, fact)):
            ending = "concluded"
            self.notes.append(f"{fact.place}: {name!r} was open there and is concluded here. {why}")
        fact = replace(fact, name=name, ending=ending)
        recorded = recording.experiment(self.project, transaction, uid, fact, design)
        self.created.append((fact, recorded.id))
        return [*found, (recorded, design)], True

    def _obstacle(self, transaction: Transaction, fact: ExperimentFact) -> str:
        holder = fact.variable and experiments_table.holder_of(transaction, fact.domain, fact.variable)
        if holder:
            return f"Experiment {holder} holds the variable {fact.variable!r} here."
        open_now = experiments_table.in_states(transaction, experiments_table.HOLDING)
        most = self.project.settings.experiments.running
        return f"{most} experiments are open, the most at once." if len(open_now) >= most else ""


def _of(facts: Sequence[Fact], kind: type[AnyFact]) -> Iterator[AnyFact]:
    return (fact for fact in facts if isinstance(fact, kind))


def _holding(places: Sequence[Placed], variant: str) -> Placed:
    """Return the experiment that has the variant, by name; the first one that does."""
    return next(place for place in places if variant in place[1].names.values())
