"""What is known by now: each variable's standing, who proposed what, and a page that names cannot break."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.conftest import ManualClock
from tests.engine.experiments.world import create, decide, record, upload, variants, work
from tests.places import untouched

from vettle.engine import mistakes, rules
from vettle.engine.analysis import evidence as analysis
from vettle.engine.analysis import known, proposers
from vettle.engine.analysis.page import escaped, markdown
from vettle.engine.experiments import variables
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.paging import REPLY_CHARACTERS
from vettle.engine.project import Project
from vettle.engine.records.evidence import Evidence, VariableEvidence

PAIR = variants("control", "new", control={"control": True})


def _variable(project: Project) -> VariableEvidence:
    [found] = analysis.summary(project).variables
    return found


def _decided(project: Project, better: str, **options: Any) -> None:
    """Run an experiment of a control and a new variant until one of them is proven better, and close it."""
    create(project, of=PAIR, **options)
    work(project, 60, lambda variant, _: float(variant == better))
    decide(project, "close")


def test_nothing_is_known_of_an_empty_project(project: Project) -> None:
    """Empty lists and the next step, and no file is made by looking."""
    found = analysis.summary(project)
    assert (found.variables, found.open, found.mistakes, found.performers, found.proposers) == (
        [], [], [], [], [],
    )  # fmt: skip
    assert "experiment_create" in found.notes[0]
    assert untouched(project)


def test_a_registered_variable_is_untested_until_somebody_asks(project: Project) -> None:
    """It is listed under its canonical name once, in its domain."""
    variables.register(project, name="system prompt", aliases=["prompt"], domain="agents")
    found = _variable(project)
    assert (found.variable, found.domain, found.standing, found.outcome) == (
        "system prompt",
        "agents",
        "untested",
        "no_runs",
    )
    create(project, variable="prompt", domain="agents")
    assert (_variable(project).variable, _variable(project).standing) == ("system prompt", "open")


def test_an_open_experiment_says_what_it_still_needs(project: Project) -> None:
    """One run per arm is insufficient: no best, a number of further runs, and the experiment among the open ones."""
    create(project, of=PAIR, variable="tone")
    work(project, 2, lambda variant, _: float(variant == "new"))
    found = analysis.summary(project)
    [row], [opened] = found.variables, found.open
    assert (row.standing, row.outcome, row.best, row.runs) == ("open", "insufficient", "", 2)
    assert row.needed is not None and row.needed > 1 and "Wait for" in row.next_step
    assert (opened.state, opened.variable, opened.runs) == ("running", "tone", 2)


def test_a_verdict_concludes_a_variable_with_its_interval(project: Project) -> None:
    """The best, the effect inside its limits, what was missing and what it cost."""
    create(project, of=PAIR, variable="tone")
    work(
        project,
        60,
        lambda variant, i: (
            RunInput(metrics={"passed": float(variant == "new")}, cost=0.5)
            if i != 30
            else RunInput(status="infrastructure")
        ),
    )
    decide(project, "close")
    row = _variable(project)
    assert (row.standing, row.outcome, row.best, row.needed) == ("concluded", "better", "new", None)
    assert row.effect is not None and row.low is not None and row.high is not None
    assert 0 < row.low <= row.effect <= row.high
    assert (row.runs, row.missing, row.cost) == (60, 1, 29.5)
    assert analysis.summary(project).open == []


@pytest.mark.parametrize(
    ("end", "standing"), [("abandon", "abandoned"), ("close", "undecided")]
)  # fmt: skip
def test_what_ended_without_a_verdict_is_not_known(project: Project, end: str, standing: str) -> None:
    """Given up, or closed too early: there is no best."""
    create(project, of=PAIR)
    work(project, 2, lambda variant, _: float(variant == "new"))
    decide(project, end)
    assert (_variable(project).standing, _variable(project).best) == (standing, "")


def test_a_change_without_a_test_proves_nothing(project: Project) -> None:
    """Tier 3 is in force and untested."""
    create(project, of=PAIR, variable="tone", tier=3)
    decide(project, "apply")
    assert (_variable(project).standing, _variable(project).best) == ("untested", "")


def test_an_older_verdict_stands_while_a_newer_question_is_open(project: Project, clock: ManualClock) -> None:
    """The variable is open, its best is what was proven, and its runs are those of both."""
    _decided(project, "new", variable="tone")
    clock.forward(hours=1)
    create(project, name="second", of=variants("new", "newer"), variable="tone")
    row = _variable(project)
    assert (row.standing, row.best, row.outcome, row.runs) == ("open", "new", "better", 60)
    assert len(row.experiments) == 2 and row.experiments[0].startswith("second")


def test_experiments_without_a_variable_are_known_by_name(project: Project) -> None:
    """Two experiments of one name are one question, another name is another."""
    for name in ("prompt", "prompt", "model"):
        create(project, name=name)
    assert sorted(row.variable for row in analysis.summary(project).variables) == ["model", "prompt"]


def test_a_context_narrows_the_experiments(project: Project) -> None:
    """Only that context's questions, and a word that mistakes and rules are not narrowed."""
    create(project, name="here", context="ci")
    create(project, name="there", context="dev")
    found = analysis.summary(project, context="ci")
    assert [row.name for row in found.open] == ["here"]
    assert any("all contexts" in note for note in found.notes)


