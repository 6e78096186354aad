"""The report as text: what the HTML file says and draws, for a terminal or a pipe."""

from __future__ import annotations

from vettle.engine.records.overview import Overview
from vettle.renderers.report import sentences, words
from vettle.renderers.report.html import is_empty
from vettle.renderers.report.plain import plots
from vettle.renderers.report.plain.columns import width as columns
from vettle.renderers.report.plain.experiments import experiments
from vettle.renderers.report.plain.page import PLAIN, Page
from vettle.renderers.report.plain.rules import proven, retired, trial
from vettle.renderers.report.plain.spending import decisions, models, tokens
from vettle.renderers.report.plain.work import mistakes, sessions
from vettle.renderers.report.scales import finite

_SECTIONS = (proven, trial, retired, mistakes, sessions, experiments, models, tokens, decisions)

_GAP = "  "
_SMALL = 16
"""The periods of a sparkline beside a number."""


def as_text(overview: Overview, *, width: int, unicode: bool, colour: bool) -> str:
    """Return the report as lines of at most `width` columns, 20 or more; the same record always makes the same text.

    Long texts wrap and are never cut. Without `unicode` the text is ASCII, and what it cannot say is an escape.
    Nothing in the record can act on a terminal; escape sequences are in the text only with `colour`, to set colours
    that repeat what is said in words or by a mark.
    """
    page = Page(width, unicode=unicode, colour=colour)
    _summary(page, overview)
    if is_empty(overview):
        _first_steps(page)
    else:
        for section in _SECTIONS:
            section(page, overview)
    _notes(page, overview)
    _reading(page)
    _next(page, overview)
    return page.text()


def _summary(page: Page, overview: Overview) -> None:
    """Add the answers before everything else."""
    page.say(
        (overview.title, "strong"),
        (f": vettle report for {words.period(overview.period)}, made {words.clock(overview.made)}", "soft"),
    )
    page.gap()
    for number, answer in enumerate(overview.answers[:6]):
        page.say(
            (answer, "strong" if number == 0 else PLAIN),
            first="" if number == 0 else f"{page.glyphs.bullet} ",
        )
    if not is_empty(overview):
        page.gap()
        _numbers(page, overview)


def _numbers(page: Page, overview: Overview) -> None:
    count = sentences.rules_of(overview, "proven")
    others = (
        f"{words.count(sentences.rules_of(overview, 'trial'))} on trial, "
        f"{words.count(sentences.rules_of(overview, 'retired'))} retired"
    )
    scores = [period.score for period in overview.work.periods]
    mistakes = overview.mistakes
    made = f"{words.count(mistakes.repeats)} of {words.counted(mistakes.total, 'mistake')}"
    trend = [period.rate for period in mistakes.trend.periods] if mistakes.trend else []
    _number(page, "Rules that are proven", words.count(count), others, [])
    latest, scored = sentences.latest_score(overview)
    _number(page, f"Session score, latest {overview.work.interval}", latest, scored, scores)
    made_before = words.percent(mistakes.repeat_rate)
    _number(page, "Mistakes made before", made_before, made if mistakes.total else "none logged", trend)
    fewer = sentences.retired_count(overview.tokens)
    _number(page, "Tokens saved by retiring rules", words.count(overview.tokens.saved), fewer, [])


def _number(page: Page, name: str, said: str, more: str, values: list[float | None]) -> None:
    lines = page.wrapped([(f"{name}: ", "soft"), (said, "strong"), (f", {more}", PLAIN)], page.width)
    if len(finite(values)) > 1:
        drawn = plots.sparkline(page.glyphs, values[-_SMALL:]).strip(" ")
        fits = sum(columns(text) for text, _ in lines[-1]) + len(_GAP) + len(drawn) <= page.width
        lines = [
            *lines[: -1 if fits else None],
            [*(lines[-1] if fits else []), (_GAP, PLAIN), (drawn, "accent")],
        ]
    for line in lines:
        page.draw(line)


def _first_steps(page: Page) -> None:
    page.heading("Where to begin")
    steps = (
        (
            "Connect your assistant.",
            "vettle init writes its configuration and imports the rules that your files hold already.",
        ),
        (
            "Add a rule that you are not sure about.",
            'vettle rule add "Run the type checker before you say that you are done."',
        ),
        ("Work as you always do.", sentences.AFTERWARDS),
    )
    for number, (what, how) in enumerate(steps, 1):
        page.say((what, "strong"), f" {how}", first=f"{number}. ")
    page.say("To see the whole loop on real data in a minute, run vettle demo.")


def _notes(page: Page, overview: Overview) -> None:
    if overview.notes:
        page.heading("Notes")
    for note in overview.notes[: page.limits.rows]:
        page.bullet(note)
    page.left_out(len(overview.notes) - page.limits.rows, "note")


def _reading(page: Page) -> None:
    page.heading("How to read this page")
    page.say(sentences.READING)


def _next(page: Page, overview: Overview) -> None:
    """Add what to do next, which is what a terminal shows when the rest has scrolled away."""
    page.heading("What to do next")
    page.say((overview.status.next_step, "strong"))
    for warning in overview.status.warnings[:5]:
        page.bullet(warning)
    page.left_out(len(overview.status.warnings) - 5, "warning")
