"""Asking a model for proposals: within one time limit, with one attempt at repair, and never with an exception."""

from __future__ import annotations

import json
import queue
import threading
import time
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from vettle.engine.progress import report
from vettle.engine.proposals import briefing
from vettle.engine.proposals.briefing import Message
from vettle.engine.proposals.endpoint import Endpoint, Unanswered, complete
from vettle.engine.quarantine import redact
from vettle.engine.records.evidence import Evidence
from vettle.engine.records.proposals import Proposal, Proposed
from vettle.engine.settings import ProposalSettings

_ERRORS_NAMED = 5
_ECHO_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: proposals, or why there are none in one clause ("" if the model answered)."""

    proposals: tuple[Proposal, ...] = ()
    failure: str = ""


class Unreadable(Exception):
    """Raised when an answer is not what the schema asks for; the message says why, and quotes nothing of it."""


def ask(
    endpoint: Endpoint, evidence: Evidence, *, focus: str, limit: int, settings: ProposalSettings
) -> Asked:
    """Ask the model; whatever goes wrong is told in the answer, at most `settings.seconds` later.

    The work is done in a thread that is left behind when the time is up: it ends by itself soon after, at
    its own timeouts, and nobody waits for it.
    """
    deadline = time.monotonic() + settings.seconds
    answers: queue.SimpleQueue[Asked] = queue.SimpleQueue()

    def work() -> None:
        try:
            messages = briefing.messages(evidence, focus=focus, limit=limit)
            answers.put(_converse(endpoint, messages, settings.tokens, deadline))
        except Unanswered as error:
            answers.put(Asked(failure=str(error)))
        except Exception as error:  # noqa: BLE001 - a library's surprise must not end a session
            answers.put(Asked(failure=f"asking it failed ({type(error).__name__})"))

    report("waiting for the model")
    threading.Thread(target=work, name="vettle-proposals", daemon=True).start()
    try:
        return answers.get(timeout=settings.seconds)
    except queue.Empty:
        return Asked(failure="it did not answer in time")


def _converse(endpoint: Endpoint, messages: list[Message], tokens: int, deadline: float) -> Asked:
    """Ask, and if the answer cannot be used, show the model why and ask once more."""
    answer = complete(endpoint, messages, tokens=tokens, deadline=deadline)
    try:
        return Asked(read(answer))
    except Unreadable as problem:
        again = [*messages, *briefing.repair(redact(answer)[:_ECHO_CHARACTERS], str(problem))]
    answer = complete(endpoint, again, tokens=tokens, deadline=deadline)
    try:
        return Asked(read(answer))
    except Unreadable as problem:
        return Asked(failure=f"its answer cannot be used, not even after one repair: {problem}")


def read(answer: str) -> tuple[Proposal, ...]:
    """Return the proposals of an answer, without what looks like a secret.

    Prose or a code fence around the one JSON object does not matter.

    Raises:
        Unreadable: There is no JSON object, or it does not fit the schema.
    """
    try:
        return Proposed.model_validate(_redacted(_object(answer))).proposals
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        places = [f"{'.'.join(map(str, entry['loc']))[:120]}: {entry['msg']}" for entry in found]
        raise Unreadable("; ".join(places[:_ERRORS_NAMED])) from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None


_MOST_TRIES = 100
"""Braces at which an object may begin: each is read to the end of the answer."""


def _object(answer: str) -> Any:
    """Return the JSON object in the text that holds "proposals", or the first one if none does."""
    start = answer.find("{")
    if start < 0:
        raise Unreadable("it is prose without a JSON object")
    decoder = json.JSONDecoder()
    first: Any = None
    for _ in range(_MOST_TRIES):
        if start < 0:
            break
        try:
            value, end = decoder.raw_decode(answer, start)
        except ValueError:
            end = start + 1
        else:
            if isinstance(value, dict) and "proposals" in value:
                return value
            first = value if first is None else first
        start = answer.find("{", end)
    if first is None:
        raise Unreadable("it holds no complete JSON object")
    return first


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(entry) for entry in value]
    if isinstance(value, dict):
        return {_redacted(key): _redacted(entry) for key, entry in value.items()}
    return value
