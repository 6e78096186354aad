"""One variable has one name, however it is written."""

from __future__ import annotations

import pytest
from tests.engine.experiments.world import create, decide, state

from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments import variables
from vettle.engine.project import Project
from vettle.engine.store.maintenance import check


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("system prompt", "System-Prompt", True),
        ("prompt_system", "system prompt", True),
        ("\uff30rompt", "prompt", True),
        ("prompt", "prompts", False),
        ("prompt 温度", "prompt 長さ", False),
        ("größe", "grosse", False),
        ("größe", "GRÖSSE", True),
        ("***", "---", False),
    ],
)
def test_the_same_words_are_the_same_variable(one: str, other: str, same: bool) -> None:
    """Case, order and punctuation do not make another variable; other words do, in any script."""
    assert (variables.tokens(one) == variables.tokens(other)) is same


@pytest.mark.parametrize("name", ["system prompt", "System_Prompt", "the prompt", "THE-prompt", "preamble"])
def test_one_experiment_is_open_per_variable_under_any_of_its_names(project: Project, name: str) -> None:
    """A second experiment on an alias or another spelling waits until the first one ends."""
    variables.register(project, name="system prompt", aliases=["the prompt", "preamble"])
    create(project, name="first", variable="system prompt")
    second = create(project, name="second", variable=name)
    assert second.state == "accepted"
    assert "first" in second.next_step
    assert create(project, name="other", variable=name, domain="elsewhere").state == "running"
    decide(project, "close", "first")
    assert state(project, "second") == "running"


def test_spellings_of_a_variable_that_nobody_registered_are_one(project: Project) -> None:
    """Experiments alone make a variable known."""
    assert create(project, name="first", variable="System Prompt").state == "running"
    assert create(project, name="second", variable="system-prompt").state == "accepted"


def test_merging_is_refused_while_an_experiment_is_open_on_either(project: Project) -> None:
    """Two open experiments can never become one variable's."""
    create(project, name="first", variable="preamble")
    with pytest.raises(InvalidArgument, match=r"first.*Merge when it has ended"):
        variables.register(project, name="prompt", aliases=["preamble"])
    decide(project, "close", "first")
    merged = variables.register(project, name="prompt", aliases=["preamble"])
    assert merged.merged == ["preamble"]


def test_waiting_experiments_follow_a_merge(project: Project) -> None:
    """An experiment created for an alias before it became one holds the variable when it starts."""
    create(project, name="early", variable="preamble", start=False)
    variables.register(project, name="prompt", aliases=["preamble"])
    create(project, name="late", variable="prompt")
    decide(project, "start", "early")
    assert state(project, "early") == "accepted"
    decide(project, "abandon", "late")
    assert state(project, "early") == "running"
    assert check(project._opened()) == []


def test_aliases_of_aliases_lead_to_one_name(project: Project) -> None:
    """Merging a variable takes its aliases along."""
    variables.register(project, name="b", aliases=["c"])
    answer = variables.register(project, name="a", aliases=["b"])
    assert answer.merged == ["b"]
    assert answer.aliases == ["b", "c"]
    with project.read() as transaction:
        assert {variables.canonical(transaction, "", name) for name in "abc"} == {"a"}
