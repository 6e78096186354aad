"""Words above a list, and what they do to its items.

The worst that an import can do is to take the opposite of what a file says: "use `any`" from a list under
"Do not". So every heading, tag, sentence and item above an item is asked what it changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vettle.renderers.imports import vocabulary
from vettle.renderers.imports.wording import DEPENDS_ON_ABOVE, bare, is_order, name_only

LONGEST_NAME = 80
MOST_WORDS_IN_HEADING = 6
"""A longer heading is a statement of its own, not a name for what is below it."""
MOST_WORDS_IN_NAME = 3
"""A longer sentence before a list is one that the items complete."""

# Nothing below these is an instruction, or none that could stand alone.
_HIDING = (
    (vocabulary.EXAMPLE, "an example"),
    (vocabulary.ROLE, "a role"),
    (vocabulary.DEPENDS, DEPENDS_ON_ABOVE),
)


@dataclass(frozen=True, slots=True)
class Label:
    """Words above an item, and what they do to it.

    They name its parent, turn its meaning, limit it, ask it to complete them, or hide it for a reason.
    """

    text: str
    force: Literal["parent", "turns", "limits", "asks", "hides"]
    reason: str = ""


Labels = tuple[Label, ...]

UNCLEAR = Label("", "hides", DEPENDS_ON_ABOVE)


def heading_labels(text: str) -> Labels:
    """Return what a heading does to everything below it; mostly nothing."""
    plain = bare(text).rstrip(": ")
    if len(plain.split()) > MOST_WORDS_IN_HEADING or vocabulary.BOTH.search(plain):
        return ()
    if hiding := _hiding(plain):
        return hiding
    if vocabulary.TURNS.search(plain):
        return (Label(plain, "turns"),)
    return (Label(plain, "limits"),) if vocabulary.CONDITION.match(plain) else ()


def item_labels(text: str) -> Labels:
    """Return what an item does to the items nested in it."""
    plain = bare(text).rstrip(":. ")
    return _hiding(plain) or (Label(plain, "parent"),)


def sentence_labels(text: str, *, below_turning: bool) -> Labels:
    """Return what the sentence before a list does to it; "Code style:" does nothing."""
    plain = bare(text).rstrip(": ")
    if hiding := _hiding(plain):
        return hiding
    if below_turning or vocabulary.LIMITS.match(plain):
        return (Label(plain, "limits"),)
    if vocabulary.TURNS.search(plain):
        return (Label(plain, "turns"),)
    if vocabulary.ABOUT_THE_FILE.search(plain):
        return ()
    return (Label(plain, "asks"),) if len(plain.split()) > MOST_WORDS_IN_NAME or is_order(plain) else ()


def _hiding(plain: str) -> Labels:
    return tuple(Label(plain, "hides", reason) for pattern, reason in _HIDING if pattern.match(plain))


def only_names(text: str, *, nested: bool) -> bool:
    """Tell whether an item only names the items below it; `nested` says that there are some."""
    plain = bare(text)
    return plain.endswith(":") or (nested and 0 < len(plain) <= LONGEST_NAME and name_only(text) != "")


def turned(labels: Labels) -> bool:
    """Tell whether something under these labels may say the opposite of what it says alone."""
    return any(label.force == "turns" for label in labels)


def needed(labels: Labels, own: str) -> Labels:
    """Return the labels without which the text would say something else."""
    negated, order = vocabulary.NEGATED.match(own), is_order(bare(own))
    return tuple(
        label
        for label in labels
        if not (label.force == "turns" and negated) and not (label.force == "asks" and order)
    )


def completed(labels: Labels) -> bool:
    """Tell whether these labels make a sentence of a name below them: all but a parent that only names."""
    return any(label.force != "parent" or is_order(label.text) for label in labels)
