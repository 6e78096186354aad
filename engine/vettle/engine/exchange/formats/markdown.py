"""A best configuration as a Markdown report that renders as what it says, whatever names and texts hold.

Headings are ours alone. Names stand in code spans, sentences have every mark of Markdown escaped, and the
configuration is JSON in a fenced block; hidden characters are written out as <U+XXXX>.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from vettle.engine.exchange.formats import MARK
from vettle.engine.exchange.formats.as_json import dumps
from vettle.engine.quarantine import visible
from vettle.engine.records import VariantResult
from vettle.engine.records.exports import BestConfiguration
from vettle.engine.wording import evidence, shortened

_MARKS = re.compile(r"([\\`*_\[\]<>&!#|~$@{}])")
_START = re.compile(r"^(\d*)([-+=.)])")
_MOST_CHARACTERS = 500


def render(best: BestConfiguration) -> str:
    """Return the report, with every section even where it has nothing to say."""
    sections: Sequence[tuple[str, Iterator[str]]] = (
        ("Configuration Space", _space(best)),
        ("Run Summary", _runs(best)),
        ("Top Configurations", _top(best)),
        ("Best Configuration Detail", _detail(best)),
        ("Verdict", _verdict(best)),
        ("Scores", _scores(best)),
        ("Score Distributions", _distributions(best)),
        ("Token Usage", _tokens(best)),
        ("Cost", _cost(best)),
        ("Timing", _timing(best)),
        ("Notes", _list(best.notes)),
    )
    lines = ["# Best Configuration", "", f"{MARK}.", "", *_header(best)]
    for heading, body in sections:
        lines += ["", f"## {heading}", "", *(list(body) or ["None."])]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Return any text as a code span on one line."""
    shown = shortened(visible(text), _MOST_CHARACTERS) or "(empty)"
    runs = re.findall(r"`+", shown)
    ticks = "`" * (max(map(len, runs), default=0) + 1)
    # A reader takes one blank off both ends, unless there is nothing but blanks.
    padding = " " if shown.strip(" ") and (shown[0] in "` " or shown[-1] in "` ") else ""
    return f"{ticks}{padding}{shown}{padding}{ticks}"


def cell(text: str) -> str:
    """Return any text as a code span in a table, where a bar would end the cell."""
    return code(text).replace("|", "\\|")


def prose(text: str) -> str:
    """Return a sentence, on one line, in which nothing is Markdown."""
    plain = shortened(visible(" ".join(text.split())), _MOST_CHARACTERS)
    return _START.sub(r"\1\\\2", _MARKS.sub(r"\\\1", plain))


def fenced(value: Any) -> Iterator[str]:
    """Yield a value as JSON in a fenced block that nothing inside can close."""
    text = dumps(value, indent=2)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    yield f"{fence}json"
    yield from text.split("\n")
    yield fence


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        for row in (headings, ["---"] * len(headings), *rows):
            yield f"| {' | '.join(row)} |"


def _list(sentences: Sequence[str]) -> Iterator[str]:
    for sentence in sentences:
        yield f"- {prose(sentence)}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None and high is None else f"{_number(low)} to {_number(high)}"


def _header(best: BestConfiguration) -> Iterator[str]:
    yield f"- Experiment: {code(best.experiment_name)} ({code(best.experiment_id)}, {best.state})"
    yield f"- Exported: {best.exported_at}"
    yield f"- Metric: {code(best.metric)}, {best.direction} is better" + (
        f", in {code(best.metric_unit)}" if best.metric_unit else ""
    )
    yield f"- Answer: {prose(best.answer)}"
    if best.description:
        yield f"- About: {prose(best.description)}"


def _space(best: BestConfiguration) -> Iterator[str]:
    yield from fenced(best.space)


def _runs(best: BestConfiguration) -> Iterator[str]:
    yield f"- Total: {best.runs}"
    yield f"- Scored: {best.scored}"
    for status, count in best.statuses.items():
        yield f"- {status.capitalize()}: {count}"
    for mode, count in best.failure_modes.items():
        yield f"- Failure mode {code(mode)}: {count}"


def _top(best: BestConfiguration) -> Iterator[str]:
    headings = (
        "Rank",
        "Variant",
        "Hash",
        "Runs",
        "Missing",
        "Mean",
        "Interval",
        "Shrunk",
        "Cost per run",
        "Time",
    )
    rows = [_top_row(rank, row) for rank, row in enumerate(best.alternatives, 1)]
    yield from _table(headings, rows)


def _top_row(rank: int, row: VariantResult) -> list[str]:
    return [
        str(rank),
        cell(row.name),
        cell(row.id),
        str(row.n),
        str(row.missing),
        _number(row.mean),
        _interval(row.low, row.high),
        _number(row.shrunk),
        _number(row.cost),
        "-" if row.duration_ms is None else f"{row.duration_ms:.6g} ms",
    ]


def _detail(best: BestConfiguration) -> Iterator[str]:
    if not best.variant:
        return
    yield f"- Variant: {code(best.variant)} ({'proven' if best.proven else 'not proven'})"
    yield f"- Config hash: {code(best.config_hash)}"
    yield f"- Runs: {best.n}"
    yield f"- Mean: {_number(best.mean)} ({_interval(best.low, best.high)}), without luck {_number(best.shrunk)}"
    yield ""
    yield from fenced(best.config)


def _verdict(best: BestConfiguration) -> Iterator[str]:
    verdict = best.verdict
    if verdict is None:
        return
    yield f"- Outcome: {verdict.outcome}" + (" (exploratory)" if best.exploratory else "")
    if verdict.compared and verdict.estimate is not None:
        first, second = map(code, verdict.compared)
        yield (
            f"- Difference: {first} minus {second} is {verdict.estimate:.6g} "
            f"({_interval(verdict.low, verdict.high)}), without luck {_number(verdict.shrunk)}"
        )
    yield f"- Evidence: {evidence(verdict.e_value)} after {verdict.blocks} {verdict.unit}"
    if verdict.more_mean is not None:
        yield f"- Still needed: about {verdict.more_mean} {verdict.unit}"
    yield from _list([*verdict.reasons, verdict.next_step])


def _scores(best: BestConfiguration) -> Iterator[str]:
    rows = [[cell(name), _number(value)] for name, value in best.scores.items()]
    yield from _table(("Metric", "Mean"), rows)


def _distributions(best: BestConfiguration) -> Iterator[str]:
    rows = [
        [cell(one.metric), *map(_number, (one.minimum, one.maximum, one.mean, one.deviation)), str(one.count)]
        for one in best.distributions
    ]
    yield from _table(("Metric", "Minimum", "Maximum", "Mean", "Standard deviation", "Count"), rows)


def _tokens(best: BestConfiguration) -> Iterator[str]:
    yield f"- In: {best.tokens.tokens_in}"
    yield f"- Out: {best.tokens.tokens_out}"
    yield f"- Total: {best.tokens.total}"


def _cost(best: BestConfiguration) -> Iterator[str]:
    yield f"- Total: {_number(best.cost.total)}"
    yield f"- Per run: {_number(best.cost.per_run)} (runs that say: {best.cost.runs})"


def _timing(best: BestConfiguration) -> Iterator[str]:
    for name, value in (
        ("Fastest", best.timing.fastest),
        ("Slowest", best.timing.slowest),
        ("Average", best.timing.average),
        ("Total", best.timing.total),
    ):
        yield f"- {name}: {'-' if value is None else f'{value:.6g} ms'}"
