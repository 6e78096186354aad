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

from vettle.engine import imports, progress, rules
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
    for_project,
)
from vettle.engine.exchange.recording import Tally
from vettle.engine.experiments import lifecycle as experiments
from vettle.engine.experiments.design import Design
from vettle.engine.identifiers import reference_uid
from vettle.engine.imports import Found, Taken
from vettle.engine.project import Project
from vettle.engine.records import Rule
from vettle.engine.records.exchange import DataImported, ImportedSource, SkippedRow
from vettle.engine.store import MEMORY, Transaction, events, open_store
from vettle.engine.store import experiments as experiments_table
from vettle.engine.store import rules as rules_table
from vettle.engine.store.experiments import Experiment
from vettle.engine.store.moments import gathering

MOST_SHOWN = 20
"""Left-out rows that are shown of each file."""

MOST_NOTES = 10
"""Notes that are shown; a folder of ledgers has one or more for every experiment."""

_OVER = ("concluded", "abandoned")


Placed = tuple[Experiment, Design]
AnyFact = TypeVar("AnyFact", bound=Fact)


class _OnlyLooking(Exception):
    """Raised to take the whole transaction back when nothing shall be recorded."""


def import_reading(project: Project, reading: Reading, *, apply: bool = True) -> DataImported:
    """Record the facts that are not recorded yet, all of them or none; without `apply` only tell what would be.

    Raises:
        InvalidArgument: A fact that no call could have recorded. Nothing is recorded then.
    """
    if apply or project.exists:
        return _recorded(project, reading, apply=apply)
    # Looking at a repository leaves no trace in it, nor in what this process knows about it.
    store = open_store(MEMORY, clock=project.clock)
    nowhere = Project(project.root, actor=project.actor, clock=project.clock, store=store)
    try:
        return _recorded(nowhere, reading, apply=False)
    finally:
        nowhere.close()


