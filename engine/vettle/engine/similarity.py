"""Is this mistake, or this rule, the same as an earlier one?

Two steps. The *normal form* of a text has its slots (paths, numbers, quoted names...) replaced, so equal
normal forms are the same mistake. For the rest, the rarest words find at most 40 candidates through an
index, and a score in [0, 1] ranks them: half weighted Jaccard over stemmed words, half Dice over the
trigrams of the normal forms. Measured on 17,748 real error templates: a score of at least 0.75 is a
repeat with precision above 0.9; from 0.40 on it is worth showing.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass

from vettle.engine.identifiers import hash63
from vettle.engine.store import mistakes
from vettle.engine.store.events import Transaction
from vettle.engine.store.mistakes import Mistake

REPEAT = 0.75
POSSIBLE = 0.40

MOST_TERMS = 24
POSTINGS_PER_TERM = 200
POSTINGS_PER_LOOKUP = 1_000
CANDIDATES = 40

_SLOTS = (
    (re.compile(r"\b[a-z][a-z0-9+.-]*://\S+"), " <url> "),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), " <uuid> "),
    (re.compile(r"(?<![\w])(?:[\w.~-]*[/\\])+[\w.-]*(?::\d+)*"), " <path> "),
    (
        re.compile(
            r"\b[\w-]+\.[a-z]{1,4}(?::\d+)+\b|\b[\w-]+\.(?:py|js|ts|tsx|go|rs|java|c|h|cpp|md|json|toml|ya?ml)\b"
        ),
        " <path> ",
    ),
    (re.compile(r"'[^']{1,80}'|\"[^\"]{1,80}\"|`[^`]{1,80}`"), " <name> "),
    (re.compile(r"\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b"), " <hex> "),
    (re.compile(r"\b\w+(?:\.\w+)+\b(?:\(\))?|\b\w*_\w+\b(?:\(\))?|\b\w+\(\)"), " <name> "),
    (re.compile(r"[-+]?\b\d+(?:[.,]\d+)*\b"), " <number> "),
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")
_NEGATIONS = frozenset({"not", "no", "never", "without", "dont", "cannot", "wont"})
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "for",
        "from",
        "had",
        "has",
        "have",
        "i",
        "in",
        "into",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "that",
        "the",
        "then",
        "there",
        "this",
        "to",
        "was",
        "we",
        "were",
        "when",
        "which",
        "with",
        "you",
    ]
)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\u2019", "'")


def normal_form(text: str) -> str:
    """Return the text in lower case with its slots replaced by placeholders and its spaces collapsed."""
    form = _folded(text).lower()
    for pattern, placeholder in _SLOTS:
        form = pattern.sub(placeholder, form)
    return " ".join(form.split()).rstrip(" .!;:")


_ENDINGS = (("ings", 4), ("ing", 4), ("edly", 4), ("ies", 3), ("ied", 3), ("es", 4), ("ed", 4), ("s", 3))


def stem(word: str) -> str:
    """Return the word without its commonest English endings and a final e; short words stay whole."""
    for ending, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            word = word[: -len(ending)] + ("y" if ending in ("ies", "ied") else "")
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def terms(text: str) -> list[str]:
    """Return the distinct stemmed words of a text, identifiers split, in order, at most MOST_TERMS."""
    words = _WORD.findall(_CAMEL.sub(" ", _folded(text).replace("n't", " not")).lower())
    kept = (stem(word) for word in words if word not in _STOP and len(word) > 1 and not word.isdigit())
    return list(dict.fromkeys(kept))[:MOST_TERMS]


def text_hash(norm: str) -> int:
    """Return the key under which a normal form is stored."""
    return hash63("mistake", norm)


def rule_form(text: str) -> str:
    """Return the normal form of a rule's text: equal for rules that say the same.

    Case, spacing, articles, emphasis and final punctuation do not matter; negations and word order do.
    """
    plain = re.sub(r"[*_`\"']", "", _folded(text)).lower()
    words = [word for word in plain.split() if word not in ("a", "an", "the", "please")]
    return " ".join(words).rstrip(" .!;:")


def rule_hash(text: str, context: str, globs: tuple[str, ...]) -> int:
    """Return the same number for rules that say the same about the same work."""
    return hash63("rule", rule_form(text), context, *sorted(globs))


@dataclass(frozen=True)
class Match:
    """An earlier mistake and how similar it is, in [0, 1]."""

    mistake: Mistake
    score: float


def similar(
    transaction: Transaction, error_class: str, text: str, *, limit: int = 3, least: float = POSSIBLE
) -> list[Match]:
    """Return the earlier mistakes of this class most like the text, best first, with a score of at least `least`.

    Wordings of one mistake count once, as their canonical wording. Reads at most 1,000 postings and
    reranks at most 40 candidates, however long the history is.
    """
    query, norm = terms(text), normal_form(text)
    postings = {term: mistakes.postings(transaction, error_class, term, POSTINGS_PER_TERM) for term in query}
    weights = {term: _weight(len(found)) for term, found in postings.items()}
    votes: dict[int, float] = defaultdict(float)
    budget = POSTINGS_PER_LOOKUP
    for term in sorted(query, key=lambda term: len(postings[term])):
        for number in postings[term][:budget]:
            votes[number] += weights[term]
        budget = max(0, budget - len(postings[term]))
    best = sorted(votes, key=lambda number: (-votes[number], number))[:CANDIDATES]
    trigrams = trigrams_of(norm)
    scored: dict[int, float] = {}
    for candidate in mistakes.with_ids(transaction, sorted(best)):
        score = _score(norm, trigrams, weights, candidate, least)
        scored[candidate.canonical] = max(score, scored.get(candidate.canonical, 0.0))
    ranked = sorted(
        (number for number in scored if round(scored[number], 3) >= least), key=lambda n: (-scored[n], n)
    )
    found = {mistake.id: mistake for mistake in mistakes.with_ids(transaction, ranked[:limit])}
    return [Match(found[number], round(scored[number], 3)) for number in ranked[:limit]]


def _weight(postings: int) -> float:
    """Weigh a term by how rare it is among the mistakes of its class (inverse document frequency)."""
    return math.log(1 + 2 * POSTINGS_PER_TERM / (1 + postings))


def _score(
    norm: str, trigrams: Counter[str], weights: dict[str, float], candidate: Mistake, least: float
) -> float:
    """Return the similarity of a candidate, or 0 where its words alone rule out the least that is asked for."""
    common = [weight for term, weight in weights.items() if term in candidate.terms]
    total = sum(weights.values())
    unseen = total / len(weights) if weights else 1.0
    either = total + unseen * (len(candidate.terms) - len(common))
    words = sum(common) / either if either else 0.0
    # "use eval" and "never use eval" share nearly every word and say the opposite.
    opposite = _NEGATIONS.isdisjoint(weights) != _NEGATIONS.isdisjoint(candidate.terms)
    share = 0.4 if opposite else 0.5
    # Counting trigrams takes most of the time of a lookup.
    if round(share * (words + 1.0), 3) < least:
        return 0.0
    return share * (words + dice(norm, trigrams, candidate.norm, trigrams_of(candidate.norm)))


def dice(left: str, trigrams: Counter[str], right: str, others: Counter[str]) -> float:
    """Return the Sorensen-Dice coefficient of the trigrams of two texts; the callers have them."""
    total = trigrams.total() + others.total()
    common = sum(min(count, others[one]) for one, count in trigrams.items() if one in others)
    return 2 * common / total if total else float(left == right)


def trigrams_of(text: str) -> Counter[str]:
    """Return the runs of three characters of a text, with how often each occurs."""
    return Counter(text[i : i + 3] for i in range(len(text) - 2))
