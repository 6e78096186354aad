"""What a text is by its wording: a command, an order, a name, a fact; no Markdown is known here but emphasis.

"Command" is the narrow notion, for sentences of prose: most of them are no rules. "Order" is the wide one,
for list items: most of those are.
"""

from __future__ import annotations

import re

from vettle.engine.arguments import RULE_CHARACTERS
from vettle.renderers.imports import vocabulary

MOST_WORDS_IN_LINK = 4
"""A link with more words around it is a sentence that cites something."""

DEPENDS_ON_ABOVE = "what it means depends on the item above it"

# A code span; possessive, so that a long row of backticks is tried once.
_CODE = re.compile(r"(?<!`)(`++)[^`]+\1")
# Stars and underscores around words, not those of `**/*.py` and snake_case.
_EMPHASIS = re.compile(
    r"(?<![\w/*])\*{1,3}(?=[^\s*./])|(?<=[^\s*/])\*{1,3}(?![\w/*]|\.\w)|~~|(?<!\w)_{1,3}(?=\w)|(?<!_)_{1,3}+(?!\w)"
)
_BOLD = re.compile(r"\*\*[^*]{1,60}\*\*")
# Where an order may start behind a name: "Styling: use Tailwind".
_JOINT = re.compile(r"(?:[:→;]|\s[\u2013—-])\s")
_FIRST_WORD = re.compile(r"\W*(?:(?:please|also|then)\s+)?([A-Za-z-]+)(?:\s+(\S))?")

# What is no instruction whatever stands above it, in the order in which it is said.
_KINDS = (
    (re.compile(r".*\?$"), "a question"),
    (re.compile(r".*:$"), "it only introduces what is below it"),
    (vocabulary.ROLE, "a role"),
    (vocabulary.DEPENDS, DEPENDS_ON_ABOVE),
    (vocabulary.IMPORT, "an import"),
    (re.compile(r"[\W\d_]*$"), "no words"),
    (vocabulary.FORM, "a form to fill in"),
)


def masked(text: str) -> str:
    """Return the text, as long as it was, with what stands in code spans made unrecognisable."""
    return _CODE.sub(lambda code: code[1] + "x" * (len(code[0]) - 2 * len(code[1])) + code[1], text)


def cut(text: str, pattern: re.Pattern[str]) -> str:
    """Return the text, in single spaces, without what the pattern finds outside code spans."""
    pieces, done = [], 0
    for found in pattern.finditer(masked(text)):
        pieces.append(text[done : found.start()])
        done = found.end()
    return " ".join("".join([*pieces, text[done:]]).split())


def bare(text: str) -> str:
    """Return the text without marks of emphasis; code stays as it is."""
    return cut(text, _EMPHASIS)


def is_command(text: str) -> bool:
    """Tell whether a text starts with words that command, perhaps behind "Important:"."""
    beginning = text[:RULE_CHARACTERS]
    lead = vocabulary.LEAD.match(beginning)
    return vocabulary.COMMAND.match(beginning, lead.end() if lead else 0) is not None


def is_whole_command(text: str) -> bool:
    """Tell whether a sentence of prose is a command that says something alone."""
    beginning = text[:RULE_CHARACTERS]
    return (
        is_command(text)
        and not bare(text[-9:]).endswith((":", "?", ","))
        and beginning.count('"') % 2 == 0
        and not vocabulary.HOLLOW.fullmatch(beginning)
        and not vocabulary.ABOUT_THE_FILE.search(beginning)
    )


def is_order(plain: str) -> bool:
    """Tell whether a text orders something, at its start or behind "Name: "."""
    return is_command(plain) or any(map(_starts_with_verb, _JOINT.split(plain[:RULE_CHARACTERS])))


def _starts_with_verb(text: str) -> bool:
    found = _FIRST_WORD.match(text)
    if found is None:
        return False
    word, following = found[1].lower(), found[2]
    has_object = following is not None and not following.isupper()
    return word in vocabulary.VERBS or (has_object and word in vocabulary.NOUNS_TOO)


def is_binding(plain: str) -> bool:
    """Tell whether a text orders something, or limits what may be done in words like "only"."""
    return vocabulary.DEONTIC.search(plain[:RULE_CHARACTERS]) is not None or is_order(plain)


def objection(own: str, *, completes: bool) -> str:
    """Return why an item is no instruction, or "". When in doubt it is one: the evidence decides later.

    `completes` says that the words above the item make a sentence of it, so that a name may be enough.
    """
    plain = bare(own)
    for pattern, reason in _KINDS:
        if pattern.match(plain):
            return reason
    linkless = vocabulary.LINK.sub(" ", plain)
    if linkless != plain and _words(linkless) <= MOST_WORDS_IN_LINK and not is_binding(linkless):
        return "a link"
    return "" if completes else name_only(own)


def name_only(own: str) -> str:
    """Return what a text is that names or describes something, or ""."""
    plain = bare(own)
    words = _words(plain)
    if not vocabulary.LETTER.search(_CODE.sub(" ", plain)):
        return "code"
    if _is_fact(plain):
        return "a fact"
    if words < 2 or (words == 2 and not is_binding(plain)):
        return "too few words to be an instruction"
    if is_binding(plain):
        return ""
    if _BOLD.fullmatch(own) or vocabulary.TITLE.fullmatch(plain):
        return "a heading"
    return "a description" if vocabulary.DESCRIPTION.match(plain) or _is_third_person(plain) else ""


def _is_fact(plain: str) -> bool:
    fact = vocabulary.FACT.fullmatch(plain)
    if fact is None or is_order(fact["value"]):
        return False
    return all(map(vocabulary.NAME.fullmatch, re.sub(r"\([^)]*\)", " ", fact["value"]).split()))


def _is_third_person(plain: str) -> bool:
    """Tell whether a text says what something does: "Creates the records"."""
    first = plain.split(" ", 1)[0].lower()
    return first.endswith("s") and not vocabulary.VERBS.isdisjoint((first[:-1], first[:-2]))


def _words(text: str) -> int:
    """Count the words of a text; scripts without spaces have about two letters to a word."""
    spaced = sum(vocabulary.LETTER.search(word) is not None for word in text.split())
    return spaced + len(vocabulary.SPACELESS.findall(text)) // 2
