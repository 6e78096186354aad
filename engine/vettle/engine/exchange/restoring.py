"""Restoring events of another log, one after the other, inside one transaction.

Into a project without any event the log is restored as it was: whatever counts events (which of them a decision
had seen, since when runs count) means the same, and all that follows from the log is the same to the last bit. Ids
are kept if no other project of the database has events, and translated else. Into a project with events it is a
merge: an event that is known by its uid is known, and others follow after those that are there.
"""

from __future__ import annotations

import bisect
from dataclasses import replace

from vettle.engine import quarantine
from vettle.engine.exchange import payloads
from vettle.engine.identifiers import canonical_json
from vettle.engine.project import Project
from vettle.engine.store import (
    Transaction,
    assignments,
    baseline,
    caches,
    events,
    experiments,
    rules,
    sessions,
)
from vettle.engine.store.baseline import Part
from vettle.engine.store.caches import Reply
from vettle.engine.store.events import LEARNED_KINDS, Event


class _Ids:
    """Which id each event of the file has here: runs of ids that moved by the same distance."""

    def __init__(self) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        self._distance: list[int] = []

    def add(self, there: int, here: int) -> None:
        """Note an id; ids of the file come in order."""
        if self._last and self._last[-1] + 1 == there and self._distance[-1] == here - there:
            self._last[-1] = there
            return
        self._first.append(there)
        self._last.append(there)
        self._distance.append(here - there)

    def of(self, there: int) -> int:
        """Return the id here of an event of the file, or of the last one before it that is here; 0 before all."""
        index = bisect.bisect_right(self._first, there) - 1
        return min(there, self._last[index]) + self._distance[index] if index >= 0 else 0


