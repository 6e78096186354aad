"""What counts as a result of a model, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from tests.conftest import START, ManualClock
from tests.engine.experiments.world import record, select
from tests.engine.ranking.models_world import (
    PASSED,
    SCORE,
    SECONDS,
    ask,
    context_of,
    ran,
    row,
    worked,
)

from vettle.engine import rewards, sessions
from vettle.engine.clock import DAY, SECOND
from vettle.engine.experiments import lifecycle, variables, verdicts
from vettle.engine.experiments.design import VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.identifiers import new_uid
from vettle.engine.project import Project
from vettle.engine.ranking import outcomes, ranks
from vettle.engine.ranking.outcomes import gather
from vettle.engine.store.events import Event


def test_a_model_is_known_by_the_config_of_any_experiment(project: Project) -> None:
    """Runs of the same model in different experiments, whatever else their configs say, are one row."""
    ask(project, "small", "large")
    lifecycle.create(
        project,
        name="prompts",
        variants=[
            VariantInput(name=prompt, config={"prompt": prompt, "model": "small"}) for prompt in ("a", "b")
        ],
        space={},
        metric=PASSED,
    )
    ran(project, "small", [1, 1])
    ran(project, "a", [0], experiment="prompts")
    ran(project, "b", [1], experiment="prompts")
    found = row(project, "small")
    assert (found.n, found.successes, found.failures, found.rate) == (4, 3, 1, 0.75)
    assert not row(project, "large").tried


def test_an_experiment_on_the_variable_names_its_values_by_its_variants(project: Project) -> None:
    """Without the key in the config the variant's name is the value; another name of the variable is the same."""
    variables.register(project, name="model", aliases=["LLM"])
    ask(project, "small", "large", key="", variable="LLM")
    ran(project, "large", [1, 0])
    assert row(project, "large").n == 2
    ask(project, "red", "blue", name="colours", key="", variable="colour")
    assert {one.value for one in ranks.rank(project, context="x").contexts[0].variants} == {"small", "large"}


def test_values_that_are_no_text_are_ranked_too(project: Project) -> None:
    """Any variable can be ranked: numbers and objects are named as JSON, and long ones stay apart."""
    long = ["x" * 300 + end for end in "ab"]
    configs: list[Any] = [0.5, {"a": 1}, *long]
    variants = [VariantInput(name=f"v{index}", config={"t": value}) for index, value in enumerate(configs)]
    lifecycle.create(project, name="models", variants=variants, space={}, metric=PASSED)
    for index in range(4):
        ran(project, f"v{index}", [1])
    names = [one.value for one in ranks.rank(project, variable="t").contexts[0].variants]
    assert {"0.5", '{"a":1}'} < set(names) and len(set(names)) == 4 and max(map(len, names)) <= 120


def test_the_context_is_the_runs_own_then_that_of_its_assignment_then_the_experiments(
    project: Project,
) -> None:
    """A run without any of them was general work, as a session is that names no context."""
    ask(project, "a", "b", context="docs")
    ask(project, "a", "b", name="anywhere")
    ran(project, "a", [1], context="tests")
    select(project, "models", unit="u", context="types")
    record(project, RunInput(assignment_id="u", metrics={"passed": 1}), experiment="models")
    ran(project, "a", [1])
    ran(project, "a", [1], experiment="anywhere")
    assert {one.context for one in ranks.rank(project).contexts} == {"tests", "types", "docs", "general"}


def test_what_is_not_the_models_fault_does_not_count(project: Project) -> None:
    """Infrastructure failures and cancelled runs are left out and counted apart; timeouts are failures."""
    ask(project, "a", "b")
    ran(project, "a", [1, 1])
    for status in ("infrastructure", "cancelled", "timeout", "failed"):
        ran(project, "a", status=status)
    found = row(project, "a")
    assert (found.n, found.successes, found.failures, found.timeouts, found.rate) == (4, 2, 2, 1, 0.5)
    ranked = ranks.rank(project)
    assert (ranked.results, ranked.not_counted) == (4, 2)
    assert any("2 runs do not count" in note for note in ranked.notes)


def test_success_is_what_says_so_else_what_decides_else_completion(project: Project) -> None:
    """A metric called success or passed comes first, then the utility in [0, 1], then whether it was completed."""
    ask(project, "a", "b", metric=SCORE)
    ask(project, "a", "b", name="timed", metric=SECONDS)
    ran(project, "a", [7.5], metric="score", context="utility")
    ran(project, "a", metrics={"score": 9.0, "success": 0.0}, context="success")
    ran(project, "a", [40.0], metric="seconds", experiment="timed", context="completion")
    assert [row(project, "a", name).rate for name in ("utility", "success", "completion")] == [0.75, 0, 1]
    notes = " ".join(ranks.rank(project).notes)
    assert (
        "1 of the results are utilities" in notes and "1 of the results are judged by their status" in notes
    )


def test_a_rating_counts_twice_and_enters_no_verdict(project: Project) -> None:
    """A rating of over or ok is two successes, under is two failures, whatever the run measured."""
    ask(project, "a", "b")
    ran(project, "a", [0], rating="ok")
    ran(project, "a", [0], rating="over")
    ran(project, "a", [1], rating="under")
    ran(project, "a", status="infrastructure", rating="under")
    with project.read() as transaction:
        found = gather(transaction, "model").rows
        evidence = verdicts.of(transaction, lifecycle.require(transaction, "models")).evidence
    assert sorted((one.reward, one.weight) for one in found) == [(0, 2), (1, 2), (1, 2)]
    assert evidence.samples["a"] == [0, 0, 1, None]
    assert row(project, "a").ratings == {"over": 1, "ok": 1, "under": 1}


