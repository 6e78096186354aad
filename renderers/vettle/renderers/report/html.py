"""The report as one HTML file: no script, no request, nothing in it that somebody else's text could start."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from vettle.engine.effects import CLAIM
from vettle.engine.records.overview import Overview
from vettle.renderers.report import figures, sentences, words
from vettle.renderers.report.limits import LARGEST, STEPS, Limits
from vettle.renderers.report.text import clean

GENERATOR = '<meta name="generator" content="vettle">'
"""What the beginning of every report of ours holds, so that a later one may replace it."""

_FILTERS = (
    words.brief, words.chance, words.change, words.clock, words.count, words.counted, words.day, words.decimal,
    words.evidence, words.iso, words.limits, words.outcome, words.percent, words.period, words.recorded, words.short,
    words.signed, words.state, words.pace, words.value,
)  # fmt: skip

_OWN_WORDS = (
    sentences.difference, sentences.discoveries, sentences.grounds, sentences.needed, sentences.outlook,
    sentences.proof, sentences.retired_count, sentences.saved,
)  # fmt: skip
"""What is made of our words and of numbers alone: it is escaped, and never cut as somebody else's text is."""


def as_html(overview: Overview) -> str:
    """Return a page that needs nothing but a browser; the same record always makes the same page.

    Lists are cut until the page is smaller than 500 kB, and every cut list says how much is left out.
    """
    page = ""
    for limits in STEPS:
        page = _environment(limits).get_template("page.html").render(overview=overview)
        if len(page.encode()) < LARGEST:
            break
    return page


def is_empty(overview: Overview) -> bool:
    """Tell whether nothing has happened yet: no rule, no session, no mistake, no experiment."""
    rules = (overview.proven, overview.trial, overview.retired, overview.quarantined)
    return not (
        any(rules)
        or any(overview.status.rules.values())
        or overview.work.started
        or overview.mistakes.total
        or overview.experiments
        or overview.models
    )


def _whole(function: Callable[..., str]) -> Callable[..., Markup]:
    return lambda *arguments: escape(function(*arguments))


@cache
def _environment(limits: Limits) -> Environment:
    """Return templates that can print only text that was cleaned and escaped, and whole numbers."""

    def printable(value: Any) -> Any:
        if isinstance(value, Markup | int):
            return value
        if isinstance(value, str):
            return clean(value, limits.text)
        raise TypeError(f"a template prints {type(value).__name__}: say it in words first")

    environment = Environment(
        loader=PackageLoader("vettle.renderers.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=printable,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=-1,
    )
    environment.filters.update({function.__name__: function for function in _FILTERS})
    environment.filters.update({function.__name__: _whole(function) for function in _OWN_WORDS})
    environment.filters["plainly"] = sentences.plainly
    environment.filters["name"] = lambda text: clean(text, limits.name)
    environment.tests["known"] = words.known
    environment.tests["open"] = sentences.is_open
    said = {name: escape(text) for name, text in vars(sentences).items() if name.isupper() and name[0] != "_"}
    environment.globals.update(
        {"generator": GENERATOR, "figures": figures, "limits": limits, "claim": int(CLAIM)}
        | {"is_empty": is_empty, "standing_verdict": words.standing_verdict}
        | {"sentences": said, "latest_score": sentences.latest_score, "rules_of": sentences.rules_of}
    )
    return environment
