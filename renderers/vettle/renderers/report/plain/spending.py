"""What models and rules cost, in text, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence

from vettle.engine.records.overview import DecisionTaken, Overview
from vettle.engine.records.ranking import ContextRanking
from vettle.renderers.report import sentences, words
from vettle.renderers.report.plain import plots
from vettle.renderers.report.plain.experiments import forest
from vettle.renderers.report.plain.page import PLAIN, Line, Page
from vettle.renderers.report.plain.tables import Column, Plot, table
from vettle.renderers.report.plots.intervals import Interval
from vettle.renderers.report.scales import finite


def models(page: Page, overview: Overview) -> None:
    """Add what is believed of each model: its success with an interval, and what a run costs."""
    page.heading("Models")
    ranked = overview.models
    if ranked is None:
        page.say("No session or run has named its model yet.")
        return
    page.say(
        f"What is believed from {words.counted(ranked.results, 'result')}, with strength shared between contexts. It "
        "informs and proves nothing: only an experiment between two models does."
    )
    if ranked.default_chain:
        _chain(page, "For any context, fall back in this order: ", ranked.default_chain)
    for context in ranked.contexts[: page.limits.plots]:
        _context(page, context)
    page.gap()
    page.left_out(len(ranked.contexts[page.limits.plots :]) + ranked.more_contexts, "context")


def _chain(page: Page, before: str, values: Sequence[str]) -> None:
    page.say(before, (" > ".join(values[: page.limits.rows]), "strong"))
    page.left_out(len(values) - page.limits.rows, "model")


def _context(page: Page, context: ContextRanking) -> None:
    page.subheading(context.context)
    _chain(page, f"{words.counted(context.results, 'result')}; fall back in this order: ", context.chain)
    shown = context.variants[: page.limits.variants]
    if shown:
        page.gap()
        columns = [
            Column("Success", [words.percent(one.mean) for one in shown]),
            Column("90 %", [f"{words.percent(one.low)} to {words.percent(one.high)}" for one in shown]),
            Column("Results", [words.count(one.n) for one in shown]),
            Column("Cost", [words.short(one.cost) for one in shown]),
        ]
        each = [Interval(one.mean, one.low, one.high) for one in shown]
        names: list[Line] = [[(one.value, PLAIN), (_advice(one.demoted, one.tried), "soft")] for one in shown]
        table(page, "Model", names, columns, forest(page, each))
    page.left_out(len(context.variants) - len(shown) + context.more, "model")
    for one in shown:
        for advice in one.advice[:2]:
            page.say((f"{one.value}: {advice}", "soft"))
    if context.challenger:
        page.say(
            f"Worth trying beside {context.challenger.incumbent}: ",
            (context.challenger.value, "strong"),
            f", with a chance of {words.chance(context.challenger.chance_better)} to be better.",
        )
    elif context.no_challenger:
        page.say(f"No challenger: {context.no_challenger}")


def _advice(demoted: bool, tried: bool) -> str:
    return " (advised against)" if demoted else "" if tried else " (never tried here)"


def tokens(page: Page, overview: Overview) -> None:
    """Add what rules cost their readers, and what the runs of experiments have cost."""
    of = overview.tokens
    page.heading("What rules cost to read")
    page.say(sentences.saved(of))
    page.gap()
    rows: list[tuple[str, float | None]] = [
        (f"Proven and pinned, in every file ({words.counted(of.rendered_rules, 'rule')})", of.rendered),
        ("On trial now, shown on average", of.trial),
        ("Retired, no longer read", of.retired),
        ("All rules, if each session read them", of.candidates),
    ]
    most = max(finite(value for _, value in rows), default=0.0)
    drawings = Plot([_Bar(page, value, most) for _, value in rows], lambda _room: "")
    numbers = Column("Tokens", [words.short(value) for _, value in rows])
    table(page, "Per session", [[(name, PLAIN)] for name, _ in rows], [numbers], drawings)
    _costs(page, overview)


class _Bar:
    """A number as a bar that is as long as its share of the largest, once its room is known."""

    def __init__(self, page: Page, value: float | None, most: float) -> None:
        self._glyphs, self._share = page.glyphs, 0.0
        known = finite((value,))
        if known and most > 0:
            self._share = known[0] / most

    def __call__(self, room: int) -> Line:
        filled = plots.filled(self._share, room)
        return [(self._glyphs.full * filled, "accent")]


def _costs(page: Page, overview: Overview) -> None:
    costs = overview.costs
    if not costs.total.runs:
        return
    page.subheading("What the runs of experiments have cost")
    wasted = f", {words.percent(costs.wasted_share)} of it for runs that were not completed"
    page.say(
        f"{words.counted(costs.total.runs, 'run')} cost {words.short(costs.total.cost)} in all"
        f"{wasted if words.known(costs.wasted_share) else ''}."
    )
    shown = costs.experiments[: page.limits.rows]
    if not shown:
        return
    columns = [
        Column("Runs", [words.count(one.runs) for one in shown]),
        Column("Failed", [words.count(one.failed) for one in shown]),
        Column("Tokens", [words.count(one.tokens_in + one.tokens_out) for one in shown]),
        Column("Cost", [words.short(one.cost) for one in shown]),
    ]
    page.gap()
    table(page, "Experiment", [[(one.name, PLAIN)] for one in shown], columns)
    page.left_out(len(costs.experiments) - len(shown), "experiment")


def decisions(page: Page, overview: Overview) -> None:
    """Add what was decided as a timeline, newest first."""
    page.heading("Decisions")
    shown = overview.decisions[: page.limits.rows]
    if not shown:
        page.say(sentences.NOTHING_DECIDED)
    for number, decision in enumerate(shown):
        if number:
            page.draw([(page.glyphs.stem, "soft")])
        _decision(page, decision)
    page.left_out(len(overview.decisions) - len(shown), "earlier decision")


def _decision(page: Page, decision: DecisionTaken) -> None:
    stem = f"{page.glyphs.stem} "
    page.say(
        (words.day(decision.when), "strong"),
        (f"  {decision.kind}, by {decision.by}", "soft"),
        first=f"{page.glyphs.event} ",
        rest=stem,
    )
    page.say(decision.title, first=stem, rest=stem)
    logged = sentences.plainly(decision.reason) if decision.by == "evidence" else decision.reason
    reason = f": {logged}" if logged else ""
    page.say((f"{decision.old} to {decision.new}", "strong"), reason, first=stem, rest=stem)
    if decision.evidence:
        facts = [f"{name} {said}" for name, said in words.recorded(decision.evidence)[:8]]
        listed: Line = [(f"{', ' if number else ''}{fact}", "soft") for number, fact in enumerate(facts)]
        page.say((f"{sentences.grounds(decision)}: ", "soft"), *listed, first=stem, rest=stem)
