"""What is kept of a file to tell later which of its lines are still there: never the lines themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b

Lines = Counter[str]
"""The fingerprints of a file's lines, each with how often the line occurs."""

LARGEST = 1_000_000
"""The most bytes of a file that is compared by its lines; a larger one has a single fingerprint."""

_WHITESPACE = b" \t\r\v\f"
_TELLING = 8_000


def is_text(content: bytes) -> bool:
    """Tell whether a file is compared by its lines: not too large, and no NUL near its beginning, as git decides."""
    return len(content) <= LARGEST and b"\0" not in content[:_TELLING]


def of_text(content: bytes, salt: bytes) -> Lines:
    """Return the fingerprints of the lines that are not blank.

    Whitespace does not count, so neither a formatter's indentation nor CRLF makes a line another one.
    """
    lines = Counter(content.translate(None, _WHITESPACE).split(b"\n"))
    del lines[b""]
    return Counter({_fingerprint(line, salt): occurrences for line, occurrences in lines.items()})


def of_whole(identity: str, salt: bytes) -> Lines:
    """Return the single fingerprint of a file that is not compared by its lines, from an id of its content."""
    return Counter({_fingerprint(identity.encode(), salt): 1})


def _fingerprint(line: bytes, salt: bytes) -> str:
    # 64 bits: among a million lines two are taken for the same with probability 3e-8.
    return blake2b(line, digest_size=8, key=salt).hexdigest()


def restored(kept: Mapping[str, int]) -> Lines:
    """Return fingerprints as they were kept, without counts that no file can have."""
    return Counter({line: occurrences for line, occurrences in kept.items() if occurrences > 0})