def test_sessions_are_results_of_their_model_and_of_no_other_variable(project: Project) -> None:
    """A scored session counts with its score; one without a model, or without a score, does not."""
    worked(project, "a", "accepted", "docs")
    worked(project, "a", "rejected", "docs")
    worked(project, "", "accepted", "docs")
    sessions.start(project, task="x", context="docs", model="b")
    found = ranks.rank(project, context="docs")
    assert found.results == 2 and context_of(found, "docs").results == 2
    assert [(one.value, one.tried) for one in found.contexts[0].variants] == [("a", True), ("b", False)]
    assert ranks.rank(project, variable="prompt").results == 0


def test_an_imported_session_counts_when_it_happened(project: Project) -> None:
    """History of another system teaches too, in its own place in time."""
    with project.write() as transaction:
        transaction.append(
            Event(
                kind="session_imported",
                uid=new_uid(transaction.now),
                session="s-000000000001",
                subject="docs",
                metrics={
                    "mistakes": 0,
                    "repeats": 0,
                    "reward_weight": 1,
                    "reward_sum": 1,
                    "score": 0.9,
                    "seconds": 60,
                },
                data={
                    "task": "x",
                    "agent": "",
                    "model": "old",
                    "happened": START - 40 * DAY,
                    "ended": START - 40 * DAY,
                },
            )
        )
    assert row(project, "old", "docs").rate == 0.9
    assert not row(project, "old", "docs", period="30d").tried


def test_a_persons_reward_of_weight_two_moves_a_session(project: Project) -> None:
    """A session is rated by a human reward of weight 2, which outweighs the one that a machine gave."""
    started = sessions.start(project, task="x", context="docs", model="a")
    rewards.log(project, outcome="rejected", session_id=started.session_id, source="ci")
    rewards.log(project, outcome="accepted", session_id=started.session_id, source="human", weight=2)
    sessions.end(project, session_id=started.session_id)
    rate = row(project, "a", "docs").rate
    assert rate is not None and rate > 0.8


def test_results_are_learned_in_the_order_in_which_they_were_produced(
    project: Project, clock: ManualClock
) -> None:
    """A batch may come late and unsorted: `produced_at` says when; the trend shows the days."""
    ask(project, "a", "b")
    began = datetime.fromtimestamp(START / SECOND, UTC)
    clock.forward(days=5)
    for day, passed in ((4, 1.0), (1, 0.0), (1, 1.0)):
        ran(project, "a", [passed], produced_at=(began + timedelta(days=day)).isoformat())
    with project.read() as transaction:
        rows = gather(transaction, "model").rows
    assert sorted(one.reward for one in rows[:2]) == [0, 1]
    assert [one.happened for one in rows] == [START + day * DAY for day in (1, 1, 4)]
    found = row(project, "a", period="30d")
    assert [(one.n, one.mean) for one in found.trend] == [(2, 0.5), (1, 1.0)]
    assert found.trend[0].day == (began + timedelta(days=1)).date().isoformat()
    assert found.last_used == began + timedelta(days=4)
    assert row(project, "a", period="3d").n == 1 and row(project, "a").trend == []


def test_resources_are_means_of_completed_runs(project: Project) -> None:
    """What was not recorded is null, and a failed run's tokens are no model's usual tokens."""
    ask(project, "a", "b")
    ran(project, "a", [1], duration_ms=100, tokens_in=10, tokens_out=20, cost=0.5, retries=2)
    ran(project, "a", [1], duration_ms=300)
    ran(project, "a", status="failed", duration_ms=9_000, tokens_in=9_000, cost=9)
    ran(project, "a", metrics={"passed": 1, "escalated": 1})
    found = row(project, "a")
    assert (found.duration_ms, found.tokens, found.cost) == (200, 30, 0.5)
    assert (found.retries, found.escalations) == (0.5, 1)
    other = row(project, "b")
    assert (other.duration_ms, other.tokens, other.cost, other.retries, other.escalations) == (None,) * 5


@pytest.mark.parametrize("rating", ["good", "OVER", 1])
def test_an_unknown_rating_is_refused(rating: Any) -> None:
    """A rating is one of three words."""
    with pytest.raises(ValidationError, match="rating"):
        RunInput(unit="u", variant="a", rating=rating)


def test_what_happened_at_once_has_no_order(project: Project) -> None:
    """Counted history comes sorted, first what succeeded: it is mixed, the same way each time."""
    ask(project, "a", "b")
    ran(project, "a", [1] * 30 + [0] * 30)
    with project.read() as transaction:
        first, again = (gather(transaction, "model").rows for _ in range(2))
    assert first == again
    assert 5 < sum(one.reward for one in first[:30]) < 25


def test_the_newest_results_are_learned_from_and_the_rest_is_said(
    project: Project, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project of any age answers in bounded time: what is older than the limit is left out, and counted."""
    monkeypatch.setattr(outcomes, "MOST_RESULTS", 3)
    ask(project, "a", "b")
    ran(project, "a", [0, 0])
    clock.forward(days=1)
    ran(project, "a", [1, 1, 1])
    found = ranks.rank(project)
    assert found.results == 3 and context_of(found).variants[0].rate == 1.0
    assert any("2 older are not" in note for note in found.notes)
