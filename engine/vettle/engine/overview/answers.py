"""The page in a few plain sentences, the most important one first."""

from __future__ import annotations

from collections.abc import Iterator

from vettle.engine.records.overview import ExperimentStanding, Overview

_MOST_EXPERIMENTS = 3
_MOST_LOSERS = 4
_NAME = 60


def of(page: Overview) -> list[str]:
    """Say what is proven, what went wrong again, what experiments found, what it costs, and what to do next."""
    return [*_rules(page), *_mistakes(page), *_experiments(page), *_tokens(page), page.status.next_step]


def _rules(page: Overview) -> Iterator[str]:
    counts = page.status.rules
    if not counts:
        yield "There are no rules yet."
        return
    proven, pinned, retired = (counts.get(name, 0) for name in ("proven", "pinned", "retired"))
    trial, waiting = counts.get("trial", 0), counts.get("quarantined", 0)
    if proven:
        yield f"{_rules_are(proven, 'proven to help')}{_strongest(page)}."
        yield f"{retired:,} retired, {trial:,} too early to tell."
    else:
        yield f"Nothing is proven yet: {_rules_are(trial, 'on trial')}, after {_sessions(page)}."
    if pinned:
        yield f"{_rules_are(pinned, 'pinned by a person')}, whatever the evidence says."
    if waiting:
        yield f"{waiting:,} in quarantine until a person decides."


def _strongest(page: Overview) -> str:
    """Say what the largest believed effect of a proven rule is, in hundredths of the score; nothing below one."""
    effects = [one.rule.effect for one in page.proven if one.rule.status == "proven"]
    points = round(100 * max(effects, default=0.0))
    if points < 1:
        return ""
    which = "it" if len(effects) == 1 else "the strongest"
    return f"; {which} is believed to add {points} point{'' if points == 1 else 's'} to a score of 100"


def _rules_are(number: int, what: str) -> str:
    return f"1 rule is {what}" if number == 1 else f"{number:,} rules are {what}"


def _sessions(page: Overview) -> str:
    scored = page.status.sessions.get("scored", 0)
    return f"{scored:,} scored session{'' if scored == 1 else 's'}"


def _mistakes(page: Overview) -> Iterator[str]:
    if page.mistakes.trend is not None and page.mistakes.trend.direction in ("falling", "rising"):
        yield page.mistakes.trend.said
    elif page.mistakes.total:
        # Counts, and no share: of two mistakes half says nothing.
        repeats, total = page.mistakes.repeats, page.mistakes.total
        yield f"{repeats:,} of {total:,} mistake{'' if total == 1 else 's'} had been made by an earlier session."


def _experiments(page: Overview) -> Iterator[str]:
    told = [said for one in page.experiments if (said := _verdict(one))]
    yield from told[:_MOST_EXPERIMENTS]
    if len(told) > _MOST_EXPERIMENTS:
        yield f"{len(told) - _MOST_EXPERIMENTS} more experiments have a verdict."


def _verdict(standing: ExperimentStanding) -> str:
    """Say what an experiment found; nothing while it is too early to tell."""
    verdict = standing.results.frozen or standing.results.verdict
    name = _short(standing.results.name)
    if verdict is None or not verdict.compared:
        return ""
    if verdict.outcome in ("better", "worse") and verdict.leader is not None:
        beaten = ", ".join(map(_short, verdict.losers[:_MOST_LOSERS]))
        return f'In the experiment "{name}", {_short(verdict.leader)} is proven better than {beaten}.'
    if verdict.outcome == "equivalent":
        return f'In the experiment "{name}", the variants do equally well.'
    return ""


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _NAME else f"{one_line[: _NAME - 1]}…"


def _tokens(page: Overview) -> Iterator[str]:
    cost = page.tokens
    if cost.rendered_rules and cost.candidates > cost.rendered:
        yield f"Every session reads {cost.rendered:,} tokens of rules; all candidates together would be {cost.candidates:,}."
