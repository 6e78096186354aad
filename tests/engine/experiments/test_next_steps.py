"""One next step for an experiment, the same wherever it is told, and done it leads to the next one."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from tests.conftest import ManualClock
from tests.engine.experiments.world import PASSED, create, record, work

from vettle.engine import explaining, overall, reports, rules, standings
from vettle.engine.analysis import evidence
from vettle.engine.errors import UnknownExperiment
from vettle.engine.experiments import lifecycle, listing, results
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.records import ExperimentAction

FOUND = 'In the experiment "prompt", b is proven better than a.'
_CALL = re.compile(r": experiment_decide (\S+) (\w+) '([^']+)'$")


def _steps(project: Project, experiment: str) -> set[str]:
    """Return what every face says is to be done."""
    answer = results.results(project, experiment=experiment)
    said = answer.frozen or answer.verdict
    assert said is not None
    [row] = evidence.summary(project).variables
    explained = explaining.experiment(project, experiment).next_step
    return {said.next_step, row.next_step, explained, overall.status(project).next_step}


def test_a_proven_variant_is_one_step_everywhere_until_it_is_in_force(project: Project) -> None:
    """Status, evidence, explain and results name one call; made as it stands, it ends in the variant being applied."""
    made = create(project).experiment_id
    work(project, 60, lambda variant, _: float(variant == "b"))
    assert overall.status(project).headline == FOUND
    for state in ("concluded", "applied"):
        [step] = _steps(project, made)
        assert step.startswith("'b' is proven best.")
        call = _CALL.search(step)
        assert call is not None and call[1] == made and call[2] in get_args(ExperimentAction)
        action: ExperimentAction = "close" if state == "concluded" else "apply"
        assert call[2] == action
        assert lifecycle.decide(project, experiment=made, action=action, reason=call[3]).new == state
    assert reports.status(project).proven_experiment == ""
    assert "experiment_decide" not in results.results(project, experiment=made).model_dump_json()


def test_without_rules_a_running_experiment_is_what_goes_on(project: Project) -> None:
    """Status does not say that nothing can be tested while an experiment runs, and names the next call for it."""
    made = create(project).experiment_id
    found = overall.status(project)
    assert "1 experiment under way" in found.headline
    assert "variant_select" in found.next_step and made in found.next_step
    rules.add(project, text="Sort the imports.")
    assert "variant_select" not in overall.status(project).next_step


def test_a_win_that_nobody_applies_is_not_told_for_ever(project: Project, clock: ManualClock) -> None:
    """A week after an experiment ended, another step may be the next."""
    made = create(project).experiment_id
    work(project, 60, lambda variant, _: float(variant == "b"))
    lifecycle.decide(project, experiment=made, action="close", reason="done")
    assert reports.status(project).proven_experiment == FOUND
    clock.forward(days=8)
    assert reports.status(project).proven_experiment == ""


def test_a_win_is_not_told_after_a_later_experiment_on_the_same_variable(
    project: Project, clock: ManualClock
) -> None:
    """What a newer question has replaced is not put into force over its answer, by any face."""
    old = create(project, name="old", variable="prompt").experiment_id
    work(project, 60, lambda variant, _: float(variant == "b"), experiment="old")
    assert create(project, name="new", variable="prompt", start=False).state == "proposed"
    [row] = evidence.summary(project).variables
    assert row.next_step == overall.status(project).next_step and f"{old} close" in row.next_step
    lifecycle.decide(project, experiment="old", action="close", reason="done")
    clock.forward(hours=1)
    lifecycle.decide(project, experiment="new", action="start", reason="next")
    work(project, 60, lambda variant, _: float(variant == "a"), experiment="new")
    for action in ("close", "apply"):
        [row] = evidence.summary(project).variables
        assert row.next_step == overall.status(project).next_step and old not in row.next_step
        lifecycle.decide(project, experiment="new", action=action, reason="proven")
    assert reports.status(project).proven_experiment == ""


def test_what_ended_too_early_is_asked_again_and_not_waited_for(project: Project) -> None:
    """No result comes any more after the end, so nobody is told to go on."""
    made = create(project).experiment_id
    work(project, 4, lambda variant, _: float(variant == "b"))
    lifecycle.decide(project, experiment=made, action="close", reason="enough")
    frozen = results.results(project, experiment=made).frozen
    assert frozen is not None
    call = _CALL.search(frozen.next_step)
    assert call is not None and (call[1], call[2]) == (made, "restart")


def test_the_same_question_is_opened_once(project: Project) -> None:
    """An agent that asks again gets the open experiment; another question under the name says what the name means."""
    first = create(project)
    again = create(project)
    assert again.experiment_id == first.experiment_id
    assert "Nothing was created" in again.notes[0]
    other = create(project, metric=PASSED.model_copy(update={"minimum_effect": 0.3}))
    assert other.experiment_id != first.experiment_id
    assert first.experiment_id in other.notes[0] and "from now on" in other.notes[0]
    with pytest.raises(UnknownExperiment) as caught:
        results.results(project, experiment="prompts")
    assert str(caught.value).count("prompt,") + str(caught.value).count("prompt.") == 1
    for one in (first, other):
        lifecycle.decide(project, experiment=one.experiment_id, action="abandon", reason="over")
    assert create(project).experiment_id not in (first.experiment_id, other.experiment_id)


def test_a_run_of_other_metrics_is_refused_with_the_name_that_was_meant(project: Project) -> None:
    """A misspelt metric does not pass for the worst result; an additional one beside it is kept."""
    create(project)
    answer = record(project, RunInput(unit="u", variant="a", metrics={"pased": 1}))
    assert answer.accepted == 0
    assert "Did you mean 'passed'?" in answer.refused[0].reason
    assert record(project, RunInput(unit="u", variant="a", metrics={"passed": 1, "extra": 2})).accepted == 1


def test_a_metric_that_is_not_there_is_said_to_count_as_it_does(project: Project) -> None:
    """What the note says when it is recorded, the results and the check say too."""
    create(project)
    work(project, 4, lambda *_: 1.0)
    answer = record(project, RunInput(unit="u", variant="a"))
    assert "counts as its worst" in answer.notes[0]
    found = results.results(project, experiment="prompt")
    assert any("counts as its worst" in note for note in found.notes)
    [check] = [one for one in found.checks if one.name == "missing_outcomes"]
    assert "1 run without a metric counts as its worst" in check.detail


def test_a_list_that_nothing_matches_is_not_an_empty_project(project: Project) -> None:
    """Rules and experiments that a filter leaves out are counted."""
    rules.add(project, text="Sort the imports.")
    create(project)
    assert "None of 1 rule" in standings.page(project, query="zzz").note
    assert "None of 1 experiment" in listing.listed(project, state="paused").note
