"""Reviews: findings become mistakes and rules once, and no severity is ever taken for "nothing found"."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.places import stored, untouched

from vettle.engine import mistakes, reports, rules, standings
from vettle.engine.candidates import reviews
from vettle.engine.candidates.findings import SEVERITIES, Finding, check
from vettle.engine.candidates.review_markdown import raw_findings
from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.project import Project
from vettle.engine.records.candidates import ReviewLearned
from vettle.engine.similarity import rule_form, rule_hash
from vettle.engine.store import events

# Findings as buildlog's tools take them.
SQL = {
    "severity": "critical",
    "category": "security",
    "description": "The search builds SQL from strings.",
    "rule_learned": "Pass values to SQL as parameters.",
    "location": "src/search.py:12",
    "why_it_matters": "Input becomes code.",
    "functional_principle": None,
}
NAMES = {"severity": "minor", "category": "style", "description": "`x` says nothing.", "rule_learned": ""}

MARKDOWN = """# Review of the search

Some prose.

- looked at three files
- [critical] security: The search builds SQL from strings. (src/search.py:12) -> rule: Pass values to SQL as parameters.
- **[Nitpick]** Trailing spaces

## Major issues (2)

- architecture: Retries are copied (`src/retry.py`) → **rule:** Keep retries in one place.
- The cache grows
  - rule: Give every cache a limit.
  - why: it took the server down
  - seen: yesterday

## Notes

- not a finding

### [minor] tests: No test of the empty list (tests/test_search.py)

- rule: Test the empty list.

| Severity | Category | Finding | File | Rule |
|---|---|---|---|---|
| Blocker | logging | Token in a log \\| twice | src/log.py:3 | Never log a token. |
"""


def _file(project: Project, content: object, name: str = "review.json") -> Path:
    path = project.root / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def _learn(
    project: Project, content: object, name: str = "review.json", *, apply: bool = True
) -> ReviewLearned:
    return reviews.learn(project, _file(project, content, name), apply=apply)


def _count(project: Project) -> int:
    with project.read() as transaction:
        return events.count(transaction)


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"issues": rows, "iteration": 2}])
def test_findings_become_mistakes_and_rules(project: Project, wrap: Any) -> None:
    """Both forms of buildlog's JSON: severity mapped, file kept, the rule is the correction and goes on trial."""
    record = _learn(project, wrap([SQL, NAMES]))
    assert (record.findings, record.mistakes, record.known) == (2, 2, 0)
    assert record.by_severity == {"blocker": 1, "warning": 0, "suggestion": 1}
    assert record.action == "fix_blockers" and "first" in record.next_step
    [learned] = record.rules
    assert (learned.outcome, learned.times) == ("new", 1)
    rule = standings.explain(project, learned.rule_id).rule
    assert (rule.text, rule.category, rule.source) == (SQL["rule_learned"], "security", "mistake")
    assert rule.rationale == "Input becomes code. (imported from review.json:1)"
    logged = mistakes.log(project, error_class="security", description=str(SQL["description"]))
    assert logged.occurrences == 2
    assert logged.similar[0].correction == SQL["rule_learned"]


def test_the_file_of_a_mistake_is_one_of_the_project(project: Project) -> None:
    """A location inside is kept without its line, one outside or a function's name is not taken for a file."""
    locations = ["src/a.py:12", "`src/b.py` line 3", "../x.py", "/etc/passwd", "Search.run()", "a.py:1-4", ""]
    _learn(project, [SQL | {"location": where, "description": f"d{n}"} for n, where in enumerate(locations)])
    with project.read() as transaction:
        kept = [event.data["file"] for event in events.every(transaction) if event.kind == "mistake_logged"]
    assert kept == ["src/a.py", "src/b.py", "", "", "", "a.py", ""]


def test_the_same_review_learned_twice_changes_nothing(project: Project) -> None:
    """A second time everything is known; of a file that has grown only what is new counts."""
    _learn(project, [SQL, NAMES])
    before = _count(project)
    again = _learn(project, [NAMES, SQL])
    assert (again.known, again.mistakes, again.rules, _count(project)) == (2, 0, [], before)
    assert again.action == "fix_blockers"
    grown = _learn(project, [SQL, NAMES, SQL | {"description": "The report does it too."}])
    assert (grown.known, grown.mistakes) == (2, 1)


def test_a_known_rule_is_reinforced(project: Project) -> None:
    """A rule that another review learns, or that was there before, is found again instead of added."""
    rule_id = rules.add(project, text="pass values to SQL as parameters").rule_id
    first = _learn(project, [SQL, SQL | {"description": "Another place."}])
    assert [(rule.rule_id, rule.outcome, rule.times) for rule in first.rules] == [(rule_id, "reinforced", 3)]
    later = _learn(project, [SQL], name="later.json")
    assert later.rules[0].times == 4 and later.repeats == 1
    listed = standings.page(project)
    assert listed.total == 1 and listed.rules[0].found_again == 3
    assert listed.rules[0].confidence == "speculative"


