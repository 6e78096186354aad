"""Which record becomes which plot: numbers go in, and the title says for a screen reader what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup

from vettle.engine.records.experiments import (
    ExperimentResults,
    ExperimentVerdict,
    VariantResult,
    VariantSeries,
)
from vettle.engine.records.overview import Grid, GridCell, RuleStanding, Work
from vettle.engine.records.ranking import RankedVariant
from vettle.engine.records.reports import MistakeTrend
from vettle.renderers.report import words
from vettle.renderers.report.limits import Limits
from vettle.renderers.report.plots import bars, heat, intervals, lines, progress, scatter, sparkline
from vettle.renderers.report.plots.intervals import Interval
from vettle.renderers.report.plots.lines import Line
from vettle.renderers.report.plots.scatter import Dot
from vettle.renderers.report.scales import Scale, finite
from vettle.renderers.report.text import told_apart

_MOST_EFFECT = 0.5
"""Effects beyond this are drawn with an arrow: one rule with hardly a session must not flatten all others."""

# --- rules --------------------------------------------------------------------------------------


def effect_scale(standings: Sequence[RuleStanding]) -> Scale:
    """Return the scale that all rules of a page share."""
    pairs = ((_belief(one), _coins(one)) for one in standings)
    return intervals.scale(
        (interval for interval in chain.from_iterable(pairs) if interval), most=_MOST_EFFECT
    )


def effect_axis(scale: Scale) -> Markup:
    """Draw the scale above the rows."""
    return intervals.axis(scale, "Scale: change of the session score")


def effect_row(scale: Scale, standing: RuleStanding) -> Markup:
    """Draw the effect of one rule: what is believed, and what its coin flips say."""
    rule = standing.rule
    title = f"Effect {words.signed(rule.effect)}, 90 % {words.limits(rule.low, rule.high)}"
    if words.known(rule.causal_effect):
        title += (
            f"; from coin flips {words.signed(rule.causal_effect)}, "
            f"90 % {words.limits(rule.causal_low, rule.causal_high)}"
        )
    return intervals.row(scale, _belief(standing), _coins(standing), title, labels=True)


def evidence_bar(standing: RuleStanding) -> Markup:
    """Draw how far the evidence of a rule on trial has come."""
    e_value = standing.rule.e_works
    title = f"Evidence {words.evidence(e_value)} on the way from 1 to 20, on a log scale"
    return progress.bar(words.share_of_claim(e_value), title)


def _belief(standing: RuleStanding) -> Interval:
    return Interval(standing.rule.effect, standing.rule.low, standing.rule.high)


def _coins(standing: RuleStanding) -> Interval | None:
    rule = standing.rule
    return (
        Interval(rule.causal_effect, rule.causal_low, rule.causal_high)
        if rule.causal_effect is not None
        else None
    )


# --- over time ----------------------------------------------------------------------------------


def score_line(work: Work, limits: Limits) -> Markup:
    """Draw the mean session score over time."""
    periods = work.periods[-limits.periods :]
    return lines.lines(
        [Line("score", [period.score for period in periods])],
        [period.start for period in periods],
        f"Mean session score by {work.interval}",
        "A gap is a time without a scored session.",
    )


def session_bars(work: Work, limits: Limits) -> Markup:
    """Draw how many sessions there were, and how many of them were scored."""
    periods = work.periods[-limits.periods :]
    return bars.bars(
        [period.started for period in periods],
        [period.scored for period in periods],
        [period.start for period in periods],
        f"Sessions by {work.interval}",
        "The filled part of a bar is the sessions that were scored.",
    )


def mistake_bars(trend: MistakeTrend, limits: Limits) -> Markup:
    """Draw how many mistakes there were, and how many of them were repeated."""
    periods = trend.periods[-limits.periods :]
    return bars.bars(
        [period.count for period in periods],
        [period.repeats for period in periods],
        [period.start for period in periods],
        f"Mistakes by {trend.interval}",
        "The filled part of a bar is the mistakes that an earlier session had made already.",
    )


def repeat_line(trend: MistakeTrend, limits: Limits) -> Markup:
    """Draw the share of repeated mistakes over time."""
    periods = trend.periods[-limits.periods :]
    return lines.lines(
        [Line("repeated", [period.rate for period in periods])],
        [period.start for period in periods],
        f"Share of mistakes that were repeated, by {trend.interval}",
        "A gap is a time without a mistake.",
        zero=True,
        percent=True,
    )


def score_spark(work: Work, limits: Limits) -> Markup:
    """Draw the session score as small as a word."""
    values = [period.score for period in work.periods[-limits.periods :]]
    return sparkline.sparkline(values, "How the session score went")


def repeat_spark(trend: MistakeTrend | None, limits: Limits) -> Markup:
    """Draw the share of repeated mistakes as small as a word."""
    values = [period.rate for period in trend.periods[-limits.periods :]] if trend else []
    return sparkline.sparkline(values, "How the share of repeated mistakes went")


# --- experiments --------------------------------------------------------------------------------


@dataclass(frozen=True)
class BoardRow:
    """A variant of a leaderboard with its interval drawn."""

    variant: VariantResult
    drawn: Markup


@dataclass(frozen=True)
class Board:
    """A leaderboard whose rows share one scale; the axis is empty where nothing can be drawn."""

    axis: Markup
    rows: list[BoardRow]
    more: int


def board(results: ExperimentResults, limits: Limits) -> Board:
    """Draw the best rows of a leaderboard."""
    shown = results.leaderboard[: limits.variants]
    more = len(results.leaderboard) - len(shown)
    each = [Interval(one.mean, one.low, one.high) for one in shown]
    if not finite(interval.estimate for interval in each):
        return Board(Markup(""), [BoardRow(one, Markup("")) for one in shown], more)
    scale = intervals.scale(each, zero=False)
    rows = [
        BoardRow(one, intervals.row(scale, interval, None, _mean(one), zero=False))
        for one, interval in zip(shown, each, strict=True)
    ]
    return Board(intervals.axis(scale, "Scale: mean of the metric", zero=False), rows, more)


def _mean(variant: VariantResult) -> str:
    return f"Mean {words.short(variant.mean)}, {words.short(variant.low)} to {words.short(variant.high)}"


def difference(verdict: ExperimentVerdict) -> Markup:
    """Draw the difference of the two variants that a verdict compares; nothing if there is none."""
    interval = Interval(verdict.estimate, verdict.low, verdict.high)
    if not finite((interval.estimate,)):
        return Markup("")
    title = f"Difference {words.change(verdict.estimate)}, {words.change(verdict.low)} to {words.change(verdict.high)}"
    told = verdict.outcome in ("better", "worse")
    return intervals.row(intervals.scale([interval]), interval, None, title, labels=True, told=told)


def chosen_series(results: ExperimentResults, limits: Limits) -> list[VariantSeries]:
    """Return the few variants worth a line: the two compared, the leader, the control, then the best."""
    if results.series is None:
        return []
    verdict = words.standing_verdict(results)
    first = [*(verdict.compared or []), verdict.leader] if verdict else []
    first += [one.name for one in results.leaderboard if one.control]
    order = [*first, *(one.name for one in results.leaderboard)]
    ranks = {name: rank for rank, name in reversed(list(enumerate(order)))}
    found = sorted(results.series.variants, key=lambda one: ranks.get(one.variant, len(order)))
    return found[: min(limits.lines, lines.MOST)]


def series_lines(results: ExperimentResults, limits: Limits) -> Markup:
    """Draw the metric of a few variants over time."""
    if results.series is None:
        return Markup("")
    starts = [start.date() for start in results.series.starts[-limits.periods :]]
    chosen = chosen_series(results, limits)
    names = told_apart([one.variant for one in chosen])
    return lines.lines(
        [Line(name, one.mean[-limits.periods :]) for name, one in zip(names, chosen, strict=True)],
        starts,
        f"The metric over time, by {results.series.interval}",
        "A gap is a time without a run.",
    )


@dataclass(frozen=True)
class HeatCell:
    """A cell of a heat map: its number, how many runs made it, and its shade from 0 to 6."""

    cell: GridCell
    shade: int | None


@dataclass(frozen=True)
class Heat:
    """A heat map: the values of its sides and its rows of cells, and how many values were left out."""

    columns: list[str | float]
    rows: list[tuple[str | float, list[HeatCell]]]
    more: int


def heat_map(grid: Grid, limits: Limits) -> Heat:
    """Shade a grid, cut to as many rows and columns as a page has room for."""
    cells = [row[: limits.cells] for row in grid.cells[: limits.cells]]
    shades = heat.shades([[cell.mean for cell in row] for row in cells])
    rows = [
        (name, [HeatCell(cell, shade) for cell, shade in zip(row, shaded, strict=True)])
        for name, row, shaded in zip(grid.row_values, cells, shades, strict=False)
    ]
    more = max(len(grid.row_values) - limits.cells, 0) + max(len(grid.column_values) - limits.cells, 0)
    return Heat(grid.column_values[: limits.cells], rows, more)


# --- models and tokens --------------------------------------------------------------------------


def cost_scatter(variants: Sequence[RankedVariant]) -> Markup:
    """Draw cost against success for the values of one context; nothing where no cost was recorded."""
    dots = [
        Dot(name, one.cost, Interval(one.mean, one.low, one.high), one.demoted)
        for name, one in zip(told_apart([one.value for one in variants]), variants, strict=True)
        if one.tried
    ]
    return scatter.scatter(
        dots,
        "Mean cost of a run against believed success",
        "Cheap is left, good is up. A vertical line is the 90 % interval; a hollow diamond is advised against.",
        "cost of a run",
    )


def token_bar(tokens: float | None, most: float) -> Markup:
    """Draw a number of tokens as its share of the largest."""
    values = finite((tokens,))
    return progress.share(values[0], most, f"{words.count(values[0])} tokens") if values else Markup("")
