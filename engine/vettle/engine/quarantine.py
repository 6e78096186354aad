"""What in a rule's text no escaping can make safe, so that a person has to look first.

A rule file is obeyed. Text learned from a log or proposed by an agent reaches it only past these checks;
a rule that fails one is quarantined, with the reasons, until a person approves it.
"""

from __future__ import annotations

import re
import unicodedata

HIDDEN = frozenset(
    {0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x2800, 0x3164, 0xFEFF, 0xFFA0}
    | set(range(0x200B, 0x2010))
    | set(range(0x202A, 0x202F))
    | set(range(0x2060, 0x2070))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xFFF9, 0xFFFC))
    | set(range(0xE0000, 0xE0080))
    | set(range(0xE0100, 0xE01F0))
)
"""Code points that print nothing but reach a model: zero-width, bidirectional, tags, fillers, selectors."""

URL = "a URL"

_CHECKS = (
    (URL, re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://|\bwww\.\w", re.IGNORECASE)),
    (
        "an injection phrase",
        re.compile(
            r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}"
            r"\b(?:previous|prior|above|earlier|all|any|other|system|these|your)\b.{0,30}"
            r"\b(?:instructions?|rules?|prompts?|guidelines|messages?|safety)\b"
            r"|\byou are now\b|\bdeveloper mode\b"
            # A rule may be about a system prompt; only one that is to be given away, or that is the reader's, is not.
            r"|\b(?:reveal|print|show|repeat|output|leak|quote)\b.{0,30}\bsystem prompt\b|\byour system prompt\b",
            re.IGNORECASE,
        ),
    ),
    (
        "a request to hide something from people",
        re.compile(
            r"\b(?:do not|don't|never|without)\b.{0,20}\b(?:tell|telling|mention|inform|informing|notify|show|reveal|asking)\b"
            r".{0,20}\b(?:the )?(?:user|human|reviewer|developer|anyone|maintainers?)\b|\bsecretly\b|\bsilently\b.{0,20}\b(?:send|upload|commit|push)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "a shell pipeline that runs what it downloads",
        re.compile(
            r"\b(?:curl|wget|iwr|invoke-webrequest)\b.{0,200}(?:\||;|&&|\$\()|\|\s*(?:ba|z|da)?sh\b|\brm\s+-\w*[rf]\w*\s",
            re.IGNORECASE,
        ),
    ),
)


_SECRET = re.compile(
    r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@"
    r"|\b(?:password|passwd|secret|token|api[_-]?key)\b\s*[=:]\s*[^\s,;]{6,}",
    re.IGNORECASE,
)
REDACTED = "[redacted]"


def redact(text: str) -> str:
    """Return the text with everything that looks like a secret (keys, tokens, URLs with passwords) replaced."""
    return _SECRET.sub(REDACTED, text)


def hidden_characters(text: str) -> list[str]:
    """Return the code points of the text that a reader cannot see, as U+XXXX, sorted."""
    return sorted(
        {
            f"U+{ord(character):04X}"
            for character in text
            if ord(character) in HIDDEN or unicodedata.category(character) in ("Cf", "Co", "Cs", "Cn", "Cc")
        }
    )


def visible(text: str) -> str:
    """Return the text with every hidden character written out as <U+XXXX>, for a person to judge."""
    return "".join(f"<U+{ord(one):04X}>" if hidden_characters(one) else one for one in text)


def reasons(text: str) -> list[str]:
    """Return why a person has to look at this text before an agent does; an empty list is good."""
    found = []
    if hidden := hidden_characters(text):
        found.append(f"hidden characters ({', '.join(hidden[:5])})")
    plain = unicodedata.normalize("NFKC", text)
    visible = "".join(character for character in plain if ord(character) not in HIDDEN)
    found += [name for name, pattern in _CHECKS if pattern.search(visible)]
    return found


def shown(text: str, limit: int = 300) -> str:
    """Return logged text as a later agent may see it: shortened, or only named if it would instruct that agent.

    Mistakes quote logs, and logs quote anybody. An address is fine in a log; an injection phrase is not.
    """
    found = [reason for reason in reasons(" ".join(text.split())) if reason != URL]
    return f"(not shown: it holds {', '.join(found)})" if found else text[:limit]
