"""The command that ranks models, compares two, and exports the order to fall back in."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

import click

from vettle.engine import files
from vettle.engine.errors import InvalidArgument
from vettle.engine.records.ranking import (
    ComparedVariant,
    ContextRanking,
    RankedVariant,
    VariantsCompared,
    VariantsRanked,
)
from vettle.server.commands.checking import checked
from vettle.server.commands.common import counted, emit, json_option, open_project, share, table
from vettle.server.commands.layout import wrapped
from vettle.server.commands.options import CONTEXT
from vettle.server.commands.wording import worded
from vettle.server.lab import ranking
from vettle.server.toolsets import find


@click.command()
@click.option("--variable", default="model", show_default=True, help="What to rank the values of.")
@CONTEXT
@click.option("--period", default="all", show_default=True, help='Days such as "30d", which adds a trend.')
@click.option("--low-risk", multiple=True, metavar="CONTEXT", help="Where a challenger may be tried.")
@click.option("--limit", default=20, show_default=True, help="Most contexts, and values in each, to show.")
@click.option("--minimum", default=0, type=click.IntRange(min=0), help="Only values with as many results.")
@click.option("--chain", default="", metavar="FILE", help="Write the fallback chains to this file as JSON.")
@click.option("--compare", nargs=2, metavar="A B", default=None, help="Two values side by side instead.")
@json_option
def models(
    as_json: bool, minimum: int, chain: str, compare: tuple[str, str] | None, limit: int, **given: Any
) -> None:
    """Example: vettle models --low-risk docs --chain .vettle/models.json.

    Which model is best for which kind of work: what is believed of each, what to demote, what to try, and
    the order to fall back in. With --json everything, whatever the limit.
    """
    arguments = checked(find(ranking.variants_rank), given | {"limit": limit})
    if compare is not None:
        _compare(arguments, compare, as_json, chain)
        return
    from vettle.engine.ranking import chains, ranks

    del arguments["limit"]
    with open_project() as project:
        record = ranks.rank(project, **arguments, minimum=minimum)
        if chain:
            if not record.default_chain:
                raise InvalidArgument("--chain", "no value has a result yet", record.next_step)
            written = files.write(project, "--chain", chain, chains.text(record))
            click.echo(f"wrote {written}", err=True)
    emit(record, as_json, lambda: wrapped(_ranked(worded(record), limit)))


def _compare(arguments: dict[str, Any], pair: tuple[str, str], as_json: bool, chain: str) -> None:
    if chain:
        raise InvalidArgument("--chain", "a comparison has no chain", "Leave out --chain or --compare")
    from vettle.engine.ranking import comparison

    kept = {name: arguments[name] for name in ("variable", "context", "period")}
    with open_project() as project:
        record = comparison.compare(project, first=pair[0], second=pair[1], **kept)
    emit(record, as_json, lambda: wrapped(_compared(worded(record))))


def _ranked(record: VariantsRanked, limit: int) -> Iterator[str]:
    for one in record.contexts[:limit]:
        yield from _context(record.variable, one, limit)
        yield ""
    more = record.more_contexts + max(len(record.contexts) - limit, 0)
    if more:
        yield f"{counted(more, 'more context')}: name one with --context, or raise --limit."
    if record.default_chain:
        yield f"any other context: {' > '.join(record.default_chain[:limit])}"
    for note in record.notes:
        yield f"note  {note}"
    yield f"next  {record.next_step}"


def _context(variable: str, one: ContextRanking, limit: int) -> Iterator[str]:
    yield f"{one.context} ({counted(one.results, 'result')})"
    headings = [variable, "believed", "90 %", "best", "won/lost", "timeouts", "cost", "tokens", "last used"]
    spare = [name for name in ("timeouts", "tokens", "last used", "cost") if name != variable]
    yield from table(headings, [_row(variant) for variant in one.variants[:limit]], spare=spare)
    for variant in one.variants[:limit]:
        for said in variant.advice:
            yield f"  {variant.value}: {said}"
        if variant.trend:
            days = ", ".join(f"{day.day} {share(day.mean)} ({day.n})" for day in variant.trend[-7:])
            yield f"  {variant.value} by day: {days}"
    if one.chain:
        yield f"  chain: {' > '.join(one.chain[:limit])}"
    if one.challenger is not None:
        rival = one.challenger
        yield (
            f"  challenger: {rival.value} against {rival.incumbent} on {rival.share:.0%} of the work "
            f"(better with a chance of {rival.chance_better:.0%})"
        )
        if rival.call:
            call = shlex.quote(json.dumps(rival.call, ensure_ascii=False))
            yield f"    start it: vettle experiment create --arguments {call}"


def _row(one: RankedVariant) -> list[str]:
    return [
        one.value,
        share(one.mean),
        f"{one.low:.2f}..{one.high:.2f}",
        f"{one.chance_best:.0%}",
        f"{one.successes}/{one.failures}" if one.tried else "untried",
        str(one.timeouts),
        _amount(one.cost),
        _amount(one.tokens),
        one.last_used.date().isoformat() if one.last_used else "-",
    ]


def _amount(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}" if value < 1_000 else f"{value:,.0f}"


def _compared(record: VariantsCompared) -> Iterator[str]:
    sides = [("all", record.first), ("all", record.second)]
    for one in record.contexts:
        sides += [(one.context, one.first), (one.context, one.second)]
    headings = ["context", record.variable, "trials", "wins", "rate", "timeouts", "tokens", "cost", "ms"]
    yield from table(headings, [_side(context, side) for context, side in sides])
    yield f"{record.first.value} is better with a chance of {record.chance_first_better:.0%}."
    yield f"next  {record.next_step}"


def _side(context: str, side: ComparedVariant) -> list[str]:
    return [
        context,
        side.value,
        str(side.trials),
        str(side.wins),
        share(side.rate),
        str(side.timeouts),
        _amount(side.tokens),
        _amount(side.cost),
        _amount(side.duration_ms),
    ]
