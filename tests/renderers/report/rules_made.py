"""Rules, mistakes, sessions and decisions for the overviews of the tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random

from vettle.engine import effects
from vettle.engine.records.base import RuleStatus
from vettle.engine.records.diagnosis import StatusInDetail
from vettle.engine.records.overview import DecisionTaken, RuleStanding, Work, WorkPeriod
from vettle.engine.records.reports import (
    CostsReport,
    DaySpending,
    Mean,
    MistakeClass,
    MistakePeriod,
    MistakesReport,
    MistakeTrend,
    RewardsReport,
    RuleSpending,
    Spending,
)
from vettle.engine.records.rules import Confidence, Estimate, RuleDetails
from vettle.engine.records.sessions import PastMistake

PROVEN_TEXTS = (
    "Run the type checker on the files you changed before you say that you are done.",
    "Read the failing test before you touch the code it tests.",
    "Never edit generated files; change the generator and run `make generate`.",
    "After a refactoring, search the whole repository for the old name.",
)
TRIAL_TEXTS = (
    "Write the migration and its rollback in the same commit.",
    "Prefer small pure functions over classes without state.",
    "Ask for the reproduction before proposing a fix for a bug report.",
    "Keep public signatures as they are unless the task says otherwise.",
    "Do not add a dependency when the standard library has it.",
    "Log with structured fields, never with formatted strings.",
)
RETIRED_TEXTS = (
    "Think step by step and write a detailed plan before every change.",
    "Add a comment above every function that explains what it does.",
    "Always use emoji in commit messages 🚀",
)


def standing(
    identifier: str,
    text: str,
    status: RuleStatus,
    now: datetime,
    *,
    effect: float,
    sd: float,
    e_works: float = 1.0,
    e_hurts: float = 0.4,
    shown: int = 120,
    withheld: int = 31,
    needed: int | None = None,
    reason: str = "",
    context: str = "",
) -> RuleStanding:
    """Return a rule whose belief is normal with this mean and standard deviation."""
    low, high = effect - 1.645 * sd, effect + 1.645 * sd
    coin = withheld >= effects.WITHHELD_FOR_INTERVAL
    chance = effects.chance_above(0.0, effect, sd)
    estimate = Estimate(
        effect=effect,
        low=low,
        high=high,
        chance_helps=chance,
        shown=shown,
        withheld=withheld,
        e_works=e_works,
        e_hurts=e_hurts,
        sessions_needed=needed,
    )
    confidence: Confidence = "entrenched" if status == "proven" else "provisional"
    rule = RuleDetails(
        id=identifier,
        text=text,
        status=status,
        verdict=f"retired: {reason}" if status == "retired" else effects.verdict(estimate, status),
        confidence=confidence,
        effect=effect,
        low=low,
        high=high,
        chance_helps=chance,
        shown=shown,
        withheld=withheld,
        category="workflow",
        context=context,
        globs=("**/*.py",) if context else (),
        source="human",
        reason=reason,
        rationale="",
        created=now - timedelta(days=60),
        e_works=e_works,
        e_hurts=e_hurts,
        causal_effect=effect + 0.01 if coin else None,
        causal_low=effect - 3 * sd if coin else None,
        causal_high=effect + 3.1 * sd if coin else None,
        missing_suspected=False,
    )
    days = None if needed is None else needed / 6.5
    return RuleStanding(
        rule=rule,
        since=now - timedelta(days=9, hours=len(text)),
        tokens=math.ceil(len(text) / 4),
        sessions_needed=needed,
        days_needed=days,
        flips=5 * withheld,
    )


def proven(now: datetime) -> list[RuleStanding]:
    """Return three proven rules and a pinned one that is not proven."""
    numbers = ((0.142, 0.031, 412.0, 188, 47), (0.118, 0.036, 61.3, 171, 40), (0.093, 0.033, 23.4, 240, 61))
    said = "E reached 20 on recorded coin flips"
    made = [
        standing(
            f"proven-{number}-4f2a1{number}",
            text,
            "proven",
            now,
            effect=effect,
            sd=sd,
            e_works=e,
            shown=shown,
            withheld=withheld,
            reason=said,
            context="bug-fix" if number == 1 else "",
        )
        for number, (text, (effect, sd, e, shown, withheld)) in enumerate(
            zip(PROVEN_TEXTS, numbers, strict=False)
        )
    ]
    pinned = standing(
        "search-the-whole-9c01de",
        PROVEN_TEXTS[3],
        "pinned",
        now,
        effect=0.021,
        sd=0.04,
        e_works=1.3,
        reason="team decision after the incident of October",
    )
    return [*made, pinned]


def trial(now: datetime) -> list[RuleStanding]:
    """Return six rules on trial, the nearest to a proof first."""
    numbers = (
        (0.081, 0.036, 11.2, 96, 24, 58),
        (0.052, 0.041, 4.1, 88, 20, 190),
        (0.034, 0.047, 1.6, 61, 15, 820),
        (0.004, 0.052, 0.9, 40, 9, None),
        (-0.018, 0.06, 0.5, 33, 8, None),
        (0.0, 0.1, 1.0, 3, 0, None),
    )
    return [
        standing(
            f"trial-{number}-77ab3{number}",
            text,
            "trial",
            now,
            effect=effect,
            sd=sd,
            e_works=e,
            shown=shown,
            withheld=withheld,
            needed=needed,
        )
        for number, (text, (effect, sd, e, shown, withheld, needed)) in enumerate(
            zip(TRIAL_TEXTS, numbers, strict=True)
        )
    ]


def retired(now: datetime) -> list[RuleStanding]:
    """Return a rule that hurts, one that is not believed to help, and one that a person took out."""
    return [
        standing(
            "think-step-0a11c2",
            RETIRED_TEXTS[0],
            "retired",
            now,
            effect=-0.094,
            sd=0.03,
            e_works=0.01,
            e_hurts=27.5,
            reason="it hurts: E reached 20 on recorded coin flips",
        ),
        standing(
            "add-a-comment-5d20b7",
            RETIRED_TEXTS[1],
            "retired",
            now,
            effect=0.003,
            sd=0.02,
            e_works=0.7,
            reason="P(effect > .05) = .02",
        ),
        standing(
            "always-use-emoji-11fe90",
            RETIRED_TEXTS[2],
            "retired",
            now,
            effect=-0.01,
            sd=0.09,
            shown=4,
            withheld=1,
            reason="no, thank you (Mira)",
        ),
    ]


def work(now: datetime, weeks: int, generator: Random) -> Work:
    """Return weeks of slowly improving sessions, with a holiday in the middle."""
    monday = now.date() - timedelta(days=now.weekday())
    periods = []
    for number in range(weeks):
        started = 0 if number == weeks // 2 else generator.randrange(18, 46)
        scored = round(started * 0.9)
        periods.append(
            WorkPeriod(
                start=monday - timedelta(weeks=weeks - 1 - number),
                started=started,
                scored=scored,
                score=min(0.58 + 0.018 * number + generator.uniform(-0.03, 0.03), 0.95) if scored else None,
                mistakes=max(1.9 - 0.09 * number + generator.uniform(-0.2, 0.2), 0.1) if scored else None,
            )
        )
    return Work(
        interval="week",
        periods=periods,
        started=sum(period.started for period in periods),
        scored=sum(period.scored for period in periods),
        pace=6.5,
    )


def mistakes(starts: Sequence[date], generator: Random) -> MistakesReport:
    """Return mistakes whose repeat rate falls."""
    periods = []
    for number, start in enumerate(starts):
        count = 0 if number == len(starts) // 2 else generator.randrange(20, 44)
        repeats = round(count * max(0.42 - 0.022 * number, 0.1))
        periods.append(
            MistakePeriod(start=start, count=count, repeats=repeats, rate=repeats / count if count else None)
        )
    total, repeats = sum(period.count for period in periods), sum(period.repeats for period in periods)
    classes = ("missing-import", "wrong-fixture", "edited-generated-file", "type-error", "stale-snapshot")
    recurring = (
        ("missing-import", "NameError: name 're' is not defined in app/parse.py", "import re at the top", 19),
        (
            "edited-generated-file",
            "schema_pb2.py was edited by hand",
            "change schema.proto, make generate",
            11,
        ),
        ("wrong-fixture", "the test used `client` without the database", "", 7),
    )
    return MistakesReport(
        total=total,
        repeats=repeats,
        repeat_rate=repeats / total,
        by_class=[
            MistakeClass(
                error_class=name,
                count=90 - 16 * rank,
                repeats=38 - 8 * rank,
                repeat_rate=(38 - 8 * rank) / (90 - 16 * rank),
            )
            for rank, name in enumerate(classes)
        ],
        recurring=[
            PastMistake(
                mistake_id=f"m-{count:012x}",
                error_class=error_class,
                description=description,
                correction=correction,
                occurrences=count,
            )
            for error_class, description, correction, count in recurring
        ],
        severities={"blocker": 31, "warning": total - 90, "suggestion": 59},
        trend=MistakeTrend(
            interval="week",
            periods=periods,
            direction="falling",
            change=-0.24,
            low=-0.36,
            high=-0.12,
            said="The repeat rate is falling, by -24 points over 84 days (95 % -36 to -12).",
        ),
    )


def no_mistakes() -> MistakesReport:
    """Return the report of a period without a mistake."""
    return MistakesReport(total=0, repeats=0, repeat_rate=None, by_class=[], recurring=[])


def rewards() -> RewardsReport:
    """Return rewards of two sources."""
    return RewardsReport(
        total=331,
        mean=0.713,
        by_outcome={"accepted": 201, "revision": 88, "rejected": 42},
        by_source={"ci": Mean(n=220, mean=0.74), "human": Mean(n=111, mean=0.66)},
    )


def no_rewards() -> RewardsReport:
    """Return the report of a period without a reward."""
    return RewardsReport(total=0, mean=None, by_outcome={}, by_source={})


def spending(name: str, runs: int, cost: float) -> Spending:
    """Return what a group of runs has cost, a tenth of it for runs that failed."""
    mean = cost / runs if runs else None
    return Spending(
        name=name,
        runs=runs,
        failed=runs // 10,
        tokens_in=runs * 4_100,
        tokens_out=runs * 900,
        tokens_median=4_800.0 if runs else None,
        cost=cost,
        cost_mean=mean,
        cost_median=mean,
        wasted=cost / 10,
        duration_ms=runs * 41_000.0,
        duration_mean=41_000.0 if runs else None,
        duration_median=38_500.0 if runs else None,
        duration_fastest=4_000.0 if runs else None,
        duration_slowest=220_000.0 if runs else None,
    )


def costs(starts: Sequence[date], runs: int = 640, cost: float = 88.4) -> CostsReport:
    """Return costs of runs, evenly over the periods."""
    days = [
        DaySpending(
            day=start, runs=runs // len(starts), tokens=5_000 * runs // len(starts), cost=cost / len(starts)
        )
        for start in starts
    ]
    return CostsReport(
        total=spending("all runs", runs, cost),
        wasted_share=0.1 if runs else None,
        experiments=[spending("prompt wording", runs // 2, cost / 2)] if runs else [],
        variants=[spending("prompt wording / short", runs // 4, cost / 5)] if runs else [],
        contexts=[spending("bug-fix", runs // 2, cost / 2)] if runs else [],
        days=days,
        rules=RuleSpending(
            sessions=runs, tokens=212.0 if runs else None, trial_tokens=61.5 if runs else None
        ),
    )


def status(rules: dict[str, int], scored: int, next_step: str, waiting: Sequence[str] = ()) -> StatusInDetail:
    """Return the status of a project with these counts."""
    return StatusInDetail(
        headline="Three rules are proven to help.",
        project="/home/mira/checkout/parcel-tracker",
        store="/home/mira/checkout/parcel-tracker/.vettle/vettle.db",
        version="0.1.0",
        schema_version=7,
        rules=rules,
        sessions={"open": 1, "ended": 0, "scored": scored, "abandoned": 9, "unrewarded": 12}
        if scored
        else {},
        experiments={"running": 2, "concluded": 1} if scored else {},
        mistakes=322 if scored else 0,
        rewards=scored,
        open_sessions=[],
        needs_person=list(waiting),
        warnings=["12 ended sessions have no reward: they are no evidence."] if scored else [],
        next_step=next_step,
    )


def decisions(now: datetime) -> list[DecisionTaken]:
    """Return decisions about rules and an experiment, newest first."""
    rows: tuple[tuple[str, str, str, str, str, str, str, dict[str, float]], ...] = (
        (
            "rule",
            "proven-0-4f2a10",
            PROVEN_TEXTS[0],
            "trial",
            "proven",
            "vettle",
            "E reached 20",
            {"e": 21.4},
        ),
        (
            "rule",
            "think-step-0a11c2",
            RETIRED_TEXTS[0],
            "trial",
            "retired",
            "vettle",
            "it hurts: E reached 20",
            {"e_hurts": 20.3, "shown": 88, "withheld": 23},
        ),
        ("experiment", "x-1", "prompt wording", "running", "concluded", "mira", "enough", {}),
        ("rule", "always-use-emoji", RETIRED_TEXTS[2], "trial", "retired", "mira", "no, thank you", {}),
    )
    return [
        DecisionTaken.model_validate(
            {
                "when": now - timedelta(days=3 + 4 * number),
                "kind": kind,
                "subject": subject,
                "title": title,
                "old": old,
                "new": new,
                "by": by,
                "reason": reason,
                "evidence": evidence,
            }
        )
        for number, (kind, subject, title, old, new, by, reason, evidence) in enumerate(rows)
    ]