def test_two_findings_with_one_new_rule_find_it_twice(project: Project) -> None:
    """The first adds the rule, the second reinforces it, in one transaction."""
    record = _learn(project, [SQL, SQL | {"description": "Another place."}])
    assert [(rule.outcome, rule.times) for rule in record.rules] == [("new", 2)]
    assert standings.explain(project, record.rules[0].rule_id).found_again == 1


def test_a_dry_run_tells_the_same_and_records_nothing(project: Project) -> None:
    """Counts, rules and action are those of learning; no database is made."""
    rows = [SQL, SQL | {"description": "Another place."}, NAMES]
    seen = _learn(project, rows, apply=False)
    assert untouched(project)
    real = _learn(project, rows)
    assert (seen.counts, seen.mistakes, seen.action) == (real.counts, real.mistakes, real.action)
    assert [rule.times for rule in seen.rules] == [rule.times for rule in real.rules]


@pytest.mark.parametrize("apply", [True, False])
def test_one_bad_finding_refuses_them_all_with_every_reason(project: Project, apply: bool) -> None:
    """Each wrong finding is named by number, field and reason, and nothing is recorded."""
    bad: list[object] = [
        SQL,
        SQL | {"severity": "high"},
        SQL | {"rule_learned": 5},
        "no object",
        {"severity": "major"},
        SQL | {"description": "a\0b"},
        SQL | {"description": "x" * 4_001},
    ]
    with pytest.raises(InvalidArgument) as caught:
        _learn(project, bad, apply=apply)
    for reason in (
        "finding 2: severity: 'high' is none of blocker, critical, major",
        "finding 3: rule_learned",
        "finding 4: not an object",
        "finding 5: description",
        "finding 6: description: must not contain control characters",
        "finding 7: description",
    ):
        assert reason in str(caught.value)
    assert untouched(project)


@given(st.text(max_size=20))
def test_a_severity_is_known_or_an_error(severity: str) -> None:
    """No word whatever makes a finding disappear: it is one of the list, in any case, or refused."""
    raw = [(1, {"severity": severity, "description": "x"})]
    if severity.strip().lower() in SEVERITIES:
        [(_, finding)] = check("review.json", raw).findings
        assert reviews.action(Counter([finding.weight])) != "clean"
    else:
        with pytest.raises(InvalidArgument, match="severity"):
            check("review.json", raw)


@pytest.mark.parametrize(
    ("severities", "action"),
    [
        ([], "clean"),
        (["nitpick"], "weigh_suggestions"),
        (["minor", "MAJOR"], "fix_warnings"),
        (["suggestion", "warning", "Critical"], "fix_blockers"),
        ([None], "weigh_suggestions"),
    ],
)
def test_the_worst_finding_decides_what_to_do(
    project: Project, severities: list[str | None], action: str
) -> None:
    """Clean means that there is no finding at all; without a severity a finding is minor."""
    rows = [SQL | {"severity": name, "description": f"d{n}"} for n, name in enumerate(severities)]
    assert _learn(project, rows).action == action


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"issues": 3}', "neither a list"),
        ('{"findings": []}', "neither a list"),
        ("3", "neither a list"),
    ],
)
def test_json_of_another_shape_is_not_an_empty_review(project: Project, content: str, problem: str) -> None:
    """Only a list, or an object with a list of issues, is a review."""
    with pytest.raises(InvalidArgument, match=problem):
        _learn(project, content)


def test_broken_files_are_refused_by_name_and_line(project: Project) -> None:
    """Truncated JSON says where it ends, and a file that is not there says so."""
    with pytest.raises(SourceDamaged, match=r"review\.json:2"):
        _learn(project, '[{"severity": "minor",\n')
    with pytest.raises(SourceDamaged, match=r"nowhere\.json"):
        reviews.learn(project, project.root / "nowhere.json")


def test_fields_that_mean_nothing_here_are_named(project: Project) -> None:
    """A misspelt field is not dropped in silence."""
    assert _learn(project, [SQL | {"rule_leaned": "x", "line": 4}]).ignored == ["rule_leaned", "line"]


def test_a_rule_too_long_or_with_a_secret_is_not_taken_but_its_mistake_is(project: Project) -> None:
    """The finding counts; its rule is reported with the reason, and the secret reaches nothing."""
    key = "ghp_abcdefghijklmnopqrstuvwxyz012345"
    rows = [
        SQL | {"rule_learned": "x" * 401},
        SQL | {"rule_learned": f"Use {key}.", "description": f"It prints {key}"},
    ]
    record = _learn(project, rows)
    assert (record.mistakes, record.rules) == (2, [])
    assert [one.line for one in record.not_taken] == [1, 2]
    assert "at most 400" in record.not_taken[0].reason and "secret" in record.not_taken[1].reason
    assert key not in record.model_dump_json()
    assert key not in reports.report(project, kind="mistakes").model_dump_json()
    assert key.encode() not in stored(project)


