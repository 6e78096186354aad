"""Rule text made harmless: what an assistant reads is one plain line that imports, runs and closes nothing."""

from __future__ import annotations

import html
import re
import unicodedata

from vettle.engine.quarantine import HIDDEN

_DROPPED_CATEGORIES = frozenset({"Cf", "Co", "Cs", "Cn"})
_SPACE_CATEGORIES = frozenset({"Zl", "Zp", "Zs", "Cc"})

# A code span, with the backslash that would turn its first backtick into text.
_CODE_SPAN = re.compile(r"(\\?)`([^`]*)`")
# The only code-span contents that survive: short, and without a character that means anything elsewhere.
_HARMLESS_CODE = re.compile(r"(?:(?!---)[\w ./*:=,+~^?%()-]){1,80}", re.ASCII)
# Kept spans wait here while the rest is escaped; private-use characters never survive in the text itself.
_HELD_SPAN = re.compile("\ue000(\\d+)\ue001", re.ASCII)

# "&#64;" written out in a rule would arrive as "@".
_ENTITY = re.compile(r"&(?=#|[A-Za-z])")
# "</system>" leaves the client's wrapper, "<!--" forges a marker, "<img" is HTML.
_TAG_START = re.compile(r"<(?=[A-Za-z/!?%$])")
# "-->" closes the managed block's marker; browsers also accept "--!>".
_COMMENT_END = re.compile(r"--(!?)>")
# "@path" imports a file, even inside a code span in some clients.
_IMPORT = re.compile(r"@")
# "#file:" and "#tool:" pull in files and tools in VS Code.
_REFERENCE = re.compile(r"#(?=[A-Za-z])")
# "](" makes a link or an image, which VS Code follows and a viewer fetches; "][x" begins one by reference.
_LINK = re.compile(r"\](?=\(|\[(?![^\[\]]*\]))")
# "]:" defines a link target, so that this rule vanishes and another rule's "[x]" becomes a link.
_LINK_DEFINITION = re.compile(r"\](?=:)")
# "![" makes an image.
_IMAGE = re.compile(r"!(?=\[)")
# "[[" makes a wiki link.
_WIKI_LINK = re.compile(r"\[(?=\[)")
# "$ARGUMENTS", "${VAR}" and "$(cmd)" are substituted in skills and prompts.
_VARIABLE = re.compile(r"\$(?=[A-Za-z0-9{(])")
# "{{", "{%" and "{#" wake template engines.
_TEMPLATE = re.compile(r"\{(?=[{%#])")
# An exclamation mark before a code span runs it when Claude Code loads a skill.
_COMMAND = re.compile("!(?=\ue000)")
# "---" splits the frontmatter off in Continue and Cursor, wherever it stands.
_RULER = re.compile(r"-{3,}")
# "1." at the start makes a nested list.
_NUMBERED_ITEM = re.compile(r"^(\d+)([.)])")
# "-", "#", ">" and the like at the start make a list, a heading, a quote, a fence or a table.
_LEADING_MARKER = re.compile(r"^([-*+#>|=~_])")

_ESCAPES = (
    (_ENTITY, "&amp;"),
    (_TAG_START, "&lt;"),
    (_COMMENT_END, r"--\1&gt;"),
    (_IMPORT, "&#64;"),
    (_REFERENCE, "&#35;"),
    (_LINK, "] "),
    (_LINK_DEFINITION, "] "),
    (_IMAGE, "! "),
    (_WIKI_LINK, "[ "),
    (_VARIABLE, "&#36;"),
    (_TEMPLATE, "{ "),
    (_COMMAND, "! "),
    (_RULER, "--"),
    (_NUMBERED_ITEM, r"\1\\\2"),
    (_LEADING_MARKER, r"\\\1"),
)


def neutral(text: str) -> str:
    """Return the text as one line of Markdown that means nothing but its words.

    Apply it exactly once, when a file is written, and never store the result: a second pass escapes the
    escapes. Text without a visible character gives "". The result may be longer than the text; nothing
    is cut, so the caller leaves out what is longer than a rule may be.
    """
    line, held = _hold_code_spans(_one_line(text))
    for pattern, replacement in _ESCAPES:
        line = pattern.sub(replacement, line)
    return _HELD_SPAN.sub(lambda match: f"`{held[int(match[1])]}`", line)


# The escapes at the start of a line, where `neutral` puts them.
_ESCAPED_START = re.compile(r"^(\d*)\\(?=[-*+#>|=~_.)])")


def plain(line: str) -> str:
    """Return the words of a neutral line, as its reader takes them: the text that `neutral` makes it from."""
    return html.unescape(_ESCAPED_START.sub(r"\1", line))


def _one_line(text: str) -> str:
    """Fold look-alikes (fullwidth "@" and "<") first, so that what follows sees what a model would read."""
    return " ".join("".join(map(_visible, unicodedata.normalize("NFKC", text))).split())


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in _SPACE_CATEGORIES:
        return " "
    return "" if ord(character) in HIDDEN or category in _DROPPED_CATEGORIES else character


def _hold_code_spans(line: str) -> tuple[str, list[str]]:
    """Replace harmless code spans by placeholders and every other backtick by a plain quote."""
    if "``" in line or line.count("`") % 2:
        return line.replace("`", "'"), []
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        escaped, code = match.groups()
        if escaped or not code.strip() or not _HARMLESS_CODE.fullmatch(code):
            return f"{escaped}'{code}'"
        held.append(code.strip())
        return f"\ue000{len(held) - 1}\ue001"

    return _CODE_SPAN.sub(hold, line), held
