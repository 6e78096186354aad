"""What in a rule's text no escaping can make safe, so that a person has to look first.

A rule file is obeyed. Text learned from a log or proposed by an agent reaches it only past these checks;
a rule that fails one is quarantined, with the reasons, until a person approves it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

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


_TELLING_NAME = (
    r"(?:password|passwd|passphrase|secret|token|credentials?|(?:api|access|private|account)[_-]?key)"
    r"(?:[_-](?:access[_-]|api[_-])?key)?"
)

_SECRETS = (
    # Keys and tokens that their makers begin alike.
    r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}",
    r"\bglpat-[\w-]{16,}|\b(?:npm|hf)_[A-Za-z0-9]{30,}|\bpypi-[\w-]{50,}|\bAIza[\w-]{30,}|\bwhsec_\w{20,}",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bxox[abeprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}",
    r"\bhooks\.slack\.com/(?:services|workflows)/[\w/-]{10,400}",
    r"\beyJ[A-Za-z0-9_-]{10,1000}(?:\.[A-Za-z0-9_-]+)+",
    # The whole block, so that the header alone does not go and leave the key.
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)",
    # Bounded everywhere: a text of dots and hyphens must not be looked at once for every two places in it.
    r"\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]{0,200}:[^\s/@]{1,400}@",
    r"\b(?:proxy-)?authorization[\"']?\s{0,5}[:=]\s{0,5}[\"']?(?:(?:bearer|basic|digest|token|negotiate)\s{1,5})?[^\s,\"']{6,}",
    r"\bbearer\s{1,5}(?=[A-Za-z._~+/-]{0,200}\d)[A-Za-z0-9._~+/-]{16,}",
    (
        rf"(?<![\w-])[\w-]{{0,40}}?{_TELLING_NAME}[\"']?\s{{0,5}}[=:]\s{{0,5}}"
        r"(?:\"[^\"\n]{6,400}\"?|'[^'\n]{6,400}'?|[^\s,;\"']{6,})"
    ),
)


@cache
def _secret() -> re.Pattern[str]:
    # Compiled when a text needs it, because hooks and help start in less time than that takes.
    return re.compile("|".join(_SECRETS), re.IGNORECASE | re.DOTALL)


_NAMED = re.compile(rf"[\w .-]*?{_TELLING_NAME}", re.IGNORECASE)
_LONGEST_NAME = 200
_WORD = re.compile(r"\S{6,400}")
_REFERENCE = re.compile(r"\$?\{?[A-Z][A-Z0-9_]*\}?|env:\w+|<[^\n]*>|\[redacted\]")
"""What stands for a secret without being one: the name of an environment variable, or a placeholder."""

_HINTS = (
    "sk-",
    "sk_",
    "pk-",
    "pk_",
    "rk-",
    "rk_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "npm_",
    "hf_",
    "pypi-",
    "aiza",
    "whsec_",
    "akia",
    "asia",
    "xox",
    "xapp-",
    "hooks.slack.com/",
    "eyj",
    "://",
    "bearer",
    "authorization",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "key",
)
"""One of these is in everything that looks like a secret, whatever its case: most texts need no closer look."""

REDACTED = "[redacted]"


def redact(text: str) -> str:
    """Return the text with everything that looks like a secret (keys, tokens, URLs with passwords) replaced."""
    folded = text.casefold()
    return _secret().sub(REDACTED, text) if any(hint in folded for hint in _HINTS) else text


def redact_named(name: str, text: str) -> str:
    """Return the text of something with a name, such as a setting: the name can say that it is a secret."""
    named = len(name) <= _LONGEST_NAME and _NAMED.fullmatch(name.strip()) and _WORD.fullmatch(text)
    return REDACTED if named and not _REFERENCE.fullmatch(text) else redact(text)


def holds_secret(value: object, name: str = "") -> bool:
    """Tell whether a text, or a JSON value with its names, holds what looks like a secret."""
    match value:
        case str():
            return redact_named(name, value) != value
        case list() | tuple():
            return any(holds_secret(one, name) for one in value)
        case dict():
            return any(holds_secret(str(key)) or holds_secret(one, str(key)) for key, one in value.items())
    return False


def carries_secret(text: str) -> bool:
    """Return whether a text holds what looks like a secret, or held one before it was redacted."""
    return REDACTED in text or redact(text) != text


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