class Restoration:
    """One log on its way into a project. Every method raises ValueError, or what a fold raises, for a bad event.

    Attributes:
        exact: Whether events keep their ids, as they do in a database without events.
        fresh: Whether the project had no events, so that the log is restored as it was and not merged.
        taken: Events and replies that are new here.
        known: Those that were here.
        flawed: Why a person should look at a rule that was let through where the log comes from, by its id.
        rivals: Experiments of the log that are open, and change what another open one here changes.
    """

    def __init__(self, project: Project, transaction: Transaction) -> None:
        self.exact = events.is_first_log(transaction)
        self.taken = 0
        self.known = 0
        self.flawed: dict[str, str] = {}
        self.rivals: list[str] = []
        self._transaction = transaction
        self._learning = project.learning(transaction)
        self._newest = events.newest_time(transaction)
        self._ids = _Ids()
        self._shared: set[str] = set()
        self._experiments: dict[str, set[str]] = {}
        self.fresh = events.count(transaction) == 0
        self._kept: list[Part] = []
        self._through = 0
        self._is_loaded = False

    def baseline(self, part: Part, through: int) -> None:
        """Take rows that a pruned log keeps instead of events; only an empty project can (see `baseline`)."""
        if not self.fresh:
            raise ValueError("the log was pruned, so only a project without events can take it")
        if through != (self._through or through):
            raise ValueError("through: the kept tables are of different events")
        self._through = through
        self._kept.append(part)

    def _load_kept(self) -> None:
        """Put the kept tables in place, once every event that they hold is stored."""
        if self._through and not self._is_loaded:
            self._is_loaded = True
            baseline.load(self._transaction, iter(self._kept))

    def event(self, event: Event) -> str:
        """Restore an event, unless it is known; return why it is left out, or ""."""
        payloads.check(event)
        folded = baseline.is_folded(event, self._through)
        if event.id > self._through:
            self._load_kept()
        event = self._translated(event)
        known = events.with_uid(self._transaction, event.uid)
        if known is not None:
            if _content(known) != _content(event):
                raise ValueError("the project has another event with this uid")
            self._ids.add(event.id, known.id)
            self.known += 1
            return ""
        reason = "" if folded else self._obstacle(event)
        if reason:
            if self.fresh:
                raise ValueError(reason)
            return reason
        stored = self._transaction.restore(event, keep_id=self.exact, fold=not folded)
        self._ids.add(event.id, stored.id)
        self._newest = max(self._newest, stored.ts)
        self.taken += 1
        self._look_at_text(stored)
        # As `events.to_learn` chooses; a bad event shows here, with its line, and not at the next session.
        if stored.kind in LEARNED_KINDS and (stored.kind != "mistake_logged" or stored.choice):
            self._learning.fold(stored)
        return ""

    def reply(self, kept: Reply) -> None:
        """Keep an answer, so that a retry of its call gets it here too."""
        known = caches.reply(self._transaction, kept.uid)
        if known is None:
            caches.restore_reply(self._transaction, kept)
            self.taken += 1
        elif known == (kept.arguments, kept.answer):
            self.known += 1
        else:
            raise ValueError("the project has another reply with this uid")

    def finish(self) -> None:
        """Bring up to date what hangs on the log as a whole."""
        if self.exact:
            self._transaction.move_ids()
        self._load_kept()
        if self._through:
            baseline.keep(self._transaction, self._ids.of(self._through), iter(self._kept))
        self.rivals = [one for one in sorted(self._experiments) if self._has_rival(one)]
        if self.taken:
            events.keep_newest_time(self._transaction, self._newest)
            self._learning.keep(self._transaction)

    def _look_at_text(self, event: Event) -> None:
        """Note a rule in use whose text would be quarantined here; the log is restored as it is all the same."""
        status = event.data.get("new", event.data.get("status"))
        if event.kind in ("rule_added", "rule_decided") and "text" in event.data:
            self.flawed.pop(event.subject, "")
            found = quarantine.reasons(event.data["text"]) if status != "quarantined" else []
            if found:
                self.flawed[event.subject] = ", ".join(found)

    def _translated(self, event: Event) -> Event:
        """Return the event with the id that its decision names as it is here."""
        decision = event.data.get("decision")
        if self.exact or decision is None:
            return event
        decision = decision | {"folded": self._ids.of(decision["folded"])}
        return replace(event, data=event.data | {"decision": decision})

    def _obstacle(self, event: Event) -> str:
        """Say why an event cannot become part of this log, or return ""; ValueError for what no log can hold."""
        match event.kind:
            case "session_started" | "mistake_logged" | "reward_logged":
                return self._about_pruned(event)
            case "rule_added":
                return self._about_shared_rule(event)
            case "rule_decided":
                return self._about_decision(event)
            case "session_ended" | "session_scored" | "session_closed":
                return self._about_session(event)
            case "experiment_decided":
                self._variants(event.subject)
                return ""
            case "run_recorded":
                self._require_variant(event)
                return ""
            case "variant_assigned":
                self._require_variant(event)
                there = assignments.get(self._transaction, event.subject, event.data["unit"])
                return "this project has assigned the unit itself" if there else ""
            case _:
                return ""

    def _about_shared_rule(self, event: Event) -> str:
        """Let a rule that is there stay as it stands; the evidence of both logs is about the same text."""
        rule = rules.get(self._transaction, event.subject)
        if rule is None:
            return ""
        if rule.text != event.data["text"]:
            raise ValueError(
                f"rule {rule.id} has another text here, so evidence about the two cannot be merged"
            )
        self._shared.add(rule.id)
        return f"rule {rule.id} is here already"

    def _about_pruned(self, event: Event) -> str:
        """Leave out what was counted here before the log was pruned; its uid is not known any more."""
        transaction, session = self._transaction, event.session
        if not session or sessions.get(transaction, session) is None:
            return ""
        gone = baseline.through(transaction) and baseline.began_before_pruning(transaction, session)
        return f"session {session} was counted here before the log was pruned" if gone else ""

    def _about_decision(self, event: Event) -> str:
        if rules.get(self._transaction, event.subject) is None:
            raise ValueError("no rule with this id was added before")
        if event.subject not in self._shared:
            return ""
        if "text" in event.data:
            raise ValueError(
                f"rule {event.subject} was reworded there and not here, so evidence about the two cannot be merged"
            )
        return f"what was decided about rule {event.subject} here stands"

    def _about_session(self, event: Event) -> str:
        session = sessions.get(self._transaction, event.session)
        if session is None:
            raise ValueError("no session with this id was started before")
        due = session.state == "open" if event.kind == "session_ended" else session.counts
        return "" if due else f"session {session.id} is {session.state} here already"

    def _require_variant(self, event: Event) -> None:
        if event.choice not in self._variants(event.subject):
            raise ValueError("the experiment has no variant with this id")

    def _variants(self, experiment: str) -> set[str]:
        """Return the ids of an experiment's variants, which never change; ValueError if there is no such experiment."""
        if experiment not in self._experiments:
            found = experiments.get(self._transaction, experiment)
            if found is None:
                raise ValueError("no experiment with this id was created before")
            self._experiments[experiment] = {variant["id"] for variant in found.design["variants"]}
        return self._experiments[experiment]

    def _has_rival(self, experiment: str) -> bool:
        found = experiments.get(self._transaction, experiment)
        if found is None or found.state not in experiments.HOLDING or not found.variable:
            return False
        return experiments.holder_of(self._transaction, found.domain, found.variable) != experiment


def _content(event: Event) -> tuple[object, ...]:
    """Return what makes two events with one uid the same."""
    words = (event.ts, event.kind, event.session, event.subject, event.choice)
    return (*words, canonical_json(event.metrics), canonical_json(event.data))
