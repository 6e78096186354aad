"""The words that tell commands, names and facts apart: lists and patterns only, judged in wording.py.

They are English. A text in another language matches nothing here and is judged by its form alone, so a
bullet of it is taken and a sentence of its prose is not.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# --- commands ------------------------------------------------------------------------------------

# The only sentences taken out of prose start with one of these. Left out on purpose: verbs that are nouns
# as well ("Test", "State", "Limit") and verbs of a manual, which order one step once ("Click", "Install").
COMMAND = _pattern(
    r"(?:please\s+|also,?\s+|instead,?\s+|otherwise,?\s+)?(?:"
    r"always|never|do\s+not|don['\u2019]t|avoid|prefer|favou?r|ensure|make\s+(?:sure|certain)|be\s+sure\s+to"
    r"|remember\s+to|use(?!\s+(?:cases?|of)\b)(?!-)|keep(?!\s+in\s+mind)|follow|adhere|stick\s+to|respect|maintain"
    r"|only\s+(?:add|call|change|commit|create|edit|import|include|install|modify|return|run|touch|use|write)"
    r"|(?:you|we|agents?|code|tests?)\s+(?:must|should|shall|may\s+not|can(?:not|['\u2019]t)|(?:need|have)\s+to)"
    r"|add|adopt|apply|ask|choose|confirm|consider|create|focus\s+on|include|implement|leverage|minimi[sz]e"
    r"|optimi[sz]e|prioriti[sz]e|put|reject|remove|replace|run|sanitize|strive|treat|utili[sz]e|validate|verify"
    r"|wrap|write"
    r")\b"
    # "Every table must have a policy", and whatever holds a capital MUST as standards write it.
    r"|(?:every|each|all|no)\b[^.:;]{1,80}\b(?:must|should|shall)\b"
    r"|[^.:;\"\u201c]{1,80}\b(?-i:MUST|SHALL)\b"
)
# Words in front of a command that are not part of it: a bold name, a number, "Important:".
LEAD = _pattern(
    r"[^\w*]*(?:\*\*[^*\n]{1,60}(?::\*\*|\*\*\s*:)\s*)?(?:\W*\d{1,3}[.):])?"
    r"(?:\W*(?:important|note|critical|warning|mandatory|required)\W*:)?\W*"
)
# First words of a list item that make an instruction of it, however short it is.
VERBS = _words(
    """
    accept adapt add adhere adjust adopt aim allow analyze annotate append apply ask assert assign assume
    attach authenticate automate avoid await be capture catch centralize choose cite clarify clean clear
    close combine communicate compare complete compose compute conduct configure confirm connect consider
    consolidate construct continue convert create customize debounce declare decouple default defer define
    delegate delete deliver deploy describe destructure detect determine develop disable display
    distinguish do eliminate embed embrace emit employ enable encapsulate encourage encrypt enforce ensure
    evaluate examine exclude execute expand explain explore expose extend favor favour find finish focus
    follow generate get give harden hide hoist hydrate identify ignore implement improve include indent
    initialize inject insert inspect instantiate integrate invalidate invoke isolate iterate join keep
    lazy-load leave let leverage localize look lowercase maintain make manage mark measure memoize migrate
    minify minimize modify move mutate never normalize obey omit open optimize organize outline paginate
    parallelize parse perform persist prefer prefetch preload present preserve prevent prioritize protect
    provide put raise rate-limit rebase reduce refactor refer register reject rely remember remove rename
    render replace require resolve respect respond restrict reuse revert rotate sanitize save select send
    separate serialize simplify skip specify squash stick strive suggest summarize suppress sync take
    throw trust use utilize validate verify warn write
    """
)
# The same, but these are nouns as well: verbs only where something in lower case follows. "Test edges" is
# an instruction, "Test Data" is a name.
NOUNS_TOO = _words(
    """
    account act answer audit batch bind break build cache call change check comment commit copy debug
    design document drop edit end escape export extract fetch filter fix flag format group guard guide
    handle import install label limit link lint list load lock log map match merge mock monitor name note
    offer order override pass pick pin place plan post prefix process profile prompt pull push quote rank
    read record reference report request reset retry return review run scan schedule scope seed set share
    show sign sort split start state stop store stream structure submit support surface tag target test
    time track transform treat trigger trim try update watch wrap
    """
)
# Words that make a rule of what is otherwise a name or a fact.
DEONTIC = _pattern(
    r"\b(?:must|should|shall|never|always|not|no|\w+n['\u2019]t|avoid|only|required?|mandatory|forbidden|instead"
    r"|prefer(?:red|ably)?|before|unless|until|when|without|over|per|cannot|needs?|sparingly|cautiously)\b"
)

# --- sentences that need others ------------------------------------------------------------------

# "Unless the file has spaces."
DEPENDS = _pattern(r"\W*(?:except|unless(?![^.]*,)|however|but|otherwise|only\s+(?:if|when))\b")
# "Never clear it by hand."
POINTS_BACK = _pattern(
    r"\W*(?:[\w'\u2019]+\s+){1,4}?(?:(?:it|them|its|their)\b|(?:this|these|those)\b(?=\s*[.,;!]))"
)
# Sentences about the file itself: "Follow these guidelines to write better code."
ABOUT_THE_FILE = _pattern(
    r"\b(?:these|following|above|below|this)\s+(?:\w+\s+)?"
    r"(?:guidelines?|instructions?|rules?|principles|conventions|content|document|practices|steps|expertise)\b"
    r"|\b(?:rules|guidelines|instructions|content)\s+(?:above|below)\b"
)
# "Never share." says nothing without the sentence before it.
HOLLOW = _pattern(r"\W*(?:always|never|do\s+not|don['\u2019]t)\s+\w+\W*")

# --- what changes the meaning of a list below it -------------------------------------------------

TURNS = _pattern(
    r"\b(?:not|never|don['\u2019]?ts?|\w+n['\u2019]t|cannot|avoid(?:ed|ing)?|forbidden|prohibited|banned|disallowed"
    r"|illegal|anti[\s-]?patterns?|mistakes?|pitfalls?|bad|wrong|incorrect|non-goals|out\s+of\s+scope)\b|[❌🚫⛔✗✘]"
)
# "Dos and don'ts" says nothing about any one of its items.
BOTH = _pattern(r"\bdo['\u2019]?s\b")
CONDITION = _pattern(
    r"\W*(?:\d{1,3}\W+)?(?:when|whenever|if|before|after|while|unless|until|during|except|only|once)\b"
)
# The same in a sentence, where "For documentation changes:" and "You fail if you:" limit as well.
LIMITS = _pattern(
    rf"{CONDITION.pattern}|\W*(?:for|in|on|as|with|without|every\s+time)\b(?!\s+example)"
    r"|.*\b(?:if|unless|penali[sz]ed?|fail(?:s|ed|ure)?|reject(?:s|ed)?|instead of)\b"
)
NEGATED = _pattern(
    r"\W*(?:no|not|never|do\s+not|don['\u2019]t|avoid|must\s+not|cannot|can['\u2019]t|refuse|reject)\b|\W*[❌🚫⛔✗✘]"
)
EXAMPLE = _pattern(r"\W*(?:(?:for|good|bad|an?|here\s+(?:is|are)(?:\s+\w+)?|some)\s+)?examples?\b")
ROLE = _pattern(
    r"\W*(?:(?:you\s+are|act\s+as)\s+(?:an?|the)\b|your\s+(?:areas?\s+of\s+)?(?:expertise|role|skills)\b)"
)

# --- names, facts and descriptions ---------------------------------------------------------------

LETTER = re.compile(r"[^\W\d_]")
# Scripts that put no spaces between words.
SPACELESS = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
LINK = _pattern(r"!?\[[^\]]*\]\([^)]*\)|<?\b[a-z][a-z0-9+.-]{1,15}://[^\s>]*>?|\bwww\.\S+")
# The files that a line of CLAUDE.md has read: "@docs/style.md".
IMPORT = re.compile(r"@[\w.~/\\-]+(?:\s+@[\w.~/\\-]+)*$")
FORM = re.compile(r"(?:[^:]{1,60}:\s*)?(?:\[[^\]]*\]|<[^>:/]*>|\{[^}]*\})\.?$")
# "Framework: Next.js 15 (App Router)" says what is used; the value is one only if it consists of names.
FACT = _pattern(
    r"(?:[\w/-]+\s+){0,2}(?:frameworks?|(?:front|back)-?end|database|styling|components|ui|ui/ux|librar(?:y|ies)"
    r"|icons|testing|tests|tools?|bundler|runtime|management|deployment|hosting|platform|version|author|developer"
    r"|license|name|orm|auth(?:entication)?|validation|forms|payments|cms|api|stack|languages?|linting|formatting"
    r"|docs|repository)\s*:\s*(?P<value>\S.*)"
)
NAME = re.compile(r"[\"'@^~>=]*[A-Z0-9]\S*|\S*[/.@\d-]\S*|with|and|or|the|[+&,|\u2013\u2014-]")
TITLE = re.compile(r"(?:(?:[A-Z0-9&/+][\w&/+.'\u2019-]*|and|or|of|the|for|in|to|with|vs\.?)(?:\s+|$)){1,5}")
# What code is or does ("`now` - Returns the time"), what a folder or file holds, and a directory tree.
DESCRIPTION = _pattern(
    r"`[^`]+`\s*(?:[:\u2013\u2014-]|->|\u2192)\s*(?:an?|the|is|are|was|returns?|contains?|provides?|defines"
    r"|specifies|holds|stores|excludes|includes|creates|renders|aggregates|represents|enables|allows|displays"
    r"|generates|fetches|wraps)\b"
    r"|`?(?:[\w@.<>-]+/)+(?:[\w<>-]+\.[a-z]{1,5})?[`*]*\s*(?:[:\u2013\u2014-]|->|\u2192)\s"
    r"|`?[\w<>-]+\.[a-z]{1,5}`?:\s|[│├└╰┬─]"
)
