"""Experiments in text: the verdict, a forest plot of the variants, the metric over time, and grids as heat maps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vettle.engine.records.experiments import ExperimentResults, ExperimentVerdict
from vettle.engine.records.overview import ExperimentStanding, Overview
from vettle.renderers.report import figures, sentences, words
from vettle.renderers.report.plain import plots
from vettle.renderers.report.plain.grids import heat_map
from vettle.renderers.report.plain.page import PLAIN, Line, Page, Span
from vettle.renderers.report.plain.tables import Column, Plot, table
from vettle.renderers.report.plain.work import over_time
from vettle.renderers.report.plots import intervals
from vettle.renderers.report.plots.intervals import Interval
from vettle.renderers.report.scales import Scale, finite

_INDENT = "  "
_ROOM = 48


def experiments(page: Page, overview: Overview) -> None:
    """Add every experiment with its verdict; those first in the list with everything that can be drawn."""
    page.heading("Experiments")
    shown = overview.experiments[: page.limits.experiments]
    if shown:
        page.say("A verdict holds however often anybody looks. The highest average never wins by itself.")
    else:
        page.say(
            "No experiment yet. vettle experiment create compares two prompts, models or settings, or a whole grid of "
            "them."
        )
    for number, standing in enumerate(shown):
        _experiment(page, standing, plotted=number < page.limits.plots)
    page.gap()
    page.left_out(len(overview.experiments) - len(shown) + overview.more_experiments, "experiment")


def results(page: Page, answer: ExperimentResults) -> None:
    """Add all that one answer about an experiment tells, as a page of its own."""
    page.say((answer.name, "strong"), (f"  {answer.experiment_id}", "soft"))
    page.say((page.joined(_facts(answer)), "soft"), first=_INDENT)
    verdict(page, answer)
    _failures(page, answer)
    variants(page, answer)
    _marginals(page, answer)
    _series(page, answer)
    for note in answer.notes:
        page.say((note, "soft"), first=_INDENT)


def _marginals(page: Page, answer: ExperimentResults) -> None:
    """Add the mean of each value, or combination of values, of what was asked by."""
    if not answer.marginals:
        return
    page.gap()
    shown = answer.marginals
    names: list[list[Span]] = [[(", ".join(map(_named, one.values)), PLAIN)] for one in shown]
    columns = [
        Column("Mean", [words.short(one.mean) for one in shown]),
        Column("Runs", [words.count(one.n) for one in shown]),
        Column("Missing", [words.count(one.missing) for one in shown]),
    ]
    table(page, ", ".join(answer.by), names, columns)


def _named(value: str | float) -> str:
    return value if isinstance(value, str) else words.short(value)


def _experiment(page: Page, standing: ExperimentStanding, *, plotted: bool) -> None:
    results = standing.results
    page.subheading(results.name)
    _origin(page, standing)
    if standing.description:
        page.say(standing.description, first=_INDENT)
    verdict(page, results)
    _failures(page, results)
    variants(page, results)
    if plotted:
        _series(page, results)
        for grid in standing.grids[:2]:
            heat_map(page, grid)
        page.left_out(len(standing.grids) - 2, "grid")
    for note in results.notes[:3]:
        page.say((note, "soft"), first=_INDENT)


def _origin(page: Page, standing: ExperimentStanding) -> None:
    begun = f"started {words.day(standing.started)}" if standing.started else ""
    about = f"for {standing.context}" if standing.context else ""
    page.say((page.joined((*_facts(standing.results), begun, about)), "soft"), first=_INDENT)


def _facts(answer: ExperimentResults) -> tuple[str, ...]:
    unit = f" in {answer.metric_unit}" if answer.metric_unit else ""
    better = "no direction declared" if answer.direction == "unknown" else f"{answer.direction} is better"
    return (
        words.state(answer.state),
        words.counted(answer.runs, "run"),
        f"{answer.metric}{unit}: {better}",
        "exploratory: another metric decides" if answer.exploratory else "",
        "verdict frozen when it was closed" if answer.frozen else "",
    )


def verdict(page: Page, results: ExperimentResults) -> None:
    """Add what may be said about an experiment, why, and the difference that it rests on."""
    said = words.standing_verdict(results)
    won = said is not None and said.outcome in ("better", "worse")
    named = f": {said.leader}" if won and said and said.leader else ""
    bad = said is not None and said.outcome == "invalid"
    page.say((words.outcome(said) + named, "helps" if won else "hurts" if bad else "strong"), first=_INDENT)
    if said is None:
        return
    for reason in said.reasons[:4]:
        page.say(reason, first=f"{_INDENT}{page.glyphs.bullet} ", rest=_INDENT + "  ")
    difference(page, said)
    page.say(("Next: ", "strong"), said.next_step, first=_INDENT)


def difference(page: Page, said: ExperimentVerdict) -> None:
    """Add the difference of the two variants that a verdict compares around zero; nothing if there is none."""
    interval = Interval(said.estimate, said.low, said.high)
    if not finite((interval.estimate,)) or len(said.compared or []) < 2:
        return
    first, second = (said.compared or [])[:2]
    page.say(f"{first} minus {second}: {sentences.difference(said)}", first=_INDENT)
    scale = intervals.scale([interval])
    room = min(page.width - len(_INDENT), _ROOM)
    page.draw([(_INDENT + page.plain(plots.axis(scale, room)), "soft")])
    page.draw([(_INDENT, PLAIN), *plots.interval(page.glyphs, scale, interval, room, page.glyphs.belief)])


def _failures(page: Page, results: ExperimentResults) -> None:
    """Add the checks that failed and the guardrails that are breached."""
    rows = page.limits.rows
    failed = [check for check in results.checks if not check.ok]
    breached = [guardrail for guardrail in results.guardrails if guardrail.breached]
    for check in failed[:rows]:
        kind = "Fatal check" if check.fatal else "Check"
        page.say((f"{kind} failed, {check.name}: ", "hurts"), check.detail, first=_INDENT)
    for one in breached[:rows]:
        page.say(
            ("Guardrail breached: ", "hurts"),
            f"{one.variant} harms {one.metric} by more than its margin of {words.short(one.margin)} "
            f"(evidence {words.evidence(one.e_value)}, {words.counted(one.runs, 'run')})",
            first=_INDENT,
        )
    page.left_out(max(len(failed) - rows, 0) + max(len(breached) - rows, 0), "failure", _INDENT)


def variants(page: Page, results: ExperimentResults) -> None:
    """Add the best rows of a leaderboard as a forest plot, whose intervals share one scale."""
    shown = results.leaderboard[: page.limits.variants]
    if not shown:
        return
    page.gap()
    each = [Interval(one.mean, one.low, one.high) for one in shown]
    names: list[list[Span]] = []
    for one in shown:
        marks = [mark for mark, is_so in (("control", one.control), ("out", one.eliminated)) if is_so]
        names.append([(one.name, PLAIN), (f" ({', '.join(marks)})" if marks else "", "soft")])
    columns = [
        Column("Mean", [words.short(one.mean) for one in shown]),
        Column(sentences.LEVEL, [f"{words.short(one.low)} to {words.short(one.high)}" for one in shown]),
        Column("Runs", [words.count(one.n) for one in shown]),
        Column("Missing", [words.count(one.missing) for one in shown]),
        Column("Cost", [words.short(one.cost) for one in shown]),
    ]
    table(page, "Variant", names, columns, forest(page, each))
    page.left_out(len(results.leaderboard) - len(shown), "variant")


def forest(page: Page, each: list[Interval]) -> Plot | None:
    """Return the drawings of intervals beside each other, or None where not one can be drawn."""
    if not finite(one.estimate for one in each):
        return None
    scale = intervals.scale(each, zero=False)
    rows: list[Callable[[int], Line]] = [partial(_forest_row, page, scale, one) for one in each]
    return Plot(rows, lambda room: page.plain(plots.axis(scale, room, zero=False)))


def _forest_row(page: Page, scale: Scale, of: Interval, room: int) -> Line:
    return plots.interval(page.glyphs, scale, of, room, page.glyphs.belief, zero=False)


def _series(page: Page, results: ExperimentResults) -> None:
    chosen = figures.chosen_series(results, page.limits)
    if results.series is None or not any(finite(one.mean) for one in chosen):
        return
    page.gap()
    page.say((f"The metric by {results.series.interval}; a gap is a time without a run.", "soft"))
    starts = [start.date() for start in results.series.starts]
    over_time(page, [(one.variant, one.mean) for one in chosen], starts, words.short)
    page.left_out(len(results.series.variants) - len(chosen), "variant")
