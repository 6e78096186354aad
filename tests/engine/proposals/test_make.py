"""Proposals as a whole: distilled rules, a model's ideas and the evidence, in one answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.engine.experiments.world import create, work
from tests.engine.proposals.loopback import GOOD, RULE, failed, said, serving
from tests.places import mistake_ids

from vettle.engine import mistakes, rules, sessions
from vettle.engine.paging import REPLY_CHARACTERS
from vettle.engine.project import Project
from vettle.engine.proposals import make as module
from vettle.engine.proposals.review import review


def _habit(
    project: Project, description: str = "lines too long", correction: str = "Run the formatter."
) -> None:
    for _ in range(3):
        session = sessions.start(project, task="x").session_id
        mistakes.log(
            project, error_class="style", description=description, correction=correction, session_id=session
        )


def test_without_a_model_mistakes_become_rules_and_the_rest_is_evidence(project: Project) -> None:
    """The answer says why no model was asked, and how the caller goes on."""
    _habit(project)
    made = module.make(project, environment={})
    assert made.source == "evidence" and "No model is configured" in made.note
    [one] = made.proposals
    assert (one.source, one.review.status, one.review.title) == ("mistake", "new", "Run the formatter.")
    assert made.evidence.mistakes[0].occurrences == 3
    assert "proposals_review" in made.next_step and made.instructions


def test_an_accepted_candidate_is_not_proposed_again(project: Project) -> None:
    """Taking the distilled rule puts it on trial with its origin, and ends the proposal."""
    _habit(project)
    [one] = module.make(project, environment={}).proposals
    [taken] = review(project, proposals=[one.proposal], accept=True).proposals
    with project.read() as transaction:
        rule = rules.require(transaction, "rule_id", taken.accepted_as)
    assert (rule.status, rule.source) == ("trial", "mistake")
    assert "Distilled from repeated mistakes" in rule.rationale and mistake_ids(project)[0] in rule.rationale
    assert module.make(project, environment={}).proposals == []


def test_ask_off_asks_nobody(project: Project) -> None:
    """Whoever says so keeps the evidence to themselves, whatever is configured."""
    with serving(said(GOOD)) as server:
        made = module.make(project, ask=False, environment=server.environment())
        assert server.requests == []
    assert made.note == "No model was asked."


def test_a_models_ideas_are_compared_with_the_distilled_ones(project: Project) -> None:
    """A model that repeats what mistakes say already is merged with it; the focus and the evidence reach it."""
    _habit(project)
    answer = json.dumps({"proposals": [{**RULE, "text": "Always run the formatter"}, RULE]})
    with serving(said(answer)) as server:
        made = module.make(project, focus="code style", environment=server.environment())
        content = server.requests[0]["messages"][1]["content"]
    assert [(one.source, one.review.status) for one in made.proposals] == [
        ("mistake", "new"),
        ("model", "merged"),
        ("model", "new"),
    ]
    assert "code style" in content and "lines too long" in content


def test_a_failing_model_leaves_the_candidates(project: Project) -> None:
    """What needs no model is there whatever the model does."""
    _habit(project)
    with serving(failed(500)) as server:
        made = module.make(project, environment=server.environment())
    assert made.source == "evidence" and "HTTP 500" in made.note and len(made.proposals) == 1


def test_the_limit_holds_for_a_model_too(project: Project) -> None:
    """A model that answers more than it was asked for is cut to the limit."""
    many = [{**RULE, "text": f"{word} the {word}"} for word in ("Sort", "Check", "Build", "Read")]
    with serving(said(json.dumps({"proposals": many}))) as server:
        made = module.make(project, limit=2, environment=server.environment())
    assert [one.review.title for one in made.proposals] == ["Sort the Sort", "Check the Check"]


def test_a_long_answer_can_still_be_read(project: Project) -> None:
    """With everything as long as it may be, the answer stays below 20,000 characters and says what is left out."""
    for letter in "abcdefghij":
        _habit(project, f"{letter * 9} {'story ' * 300}", f"{letter * 9} {'word ' * 75}")
        create(project, name=letter * 100, variable=f"{letter} {'v' * 100}", description="d " * 1_000)
        work(project, 4, lambda variant, _: float(variant == "a"), experiment=letter * 100)
    made = module.make(project, limit=10, environment={})
    assert len(made.model_dump_json()) <= REPLY_CHARACTERS
    assert made.proposals and any("left out" in note for note in made.evidence.notes)


def test_proposing_without_a_model_loads_no_client(tmp_path: Path) -> None:
    """The optional package is imported by the first question and by nothing else."""
    code = (
        "import sys; from pathlib import Path; from vettle.engine.project import Project;"
        "from vettle.engine.proposals import make;"
        f"make.make(Project(Path({str(tmp_path)!r})), environment={{}}); print('openai' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
