"""What went on over time, in text: mistakes and sessions as sparklines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from vettle.engine.records.overview import Overview
from vettle.engine.records.reports import MistakesReport
from vettle.renderers.report import words
from vettle.renderers.report.plain import plots
from vettle.renderers.report.plain.columns import padded, width
from vettle.renderers.report.plain.page import PLAIN, Page
from vettle.renderers.report.plain.tables import Column, table
from vettle.renderers.report.scales import finite

Named = tuple[str, Sequence[float | None]]


def over_time(
    page: Page,
    series: Sequence[Named],
    starts: Sequence[date],
    said: Callable[[float | None], str],
    *,
    zero: bool = False,
) -> None:
    """Add sparklines that share one scale, each with its lowest, highest and latest number, and the days below.

    The latest periods are drawn, as many as there is room for; `zero` makes the scale begin there.
    """
    known = [(name, values) for name, values in series if finite(values)]
    if not known:
        return
    facts = [_facts(values, said) for _, values in known]
    names = [page.plain(name) for name, _ in known]
    first = max(map(width, names))
    room = page.width - first - 4 - max(width(page.plain(fact)) for fact in facts)
    latest = min(len(starts), page.limits.periods)
    beside = room >= latest
    drawn = latest if beside else min(latest, page.width - 2)
    every = finite(value for _, values in known for value in values[-drawn:])
    low, high = min([*every, *([0.0] if zero else [])], default=0.0), max(every, default=0.0)
    for name, (_, values), fact in zip(names, known, facts, strict=True):
        line = plots.sparkline(page.glyphs, values[-drawn:], low, high)
        if beside:
            page.draw(
                [
                    (padded(name, first), "soft"),
                    ("  ", PLAIN),
                    (line, "accent"),
                    (f"  {page.plain(fact)}", PLAIN),
                ]
            )
        else:
            page.say((name, "soft"), f" {fact}")
            page.draw([("  ", PLAIN), (line, "accent")])
    _days(page, starts[-drawn:], first + 2 if beside else 2)


def _facts(values: Sequence[float | None], said: Callable[[float | None], str]) -> str:
    known = finite(values)
    return f"{said(min(known))} to {said(max(known))}, latest {said(known[-1])}"


def _days(page: Page, starts: Sequence[date], before: int) -> None:
    if not starts:
        return
    ends = [page.plain(words.day(starts[0])), page.plain(words.day(starts[-1]))]
    gap = len(starts) - len(ends[0]) - len(ends[1])
    if len(starts) > 1 and gap >= 1:
        page.draw([(" " * before + ends[0] + " " * gap + ends[1], "soft")])
    else:
        said = f"{ends[0]} to {ends[1]}" if len(starts) > 1 else ends[0]
        page.say((said, "soft"), first=" " * (before if before + len(said) <= page.width else 2))


def mistakes(page: Page, overview: Overview) -> None:
    """Add how many mistakes there were, how many had been made before, and which keep coming back."""
    report = overview.mistakes
    page.heading("Mistakes")
    if not report.total:
        page.say("No mistake was logged in this period.")
    else:
        page.say(
            f"{words.counted(report.total, 'mistake')}, of which {words.count(report.repeats)} had been made by an "
            f"earlier session. {report.trend.said if report.trend else ''}"
        )
        _trend(page, report)
        _recurring(page, report)
        _kinds(page, report)
    _failures(page, report)


def _trend(page: Page, report: MistakesReport) -> None:
    trend = report.trend
    if trend is None:
        return
    starts = [period.start for period in trend.periods]
    page.gap()
    page.say((f"By {trend.interval}; a gap is a time without a mistake.", "soft"))
    counts = [float(period.count) or None for period in trend.periods]
    repeats = [float(period.repeats) if period.count else None for period in trend.periods]
    over_time(page, [("mistakes", counts), ("made before", repeats)], starts, words.count, zero=True)
    page.gap()
    shares = [("share made before", [period.rate for period in trend.periods])]
    over_time(page, shares, starts, words.percent, zero=True)


def _recurring(page: Page, report: MistakesReport) -> None:
    shown = report.recurring[: page.limits.rows]
    if shown:
        page.subheading("What keeps coming back, counted from the beginning")
    for mistake in shown:
        page.bullet(
            (mistake.error_class, "strong"),
            f", {words.counted(mistake.occurrences, 'time')}: {mistake.description}",
        )
        known = f"What corrects it: {mistake.correction}" if mistake.correction else "No correction is known."
        page.say((known, "soft"), first="  ")
    page.left_out(len(report.recurring) - len(shown), "mistake")


def _kinds(page: Page, report: MistakesReport) -> None:
    shown = report.by_class[: page.limits.rows]
    if not shown:
        return
    page.subheading("By kind")
    columns = [
        Column("Mistakes", [words.count(kind.count) for kind in shown]),
        Column("Made before", [words.count(kind.repeats) for kind in shown]),
        Column("Share", [words.percent(kind.repeat_rate) for kind in shown]),
    ]
    table(page, "Kind", [[(kind.error_class, PLAIN)] for kind in shown], columns)
    page.left_out(len(report.by_class) - len(shown), "kind")


def _failures(page: Page, report: MistakesReport) -> None:
    shown = report.failures[: page.limits.rows]
    if shown:
        page.subheading("How runs of experiments failed")
    for mode in shown:
        page.bullet(
            (mode.failure_mode or mode.status, "strong"),
            f", {words.counted(mode.count, 'time')}: {words.percent(mode.share)} of all runs, last on {words.day(mode.last)}",
        )
    page.left_out(len(report.failures) - len(shown), "way")


def sessions(page: Page, overview: Overview) -> None:
    """Add how many sessions there were, and how their score went."""
    work = overview.work
    page.heading("Sessions")
    if not work.started:
        page.say("No session in this period.")
    else:
        pace = f" (lately {words.pace(work.pace)})" if words.known(work.pace) else ""
        page.say(
            f"{words.counted(work.started, 'session')} started{pace}, {words.count(work.scored)} scored. A score of 1 is "
            "work that was accepted at once and without a mistake."
        )
        page.gap()
        page.say((f"By {work.interval}; a gap is a time without a scored session.", "soft"))
        starts = [period.start for period in work.periods]
        scores: list[Named] = [("mean score", [period.score for period in work.periods])]
        over_time(page, scores, starts, words.decimal)
        page.gap()
        each: list[Named] = [("mistakes each", [period.mistakes for period in work.periods])]
        over_time(page, each, starts, words.decimal, zero=True)
        page.gap()
        counts: list[Named] = [
            ("started", [float(period.started) or None for period in work.periods]),
            ("scored", [float(period.scored) if period.started else None for period in work.periods]),
        ]
        over_time(page, counts, starts, words.count, zero=True)
    _rewards(page, overview)


def _rewards(page: Page, overview: Overview) -> None:
    rewards = overview.rewards
    if not rewards.total:
        return
    outcomes = [f"{words.count(number)} {name}" for name, number in list(rewards.by_outcome.items())[:6]]
    sources = [
        f"{words.count(mean.n)} from {name} (mean {words.decimal(mean.mean)})"
        for name, mean in list(rewards.by_source.items())[:6]
    ]
    parts = "; ".join(", ".join(part) for part in (outcomes, sources) if part)
    page.gap()
    page.say(
        f"{words.counted(rewards.total, 'reward')} with a mean of {words.decimal(rewards.mean)}: {parts}."
    )
