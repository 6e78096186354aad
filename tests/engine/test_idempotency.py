"""A call that is sent again with its client_ref happens once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vettle.engine import mistakes, rewards, rules, sessions
from vettle.engine.errors import ClientRefReused
from vettle.engine.project import Project
from vettle.engine.records import Record
from vettle.engine.store import events
from vettle.engine.store.maintenance import check

Call = Callable[..., Record]

CALLS: dict[str, Call] = {
    "rule_add": lambda project, **more: rules.add(project, text="Sort imports.", **more),
    "session_start": lambda project, **more: sessions.start(project, task="again", **more),
    "mistake_log": lambda project, **more: mistakes.log(project, error_class="a", description="b", **more),
    "reward_log": lambda project, **more: rewards.log(project, outcome="accepted", **more),
    "session_end": lambda project, **more: sessions.end(project, outcome="rejected", **more),
}


def _events(project: Project) -> int:
    with project.read() as transaction:
        return events.count(transaction)


def _begin(project: Project) -> None:
    rules.add(project, text="Write tests.")
    sessions.start(project, task="first")


@pytest.mark.parametrize("name", CALLS)
def test_a_retry_gets_the_first_answer_and_stores_nothing(project: Project, name: str) -> None:
    """However often it is sent, also by another process and after other calls, a call happens once."""
    _begin(project)
    first = CALLS[name](project, client_ref="r")
    stored = _events(project)
    assert CALLS[name](project, client_ref="r") == first
    other = Project(project.root, clock=project.clock, store=project.open_again())
    assert CALLS[name](other, client_ref="r") == first
    other.close()
    assert _events(project) == stored
    assert check(project._opened()) == []


@pytest.mark.parametrize("name", CALLS)
def test_without_a_reference_each_call_counts(project: Project, name: str) -> None:
    """Equal calls without a client_ref are different calls (a rule that is there already is recognised)."""
    _begin(project)
    CALLS[name](project)
    stored = _events(project)
    if name == "session_end":
        sessions.start(project, task="another")
    CALLS[name](
        project, **({"session_id": _newest(project)} if name in ("reward_log", "mistake_log") else {})
    )
    assert _events(project) > stored or name == "rule_add"


def _newest(project: Project) -> str:
    with project.read() as transaction:
        return [event.session for event in events.every(transaction) if event.session][-1]


def test_other_arguments_are_another_call(project: Project) -> None:
    """A client_ref that comes back with other arguments is refused before anything is stored."""
    _begin(project)
    mistakes.log(project, error_class="a", description="b", client_ref="r")
    stored = _events(project)
    with pytest.raises(ClientRefReused):
        mistakes.log(project, error_class="a", description="c", client_ref="r")
    assert _events(project) == stored


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_any_pattern_of_retries_counts_each_reference_once(project: Project, sent: list[int]) -> None:
    """Calls that arrive once, twice, or out of order are counted once per client_ref."""
    before = _events(project)
    salt = str(before)
    answers: dict[int, Record] = {}
    for number in sent:
        log = partial(mistakes.log, project, error_class="a", description=f"mistake {number}")
        answer = log(client_ref=f"{salt} {number}")
        assert answers.setdefault(number, answer) == answer
    assert _events(project) - before == len(set(sent))