def test_recurring_mistakes_and_rules_are_there(project: Project) -> None:
    """What keeps coming back with its correction, and how many rules stand where."""
    rules.add(project, text="Run the type checker.")
    for _ in range(3):
        mistakes.log(project, error_class="import", description="NameError", correction="import it")
    found = analysis.summary(project)
    [mistake] = found.mistakes
    assert (mistake.error_class, mistake.correction, mistake.occurrences) == ("import", "import it", 3)
    assert found.rules == {"trial": 1}


@pytest.mark.parametrize(("top", "expected"), [(1.0, 0.5), (100.0, 50.0)])
def test_proposers_are_known_by_what_came_of_their_proposals(
    project: Project, top: float, expected: float
) -> None:
    """Won, lost, open and given up; a loss counts against what was promised, in the metric's unit."""
    score = MetricInput(name="score", direction="higher", range=(0, top))
    for name, better in (("won", "new"), ("lost", "control")):
        create(project, name=name, of=PAIR, metric=score, proposer="model", expected_effect=expected)
        work(
            project,
            60,
            lambda variant, _, better=better: top * (variant == better),  # type: ignore[misc]
            metric="score",
            experiment=name,
        )
        decide(project, "close", name)
    create(project, name="given up", of=PAIR, proposer="model", expected_effect=expected)
    decide(project, "abandon", "given up")
    create(project, name="open", of=PAIR, proposer="model")
    create(project, name="nobody's", of=PAIR)
    [row] = analysis.summary(project).proposers
    assert (row.proposer, row.proposed, row.won, row.lost, row.open) == ("model", 4, 1, 1, 1)
    assert row.realised == pytest.approx(0.0, abs=0.2)
    effects = [proposers.realised(one) for one in _known(project)]
    assert effects[:3] == [None, None, None]
    assert effects[3] == pytest.approx(-2 * expected, rel=0.2)
    assert effects[4] == pytest.approx(2 * expected, rel=0.2)


def _known(project: Project) -> list[known.Known]:
    with project.read() as transaction:
        return known.known(transaction).experiments


def test_performers_of_the_newest_experiments_are_there(project: Project) -> None:
    """With the hint that the data hold, and not for experiments of three runs."""
    create(project)
    upload(project, {"a": [1.0] * 6, "b": [0.0] * 6})
    create(project, name="small")
    record(project, RunInput(unit="1", variant="a", metrics={"passed": 1}), experiment="small")
    [found] = analysis.summary(project).performers
    assert found.patterns[0].value == "a" and len(found.top) == 3