def _recorded(project: Project, reading: Reading, *, apply: bool) -> DataImported:
    work = _Import(project, for_project(reading, project.root))
    try:
        with project.write() as transaction, gathering(transaction):
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
        self.done = 0
        self.new: Counter[str] = Counter()
        self.rows: dict[str, dict[int | str, bool]] = defaultdict(dict)
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
                taken=sum(self.rows[path].values()),
                known=len(self.rows[path]) - sum(self.rows[path].values()),
                skipped_rows=len(self.skipped[path]),
                skipped=self.skipped[path][:MOST_SHOWN],
            )
            for path, rows in self.reading.rows.items()
        ]
        known = sum(file.known for file in files)
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
            notes=_some(self.notes),
            next_step=next_step,
        )

    def _uid(self, fact: Fact) -> bytes:
        return self._uid_of(type(fact).__name__, fact.key)

    def _uid_of(self, kind: str, key: str) -> bytes:
        return reference_uid(f"import {self.reading.system} {self.reading.identity}", f"{kind} {key}")

    def _session(self, key: str) -> bytes:
        return self._uid_of(SessionFact.__name__, key) if key else b""

    def _count(self, fact: Fact, is_new: bool) -> None:
        """Count the fact, and its row, which is taken if anything that it says is new."""
        self.done += 1
        progress.report("importing facts", self.done, len(self.reading.facts))
        if is_new:
            self.new[f"{type(fact).__name__.removesuffix('Fact').lower()}s"] += 1
        rows, row = self.rows[fact.place.file], fact.place.line or fact.key
        rows[row] = rows.get(row, False) or is_new

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
        """Count how often the rule was found again since the last import, and retire it if it was rejected."""
        counted = 0
        while before := events.with_uid(transaction, self._uid_of("support", f"{fact.key} {counted}")):
            counted += int(before.metrics["n"])
        if fact.found_again > counted:
            uid = self._uid_of("support", f"{fact.key} {counted}")
            origin = f"{self.reading.system} {fact.place}"
            rules.reinforce(transaction, uid, taken.rule_id, origin, fact.found_again - counted)
            self.new["reinforcements"] += 1
        rule = rules_table.get(transaction, taken.rule_id)
        # Whoever restored it here after an earlier import has the last word.
        if fact.retired and rule is not None and not _is_decided(transaction, rule):
            learning = self.project.learning(transaction)
            rules.append_decision(
                transaction, learning, rule, "retired", "retire", fact.retired, self.project.actor
            )
            self.new["retirements"] += 1

    def _experiments(self, transaction: Transaction) -> None:
        """Take the experiments that are over first, so that none of them holds a variable that an open one is on."""
        every = list(_of(self.reading.facts, ExperimentFact))
        over = [fact for fact in every if fact.ending in _OVER]
        for group in (over, [fact for fact in every if fact.ending not in _OVER]):
            self._group(transaction, group)

    def _group(self, transaction: Transaction, group: Sequence[ExperimentFact]) -> None:
        """Create experiments, record their runs, and end those that had ended."""
        facts = self.reading.facts
        places: dict[str, tuple[Design, list[Placed]]] = {}
        self.created.clear()
        for fact in group:
            design = recording.design_of(fact)
            found_there, new = self._places(transaction, fact, design)
            places[fact.key] = design, found_there
            self._count(fact, new)
        assigned = [one for one in _of(facts, AssignmentFact) if one.experiment in places]
        for assignment in sorted(assigned, key=lambda one: one.happened):
            found, design, variant = _holding(places[assignment.experiment], assignment.variant)
            uid, given = self._uid(assignment), replace(assignment, variant=variant)
            self._count(assignment, recording.assignment(transaction, uid, found, design, given))
        recorded = [one for one in _of(facts, RunFact) if one.experiment in places]
        for run in sorted(recorded, key=lambda one: one.happened):
            found, design, variant = _holding(places[run.experiment], run.run.variant)
            here = replace(run, run=run.run.model_copy(update={"variant": variant}))
            self._count(run, recording.run(transaction, self._uid(run), found, design, here))
        for fact, identity in self.created:
            recording.end(self.project, transaction, experiments.require(transaction, identity), fact)

    def _places(
        self, transaction: Transaction, fact: ExperimentFact, design: Design
    ) -> tuple[list[Placed], bool]:
        """Return the experiments that hold the fact's variants, and whether the last of them is new.

        A design never changes, so variants that came up since the last import get an experiment of their own.
        What was imported keeps its names here, whatever it is called there by now.
        """
        wanted = {variant.id for variant in design.variants}
        found: list[Placed] = []
        while True:
            name = fact.name if not found else f"{fact.name} ({len(found) + 1})"
            uid = self._uid_of(ExperimentFact.__name__, f"{fact.key} {len(found)}" if found else fact.key)
            created = events.with_uid(transaction, uid)
            if created is None:
                break
            there = experiments.require(transaction, created.subject)
            found.append((there, experiments.design_of(there)))
            wanted -= {variant.id for variant in found[-1][1].variants}
        if found and not wanted:
            self._compare(found[0][0], fact)
            return found, False
        ending = fact.ending
        if ending == "running" and (why := self._obstacle(transaction, fact)):
            ending = "concluded"
            self.notes.append(f"{fact.place}: {name!r} was open there and is concluded here. {why}")
        fact = replace(fact, name=name, ending=ending)
        recorded = recording.experiment(self.project, transaction, uid, fact, design)
        self.created.append((fact, recorded.id))
        return [*found, (recorded, design)], True

    def _compare(self, found: Experiment, fact: ExperimentFact) -> None:
        """Say that an experiment has ended there since it was imported; whether it ends here is for a person."""
        if found.state == "running" and fact.ending in _OVER:
            self.notes.append(
                f"{fact.place}: {found.name!r} is {fact.ending} there by now and open here. "
                f"To end it: experiment_decide {found.id} close."
            )

    def _obstacle(self, transaction: Transaction, fact: ExperimentFact) -> str:
        holder = fact.variable and experiments_table.holder_of(transaction, fact.domain, fact.variable)
        if holder:
            return f"Experiment {holder} holds the variable {fact.variable!r} here."
        open_now = experiments_table.in_states(transaction, experiments_table.HOLDING)
        most = self.project.settings.experiments.running
        return f"No more can be open at once than {most}." if len(open_now) >= most else ""


def _some(notes: Sequence[str]) -> list[str]:
    """Return the first notes, and how many there are if those are not all."""
    if len(notes) <= MOST_NOTES:
        return list(notes)
    return [*notes[:MOST_NOTES], f"The first {MOST_NOTES} of {len(notes)} notes."]


def _is_decided(transaction: Transaction, rule: Rule) -> bool:
    """Tell whether a rule is more than an imported candidate: somebody's own, or decided about before."""
    decisions = events.of_subject(transaction, rule.id, ("rule_decided",))
    return rule.status != "trial" or rule.source != "import" or bool(decisions)


def _of(facts: Sequence[Fact], kind: type[AnyFact]) -> Iterator[AnyFact]:
    return (fact for fact in facts if isinstance(fact, kind))


def _holding(place: tuple[Design, Sequence[Placed]], variant: str) -> tuple[Experiment, Design, str]:
    """Return the first experiment that has the variant, its design, and the variant's id; it is named as in the fact."""
    identity = place[0].find(variant).id
    found, design = next(one for one in place[1] if identity in one[1].names)
    return found, design, identity
