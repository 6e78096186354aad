"""The posterior and the pool of this process, kept equal to the event log.

Both are deterministic folds over the events; this module feeds them. Two processes that folded the same
events hold the same bytes. A snapshot in the store spares a new process most of the replay.
"""

from __future__ import annotations

from vettle.engine.learner import Learner
from vettle.engine.pool import Pool, Work
from vettle.engine.posterior import POLICY
from vettle.engine.records import Decision
from vettle.engine.selection import Candidates, Preferences, choose, widening
from vettle.engine.settings import SelectionSettings
from vettle.engine.store import caches, events, rules
from vettle.engine.store.events import Event, Transaction

SNAPSHOT_EVERY = 100
"""Scored sessions between two snapshots."""


class Learning:
    """A learner, the pool of rules, and the id of the last event they folded."""

    def __init__(self, learner: Learner, pool: Pool, folded: int) -> None:
        self.learner = learner
        self.pool = pool
        self.folded = folded
        self._kept = learner.sessions

    @classmethod
    def restore(cls, transaction: Transaction) -> Learning:
        """Return the newest snapshot of this policy version, or an empty learner before any event."""
        kept = caches.snapshot(transaction, POLICY)
        if kept is None:
            return cls(Learner(), Pool(), 0)
        folded, state = kept
        try:
            learner = Learner.from_bytes(state)
        except ValueError:
            # It is only a cache: the log has everything.
            return cls(Learner(), Pool(), 0)
        # The table is ahead of the snapshot; folding its newer events again changes nothing.
        pool = Pool(rules.every(transaction))
        return cls(learner, pool, folded)

    @classmethod
    def as_of(cls, transaction: Transaction, event: int) -> Learning:
        """Return what was known right after the given event, folded anew from the log."""
        learning = cls(Learner(), Pool(), 0)
        learning.catch_up(transaction, through=event)
        return learning

    def catch_up(self, transaction: Transaction, *, through: int | None = None) -> None:
        """Fold the events after the last one folded."""
        for event in events.to_learn(transaction, after=self.folded, through=through):
            self.fold(event)

    def fold(self, event: Event) -> bool:
        """Fold one event; return whether the drift alarm rang."""
        self.folded = event.id
        self.pool.fold(event)
        return _learn(self.learner, event)

    def choose(
        self, work: Work, settings: SelectionSettings, *, session_id: str, k: int, seed: int
    ) -> Decision:
        """Decide which rules a session gets, from what is known now (see `selection.choose`)."""
        pool = self.pool.candidates(work)
        offered = pool[: widening(self.learner.sessions)]
        settled = [rule for rule in pool if rule.status != "trial"]
        return choose(
            self.learner.posterior,
            Candidates(
                rules=[rule.id for rule in pool],
                tokens={rule.id: rule.tokens for rule in offered},
                proven={rule.id for rule in settled if rule.status == "proven"},
                pinned={rule.id for rule in settled if rule.status == "pinned"},
            ),
            work.context,
            k=k,
            seed=seed,
            session_id=session_id,
            folded=self.folded,
            preferences=Preferences(settings.min_effect, settings.token_price, settings.holdout),
        )

    def keep(self, transaction: Transaction) -> None:
        """Write a snapshot if enough was learned since the last one."""
        if self.learner.sessions - self._kept >= SNAPSHOT_EVERY:
            caches.keep_snapshot(transaction, POLICY, self.folded, self.learner.to_bytes())
            self._kept = self.learner.sessions


def _learn(learner: Learner, event: Event) -> bool:
    alarm = False
    match event.kind:
        case "session_scored":
            decision = Decision.model_validate(event.data["decision"])
            score = event.metrics["score"]
            alarm = learner.observe(event.subject, score, decision.slate, decision.holdout).alarm
            _take_hints(learner, event)
        case "session_closed":
            decision = Decision.model_validate(event.data["decision"])
            learner.observe_missing(event.subject, decision.slate, decision.holdout)
            _take_hints(learner, event)
        case "mistake_logged" if event.data["named_now"]:
            learner.hint(event.choice, event.data["context"], event.data["named_shown"])
        case "rule_added" if event.data["prior"]:
            learner.set_prior(event.subject, event.data["prior"])
        case "rule_decided" if event.choice in ("restore", "reword"):
            learner.reset(event.subject)
        case _:
            pass
    return alarm


def _take_hints(learner: Learner, event: Event) -> None:
    """Learn from the rules that the session's mistakes named, after its coins have been judged."""
    for rule_id, shown in event.data["named"]:
        learner.hint(rule_id, event.subject, shown)
