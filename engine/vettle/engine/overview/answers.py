"""The page in a few plain sentences, the most important one first."""

from __future__ import annotations

from collections.abc import Iterator

from vettle.engine import overall
from vettle.engine.experiments import next_steps
from vettle.engine.records.overview import ExperimentStanding, Overview
from vettle.engine.wording import counted, one_line

_MOST_EXPERIMENTS = 3


def of(page: Overview) -> list[str]:
    """Say what matters most, what is proven, what went wrong again, what experiments found, what it costs, what to do.

    The first sentence is that of `vettle status`.
    """
    headline = page.status.headline
    said = [*_rules(page), *_mistakes(page), *_experiments(page), *_tokens(page)]
    return [headline, *(one for one in said if one != headline), page.status.next_step]


def _rules(page: Overview) -> Iterator[str]:
    counts = page.status.rules
    proven, pinned, retired, trial = (
        counts.get(name, 0) for name in ("proven", "pinned", "retired", "trial")
    )
    if proven:
        yield overall.proven(page.status)
    elif counts:
        yield f"Nothing is proven yet, after {counted(page.status.sessions.get('scored', 0), 'scored session')}."
    if proven or retired:
        yield f"{retired:,} retired, {trial:,} too early to tell."
    if pinned:
        yield f"{pinned:,} {'rule is' if pinned == 1 else 'rules are'} pinned by a person, whatever the evidence says."


def _mistakes(page: Overview) -> Iterator[str]:
    if page.mistakes.trend is not None and page.mistakes.trend.direction in ("falling", "rising"):
        yield page.mistakes.trend.said
    elif page.mistakes.total:
        # Counts, and no share: of two mistakes half says nothing.
        total = counted(page.mistakes.total, "mistake")
        yield f"{page.mistakes.repeats:,} of {total} had been made by an earlier session."


def _experiments(page: Overview) -> Iterator[str]:
    told = [said for one in page.experiments if (said := _verdict(one))]
    yield from told[:_MOST_EXPERIMENTS]
    if len(told) > _MOST_EXPERIMENTS:
        more = len(told) - _MOST_EXPERIMENTS
        yield f"{counted(more, 'more experiment')} {'has' if more == 1 else 'have'} a verdict."


def _verdict(standing: ExperimentStanding) -> str:
    """Say what an experiment found; nothing while it is too early to tell."""
    verdict = standing.results.frozen or standing.results.verdict
    if verdict is None or not verdict.compared:
        return ""
    if verdict.outcome in ("better", "worse") and verdict.leader is not None:
        return next_steps.finding(standing.results.name, verdict.leader, verdict.losers)
    if verdict.outcome == "equivalent":
        return f'In the experiment "{one_line(standing.results.name)}", the variants do equally well.'
    return ""


def _tokens(page: Overview) -> Iterator[str]:
    cost = page.tokens
    if cost.rendered_rules and cost.candidates > cost.rendered:
        yield f"Every session reads {cost.rendered:,} tokens of rules; all candidates together would be {cost.candidates:,}."