NASTY = "| a `b` *c* <script>alert(1)</script> [x](y) ![z](q) # \\| & &amp; ~~d~~ 1. _e_"


def test_the_page_has_every_section_and_shows_names_as_they_are(project: Project) -> None:
    """Untrusted names, values and mistakes stay text: no markup of theirs becomes ours, no table breaks."""
    create(
        project,
        name=NASTY,
        variable=NASTY,
        of=[VariantInput(name=f"{name}{NASTY}"[:120], config={NASTY: name}) for name in "ab"],
    )
    rows = [
        RunInput(unit=f"{i}{NASTY}"[:120], variant=f"{'ab'[i % 2]}{NASTY}"[:120], metrics={"passed": i % 2})
        for i in range(12)
    ]
    assert record(project, *rows, experiment=NASTY).accepted == 12
    for _ in range(2):
        mistakes.log(project, error_class=NASTY, description=f"- {NASTY}\n\n# heading\n***")
    text = markdown(analysis.summary(project))
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert [heading for heading in headings if " by " not in heading] == [
        "What is known", "Variables", "Open experiments", "Mistakes that come back", "Rules",
        "Best and worst runs", "Proposers", "Notes",
    ]  # fmt: skip
    inline = [child.type for token in tokens for child in token.children or []]
    assert set(inline) <= {"text", "text_special"}
    assert not {token.type for token in tokens} & {"html_block", "fence", "hr", "code_block"}
    assert NASTY in _shown(text, "td")


def _shown(text: str, inside: str) -> list[str]:
    """Return the texts that a reader sees inside elements of this kind."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    found = []
    for opening, token in itertools.pairwise(tokens):
        if opening.tag == inside and token.type == "inline":
            found.append("".join(child.content for child in token.children or []))
    return found


_WORDS = st.text(st.characters(exclude_categories=("Cc", "Cf", "Co", "Cs", "Cn", "Mn", "Me")), max_size=60)


@given(_WORDS)
@example("C #")
def test_any_text_comes_back_from_a_heading_a_cell_and_a_list(text: str) -> None:
    """What was written is what is shown, wherever it stands."""
    line = " ".join(text.split())
    if line:
        cell = _shown(f"| a | b |\n| --- | --- |\n| {escaped(text)} | x |\n", "td")
        assert (cell[0], cell[1]) == (line, "x")
        assert _shown(f"- {escaped(text)}\n", "p") == [line]
        assert _shown(f"### {escaped(text)}\n", "h3") == [line]


@given(st.text(max_size=400))
def test_a_text_of_any_kind_is_one_short_line(text: str) -> None:
    """No line breaks, and nothing that a reader cannot see."""
    assert len(escaped(text).splitlines()) <= 1


@pytest.mark.parametrize("make_text", [lambda n: f"{n}é🎉" * 40, lambda n: f'{n}"\\' * 60])
def test_the_page_of_a_crowded_project_stays_readable(
    project: Project, make_text: Callable[[int], str]
) -> None:
    """Forty variables with long names and many runs fit, and what is left out is counted."""
    for number in range(40):
        name = make_text(number)[:120]
        create(
            project, name=name, variable=name,
            of=[VariantInput(name=f"{v}{name}"[:120], config={name: v * 90}) for v in "ab"],
        )  # fmt: skip
        for _ in range(2):
            mistakes.log(project, error_class=name, description=name * 9, correction=name * 9)
        rows = [RunInput(unit=f"{i}{name}"[:120], variant="ab"[i % 2] + name[:119], metrics={"passed": i % 2}) for i in range(8)]  # fmt: skip
        record(project, *rows, experiment=name)
    found: Evidence = analysis.summary(project, limit=100)
    assert len(found.model_dump_json()) <= REPLY_CHARACTERS
    assert any(note.startswith("variables: ") for note in found.notes)
