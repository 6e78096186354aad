"""Starter packs: their beliefs decide what is tried first, and nothing else."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.places import untouched

from vettle.engine import quarantine, rules, sessions, standings
from vettle.engine.candidates import packs
from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.project import Project
from vettle.engine.records import RewardOutcome
from vettle.engine.records.candidates import PackLearned
from vettle.engine.store import sessions as sessions_table

# A seed in the form of buildlog's, with rules of our own.
SEED = """
persona: careful_reviewer
version: 1
rules:
  - rule: "Close every file that you open"
    category: correctness
    context: "Any function that opens files"
    antipattern: "Waiting for the garbage collector"
    rationale: "Open files run out."
    tags: [files, resources]
    references:
      - url: "https://cwe.mitre.org/data/definitions/772.html"
        title: "CWE-772"
  - rule: "Name the unit of every duration"
    category: style
    context: ""
    antipattern: ""
    rationale: ""
"""


def _file(project: Project, text: str) -> str:
    path = project.root / "pack.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _learn(project: Project, text: str) -> PackLearned:
    return packs.learn(project, _file(project, text))


def test_the_packs_that_come_with_vettle_are_fit_to_be_rules() -> None:
    """Each is listed under its file's name, has ten to fifteen rules with reasons, and none needs a person."""
    listed = packs.listed().packs
    assert [one.name for one in listed] == ["careful-changes", "safe-code"]
    for one in listed:
        pack = packs.load(one.name)
        assert (pack.name, len(pack.rules)) == (one.name, one.rules) and 10 <= one.rules <= 15
        for rule in pack.rules:
            assert rule.rationale and 0 < rule.prior <= 0.1 and quarantine.reasons(rule.text) == []
            assert len(rule.text) <= 120 and quarantine.redact(rule.text) == rule.text


def test_a_pack_is_taken_once(project: Project) -> None:
    """Its rules go on trial with belief and provenance; a second time all are known and nothing is reinforced."""
    first = packs.learn(project, "careful-changes")
    assert first.counts == {"new": 12}
    rule = standings.explain(project, first.rules[0].rule_id).rule
    assert (rule.source, rule.status, rule.prior) == ("import", "trial", 0.06)
    assert "Instead of: changing what" in rule.rationale
    assert rule.rationale.endswith("(imported from pack careful-changes)")
    again = packs.learn(project, "careful-changes")
    assert again.counts == {"known": 12} and {rule.times for rule in again.rules} == {1}


def test_a_dry_run_records_nothing(project: Project) -> None:
    """Looking at a pack leaves no trace."""
    assert packs.learn(project, "safe-code", apply=False).counts == {"new": 12}
    assert untouched(project)


def test_a_seed_of_buildlog_is_a_pack(project: Project) -> None:
    """Its context is prose and belongs to the reason; its rules are believed a little, and are not proven."""
    learned = _learn(project, SEED)
    assert (learned.pack, learned.counts) == ("careful_reviewer", {"new": 2})
    rule = standings.explain(project, learned.rules[0].rule_id).rule
    assert (rule.text, rule.category, rule.context) == ("Close every file that you open", "correctness", "")
    assert rule.prior == pytest.approx(0.05)
    for part in ("Open files run out.", "Any function that opens files", "garbage", "772.html"):
        assert part in rule.rationale


def test_every_field_of_a_rule_can_be_given(project: Project) -> None:
    """Context and globs limit where it is tried; confidence is another way to say prior."""
    text = (
        "name: mine\nrules:\n"
        "- {text: Sort imports, category: style, context: python, globs: ['**/*.py'], prior: -0.1,\n"
        "   references: ['https://example.org/a']}\n"
        "- {rule: Name units, confidence: 0.8}\n"
    )
    first, second = (standings.explain(project, rule.rule_id).rule for rule in _learn(project, text).rules)
    assert (first.category, first.context, first.globs, first.prior) == (
        "style",
        "python",
        ("**/*.py",),
        -0.1,
    )
    assert "https://example.org/a" in first.rationale
    assert second.prior == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n", "not a mapping"),
        ("name: x\n", "rules: Field required"),
        ("name: x\nrules: []\n", "rules: must not be empty"),
        ("name: x\nrules: [{text: a b, prior: 0.4}]\n", "rules rule 1 prior: Input should be less"),
        ("name: x\nrules: [{text: a b, prior: .nan}]\n", "rules rule 1 prior"),
        ("name: x\nrules: [{text: a b, confidence: 2}]\n", "rules rule 1"),
        ("name: x\nrules: [{text: a b, confidence: 1, prior: 0.1}]\n", "say the same"),
        ("name: x\nrules: [{text: a b, text_: c}]\n", "text_: Extra inputs"),
        ("name: x\nrules: [{text: a b}, {text: ''}, {rule: 5}]\n", "rule 2 text.*rule 3 text"),
        ("name: x\nrules: [{text: a b, globs: ['../x']}]\n", "globs"),
        ("persona: x\nrules: [{category: y}]\n", "rules rule 1 text: Field required"),
        ("persona: x\nrules: [a]\n", "rules rule 1"),
    ],
)  # fmt: skip
def test_a_wrong_pack_is_refused_as_a_whole(project: Project, text: str, problem: str) -> None:
    """The message names the rule, the field and what is wrong with it; nothing is recorded."""
    with pytest.raises(InvalidArgument, match=problem):
        _learn(project, text)
    assert untouched(project)


