"""Fill a project with a past, as long use would have left it.

Sessions come one after the other, spread evenly over `DAYS` days whatever their number, so histories of
different length have equally many days, contexts and rules to aggregate by and differ only in what was
logged. Of the rules a few were pinned, proven or retired long ago; the others are on trial, and only the
last sessions tried them. A fifth of the events are runs of experiments that were abandoned. Everything goes through `Transaction.append`, and the posterior is folded and
snapshotted on the way, as the server does it.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from vettle.engine import lifecycle, rewards, similarity
from vettle.engine.clock import DAY, HOUR
from vettle.engine.experiments import lifecycle as experiments
from vettle.engine.experiments import runs
from vettle.engine.experiments.design import MetricInput, VariantInput, make
from vettle.engine.identifiers import new_uid, session_id, slug
from vettle.engine.learning import SNAPSHOT_EVERY, Learning
from vettle.engine.posterior import POLICY
from vettle.engine.project import Project
from vettle.engine.records import Decision, RewardOutcome, RewardSource, SlateEntry
from vettle.engine.store import Transaction
from vettle.engine.store.events import Event, Kind
from vettle.engine.store.experiments import Experiment

CONTEXTS = ("general", "bug-fix", "type-errors", "refactoring", "tests")
ERROR_CLASSES = (
    "api-misuse",
    "flaky-test",
    "lint",
    "missing-import",
    "tests",
    "type-errors",
    "wrong-path",
    "wrong-scope",
)
DAYS = 60
DISTINCT = 0.03
"""Distinct mistakes per event."""

RULES = 50
PINNED, PROVEN, RETIRED = 2, 5, 8
"""How many of the rules were settled long ago; all others are on trial."""

EXPERIMENTS = 20
VARIANTS = 3

_K = 3
_RUNS = (0, 0, 1, 2, 3)  # runs that a session records: a fifth of all events
_RECENT = 1_500  # events at the end in which the rules on trial were tried
_BATCH = 1_000  # events per transaction; more would leave a longer log behind than calls ever do
_SINCE_SNAPSHOT = SNAPSHOT_EVERY // 2
_ABANDONED = 0.05  # share of sessions that nobody ended
_NAMED = 0.1  # share of mistakes that name a rule of their session
_FIRST_WORDS = 2_000


class Wording(NamedTuple):
    """A mistake as an agent words it."""

    error_class: str
    description: str
    correction: str


class Words:
    """An endless source of texts over one vocabulary; equal seeds give equal texts.

    The vocabulary is made of syllables and its words are drawn by rank, so that, as in real texts, a few
    are everywhere and most are rare.
    """

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(f"words {seed}")
        spelling = random.Random("vocabulary")
        syllables = [consonant + vowel for consonant in "bcdfgklmnprstv" for vowel in "aeiou"]
        self._vocabulary = [
            "".join(spelling.choices(syllables, k=spelling.choice((2, 3, 3, 4)))) for _ in range(_FIRST_WORDS)
        ]

    def some(self, count: int) -> str:
        """Return a few words, common ones more often."""
        return " ".join(
            self._vocabulary[int(_FIRST_WORDS * self._random.random() ** 2.5)] for _ in range(count)
        )

    def mistake(self) -> Wording:
        """Return a mistake, as good as never the same one twice."""
        path = f"src/{self.some(1)}/{self.some(1)}.py:{self._random.randrange(1, 900)}"
        text = self._random.choice(
            (
                f"The {self.some(3)} was not {self.some(2)} before the {self.some(1)} in {path}",
                f"{self.some(2)} failed: expected {self.some(2)}, got {self.some(2)} ({path})",
                f"Forgot to {self.some(2)} the {self.some(3)} after changing {path}",
                f"AttributeError: '{self.some(1)}' has no {self.some(2)}, the {self.some(3)} is missing",
            )
        )
        correction = f"Call {self.some(2)} first, then {self.some(3)}." if self._random.random() < 0.5 else ""
        return Wording(self._random.choice(ERROR_CLASSES), text, correction)

    def task(self) -> str:
        """Return what a session is about."""
        return f"Fix the {self.some(4)} so that {self.some(3)} works"

    def rule(self) -> str:
        """Return an instruction."""
        return f"Always {self.some(3)} the {self.some(2)} before you {self.some(3)}."


def known_mistakes(count: int, *, seed: int = 1) -> list[Wording]:
    """Return the mistakes that any history of this seed begins with, and keeps repeating most."""
    words = Words(f"mistakes {seed}")
    return [words.mistake() for _ in range(count)]


def fill(project: Project, events: int, *, rules: int = RULES, seed: int = 1) -> None:
    """Give an empty project its rules and then at least `events` events of past sessions.

    The history goes on, for 100 sessions at most, until as many sessions follow the last snapshot as usually do.
    """
    past = _Past(project, events, rules, seed)
    while not past.finished:
        with project.write() as transaction:
            past.write(project, transaction, project.learning(transaction))
    for experiment in past.experiments:
        experiments.decide(project, experiment=experiment.id, action="abandon", reason="long ago")


def trial_rules(project: Project) -> list[str]:
    """Return the ids of the rules on trial, oldest first."""
    with project.read() as transaction:
        rows = transaction.execute(
            "SELECT id FROM rule WHERE project=? AND status='trial' ORDER BY event", (transaction.project,)
        )
    return [str(row[0]) for row in rows]


class _Past:
    """The history being written: how far it is, and what later events refer to."""

    def __init__(self, project: Project, events: int, rules: int, seed: int) -> None:
        self.appended = 0
        self.finished = False
        self._rules_due = rules
        self._events = events
        self._settings = project.settings.score
        self._begin = project.clock() - DAYS * DAY - HOUR
        self._random = random.Random(seed)
        self._words = Words(seed)
        self._mistakes = Words(f"mistakes {seed}")
        self._wordings: list[dict[str, Any]] = []
        self._rules: list[str] = []
        self._units = 0
        self.experiments: list[Experiment] = []
        self._variants: list[str] = []

    def write(self, project: Project, transaction: Transaction, learning: Learning) -> None:
        """Append the rules if they are due, then sessions until the batch is full or the history finished."""
        transaction.now = self._begin
        while self._events and len(self.experiments) < EXPERIMENTS:
            self._add_experiment(project, transaction)
        while self._rules_due:
            self._add_rule(transaction, learning)
        end = self.appended + _BATCH
        while self.appended < end and not self._complete(learning):
            self._session(transaction, learning)
        self.finished = self._complete(learning)

    def _complete(self, learning: Learning) -> bool:
        if self.appended < self._events:
            return False
        return not self._events or learning.learner.sessions % SNAPSHOT_EVERY == _SINCE_SNAPSHOT

    def _append(self, transaction: Transaction, kind: Kind, **fields: Any) -> Event:
        passed = min(self.appended, self._events) * DAYS * DAY // self._events
        transaction.now = self._begin + passed
        self.appended += 1
        return transaction.append(Event(kind=kind, uid=new_uid(transaction.now), **fields))

    # --- rules ---------------------------------------------------------------------------------

    def _add_rule(self, transaction: Transaction, learning: Learning) -> None:
        """Append a rule, and what was decided about it if it is one of the settled ones."""
        text = self._words.rule()
        hash_ = similarity.rule_hash(text, "", ())
        rule = f"{slug(text)}-{hash_ & 0xFFFFFF:06x}"
        data = {
            "text": text,
            "category": "general",
            "context": "",
            "globs": [],
            "rationale": "",
            "prior": 0.0,
            "hash": hash_,
            "status": "trial",
            "reason": "",
        }
        uid = new_uid(transaction.now)
        learning.fold(transaction.append(Event("rule_added", uid, subject=rule, choice="agent", data=data)))
        decided = _decided(len(self._rules))
        if decided:
            data = {"old": "trial", "new": decided[1], "reason": "long ago", "by": "person"}
            uid = new_uid(transaction.now)
            learning.fold(
                transaction.append(Event("rule_decided", uid, subject=rule, choice=decided[0], data=data))
            )
        self._rules.append(rule)
        self._rules_due -= 1

    def _slate(self) -> tuple[SlateEntry, ...]:
        """Return the pinned rules with k more: proven ones, or towards the end those on trial."""
        settled = PINNED + PROVEN
        recent = self._events - self.appended <= _RECENT
        others = self._rules[settled + RETIRED :] if recent else self._rules[PINNED:settled]
        given = [(rule, 0.98) for rule in self._rules[:PINNED]]
        given += [
            (rule, 0.8 if recent else 0.98) for rule in self._random.sample(others, min(_K, len(others)))
        ]
        return tuple(
            SlateEntry(rule=rule, propensity=propensity, shown=self._random.random() < propensity)
            for rule, propensity in given
        )

    def _decision(self, learning: Learning) -> Decision:
        """Return the record of a choice among the rules; what it was drawn from is not reproduced."""
        in_use = len(self._rules) - RETIRED
        return Decision(
            policy=POLICY,
            seed=self._random.randrange(2**53),
            folded=learning.folded,
            k=_K,
            pool=in_use,
            offered=in_use,
            slate=self._slate(),
        )

    # --- experiments ---------------------------------------------------------------------------

    def _add_experiment(self, project: Project, transaction: Transaction) -> None:
        """Append an experiment, and that it started."""
        design = make(
            variants=[VariantInput(name=f"variant {number}") for number in range(VARIANTS)],
            dimensions={},
            constraints=(),
            metric=MetricInput(name="passed", kind="binary", direction="higher"),
            guardrails=(),
            mode="interleaved",
            description="",
        )
        name = f"past {len(self.experiments)}"
        created = experiments.append_created(transaction, new_uid(transaction.now), name=name, design=design)
        experiments.append(project, transaction, created, "running", "start", "long ago")
        self.experiments.append(created)
        self._variants = [variant.id for variant in design.variants]

    def _run(self, transaction: Transaction) -> None:
        """Append a run of one of the experiments."""
        found = self._random.choice(self.experiments)
        variant = self._random.choice(self._variants)
        run = runs.RunInput(
            metrics={"passed": float(self._random.random() < 0.7)},
            status=self._random.choices(("completed", "failed"), (95, 5))[0],
            cost=self._random.random(),
            tokens_out=self._random.randrange(1_000),
            context=self._random.choice(CONTEXTS),
        )
        self._units += 1
        self.appended += 1
        runs.append(transaction, found, f"unit {self._units}", variant, run)

    # --- sessions ------------------------------------------------------------------------------

    def _session(self, transaction: Transaction, learning: Learning) -> None:
        """Append one whole session."""
        context = self._random.choices(CONTEXTS, (40, 25, 15, 12, 8))[0]
        decision = self._decision(learning)
        recorded = decision.model_dump(mode="json")
        number = session_id(self._random.randbytes(16))
        self._append(
            transaction,
            "session_started",
            session=number,
            subject=context,
            data={
                "task": self._words.task(),
                "paths": [],
                "tags": [],
                "candidates": [],
                "agent": "agent",
                "model": "model",
                "decision": recorded,
            },
        )
        mistakes = [
            self._mistake(transaction, number, context, decision.slate)
            for _ in range(self._random.choices((0, 1, 2, 3), (35, 35, 20, 10))[0])
        ]
        for _ in range(self._random.choice(_RUNS)):
            self._run(transaction)
        evidence = {"decision": recorded, "named": [list(named) for _, named in mistakes if named]}
        if self._random.random() < _ABANDONED:
            event = self._append(
                transaction,
                "session_closed",
                session=number,
                subject=context,
                choice="abandoned",
                data=evidence,
            )
            learning.fold(event)
        else:
            self._finish(transaction, learning, number, context, evidence, [repeat for repeat, _ in mistakes])

    def _mistake(
        self, transaction: Transaction, session: str, context: str, slate: tuple[SlateEntry, ...]
    ) -> tuple[bool, tuple[str, bool] | None]:
        """Append a mistake, a new one as often as DISTINCT says.

        Return whether it is a repeat, and the rule it names and whether that was shown, if it names one.
        """
        new = len(self._wordings) <= DISTINCT * self.appended
        if new:
            self._wordings.append(_worded(self._mistakes.mistake()))
        index = -1 if new else int(len(self._wordings) * self._random.random() ** 3)
        worded = self._wordings[index]
        named = self._random.choice(slate) if slate and self._random.random() < _NAMED else None
        self._append(
            transaction,
            "mistake_logged",
            session=session,
            subject=worded["class"],
            choice=named.rule if named else "",
            metrics={"repeat": float(not new)},
            data={
                **worded["data"],
                "context": context,
                "named_shown": bool(named and named.shown),
                "named_now": False,
            },
        )
        return not new, (named.rule, named.shown) if named else None

    def _finish(
        self,
        transaction: Transaction,
        learning: Learning,
        session: str,
        context: str,
        evidence: dict[str, Any],
        repeats: list[bool],
    ) -> None:
        """Append the reward, the end and the score of a session, and learn from it."""
        outcome: RewardOutcome = self._random.choices(("accepted", "revision", "rejected"), (60, 25, 15))[0]
        source: RewardSource = self._random.choices(("manual", "human", "ci"), (60, 20, 20))[0]
        value = rewards.value(outcome, 0.3)
        self._append(
            transaction,
            "reward_logged",
            session=session,
            subject=outcome,
            choice=source,
            metrics={"value": value, "weight": 1.0},
            data={"notes": "", "rules_active": [], "counted": True},
        )
        ended = {"notes": "", "entry_file": ""}
        self._append(transaction, "session_ended", session=session, subject=context, data=ended)
        scored = self._append(
            transaction,
            "session_scored",
            session=session,
            subject=context,
            metrics={
                "score": lifecycle.score(self._settings, value, len(repeats), sum(repeats)),
                "outcome": value,
                "mistakes": len(repeats),
                "repeats": sum(repeats),
            },
            data=evidence,
        )
        if learning.fold(scored):
            sessions = {"sessions": float(learning.learner.sessions)}
            self._append(transaction, "drift_alarmed", session=session, subject=context, metrics=sessions)
        learning.keep(transaction)


def _decided(number: int) -> tuple[str, str] | None:
    """Return the action and the new status of a rule that was settled long ago, by its number."""
    if number < PINNED:
        return "pin", "pinned"
    if number < PINNED + PROVEN:
        return "prove", "proven"
    return ("retire", "retired") if number < PINNED + PROVEN + RETIRED else None


def _worded(wording: Wording) -> dict[str, Any]:
    """Return what every event of one mistake shares; a mistake here is never a rewording of another."""
    norm = similarity.normal_form(wording.description)
    return {
        "class": wording.error_class,
        "data": {
            "description": wording.description,
            "severity": "warning",
            "file": "",
            "correction": wording.correction,
            "hash": similarity.text_hash(norm),
            "norm": norm,
            "terms": similarity.terms(wording.description),
            "same_as": 0,
        },
    }
