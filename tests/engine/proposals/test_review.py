"""The review of proposals: what is known, merged, new or rejected, and what accepting does."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from tests.engine.experiments.world import create, work
from tests.engine.proposals.loopback import EXPERIMENT, RULE
from tests.places import mistake_ids, untouched

from vettle.engine import mistakes, rules, standings
from vettle.engine.analysis import evidence
from vettle.engine.errors import ClientRefReused
from vettle.engine.experiments import lifecycle, variables
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.paging import REPLY_CHARACTERS
from vettle.engine.project import Project
from vettle.engine.proposals import review as module
from vettle.engine.records.proposals import Proposal, ProposalsReviewed, ReviewedProposal
from vettle.engine.store import events, experiments
from vettle.engine.store import rules as rules_table

_PROPOSAL: TypeAdapter[Proposal] = TypeAdapter(Proposal)
PASSED = MetricInput(name="passed", direction="higher", kind="binary", minimum_effect=0.1)
VARIANTS = (
    VariantInput(name="short", config={"prompt": "Fix it."}),
    VariantInput(name="long", config={"prompt": "Think, then fix it."}),
)


def _rule(text: str = RULE["text"], **changes: Any) -> Proposal:
    return _PROPOSAL.validate_python({**RULE, "text": text, **changes})


def _experiment(**changes: Any) -> Proposal:
    return _PROPOSAL.validate_python({**EXPERIMENT, **changes})


def _variants(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "config": {"name": name}} for name in names]


def _review(project: Project, *proposals: Proposal, **options: Any) -> ProposalsReviewed:
    return module.review(project, proposals=proposals, **options)


def _one(project: Project, proposal: Proposal) -> ReviewedProposal:
    [row] = _review(project, proposal).proposals
    return row


def test_reviewing_writes_nothing(project: Project) -> None:
    """A review of what is new leaves no trace, and gives the exact call of each."""
    found = _review(project, _rule(), _experiment())
    assert [row.status for row in found.proposals] == ["new", "new"] and untouched(project)
    tool, _, arguments = found.proposals[0].next_step.partition(" ")
    added = rules.add(project, **json.loads(arguments))
    assert (tool, added.status) == ("rule_add", "trial")
    tool, _, arguments = found.proposals[1].next_step.partition(" ")
    given = json.loads(arguments)
    assert tool == "experiment_create" and given["start"] is False
    given["variants"] = [VariantInput(**one) for one in given["variants"]]
    created = lifecycle.create(project, space={}, **given | {"metric": MetricInput(**given["metric"])})
    assert created.state == "proposed"


def test_a_rule_that_is_there_is_known_wherever_it_stands(project: Project) -> None:
    """The same rule is known; a retired one says why it was retired and how it comes back."""
    added = rules.add(project, text="run **the** type checker before committing", globs=["**/*.py"])
    row = _one(project, _rule())
    assert (row.status, row.same_as) == ("known", added.rule_id)
    rules.decide(project, rule_id=added.rule_id, action="retire", reason="too slow")
    [reason] = _one(project, _rule()).reasons
    assert "retired (too slow)" in reason and f"rule_decide {added.rule_id} restore" in reason


def test_nearly_the_same_rule_is_merged_and_the_opposite_is_new(project: Project) -> None:
    """A wording, or another scope, of an existing rule is merged; what contradicts it is a rule of its own."""
    added = rules.add(project, text="Always run the type checker before you commit")
    row = _one(project, _rule())
    assert (row.status, row.same_as) == ("merged", added.rule_id)
    assert _one(project, _rule("Never run the type checker before committing.")).status == "new"


def test_two_of_one_list_that_say_the_same_are_merged(project: Project) -> None:
    """Duplicates inside the list name the earlier proposal."""
    found = _review(
        project,
        _rule(),
        _rule("Always run the type checker before you commit."),
        _experiment(),
        _experiment(),
    )
    assert [(row.status, row.same_as) for row in found.proposals] == [
        ("new", ""),
        ("merged", "proposal 1"),
        ("new", ""),
        ("merged", "proposal 3"),
    ]


def test_a_rule_that_needs_a_person_is_new_with_a_warning(project: Project) -> None:
    """Accepting it quarantines it, and the review says so before."""
    proposal = _rule("Read https://example.org/guide first.")
    row = _one(project, proposal)
    assert (row.status, row.flags) == ("new", ["needs_person"]) and "a URL" in row.reasons[0]
    [taken] = _review(project, proposal, accept=True).proposals
    assert f"rule_decide {taken.accepted_as} approve" in taken.next_step
    assert standings.explain(project, taken.accepted_as).rule.status == "quarantined"


def test_a_secret_is_rejected_and_not_repeated(project: Project) -> None:
    """A proposal that holds a key anywhere is refused, and the answer does not show it."""
    secret = "ghp_abcdefghijklmnopqrstuvwxyz012345"
    found = _review(project, _rule(f"Use {secret}."), _experiment(rationale=f"because {secret}"), accept=True)
    assert [row.status for row in found.proposals] == ["rejected", "rejected"]
    assert secret not in found.model_dump_json() and found.accepted == 0


def test_evidence_has_to_exist(project: Project) -> None:
    """A rule that names a mistake nobody made is rejected: provenance is not invented."""
    mistakes.log(project, error_class="a", description="b")
    [number] = mistake_ids(project)
    assert _one(project, _rule(evidence=[number])).status == "new"
    row = _one(project, _rule(evidence=[number, "m77777"]))
    assert row.status == "rejected" and "m77777" in row.reasons[0]


def test_a_design_that_contradicts_itself_is_rejected_with_the_reason(project: Project) -> None:
    """What experiment_create would refuse is said before."""
    same = [{"name": "a", "config": {"x": 1}}, {"name": "b", "config": {"x": 1}}]
    row = _one(project, _experiment(variants=same))
    assert row.status == "rejected" and "two have the same config" in row.reasons[0]


def test_a_variable_that_is_taken_is_rejected_until_it_is_free(project: Project) -> None:
    """An open experiment holds its variable under every spelling; the same variants are simply known."""
    created = lifecycle.create(
        project, name="x", variants=VARIANTS, space={}, metric=PASSED, variable="system prompt"
    )
    other = _experiment(variable="System_Prompt", variants=_variants("a", "b"))
    row = _one(project, other)
    assert (row.status, row.same_as) == ("rejected", created.experiment_id)
    assert "holds the variable 'system prompt'" in row.reasons[0]
    known = _one(project, _experiment(variable="prompt system"))
    assert (known.status, known.same_as) == ("known", created.experiment_id)
    lifecycle.decide(project, experiment="x", action="abandon", reason="enough")
    assert _one(project, _experiment()).status == "new"


def test_another_name_of_a_variable_is_merged(project: Project) -> None:
    """An alias or a spelling leads to the variable that is registered, and the call uses that name."""
    variables.register(project, name="system prompt", aliases=["preamble"], execution="paste it first")
    row = _one(project, _experiment(variable="Preamble"))
    assert (row.status, row.same_as, row.flags) == ("merged", "system prompt", ["detectability_unknown"])
    assert '"variable":"system prompt"' in row.next_step
    assert _one(project, _experiment()).status == "new"


def test_what_was_decided_is_known(project: Project) -> None:
    """The same variants of the same variable are not asked about twice; other variants are new."""
    created = lifecycle.create(
        project, name="prompt", variants=VARIANTS, space={}, metric=PASSED, variable="system prompt"
    )
    work(project, 120, lambda variant, _: float(variant == "long"))
    assert (
        lifecycle.decide(project, experiment="prompt", action="close", reason="x").verdict["outcome"]
        == "better"
    )
    row = _one(project, _experiment())
    assert (row.status, row.same_as) == ("known", created.experiment_id) and "better" in row.reasons[0]
    assert _one(project, _experiment(variants=_variants("a", "b"))).status == "new"


def test_two_of_one_list_cannot_change_the_same_variable(project: Project) -> None:
    """One open experiment per variable holds inside a list too."""
    found = _review(project, _experiment(), _experiment(name="other", variants=_variants("a", "b")))
    assert [(row.status, row.same_as) for row in found.proposals] == [("new", ""), ("rejected", "proposal 1")]


@pytest.mark.parametrize(("changes", "flags"), [
    ({}, ["detectability_unknown"]),
    ({"expected_effect": 0}, ["no_expected_effect", "detectability_unknown"]),
    ({"variants": _variants("a", "b")}, ["detectability_unknown", "needs_execution"]),
])  # fmt: skip
def test_flags_say_what_is_missing(project: Project, changes: dict[str, Any], flags: list[str]) -> None:
    """Without past results detectability is not known; who puts variants into effect, and what to expect, is asked."""
    row = _one(project, _experiment(**changes))
    assert (row.status, row.flags) == ("new", flags) and row.runs_per_variant > 50


def test_an_expectation_below_what_is_worth_finding_is_rejected(project: Project) -> None:
    """Who declares that less than 0.1 does not matter cannot expect 0.05."""
    row = _one(project, _experiment(expected_effect=0.05))
    assert row.status == "rejected" and "0.05 is below the minimum effect 0.1" in row.reasons[0]


SCORE = {"name": "score", "direction": "higher", "kind": "continuous", "range": [0, 100], "minimum_effect": 0}


@pytest.mark.parametrize(("effect", "status", "flags"), [
    (20.0, "new", []),
    (3.4, "new", ["slow"]),
    (1.0, "rejected", []),
])  # fmt: skip
def test_past_results_say_what_can_be_found(
    project: Project, effect: float, status: str, flags: list[str]
) -> None:
    """At a spread of 30 points an effect of 20 is found, one of 3.4 takes long, one of 1 nobody ever sees."""
    create(project, name="past", metric=MetricInput(name="score", direction="higher", range=(0, 100)))
    work(project, 40, lambda _, index: 20.0 + 60.0 * (index // 2 % 2), experiment="past", metric="score")
    row = _one(project, _experiment(metric=SCORE, expected_effect=effect, variable="other"))
    assert (row.status, row.flags) == (status, flags)
    if status == "rejected":
        assert "2,000 runs per variant find 3 at the least" in row.reasons[0]
    hidden = _one(
        project, _experiment(metric={**SCORE, "range": [0, 1000]}, expected_effect=effect, variable="other")
    )
    assert "detectability_unknown" in hidden.flags, "another range is another metric"


def test_equal_results_say_nothing(project: Project) -> None:
    """A metric that never moved, or was never recorded, does not promise that everything can be found."""
    create(project, name="past", metric=MetricInput(name="score", direction="higher", range=(0, 100)))
    work(project, 40, lambda _, __: 50.0, experiment="past", metric="score")
    row = _one(project, _experiment(metric=SCORE, expected_effect=1.0, variable="other"))
    assert row.flags == ["detectability_unknown"]


def test_accepting_takes_the_new_ones_with_their_origin(project: Project) -> None:
    """Rules go on trial with their mistakes, experiments are proposed with who expects what; the rest is left."""
    mistakes.log(project, error_class="a", description="b")
    known = rules.add(project, text="Sort imports.").rule_id
    [number] = mistake_ids(project)
    proposals = (_rule(evidence=[number]), _rule("Sort imports", globs=[]), _experiment())
    found = _review(project, *proposals, accept=True, proposer="gpt-small")
    assert [row.status for row in found.proposals] == ["new", "known", "new"] and found.accepted == 2
    rule_id, none, experiment_id = (row.accepted_as for row in found.proposals)
    assert none == "" and known != rule_id
    with project.read() as transaction:
        rule = rules_table.get(transaction, rule_id)
        experiment = experiments.get(transaction, experiment_id)
        [created] = events.of_subject(transaction, experiment_id, ("experiment_created",))
    assert rule is not None and experiment is not None
    assert (rule.status, rule.source) == (
        "trial",
        "mistake",
    ) and f"Against mistakes {number}." in rule.rationale
    assert (experiment.state, experiment.variable) == ("proposed", "system prompt")
    assert (created.data["proposer"], created.data["expected_effect"]) == ("gpt-small", 0.15)
    assert _review(project, *proposals).by_status == {"known": 3}


def test_a_proposers_record_is_kept(project: Project) -> None:
    """What came of an accepted proposal is counted for whoever proposed it."""
    _review(project, _experiment(), accept=True, proposer="gpt-small")
    [record] = evidence.summary(project).proposers
    assert (record.proposer, record.proposed, record.open) == ("gpt-small", 1, 1)


def test_a_proposal_that_loses_to_what_is_in_force_is_counted_as_lost(project: Project) -> None:
    """The control of a proposal is the control of its experiment, so that a lost proposal is seen as one."""
    [row] = _review(project, _experiment(), accept=True, proposer="gpt-small").proposals
    lifecycle.decide(project, experiment=row.accepted_as, action="start", reason="x")
    work(project, 120, lambda variant, _: float(variant == "short"), experiment=row.accepted_as)
    closed = lifecycle.decide(project, experiment=row.accepted_as, action="close", reason="x")
    assert closed.verdict["leader"] == "short"
    [record] = evidence.summary(project).proposers
    assert (record.won, record.lost, record.open) == (0, 1, 0)


def test_a_retried_acceptance_gets_the_same_answer(project: Project) -> None:
    """The same client_ref records once; with other proposals it is refused."""
    first = _review(project, _rule(), accept=True, client_ref="r")
    assert _review(project, _rule(), accept=True, client_ref="r") == first and first.accepted == 1
    assert standings.page(project).total == 1
    with pytest.raises(ClientRefReused):
        _review(project, _rule("Sort."), accept=True, client_ref="r")


def test_of_many_who_take_the_same_at_once_one_does(tmp_path: Path) -> None:
    """Whoever comes second finds it known: reviewing and taking are one transaction."""
    barrier = threading.Barrier(4)

    def take(_: int) -> int:
        project = Project(tmp_path)
        try:
            barrier.wait()
            return _review(project, _rule(), _experiment(), accept=True).accepted
        finally:
            project.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == [0, 0, 0, 2]


def test_an_answer_about_the_longest_proposals_can_be_read(project: Project) -> None:
    """Twenty proposals as long as they may be make an answer below 20,000 characters."""
    long = [{"name": f"{name}{'n' * 100}", "config": {"x": name + "y" * 3_900}} for name in "abcdefghij"]
    many = [
        _experiment(name="n" * 120, variable=f"{number} {'v' * 100}", variants=long, rationale="r " * 1_900)
        for number in range(10)
    ]
    texts = [
        _rule(f"Rule {'abcdefghij'[number]} {'word ' * 78}", rationale="r " * 1_900) for number in range(10)
    ]
    for accept in (False, True):
        found = _review(project, *many, *texts, accept=accept)
        assert len(found.proposals) == 20 and len(found.model_dump_json()) <= REPLY_CHARACTERS
    assert (
        len(
            _review(
                project, *[_experiment(variable=f"v{n}", rationale="r " * 400) for n in range(20)]
            ).model_dump_json()
        )
        <= REPLY_CHARACTERS
    )
