"""In which order to fall back from one value to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vettle.engine.records.ranking import DefaultRank, RankedVariant, VariantsRanked


def in_context(variants: Sequence[RankedVariant], tried_anywhere: set[str]) -> list[str]:
    """Return the values of a context in the order of their lower limits.

    One that was tried elsewhere alone stands where the belief puts it, one that was tried nowhere is left
    out, and demoted ones come last: the last resort is better than none.
    """
    known = [one for one in variants if one.value in tried_anywhere]
    return [one.value for one in sorted(known, key=lambda one: (one.demoted, -one.low, -one.mean))]


def default(ranks: Sequence[DefaultRank], demoted: Mapping[str, bool]) -> list[str]:
    """Return the values for any other context, last those `demoted` wherever they were tried; others are unknown."""
    known = [one.value for one in ranks if one.value in demoted]
    return sorted(known, key=demoted.__getitem__)


def chains(ranked: VariantsRanked) -> dict[str, Any]:
    """Return the fallback chains as what other programs read: one for each context, and one for all others."""
    return {
        "variable": ranked.variable,
        "period": ranked.period,
        "default": ranked.default_chain,
        "contexts": {one.context: one.chain for one in ranked.contexts},
    }


def text(ranked: VariantsRanked) -> str:
    """Return the chains as a JSON file."""
    return json.dumps(chains(ranked), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
