"""Learning from a review: every finding is a mistake, and what would have prevented it a candidate rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from vettle.engine import mistakes, quarantine, similarity
from vettle.engine.candidates.findings import Finding, Review, read
from vettle.engine.candidates.naming import display
from vettle.engine.candidates.taking import Candidate, Taking, left_out, take
from vettle.engine.errors import InvalidArgument
from vettle.engine.identifiers import canonical_json, reference_uid
from vettle.engine.imports import Found
from vettle.engine.project import Project
from vettle.engine.records.candidates import ReviewAction, ReviewLearned
from vettle.engine.store import Transaction, events

_NO_CATEGORY = "review"
_RATIONALE_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class _News:
    """A finding that this file has not taught before, with the uid that it is logged under."""

    number: int
    finding: Finding
    uid: bytes


def learn(project: Project, path: Path, *, apply: bool = True) -> ReviewLearned:
    """Learn from the findings of a review file, all in one transaction.

    A finding is known by its content and the file's name, so learning a file again changes nothing, and of
    one that has grown only the new findings count. Before `apply` no mistake is compared with earlier ones.

    Raises:
        SourceDamaged, InvalidArgument: The file or a finding is wrong; nothing was recorded.
    """
    name = display(project, path)
    review = read(path, name)
    with project.write() if apply else project.read() as transaction:
        news = _news(transaction, name, review)
        repeats = [_log(project, transaction, name, one) for one in news] if apply else []
        taking = take(
            transaction, [_candidate(name, one) for one in news if one.finding.rule_learned], apply=apply
        )
    severities: Counter[str] = Counter(finding.weight for _, finding in review.findings)
    passed = [left_out(*one) for one in review.passed] + [report for _, report in taking.not_taken]
    return ReviewLearned(
        path=name,
        findings=len(review.findings),
        known=len(review.findings) - len(news),
        by_severity={weight: severities[weight] for weight in ("blocker", "warning", "suggestion")},
        action=action(severities),
        mistakes=len(news),
        repeats=sum(repeats),
        rules=taking.rules,
        counts=taking.counts,
        not_taken=sorted(passed, key=lambda one: one.line),
        ignored=[quarantine.shown(quarantine.redact(key), 40) for key in review.ignored[:20]],
        applied=apply,
        next_step=_next_step(severities, review, taking, apply),
    )


def action(severities: Counter[str]) -> ReviewAction:
    """Return what to do about a review: its worst finding decides, and clean has none at all."""
    if severities["blocker"]:
        return "fix_blockers"
    if severities["warning"]:
        return "fix_warnings"
    return "weigh_suggestions" if severities.total() else "clean"


def _news(transaction: Transaction, name: str, review: Review) -> list[_News]:
    found: dict[bytes, _News] = {}
    for number, finding in review.findings:
        uid = reference_uid("review", f"{name}\n{canonical_json(finding.model_dump())}")
        if uid not in found and events.with_uid(transaction, uid) is None:
            found[uid] = _News(number, finding, uid)
    return list(found.values())


def _log(project: Project, transaction: Transaction, name: str, news: _News) -> bool:
    """Log a finding as a mistake of no session; return whether an earlier mistake is the same."""
    finding = news.finding
    error_class = finding.category or _NO_CATEGORY
    description = quarantine.redact(finding.description)
    event = mistakes.append(
        transaction,
        news.uid,
        error_class=error_class,
        description=description,
        matches=similarity.similar(transaction, error_class, description, limit=3),
        severity=finding.weight,
        file=_file(project, finding),
        correction=quarantine.redact(finding.rule_learned),
        context="",
        named_shown=False,
        named_now=False,
        location=quarantine.redact(finding.location),
        origin=f"{name}:{news.number}",
    )
    return bool(event.data["same_as"])


def _file(project: Project, finding: Finding) -> str:
    """Return the file that a finding is about, "" unless it lies inside the project."""
    try:
        return project.relative("location", finding.file)
    except InvalidArgument:
        return ""


def _candidate(name: str, news: _News) -> Candidate:
    finding = news.finding
    reasons = [part for part in (finding.why_it_matters, finding.functional_principle) if part]
    found = Found(
        finding.rule_learned,
        (),
        f"{name}:{news.number}",
        category=finding.category or "general",
        rationale=" ".join(" ".join(reasons).split())[:_RATIONALE_CHARACTERS],
        source="mistake",
    )
    return Candidate(found, news.number, again=reference_uid("review rule", news.uid.hex()))


def _next_step(severities: Counter[str], review: Review, taking: Taking, apply: bool) -> str:
    steps: dict[ReviewAction, str] = {
        "fix_blockers": f"Fix the blockers first ({severities['blocker']}), then review again.",
        "fix_warnings": f"No blocker. Fix the warnings ({severities['warning']}), or ask a person whether to keep them.",
        "weigh_suggestions": f"Only suggestions ({severities['suggestion']}): take them or leave them.",
        "clean": "The review found nothing.",
    }
    step = [steps[action(severities)]]
    if review.passed:
        step.append(f"Passages that were no findings: {len(review.passed)}, see not_taken.")
    if taking.counts.get("quarantined"):
        step.append("Some rules need a person: vettle rules --status quarantined.")
    if not apply:
        step.append("Nothing was recorded. To learn: the same command without --dry-run.")
    return " ".join(step)