def test_what_is_no_yaml_is_refused_by_line_and_runs_nothing(project: Project) -> None:
    """Broken YAML names its line, and tags that would make objects are refused."""
    with pytest.raises(SourceDamaged, match=r"pack\.yaml:4"):
        _learn(project, "name: x\nrules:\n  - text: [a\n")
    with pytest.raises(SourceDamaged, match="not YAML"):
        _learn(project, "name: !!python/object/apply:os.system ['true']\nrules: []\n")


def test_an_unknown_pack_names_those_there_are(project: Project) -> None:
    """A misspelt name lists the packs that come with vettle."""
    with pytest.raises(InvalidArgument, match="careful-changes, safe-code"):
        packs.learn(project, "careful")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["name", "persona", "rules", "text", "rule", "confidence", "references"]),
                        inner, max_size=4), max_leaves=12))  # fmt: skip
def test_whatever_a_document_says_it_is_a_pack_or_an_error(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:  # fmt: skip
    """No YAML document makes reading fail in another way than with a message for people."""
    path = tmp_path_factory.mktemp("pack") / "pack.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        assert packs.load(str(path)).rules
    except (InvalidArgument, SourceDamaged) as error:
        assert "pack.yaml" in str(error)


# --- beliefs act, and evidence overrides them ------------------------------------------------------


def _pool(project: Project, believed: float, plain: int) -> tuple[set[str], set[str]]:
    """Add a pack of three rules of this belief, and plain rules without one; return the ids of both."""
    rows = "".join(f"- {{text: Believed rule number {n}, prior: {believed}}}\n" for n in range(3))
    pack = {rule.rule_id for rule in _learn(project, f"name: three\nrules:\n{rows}").rules}
    return pack, {rules.add(project, text=f"Plain rule number {n}").rule_id for n in range(plain)}


def _chosen(project: Project, seeds: range) -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in seeds:
        started = sessions.start(project, task="x", k=3, seed=seed, client_ref=str(seed)).session_id
        with project.read() as transaction:
            session = sessions_table.get(transaction, started)
        assert session is not None
        found.update(entry.rule for entry in session.decision.slate)
    return found


def test_a_believed_rule_is_tried_first(project: Project) -> None:
    """Before any evidence, sessions draw a rule with a positive prior several times as often as one without."""
    pack, plain = _pool(project, 0.08, 12)
    found = _chosen(project, range(60))
    believed = sum(found[rule] for rule in pack) / len(pack)
    others = sum(found[rule] for rule in plain) / len(plain)
    assert believed > 3 * others > 0


def test_without_a_belief_they_are_tried_alike(project: Project) -> None:
    """The same pack with a prior of 0 is drawn like any other rules, so it is the belief that acts."""
    pack, plain = _pool(project, 0.0, 12)
    found = _chosen(project, range(60))
    believed = sum(found[rule] for rule in pack) / len(pack)
    others = sum(found[rule] for rule in plain) / len(plain)
    assert 0.5 < believed / others < 2


def test_evidence_overrides_belief(project: Project) -> None:
    """Believed rules that lead to rejected work are chosen less in the end than a plain one that helps."""
    pack, plain = _pool(project, 0.08, 3)
    helps = min(plain)
    generator = random.Random(5)
    for seed in range(150):
        # A session's id decides its coins, and is drawn anew unless a client_ref gives it.
        started = sessions.start(project, task="x", k=3, seed=seed, client_ref=str(seed))
        shown = {rule.id for rule in started.rules}
        chance = 0.5 + 0.4 * (helps in shown) - 0.15 * len(shown & pack)
        outcome: RewardOutcome = "accepted" if generator.random() < chance else "rejected"
        sessions.end(project, session_id=started.session_id, outcome=outcome)
    found = _chosen(project, range(1_000, 1_040))
    assert found[helps] >= 35
    assert all(found[rule] < found[helps] for rule in pack)
    assert "proven" not in {standings.explain(project, rule).rule.status for rule in pack}


def test_packs_are_read_from_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The packs are found wherever one stands."""
    monkeypatch.chdir(tmp_path)
    assert packs.load("safe-code").rules


def test_a_name_that_no_file_can_have_is_no_pack() -> None:
    """A pack's name that the file system refuses is answered like any other that does not exist."""
    with pytest.raises(InvalidArgument, match="no starter pack and no file"):
        packs.load("a" * 300)
