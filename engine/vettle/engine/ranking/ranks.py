"""The ranking of a variable's values in every context, put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from vettle.engine import paging
from vettle.engine.policies.demotion import Standing
from vettle.engine.project import Project
from vettle.engine.ranking import advice, chains, summaries
from vettle.engine.ranking.beliefs import DRAWS, LEARNED, SEED, beliefs
from vettle.engine.ranking.challenging import challenger
from vettle.engine.ranking.learned import EVER, MOST_VALUES, Learned, learn
from vettle.engine.ranking.outcomes import MODEL, MOST_RESULTS, Basis
from vettle.engine.records.ranking import (
    Challenger,
    ContextRanking,
    DefaultRank,
    RankedVariant,
    VariantsRanked,
)

MOST_CONTEXTS = 100
"""Contexts that are ranked, those with most results; the default stands for all others."""

_BASES: Mapping[Basis, str] = {
    "session": "sessions, whose score in [0, 1] is the result",
    "utility": "utilities in [0, 1] of what decides their experiment; what was completed is a success",
    "completion": "judged by their status: completed 1, failed or timed out 0",
    "rating": "people's ratings, which count twice",
}
"""What has to be said of results that are no plain success or failure."""

_NAMED = 5
_BRIEF = 10
_BRIEF_DAYS = 31
_CONTEXT_CHARACTERS = 6_000
_CONTEXTS_CHARACTERS = 12_000

_NOT_LOW_RISK = (
    "The context is not declared low risk: name it in low_risk, or under [ranking] in the settings."
)

Demotions = Mapping[str, Mapping[str, Standing]]
"""Where each value that was tried stands, by context and value."""


def rank(
    project: Project,
    *,
    variable: str = MODEL,
    context: str = "",
    period: str = EVER,
    low_risk: Sequence[str] = (),
    minimum: int = 0,
) -> VariantsRanked:
    """Rank the values of a variable in every context, or in the one that is named, by their lower limits.

    Results come from runs of experiments on the variable and, for models, from scored sessions; all contexts
    teach, whichever is asked for. `period` ("30d", or "all") leaves out what happened before it. `low_risk`
    adds contexts to those of the settings in which a challenger is proposed. `minimum` leaves out values with
    fewer results.
    """
    learned = learn(project, variable, period)
    demotions = {
        name: {value: advice.demotion(rows).now for value, rows in cell.items()}
        for name, cell in learned.cells.items()
    }
    declared = {*project.settings.ranking.low_risk, *low_risk}
    share = project.settings.ranking.challenger_share
    contexts = [
        _context(learned, name, demotions, share if name in declared else 0.0)
        for name in ([context] if context else learned.contexts[:MOST_CONTEXTS])
    ]
    ranks = _default(learned)
    return VariantsRanked(
        variable=variable,
        period=period,
        results=len(learned.outcomes.rows),
        not_counted=learned.outcomes.not_counted,
        contexts=_with_results(contexts, minimum) if minimum else contexts,
        more_contexts=0 if context else len(learned.contexts) - len(contexts),
        default=[one for one in ranks if one.n >= minimum],
        default_chain=chains.default(ranks, _demoted_everywhere(demotions)),
        seed=SEED,
        draws=DRAWS,
        notes=_notes(learned),
        next_step=_next_step(learned, contexts),
    )


def _context(learned: Learned, context: str, demotions: Demotions, share: float) -> ContextRanking:
    """Rank every known value in one context; `share` is that of a challenger, 0 where there shall be none."""
    cell = learned.cells.get(context, {})
    standing = demotions.get(context, {})
    costs = {value: summaries.mean_cost(rows) for value, rows in cell.items() if not standing[value].demoted}
    variants = [
        summaries.ranked(
            value,
            cell.get(value, []),
            belief,
            demoted=value in standing and standing[value].demoted,
            advice=advice.words(value, cell[value], standing[value], costs) if value in cell else [],
            days=learned.period != EVER,
        )
        for value, belief in beliefs(learned.posterior, learned.values, context).items()
    ]
    variants.sort(key=lambda one: (not one.tried, -one.low, -one.mean, one.value))
    proposed = challenger(learned, context, variants, share) if share else _NOT_LOW_RISK
    return ContextRanking(
        context=context,
        results=sum(map(len, cell.values())),
        low_risk=share > 0,
        variants=variants,
        chain=chains.in_context(variants, learned.tried),
        challenger=proposed if isinstance(proposed, Challenger) else None,
        no_challenger=proposed if isinstance(proposed, str) else "",
    )


def _default(learned: Learned) -> list[DefaultRank]:
    """Rank the values for any other context, by the lower limits of their means over contexts."""
    found = [
        DefaultRank(
            value=value,
            mean=round(belief.mean, 4),
            low=round(belief.low, 4),
            high=round(belief.high, 4),
            n=sum(len(cell.get(value, [])) for cell in learned.cells.values()),
            contexts=sum(value in cell for cell in learned.cells.values()),
        )
        for value, belief in beliefs(learned.posterior, learned.values, None).items()
    ]
    return sorted(found, key=lambda one: (not one.n, -one.low, -one.mean, one.value))


def _demoted_everywhere(demotions: Demotions) -> dict[str, bool]:
    """Return of every value that was tried whether it is demoted wherever it was."""
    found: dict[str, bool] = {}
    for standing in demotions.values():
        for value, one in standing.items():
            found[value] = found.get(value, True) and one.demoted
    return found


def _with_results(contexts: Sequence[ContextRanking], minimum: int) -> list[ContextRanking]:
    """Leave out values with fewer results, and contexts in which none is left."""
    found = []
    for one in contexts:
        variants = [variant for variant in one.variants if variant.n >= minimum]
        if variants:
            found.append(one.model_copy(update={"variants": variants}))
    return found


def _notes(learned: Learned) -> list[str]:
    """Say what counted as a result, where that is not plain."""
    outcomes = learned.outcomes
    parts = 1 + len(learned.cells) + len(learned.tried) + sum(map(len, learned.cells.values()))
    bases = Counter(row.basis for row in outcomes.rows)
    notes = [f"{bases[basis]} of the results are {what}." for basis, what in _BASES.items() if bases[basis]]
    if outcomes.not_counted:
        notes.append(
            f"{outcomes.not_counted} runs do not count: cancelled, lost to infrastructure, or without a result."
        )
    if outcomes.left_out:
        notes.append(
            f"Only the newest {MOST_RESULTS:,} results are learned from, {outcomes.left_out:,} older are not."
        )
    if len(outcomes.configs) > MOST_VALUES:
        notes.append(
            f"Only the {MOST_VALUES} of {len(outcomes.configs)} values with most results are ranked."
        )
    if parts > LEARNED:
        notes.append(
            f"{parts} values, contexts and pairs of them are more than the {LEARNED} that are learned: "
            "the rarest keep what was believed before. A shorter period has fewer."
        )
    return notes


def _next_step(learned: Learned, contexts: Sequence[ContextRanking]) -> str:
    if not learned.outcomes.rows:
        sessions = (
            "pass model to session_start and reward the sessions, or " if learned.variable == MODEL else ""
        )
        return (
            f"Nothing is known yet: {sessions}ask with experiment_create, whose variants have {learned.variable!r} "
            "in their config, and run_record."
        )
    if not any(one.results for one in contexts):
        names = ", ".join(learned.contexts[:_NAMED])
        return f"Nobody has worked in this context, and other contexts tell the order. There are results in {names}."
    for one in contexts:
        if one.challenger is not None:
            return f"In {one.context}: {one.challenger.next_step}"
    return "Use the chain of the context, best first. To prove a difference: experiment_create."


def brief(ranked: VariantsRanked, limit: int) -> VariantsRanked:
    """Return the ranking as an agent gets it: at most `limit` contexts and values, and what fits an answer."""
    kept = paging.fit([_brief_context(one, limit) for one in ranked.contexts[:limit]], _CONTEXTS_CHARACTERS)
    more = ranked.more_contexts + len(ranked.contexts) - len(kept)
    cut = more or any(one.more for one in kept)
    note = ["Some is left out: see more and more_contexts. Name a context, or raise limit."] if cut else []
    return ranked.model_copy(
        update={
            "contexts": kept,
            "more_contexts": more,
            "default": ranked.default[:_BRIEF],
            "default_chain": ranked.default_chain[:_BRIEF],
            "notes": ranked.notes + note,
        }
    )


def _brief_context(one: ContextRanking, limit: int) -> ContextRanking:
    short = [
        variant.model_copy(update={"trend": variant.trend[-_BRIEF_DAYS:]}) for variant in one.variants[:limit]
    ]
    variants: list[RankedVariant] = paging.fit(short, _CONTEXT_CHARACTERS)
    more = len(one.variants) - len(variants)
    return one.model_copy(update={"variants": variants, "more": more, "chain": one.chain[:_BRIEF]})
