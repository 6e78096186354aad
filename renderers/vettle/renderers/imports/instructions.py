"""Instructions in Markdown that people wrote for an agent: list items, and sentences that command.

What is taken becomes a rule on trial, so a wrong one costs more than a lost one, and the worst is one that
says the opposite: "use `any`" from a list under "Do not". Hence an item keeps the words above it that
change what it means, and whatever is not taken is reported with its line and the reason.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise, zip_longest
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from vettle.engine.arguments import RULE_CHARACTERS
from vettle.engine.similarity import rule_form

EXCERPT = 80

# Blocks only: nothing here needs the inline tree, which takes as long again.
_PARSER = MarkdownIt("commonmark").enable("table").disable("inline")

# Spaces that Markdown takes for letters and Python for spaces would shift lines; both stand-ins are
# non-characters, one for a space of any kind and one for a character that no rule may hold.
_SPACE, _CONTROL = "\ufdd0", "\ufdd1"
_STAND_INS = {
    code: _SPACE if unicodedata.category(chr(code)) in ("Zs", "Zl", "Zp") or code in (0x0B, 0x0C, 0x85) else _CONTROL
    for code in range(0x3001)
    if (chr(code).isspace() and chr(code) not in "\t\n\r ") or code == 0
} | {ord(_SPACE): _CONTROL, ord(_CONTROL): _CONTROL}  # fmt: skip

_BEGIN = re.compile(r"[ \t]*<!--[ \t]*BEGIN[ \t]+vettle[ \t]+rules\b.*-->[ \t]*", re.IGNORECASE)
_END = re.compile(r"[ \t]*<!--[ \t]*END[ \t]+vettle[ \t]+rules[ \t]*-->[ \t]*", re.IGNORECASE)

# A bullet that Markdown does not know, one that is indented too far to be a list, or a number in bold.
_BULLET = re.compile(
    r"[ \t\ufdd0]*(?:[•◦‣\u2043▪▫●○∙·■□►▸➤➢]|[-*+](?=[ \t])|\*\*\d{1,2}[.)]?\*\*(?=[ \t]))[ \t]*(?=\S)"
)
_NUMBER = re.compile(r"[ \t]*\d{1,3}[.)][ \t]+(?=[^\W\d_a-z])")
_FENCE = re.compile(r"[ \t]*(?:`{3,}[^`]*|~{3,}.*)")
_TABLE_RULE = re.compile(r"\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+(?:[ \t]*:?-{2,}:?)?")
_COMMENT_SIGN = re.compile(r"[ \t]*//[ \t]+")
_CHECKBOX = re.compile(r"\[[ xX]\][ \t]+")
_COMMENT = re.compile(r"<!--.*?-->")
# Stars and underscores around words, not those of `**/*.py` and snake_case.
_EMPHASIS = re.compile(
    r"(?<![\w/*])\*{1,3}(?=[^\s*./])|(?<=[^\s*/])\*{1,3}(?![\w/*]|\.\w)|~~|(?<!\w)_{1,3}(?=\w)|(?<!_)_{1,3}+(?!\w)"
)

# --- what a command looks like -------------------------------------------------------------------

# The only sentences taken out of prose start with one of these. Left out on purpose: verbs that are nouns
# as well ("Test", "State", "Limit") and verbs of a manual, which order one step once ("Click", "Install").
_COMMAND = re.compile(
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
    r"|[^.:;\"\u201c]{1,80}\b(?-i:MUST|SHALL)\b",
    re.IGNORECASE,
)
# Words in front of a command that are not part of it: a bold name, a number, "Important:".
_LEAD = re.compile(
    r"[^\w*]*(?:\*\*[^*\n]{1,60}(?::\*\*|\*\*\s*:)\s*)?(?:\W*\d{1,3}[.):])?"
    r"(?:\W*(?:important|note|critical|warning|mandatory|required)\W*:)?\W*",
    re.IGNORECASE,
)
# First words of a list item that make an instruction of it, however short it is.
_VERBS = frozenset(
    re.findall(
        r"\S+",
        """
    abstract accept account act adapt add address adhere adjust adopt aim allow analyze annotate answer append
    apply ask assert assess assign assume attach audit authenticate automate avoid await balance base batch be
    begin bind bound break bring build cache call capture catch centralize change check choose cite clarify
    clean clear close collect combine comment commit communicate compare compile complete compose compress
    compute conduct configure confirm connect consider consolidate construct continue convert copy cover create
    credit customize debounce debug decide declare decouple default defer define delegate delete deliver
    demonstrate deploy derive describe design destructure detect determine develop disable discuss display
    distinguish do document draft drop edit eliminate embed embrace emit employ enable encapsulate encourage
    encrypt end enforce ensure escape establish evaluate examine exclude execute expand expect explain explore
    export expose express extend extract fail favor favour fetch fill filter find finish fix flag focus follow
    force forget format gate generate get give grant group guarantee guard guide handle harden hide highlight
    hoist hydrate identify ignore implement import improve include incorporate increase indent infer inform
    inherit initialize inject insert inspect install instantiate integrate introduce invalidate invoke isolate
    iterate join justify keep label lazy-load lead learn leave let leverage limit link lint list listen load
    localize lock log look lowercase maintain make manage map mark match measure memoize mention merge migrate
    minify minimize mock modularize modify monitor mount move mutate name narrow nest never normalize note notify
    obey observe offer omit open optimize order organize outline override paginate parallelize parse partition
    pass perform persist pick pin place plan plot post prefer prefetch prefix preload prepare present preserve
    prevent prioritize process produce profile prompt propagate propose protect provide publish pull push put
    quote raise rank rate-limit read rebase recommend record reduce refactor refer reference refresh register
    reject rely remember remove rename render reorganize repeat replace report reproduce request require research
    reserve reset resolve respect respond restrict retry return reuse review revert rotate round run sanitize
    save scan schedule scope scrub seed select send separate serialize serve set share show sign simplify skip
    sort specify split squash stage start state stay stick stop store stream strive structure submit suggest
    summarize support suppress surface switch sync tag tailor take target tell test throttle throw tie time
    track transform translate treat trigger trim trust try type understand unify update upgrade use utilize
    validate vary verify version wait warn watch work wrap write
    """,
    )
)
# Of these, the ones that are nouns as well: "Test Data", "Build tools".
_NOUNS = frozenset(
    re.findall(
        r"\S+",
        """
    access account address act answer audit balance batch bind bound break build cache call cause change check
    comment commit copy cover debug design document draft drop edit end escape export extract fetch filter fix flag
    focus force form format gate group guard guide handle highlight import index input install issue label lead
    limit link lint list load lock log look map mark match measure merge mock monitor name nest note offer order
    output override pass pick pin place plan plot post prefix press process produce profile prompt pull push quote
    rank read record reference refresh release report request research reserve reset retry return reuse review
    round run scan schedule scope seed set share show sign sort split stage start state stop store stream
    structure submit support surface switch tag target test throttle tie time track transform trigger trim trust
    try type update upgrade view wait watch work wrap
    """,
    )
)
# Words that make a rule of what is otherwise a name or a fact.
_DEONTIC = re.compile(
    r"\b(?:must|should|shall|never|always|not|no|don['\u2019]t|\w+n['\u2019]t|avoid|only|required?|mandatory|forbidden"
    r"|instead|prefer(?:red|ably)?|before|unless|until|when|without|over|per|cannot|needs?|sparingly|cautiously)\b",
    re.IGNORECASE,
)

# --- what changes the meaning of a list below it -------------------------------------------------

_TURNS = re.compile(
    r"\b(?:do\s+not|don['\u2019]?ts?|never|avoid(?:ed|ing)?|forbidden|prohibited|banned|disallowed|illegal"
    r"|not\s+(?:allowed|permitted|to\s+\w+)|(?:must|should|may)\s+not|shouldn['\u2019]t|can(?:not|['\u2019]t)"
    r"|anti-?patterns?|mistakes?|pitfalls?|bad|wrong|incorrect|non-goals|out\s+of\s+scope)\b|[❌🚫⛔✗✘]",
    re.IGNORECASE,
)
_BOTH = re.compile(r"\bdo['\u2019]?s\b", re.IGNORECASE)
_WORDS_IN_HEADING = 6
_CONDITION = re.compile(
    r"\W*(?:\d{1,3}\W+)?(?:when|whenever|if|before|after|while|unless|until|during|except|only|once)\b",
    re.IGNORECASE,
)
_NARROWS = re.compile(r"\W*(?:for|in|on|as|with|without|every\s+time)\b(?!\s+example)", re.IGNORECASE)
# "You will be penalized if you:"
_THREATENS = re.compile(
    r"\b(?:if|unless|penali[sz]ed?|fail(?:s|ed|ure)?|reject(?:s|ed)?|instead of)\b", re.IGNORECASE
)
_WORDS_IN_NAME = 3
_NEGATED = re.compile(
    r"\W*(?:no|not|never|do\s+not|don['\u2019]t|avoid|must\s+not|cannot|can['\u2019]t|refuse|reject)\b|\W*[❌🚫⛔✗✘]",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"\W*(?:(?:for|good|bad|an?|here\s+(?:is|are)(?:\s+\w+)?|some)\s+)?examples?\b", re.IGNORECASE
)

# --- what is no instruction ----------------------------------------------------------------------

_LINK = re.compile(
    r"!?\[[^\]]*\]\([^)\s]*(?:\s+\"[^\"]*\")?\)|<?\b[a-z][a-z0-9+.-]{1,15}://[^\s>]*>?|\bwww\.\S+",
    re.IGNORECASE,
)
_CODE_LIKE = re.compile(
    r"(?<!\S)[(\"']?(?:[\w@.~*-]*[/\\][\w@./\\*~<>{}\[\]-]*|\.?[\w-]+\.[a-z]{1,5}|--?[\w-]+)[)\"',;:]*(?!\S)"
)
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")
_TREE = re.compile(r"[ \t|]*[│├└╰┬─]")
_ROLE = re.compile(
    r"\W*(?:(?:you\s+are|act\s+as)\s+(?:an?|the)\b|your\s+(?:areas?\s+of\s+)?(?:expertise|role|skills)\b)",
    re.IGNORECASE,
)
_IMPORT = re.compile(r"@[\w.~/\\-]+(?:\s+@[\w.~/\\-]+)*")
_BLANK_TO_FILL = re.compile(r"(?:[^:]{1,60}:\s*)?(?:\[[^\]]*\]|<[^>:/]*>|\{[^}]*\})\.?")
_FACT = re.compile(
    r"(?:(?:primary|main|core|ui|css|component|project|app|application|programming|test|testing|build|web|data"
    r"|package|state|tech|technology|runtime|deployment|target|minimum)\s+)*"
    r"(?:framework|frontend|front-end|backend|back-end|database|db|styling|styles|ui|ui/ux|library|libraries|components"
    r"|icons|testing|tests|tool|tools|bundler|runtime|manager|management|deployment|hosting|platform|version|author"
    r"|developer|license|name|orm|odm|auth|authentication|validation|forms|payments|cms|api|css|stack|language|languages"
    r"|infrastructure|ci|ci/cd|linter|formatter|linting|formatting|monitoring|email|repository|website|docs|documentation"
    r"|npm|github)\s*:\s*(?P<value>\S.*)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[\"'@^~>=]*[A-Z0-9]\S*|\S*[/.@\d-]\S*|with|and|or|the|[+&,|\u2013\u2014-]")
_VERSION = re.compile(r"[\w .@/-]{1,40}:\s*(?:[\^~>=<]+\s*\d[\w.+-]*|v?\d+\.\d+\.\d[\w.+-]*)")
_DESCRIPTION = re.compile(
    r"`[^`]+`\s*(?:[:\u2013\u2014-]|->|\u2192)\s*(?:an?|the|is|are|was|returns?|contains?|provides?|defines|specifies|holds|stores"
    r"|excludes|includes|creates|renders|aggregates|represents|enables|allows|displays|generates|fetches|wraps)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"`?(?:[\w@.<>-]+/)+(?:[\w<>-]+\.[a-z]{1,5})?[`*]*\s*(?:[:\u2013\u2014-]|->|\u2192)\s|`?[\w<>-]+\.[a-z]{1,5}`?:\s"
)
_SETTINGS = re.compile(r"(?:(?:^|\s)[a-z_]+:\s+\S.*?){2,}")
_TITLE = re.compile(r"(?:(?:[A-Z0-9&/+][\w&/+.'\u2019-]*|and|or|of|the|for|in|to|with|vs\.?)(?:\s+|$)){1,5}")

# --- sentences -----------------------------------------------------------------------------------

# A line of somebody's YAML.
_SETTING = re.compile(r"[\w-]+:(?:\s|$)")
# Where a sentence may end: the lookbehind keeps a row of dots from being tried dot by dot.
_STOP = re.compile(r"(?<![.!?…])[.!?…]+[\"'”\u2019)\]*_]* (?=[^\W\d_a-z]|[`*_\"“'\[(❌✅])")
_ABBREVIATIONS = frozenset(
    [
        "e.g",
        "i.e",
        "eg",
        "ie",
        "etc",
        "vs",
        "cf",
        "approx",
        "incl",
        "resp",
        "fig",
        "mr",
        "mrs",
        "ms",
        "dr",
        "st",
    ]
)
_DEPENDS = re.compile(
    r"\W*(?:except|unless(?![^.]*,)|however|but|otherwise|only\s+(?:if|when))\b", re.IGNORECASE
)
_POINTS_BACK = re.compile(
    r"\W*(?:[\w'\u2019]+\s+){1,4}?(?:(?:it|them|its|their)\b"
    r"|(?:this|these|those)\b(?=\s*[.,;!]|\s+(?:for|in|on|to|as|when|if|instead|with|by|only)\b))",
    re.IGNORECASE,
)

_INTRODUCES = "the label of the items below it"
_TOO_LONG = f"longer than {RULE_CHARACTERS} characters"

# Sentences about the file itself: "Follow these guidelines to write better code."
_META = re.compile(
    r"\b(?:these|following|above|below|this)\s+(?:\w+\s+)?"
    r"(?:guidelines?|instructions?|rules?|principles|conventions|content|document|practices|steps|expertise)\b"
    r"|\b(?:rules|guidelines|instructions|content)\s+(?:above|below)\b",
    re.IGNORECASE,
)
# "Never share." says nothing without the sentence before it.
_HOLLOW = re.compile(r"\W*(?:always|never|do\s+not|don['\u2019]t)\s+\w+\W*", re.IGNORECASE)

_Force = Literal["parent", "turns", "when", "asks", "example", "role", "unclear"]
_HIDING: dict[_Force, str] = {
    "example": "an example",
    "role": "a role",
    "unclear": "what it means depends on the item above it",
}
_LISTS = ("bullet_list", "ordered_list")
_SKIPPED = {
    "fence": "code",
    "code_block": "code",
    "table": "table",
    "blockquote": "quotation",
    "html_block": "HTML",
}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One candidate rule: a single line of text, and the line of the file where it starts, from 1."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Something that was not taken, and why; `text` is only its beginning, fit to be shown."""

    text: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was taken and what was passed over, each in the order of the file."""

    taken: tuple[Instruction, ...]
    passed: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    indent: int


@dataclass(frozen=True, slots=True)
class _Label:
    """Words above an item, and what they do to it."""

    text: str
    force: _Force


_Labels = tuple[_Label, ...]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Lines of a paragraph that belong together: those of one bullet, or prose."""

    bullet: bool
    lines: list[_Line]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence, with those behind it that say nothing alone; `commands` is whether one of them does."""

    text: str
    line: int
    commands: bool


def instructions(markdown: str, *, first_line: int = 1) -> Reading:
    """Read the instructions in a Markdown text that starts in line `first_line` of its file.

    Never raises. The managed block is skipped without a word: it is what vettle wrote itself. A text that
    says the same as an earlier one is passed over, but texts are compared within this file only.
    """
    lines = re.split(r"\r\n|\r|\n", markdown.translate(_STAND_INS))
    tree = SyntaxTreeNode(_PARSER.parse("\n".join(lines)))
    reader = _Reader(lines, first_line)
    reader.blocks(tree.children, ())
    skipped = _managed(lines, first_line)
    taken = [found for found in reader.taken if found.line not in skipped]
    passed = [found for found in reader.passed if found.line not in skipped]
    unique, repeated = _without_repetitions(sorted(taken, key=lambda found: found.line))
    return Reading(tuple(unique), tuple(sorted([*passed, *repeated], key=lambda found: found.line)))


def _managed(lines: Sequence[str], first_line: int) -> frozenset[int]:
    """Return the numbers of the lines between our markers; a marker without a partner covers nothing else."""
    found: set[int] = set()
    begin = 0
    for number, line in enumerate(lines, start=first_line):
        if _BEGIN.fullmatch(line):
            begin = number
        elif begin and _END.fullmatch(line):
            found.update(range(begin, number + 1))
            begin = 0
    return frozenset(found)


def _without_repetitions(taken: Sequence[Instruction]) -> tuple[list[Instruction], list[Passage]]:
    first: dict[str, Instruction] = {}
    repeated: list[Passage] = []
    for found in taken:
        earlier = first.setdefault(rule_form(found.text), found)
        if earlier is not found:
            repeated.append(Passage(_excerpt(found.text), found.line, f"the same as line {earlier.line}"))
    return list(first.values()), repeated


@dataclass
class _Reader:
    """Walks the blocks of one text and sorts what it finds into taken and passed."""

    source: Sequence[str]
    first_line: int
    taken: list[Instruction] = field(default_factory=list)
    passed: list[Passage] = field(default_factory=list)

    def blocks(self, nodes: Sequence[SyntaxTreeNode], labels: _Labels) -> None:
        """Read blocks that stand side by side, each under the headings and the label before it."""
        headings: list[tuple[int, _Labels]] = []
        label: _Labels = ()
        for node, following in zip_longest(nodes, nodes[1:]):
            above = labels + tuple(found for _, of_one in headings for found in of_one)
            introduces = following is not None and following.type in _LISTS
            if node.type == "heading":
                level = int(node.tag[1:])
                headings = [entry for entry in headings if entry[0] < level]
                headings.append((level, _heading_labels(" ".join(line.text for line in self._lines(node)))))
                label = ()
            elif node.type == "paragraph":
                label = self._text(self._readable(node), above, introduces)
            elif node.type in _LISTS:
                label = self._list(node, above + label, introduces)
            else:
                self._skipped(node)
                label = ()

    def _skipped(self, node: SyntaxTreeNode) -> None:
        content = node.content or " ".join(self.source[slice(*node.map)] if node.map else ())
        if node.type in _SKIPPED and not content.lstrip().startswith("<!--"):
            self.passed.append(Passage(_excerpt(content), self._number(node), _SKIPPED[node.type]))

    def _number(self, node: SyntaxTreeNode) -> int:
        return self.first_line + (node.map[0] if node.map else 0)

    def _lines(self, node: SyntaxTreeNode) -> list[_Line]:
        """Return the lines of a paragraph or a heading, without the marker of the item it starts."""
        content = node.children[0].content if node.children else ""
        start = node.map[0] if node.map else 0
        return [
            _Line(self.first_line + index, text, _indent(self.source[index]))
            for index, text in enumerate(content.split("\n"), start=start)
        ]

    def _readable(self, node: SyntaxTreeNode) -> list[_Line]:
        """Return the lines of a paragraph without code and tables, which are text when indented too far."""
        kept: list[_Line] = []
        closing = ""
        lines = self._lines(node)
        for line, following in zip_longest(lines, lines[1:]):
            fence = _FENCE.fullmatch(line.text)
            if closing:
                closing = "" if line.text.strip().startswith(closing) else closing
            elif fence and line is not lines[0]:
                closing = line.text.strip()[:3]
                self.passed.append(Passage(_excerpt(line.text), line.number, "code"))
            elif "|" in line.text and following and _TABLE_RULE.fullmatch(following.text.strip()):
                self.passed.append(Passage(_excerpt(line.text), line.number, "table"))
            elif not (line.text.lstrip().startswith("|") or _TABLE_RULE.fullmatch(line.text.strip())):
                kept.append(line)
        return kept

    def _list(self, node: SyntaxTreeNode, labels: _Labels, introduces: bool) -> _Labels:
        """Read a list; returns the label that its last item is for a list that is not indented under it."""
        label: _Labels = ()
        for item in node.children:
            label = self._item(item, labels, introduces and item is node.children[-1])
        return label

    def _item(self, node: SyntaxTreeNode, labels: _Labels, introduces: bool) -> _Labels:
        """Read an item and what is nested in it."""
        if not node.children or node.children[0].type != "paragraph":
            self.blocks(node.children, labels)
            return ()
        lines = self._readable(node.children[0])
        if not lines:
            self.blocks(node.children[1:], labels)
            return ()
        own, rest = _own_lines(lines)
        text = _without_checkbox(_joined(own))
        hanging = bool(rest and _BULLET.match(rest[0].text))
        nested = hanging or any(child.type in _LISTS for child in node.children)
        label: _Labels = ()
        if (nested or introduces) and _is_label(text, nested):
            label = (_item_label(text),)
            self.passed.append(Passage(_excerpt(text), own[0].number, _INTRODUCES))
        else:
            self._judge(text, own[0].number, labels)
        inner = (*labels, _Label("", "unclear")) if _turned(labels) and not label else labels + label
        self._text(rest, inner if hanging else _outside(rest, labels), introduces=False)
        self.blocks(node.children[1:], inner)
        return () if nested else label

    def _text(self, lines: Sequence[_Line], labels: _Labels, introduces: bool) -> _Labels:
        """Read the lines of a paragraph, in which bullets may hide; returns the label it ends in."""
        label: _Labels = ()
        lines = [_Line(line.number, _COMMENT_SIGN.sub("", line.text, count=1), line.indent) for line in lines]
        chunks = list(_chunks(lines))
        for chunk, following in zip_longest(chunks, chunks[1:]):
            if chunk.bullet:
                self._judge(_joined(chunk.lines), chunk.lines[0].number, labels + label)
            else:
                label = self._prose(chunk.lines, labels, following is not None or introduces)
        return label

    def _prose(self, lines: Sequence[_Line], labels: _Labels, introduces: bool) -> _Labels:
        """Take the commands out of a paragraph; returns the label that its end is for a list below it."""
        sentences = _sentences(lines)
        label: _Labels = ()
        others: list[_Sentence] = []
        reason = "an import" if _IMPORT.fullmatch(_joined(lines)) else "prose"
        if introduces and _bare(sentences[-1].text[-9:]).endswith(":"):
            last = sentences.pop()
            label = _paragraph_label(_bare(last.text), below_turning=_turned(labels))
            others, reason = ([last], _INTRODUCES) if not sentences else ([], reason)
        for sentence in sentences:
            if sentence.commands and _stands(sentence.text, labels):
                self._judge(sentence.text, sentence.line, labels, from_prose=True)
            else:
                others.append(sentence)
        if others:
            self.passed.append(Passage(_excerpt(others[0].text), others[0].line, reason))
        return label

    def _judge(self, own: str, line: int, labels: _Labels, *, from_prose: bool = False) -> None:
        """Take a candidate, or pass it over with the reason."""
        if len(own) > RULE_CHARACTERS * 4:  # far too long, comments and all: the rest need not be linear
            self.passed.append(Passage(_excerpt(own), line, _TOO_LONG))
            return
        own = _unquoted(_cut(own, _COMMENT))
        if not own:
            return
        applying = [label for label in labels if _applies(label, own)]
        text = ": ".join([*(label.text for label in applying if label.text), own])
        reason = _unfit(text, labels) or ("" if from_prose else _objection(own, applying))
        if reason:
            self.passed.append(Passage(_excerpt(own), line, reason))
        else:
            self.taken.append(Instruction(text, line))


# --- lines ---------------------------------------------------------------------------------------


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip(" "))


def _joined(lines: Sequence[_Line]) -> str:
    """Return the lines as one line with single spaces."""
    return " ".join(" ".join(line.text for line in lines).replace(_SPACE, " ").split())


def _own_lines(lines: Sequence[_Line]) -> tuple[Sequence[_Line], Sequence[_Line]]:
    """Cut an item's paragraph where something else begins.

    Markdown lets a line without indentation continue the item above it. Authors who forgot the blank line
    did not mean that, and "React Query for server state Never use Zustand" is nobody's rule.
    """
    for index in range(1, len(lines)):
        line, before = lines[index], lines[index - 1]
        lazy = line.indent <= lines[0].indent and _starts_anew(line.text.strip(), before.text.strip())
        if lazy or _BULLET.match(line.text):
            return lines[:index], lines[index:]
    return lines, ()


def _outside(lines: Sequence[_Line], labels: _Labels) -> _Labels:
    """Return the labels that hold for lines behind a list: at the margin, no longer those of its items."""
    at_margin = bool(lines) and lines[0].indent == 0
    return tuple(label for label in labels if not (at_margin and label.force in ("parent", "unclear")))


def _starts_anew(text: str, before: str) -> bool:
    """Tell whether a line begins a new thought rather than continuing the line before it."""
    if not _LETTER.search(text):
        return True
    if before.endswith((".", "!", "?", ":")):
        return not text[0].islower()
    if not text[0].isupper():
        return False
    return _is_command(text) or len(before) + 1 + len(text.split()[0]) <= _USUAL_WIDTH


_USUAL_WIDTH = 72
"""A line that would have had room for the next word within this width was not wrapped, it ended."""


def _chunks(lines: Sequence[_Line]) -> Iterator[_Chunk]:
    """Part a paragraph into its bullets, each with its continued lines, and the prose between them."""
    chunk: _Chunk | None = None
    for line in lines:
        if bullet := _bullet(line, chunk):
            if chunk:
                yield chunk
            chunk = _Chunk(True, [bullet])
        elif chunk is None or (chunk.bullet and not _continues(chunk, line)):
            if chunk:
                yield chunk
            chunk = _Chunk(False, [line])
        else:
            chunk.lines.append(line)
    if chunk:
        yield chunk


def _bullet(line: _Line, before: _Chunk | None) -> _Line | None:
    """Return the line without its bullet if it has one; a number is one only where a list is expected."""
    found = _BULLET.match(line.text)
    if found is None and before and (before.bullet or before.lines[-1].text.rstrip().endswith(":")):
        found = _NUMBER.match(line.text)
    if found is None:
        return None
    return _Line(line.number, _without_checkbox(line.text[found.end() :]), line.indent)


def _without_checkbox(text: str) -> str:
    found = _CHECKBOX.match(text)
    return text[found.end() :] if found else text


def _continues(chunk: _Chunk, line: _Line) -> bool:
    first, last = chunk.lines[0], chunk.lines[-1]
    if line.indent != first.indent:
        return line.indent > first.indent
    return not _starts_anew(line.text.strip(), last.text.strip())


# --- sentences -----------------------------------------------------------------------------------


def _sentences(lines: Sequence[_Line]) -> list[_Sentence]:
    """Return the sentences of a paragraph; one that says nothing alone is kept with the one before it."""
    found: list[_Sentence] = []
    for text, line in _plain_sentences(lines):
        commands = _is_whole_command(text)
        dependent = _DEPENDS.match(text) or (commands and _POINTS_BACK.match(text[:RULE_CHARACTERS]))
        before = found[-1] if found else None
        if before and dependent and len(before.text) <= RULE_CHARACTERS and not before.text.endswith(":"):
            found.pop()
            found.append(_Sentence(f"{before.text} {text}", before.line, before.commands or commands))
        else:
            found.append(_Sentence(text, line, commands))
    return found


def _plain_sentences(lines: Sequence[_Line]) -> Iterator[tuple[str, int]]:
    for run in _runs(lines):
        pieces = [_joined([line]) + " " for line in run]
        starts = list(accumulate(map(len, pieces), initial=0))
        text = "".join(pieces)
        begin = 0
        for end in [*_ends(text), len(text)]:
            if sentence := text[begin:end].strip():
                yield sentence, run[bisect_right(starts, begin) - 1].number
            begin = end


def _runs(lines: Sequence[_Line]) -> list[list[_Line]]:
    """Part a paragraph at the line ends that end a sentence although no full stop says so."""
    texts = [line.text.strip() for line in lines]
    each = len(lines) > 1 and not any(text[:1].islower() for text in texts) and not _is_wrapped(texts)
    runs: list[list[_Line]] = []
    for index, line in enumerate(lines):
        before = texts[index - 1] if index else ""
        hard = index > 0 and lines[index - 1].text.endswith("  ")
        anew = before.endswith(":") or _SETTING.match(texts[index]) or _opens_command(texts[index])
        if index == 0 or (not before.endswith(",") and (each or hard or anew)):
            runs.append([])
        runs[-1].append(line)
    return runs


def _opens_command(text: str) -> bool:
    return text[:1].isupper() and _is_command(text)


_NARROWEST = 50
"""Nobody fills text to fewer columns."""


def _is_wrapped(texts: Sequence[str]) -> bool:
    """Tell whether every line ends where its next word had no room, as in text that was filled."""
    width = max(_NARROWEST, *map(len, texts))
    return len(texts) < 3 and all(
        len(text) + 1 + len(following.split(" ", 1)[0]) > width for text, following in pairwise(texts)
    )


def _ends(text: str) -> Iterator[int]:
    """Yield where sentences end, not after an abbreviation or a numeral of a list, and not in code."""
    begin = 0
    for stop in _STOP.finditer(_masked(text)):
        start = stop.start()
        word = text[max(begin, text.rfind(" ", 0, start) + 1) : start].lstrip("([{*_\"'“\u2018")
        before = text[max(begin, start - len(word) - 4) : start - len(word)].strip(" *_")
        numeral = word.isdigit() and before[-1:] in ("", ":")
        initial = len(word) == 1 and word.isalpha()
        if word.lower() not in _ABBREVIATIONS and not numeral and not initial:
            yield stop.end()
            begin = stop.end()


def _masked(text: str) -> str:
    """Return the text, as long as it was, with what stands in code spans made unrecognisable."""
    runs = [(run.start(), run.end()) for run in re.finditer("`+", text)]
    waiting: dict[int, list[int]] = {}
    for start, end in reversed(runs):
        waiting.setdefault(end - start, []).append(start)
    pieces, done = [], 0
    for start, end in runs:
        partners = waiting[end - start]
        while partners and partners[-1] < max(end, done):
            partners.pop()
        if start >= done and partners:
            pieces += [text[done:end], "x" * (partners[-1] - end)]
            done = partners[-1]
            pieces.append(text[done : done + end - start])
            done += end - start
    return "".join([*pieces, text[done:]])


def _is_whole_command(text: str) -> bool:
    """Tell whether a sentence of prose is a command that says something alone."""
    unfinished = _bare(text[-9:]).endswith((":", "?", ",")) or text[:RULE_CHARACTERS].count('"') % 2
    return (
        _is_command(text)
        and not unfinished
        and not _HOLLOW.fullmatch(text[:EXCERPT])
        and not _META.search(text[:RULE_CHARACTERS])
    )


def _is_command(text: str) -> bool:
    beginning = text[:RULE_CHARACTERS]
    lead = _LEAD.match(beginning)
    return _COMMAND.match(beginning, lead.end() if lead else 0) is not None


# --- labels --------------------------------------------------------------------------------------


def _is_label(text: str, nested: bool) -> bool:
    """Tell whether an item only names the items below it."""
    plain = _bare(text)
    return plain.endswith(":") or (
        nested and bool(plain) and len(plain) <= EXCERPT and bool(_name_only(text, plain))
    )


def _item_label(text: str) -> _Label:
    plain = _bare(text).rstrip(":. ")
    return (_hiding(plain) or (_Label(plain, "parent"),))[0]


def _heading_labels(text: str) -> _Labels:
    """Return what a heading does to everything below it; a long one is a statement of its own."""
    plain = _bare(text).rstrip(": ")
    if len(plain.split()) > _WORDS_IN_HEADING or _BOTH.search(plain):
        return ()
    if hiding := _hiding(plain):
        return hiding
    if _TURNS.search(plain):
        return (_Label(plain, "turns"),)
    return (_Label(plain, "when"),) if _CONDITION.match(plain) else ()


def _hiding(plain: str) -> _Labels:
    """Return the label if nothing below it is an instruction, or none that could stand alone; else nothing."""
    if _EXAMPLE.match(plain):
        return (_Label(plain, "example"),)
    if _ROLE.match(plain):
        return (_Label(plain, "role"),)
    return (_Label(plain, "unclear"),) if _DEPENDS.match(plain) else ()


def _paragraph_label(plain: str, *, below_turning: bool) -> _Labels:
    """Return what the sentence before a list does to it; "Code style:" does nothing."""
    plain = plain.rstrip(": ")
    if hiding := _hiding(plain):
        return hiding
    if _CONDITION.match(plain) or _NARROWS.match(plain) or _THREATENS.search(plain) or below_turning:
        return (_Label(plain, "when"),)
    if _TURNS.search(plain):
        return (_Label(plain, "turns"),)
    if _META.search(plain):
        return ()
    return (_Label(plain, "asks"),) if len(plain.split()) > _WORDS_IN_NAME or _is_order(plain) else ()


def _turned(labels: _Labels) -> bool:
    return any(label.force == "turns" for label in labels)


def _stands(text: str, labels: _Labels) -> bool:
    """Tell whether a sentence of prose says the same without the label that turns what is below it."""
    return not _turned(labels) or _NEGATED.match(text) is not None


def _applies(label: _Label, own: str) -> bool:
    match label.force:
        case "turns":
            return not _NEGATED.match(own)
        case "asks":
            return not _is_order(_bare(own))
        case _:
            return True


# --- what is no instruction ----------------------------------------------------------------------


def _bare(text: str) -> str:
    """Return the text without marks of emphasis; code stays as it is."""
    return _cut(text, _EMPHASIS)


def _excerpt(text: str) -> str:
    """Return the beginning of a text as one line that may be printed."""
    line = " ".join(text[: EXCERPT * 4].replace(_SPACE, " ").split())
    shown = "".join("\ufffd" if _is_control(character) else character for character in line)
    return shown if len(shown) <= EXCERPT else shown[: EXCERPT - 1].rstrip() + "…"


def _is_control(character: str) -> bool:
    return character == _CONTROL or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _cut(text: str, pattern: re.Pattern[str]) -> str:
    """Return the text, in single spaces, without what the pattern finds outside code spans."""
    pieces, done = [], 0
    for found in pattern.finditer(_masked(text)):
        pieces.append(text[done : found.start()])
        done = found.end()
    return " ".join("".join([*pieces, text[done:]]).split())


def _unquoted(text: str) -> str:
    """Return the text without quotes around all of it, as an item has them that was once YAML or JSON."""
    inner = text.rstrip(",")[1:-1]
    quoted = len(text) > 2 and text[0] in "\"'" and text.rstrip(",")[-1] == text[0] and text[0] not in inner
    return inner.strip() if quoted else text


def _unfit(text: str, labels: _Labels) -> str:
    """Return why this text cannot be a rule whatever it says, or ""."""
    hidden = next((_HIDING[label.force] for label in labels if label.force in _HIDING), "")
    if hidden:
        return hidden
    if len(text) > RULE_CHARACTERS:
        return _TOO_LONG
    if any(map(_is_control, text)):
        return "a control character in it"
    return "an HTML comment that does not end in it" if "<!--" in _masked(text) else ""


def _objection(own: str, applying: Sequence[_Label]) -> str:
    """Return why an item is no instruction, or "". When in doubt it is one: the evidence decides later."""
    plain = _bare(own)
    if _TREE.match(own):
        return "a directory tree"
    if plain.endswith("?"):
        return "a question"
    if plain.endswith(":"):
        return "it only introduces what is below it"
    if _ROLE.match(plain):
        return "a role"
    if _DEPENDS.match(plain):
        return _HIDING["unclear"]
    if _IMPORT.fullmatch(plain):
        return "an import"
    if _BLANK_TO_FILL.fullmatch(plain):
        return "a form to fill in"
    if not _LETTER.search(plain):
        return "no words"
    linkless = _LINK.sub(" ", plain)
    if linkless != plain and _words(linkless) <= 4 and not _is_binding(linkless, nouns=False):
        return "a link"
    if any(label.force != "parent" or _is_order(label.text) for label in applying):
        return ""  # the words above make a sentence of it
    return _name_only(own, plain)


def _name_only(own: str, plain: str) -> str:
    """Return what a text is that names or describes something, or ""."""
    words = _words(plain)
    bold = re.fullmatch(r"\*\*[^*]{1,60}\*\*", own) is not None
    if not _LETTER.search(_CODE_LIKE.sub(" ", re.sub("`[^`]*`", " ", plain))):
        return "code or a path"
    if _VERSION.fullmatch(plain) or _is_fact(plain):
        return "a fact"
    if words < 2 or (words == 2 and not _is_binding(plain, nouns=False)):
        return "too few words to be an instruction"
    if (bold or _TITLE.fullmatch(plain)) and not _is_binding(plain, nouns=False):
        return "a heading"
    if _is_binding(plain):
        return ""
    if _SETTINGS.fullmatch(plain):
        return "a fact"
    return (
        "a description" if _DESCRIPTION.match(plain) or _PLACE.match(plain) or _is_third_person(plain) else ""
    )


def _is_fact(plain: str) -> bool:
    """Tell whether a text says only what is used: "Framework: Next.js 15 (App Router)"."""
    fact = _FACT.fullmatch(plain)
    return fact is not None and all(
        _NAME.fullmatch(word) for word in re.sub(r"\([^)]*\)", " ", fact["value"]).split()
    )


def _is_third_person(plain: str) -> bool:
    """Tell whether a text says what something does: "Creates the records"."""
    first = plain.split(" ", 1)[0].lower()
    return first.endswith("s") and bool({first[:-1], first[:-2]} & (_VERBS - _NOUNS))


def _words(text: str) -> int:
    """Count the words of a text; scripts without spaces have about two letters to a word."""
    return sum(_LETTER.search(word) is not None for word in text.split()) + len(_SPACELESS.findall(text)) // 2


def _is_binding(plain: str, *, nouns: bool = True) -> bool:
    """Tell whether a text orders something, or limits what may be done in words like "only"."""
    return _DEONTIC.search(plain[:RULE_CHARACTERS]) is not None or _is_order(plain, nouns=nouns)


def _is_order(plain: str, *, nouns: bool = True) -> bool:
    """Tell whether a text orders something, at its start or behind "Name: ".

    `nouns` says whether words count that are verbs and nouns alike.
    """
    if _is_command(plain):
        return True
    for part in re.split(r"(?:[:→;]|\s[\u2013—-])\s", plain[:RULE_CHARACTERS]):
        first = re.match(r"\W*(?:(?:please|also|then)\s+)?([A-Za-z-]+)", part)
        if first and first[1].lower() in (_VERBS if nouns else _VERBS - _NOUNS):
            return True
    return False
