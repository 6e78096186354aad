"""What the page says of more than one number, once for the HTML file and for the terminal."""

from __future__ import annotations

import re

from vettle.engine.effects import CLAIM
from vettle.engine.records.experiments import ExperimentVerdict
from vettle.engine.records.overview import DecisionTaken, Overview, RuleStanding, RuleTokens
from vettle.engine.wording import NO_COIN, estimated, fallen, until_proof
from vettle.renderers.report import words

NOTHING_PROVEN = (
    "Nothing is proven yet. A proof takes dozens of sessions in which a coin decided whether the rule is shown if it "
    "helps a lot, and hundreds or more if it helps a little."
)
AFTERWARDS = (
    "Each session gets a few rules and is told afterwards how it went; after dozens of sessions, or hundreds for what "
    "helps only a little, this page says which rules help."
)
EVIDENCE = (
    f"Evidence begins at 1, and {CLAIM:.0f} is proof. It grows while sessions that are shown the rule go better than "
    "those it is withheld from, and shrinks while they do not. The bar is on a log scale."
)
READING = (
    "Opinions steer, coin flips prove: what is believed about a rule decides how often it is tried, but only sessions "
    "in which a recorded coin decided whether it is shown can prove it. An effect is the change of the session score, "
    "which lies between 0 and 1; an interval that crosses zero proves neither help nor harm by itself. Evidence of "
    f"{CLAIM:.0f} is proof at 5 %, for each rule by itself: of 100 rules that do not help, at most 5 on average would "
    "ever get there, however often anybody looks."
)
COARSER = (
    "An interval by coin flips that still holds zero is no contradiction: it is computed in a coarser way, and says how "
    "large the effect may be. What proves is the evidence."
)
LEVEL = "95 % interval"
"""What stands above the limits of each variant: they hold at any time, for one variant by itself."""

NOTHING_DECIDED = "Nothing was decided yet."

_BELIEF = re.compile(r"P\(effect > (\d*\.?\d+)\) (=|<) (\d*\.?\d+)")
_EVIDENCE = re.compile(r"^(works|hurts): E([=>])(\S+)")


def outlook(standing: RuleStanding) -> str:
    """Say how long it takes until a rule on trial is proven, and why no coin decided about it yet if none did."""
    days = standing.days_needed
    said = until_proof(standing.sessions_needed, days if words.known(days) else None)
    shown = standing.rule.shown
    if standing.flips or not shown:
        return said
    return f"{NO_COIN[0].upper()}{NO_COIN[1:]}. {said}"


def proof(standing: RuleStanding) -> str:
    """Say what the evidence of a proven rule means: a proof stands, although the evidence may have fallen since."""
    evidence = standing.rule.e_works
    if standing.rule.status != "proven" or not 0 <= evidence < CLAIM:
        return words.fluke(evidence)
    then = standing.proven_with if words.known(standing.proven_with) else None
    return f"{fallen(then, words.day(standing.since), evidence)} {words.fluke(then or CLAIM)}"


def needed(standing: RuleStanding) -> str:
    """Return the sessions that are still needed as a cell of a table: "about 120", "more than 10,000", "not known"."""
    number = standing.sessions_needed
    return "not known" if number is None else estimated(number)


def rules_of(overview: Overview, *statuses: str) -> int:
    """Return how many rules have one of these statuses, those that the page's lists leave out included."""
    return sum(overview.status.rules.get(status, 0) for status in statuses)


def is_open(standing: RuleStanding) -> bool:
    """Tell whether a rule is proven although the interval of its coin flips holds zero, which asks for a word."""
    rule = standing.rule
    return rule.e_works >= CLAIM and rule.causal_low is not None and rule.causal_low <= 0.0


def plainly(logged: str) -> str:
    """Return the reason of a decision for people: what is logged as a formula is said; all else stays as it is."""
    return _EVIDENCE.sub(_evidence, _BELIEF.sub(_chance, logged))


def _evidence(found: re.Match[str]) -> str:
    claim, sign, number = found.groups()
    return f"{claim}: evidence {'over ' if sign == '>' else ''}{number}"


def _chance(found: re.Match[str]) -> str:
    effect, sign, chance = found.groups()
    share = f"below {words.percent(float(chance))}" if sign == "<" else words.chance(float(chance))
    points = f"{100 * float(effect):.0f}"
    return f"the chance that it adds more than {points} points to a score of 100 is {share}"


def discoveries(overview: Overview) -> str:
    """Say how many rules pass the test for whole lists, "" where there is no list."""
    passed = len(overview.discoveries)
    if len(overview.proven) < 2 or not passed:
        return ""
    also = f"{words.counted(passed, 'rule')} also pass{'es' if passed == 1 else ''}"
    return (
        f"{also} the stricter test for a whole list of rules, which expects at most 1 in 20 of those that pass it to be "
        "false."
    )


def saved(tokens: RuleTokens) -> str:
    """Say what retiring rules has saved: a sum that holds only for rules that every session would have read."""
    estimated = "Tokens are estimated, one for four characters."
    if not tokens.retired_rules:
        return estimated
    number = tokens.retired_rules
    return (
        f"In a file that every session reads, the {words.counted(number, 'retired rule')} would have cost about "
        f"{words.counted(tokens.saved, 'token')} since {'it was' if number == 1 else 'they were'} retired. {estimated}"
    )


def retired_count(tokens: RuleTokens) -> str:
    """Say what stands beside the tokens that are saved."""
    if not tokens.retired_rules:
        return "no rule is retired yet"
    return f"had every session read the {words.counted(tokens.retired_rules, 'retired rule')}"


def latest_score(overview: Overview) -> tuple[str, str]:
    """Return the mean score of the latest day or week that has one, and how many sessions it and the page are about."""
    scored = [one for one in overview.work.periods if words.known(one.score)]
    if not scored:
        return words.UNKNOWN, words.counted(overview.work.scored, "session") + " scored"
    latest = scored[-1]
    sessions = f"{words.counted(latest.scored, 'session')}; {words.count(overview.work.scored)} in all"
    return words.decimal(latest.score), sessions


def difference(verdict: ExperimentVerdict) -> str:
    """Say what a verdict rests on: the difference of the two it compares, with its interval and its evidence."""
    numbers = (
        f"{words.change(verdict.estimate)} ({words.change(verdict.low)} to {words.change(verdict.high)}, "
        f"{limits_of(verdict)})"
    )
    picked = verdict.outcome == "insufficient" and verdict.e_value >= CLAIM
    more = "; of a pair picked from several variants, more is asked" if picked else ""
    return f"{numbers}; evidence {words.evidence(verdict.e_value)}{more}"


def grounds(decision: DecisionTaken) -> str:
    """Say what the numbers beside a decision about a rule are: what decided, or what a person could have known."""
    decided = decision.kind == "experiment" or decision.by == "evidence"
    return "On this evidence" if decided else "Known by then"


def limits_of(verdict: ExperimentVerdict) -> str:
    """Say what the interval of a difference promises, "95 % at any time"."""
    level = f"{words.percent(1.0 - verdict.alpha)} " if verdict.alpha is not None else ""
    return f"{level}at any time{' in large samples' if verdict.asymptotic else ''}"
