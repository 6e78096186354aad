"""Which name was probably meant by one that is wrong: one answer for errors of tools, commands and settings.

Only names that are known are ever suggested: what was sent is not repeated, because it may be anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

VARIABLES = (
    "VETTLE_CLICKHOUSE_URL",
    "VETTLE_DATABASE_PROJECT",
    "VETTLE_DATABASE_URL",
    "VETTLE_DEBUG",
    "VETTLE_OPENAI_MODEL",
    "VETTLE_PROJECT",
    "VETTLE_TOOLSETS",
)
"""Every variable of the environment that is vettle's own."""

_CUTOFF = 0.6
_LONGEST = 200


def nearest(name: str, known: Iterable[str], *, limit: int = 3, cutoff: float = _CUTOFF) -> list[str]:
    """Return the known names most like this one, best first; case and the kind of hyphen do not matter.

    `cutoff` is how alike they have to be, from 0 to 1 (the ratio of Ratcliff and Obershelp, as difflib has it).
    """
    # Imported here, because hardly any call is wrong and importing it takes longer than most calls.
    import difflib

    folded: dict[str, list[str]] = {}
    for one in known:
        folded.setdefault(_folded(one), []).append(one)
    near = difflib.get_close_matches(_folded(name[:_LONGEST]), folded, n=limit, cutoff=cutoff)
    return [one for key in near for one in folded[key]][:limit]


def hint(name: str, known: Iterable[str]) -> str:
    """Return the question whether a known name was meant, or "" where none is like it."""
    near = nearest(name, known, limit=1)
    return f"Did you mean {near[0]!r}?" if near else ""


def misspelt_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return each variable of the environment that looks like a misspelt one of ours, with the right name."""
    unknown = [name for name in environment if name.upper().startswith("VETTLE") and name not in VARIABLES]
    found = {name: nearest(name, VARIABLES, limit=1, cutoff=0.8) for name in sorted(unknown)}
    return {name: near[0] for name, near in found.items() if near}


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-")