def test_every_shape_of_markdown_is_read(project: Project) -> None:
    """Bullets, bullets below a severity, a heading with fields, nested fields, and rows of a table."""
    record = _learn(project, MARKDOWN, "review.md")
    assert record.by_severity == {"blocker": 2, "warning": 2, "suggestion": 2}
    assert [(rule.category, rule.text) for rule in record.rules] == [
        ("security", "Pass values to SQL as parameters."),
        ("architecture", "Keep retries in one place."),
        ("general", "Give every cache a limit."),
        ("tests", "Test the empty list."),
        ("logging", "Never log a token."),
    ]
    assert [(one.line, one.text) for one in record.not_taken] == [
        (5, "looked at three files"),
        (15, "seen: yesterday"),
        (19, "not a finding"),
    ]
    with project.read() as transaction:
        logged = [event for event in events.every(transaction) if event.kind == "mistake_logged"]
    assert [event.data["file"] for event in logged] == [
        "src/search.py",
        "",
        "src/retry.py",
        "",
        "tests/test_search.py",
        "src/log.py",
    ]
    assert logged[-1].data["description"] == "Token in a log | twice"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("Looks good to me!\n", "no finding was recognised, which does not mean"),
        ("[major] Not in a list\n", "no finding was recognised"),
        ("- [high] security: SQL from strings\n", "'high' is none of blocker"),
        ("### [showstopper] It crashes\n", "'showstopper' is none of"),
        ("| severity | finding |\n|---|---|\n| urgent | It crashes |\n", "'urgent' is none of"),
        ("| severity | finding |\n|---|---|\n|  | It crashes |\n", "severity"),
        ("| prio | finding |\n|---|---|\n| 1 | It crashes |\n", "no column severity"),
    ],
)
def test_markdown_that_says_nothing_clear_is_never_clean(
    project: Project, content: str, problem: str
) -> None:
    """An unknown severity, or a text without findings, is an error that says how to write one."""
    with pytest.raises(InvalidArgument, match=problem):
        _learn(project, content, "review.md")
    assert untouched(project)


_WORDS = st.text(alphabet="abcdefghij `_'0123456789", min_size=1, max_size=40).map(
    lambda text: "w" + " ".join(text.split())
)


@given(
    st.sampled_from(sorted(SEVERITIES)),
    st.text(alphabet="abcdefghij", min_size=1, max_size=12),
    _WORDS,
    st.sampled_from(["", "src/a.py", "src/a.py:12", "a-b/c_d.ts:1-9"]),
    _WORDS | st.just(""),
)
def test_a_finding_written_as_a_bullet_is_read_back(
    severity: str, category: str, description: str, location: str, rule: str
) -> None:
    """Severity, category, description, location and rule come back as they were written."""
    where = f" ({location})" if location else ""
    learned = f" -> rule: {rule}" if rule else ""
    text = f"- [{severity}] {category}: {description}{where}{learned}\n"
    [(line, found)] = raw_findings(text, SEVERITIES).findings
    finding = Finding.model_validate(found)
    assert line == 1
    assert (finding.severity, finding.category, finding.description) == (severity, category, description)
    assert (finding.location, finding.rule_learned) == (location, rule)


_LINES = st.sampled_from(
    ["## Major", "### [minor] a: b", "- [major] x", "- rule: y", "  - why: z", "| severity | issue |",
     "|---|---|", "| major | w |", "```", "> - [major] q", "- [ ] task", ""]
)  # fmt: skip


@given(st.lists(_LINES | st.text(max_size=30), max_size=20))
def test_no_markdown_makes_reading_fail(lines: list[str]) -> None:
    """Whatever stands in the file, findings come with a line and the fields that findings have."""
    raw = raw_findings("\n".join(lines), SEVERITIES)
    for line, values in raw.findings:
        assert line >= 1 and set(values) <= set(Finding.model_fields)


_VERB = st.sampled_from(["use", "run", "commit", "log", "mock"])
_OBJECT = st.text(alphabet="abcdefgh", min_size=2, max_size=10)


@given(
    _VERB, _OBJECT, st.sampled_from(["never", "do not", "don't", "don\u2019t", "avoid to", "cannot", "not"])
)
def test_opposites_never_have_one_form(verb: str, thing: str, negation: str) -> None:
    """A rule and its negation differ in form and hash, however they are emphasised or ended."""
    text, opposite = f"{verb} {thing}", f"{negation} {verb} {thing}"
    for one in (text, f"**{text.title()}**.", f"Please {text}!"):
        for other in (opposite, f"**{opposite.upper()}**.", f"`{opposite}`"):
            assert rule_form(one) != rule_form(other)
            assert rule_hash(one, "", ()) != rule_hash(other, "", ())


def test_hostile_lengths_are_answered_quickly() -> None:
    """Lines that would make a careless pattern try for ever are read in linear time."""
    for line in (" (" + "." * 200_000, "[major] " + "a:" * 100_000, "-> rule: " * 30_000, "*" * 200_000):
        assert raw_findings(f"- [major] x{line}\n\n## {line}\n", SEVERITIES).findings
    assert Finding(description="x", location="a/" * 2_000).file == ""
